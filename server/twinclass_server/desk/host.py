"""The host of one evening: devices on one side; journal, media, boards and SQL on the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinclass_server.adapters.redis_board import BoardLog
from twinclass_server.adapters.redis_connection import log_unavailable
from twinclass_server.adapters.redis_desk import EveningId, EveningRecords
from twinclass_server.adapters.redis_lease import Lease, LeaseLost
from twinclass_server.command_desk import CommandDesk
from twinclass_server.connection import Connection
from twinclass_server.desk.board_room import BoardRoom
from twinclass_server.desk.client import DeskClient
from twinclass_server.desk.clock import DeskClock
from twinclass_server.desk.entrance import Entrance
from twinclass_server.desk.facts import Facts
from twinclass_server.desk.follow_ups import FollowUps
from twinclass_server.desk.help_media import HelpMedia
from twinclass_server.desk.history import History
from twinclass_server.desk.journal import DeskCore, DeskJournal, DeskLog, DeskStep
from twinclass_server.desk.pages import Pages
from twinclass_server.desk.ports import DeskSchool
from twinclass_server.desk.seats import Seats
from twinclass_server.errors import CLOSE_CONFLICT, CLOSE_GONE, CLOSE_RESTART, to_message
from twinclass_signaling.desk import media_policy, permissions
from twinclass_signaling.desk.commands import (
    Actor,
    AnswerQuestion,
    AskQuestion,
)
from twinclass_signaling.desk.directory import Known
from twinclass_signaling.desk.events import QuestionApproved, QuestionAsked
from twinclass_signaling.desk.messages import (
    Authenticate,
    Command,
    DeskInfo,
    Goodbye,
    Welcome,
)
from twinclass_signaling.desk.plan import SessionNumber
from twinclass_signaling.desk.session_events import SessionEnded, SessionStarted
from twinclass_signaling.desk.state import DeskState, Session
from twinclass_signaling.desk.visibility import touched
from twinclass_signaling.errors import (
    Conflict,
    SignalingError,
)
from twinclass_signaling.ids import LessonId, ParticipantId, PersonId, SessionId
from twinclass_signaling.messages import Speakers, Text
from twinclass_signaling.ports import MediaMessage, MediaPlane
from twinclass_signaling.roles import Source
from twinclass_signaling.session import SessionRecord
from twinclass_signaling.settings import LessonSettings
from twinclass_signaling.tokens import DeskClaims

logger = logging.getLogger(__name__)

_TICK_S = 1.0
#: Ticks after which the media of all live help is looked at again.
_MEDIA_LOOK_TICKS = 5
_WITHDRAWN = Goodbye(
    "removed",
    Text(
        "这个链接已停用，请向学校要新的链接。",
        "This link was withdrawn; ask your school for a new one.",
    ),
)


@dataclass(slots=True)
class HostParts:
    """What a host is made of; loaded by ``desks``."""

    evening: EveningId
    state: DeskState
    log: DeskLog
    lease: Lease
    records: EveningRecords
    boards: BoardLog
    media: MediaPlane
    school: DeskSchool
    archive_dir: Path
    #: Told of a session that is over, and of its recording.
    recorded: Callable[[EveningId, Session, str], None]
    settings: LessonSettings
    wall_clock: Callable[[], float]
    people: dict[PersonId, Known] = field(default_factory=dict)
    sessions: list[SessionRecord] = field(default_factory=list)


class DeskHost:
    """Owns one evening while this process holds its lease."""

    def __init__(self, parts: HostParts) -> None:
        self.evening = parts.evening
        self.lease = parts.lease
        self.log = parts.log
        self._parts = parts
        self._now = parts.wall_clock
        settings = parts.settings
        self._journal = DeskJournal(
            DeskCore(),
            parts.state,
            parts.log,
            parts.lease,
            self,
            append_s=settings.append_ms / 1000,
            snapshot_every=settings.snapshot_every,
        )
        self.seats = Seats(
            settings.seat_keep_s, parts.records, parts.sessions, parts.people, parts.wall_clock
        )
        entrance = self._entrance = Entrance(
            self._journal, parts.school, self.seats, parts.wall_clock
        )
        self.facts = Facts(self._journal, parts.wall_clock, entrance.is_here, entrance.arrivals)
        self._commands = CommandDesk(self._journal, parts.log, parts.wall_clock)
        self._pages = Pages(
            lambda: self.state, self.seats.people, self.seats.welcomed, parts.wall_clock
        )
        self._clock = DeskClock(self._journal, self.facts, parts.wall_clock)
        self.media = HelpMedia(
            parts.evening,
            parts.media,
            lambda: self.state,
            self.seats.clients,
            self.seats.of,
            lambda session, name: parts.recorded(parts.evening, session, name),
        )
        self.seats.forgotten = self.media.forget
        self.history = History(
            parts.evening, parts.log, parts.school, lambda: self.state, self.seats.people
        )
        self.boards = BoardRoom(
            parts.evening, parts.boards, self.seats, lambda: self.state, parts.archive_dir
        )
        self._follow_ups = FollowUps(
            parts.evening, parts.school, self.facts, lambda: self.state, self._clock.changed
        )
        self._sessions_dirty: set[SessionNumber] = {
            number for number, one in parts.state.sessions.items() if one.ended_at is None
        }
        self._media_wake = asyncio.Event()
        self._looks = 0
        self._group: asyncio.TaskGroup | None = None
        self._done = asyncio.Event()

    @property
    def state(self) -> DeskState:
        """Returns the committed state."""
        return self._journal.committed

    @property
    def is_empty(self) -> bool:
        """Tells whether nobody has a line."""
        return next(self.seats.connected(), None) is None

    # ---- life ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serves the evening until it is to be put away.

        Raises:
            LeaseLost: another process owns it.
            InvalidState: the log has lost what was acknowledged.
        """
        name = self.evening.name
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                tasks = [
                    group.create_task(self._journal.run(), name=f"journal {name}"),
                    group.create_task(self.lease.keep(), name=f"lease {name}"),
                    group.create_task(self._tick(), name=f"tick {name}"),
                    group.create_task(self._pages.run(), name=f"pages {name}"),
                    group.create_task(self._clock.run(), name=f"clock {name}"),
                    group.create_task(self._keep_media(), name=f"media {name}"),
                    group.create_task(self.history.run(), name=f"history {name}"),
                ]
                self.facts.reconcile()
                await self._carry()
                self._tell_ended()
                self._media_wake.set()
                await self._done.wait()
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as errors:
            lost = errors.subgroup(LeaseLost)
            raise (lost or errors).exceptions[0] from errors
        finally:
            self._group = None

    def end(self) -> None:
        """Ends ``run``: the evening is over and its day, too."""
        self._done.set()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self.seats.expire()
            await self.seats.save()
            await self.boards.save_late()
            self._look_at_media()

    async def _carry(self) -> None:
        """Asks again what was put off to tonight, once."""
        if self.state.questions:
            return
        try:
            for question in await self._parts.school.carried(self.evening):
                self.facts.tell(question)
        except SignalingError as error:
            logger.warning("questions of before are not carried over: %s", error.code)

    def _tell_ended(self) -> None:
        """Tells of sessions that ended while nobody could hear it; repeating it changes nothing."""
        for session in self.state.sessions.values():
            if session.ended_at is not None:
                name = self.media.recording(session.number)
                self._parts.recorded(self.evening, session, name)

    async def _keep_media(self) -> None:
        while True:
            await self._media_wake.wait()
            self._media_wake.clear()
            dirty, self._sessions_dirty = self._sessions_dirty, set()
            try:
                await self.media.update(sorted(dirty))
            except SignalingError as error:
                logger.warning("media of live help: %s", error.code)

    def _look_at_media(self, session: Session | None = None) -> None:
        """Has the media of a session brought to its state; of all that run, some seconds apart: a
        worker may have been away."""
        if session is not None:
            self._sessions_dirty.add(session.number)
        else:
            self._looks += 1
            if self._looks % _MEDIA_LOOK_TICKS:
                return
            self._sessions_dirty |= self.media.running
        self._media_wake.set()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        if self._group is None:
            work.close()
        else:
            self._group.create_task(self._guarded(work, name), name=name)

    async def _guarded(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """What follows from a step goes wrong alone: the evening goes on."""
        try:
            await work
        except (SignalingError, OSError) as error:
            logger.warning("desk %s, %s: %s", self.evening.name, name, error)

    def say_goodbye(self, goodbye: Goodbye) -> None:
        """Tells every device that this process ends its connection."""
        code = CLOSE_GONE if goodbye.reason == "desk_closed" else CLOSE_RESTART
        for client in self.seats.connected():
            if client.connection is not None:
                client.connection.send(goodbye)
                client.connection.close(code)

    def withdraw(self, is_revoked: Callable[[str], bool]) -> None:
        """Ends the sessions that came in with a link that is withdrawn."""
        for client in list(self.seats.connected()):
            if client.link is not None and is_revoked(client.link) and client.connection:
                client.connection.send(_WITHDRAWN)
                client.connection.close(CLOSE_CONFLICT)

    # ---- who is here -----------------------------------------------------------------------

    async def enter(
        self, claims: DeskClaims, message: Authenticate, connection: Connection
    ) -> DeskClient:
        """Lets somebody in and sends her the Welcome.

        Raises:
            SignalingError: the desk is full, the log or the database away.
        """
        children = tuple(PersonId(child) for child in claims.children)
        actor = Actor(PersonId(claims.sub), claims.role, children)
        await self._entrance.arrive(claims, actor)
        known = Known(claims.name, claims.class_name)
        seated = self.seats.take(actor, known, message.resume, connection)
        client = seated.client
        client.link, client.origin = claims.lnk, claims.origin
        client.video_codecs = message.client.video_codecs
        try:
            await self.seats.save()
            if seated.resumed:
                await self._commands.resume(client)
            is_alive = await self.media.enter(client)
        except BaseException:
            self.leave(client, connection)
            raise
        if client.connection is not connection:
            raise Conflict("superseded", "已在别处连接。", "Another connection took over.")
        connection.send(
            Welcome(
                session=client.session,
                secret=seated.secret,
                resumed=seated.resumed and is_alive,
                person=actor.person,
                role=actor.role,
                name=claims.name,
                grade=claims.grade,
                desk=self._info(),
                view=self._pages.first(client),
                server_time=self._now(),
                may_publish=media_policy.MAY_PUBLISH.get(actor.role, ()),
                may_command=tuple(sorted(permissions.may_command(actor.role))),
            )
        )
        client.is_welcome = True
        early, client.early = client.early, []
        for said in early:
            connection.send(said)
        self._look_at_media(self.media.session_of(actor.person))
        return client

    def leave(self, client: DeskClient, connection: Connection) -> None:
        """Notes that a connection is gone; the place is kept."""
        if self.seats.leave(client, connection):
            self.facts.line_lost(client.person)

    async def consents_said(self, child: PersonId) -> None:
        """Tells the core how the consents of a child stand now, if she is here.

        Raises:
            Unavailable: the database is away.
        """
        told = await self._entrance.consents(child)
        if told is not None:
            self.facts.tell(told)
            self._clock.changed()

    def _info(self) -> DeskInfo:
        plan = self.state.plan
        return DeskInfo(
            *(plan.id, plan.title, plan.subjects, plan.grades, plan.needs_approval),
            utc_offset_min=plan.utc_offset_min,
        )

    # ---- messages --------------------------------------------------------------------------

    async def command(self, client: DeskClient, message: Command) -> None:
        """Decides a command; acknowledgement or error follows in the order of the log."""
        match message.command:
            case AskQuestion(content=content) | AnswerQuestion(content=content):
                try:
                    _require_origin(client, message.command)
                    await self._require_own(client.person, content)
                except SignalingError as error:
                    if client.connection is not None:
                        client.connection.send(to_message(error, command=message.id))
                    return
            case _:
                pass
        self._commands.take(client, message.id, message.command, client.actor)
        self._clock.changed()

    async def _require_own(self, person: PersonId, content: str) -> None:
        if not await self._parts.school.wrote(self.evening, person, content):
            raise Conflict(
                "content_unknown",
                "内容没有保存成功，请重新发送。",
                "This was not stored by you; send it again.",
            )

    # ---- the journal's listener ------------------------------------------------------------

    def event_released(self, event: DeskStep, payload: bytes) -> None:  # noqa: ARG002
        """Notes what follows from a step."""
        fact = event.event
        self._pages.mark(touched(fact, self.state))
        number = getattr(fact, "session", None)
        if number is not None and number in self.state.sessions:
            self._sessions_dirty.add(number)
        match fact:
            case QuestionAsked(question) | QuestionApproved(question):
                if self.state.questions[question].state == "submitted":
                    self._spawn(self._follow_ups.search(question), "bank")
            case SessionEnded(number):
                self._spawn(self.boards.put_away(number), "board")
            case SessionStarted(number, "one_to_one"):
                self._spawn(self._follow_ups.pair(number), "pair")
            case _:
                pass

    def batch_released(self) -> None:
        """Lets media, clock and history follow."""
        self._clock.changed()
        self.history.changed()
        if self._sessions_dirty:
            self._media_wake.set()

    def log_down(self) -> None:
        """Tells devices that commands are refused for now."""
        logger.error("desk %s: log is away; commands are refused", self.evening.name)
        message = to_message(log_unavailable())
        for client in self.seats.welcomed():
            if client.connection is not None:
                client.connection.send(message)

    async def log_read(self) -> None:
        """Finds out which commands that were answered with an error are in the log after all."""
        await self._commands.clear_doubts(self.seats.clients)

    def log_up(self) -> None:
        """Submits what has become different meanwhile."""
        self.facts.reconcile()
        self._clock.changed()

    # ---- from the media plane --------------------------------------------------------------

    def published(self, lesson: LessonId, seat: ParticipantId, source: Source, *, on: bool) -> None:
        """Notes that a source has come or gone."""
        session = self.media.published(lesson, seat, source, on=on)
        if session is not None:
            self._sessions_dirty.add(session)
            self._media_wake.set()

    def speakers_changed(self, lesson: LessonId, seats: Sequence[ParticipantId]) -> None:
        """Tells who speaks."""
        message = Speakers(tuple(seats))
        for device in self.media.devices(lesson):
            client = self.seats.clients.get(device)
            if client is not None and client.connection is not None and client.is_welcome:
                client.connection.send(message)

    def send(self, session: SessionId, message: MediaMessage) -> None:
        """Delivers a media message."""
        client = self.seats.clients.get(session)
        if client is None or client.connection is None:
            return
        if client.is_welcome:
            client.connection.send(message)
        else:
            client.early.append(message)


def _require_origin(client: DeskClient, command: object) -> None:
    """A tutor is shown what an origin stands for, so nobody makes one up."""
    wanted = command.origin if isinstance(command, AskQuestion) else None
    if wanted is not None and wanted != client.origin:
        raise Conflict(
            "origin_unknown",
            "这个链接不是从那节课来的，请去掉来源再发送。",
            "Your link does not come from that lesson; remove where it comes from.",
        )
