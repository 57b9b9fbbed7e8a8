"""Exports of lessons over HTTP: asked for, watched, fetched by a signed link, given up."""

from __future__ import annotations

import asyncio
import mimetypes
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from twinclass_recordings.jobs.export_scene import Layout
from twinclass_recordings.jobs.export_zip import Attachment, Lesson, Names
from twinclass_recordings.library.access import Viewer
from twinclass_recordings.library.attachments import Attachments
from twinclass_recordings.library.models import Entry
from twinclass_recordings.store import PackageStore
from twinclass_server.http.desk_http import Keys, answered, json_response, read_json
from twinclass_server.http.library_door import LibraryDoor
from twinclass_server.library_tickets import EXPORT_PURPOSE, check, issue
from twinclass_server.recording.exporting import Export, Exporter, ExportKind
from twinclass_signaling.errors import Conflict
from twinclass_signaling.messages import Text
from twinclass_signaling.roles import Role

#: Who sees and ends exports of others too.
_STAFF = frozenset({Role.OPERATOR, Role.LIBRARIAN})
_TYPES: dict[ExportKind, str] = {"mp4": "video/mp4", "zip": "application/zip"}
_FAILED: dict[str, Text] = {
    "disk_full": Text(
        "服务器磁盘空间不够，没有导出；请管理员清理后再试。",
        "The server's disk has no room for it; try again when an operator has made some.",
    ),
    "timeout": Text(
        "用时太久，已停止；请再试一次。", "It took too long and was stopped; try again."
    ),
    "interrupted": Text(
        "服务器重启，导出中断；请重新导出。", "The server was restarted meanwhile; start it again."
    ),
    "failed": Text(
        "导出没有成功；请再试一次，仍不行请联系管理员。",
        "It did not succeed; try again, then ask an operator.",
    ),
}


class Wish(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/library/lessons/{id}/exports``."""

    kind: ExportKind
    layout: Layout = "auto"


class LibraryExports:
    """Exports of the entries that ``door`` lets through; packages are under ``root``; ``attached``:
    where a file is, by its SHA-256."""

    def __init__(
        self,
        door: LibraryDoor,
        exporter: Exporter,
        attachments: Attachments,
        packages_at: PackageStore,
        attached: Callable[[str], Path | None],
        keys: Keys,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._door = door
        self._exporter = exporter
        self._attachments = attachments
        self._packages_at = packages_at
        self._attached = attached
        self._keys = keys
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        path = "/api/library/lessons/{entry}/exports"
        file = "/library/exports/{ticket}/{export}/{filename}"
        return [
            Route(path, answered(self._add), methods=["POST"]),
            Route(path, answered(self._list), methods=["GET"]),
            Route("/api/library/exports/{export}", answered(self._remove), methods=["DELETE"]),
            Route(file, answered(self._get), methods=["GET", "HEAD"]),
        ]

    async def _add(self, request: Request) -> Response:
        viewer, entry = await self._door.allowed(request, "export")
        wish = await read_json(request, Wish)
        if entry.kind == "package":
            if wish.kind == "mp4":
                raise Conflict(
                    "export_no_media",
                    "课程包里没有录像，请打开其中的课再导出视频。",
                    "A package has no recording of its own; export its lessons.",
                )
        elif not await asyncio.to_thread(self._packages_at.package(entry.id).manifest.exists):
            raise Conflict(
                "export_not_ready",
                "录像还没有准备好，请下课后再导出。",
                "The recording is not ready; export it after the lesson.",
            )
        about = await asyncio.to_thread(self._about, entry)
        layout: Layout = wish.layout if wish.kind == "mp4" else "auto"
        made = await self._exporter.add(entry.id, wish.kind, layout, _owner(viewer), about)
        return json_response(self._shown(made), 202)

    async def _list(self, request: Request) -> Response:
        viewer, entry = await self._door.allowed(request, "export")
        found = [one for one in self._exporter.of(entry.id) if _is_theirs(viewer, one)]
        return json_response({"exports": [self._shown(one) for one in found]})

    async def _remove(self, request: Request) -> Response:
        viewer = await self._door.viewer(request)
        found = self._exporter.get(request.path_params["export"])
        if found is None or not _is_theirs(viewer, found):
            raise _unknown()
        await self._exporter.remove(found.id)
        return Response(status_code=204)

    async def _get(self, request: Request) -> Response:
        identifier = request.path_params["export"]
        ticket = request.path_params["ticket"]
        check(self._keys(), ticket, identifier, self._clock(), EXPORT_PURPOSE)
        found = self._exporter.get(identifier)
        if found is None or found.state != "done":
            raise _unknown()
        path = self._exporter.path(found)
        if not await asyncio.to_thread(path.is_file):
            raise _unknown()
        headers = {
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return FileResponse(
            path, headers=headers, media_type=_TYPES[found.kind], filename=_filename(found)
        )

    def _about(self, entry: Entry) -> Lesson:
        return Lesson(
            title=entry.title,
            subtitle=entry.subtitle,
            subject=entry.subject,
            grade=entry.grade,
            edition=entry.edition,
            points=tuple(entry.points),
            description=entry.description,
            lead=entry.lead_name,
            school=entry.school_name,
            taught_at=entry.taught_at.isoformat(),
            attachments=tuple(
                Attachment(str(path), _named(one.title, one.media_type))
                for one in self._attachments.of(entry.id)
                if (path := self._attached(one.sha256)) is not None
            ),
        )

    def _shown(self, export: Export) -> dict[str, Any]:
        url = None
        if export.state == "done":
            ticket, _ = issue(self._keys(), export.id, self._clock(), EXPORT_PURPOSE)
            url = f"/library/exports/{ticket}/{export.id}/{quote(_filename(export), safe='')}"
        return {
            "id": export.id,
            "kind": export.kind,
            "layout": export.layout if export.kind == "mp4" else None,
            "state": export.state,
            "progress": round(export.progress, 3),
            "bytes": export.bytes,
            "url": url,
            "asked_at": export.asked_at,
            "expires_at": export.expires_at or None,
            "text": _text(export),
        }


def _owner(viewer: Viewer) -> str:
    return f"{viewer.role.value}:{viewer.subject}"


def _is_theirs(viewer: Viewer, export: Export) -> bool:
    if viewer.lesson:
        return False  # A join link of somebody with the same name.
    return viewer.role in _STAFF or export.owner == _owner(viewer)


def _text(export: Export) -> Text | None:
    if export.state == "failed":
        return _FAILED.get(export.code, _FAILED["failed"])
    if export.damaged:
        return Text(
            f"录像中有 {export.damaged} 个文件读不完整，相应的画面是黑的或没有声音。",
            f"{export.damaged} files of the recording are damaged; there it is black or silent.",
        )
    return None


def _filename(export: Export) -> str:
    """Returns a name under which people find it again, safe on every system."""
    return Names().take("", f"{export.title or '课程'}.{export.kind}")


def _named(title: str, media_type: str) -> str:
    """Returns an attachment's name, with an ending by which it is opened."""
    ending = mimetypes.guess_extension(media_type) or ""
    has_one = re.search(r"\.[A-Za-z0-9]{1,5}$", title) is not None
    return title if has_one else title + ending


def _unknown() -> Conflict:
    return Conflict(
        "export_unknown",
        "这个导出文件已经不在了，请重新导出。",
        "This export is gone; start it again.",
    )
