"""The evenings this process owns: begun, adopted, given up, and put away when their day is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from redis.asyncio import Redis

from twinclass_server.adapters.archive import archive
from twinclass_server.adapters.redis_board import BoardLog
from twinclass_server.adapters.redis_connection import is_up
from twinclass_server.adapters.redis_desk import EveningId, EveningRecords, evenings
from twinclass_server.adapters.redis_lease import Lease, LeaseLost
from twinclass_server.desk.help_media import PREFIX
from twinclass_server.desk.host import DeskHost, HostParts
from twinclass_server.desk.journal import DeskLog, DeskStep
from twinclass_server.desk.ports import DeskSchool
from twinclass_server.hosts import Hosts
from twinclass_signaling.desk import snapshot
from twinclass_signaling.desk.core import apply
from twinclass_signaling.desk.messages import Goodbye
from twinclass_signaling.desk.plan import Desk, DeskId, Evening
from twinclass_signaling.desk.state import Session, planned
from twinclass_signaling.errors import Conflict, SignalingError, Unavailable
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import Text
from twinclass_signaling.ports import EchoReport, MediaMessage, MediaPlane
from twinclass_signaling.roles import Source
from twinclass_signaling.settings import LessonSettings

logger = logging.getLogger(__name__)

_ADOPT_S = 2.0
#: An evening is put away so long after its day: whoever reads an answer at midnight may finish.
PUT_AWAY_S = 3 * 3600.0

_MOVED = Goodbye(
    "moved",
    Text("答疑换到另一台服务器，正在重新连接。", "The desk moves to another server; reconnecting."),
    reconnect_after_s=1.0,
)
_OVER = Goodbye(
    "desk_closed",
    Text("今晚的答疑已经结束，明天见！", "The desk is closed for tonight. See you tomorrow!"),
)
_DRAIN = Goodbye(
    "drain",
    Text("服务器正在更新，马上回来。", "The server is being updated; back in a moment."),
    reconnect_after_s=1.0,
)


@dataclass(slots=True)
class DesksParts:
    """What all desks of this process share."""

    redis: Redis
    settings: LessonSettings
    owner: str
    archive_dir: Path
    wall_clock: Callable[[], float]
    #: Told of a session that is over, and of its recording.
    recorded: Callable[[EveningId, Session, str], None]
    replicas: int = 0


def day_of(plan: Desk, now: float) -> str:
    """Returns the local date at a desk."""
    return datetime.fromtimestamp(now, _zone(plan)).date().isoformat()


def evening_of(plan: Desk, day: str) -> Evening:
    """Returns the evening of a local date."""
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), _zone(plan))
    return Evening(midnight.astimezone(UTC).timestamp())


def _not_started() -> Unavailable:
    return Unavailable("media_unavailable", "音视频服务未启动。", "No media plane yet.")


def _zone(plan: Desk) -> timezone:
    return timezone(timedelta(minutes=plan.utc_offset_min))


class Desks:
    """The hosts of this process."""

    def __init__(self, parts: DesksParts) -> None:
        self._hosts: Hosts[EveningId, DeskHost] = Hosts()
        self.hosts = self._hosts.all
        self._parts = parts
        self._media: MediaPlane | None = None
        self._school: DeskSchool | None = None

    def attach(self, media: MediaPlane, school: DeskSchool) -> None:
        """Sets what is made later: the media plane has this object as one of its listeners."""
        self._media, self._school = media, school

    # ---- life ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Owns the hosts' tasks until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._hosts.group = group
            while True:
                if not self._hosts.is_draining and await is_up(self._parts.redis):
                    await self._adopt()
                    self._put_away()
                await asyncio.sleep(_ADOPT_S)

    async def drain(self) -> None:
        """Says goodbye, gives the desks up, leaves media alone."""
        await self._hosts.drain(lambda host: host.say_goodbye(_DRAIN))

    async def _adopt(self) -> None:
        try:
            for evening in await evenings(self._parts.redis):
                if evening not in self.hosts:
                    try:
                        await self._host(evening)
                    except LeaseLost:
                        continue  # It has an owner elsewhere.
        except SignalingError as error:
            logger.warning("evenings not adopted: %s", error)

    def _put_away(self) -> None:
        now = self._parts.wall_clock()
        for host in list(self.hosts.values()):
            over = host.state.evening.midnight + 24 * 3600 + PUT_AWAY_S
            if now >= over and host.state.phase == "closed":
                host.end()

    # ---- evenings --------------------------------------------------------------------------

    async def plan(self, desk: str, day: str | None = None) -> tuple[EveningId, Desk]:
        """Returns tonight's evening of a desk and its plan, as it stands in SQL.

        Raises:
            Conflict: ``desk_unknown``.
            Unavailable: the database is away.
        """
        # Which day it is, only the plan's time zone tells; any plan of the desk has it.
        now = self._parts.wall_clock()
        evening = EveningId(
            DeskId(desk), day or datetime.fromtimestamp(now, UTC).date().isoformat()
        )
        if self._school is None:
            raise _not_started()
        plan = await self._school.plan(evening)
        if plan is None:
            raise Conflict("desk_unknown", "没有这个答疑台。", "There is no such desk.")
        if day is None and day_of(plan, now) != evening.day:
            return await self.plan(desk, day_of(plan, now))
        return evening, plan

    async def host(self, desk: str) -> DeskHost:
        """Returns the host of a desk's evening, taking it over when nobody owns it.

        Raises:
            LeaseLost: another process owns it.
            Conflict: ``desk_unknown``.
            Unavailable: Redis or the database is away.
        """
        evening = self._tonight(desk)
        if evening is None:
            evening, _ = await self.plan(desk)
        return await self._host(evening)

    def _tonight(self, desk: str) -> EveningId | None:
        """Returns an evening that is held here already: no need to ask for it."""
        now = self._parts.wall_clock()
        for evening, host in self.hosts.items():
            if evening.desk == desk and day_of(host.state.plan, now) == evening.day:
                return evening
        return None

    def find(self, desk: str) -> DeskHost | None:
        """Returns the host of tonight's evening, if this process has it."""
        evening = self._tonight(desk)
        return None if evening is None else self.hosts.get(evening)

    async def _host(self, evening: EveningId) -> DeskHost:
        return await self._hosts.take(evening, self._load, self._serve)

    async def _load(self, evening: EveningId) -> DeskHost:
        parts = self._parts
        if self._media is None or self._school is None:
            raise _not_started()
        records = EveningRecords(parts.redis, evening)
        lease = Lease(parts.redis, evening.scope, parts.owner, parts.settings.lease_s)
        await lease.acquire()
        try:
            _, wanted = await self.plan(evening.desk, evening.day)
            # An evening keeps the plan that it began with; changes are commands.
            plan = await records.plan(wanted)
            log = DeskLog(parts.redis, evening.scope, lease, DeskStep, parts.replicas)
            data = await log.read_snapshot()
            if data is None:
                state = planned(plan, evening_of(plan, evening.day))
            else:
                state = snapshot.decode(plan, data)
            async for step, _ in log.read(state.seq):
                apply(state, step.event, step.at, step.seq)
            host_parts = HostParts(
                evening=evening,
                state=state,
                log=log,
                lease=lease,
                records=records,
                boards=BoardLog(parts.redis, f"{{{evening.scope}}}:board:"),
                media=self._media,
                school=self._school,
                archive_dir=parts.archive_dir,
                recorded=parts.recorded,
                settings=parts.settings,
                wall_clock=parts.wall_clock,
                people=await records.people(),
                sessions=await records.sessions(),
            )
        except BaseException:
            await lease.release()
            raise
        logger.info("desk %s: owner with epoch %d, step %d", evening.name, lease.epoch, state.seq)
        return DeskHost(host_parts)

    async def _serve(self, host: DeskHost) -> None:
        """One evening's outermost boundary: whatever ends it, others go on."""
        evening = host.evening
        try:
            await host.run()
            host.say_goodbye(_OVER)
            await self._retire(host)
        except asyncio.CancelledError:
            await host.lease.release()
            raise
        except LeaseLost:
            logger.warning("desk %s: another process owns it now", evening.name)
            host.say_goodbye(_MOVED)
            host.media.close()
        except Exception:
            logger.exception("desk %s failed; it will be loaded again", evening.name)
            host.say_goodbye(_MOVED)
            await host.lease.release()

    async def _retire(self, host: DeskHost) -> None:
        records = EveningRecords(self._parts.redis, host.evening)
        while True:
            try:
                await host.history.catch_up()
                await archive(host.log, host.evening.name, self._parts.archive_dir)
                await records.retire()
                await host.lease.release()
                return
            except Unavailable:
                await asyncio.sleep(1.0)

    # ---- the media plane's listener --------------------------------------------------------

    def _of(self, lesson: LessonId) -> DeskHost | None:
        for host in self.hosts.values():
            if lesson.startswith(f"{PREFIX}{host.evening.name}:"):
                return host
        return None

    def publication_started(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        """Passes it to the evening's host."""
        if (host := self._of(lesson)) is not None:
            host.published(lesson, participant, source, on=True)

    def publication_ended(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        """Passes it to the evening's host."""
        if (host := self._of(lesson)) is not None:
            host.published(lesson, participant, source, on=False)

    def echo_changed(self, lesson: LessonId, participant: ParticipantId, echo: EchoReport) -> None:
        """Live help is between two people with headsets: nothing is watched there."""

    def speakers_changed(self, lesson: LessonId, participants: Sequence[ParticipantId]) -> None:
        """Passes it to the evening's host."""
        if (host := self._of(lesson)) is not None:
            host.speakers_changed(lesson, participants)

    def send(self, lesson: LessonId, session: SessionId, message: MediaMessage) -> None:
        """Passes it to the evening's host."""
        if (host := self._of(lesson)) is not None:
            host.send(session, message)
