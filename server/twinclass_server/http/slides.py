"""Slides: uploaded by a lesson's lead, given to whoever has a link of the lesson."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from twinclass_server.http.desk_http import Keys, answered, bearer, json_response, staff_of
from twinclass_server.roster.lessons import LessonDesk
from twinclass_server.roster.live import Opener
from twinclass_server.roster.slides import SlideShelf
from twinclass_signaling.errors import Conflict, Forbidden, RemoteProtocolError
from twinclass_signaling.ids import LessonId
from twinclass_signaling.lesson.state import LEAD_ROLES
from twinclass_signaling.tokens import TokenError


class SlideRoutes:
    """The shelf over HTTP."""

    def __init__(self, shelf: SlideShelf, desk: LessonDesk, opener: Opener, keys: Keys) -> None:
        self._shelf = shelf
        self._desk = desk
        self._opener = opener
        self._keys = keys

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        path = "/api/lessons/{lesson}/slides"
        return [
            Route(path, answered(self._add), methods=["POST"]),
            Route(path, answered(self._list), methods=["GET"]),
            Route(f"{path}/{{sha256}}", answered(self._remove), methods=["DELETE"]),
            Route("/api/slides/{sha256}", answered(self._get), methods=["GET", "HEAD"]),
        ]

    async def _may(self, request: Request, lesson: str, *, teach: bool) -> bool:
        """Lets in staff of the lesson, and who has a link of it. Tells whether it is staff."""
        token, keys = bearer(request), self._keys()
        try:
            staff = keys.verify_staff(token, time.time())
        except TokenError:
            claims = keys.verify(token, time.time(), LessonId(lesson))
            if teach and claims.role not in LEAD_ROLES:
                raise Forbidden(
                    "forbidden", "只有主讲老师可以上传课件。", "Only leads upload slides."
                ) from None
            return False
        if not await asyncio.to_thread(self._desk.may_teach, lesson, staff):
            raise Forbidden("forbidden", "这是另一位老师的课。", "Another teacher's lesson.")
        return True

    async def _add(self, request: Request) -> Response:
        lesson = request.path_params["lesson"]
        is_staff = await self._may(request, lesson, teach=True)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/pdf":
            raise RemoteProtocolError(
                "wrong_content_type", "请上传 PDF 文件。", "Content-Type must be application/pdf."
            )
        name = unquote(request.headers.get("x-file-name", ""))[:255]
        added = await self._shelf.add(lesson, name, request.stream())
        if is_staff:
            # A page inside the lesson attaches its own uploads; this one is outside.
            await self._opener.bring_slides(lesson)
        return json_response(added, 201)

    async def _remove(self, request: Request) -> Response:
        """Only before the lesson: afterwards pages and the log refer to it."""
        lesson = request.path_params["lesson"]
        staff = staff_of(request, self._keys)
        await asyncio.to_thread(self._desk.require_changeable, lesson, staff)
        await asyncio.to_thread(self._shelf.remove, lesson, request.path_params["sha256"])
        return Response(status_code=204)

    async def _list(self, request: Request) -> Response:
        lesson = request.path_params["lesson"]
        await self._may(request, lesson, teach=False)
        return json_response({"slides": await asyncio.to_thread(self._shelf.of_lesson, lesson)})

    async def _get(self, request: Request) -> Response:
        token, keys = bearer(request), self._keys()
        sha256 = request.path_params["sha256"]
        lesson = keys.verify(token, time.time()).lesson
        path = await asyncio.to_thread(self._shelf.find, lesson, sha256)
        if path is None:
            raise Conflict("slides_unknown", "没有这份课件。", "There are no such slides.")
        etag = f'"{sha256}"'
        headers = {
            "ETag": etag,
            # Its name is its content. Private: it was given to who has the link.
            "Cache-Control": "private, max-age=31536000, immutable",
            # Ours fetches it; whoever finds another way to open it gets a file, not a page.
            "Content-Disposition": 'attachment; filename="slides.pdf"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return FileResponse(path, headers=headers, media_type="application/pdf")
