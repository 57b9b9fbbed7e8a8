"""The public listener: pages, health, the demo's links, ``/signal``, WHIP and WHEP."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from twinclass_server.demo import DEMO, Demo, DemoLink
from twinclass_server.errors import http_status
from twinclass_server.http import pages
from twinclass_server.http.headers import SecurityHeaders
from twinclass_server.school import DESK_TTL_S, staff_path
from twinclass_server.signal.lessons import Lessons
from twinclass_server.signal.socket import SignalParts, SignalSocket
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import TokenKeys


def public_app(
    signal: SignalParts,
    demo: Demo | None,
    more: Sequence[BaseRoute] = (),
    *,
    shows_desk: bool = False,
    desk_links: Callable[[TokenKeys, float], list[DemoLink]] = lambda _keys, _now: [],
) -> Starlette:
    """Returns the application; ``more`` are routes of WHIP and WHEP, ``demo`` the lesson whose
    links anybody may have, ``shows_desk`` whether the link to "My lessons" is among them;
    ``desk_links`` are those of the demo desk."""

    async def signal_endpoint(socket: WebSocket) -> None:
        await SignalSocket(socket, signal).run()

    return Starlette(
        routes=[
            Route("/healthz", _healthz),
            Route("/readyz", _readyz(signal.lessons)),
            Route("/api/portal", _portal(signal.keys, demo, desk_links, shows_desk=shows_desk)),
            WebSocketRoute("/signal", signal_endpoint),
            *more,
            *pages.routes(),
        ],
        middleware=[Middleware(SecurityHeaders)],
    )


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


def _readyz(lessons: Lessons) -> Callable[[Request], Awaitable[Response]]:
    async def readyz(_: Request) -> Response:
        problems: list[str] = []
        if lessons.is_draining:
            problems.append("draining")
        if not lessons.is_redis_up:
            problems.append("redis")
        return JSONResponse(
            {"ready": not problems, "problems": problems},
            503 if problems else 200,
            headers={"Cache-Control": "no-store"},
        )

    return readyz


def _portal(
    keys: Callable[[], TokenKeys],
    demo: Demo | None,
    desk_links: Callable[[TokenKeys, float], list[DemoLink]],
    *,
    shows_desk: bool,
) -> Callable[[Request], Awaitable[Response]]:
    async def portal(request: Request) -> Response:
        if demo is None:
            return JSONResponse({"code": "no_demo"}, 404, headers={"Cache-Control": "no-store"})
        try:
            await demo.ensure()
        except SignalingError as error:
            return JSONResponse({"code": error.code}, http_status(error))
        base = str(request.base_url).rstrip("/")

        def shown(links: Sequence[DemoLink]) -> list[dict[str, object]]:
            return [
                {**{k: v for k, v in asdict(link).items() if k != "path"}, "url": base + link.path}
                for link in links
            ]

        links = shown(demo.links(keys(), time.time()))
        # Behind a proxy, or under another name (DNS rebinding), it is not this machine's browser.
        is_here = (
            request.url.hostname in {"127.0.0.1", "::1", "localhost"}
            and "x-forwarded-for" not in request.headers
            and "forwarded" not in request.headers
        )
        desk = base + staff_path(keys(), Role.OPERATOR, "operator", "", DESK_TTL_S)
        return JSONResponse(
            {
                "lesson": {"id": DEMO, "title": demo.title()},
                "links": links,
                "evening": shown(desk_links(keys(), time.time())),
                "desk": desk if shows_desk and is_here else None,
            },
            headers={"Cache-Control": "no-store"},
        )

    return portal
