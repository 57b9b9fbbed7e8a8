"""The recording of one lesson: its tracks, its journal, its files. Core; the disk is a port."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from twinclass_recordings.manifest import Codec
from twinclass_recordings.package import Package
from twinclass_recordings.recorder import journal
from twinclass_recordings.recorder.journal import EndCause
from twinclass_recordings.recorder.messages import LessonStatus, Problem, Record, TrackSpec
from twinclass_recordings.recorder.part import Part
from twinclass_recordings.recorder.track import Track

#: Lead, co-lead, and a full stage of 16 with camera and microphone, twice over.
MAX_TRACKS = 96
#: A track that wrote within this time counts as being written.
WRITING_S = 5.0
#: A problem is told until nothing has failed for this long.
PROBLEM_S = 5.0


class DiskPort(Protocol):
    """What a lesson needs of the disk (``recorder.disk``)."""

    def create(self, key: object, path: Path, journal: Path, line: bytes) -> None:
        """Begins a file after the line that names it."""
        ...

    def append(self, key: object, data: bytes) -> bool:
        """Appends a piece; False: too much waits."""
        ...

    def line(self, path: Path, data: bytes) -> None:
        """Appends a line to a journal."""
        ...

    def close(self, key: object) -> None:
        """Ends a file."""
        ...


class LessonRecorder:
    """State of one lesson's recording. ``first_number``: of the next file, after a restart."""

    def __init__(
        self,
        package: Package,
        wish: Record,
        disk: DiskPort,
        now: float,
        unix: float,
        *,
        first_number: int = 1,
        written: int = 0,
    ) -> None:
        self.wish = Record(wish.lesson, 0, wish.origin_unix, ())
        self.tracks: dict[str, Track] = {}
        self._package = package
        self._disk = disk
        self._number = first_number
        self._written = written
        self._owners: dict[int, Track] = {}
        self._parts: dict[int, Part] = {}
        self._problem: Problem = ""
        self._problem_at = -1e9
        self._lost_s = 0.0
        self._is_paused = False
        self._line(journal.Begun(wish.lesson, wish.origin_unix, self._at(unix)))
        self.record(wish, now, unix)

    # ---- what is wanted

    def record(self, wish: Record, now: float, unix: float) -> None:
        """Records these tracks from now on and no others. An older version is ignored."""
        if wish.version < self.wish.version:
            return
        self.wish = wish
        specs = {spec.id: spec for spec in wish.tracks[:MAX_TRACKS]}
        if wish.paused != self._is_paused:
            self._is_paused = wish.paused
            at = self._at(unix)
            self._line(journal.Paused(at) if wish.paused else journal.Resumed(at))
        for identifier, track in list(self.tracks.items()):
            if specs.get(identifier) != track.spec:
                self._stop(track, "paused" if wish.paused else "stopped", now)
        for identifier, spec in specs.items():
            if identifier not in self.tracks:
                self.tracks[identifier] = self._start(spec, now)

    def _start(self, spec: TrackSpec, now: float) -> Track:
        return Track(spec, self.wish.origin_unix, self, now)

    def _stop(self, track: Track, cause: EndCause, now: float) -> None:
        track.finish(cause, now)
        self._lost_s += track.lost_s
        del self.tracks[track.spec.id]

    def finish(self, now: float, unix: float) -> None:
        """Ends everything."""
        for track in list(self.tracks.values()):
            self._stop(track, "finished", now)
        self._line(journal.Finished(self._at(unix)))

    # ---- track.Sink

    def next_number(self) -> int:
        """See ``track.Sink``."""
        number, self._number = self._number, self._number + 1
        return number

    def begin(self, track: Track, part: Part) -> None:
        """See ``track.Sink``."""
        spec = track.spec
        codec: Codec = part.codec
        _, width, height = part.config
        line = journal.PartBegun(
            part.number,
            part.name,
            spec.participant,
            spec.source,
            spec.kind,
            codec,
            part.start_s,
            width,
            height,
        )
        self._owners[part.number] = track
        self._parts[part.number] = part
        self._disk.create(
            (self.wish.lesson, part.number),
            self._package.folder / part.name,
            self._package.journal,
            journal.encode(line),
        )

    def append(self, part: Part, data: bytes) -> bool:
        """See ``track.Sink``."""
        if not self._disk.append((self.wish.lesson, part.number), data):
            self._note("disk_slow", -1.0)
            return False
        self._written += len(data)
        return True

    def correct(self, part: Part) -> None:
        """See ``track.Sink``."""
        self._line(journal.StartCorrected(part.number, part.start_s))

    def end(self, part: Part, cause: EndCause) -> None:
        """See ``track.Sink``."""
        self._owners.pop(part.number, None)
        self._parts.pop(part.number, None)
        self._disk.close((self.wish.lesson, part.number))
        self._line(journal.PartEnded(part.number, cause))

    # ---- the disk

    def disk_failed(self, number: int | None, problem: Problem, now: float) -> None:
        """The disk did not take a file's piece (or a journal line: ``number`` None)."""
        self._note(problem, now)
        if number is None:
            return
        track, part = self._owners.get(number), self._parts.get(number)
        if track is not None and part is not None:
            track.disk_failed(part, now)

    def _note(self, problem: Problem, now: float) -> None:
        self._problem = problem
        self._problem_at = now

    # ---- time

    def tick(self, now: float) -> None:
        """Ten times a second."""
        if self._problem and self._problem_at < 0:
            self._problem_at = now
        for track in self.tracks.values():
            track.tick(now)
        if self._problem and now - self._problem_at > PROBLEM_S:
            self._problem = ""

    def status(self, now: float) -> LessonStatus:
        """Returns how it stands."""
        return LessonStatus(
            self.wish.lesson,
            self._written,
            sum(now - track.last_write < WRITING_S for track in self.tracks.values()),
            len(self.tracks),
            round(self._lost_s + sum(track.lost_s for track in self.tracks.values()), 1),
            self._problem,
        )

    def _at(self, unix: float) -> float:
        return round(max(0.0, unix - self.wish.origin_unix), 3)

    def _line(self, line: journal.Line) -> None:
        self._disk.line(self._package.journal, journal.encode(line))
