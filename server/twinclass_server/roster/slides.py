"""Slides of lessons: received, checked in another process, stored, found again."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from sqlalchemy import delete, select

from twinclass_server.roster.database import Database
from twinclass_server.roster.file_store import FolderStore
from twinclass_server.roster.models import LessonSlides, SlideDocument
from twinclass_server.uploads.receiving import TooLarge, check, receive
from twinclass_signaling.errors import Conflict, LimitExceeded
from twinclass_signaling.lesson.tools.slides import MAX_DOCUMENTS

MAX_BYTES = 50 * 1024 * 1024
#: Two lessons' slides are checked at once; each may take a processor.
_CHECKS = 2
_CHECK = "twinclass_server.roster.slide_check"
#: As many as a live lesson takes.
_MAX_OF_LESSON = MAX_DOCUMENTS
#: Uploads under way: of one lesson (a lead and a colleague), and of all; 16 × 50 MB of scratch.
_UPLOADS_OF_LESSON, _UPLOADS = 2, 16
#: 50 MB over a line of 1 Mbit/s; who is slower holds the place of another.
_UPLOAD_S = 600.0

_REFUSALS = {
    "slides_empty": ("文件是空的，请重新选择。", "The file is empty; choose it again."),
    "slides_not_pdf": (
        "这不是 PDF 文件，请先导出为 PDF。",
        "This is not a PDF; export your slides as PDF.",
    ),
    "slides_encrypted": (
        "PDF 有密码，请去掉密码后再上传。",
        "The PDF has a password; remove it and upload again.",
    ),
    "slides_broken": (
        "PDF 已损坏，请重新导出后上传。",
        "The PDF is damaged; export it again.",
    ),
    "slides_too_many_pages": ("课件最多 500 页，请分成几份。", "At most 500 pages; split it."),
}


class Slides(Struct, frozen=True):
    """What the page needs for ``slides_attach``."""

    document: str
    pages: int
    sha256: str
    title: str


class SlideShelf:
    """Documents of lessons."""

    def __init__(self, database: Database, store: FolderStore) -> None:
        self._database = database
        self._store = store
        self._checks = asyncio.Semaphore(_CHECKS)
        self._uploads: Counter[str] = Counter()
        #: Between taking a file over and its row nobody may remove it.
        self._writing = threading.Lock()
        store.sweep()

    async def add(self, lesson: str, name: str, body: AsyncIterator[bytes]) -> Slides:
        """Takes an upload.

        Raises:
            Conflict: a ``slides_…`` code that says what is wrong with the file.
            LimitExceeded: ``slides_too_large``, ``slides_busy``, ``slides_slow``.
            Unavailable: the database is away.
        """
        if self._uploads[lesson] >= _UPLOADS_OF_LESSON or self._uploads.total() >= _UPLOADS:
            raise LimitExceeded(
                "slides_busy", "还有课件正在上传，请稍候再试。", "Other slides are on their way.",
                retry_after_s=5.0,
            )  # fmt: skip
        self._uploads[lesson] += 1
        try:
            return await self._add(lesson, name, body)
        finally:
            self._uploads[lesson] -= 1
            if not self._uploads[lesson]:
                del self._uploads[lesson]

    async def _add(self, lesson: str, name: str, body: AsyncIterator[bytes]) -> Slides:
        await asyncio.to_thread(self._require_room, lesson)
        scratch, clean = self._store.scratch(), self._store.scratch()
        try:
            try:
                async with asyncio.timeout(_UPLOAD_S):
                    await receive(body, scratch, MAX_BYTES)
            except TooLarge as error:
                raise LimitExceeded(
                    "slides_too_large",
                    "课件超过 50 MB，请压缩图片后再上传。",
                    "More than 50 MB; make its pictures smaller.",
                ) from error
            except TimeoutError as error:
                raise LimitExceeded(
                    "slides_slow",
                    "上传太慢，已停止；请换个网络再试。",
                    "The upload took too long; try another network.",
                ) from error
            async with self._checks:
                checked = await check(_CHECK, scratch, clean, broken="slides_broken")
            if checked.code:
                raise Conflict(checked.code, *_REFUSALS[checked.code])
            title = _title(name) or checked.title
            return await asyncio.to_thread(self._keep, lesson, clean, checked.pages, title)
        finally:
            scratch.unlink(missing_ok=True)
            clean.unlink(missing_ok=True)

    def _require_room(self, lesson: str) -> None:
        if len(self.of_lesson(lesson)) >= _MAX_OF_LESSON:
            raise Conflict(
                "slides_limit",
                f"一节课最多 {_MAX_OF_LESSON} 份课件，请先移除不用的。",
                f"A lesson has at most {_MAX_OF_LESSON} documents; remove one first.",
            )

    def _keep(self, lesson: str, file: Path, pages: int, title: str) -> Slides:
        with self._writing:
            return self._write(lesson, file, pages, title)

    def remove(self, lesson: str, sha256: str) -> None:
        """Takes a document away from a lesson; the file goes with its last lesson.

        Raises:
            Conflict: ``slides_unknown``.
        """
        with self._writing, self._database.session() as session:
            held = session.get(LessonSlides, (lesson, sha256))
            if held is None:
                raise Conflict("slides_unknown", "没有这份课件。", "There are no such slides.")
            session.delete(held)
            session.flush()
            query = select(LessonSlides.lesson_id).where(LessonSlides.sha256 == sha256).limit(1)
            if session.scalars(query).first() is None:
                session.execute(delete(SlideDocument).where(SlideDocument.sha256 == sha256))
                self._store.remove(sha256)

    def forget(self, lesson: str) -> None:
        """Takes all documents away from a lesson that was deleted."""
        for one in self.of_lesson(lesson):
            with suppress(Conflict):  # Somebody else took it away meanwhile.
                self.remove(lesson, one.sha256)

    def _write(self, lesson: str, file: Path, pages: int, title: str) -> Slides:
        size = file.stat().st_size
        sha256 = self._store.put(file)
        now = datetime.now(UTC)
        with self._database.session() as session:
            if session.get(SlideDocument, sha256) is None:
                session.add(
                    SlideDocument(
                        sha256=sha256, pages=pages, title=title, size_bytes=size, created_at=now
                    )
                )
                session.flush()
            if session.get(LessonSlides, (lesson, sha256)) is None:
                session.add(
                    LessonSlides(lesson_id=lesson, sha256=sha256, title=title, added_at=now)
                )
        return Slides(sha256[:32], pages, sha256, title)

    def of_lesson(self, lesson: str) -> list[Slides]:
        """Returns the documents of a lesson, the oldest first."""
        query = (
            select(LessonSlides, SlideDocument)
            .join(SlideDocument, SlideDocument.sha256 == LessonSlides.sha256)
            .where(LessonSlides.lesson_id == lesson)
            .order_by(LessonSlides.added_at)
        )
        with self._database.session() as session:
            return [
                Slides(document.sha256[:32], document.pages, document.sha256, row.title)
                for row, document in session.execute(query)
            ]

    def find(self, lesson: str | None, sha256: str) -> Path | None:
        """Returns a file that belongs to a lesson (None: to any)."""
        query = select(LessonSlides.sha256).where(LessonSlides.sha256 == sha256)
        if lesson is not None:
            query = query.where(LessonSlides.lesson_id == lesson)
        with self._database.session() as session:
            if session.scalars(query.limit(1)).first() is None:
                return None
        return self._store.path(sha256)


def _title(name: str) -> str:
    plain = "".join(c for c in name if c.isprintable()).strip()
    return plain[: -len(".pdf")][:120] if plain.lower().endswith(".pdf") else plain[:120]
