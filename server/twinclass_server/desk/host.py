"""The host of one evening: devices on one side; journal, media, boards and SQL on the other."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinclass_recordings.assemble import write_durably
from twinclass_server.adapters.redis_board import BoardLog
from twinclass_server.adapters.redis_connection import log_unavailable
from twinclass_server.adapters.redis_desk import EveningId, EveningRecords
from twinclass_server.adapters.redis_lease import Lease, LeaseLost
from twinclass_server.command_desk import CommandDesk
from twinclass_server.connection import Connection
from twinclass_server.desk.board import Boards
from twinclass_server.desk.client import DeskClient
from twinclass_server.desk.clock import DeskClock
from twinclass_server.desk.facts import Facts
from twinclass_server.desk.help_media import HelpMedia
from twinclass_server.desk.history import History
from twinclass_server.desk.journal import DeskCore, DeskJournal, DeskLog, DeskStep
from twinclass_server.desk.pages import Pages
from twinclass_server.desk.ports import About, DeskSchool
from twinclass_server.desk.seats import Seats
from twinclass_server.errors import CLOSE_CONFLICT, CLOSE_GONE, CLOSE_RESTART, to_message
from twinclass_signaling.desk import media_policy, permissions
from twinclass_signaling.desk.commands import (
    SYSTEM,
    Actor,
    AnswerQuestion,
    AskQuestion,
    PupilHere,
    StaffHere,
    TellBank,
    TellPair,
)
from twinclass_signaling.desk.directory import Known
from twinclass_signaling.desk.events import QuestionApproved, QuestionAsked
from twinclass_signaling.desk.messages import (
    Authenticate,
    BoardAsk,
    BoardState,
    BoardUpdate,
    Command,
    DeskInfo,
    Goodbye,
    Welcome,
)
from twinclass_signaling.desk.plan import QuestionId, SessionNumber
from twinclass_signaling.desk.session_events import SessionEnded, SessionStarted
from twinclass_signaling.desk.state import DeskState, Session
from twinclass_signaling.desk.visibility import may_see_question, touched
from twinclass_signaling.errors import (
    Conflict,
    Forbidden,
    RemoteProtocolError,
    SignalingError,
    Unavailable,
)
from twinclass_signaling.ids import LessonId, ParticipantId, PersonId, SessionId
from twinclass_signaling.messages import Speakers, Text
from twinclass_signaling.ports import MediaMessage, MediaPlane
from twinclass_signaling.roles import Role, Source
from twinclass_signaling.session import SessionRecord
from twinclass_signaling.settings import LessonSettings
from twinclass_signaling.tokens import DeskClaims

logger = logging.getLogger(__name__)

_TICK_S = 1.0
#: Searches at a time: each takes a thread and some milliseconds.
_SEARCHES = 4
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
        self._abouts: dict[PersonId, PupilHere] = {}
        #: Who is coming in: told to the log, and without a place yet.
        self._arriving: Counter[PersonId] = Counter()
        self.facts = Facts(self._journal, parts.wall_clock, self._is_here, self._arrivals)
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
        self.history = History(parts.evening, parts.log, parts.school, lambda: self.state)
        self._boards = Boards()
        self._loading: dict[SessionNumber, asyncio.Lock] = {}
        self._searches = asyncio.Semaphore(_SEARCHES)
        self._sessions_dirty: set[SessionNumber] = {
            number for number, one in parts.state.sessions.items() if one.ended_at is None
        }
        self._media_wake = asyncio.Event()
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
            await self._parts.boards.save_late(self._boards, asyncio.get_running_loop().time())

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

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        if self._group is None:
            work.close()
        else:
            self._group.create_task(work, name=name)

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
        self._arriving[actor.person] += 1
        try:
            await self._arrive(claims, actor)
        finally:
            self._arriving[actor.person] -= 1
            if not self._arriving[actor.person]:
                del self._arriving[actor.person]
        known = Known(claims.name, claims.class_name)
        seated = self.seats.take(actor, known, message.resume, connection)
        client = seated.client
        client.link, client.video_codecs = claims.lnk, message.client.video_codecs
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
        self._media_of(actor.person)
        return client

    async def _arrive(self, claims: DeskClaims, actor: Actor) -> None:
        arrival: PupilHere | StaffHere
        if actor.role is Role.PUPIL:
            about = await self._about(claims)
            arrival = self._abouts[actor.person] = PupilHere(
                actor.person, claims.grade or 0, claims.school, about.teachers, about.consented
            )
        elif actor.role in {Role.TUTOR, Role.MODERATOR}:
            arrival = StaffHere(actor.person, actor.role)
        else:
            return
        if not self._journal.is_up and self._was_here(actor.person):
            return  # The place is hers; that she is back is told when the log is.
        await self._journal.commit(arrival, SYSTEM, self._now())

    async def _about(self, claims: DeskClaims) -> About:
        try:
            return await self._parts.school.about(claims)
        except Unavailable:
            known = self._abouts.get(PersonId(claims.sub))
            if known is None:
                raise
            return About(known.consented, known.teachers)

    def _is_here(self, person: PersonId) -> bool:
        return person in self._arriving or self.seats.is_here(person)

    def _was_here(self, person: PersonId) -> bool:
        state = self.state
        return person in state.pupils or person in state.tutors or person in state.moderators

    def _arrivals(self) -> Iterator[PupilHere | StaffHere]:
        for client in self.seats.connected():
            if client.actor.role is Role.PUPIL:
                if (known := self._abouts.get(client.person)) is not None:
                    yield known
            elif client.actor.role in {Role.TUTOR, Role.MODERATOR}:
                yield StaffHere(client.person, client.actor.role)

    def leave(self, client: DeskClient, connection: Connection) -> None:
        """Notes that a connection is gone; the place is kept."""
        if self.seats.leave(client, connection):
            self.facts.line_lost(client.person)

    def _info(self) -> DeskInfo:
        plan = self.state.plan
        return DeskInfo(plan.id, plan.title, plan.subjects, plan.grades, plan.needs_approval)

    def contents_of(self, question: int) -> tuple[str, ...]:
        """Returns the references of a question: its content and its answer."""
        found = self.state.questions.get(QuestionId(question))
        if found is None:
            return ()
        return (found.content,) if found.answer is None else (found.content, found.answer)

    def rates(self, pupil: PersonId, question: int) -> str | None:
        """Returns the tutor whose help with a question a pupil may speak of."""
        found = self.state.questions.get(QuestionId(question))
        if found is None or (found.pupil != pupil and pupil not in found.followers):
            return None
        is_over = found.state in {"resolved", "answered_async"}
        return found.tutor if is_over else None

    def may_see(self, actor: Actor, question: int) -> bool:
        """Tells whether somebody may be shown what a question stands for."""
        found = self.state.questions.get(QuestionId(question))
        return found is not None and may_see_question(self.state, actor, found)

    # ---- messages --------------------------------------------------------------------------

    async def command(self, client: DeskClient, message: Command) -> None:
        """Decides a command; acknowledgement or error follows in the order of the log."""
        match message.command:
            case AskQuestion(content=content) | AnswerQuestion(content=content):
                try:
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

    async def draw(self, client: DeskClient, message: BoardUpdate) -> None:
        """Takes something drawn and passes it on.

        Raises:
            Conflict: not in the session; or what ``Boards.apply`` refuses.
        """
        seats = await self._board(client, message.session)
        session = self.state.sessions[message.session]
        if session.kind == "one_to_many" and client.actor.role is Role.PUPIL:
            raise Forbidden(
                "forbidden", "公开讲解时只有老师能写。", "In a class only the tutor draws."
            )
        now = asyncio.get_running_loop().time()
        told = self._boards.apply(
            message.session, _bytes(message.update), seats[client.person], now
        )
        if told is None:
            return
        passed_on = BoardUpdate(message.session, base64.b64encode(told).decode())
        for person in seats:
            other = self.seats.of(person)
            if other is not None and other is not client and other.connection is not None:
                other.connection.send(passed_on)

    async def board(self, client: DeskClient, message: BoardAsk) -> BoardState:
        """Returns what a page lacks of a board; raises as ``draw``."""
        seats = await self._board(client, message.session)
        now = asyncio.get_running_loop().time()
        update, vector = self._boards.state(
            message.session, _bytes(message.vector), seats[client.person], now
        )
        return BoardState(
            message.session, base64.b64encode(update).decode(), base64.b64encode(vector).decode()
        )

    async def _board(
        self, client: DeskClient, number: SessionNumber
    ) -> dict[PersonId, ParticipantId]:
        session = self.state.sessions.get(number)
        seats = {} if session is None or session.ended_at else media_policy.seats(session)
        if client.person not in seats:
            raise Conflict(
                "board_not_yours", "您不在这次辅导中。", "You are not in this session of live help."
            )
        if not self._boards.is_open(number):
            async with self._loading.setdefault(number, asyncio.Lock()):
                if not self._boards.is_open(number):
                    stored = await self._parts.boards.load(number)
                    self._boards.restore(number, stored)
        return seats

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
                    self._spawn(self._search(question), "bank")
            case SessionEnded(number):
                self._spawn(self._put_board_away(number), "board")
            case SessionStarted(number, "one_to_one"):
                self._spawn(self._pair(number), "pair")
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

    # ---- what follows from steps -----------------------------------------------------------

    async def _search(self, question: QuestionId) -> None:
        matches: Sequence[str] = ()
        try:
            async with self._searches:
                found = self.state.questions[question]
                matches = await self._parts.school.matches(self.evening, found)
        except SignalingError as error:
            logger.warning("the bank was not searched: %s", error.code)
        self.facts.tell(TellBank(question, tuple(matches)))
        self._clock.changed()

    async def _pair(self, number: SessionNumber) -> None:
        session = self.state.sessions[number]
        pupil = next(iter(session.members), None)
        if pupil is None:
            return
        try:
            times = await self._parts.school.met_this_week(self.evening, session.tutor, pupil)
        except SignalingError as error:
            logger.warning("who met whom is not known: %s", error.code)
            return
        self.facts.tell(TellPair(number, times + 1))

    async def _put_board_away(self, session: SessionNumber) -> None:
        """Keeps a session's board beside the archived logs: a case may ask for it."""
        folder, boards = self._parts.archive_dir, self._parts.boards
        try:
            if not self._boards.is_open(session):
                self._boards.restore(session, await boards.load(session))
            drawn = self._boards.close(session)
            path = folder / f"{self.evening.name}-{session}.board"
            await asyncio.to_thread(write_durably, path, drawn)
            await boards.drop(session)
        except SignalingError as error:
            logger.warning("the board of a session stays in Redis: %s", error.code)

    # ---- from the media plane --------------------------------------------------------------

    def _media_of(self, person: PersonId) -> None:
        for number, session in self.state.sessions.items():
            if session.ended_at is None and person in media_policy.seats(session):
                self._sessions_dirty.add(number)
                self._media_wake.set()

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


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise RemoteProtocolError(
            "board_update_bad", "画板消息有误。", "A board's update is not base64."
        ) from error
