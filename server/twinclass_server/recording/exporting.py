"""Exports: files that are made of lessons when somebody asks, and are gone a day later (shell).

In ``folder``, for an export ``e``: ``e.json`` says what it is and how it ended, ``e.mp4`` or
``e.zip`` is there when it is done and never half made, ``e.about`` is what its job is told of the
lesson. A server that starts finds again what is done; what was being made is told as interrupted.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from twinclass_recordings.assemble import write_durably
from twinclass_recordings.jobs.export_scene import Layout
from twinclass_recordings.jobs.export_zip import Lesson
from twinclass_recordings.manifest import Manifest, decode
from twinclass_recordings.package import Package
from twinclass_server.recording.jobs import Ended, run_job
from twinclass_signaling.errors import LimitExceeded, Unavailable

logger = logging.getLogger(__name__)

ExportKind = Literal["mp4", "zip"]
ExportState = Literal["waiting", "running", "done", "failed", "cancelled"]

_MODULE = "twinclass_recordings.jobs.export"
#: At a quarter of an hour each that is half a day of work: who comes later had better come back.
MAX_WAITING = 50
#: One to show, one to hand on, one that was asked for by mistake; others wait behind them.
MAX_OF_PERSON = 3
#: Somebody exports in the evening and fetches it in the morning; a gigabyte each is not kept.
KEEP_S = 24 * 3600.0
#: A lesson takes a quarter of its length; what is not ready after half a day never will be.
MAX_S = 12 * 3600.0
#: What is past its time is not given out any more; its file may lie for some minutes.
SWEEP_S = 600.0


class Export(Struct, frozen=True):
    """One export. ``code``: why it failed; ``damaged``: files that could not be read whole."""

    id: str
    entry: str
    kind: ExportKind
    owner: str
    title: str
    asked_at: float
    layout: Layout = "auto"
    state: ExportState = "waiting"
    progress: float = 0.0
    ended_at: float = 0.0
    bytes: int = 0
    damaged: int = 0
    code: str = ""

    @property
    def is_over(self) -> bool:
        """Tells whether nothing more comes of it."""
        return self.state in {"done", "failed", "cancelled"}

    @property
    def expires_at(self) -> float:
        """Returns when it is forgotten; 0 while it is being made."""
        return self.ended_at + KEEP_S if self.is_over else 0.0


class Exporter:
    """Makes exports of packages under ``root``; ``documents`` is where files of slides are;
    ``left_out``: who is in a recording and must not be in what is made of it; blocks."""

    def __init__(
        self,
        folder: Path,
        root: Path,
        documents: Path,
        jobs: int,
        left_out: Callable[[Manifest], frozenset[str]],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._root = root
        self.documents = documents
        self._jobs = max(1, jobs)
        self._left_out = left_out
        self._wall = wall_clock
        self._exports: dict[str, Export] = {}
        self._tasks: dict[str, asyncio.Task[Ended]] = {}
        self._waiting: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """Works for ever."""
        try:
            self._exports |= await asyncio.to_thread(self._restore)
        except OSError:
            # A disk that is away must not keep lessons from being taught.
            logger.exception("exports of before cannot be looked for")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep_for_ever(), name="exports' end")
            for number in range(self._jobs):
                group.create_task(self._work(), name=f"exporter {number}")

    # ---- what routes ask

    async def add(
        self, entry: str, kind: ExportKind, layout: Layout, owner: str, about: Lesson
    ) -> Export:
        """Takes a wish; it is begun when it is its turn.

        Raises:
            LimitExceeded: ``exports_full``, ``exports_of_person``.
            OSError: the disk fails.
        """
        under_way = [one for one in self._exports.values() if not one.is_over]
        if sum(one.state == "waiting" for one in under_way) >= MAX_WAITING:
            raise LimitExceeded(
                "exports_full",
                "排队导出的课太多，请稍后再试。",
                "Too many exports wait; try later.",
                retry_after_s=SWEEP_S,
            )
        if sum(one.owner == owner for one in under_way) >= MAX_OF_PERSON:
            raise LimitExceeded(
                "exports_of_person",
                f"你已有 {MAX_OF_PERSON} 个导出在进行，请等其中一个完成或取消。",
                f"{MAX_OF_PERSON} exports of yours are under way; wait for one, or cancel it.",
            )
        made = Export(secrets.token_hex(8), entry, kind, owner, about.title, self._wall(), layout)
        self._exports[made.id] = made
        try:
            await asyncio.to_thread(self._begin, made, about)
        except OSError:
            del self._exports[made.id]
            raise
        self._waiting.put_nowait(made.id)
        return made

    def of(self, entry: str) -> list[Export]:
        """Returns the exports of an entry, newest first."""
        found = [one for one in self._exports.values() if one.entry == entry]
        kept = [one for one in found if not self._is_past(one)]
        return sorted(kept, key=lambda one: one.asked_at, reverse=True)

    def get(self, identifier: str) -> Export | None:
        """Returns an export; None: there is none (any more)."""
        found = self._exports.get(identifier)
        return None if found is None or self._is_past(found) else found

    def path(self, export: Export) -> Path:
        """Returns where the file of an export is once it is done."""
        return self._folder / f"{export.id}.{export.kind}"

    async def remove(self, identifier: str) -> None:
        """Cancels an export that is under way, forgets one that is over."""
        found = self._exports.get(identifier)
        if found is None:
            return
        if found.is_over:
            del self._exports[identifier]
            await asyncio.to_thread(self._forget, found)
            return
        await self._end(replace(found, state="cancelled"))
        task = self._tasks.get(identifier)
        if task is not None:
            task.cancel()
            # Its process is dead then, and nothing writes any more.
            await asyncio.wait([task])
        await asyncio.to_thread(self._forget_files, found)

    async def forget_entry(self, entry: str) -> None:
        """Ends and forgets all exports of an entry that is deleted."""
        for one in [one for one in self._exports.values() if one.entry == entry]:
            if not one.is_over:
                await self.remove(one.id)
            await self.remove(one.id)

    # ---- work

    async def _work(self) -> None:
        while True:
            waiting = self._exports.get(await self._waiting.get())
            if waiting is None or waiting.is_over:
                continue  # Cancelled while it waited.
            self._exports[waiting.id] = replace(waiting, state="running")
            async with asyncio.TaskGroup() as group:
                task = group.create_task(self._make(waiting), name=f"export {waiting.id}")
                self._tasks[waiting.id] = task
            del self._tasks[waiting.id]
            if task.cancelled():
                continue
            await self._made(waiting.id, task.result())

    async def _make(self, export: Export) -> Ended:
        def told(share: float) -> None:
            known = self._exports.get(export.id)
            if known is not None and known.state == "running":
                self._exports[export.id] = replace(known, progress=share)

        package = Package.of(self._root, export.entry)
        how = (
            ["--layout", export.layout]
            if export.kind == "mp4"
            else ["--zip", str(self._about(export))]
        )
        arguments = [str(package.folder), str(self.path(export)), *how]
        arguments += ["--documents", str(self.documents)]
        try:
            hidden = await asyncio.to_thread(self._hidden, package)
            arguments += [word for one in sorted(hidden) for word in ("--without", one)]
            return await run_job(_MODULE, arguments, told, MAX_S)
        except (OSError, ValueError, Unavailable) as error:
            # No process can be had, or it says what no job says: this export fails, no lesson.
            return Ended(succeeded=False, error=str(error))

    def _hidden(self, package: Package) -> frozenset[str]:
        if not package.manifest.exists():
            return frozenset()  # A course package.
        return self._left_out(decode(package.manifest.read_bytes()))

    async def _made(self, identifier: str, ended: Ended) -> None:
        asked = self._exports.get(identifier)
        if asked is None:
            return
        size = await asyncio.to_thread(self._size, asked) if ended.succeeded else 0
        # It may have been given up, or its lesson deleted, while the disk was asked.
        known = self._exports.get(identifier)
        if known is None or known.is_over:
            await asyncio.to_thread(self._forget_files, asked)
            return
        if size:
            changed = replace(known, state="done", progress=1.0, bytes=size, damaged=ended.damaged)
        else:
            logger.warning("export %s of %s: %s", known.id, known.entry, ended.error)
            code = ended.error if ended.error in {"disk_full", "timeout"} else "failed"
            changed = replace(known, state="failed", code=code)
        await self._end(changed)
        if not size:
            await asyncio.to_thread(self._forget_files, changed)

    async def _end(self, changed: Export) -> None:
        ended = self._exports[changed.id] = replace(changed, ended_at=self._wall())
        try:
            await asyncio.to_thread(self._note_end, ended)
        except OSError:
            # It is there until the server ends; then nobody knows of it.
            logger.exception("export %s cannot be noted", ended.id)

    async def _sweep_for_ever(self) -> None:
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """Forgets what is past its time."""
        for one in [one for one in self._exports.values() if self._is_past(one)]:
            del self._exports[one.id]
            await asyncio.to_thread(self._forget, one)

    def _is_past(self, export: Export) -> bool:
        return export.is_over and export.expires_at <= self._wall()

    # ---- disk

    def _about(self, export: Export) -> Path:
        return self._folder / f"{export.id}.about"

    def _note(self, export: Export) -> Path:
        return self._folder / f"{export.id}.json"

    def _begin(self, export: Export, about: Lesson) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(self._about(export), msgspec.json.encode(about))
        write_durably(self._note(export), msgspec.json.encode(export))

    def _note_end(self, export: Export) -> None:
        write_durably(self._note(export), msgspec.json.encode(export))
        self._about(export).unlink(missing_ok=True)

    def _size(self, export: Export) -> int:
        """Returns the bytes of a file that is done; 0: there is none."""
        try:
            return self.path(export).stat().st_size
        except OSError:
            return 0

    def _forget(self, export: Export) -> None:
        self._forget_files(export)
        _unlink(self._note(export))

    def _forget_files(self, export: Export) -> None:
        path = self.path(export)
        for one in (path, path.with_name(path.name + ".part"), self._about(export)):
            _unlink(one)

    def _restore(self) -> dict[str, Export]:
        """Returns what a server before this one made; removes what it left half made."""
        found: dict[str, Export] = {}
        if not self._folder.is_dir():
            return found
        kept: set[Path] = set()
        for note in self._folder.glob("*.json"):
            export = _read(note)
            # What is asked for while this looks is nothing of before.
            if export is None or export.id in self._exports:
                continue
            if not export.is_over or (export.state == "done" and not self.path(export).is_file()):
                export = replace(export, state="failed", code="interrupted", ended_at=self._wall())
                write_durably(note, msgspec.json.encode(export))
            if self._is_past(export):
                continue
            found[export.id] = export
            kept.add(note)
            if export.state == "done":
                kept.add(self.path(export))
        for left in self._folder.iterdir():
            is_new = left.name.partition(".")[0] in self._exports
            if left not in kept and not is_new and left.is_file():
                left.unlink(missing_ok=True)
        return found


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # The next start removes what has no note.
        logger.exception("%s cannot be removed", path.name)


def _read(note: Path) -> Export | None:
    """Returns what is noted of an export; None: nothing that names its own file."""
    try:
        export = msgspec.json.decode(note.read_bytes(), type=Export)
    except (OSError, msgspec.MsgspecError):
        return None
    return export if note.name == f"{export.id}.json" else None
