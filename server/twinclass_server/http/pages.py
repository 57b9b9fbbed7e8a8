"""The built client: one page for all routes, assets with a hash in their name for ever."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

#: Inside the wheel, and where ``npm run build`` puts it.
STATIC = Path(__file__).resolve().parent.parent / "static"
PAGES = (
    "/",
    "/lead",
    "/room",
    "/home",
    "/observe",
    "/assistant",
    "/lessons",
    "/pair",
    "/library",
    "/library/usage",
    "/library/lesson/{entry}",
    "/operations",
    "/desk",
)


class _Assets(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def routes(static: Path = STATIC) -> list[BaseRoute]:
    """Returns the page's routes and its files; they must come last."""

    async def page(_: Request) -> Response:
        index = static / "index.html"
        if not index.is_file():
            return PlainTextResponse(
                "The client is not built: run ./run, or npm run build in client-web.\n", 503
            )
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    found: list[BaseRoute] = [Route(path, page, methods=["GET", "HEAD"]) for path in PAGES]
    found.append(
        Mount("/assets", _Assets(directory=static / "assets", check_dir=False), name="assets")
    )
    found.append(Mount("/", _Files(directory=static, check_dir=False), name="files"))
    return found
