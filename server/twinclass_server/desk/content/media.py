"""Photos and voices: received, checked in other processes, stored, found again."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from twinclass_server.desk.content import keeping, models
from twinclass_server.desk.content.ids import new_id
from twinclass_server.desk.content.photo_check import thumb_of
from twinclass_server.roster.database import Database
from twinclass_server.roster.file_store import FolderStore
from twinclass_server.uploads.receiving import Checked, TooLarge, check, receive
from twinclass_signaling.errors import Conflict, LimitExceeded

MediaKind = Literal["photo", "voice"]

#: What a client makes of a phone's photo before it sends it; a minute of Opus is a quarter of it.
MAX_BYTES = 2 * 1024 * 1024
#: 2 MB over a line of 256 kbit/s.
_UPLOAD_S = 90.0
#: Uploads under way: a pupil sends three photos at once; a minute of "8:30 tonight" has 60.
_UPLOADS_OF_PERSON, _UPLOADS = 3, 64
#: Each takes a processor for a third of a second.
_CHECKS = 2
_MODULES: dict[MediaKind, tuple[str, str]] = {
    "photo": ("twinclass_server.desk.content.photo_check", "image_broken"),
    "voice": ("twinclass_server.desk.content.voice_check", "voice_broken"),
}
_REFUSALS = {
    "image_empty": ("图片是空的，请重新选择。", "The picture is empty; choose it again."),
    "image_unknown": (
        "这不是 JPEG、PNG 或 WebP 图片。",
        "This is no picture in JPEG, PNG or WebP.",
    ),
    "image_too_many_pixels": (
        "图片太大（超过 5000 万像素），请缩小后再上传。",
        "The picture has over 50 megapixels; make it smaller.",
    ),
    "image_broken": ("图片已损坏，请重新拍摄。", "The picture is damaged; take another."),
    "voice_empty": ("没有录到声音，请重新录。", "Nothing was recorded; try again."),
    "voice_unknown": ("这不是能用的录音。", "This is no recording that can be used."),
    "voice_too_long": ("语音最长 60 秒，请分几次说。", "A voice has at most 60 seconds."),
    "voice_broken": ("录音已损坏，请重新录。", "The recording is damaged; record it again."),
}


class Author(Struct, frozen=True):
    """Who sends something, and where."""

    person: str
    role: str
    desk: str
    evening: str


class Stored(Struct, frozen=True):
    """A photo or voice as it is kept."""

    id: str
    kind: MediaKind
    sha256: str
    thumb_sha256: str
    width: int
    height: int
    seconds: float


class MediaShelf:
    """Photos and voices. ``writing``: between a file and its row nobody may remove it."""

    def __init__(self, database: Database, store: FolderStore, now: Callable[[], datetime]) -> None:
        self._database = database
        self._store = store
        self._now = now
        self._checks = asyncio.Semaphore(_CHECKS)
        self._uploads: Counter[str] = Counter()
        self.writing = threading.Lock()
        store.sweep()

    async def add(self, kind: MediaKind, author: Author, body: AsyncIterator[bytes]) -> Stored:
        """Takes an upload.

        Raises:
            Conflict: an ``image_…`` or ``voice_…`` code that says what is wrong with the file.
            LimitExceeded: ``photo_too_large``, ``voice_too_large``, ``uploads_busy``,
                ``upload_slow``.
            Unavailable: the database is away.
        """
        person = author.person
        if self._uploads[person] >= _UPLOADS_OF_PERSON or self._uploads.total() >= _UPLOADS:
            raise LimitExceeded(
                "uploads_busy", "正在收别的图片，请稍候再试。", "Other uploads are on their way.",
                retry_after_s=3.0,
            )  # fmt: skip
        self._uploads[person] += 1
        try:
            return await self._add(kind, author, body)
        finally:
            self._uploads[person] -= 1
            if not self._uploads[person]:
                del self._uploads[person]

    async def _add(self, kind: MediaKind, author: Author, body: AsyncIterator[bytes]) -> Stored:
        scratch, clean = self._store.scratch(), self._store.scratch()
        try:
            try:
                async with asyncio.timeout(_UPLOAD_S):
                    await receive(body, scratch, MAX_BYTES)
            except TooLarge as error:
                raise _too_large(kind) from error
            except TimeoutError as error:
                raise LimitExceeded(
                    "upload_slow", "上传太慢，已停止；请换个网络。", "The upload took too long."
                ) from error
            module, broken = _MODULES[kind]
            async with self._checks:
                checked = await check(module, scratch, clean, broken=broken)
            if checked.code:
                raise Conflict(checked.code, *_REFUSALS[checked.code])
            return await asyncio.to_thread(self._keep, kind, author, clean, checked)
        finally:
            for path in (scratch, clean, thumb_of(clean)):
                path.unlink(missing_ok=True)

    def _keep(self, kind: MediaKind, author: Author, clean: Path, checked: Checked) -> Stored:
        size = clean.stat().st_size
        now = self._now()
        with self.writing:
            sha256 = self._store.put(clean)
            thumb = self._store.put(thumb_of(clean)) if kind == "photo" else ""
            row = models.Media(
                id=new_id("p" if kind == "photo" else "v"), kind=kind, desk=author.desk,
                evening=author.evening, owner=author.person, content="", sha256=sha256,
                thumb_sha256=thumb, bytes=size, width=checked.width, height=checked.height,
                seconds=checked.seconds, created_at=now, keep_until=now + keeping.UPLOADED,
            )  # fmt: skip
            stored = stored_of(row)
            with self._database.session() as session:
                session.add(row)
        return stored

    def path(self, sha256: str) -> Path | None:
        """Returns where a file can be read; None: its time is over."""
        return self._store.path(sha256)

    def drop_unused(self, sums: Iterable[str]) -> list[str]:
        """Removes the files of these sums that no row has any more; returns the sums removed."""
        gone: list[str] = []
        for sha256 in sums:
            with self.writing, self._database.session() as session:
                query = select(models.Media.id).where(
                    or_(models.Media.sha256 == sha256, models.Media.thumb_sha256 == sha256)
                )
                if session.scalars(query.limit(1)).first() is None:
                    self._store.remove(sha256)
                    gone.append(sha256)
        return gone


def stored_of(row: models.Media) -> Stored:
    """Returns a row as others may have it."""
    kind: MediaKind = "photo" if row.kind == "photo" else "voice"
    return Stored(row.id, kind, row.sha256, row.thumb_sha256, row.width, row.height, row.seconds)


def media_of(session: Session, identifiers: Sequence[str]) -> dict[str, Stored]:
    """Returns those of some media that are still there."""
    if not identifiers:
        return {}
    query = select(models.Media).where(models.Media.id.in_(identifiers))
    return {row.id: stored_of(row) for row in session.scalars(query)}


def _too_large(kind: MediaKind) -> LimitExceeded:
    if kind == "photo":
        return LimitExceeded(
            "photo_too_large", "图片超过 2 MB，请缩小后再上传。", "The picture has over 2 MB."
        )
    return LimitExceeded(
        "voice_too_large", "录音超过 2 MB，请录短一些。", "The recording has over 2 MB."
    )
