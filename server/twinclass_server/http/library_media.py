"""The files of recordings over HTTP: by ticket, by range, to be kept by caches."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from twinclass_recordings.store import PackageStore, Stored
from twinclass_server.http.desk_http import Keys, answered
from twinclass_server.http.library_making import disposition
from twinclass_server.library_tickets import check
from twinclass_signaling.errors import Conflict

#: What may be made for a lesson that is still recorded: (recording, name) -> content, or None.
LiveFile = Callable[[str, str], Awaitable[bytes | None]]

#: A slide document of a lesson, by its SHA-256; blocks.
Slides = Callable[[str, str], Path | None]
#: (path, title, media type) of a file that belongs to an entry; blocks.
Attached = Callable[[str, str], tuple[Path, str, str] | None]
#: The lesson of a recording.
LessonOf = Callable[[str], Awaitable[str | None]]

_TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
    ".json": "application/json",
}
#: The ticket is in the address, so only who has it asks a cache for it.
_FOR_EVER = "public, max-age=31536000, immutable"


#: A segment of a second or two; longer ones are streamed.
MAX_AT_ONCE = 1024 * 1024
_ONE_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})")


class LibraryMedia:
    """Files of packages."""

    def __init__(
        self,
        store: PackageStore,
        keys: Keys,
        live: LiveFile,
        slides: Slides,
        lesson_of: LessonOf,
        attached: Attached,
    ) -> None:
        self._attached = attached
        self._slides = slides
        self._lesson_of = lesson_of
        self._store = store
        self._keys = keys
        self._live = live

    def routes(self) -> list[BaseRoute]:
        """Returns the route."""
        path = "/library/media/{ticket}/{recording}"
        methods = ["GET", "HEAD"]
        return [
            Route(f"{path}/documents/{{sha256}}.pdf", answered(self._document), methods=methods),
            Route(f"{path}/attachments/{{sha256}}", answered(self._attachment), methods=methods),
            Route(f"{path}/{{name:path}}", answered(self._get), methods=methods),
        ]

    async def _document(self, request: Request) -> Response:
        """Slides that were part of the lesson."""
        recording, sha256 = request.path_params["recording"], request.path_params["sha256"]
        check(self._keys(), request.path_params["ticket"], recording, time.time())
        lesson = await self._lesson_of(recording)
        path = None if lesson is None else await asyncio.to_thread(self._slides, lesson, sha256)
        if path is None:
            raise _unknown()
        return _given(path, sha256, "application/pdf", 'attachment; filename="slides.pdf"')

    async def _attachment(self, request: Request) -> Response:
        """A file that belongs to an entry."""
        recording, sha256 = request.path_params["recording"], request.path_params["sha256"]
        check(self._keys(), request.path_params["ticket"], recording, time.time())
        found = await asyncio.to_thread(self._attached, recording, sha256)
        if found is None:
            raise _unknown()
        path, title, media_type = found
        ending = ".pdf" if media_type == "application/pdf" else ".jpg"
        return _given(path, sha256, media_type, disposition(title, ending))

    async def _get(self, request: Request) -> Response:
        recording, name = request.path_params["recording"], request.path_params["name"]
        check(self._keys(), request.path_params["ticket"], recording, time.time())
        suffix = PurePosixPath(name).suffix
        wanted = _short_range(request)
        found = await asyncio.to_thread(self._store.look, recording, name, wanted)
        if found is not None and (found.is_closed or suffix not in (".json", ".m3u8")):
            return _file(request, found, wanted)
        made = await self._live(recording, name)
        if made is None:
            raise _unknown()
        headers = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
        return Response(made, media_type=_TYPES[suffix], headers=headers)


def _given(path: Path, sha256: str, media_type: str, disposed: str) -> Response:
    """A file that somebody brought: never a page of ours, whatever is in it."""
    headers = {
        "ETag": f'"{sha256}"',
        "Cache-Control": _FOR_EVER,
        "Access-Control-Allow-Origin": "*",
        "Content-Disposition": disposed,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return FileResponse(path, headers=headers, media_type=media_type)


def _short_range(request: Request) -> tuple[int, int] | None:
    """What players and CDNs ask for: one stretch, short enough to be read at once. All else of
    ranges (RFC 9110 section 14) is Starlette's."""
    found = _ONE_RANGE.fullmatch(request.headers.get("range", ""))
    if found is None or request.method != "GET" or "if-range" in request.headers:
        return None
    first, last = int(found[1]), int(found[2])
    return (first, last) if 0 <= last - first < MAX_AT_ONCE else None


def _file(request: Request, found: Stored, wanted: tuple[int, int] | None) -> Response:
    is_manifest, size = found.path.suffix == ".json", found.status.st_size
    headers = {
        "ETag": found.etag,
        "Cache-Control": "no-cache" if is_manifest else _FOR_EVER,
        # Players on other origins (a CDN's, a school's own page) read it; the ticket is the right.
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Content-Range, Content-Length, ETag",
    }
    if not found.is_closed:
        headers["Cache-Control"] = "no-store"
    elif request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    media_type = _TYPES[found.path.suffix]
    if wanted is not None and found.data:
        last = wanted[0] + len(found.data) - 1
        headers["Content-Range"] = f"bytes {wanted[0]}-{last}/{size}"
        headers["Accept-Ranges"] = "bytes"
        return Response(found.data, 206, headers, media_type)
    return FileResponse(
        found.path, headers=headers, media_type=media_type, stat_result=found.status
    )


def _unknown() -> Conflict:
    return Conflict("media_unknown", "没有这个文件。", "There is no such file.")
