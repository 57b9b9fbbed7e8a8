"""The recorder's process (shell): pipe socket, control socket, disk, and the clock that drives it.

It outlives a control plane as a worker does, and when it dies the next one goes on recording what
this one did, before anybody tells it to (``recorder.resume``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections import deque
from pathlib import Path

from twinclass_media.rtp.rtcp import NTP_UNIX_OFFSET
from twinclass_media.statistics import Statistics
from twinclass_media.transport import pipe as wire
from twinclass_media.transport.pipe import PipeSocket, key_of, parse_report
from twinclass_recordings.package import Package
from twinclass_recordings.recorder import messages as m
from twinclass_recordings.recorder import resume
from twinclass_recordings.recorder.control import ControlServer
from twinclass_recordings.recorder.disk import Disk
from twinclass_recordings.recorder.lesson import LessonRecorder
from twinclass_recordings.recorder.repair import Left, repair
from twinclass_recordings.recorder.track import Track
from twinclass_recordings.release import RELEASE

log = logging.getLogger(__name__)

#: Pieces, silences and keyframes are matters of tenths of a second.
TICK_S = 0.1
STATUS_S = 1.0
#: The source forgets a wish after four of these.
WANTS_S = 1.0
#: As a worker: a deploy takes minutes; a lesson whose server is gone for longer is over.
ALONE_S = 600.0
#: A city's machine has some dozens of lessons at a time.
MAX_LESSONS = 200
RATE_WINDOW_S = 10


class Recorder:
    """All of one recorder process."""

    def __init__(self, run_dir: Path, root: Path) -> None:
        self._root = root
        self._run_dir = run_dir
        self._statistics = Statistics()
        self._lessons: dict[str, LessonRecorder] = {}
        self._by_key: dict[bytes, tuple[LessonRecorder, Track]] = {}
        self._finishing: set[str] = set()
        self._alone_since: float | None = time.monotonic()
        self._written: deque[int] = deque(maxlen=RATE_WINDOW_S + 1)
        self._stop = asyncio.Event()
        self._pipe: PipeSocket | None = None
        self._disk: Disk | None = None
        self._state = resume.load(root)
        self._control = ControlServer(
            run_dir / "recorder.sock", self._command, self._attached, self._alone, self._state.epoch
        )

    # ---- life

    async def run(self) -> None:
        """Records until told to end, or left alone for too long."""
        loop = asyncio.get_running_loop()
        self._disk = Disk(self._disk_failed, loop.call_soon_threadsafe)
        self._pipe = PipeSocket(self._run_dir / "recorder.pipe", self._statistics)
        self._pipe.start(loop, self._datagram, lambda: None)
        self._go_on()
        await self._control.start()
        try:
            await self._work()
        finally:
            await self._end(loop)

    async def _work(self) -> None:
        next_wants = next_status = 0.0
        while not self._stop.is_set():
            now = time.monotonic()
            for lesson in self._lessons.values():
                lesson.tick(now)
            self._ask(now)
            if now >= next_wants:
                next_wants = now + WANTS_S
                self._want(now)
            if now >= next_status:
                next_status = now + STATUS_S
                self._control.notify(self._status(now))
            if self._alone_since is not None and now - self._alone_since > ALONE_S:
                log.warning("no control plane for %d s: ending", ALONE_S)
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._stop.wait()

    async def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        now, unix = time.monotonic(), time.time()
        for lesson in self._lessons.values():
            lesson.finish(now, unix)
        await self._control.aclose()
        if self._pipe is not None:
            self._pipe.close(loop)
        if self._disk is not None:
            self._keep(())
            if not await asyncio.to_thread(self._disk.stop, 5.0):
                log.error("the disk hangs; what it did not take is lost")

    def stop(self) -> None:
        """Ends ``run``."""
        self._stop.set()

    def _go_on(self) -> None:
        """Records what the recorder before this one did."""
        now, unix = time.monotonic(), time.time()
        for wish in self._state.lessons:
            self._begin(wish, now, unix)
        if self._lessons:
            log.info("going on with %d recordings", len(self._lessons))
            self._want(now)

    def _begin(self, wish: m.Record, now: float, unix: float) -> LessonRecorder | None:
        if self._disk is None or len(self._lessons) >= MAX_LESSONS:
            return None
        try:
            package = Package.of(self._root, wish.lesson)
            left = repair(package) or Left([], 1, 0)
        except (OSError, ValueError):
            log.exception("recording %s cannot be begun", wish.lesson)
            return None
        lesson = self._lessons[wish.lesson] = LessonRecorder(
            package,
            wish,
            self._disk,
            now,
            unix,
            first_number=left.next_number,
            written=left.bytes,
        )
        self._index()
        return lesson

    def _index(self) -> None:
        self._by_key = {
            key_of(track.spec.id): (lesson, track)
            for lesson in self._lessons.values()
            for track in lesson.tracks.values()
        }

    def _keep(self, lessons: tuple[m.Record, ...] | None = None) -> None:
        if self._disk is None:
            return
        kept = lessons
        if kept is None:
            kept = tuple(lesson.wish for lesson in self._lessons.values())
        state = resume.Resume(kept, self._control.epoch)
        self._disk.replace(self._root / resume.FILE_NAME, resume.encode(state))

    # ---- control

    def _attached(self, epoch: int) -> m.Attached:
        self._keep()
        return m.Attached(os.getpid(), epoch, str(self._run_dir / "recorder.pipe"), RELEASE)

    def _alone(self, alone: bool) -> None:
        self._alone_since = time.monotonic() if alone else None

    def _command(self, command: m.Command) -> None:
        now, unix = time.monotonic(), time.time()
        match command:
            case m.Record():
                lesson = self._lessons.get(command.lesson)
                if lesson is not None:
                    lesson.record(command, now, unix)
                elif command.lesson not in self._finishing:
                    self._begin(command, now, unix)
                self._index()
                self._keep()
                self._want(now)
                self._ask(now)
            case m.Finish():
                self._finish(command.lesson, now, unix)
            case m.Shutdown():
                self._stop.set()
            case m.Attach():
                pass

    def _finish(self, name: str, now: float, unix: float) -> None:
        lesson = self._lessons.pop(name, None)
        if lesson is not None:
            lesson.finish(now, unix)
            self._index()
            self._keep()
        elif self._disk is not None:
            # A recorder before us may have died before its end.
            with contextlib.suppress(OSError, ValueError):
                repair(Package.of(self._root, name))
        self._finishing.add(name)

        def done() -> None:
            self._finishing.discard(name)
            self._control.notify(m.Finished(name))

        if self._disk is not None:
            self._disk.after(done)

    def _status(self, now: float) -> m.Status:
        written = self._disk.written if self._disk is not None else 0
        self._written.append(written)
        rate = (written - self._written[0]) // max(1, len(self._written) - 1)
        try:
            free = shutil.disk_usage(self._root).free
        except OSError:
            free = 0
        lessons = tuple(lesson.status(now) for lesson in self._lessons.values())
        return m.Status(lessons, free, rate, time.process_time())

    def _disk_failed(self, key: object, problem: m.Problem) -> None:
        now = time.monotonic()
        match key:
            case (str(name), int(number)):
                lesson = self._lessons.get(name)
                if lesson is not None:
                    lesson.disk_failed(number, problem, now)
            case _:
                for lesson in self._lessons.values():
                    lesson.disk_failed(None, problem, now)

    # ---- the pipe

    def _datagram(self, kind: int, key: bytes, layer: int, body: bytes) -> None:
        found = self._by_key.get(key)
        if found is None:
            return
        track = found[1]
        if kind == wire.PACKET:
            track.packet(layer, body, time.monotonic(), time.time())
        elif kind == wire.REPORT:
            report = parse_report(body)
            if report is not None:
                sender, offset = report
                track.report(
                    layer, sender.rtp_timestamp, sender.ntp / 2**32 - NTP_UNIX_OFFSET + offset
                )
        elif kind == wire.ASK:
            self._say_wants(track, time.monotonic())

    def _want(self, now: float) -> None:
        for _, track in self._by_key.values():
            self._say_wants(track, now)

    def _say_wants(self, track: Track, now: float) -> None:
        if self._pipe is not None:
            spec = track.spec
            body = bytes(track.wanted_layers(now))
            self._pipe.send(spec.source_socket, wire.WANTS, key_of(spec.id), 0, body)

    def _ask(self, now: float) -> None:
        """Asks for keyframes and for packets that did not arrive."""
        if self._pipe is None:
            return
        for key, (_, track) in self._by_key.items():
            layer = track.wants_keyframe(now)
            socket = track.spec.source_socket
            if layer is not None:
                self._pipe.send(socket, wire.KEYFRAME, key, layer)
            for index, numbers in track.missing(now):
                body = b"".join(n.to_bytes(2, "big") for n in numbers[: wire.MAX_MISSING])
                self._pipe.send(socket, wire.MISSING, key, index, body)
