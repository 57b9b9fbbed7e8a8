"""The disk behind a thread (shell): the recorder's loop never waits for it.

Orders are done one after another, so a journal line is on disk before the file it names. A file
that fails is left as it was after its last whole piece, and every further order for it is passed
over; whoever wrote it is told and begins another.
"""

from __future__ import annotations

import errno
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from twinclass_recordings.recorder.messages import Problem

log = logging.getLogger(__name__)

#: Ten lessons of ten tracks for some seconds: a disk that is further behind will not catch up.
MAX_QUEUED_BYTES = 48 * 1024 * 1024
#: How often what was written is made to last: a power cut loses no more than this and a piece.
SYNC_S = 1.0


@dataclass(slots=True)
class _File:
    descriptor: int = -1
    good: int = 0
    dirty: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class _Order:
    kind: str
    key: object
    path: Path | None = None
    data: bytes = b""
    journal: Path | None = None
    done: Callable[[], None] | None = field(default=None, repr=False)


class Disk:
    """``tell(key, problem)`` is called on the loop's side by ``call_soon``; ``key`` names a file.

    Attributes:
        written: bytes that reached files.
        queued: bytes that wait.
    """

    def __init__(
        self,
        tell: Callable[[object, Problem], None],
        call_soon: Callable[[Callable[[], None]], object],
    ) -> None:
        self.written = 0
        self.queued = 0
        self._tell = tell
        self._call_soon = call_soon
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._files: dict[object, _File] = {}
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)
        self._thread.start()

    # ---- on the loop's side

    def create(self, key: object, path: Path, journal: Path, line: bytes) -> None:
        """Begins a file, which must not exist, after the journal's line that names it."""
        self._orders.put(_Order("create", key, path, line, journal=journal))

    def append(self, key: object, data: bytes) -> bool:
        """Appends a whole piece; False: too much waits already, it was dropped."""
        if self.queued + len(data) > MAX_QUEUED_BYTES:
            return False
        self.queued += len(data)
        self._orders.put(_Order("append", key, None, data))
        return True

    def line(self, path: Path, data: bytes) -> None:
        """Appends a line to a journal and makes it last before anything that follows."""
        self._orders.put(_Order("line", path, path, data))

    def replace(self, path: Path, data: bytes) -> None:
        """Replaces a small file; it is never seen half written."""
        self._orders.put(_Order("replace", path, path, data))

    def close(self, key: object) -> None:
        """Ends a file and makes it last."""
        self._orders.put(_Order("close", key))

    def after(self, done: Callable[[], None]) -> None:
        """Calls ``done`` on the loop's side when all orders so far are done."""
        self._orders.put(_Order("after", None, done=done))

    def stop(self, timeout_s: float) -> bool:
        """Does what waits, closes all files and ends the thread; False: the disk hangs."""
        self._orders.put(_Order("stop", None))
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # ---- the thread

    def _run(self) -> None:
        synced = time.monotonic()
        while True:
            try:
                order = self._orders.get(timeout=SYNC_S)
            except queue.Empty:
                order = None
            if order is not None and order.kind == "stop":
                for key in list(self._files):
                    self._guard(key, lambda k=key: self._close(k))  # type: ignore[misc]
                return
            if order is not None:
                self._do(order)
            now = time.monotonic()
            if now - synced >= SYNC_S:
                synced = now
                for key, file in list(self._files.items()):
                    if file.dirty:
                        self._guard(key, lambda f=file: self._sync(f))  # type: ignore[misc]

    def _do(self, order: _Order) -> None:
        path, key = order.path, order.key
        if order.kind == "after" and order.done is not None:
            self._call_soon(order.done)
        elif order.kind == "create" and path is not None and order.journal is not None:
            journal = order.journal
            self._files[key] = _File()
            self._guard(key, lambda: _append_line(journal, order.data))
            if not self._files[key].failed:
                self._guard(key, lambda: self._create(key, path))
        elif order.kind == "append":
            file = self._files.get(key)
            if file is not None and not file.failed:
                self._guard(key, lambda: self._append(file, order.data))
            self._call_soon(lambda: self._taken(len(order.data)))
        elif order.kind == "close":
            self._guard(key, lambda: self._close(key))
        elif order.kind == "line" and path is not None:
            self._guard(key, lambda: _append_line(path, order.data))
        elif order.kind == "replace" and path is not None:
            self._guard(key, lambda: _replace(path, order.data))

    def _taken(self, size: int) -> None:
        self.queued -= size

    def _guard(self, key: object, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:
            file = self._files.get(key)
            if file is not None:
                self._give_up(file)
            log.error("recording: %s", error)
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            problem: Problem = "disk_full" if full else "disk_error"
            self._call_soon(lambda: self._tell(key, problem))

    def _create(self, key: object, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._files[key].descriptor = os.open(path, flags, 0o600)
        _sync_folder(path.parent)

    def _append(self, file: _File, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(file.descriptor, view) :]
        file.good += len(data)
        file.dirty = True
        self.written += len(data)

    def _sync(self, file: _File) -> None:
        file.dirty = False
        os.fdatasync(file.descriptor)

    def _close(self, key: object) -> None:
        file = self._files.pop(key, None)
        if file is None or file.descriptor < 0:
            return
        try:
            if file.dirty:
                os.fdatasync(file.descriptor)
        finally:
            os.close(file.descriptor)

    def _give_up(self, file: _File) -> None:
        """Leaves whole pieces only."""
        file.failed = True
        file.dirty = False
        if file.descriptor >= 0:
            try:
                os.ftruncate(file.descriptor, file.good)
            except OSError:
                log.error("recording: a file could not be cut to its last whole piece")


def _append_line(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        written = os.write(descriptor, data)
        if written < len(data):
            os.ftruncate(descriptor, before)
            raise OSError(errno.ENOSPC, "no space left for a journal line")
        os.fsync(descriptor)
        if before == 0:
            _sync_folder(path.parent)
    finally:
        os.close(descriptor)


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(path.name + ".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    partial.replace(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
