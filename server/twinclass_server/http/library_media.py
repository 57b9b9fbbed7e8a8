"""The files of recordings over HTTP: by ticket, by range, to be kept by caches."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from twinclass_recordings.package import Package
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


class LibraryMedia:
    """Files of packages under ``root``."""

    def __init__(
        self,
        root: Path,
        keys: Keys,
        live: LiveFile,
        slides: Slides,
        lesson_of: LessonOf,
        attached: Attached,
    ) -> None:
        self._attached = attached
        self._slides = slides
        self._lesson_of = lesson_of
        self._root = root
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
        try:
            package = Package.of(self._root, recording)
        except ValueError:
            raise _unknown() from None
        path = package.served(name)
        if path is None:
            raise _unknown()
        found = await asyncio.to_thread(_look, package, path)
        if found is not None and (found[1] or not name.endswith((".json", ".m3u8"))):
            return _file(path, *found)
        made = await self._live(recording, name)
        if made is None:
            raise _unknown()
        headers = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
        return Response(made, media_type=_TYPES[path.suffix], headers=headers)


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


def _look(package: Package, path: Path) -> tuple[os.stat_result, bool] | None:
    """Returns (status of a file, its lesson is closed); None: there is no such file."""
    try:
        found = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None  # A link that somebody put there leads nowhere.
    return found, package.manifest.exists()


def _file(path: Path, found: os.stat_result, is_closed: bool) -> Response:
    is_manifest = path.suffix == ".json"
    headers = {
        "Cache-Control": _FOR_EVER if is_closed and not is_manifest else "no-cache",
        # Players on other origins (a CDN's, a school's own page) read it; the ticket is the right.
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Content-Range, Content-Length, ETag",
    }
    if not is_closed:
        # It grows: what a cache has of it must not be joined with what comes later.
        headers["ETag"] = f'W/"{found.st_size}"'
        headers["Cache-Control"] = "no-store"
    return FileResponse(path, headers=headers, media_type=_TYPES[path.suffix], stat_result=found)


def _unknown() -> Conflict:
    return Conflict("media_unknown", "没有这个文件。", "There is no such file.")
