"""What is measured of this server before anybody judges it. Vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twinclass_recordings.recorder.messages import Status
from twinclass_server.operations.room_state import RoomLight
from twinclass_signaling.lesson.state import Phase
from twinclass_signaling.lesson_views import Counts
from twinclass_signaling.messages import Recorder


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """One media worker. ``cpu_share``: of a core; ``transports``: two a person at most;
    ``is_outdated``: it runs what was installed before an update."""

    index: int
    is_up: bool
    cpu_share: float | None
    transports: int
    memory_bytes: int
    trouble: str = ""
    is_outdated: bool = False


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """Redis or the database. ``latency_ms``: of one question; ``memory_bytes``: of Redis."""

    is_up: bool
    latency_ms: float | None = None
    memory_bytes: int | None = None
    is_ours: bool = True


@dataclass(frozen=True, slots=True)
class LessonFigures:
    """A lesson that this process holds. ``recorder``: what staff were told last."""

    id: str
    title: str
    phase: Phase
    opened_at: float | None
    planned_minutes: int
    counts: Counts
    rooms: tuple[RoomLight, ...]
    wants_recording: bool
    is_recording: bool
    recorder: Recorder | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at everything. ``now``: Unix seconds; ``elsewhere``: lessons of other servers."""

    now: float
    version: str
    started_at: float
    lessons: tuple[LessonFigures, ...]
    elsewhere: int
    disk_free: int | None
    disk_total: int
    redis: StoreFigures
    database: StoreFigures
    workers: tuple[WorkerFigures, ...]
    records: bool
    recorder_up: bool
    recorder_trouble: str
    recorder: Status | None
    #: End of the certificate the server began with; None: none, or it cannot be read.
    certificate_ends: datetime | None
    has_certificate: bool
    is_draining: bool = False
    recorder_outdated: bool = False
