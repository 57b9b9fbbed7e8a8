"""What is made in the library over HTTP: clips, packages, attachments; and taking away."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, get_args
from urllib.parse import quote, unquote

from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from twinclass_recordings import manifest as m
from twinclass_recordings.assemble import write_durably
from twinclass_recordings.clip import MAX_S, ClipError, cut
from twinclass_recordings.consent import without
from twinclass_recordings.library import retention
from twinclass_recordings.library.attachments import Attachments, Kind
from twinclass_recordings.library.catalogue import Catalogue
from twinclass_recordings.library.models import Entry
from twinclass_recordings.library.packages import MAX_MEMBERS, NewPackage, Packages
from twinclass_recordings.library.shelf import Clip, Shelf
from twinclass_recordings.package import Package
from twinclass_recordings.scan import ScanError
from twinclass_recordings.store import PackageStore
from twinclass_server.http.desk_http import answered, json_response, read_json
from twinclass_server.http.library_door import LibraryDoor
from twinclass_server.http.texts import Identifier, Title
from twinclass_server.recording.recordings import draw_cover
from twinclass_server.roster.file_store import FolderStore
from twinclass_server.uploads.receiving import TooLarge, check, receive
from twinclass_signaling.errors import (
    Conflict,
    Forbidden,
    LimitExceeded,
    RemoteProtocolError,
    SignalingError,
)
from twinclass_signaling.roles import Role

logger = logging.getLogger(__name__)

#: A scanned sheet of a few pages, a photograph.
MAX_ATTACHMENT_BYTES = 20 * 1024 * 1024
_UPLOAD_S = 300.0
#: Uploads under way: 16 × 20 MB of scratch.
_UPLOADS = 16
#: Copying is a matter of the disk; two at once keep it busy.
_CUTS = 2
_CHECKS = 2
_TYPES = {
    "application/pdf": ("twinclass_server.roster.slide_check", "slides_broken", "application/pdf"),
    "image/jpeg": ("twinclass_server.uploads.image_check", "image_broken", "image/jpeg"),
    "image/png": ("twinclass_server.uploads.image_check", "image_broken", "image/jpeg"),
    "image/webp": ("twinclass_server.uploads.image_check", "image_broken", "image/jpeg"),
}
_REFUSALS = {
    "slides_empty": ("文件是空的，请重新选择。", "The file is empty; choose it again."),
    "slides_not_pdf": ("这不是 PDF 文件。", "This is not a PDF."),
    "slides_encrypted": ("PDF 有密码，请去掉后再上传。", "The PDF has a password; remove it."),
    "slides_broken": ("PDF 已损坏，请重新导出。", "The PDF is damaged; export it again."),
    "slides_too_many_pages": ("PDF 最多 500 页。", "A PDF has at most 500 pages."),
    "image_empty": ("图片是空的，请重新选择。", "The picture is empty; choose it again."),
    "image_unknown": (
        "这不是 JPEG、PNG 或 WebP 图片。",
        "This is no picture in JPEG, PNG or WebP.",
    ),
    "image_too_many_pixels": (
        "图片太大（超过 5000 万像素），请缩小后再上传。",
        "The picture has over 50 megapixels; make it smaller.",
    ),
    "image_broken": ("图片已损坏，请重新拍摄或选择。", "The picture is damaged; choose another."),
}
_CLIP_REFUSALS = {
    "clip_length": (
        "片段应在 3 秒到 1 小时之间，并且在这节课之内。",
        "A clip has three seconds to an hour of its lesson.",
    ),
    "clip_empty": ("这一段没有录到内容。", "Nothing was recorded there."),
    "clip_waiting": (
        "这节课还在转换格式，请过几分钟再剪。",
        "The lesson is still being converted; try again in some minutes.",
    ),
    "clip_broken": ("录制文件已损坏，剪不了。", "The recording is damaged and cannot be cut."),
    "clip_disk_full": (
        "服务器磁盘空间不够，没有剪；请管理员清理后再试。",
        "The server's disk has no room for it; try again when an operator has made some.",
    ),
}


class NewClip(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/library/lessons/{id}/clips``."""

    title: Title
    start_s: Annotated[float, Meta(ge=0, le=86_400)]
    end_s: Annotated[float, Meta(ge=0, le=86_400)]


class Members(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``PUT /api/library/packages/{id}/members``."""

    members: Annotated[tuple[Identifier, ...], Meta(max_length=MAX_MEMBERS)]


class NewPackageWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/library/packages``."""

    title: Title
    members: Annotated[tuple[Identifier, ...], Meta(max_length=MAX_MEMBERS)] = ()


class MakingRoutes:
    """Clips, packages and attachments over HTTP. ``left_out``: who is in a recording and must not
    be in a clip of it; blocks."""

    def __init__(
        self,
        shelf: Shelf,
        catalogue: Catalogue,
        door: LibraryDoor,
        packages: Packages,
        attachments: Attachments,
        packages_at: PackageStore,
        proofs: Path,
        store: FolderStore,
        forget_exports: Callable[[str], Awaitable[None]],
        left_out: Callable[[m.Manifest], frozenset[str]],
    ) -> None:
        self._shelf = shelf
        self._catalogue = catalogue
        self._door = door
        self._packages = packages
        self._attachments = attachments
        self._packages_at = packages_at
        self._proofs = proofs
        self._store = store
        self._cuts = asyncio.Semaphore(_CUTS)
        self._checks = asyncio.Semaphore(_CHECKS)
        self._uploads = 0
        #: A file comes with its row and goes with its last one.
        self._writing = threading.Lock()
        self._forget_exports = forget_exports
        self._left_out = left_out
        store.sweep()

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        lesson = "/api/library/lessons/{entry}"
        files = f"{lesson}/attachments"
        return [
            Route(f"{lesson}/clips", answered(self._cut), methods=["POST"]),
            Route(lesson, answered(self._delete), methods=["DELETE"]),
            Route(files, answered(self._attach), methods=["POST"]),
            Route(f"{files}/{{sha256}}", answered(self._detach), methods=["DELETE"]),
            Route("/api/library/packages", answered(self._pack), methods=["POST"]),
            Route("/api/library/packages/{entry}/members", answered(self._repack), methods=["PUT"]),
        ]

    # ---- clips

    async def _cut(self, request: Request) -> Response:
        _, entry = await self._door.allowed(request, "cut")
        wish = await read_json(request, NewClip)
        if self._cuts.locked():
            raise LimitExceeded(
                "clips_busy", "正在剪别的片段，请稍候再试。", "Others are being cut; try again.",
                retry_after_s=5.0,
            )  # fmt: skip
        identifier = f"clip-{secrets.token_hex(6)}"
        source, target = self._packages_at.package(entry.id), self._packages_at.package(identifier)
        async with self._cuts:
            try:
                made = await asyncio.to_thread(self._cut_files, source, target, wish)
            except ClipError as error:
                raise Conflict(error.code, *_CLIP_REFUSALS[error.code]) from error
            except (OSError, ScanError, m.ManifestError) as error:
                logger.error("recording %s cannot be cut: %s", entry.id, error)
                raise Conflict("clip_broken", *_CLIP_REFUSALS["clip_broken"]) from error
            try:
                await self._shelve(entry, target, made)
            except (SignalingError, OSError):
                # Nobody would ever find it, nor take it away.
                await asyncio.to_thread(shutil.rmtree, target.folder, ignore_errors=True)
                raise
        await asyncio.to_thread(self._catalogue.refresh)
        return json_response({"id": identifier}, 201)

    def _cut_files(self, source: Package, target: Package, wish: NewClip) -> m.Manifest:
        lesson = m.decode(source.manifest.read_bytes())
        lesson = without(lesson, self._left_out(lesson))
        return cut(source, target, lesson, wish.start_s, min(wish.end_s, wish.start_s + MAX_S + 1),
                   wish.title)  # fmt: skip

    async def _shelve(self, entry: Entry, target: Package, made: m.Manifest) -> None:
        """Gives a clip its picture, and its place in the library."""
        has_cover = await draw_cover(target)
        if has_cover:
            await asyncio.to_thread(_note_cover, target, made)
        size = sum(part.bytes for t in made.tracks for run in t.runs for part in run.parts)
        clip = Clip(made.lesson, made.title, made.duration_s, size, has_cover)
        if not await asyncio.to_thread(self._shelf.add_clip, entry, clip):
            raise Conflict("lesson_unknown", "没有这节课。", "There is no such lesson.")

    # ---- packages

    async def _pack(self, request: Request) -> Response:
        viewer = await self._door.viewer(request)
        if viewer.lesson or viewer.role not in (Role.LEAD, Role.OPERATOR, Role.LIBRARIAN):
            raise Forbidden(
                "forbidden", "只有老师和管理员可以建资源包。", "Only staff make packages."
            )
        wish = await read_json(request, NewPackageWish)
        identifier = f"package-{secrets.token_hex(6)}"
        lead = viewer.subject if viewer.role is Role.LEAD else ""
        name, school = await asyncio.to_thread(self._door.names_of, lead)
        package = NewPackage(identifier, wish.title, lead, name, school, viewer.schools)
        await asyncio.to_thread(self._packages.add, viewer, package, wish.members)
        await asyncio.to_thread(self._catalogue.refresh)
        return json_response({"id": identifier}, 201)

    async def _repack(self, request: Request) -> Response:
        viewer, entry = await self._door.allowed(request, "edit")
        if entry.kind != "package":
            raise Conflict("not_a_package", "这不是资源包。", "That is not a package.")
        wish = await read_json(request, Members)
        await asyncio.to_thread(self._packages.put, viewer, entry.id, wish.members)
        return Response(status_code=204)

    # ---- attachments

    async def _attach(self, request: Request) -> Response:
        _, entry = await self._door.allowed(request, "edit")
        kind: Any = request.query_params.get("kind", "")
        given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in get_args(Kind) or given not in _TYPES:
            raise RemoteProtocolError(
                "wrong_content_type",
                "请上传 PDF、JPEG、PNG 或 WebP 文件。",
                "Upload a PDF, JPEG, PNG or WebP.",
            )
        if self._uploads >= _UPLOADS:
            raise LimitExceeded(
                "attachments_busy", "正在收别的附件，请稍候再试。", "Others are on their way.",
                retry_after_s=5.0,
            )  # fmt: skip
        self._uploads += 1
        try:
            return await self._add(request, entry.id, kind, given)
        finally:
            self._uploads -= 1

    async def _add(self, request: Request, entry: str, kind: Kind, given: str) -> Response:
        module, broken, media_type = _TYPES[given]
        named = _title(unquote(request.headers.get("x-file-name", "")))
        scratch, clean = self._store.scratch(), self._store.scratch()
        try:
            await self._receive(request, scratch)
            async with self._checks:
                checked = await check(module, scratch, clean, broken=broken)
            if checked.code:
                raise Conflict(checked.code, *_REFUSALS[checked.code])
            title = named or checked.title
            made = await asyncio.to_thread(self._keep, entry, clean, kind, title, media_type)
        finally:
            scratch.unlink(missing_ok=True)
            clean.unlink(missing_ok=True)
        return json_response(made, 201)

    def _keep(
        self, entry: str, file: Path, kind: Kind, title: str, media_type: str
    ) -> dict[str, Any]:
        with self._writing:
            size = file.stat().st_size
            sha256 = self._store.put(file)
            title = title or sha256[:8]
            if self._attachments.add(entry, sha256, kind, title, media_type, size):
                return described(sha256, kind, title, media_type, size)
            self._drop(entry, sha256)
        raise Conflict(
            "attachments_limit",
            "附件太多了，请先删掉不用的。",
            "There are too many attachments; remove one first.",
        )

    async def _receive(self, request: Request, scratch: Path) -> None:
        try:
            async with asyncio.timeout(_UPLOAD_S):
                await receive(request.stream(), scratch, MAX_ATTACHMENT_BYTES)
        except TooLarge as error:
            raise LimitExceeded(
                "file_too_large", "附件超过 20 MB，请缩小后再上传。", "More than 20 MB."
            ) from error
        except TimeoutError as error:
            raise LimitExceeded(
                "upload_slow", "上传太慢，已停止；请换个网络。", "The upload took too long."
            ) from error

    async def _detach(self, request: Request) -> Response:
        _, entry = await self._door.allowed(request, "edit")
        await asyncio.to_thread(self._forget, entry.id, request.path_params["sha256"])
        return Response(status_code=204)

    def _forget(self, entry: str, sha256: str) -> None:
        with self._writing:
            self._drop(entry, sha256)

    def _drop(self, entry: str, sha256: str) -> None:
        if self._attachments.remove(entry, sha256):
            self._store.remove(sha256)

    def forget_files(self, identifier: str) -> None:
        """Takes an entry's attachments away; blocks."""
        for one in self._attachments.of(identifier):
            self._forget(identifier, one.sha256)

    # ---- taking away

    async def _delete(self, request: Request) -> Response:
        _, entry = await self._door.allowed(request, "delete")
        await asyncio.to_thread(self._remove, entry.id, entry.kind)
        await self._forget_exports(entry.id)
        await asyncio.to_thread(self._catalogue.refresh)
        return Response(status_code=204)

    def _remove(self, identifier: str, kind: str) -> None:
        try:
            if kind != "package":
                retention.delete(self._packages_at.package(identifier), self._proofs, "by hand")
            self.forget_files(identifier)
        except (retention.RetentionRefused, OSError) as error:
            logger.error("entry %s was not deleted: %s", identifier, error)
            raise Conflict(
                "not_deleted",
                "文件没有删掉，请管理员查看日志。",
                "The files could not be deleted; an operator should see the log.",
            ) from error
        self._shelf.remove(identifier)


def described(
    sha256: str, kind: str, title: str, media_type: str, size: int, url: str | None = None
) -> dict[str, Any]:
    """Returns an attachment as a page shows it."""
    return {
        "sha256": sha256,
        "kind": kind,
        "title": title,
        "media_type": media_type,
        "bytes": size,
        "url": url,
    }


def disposition(title: str, ending: str) -> str:
    """Returns a Content-Disposition that saves a file under its title (RFC 6266)."""
    return f"attachment; filename=\"file{ending}\"; filename*=UTF-8''{quote(title + ending)}"


def _title(name: str) -> str:
    plain = "".join(c for c in name[:255] if c.isprintable() and c not in "/\\").strip()
    stem, dot, ending = plain.rpartition(".")
    return (stem if dot and len(ending) <= 5 else plain)[:120]


def _note_cover(package: Package, made: m.Manifest) -> None:
    write_durably(package.manifest, m.encode(replace(made, cover="cover.jpg")))
