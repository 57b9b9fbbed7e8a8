"""One look at everything a server has: gathered when somebody asks, at most once a second.

Shell. However many pages ask, they share one look and one encoded answer; when nobody asks nothing
is gathered.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path

import msgspec
from redis.asyncio import Redis
from sqlalchemy import text

from twinclass_server.adapters.certificate_file import CertificateUnreadable, read_certificate
from twinclass_server.adapters.redis_figures import redis_figures
from twinclass_server.operations.figures import (
    Figures,
    LessonFigures,
    StoreFigures,
    WorkerFigures,
)
from twinclass_server.operations.room_state import room_light
from twinclass_server.operations.status import operations
from twinclass_server.recording.recordings import Recordings
from twinclass_server.roster.database import Database
from twinclass_server.signal.host import LessonHost
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.tools import recording
from twinclass_signaling.lesson.views import counts, participant_view
from twinclass_signaling.roles import Role

logger = logging.getLogger(__name__)

#: Two pages a second or two hundred: one look.
FRESH_S = 1.0
#: A database that does not answer by then is away for whoever waits for a page.
DATABASE_S = 2.0
#: A certificate changes once in months.
CERTIFICATE_S = 60.0


def version() -> str:
    """Returns the version of this installation."""
    try:
        return metadata.version("twinclass")
    except metadata.PackageNotFoundError:
        return "0"


@dataclass(slots=True)
class LookParts:
    """What is looked at. ``disk``: where recordings go, or the data folder."""

    lessons: Lessons
    redis: Redis
    redis_is_ours: bool
    database: Database
    workers: Callable[[], Sequence[WorkerFigures]]
    recordings: Recordings | None
    disk: Path
    certificate: Path | None


class Looker:
    """Gathers, judges and encodes; ``answer`` is what the page gets."""

    def __init__(self, parts: LookParts) -> None:
        self._parts = parts
        self._started_at = time.time()
        self._version = version()
        self._lock = asyncio.Lock()
        self._made: bytes = b""
        self._made_at = float("-inf")
        self._certificate: tuple[float, datetime | None] = (float("-inf"), None)
        self._asking: asyncio.Future[StoreFigures] | None = None

    async def answer(self) -> bytes:
        """Returns the picture as JSON, at most a second old."""
        async with self._lock:
            now = time.monotonic()
            if now - self._made_at >= FRESH_S:
                self._made = msgspec.json.encode(operations(await self._gather()))
                self._made_at = time.monotonic()
            return self._made

    async def _gather(self) -> Figures:
        parts = self._parts
        redis, database, disk, ends, elsewhere = await asyncio.gather(
            redis_figures(parts.redis, is_ours=parts.redis_is_ours),
            self._ask_database(),
            asyncio.to_thread(_disk, parts.disk),
            self._certificate_ends(),
            self._elsewhere(),
        )
        now = time.time()
        link = None if parts.recordings is None else parts.recordings.link
        return Figures(
            now=now,
            version=self._version,
            started_at=self._started_at,
            lessons=tuple(_lesson(host, now) for host in list(parts.lessons.hosts.values())),
            elsewhere=elsewhere,
            disk_free=disk[0],
            disk_total=disk[1],
            redis=redis,
            database=database,
            workers=tuple(parts.workers()),
            records=link is not None,
            recorder_up=link is not None and link.is_up,
            recorder_trouble="" if link is None else link.trouble,
            recorder=None if link is None else link.status,
            recorder_outdated=link is not None and link.is_outdated,
            certificate_ends=ends,
            has_certificate=parts.certificate is not None,
            is_draining=parts.lessons.is_draining,
        )

    async def _ask_database(self) -> StoreFigures:
        """One question at a time: a database that hangs holds one thread, not one a second."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().run_in_executor(
                None, _database, self._parts.database
            )
        try:
            async with asyncio.timeout(DATABASE_S):
                return await asyncio.shield(self._asking)
        except TimeoutError:
            return StoreFigures(is_up=False, is_ours=self._parts.database.is_sqlite)

    async def _certificate_ends(self) -> datetime | None:
        path, (looked_at, ends) = self._parts.certificate, self._certificate
        now = time.monotonic()
        if path is None or now - looked_at < CERTIFICATE_S:
            return ends
        try:
            ends = (await asyncio.to_thread(read_certificate, path)).ends
        except CertificateUnreadable as error:
            logger.warning("certificate: %s", error)
            ends = None
        self._certificate = (now, ends)
        return ends

    async def _elsewhere(self) -> int:
        """How many lessons other servers on the same Redis hold."""
        try:
            known = await self._parts.lessons.records.lessons()
        except SignalingError:
            return 0
        return sum(lesson not in self._parts.lessons.hosts for lesson in known)


def _lesson(host: LessonHost, now: float) -> LessonFigures:
    state = host.state
    rooms = dict.fromkeys(ParticipantId(room.id) for room in state.plan.rooms)
    for participant, seat in state.seats.items():
        if seat.role is Role.ROOM and not seat.companion:
            rooms.setdefault(participant)
    lights = []
    for room in rooms:
        view = participant_view(state, room, host.people, host.sounds)
        name = (view.name or room, view.school)
        report, quality = host.reports.get(room), host.qualities.get(room)
        lights.append(room_light(state, room, name, report, quality, now))
    return LessonFigures(
        id=state.id,
        title=state.plan.title,
        phase=state.phase,
        opened_at=state.opened_at,
        planned_minutes=state.plan.planned_minutes,
        counts=counts(state),
        rooms=tuple(lights),
        wants_recording=state.plan.policy.record,
        is_recording=recording.is_on(state),
        recorder=host.recorder,
    )


def _database(database: Database) -> StoreFigures:
    began = time.perf_counter()
    try:
        with database.session() as session:
            session.execute(text("SELECT 1"))
    except SignalingError:
        return StoreFigures(is_up=False, is_ours=database.is_sqlite)
    latency_ms = round((time.perf_counter() - began) * 1000, 2)
    return StoreFigures(is_up=True, latency_ms=latency_ms, is_ours=database.is_sqlite)


def _disk(path: Path) -> tuple[int | None, int]:
    try:
        # The recordings' folder is made with the first recording.
        found = shutil.disk_usage(path if path.exists() else path.parent)
    except OSError:
        return None, 0
    return found.free, found.total
