"""The private listener: metrics, and lessons made and closed by the operator.

It has no tokens: it listens on loopback. So that no web page on the same machine can use it,
requests that carry an Origin are refused and bodies must be JSON (a form cannot send that).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from twinclass_server.adapters.media_probe import ProbeTicket
from twinclass_server.errors import http_status
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import LessonId
from twinclass_signaling.lesson.state import Plan
from twinclass_signaling.lesson.views import counts
from twinclass_signaling.messages import CloseLesson
from twinclass_signaling.tokens import Id

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: A plan of 32 rooms with 60 pupils each, the longest names and a full agenda is about 700 KiB.
_MAX_BODY = 1024 * 1024


class NewLesson(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /lessons``."""

    id: Id
    plan: Plan


class _NoBrowsers:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and any(name == b"origin" for name, _ in scope["headers"]):
            await PlainTextResponse("not for web pages\n", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


OpenProbes = Callable[[], Awaitable[Sequence[ProbeTicket]]]


def admin_app(lessons: Lessons, registry: CollectorRegistry, open_probes: OpenProbes) -> Starlette:
    """Returns the private application."""
    admin = _Admin(lessons, registry, open_probes)
    return Starlette(
        routes=[
            Route("/metrics", admin.metrics),
            Route("/healthz", admin.healthz),
            Route("/lessons", admin.list, methods=["GET"]),
            Route("/lessons", admin.create, methods=["POST"]),
            Route("/lessons/{lesson}/close", admin.close, methods=["POST"]),
            Route("/probe", admin.probe, methods=["POST"]),
        ],
        middleware=[Middleware(_NoBrowsers)],
    )


class _Admin:
    def __init__(
        self, lessons: Lessons, registry: CollectorRegistry, open_probes: OpenProbes
    ) -> None:
        self._lessons = lessons
        self._registry = registry
        self._open_probes = open_probes

    async def healthz(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def metrics(self, _: Request) -> Response:
        return Response(generate_latest(self._registry), media_type=_METRICS_TYPE)

    async def list(self, _: Request) -> Response:
        entries: list[dict[str, object]] = []
        try:
            for lesson in await self._lessons.records.lessons():
                host = self._lessons.hosts.get(lesson)
                if host is None:
                    entries.append({"id": lesson, "phase": "elsewhere"})
                    continue
                now_here = counts(host.state)
                entries.append(
                    {
                        "id": lesson,
                        "title": host.state.plan.title,
                        "phase": host.state.phase,
                        "rooms": f"{now_here.rooms_present}/{now_here.rooms_expected}",
                        "homes": f"{now_here.homes_present}/{now_here.homes_expected}",
                    }
                )
        except SignalingError as error:
            return _refusal(error)
        return JSONResponse({"lessons": entries})

    async def create(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return JSONResponse({"code": "json_needed"}, 415)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BODY:
                return JSONResponse({"code": "too_large"}, 413)
        try:
            wanted = msgspec.json.decode(bytes(body), type=NewLesson)
        except (msgspec.MsgspecError, RecursionError) as error:
            return JSONResponse({"code": "lesson_malformed", "text": {"en": str(error)}}, 400)
        try:
            host = await self._lessons.create(LessonId(wanted.id), wanted.plan)
        except SignalingError as error:
            return _refusal(error)
        return JSONResponse({"id": host.lesson, "phase": host.state.phase}, 201)

    async def close(self, request: Request) -> Response:
        try:
            host = await self._lessons.host(LessonId(request.path_params["lesson"]))
            await host.operate(CloseLesson())
        except SignalingError as error:
            return _refusal(error)
        return JSONResponse({"id": host.lesson, "phase": "closed"})

    async def probe(self, _: Request) -> Response:
        """For ``twinclass doctor``: media ports answer whoever knows what this returns."""
        try:
            tickets = await self._open_probes()
        except SignalingError as error:
            return _refusal(error)
        body = msgspec.json.encode({"tickets": list(tickets)})
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _refusal(error: SignalingError) -> Response:
    body = {"code": error.code, "text": {"zh": error.zh, "en": error.en}}
    return JSONResponse(body, http_status(error))
