"""The host of one live lesson: seats on one side, the journal and the media plane on the other."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from twinclass_recordings.recorder.messages import Status
from twinclass_server.adapters.redis_connection import log_unavailable
from twinclass_server.adapters.redis_ink import InkPages
from twinclass_server.adapters.redis_lease import Lease, LeaseLost
from twinclass_server.adapters.redis_records import LessonRecords
from twinclass_server.command_desk import CommandDesk
from twinclass_server.connection import Connection, encode
from twinclass_server.errors import CLOSE_GONE, CLOSE_RESTART, to_message
from twinclass_server.recording.progress import is_news, progress
from twinclass_server.signal.client import Client
from twinclass_server.signal.clients import Clients
from twinclass_server.signal.effects import MediaEffects, changes_media
from twinclass_server.signal.facts import Facts
from twinclass_server.signal.ink_desk import InkDesk
from twinclass_server.signal.keeper import RecordKeeper
from twinclass_server.signal.lesson_clock import LessonClock
from twinclass_server.signal.lesson_journal import LessonCore, LessonJournal, LessonLog
from twinclass_server.signal.presence import PresenceBoard
from twinclass_server.signal.seats import Seats, SeatTools
from twinclass_server.signal.tool_board import ToolBoard
from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId, PersonId, SessionId
from twinclass_signaling.ink_messages import InkPage
from twinclass_signaling.lesson.commands import SYSTEM, Actor, Leave
from twinclass_signaling.lesson.events import (
    LessonClosed,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantLost,
    ParticipantRecovered,
    StageEntered,
)
from twinclass_signaling.lesson.ink import InkBook
from twinclass_signaling.lesson.media_policy import heard_by_leads_only
from twinclass_signaling.lesson.state import LEAD_ROLES, LessonState
from twinclass_signaling.lesson.talk_events import InkCleared, SlideTurned
from twinclass_signaling.lesson.tool_events import EchoFound, EchoMuted
from twinclass_signaling.lesson.tools import recording
from twinclass_signaling.lesson.views import Person, Sound
from twinclass_signaling.lesson.visibility import STAFF_ROLES, audience
from twinclass_signaling.messages import (
    CloseLesson,
    Command,
    Event,
    Goodbye,
    OpenLesson,
    Quality,
    Recorder,
    Report,
    Speakers,
    Text,
    View,
)
from twinclass_signaling.ports import MediaMessage, MediaPlane
from twinclass_signaling.roles import Role
from twinclass_signaling.session import SessionRecord, Sessions
from twinclass_signaling.settings import LessonSettings
from twinclass_signaling.tool_commands import AttachSlides, TurnSlide

logger = logging.getLogger(__name__)

_TICK_S = 1.0
#: After these others are here than before.
_MOVES = (ParticipantJoined, ParticipantLost, ParticipantRecovered, ParticipantLeft)
_ARRIVED = Goodbye(
    "arrived",
    Text(
        "老师已把你记到教室里，这里的课堂关闭了。",
        "Your teacher has you in the classroom now; this page is closed.",
    ),
)
_REMOVED = Goodbye(
    "removed",
    Text(
        "老师已请你离开课堂，请联系老师。",
        "You were taken out of this lesson; ask the teacher.",
    ),
)
_WITHDRAWN = Goodbye(
    "removed",
    Text(
        "这个链接已停用，请向老师要新的链接。",
        "This link was withdrawn; ask the teacher for a new one.",
    ),
)


@dataclass(slots=True)
class HostParts:
    """What a host is made of; loaded by ``lessons``."""

    state: LessonState
    log: LessonLog
    lease: Lease
    records: LessonRecords
    ink_pages: InkPages
    media: MediaPlane
    settings: LessonSettings
    wall_clock: Callable[[], float]
    people: dict[ParticipantId, Person] = field(default_factory=dict)
    sessions: list[SessionRecord] = field(default_factory=list)
    ink: InkBook = field(default_factory=InkBook)
    #: Steps against echo of all lessons of this process, by event; for metrics.
    echo_steps: Counter[str] = field(default_factory=Counter[str])
    #: Whose consent to be recorded has ended.
    withdrawn: frozenset[PersonId] = frozenset()


class LessonHost:
    """Owns one lesson while this process holds its lease."""

    def __init__(self, parts: HostParts) -> None:
        self.lesson: LessonId = parts.state.id
        self.media = parts.media
        self.lease = parts.lease
        self.log = parts.log
        self._settings = parts.settings
        self._now = parts.wall_clock
        self._echo_steps = parts.echo_steps
        self._sounds: dict[ParticipantId, Sound] = {}
        self._journal = LessonJournal(
            LessonCore(),
            parts.state,
            parts.log,
            parts.lease,
            self,
            append_s=parts.settings.append_ms / 1000,
            snapshot_every=parts.settings.snapshot_every,
        )
        self._effects = MediaEffects(parts.media, parts.withdrawn)
        self._media_dirty = True
        clients = Clients()
        self._presence = PresenceBoard(lambda: self.state, parts.people, self._sounds, clients)
        sessions = Sessions(parts.settings.seat_keep_s, parts.sessions)
        self._keeper = RecordKeeper(self.lesson, parts.records, sessions, parts.people)
        self._desk = CommandDesk(self._journal, parts.log, parts.wall_clock)
        self.facts = Facts(self._journal, parts.wall_clock, self._is_here)
        self.seats = Seats(
            SeatTools(
                lesson=self.lesson,
                clients=clients,
                journal=self._journal,
                media=parts.media,
                effects=self._effects,
                keeper=self._keeper,
                desk=self._desk,
                sessions=sessions,
                wall_clock=parts.wall_clock,
                changed=self._presence.mark,
                lost=self.facts.line_lost,
                there=self.facts.line_there,
                people=parts.people,
                sounds=self._sounds,
                shown_ink=self._shown_ink,
                recorder=lambda: self._recorder,
            ),
            parts.sessions,
        )
        self._tools = ToolBoard(lambda: self.state, parts.people, clients)
        self.ink = InkDesk(parts.ink, parts.ink_pages, lambda: self.state, clients.audience)
        self._clock = LessonClock(self._journal, self.facts, parts.wall_clock)
        self._people = parts.people
        self._recorder: Recorder | None = None
        self._qualities: dict[ParticipantId, Quality] = {}
        self._reports: dict[ParticipantId, Report] = {}
        self._closed = asyncio.Event()
        if parts.state.phase == "closed":
            # A process before us closed it and could not put it away.
            self._closed.set()
        else:
            # Before anybody comes in: else they would be told to be lost.
            self.facts.reconcile()

    @property
    def state(self) -> LessonState:
        """Returns the committed state."""
        return self._journal.committed

    @property
    def is_empty(self) -> bool:
        """Tells whether nobody has a line."""
        return next(self.seats.clients.connected(), None) is None

    # ---- life ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serves the lesson until it is closed.

        Raises:
            LeaseLost: another process owns the lesson.
            InvalidState: the log has lost what was acknowledged.
        """
        try:
            async with asyncio.TaskGroup() as group:
                presence = self._presence.run(self._settings.presence_ms / 1000)
                tasks = [
                    group.create_task(self._journal.run(), name=f"journal {self.lesson}"),
                    group.create_task(self.lease.keep(), name=f"lease {self.lesson}"),
                    group.create_task(presence, name=f"presence {self.lesson}"),
                    group.create_task(self._tick(), name=f"tick {self.lesson}"),
                    group.create_task(self._tools.run(), name=f"tools {self.lesson}"),
                    group.create_task(self._clock.run(), name=f"clock {self.lesson}"),
                ]
                await self._closed.wait()
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as errors:
            lost = errors.subgroup(LeaseLost)
            raise (lost or errors).exceptions[0] from errors

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self.seats.expire()
            if self._journal.is_up:
                self.facts.leave_the_lost(self._settings.seat_keep_s)
                await self._keeper.save_late()
                await self.ink.save_late()

    def say_goodbye(self, goodbye: Goodbye) -> None:
        """Tells every client that this process ends its connection."""
        code = CLOSE_GONE if goodbye.reason == "lesson_closed" else CLOSE_RESTART
        self._broadcast(encode(goodbye))
        for _, connection in self.seats.clients.connected():
            connection.close(code)

    async def operate(self, command: OpenLesson | CloseLesson) -> None:
        """Opens or closes the lesson from the private listener; raises as ``Journal.submit``."""
        await self._journal.commit(command, SYSTEM, self._now())

    async def prepare(self, command: AttachSlides | TurnSlide, lead: ParticipantId) -> None:
        """Does what the lead arranged before the lesson; raises as ``Journal.submit``."""
        await self._journal.commit(command, Actor(lead, Role.LEAD), self._now())

    def withdraw(self, is_revoked: Callable[[str], bool]) -> None:
        """Ends the sessions that came in with a link that is withdrawn; a new one lets in again."""
        for client in list(self.seats.clients.values()):
            if client.link is not None and is_revoked(client.link):
                self.seats.dismiss(client.participant, _WITHDRAWN)
                self.facts.tell(Leave(client.participant, "removed"))

    # ---- the recording ---------------------------------------------------------------------

    @property
    def recording(self) -> str:
        """Returns the name of its recording; empty while it has none."""
        return "" if self.state.phase != "live" else recording.recording_id(self.state)

    async def events(self) -> list[Event]:
        """Returns all that happened so far."""
        return [event async for event, _ in self.log.read(EventSeq(0))]

    @property
    def people(self) -> dict[ParticipantId, Person]:
        """Returns the names of those who were here."""
        return self._people

    @property
    def sounds(self) -> Mapping[ParticipantId, Sound]:
        """Returns what devices say of their loudspeakers."""
        return self._sounds

    @property
    def reports(self) -> Mapping[ParticipantId, Report]:
        """Returns what devices said last of themselves."""
        return self._reports

    @property
    def qualities(self) -> Mapping[ParticipantId, Quality]:
        """Returns how good the lines of those are who were told so."""
        return self._qualities

    @property
    def recorder(self) -> Recorder | None:
        """Returns what staff were told last of the recording."""
        return self._recorder

    def consent_withdrawn(self, pupils: frozenset[PersonId]) -> None:
        """Leaves these pupils out of the recording from now on."""
        if pupils != self._effects.withdrawn:
            self._effects.withdrawn = pupils
            self._media_dirty = True
            self.batch_released()

    def recorder_says(self, status: Status | None) -> None:
        """Tells staff how the recording goes, where that has changed."""
        state = self.state
        if state.phase != "live":
            return
        decided = state.tools.recording
        since = (state.opened_at or 0.0) if decided is None else decided.since
        on = recording.is_on(state)
        if not on and self._recorder is None:
            return
        message = progress(recording.recording_id(state), on, since, self._now(), status)
        if self._recorder is not None and not is_news(self._recorder, message):
            return
        self._recorder = message
        frame = encode(message)
        for connection, _, role in self._audience():
            if role in STAFF_ROLES:
                connection.send_frame(frame)

    # ---- messages of clients ---------------------------------------------------------------

    def command(self, client: Client, message: Command, refused: Callable[[str], None]) -> None:
        """Decides a command; acknowledgement or error follows in the order of the log."""
        self._desk.take(client, message.id, message.command, client.actor, refused)

    def view(self, client: Client, message: View) -> None:
        """Takes what a page wants to receive."""
        client.view = message
        self._effects.update_one(self.state, client.session, client.participant, message)

    def report(self, client: Client, message: Report) -> None:
        """Takes the state of a device."""
        self._reports[client.participant] = message
        if self._sounds.get(client.participant) != message.sound:
            self._sounds[client.participant] = message.sound
            self._presence.mark(client.participant)

    # ---- the journal's listener ------------------------------------------------------------

    def event_released(self, event: Event, payload: bytes) -> None:
        """Tells those clients that may see it."""
        fact = event.event
        participant: ParticipantId | None = getattr(fact, "participant", None)
        if participant is not None:
            self._presence.mark(participant, moved=isinstance(fact, _MOVES))
        if isinstance(fact, StageEntered):
            # Pupils may not have been told who this is; they must know before they see them.
            self._presence.flush()
        self._tell(event, payload.decode())
        self._tools.mark(fact)
        self._clock.changed()
        match fact:
            case ParticipantLeft(_, "arrived"):
                self.seats.dismiss(fact.participant, _ARRIVED)
            case ParticipantLeft(_, "removed"):
                self.seats.dismiss(fact.participant, _REMOVED)
            case SlideTurned(document, page) if document is not None:
                self.ink.show((document, page))
            case InkCleared(document, page):
                self.ink.clear((document, page))
            case EchoFound() | EchoMuted():
                self._echo_steps[str(type(fact).__struct_config__.tag)] += 1
            case _:
                pass
        self._media_dirty = self._media_dirty or changes_media(self.state, fact)
        if isinstance(fact, LessonClosed):
            self._closed.set()

    def batch_released(self) -> None:
        """Brings the media to the new state."""
        if not self._media_dirty:
            return
        self._media_dirty = False
        clients = self.seats.clients.values()
        self._effects.update(
            self.state,
            [(c.session, c.participant, c.view) for c in clients if c.is_open],
            [guest.session for guest in self.seats.guests.values() if guest.is_viewer],
        )

    def log_down(self) -> None:
        """Tells clients that commands are refused for now."""
        logger.error("lesson %s: log is away; commands are refused", self.lesson)
        self._broadcast(encode(to_message(log_unavailable())))

    async def log_read(self) -> None:
        """Finds out which commands that were answered with an error are in the log after all."""
        await self._desk.clear_doubts(self.seats.clients)

    def log_up(self) -> None:
        """Submits what has become different meanwhile."""
        self.facts.reconcile()

    # ---- from the media plane --------------------------------------------------------------

    def speakers_changed(self, participants: Sequence[ParticipantId]) -> None:
        """Tells who speaks; of rooms that are listened in to only lead and co-lead."""
        private = heard_by_leads_only(self.state)
        to_leads = encode(Speakers(tuple(participants)))
        to_others = encode(Speakers(tuple(p for p in participants if p not in private)))
        for connection, _, role in self._audience():
            connection.send_frame(to_leads if role in LEAD_ROLES else to_others)

    def send(self, session: SessionId, message: MediaMessage) -> None:
        """Delivers a media message."""
        client = self.seats.clients.get(session)
        if client is None or client.connection is None:
            return
        if isinstance(message, Quality):
            self._qualities[client.participant] = message
        if client.is_welcome:
            client.connection.send(message)
        else:
            client.early.append(message)

    # ---- inside ----------------------------------------------------------------------------

    def _is_here(self, participant: ParticipantId) -> bool:
        return self.seats.is_here(participant)

    def _shown_ink(self) -> InkPage | None:
        return self.ink.shown()

    def _tell(self, event: Event, frame: str) -> None:
        who = audience(event.event, self.state)
        if who.scope == "all":
            self._broadcast(frame)
            return
        for _, connection, _ in self.seats.clients.reached(who, self.state):
            connection.send_frame(frame)

    def _broadcast(self, frame: str) -> None:
        for _, connection in self.seats.clients.audience():
            connection.send_frame(frame)

    def _audience(self) -> Iterator[tuple[Connection, ParticipantId, Role]]:
        for client, connection in self.seats.clients.audience():
            yield connection, client.participant, client.actor.role
