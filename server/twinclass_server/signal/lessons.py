"""The lessons this process owns: loading, taking over, closing, and what reaches them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from redis.asyncio import Redis

from twinclass_recordings.recorder.messages import Status
from twinclass_server.adapters.archive import archive, archive_beside
from twinclass_server.adapters.redis_connection import is_up, lesson_scope
from twinclass_server.adapters.redis_ink import InkPages
from twinclass_server.adapters.redis_lease import Lease, LeaseLost
from twinclass_server.adapters.redis_records import LessonRecords
from twinclass_server.hosts import Hosts
from twinclass_server.signal.host import HostParts, LessonHost
from twinclass_server.signal.lesson_journal import LessonLog
from twinclass_signaling.errors import Conflict, SignalingError, Unavailable
from twinclass_signaling.ids import LessonId, ParticipantId, PersonId, SessionId
from twinclass_signaling.lesson import snapshot
from twinclass_signaling.lesson.core import apply
from twinclass_signaling.lesson.ink import InkBook
from twinclass_signaling.lesson.state import LessonState, Plan
from twinclass_signaling.lesson.visibility import Person
from twinclass_signaling.messages import Event, Goodbye, Text
from twinclass_signaling.ports import EchoReport, MediaMessage, MediaPlane
from twinclass_signaling.roles import Source
from twinclass_signaling.settings import LessonSettings

logger = logging.getLogger(__name__)

_ADOPT_S = 2.0

_MOVED = Goodbye(
    "moved",
    Text(
        "课堂换到另一台服务器，正在重新连接。", "The lesson moves to another server; reconnecting."
    ),
    reconnect_after_s=1.0,
)
#: Consents are asked for while the lease runs, and people wait; what is not known by then leaves
#: everybody out, and is not asked again for a while: a database that hangs would hold up all.
_CONSENTS_S, _CONSENTS_PAUSE_S = 1.0, 10.0
#: A full disk is seen to by people.
_DISK_RETRY_S = 30.0
#: A log that is not a file by then has a Redis or a disk that is away.
_RETIRE_S = 5.0
_CLOSED = Goodbye("lesson_closed", Text("下课了，再见！", "The lesson is over. Goodbye!"))
_DRAIN = Goodbye(
    "drain",
    Text("服务器正在更新，马上回来。", "The server is being updated; back in a moment."),
    reconnect_after_s=1.0,
)


#: Of these people those whose consent to be recorded has ended. Blocks; raises Unavailable.
Withdrawn = Callable[[Sequence[PersonId]], frozenset[PersonId]]


class LessonKeeper(Protocol):
    """Who takes care of what a closed lesson leaves."""

    async def lesson_ended(
        self, state: LessonState, people: dict[ParticipantId, Person], log: Path
    ) -> None:
        """Keeps what will be needed of a lesson; afterwards the live system forgets it."""
        ...


@dataclass(slots=True)
class LessonsParts:
    """What all lessons of this process share."""

    redis: Redis
    settings: LessonSettings
    owner: str
    archive_dir: Path
    wall_clock: Callable[[], float]
    replicas: int = 0
    #: Who takes care of what a closed lesson leaves; None: nobody.
    keeper: LessonKeeper | None = None


class Lessons:
    """The hosts of this process. Use as a context manager; ``media`` is set before."""

    def __init__(self, parts: LessonsParts) -> None:
        self._hosts: Hosts[LessonId, LessonHost] = Hosts()
        self.hosts = self._hosts.all
        self.records = LessonRecords(parts.redis)
        self.is_redis_up = False
        #: Steps against echo since the start, by event; for metrics.
        self.echo_steps: Counter[str] = Counter()
        self._parts = parts
        self._media: MediaPlane | None = None
        self._withdrawn: Withdrawn | None = None
        self._consents_at = -1e9

    def attach_media(self, media: MediaPlane) -> None:
        """Sets the media plane; it is made with this object as its listener."""
        self._media = media

    def attach_consents(self, withdrawn: Withdrawn) -> None:
        """Sets who knows which consents to be recorded have ended; without, none has."""
        self._withdrawn = withdrawn

    @property
    def media(self) -> MediaPlane:
        """Returns the media plane."""
        if self._media is None:
            raise Unavailable("media_unavailable", "音视频服务未启动。", "No media plane yet.")
        return self._media

    # ---- life ------------------------------------------------------------------------------

    async def run(self, started: Callable[[], None]) -> None:
        """Owns the hosts' tasks until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._hosts.group = group
            group.create_task(self._adopt(), name="adopt lessons")
            started()

    @property
    def is_draining(self) -> bool:
        """Tells whether this process ends."""
        return self._hosts.is_draining

    async def drain(self) -> None:
        """Says goodbye, gives the lessons up, leaves media alone."""
        await self._hosts.drain(lambda host: host.say_goodbye(_DRAIN))

    async def _adopt(self) -> None:
        """Takes lessons without an owner and watches Redis."""
        while True:
            self.is_redis_up = await is_up(self._parts.redis)
            if self.is_redis_up and not self.is_draining:
                await self._adopt_once()
            await asyncio.sleep(_ADOPT_S if self.is_redis_up else 0.5)

    async def _adopt_once(self) -> None:
        try:
            lessons = await self.records.lessons()
        except SignalingError as error:
            logger.warning("lessons not adopted: %s", error)
            return
        for lesson in lessons:
            if lesson in self.hosts:
                continue
            try:
                await self.host(lesson)
            except LeaseLost:
                pass  # It has an owner elsewhere.
            except SignalingError as error:
                logger.warning("lesson %s not adopted: %s", lesson, error)
            except Exception:
                # One lesson's outermost boundary: it cannot be read. Others go on.
                logger.exception("lesson %s not adopted", lesson)

    # ---- lessons ---------------------------------------------------------------------------

    async def create(self, lesson: LessonId, plan: Plan) -> LessonHost:
        """Makes a lesson and owns it.

        Raises:
            Conflict: there is one.
            Unavailable: Redis is away.
        """
        await self.records.create(lesson, plan)
        return await self.host(lesson)

    async def host(self, lesson: LessonId) -> LessonHost:
        """Returns the host of a lesson, taking it over when nobody owns it.

        Raises:
            LeaseLost: another process owns it.
            Conflict: ``lesson_unknown`` or ``lesson_closed``.
            Unavailable: Redis is away.
        """
        host = await self._hosts.take(lesson, self._load, self._serve)
        if host.state.phase == "closed":
            # Who comes now is told so when the log is a file, or that it is over by the host.
            await self._hosts.wait_gone(lesson, _RETIRE_S)
            host = await self._hosts.take(lesson, self._load, self._serve)
        return host

    async def _load(self, lesson: LessonId) -> LessonHost:
        plan = await self.records.plan(lesson)
        if plan is None:
            if await self.records.is_closed(lesson):
                raise Conflict("lesson_closed", "这节课已经结束。", "This lesson is over.")
            raise Conflict("lesson_unknown", "没有这节课。", "There is no such lesson.")
        parts = self._parts
        lease = Lease(parts.redis, lesson_scope(lesson), parts.owner, parts.settings.lease_s)
        await lease.acquire()
        try:
            log = LessonLog(parts.redis, lesson_scope(lesson), lease, Event, parts.replicas)
            data = await log.read_snapshot()
            state = LessonState(lesson, plan) if data is None else snapshot.decode(plan, data)
            async for event, _ in log.read(state.seq):
                apply(state, event.event, event.at, event.seq)
            ink, ink_pages = InkBook(), InkPages(parts.redis, lesson)
            for page, stored in (await ink_pages.load()).items():
                ink.restore(page, stored)
            host_parts = HostParts(
                state=state,
                log=log,
                lease=lease,
                records=self.records,
                ink=ink,
                ink_pages=ink_pages,
                media=self.media,
                settings=parts.settings,
                wall_clock=parts.wall_clock,
                people=await self.records.people(lesson),
                sessions=await self.records.sessions(lesson),
                echo_steps=self.echo_steps,
                withdrawn=await self._left_out(state),
            )
        except BaseException:
            await lease.release()
            raise
        logger.info("lesson %s: owner with epoch %d, event %d", lesson, lease.epoch, state.seq)
        return LessonHost(host_parts)

    async def _left_out(self, state: LessonState) -> frozenset[PersonId]:
        """Whom a recording leaves out from the first moment on; while it cannot be known, everybody
        whose consent might have ended."""
        people = state.recordable
        if self._withdrawn is None or not people or state.phase == "closed":
            return frozenset()
        loop = asyncio.get_running_loop()
        if loop.time() >= self._consents_at:
            try:
                async with asyncio.timeout(_CONSENTS_S):
                    return await asyncio.to_thread(self._withdrawn, people)
            except (Unavailable, TimeoutError) as error:
                logger.warning("lesson %s: consents not read: %r", state.id, error)
                self._consents_at = loop.time() + _CONSENTS_PAUSE_S
        return frozenset(people)

    async def _serve(self, host: LessonHost) -> None:
        """One lesson's outermost boundary: whatever ends it, others go on."""
        lesson = host.lesson
        try:
            await host.run()
            host.say_goodbye(_CLOSED)
            self.media.close_lesson(lesson)
            await self._retire(host)
        except asyncio.CancelledError:
            await host.lease.release()
            raise
        except LeaseLost:
            logger.warning("lesson %s: another process owns it now", lesson)
            host.say_goodbye(_MOVED)
            self.media.close_lesson(lesson)
        except Exception:
            logger.exception("lesson %s failed; it will be loaded again", lesson)
            host.say_goodbye(_MOVED)
            await host.lease.release()

    async def _retire(self, host: LessonHost) -> None:
        while True:
            try:
                log = await archive(host.log, host.lesson, self._parts.archive_dir)
                ink = host.ink.export()
                if ink is not None:
                    await archive_beside(log, ".ink.json", ink)
                if self._parts.keeper is not None:
                    await self._parts.keeper.lesson_ended(host.state, host.people, log)
                await self.records.retire(host.lesson)
                await host.lease.release()
                return
            except Unavailable:
                await asyncio.sleep(1.0)
            except OSError as error:
                # A full disk: the lesson stays in Redis, and whole, until there is room.
                logger.error("lesson %s cannot be put away: %s", host.lesson, error)
                await asyncio.sleep(_DISK_RETRY_S)

    # ---- the media plane's listener --------------------------------------------------------

    def publication_started(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        """Passes it to the lesson's host."""
        if (host := self.hosts.get(lesson)) is not None:
            host.facts.publication_started(participant, source)

    def publication_ended(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        """Passes it to the lesson's host."""
        if (host := self.hosts.get(lesson)) is not None:
            host.facts.publication_ended(participant, source)

    def recorder_says(self, status: Status | None) -> None:
        """Tells every lesson how its recording goes."""
        for host in self.hosts.values():
            host.recorder_says(status)

    def speakers_changed(self, lesson: LessonId, participants: Sequence[ParticipantId]) -> None:
        """Passes it to the lesson's host."""
        if (host := self.hosts.get(lesson)) is not None:
            host.speakers_changed(participants)

    def echo_changed(self, lesson: LessonId, participant: ParticipantId, echo: EchoReport) -> None:
        """Passes it to the lesson's host."""
        if (host := self.hosts.get(lesson)) is not None:
            host.facts.echo_changed(participant, echo)

    def send(self, lesson: LessonId, session: SessionId, message: MediaMessage) -> None:
        """Passes it to the lesson's host."""
        if (host := self.hosts.get(lesson)) is not None:
            host.send(session, message)
