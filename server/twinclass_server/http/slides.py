"""Slides: uploaded by a lesson's lead, given to whoever has a link of the lesson."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from twinclass_server.http.desk_http import Keys, answered, bearer, json_response
from twinclass_server.roster.lessons import LessonDesk
from twinclass_server.roster.slides import SlideShelf
from twinclass_signaling.errors import Conflict, Forbidden, RemoteProtocolError
from twinclass_signaling.ids import LessonId
from twinclass_signaling.lesson.state import LEAD_ROLES
from twinclass_signaling.tokens import TokenError


class SlideRoutes:
    """The shelf over HTTP."""

    def __init__(self, shelf: SlideShelf, desk: LessonDesk, keys: Keys) -> None:
        self._shelf = shelf
        self._desk = desk
        self._keys = keys

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        path = "/api/lessons/{lesson}/slides"
        return [
            Route(path, answered(self._add), methods=["POST"]),
            Route(path, answered(self._list), methods=["GET"]),
            Route("/api/slides/{sha256}", answered(self._get), methods=["GET", "HEAD"]),
        ]

    async def _may(self, request: Request, lesson: str, *, teach: bool) -> None:
        """Lets in staff of the lesson, and who has a link of it."""
        token, keys = bearer(request), self._keys()
        try:
            staff = keys.verify_staff(token, time.time())
        except TokenError:
            claims = keys.verify(token, time.time(), LessonId(lesson))
            if teach and claims.role not in LEAD_ROLES:
                raise Forbidden(
                    "forbidden", "只有主讲老师可以上传课件。", "Only leads upload slides."
                ) from None
            return
        if not await asyncio.to_thread(self._desk.may_teach, lesson, staff):
            raise Forbidden("forbidden", "这是另一位老师的课。", "Another teacher's lesson.")

    async def _add(self, request: Request) -> Response:
        lesson = request.path_params["lesson"]
        await self._may(request, lesson, teach=True)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/pdf":
            raise RemoteProtocolError(
                "wrong_content_type", "请上传 PDF 文件。", "Content-Type must be application/pdf."
            )
        name = unquote(request.headers.get("x-file-name", ""))[:255]
        return json_response(await self._shelf.add(lesson, name, request.stream()), 201)

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
            "Content-Disposition": "inline",
        }
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return FileResponse(path, headers=headers, media_type="application/pdf")
