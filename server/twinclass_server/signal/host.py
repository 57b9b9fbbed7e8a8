"""The host of one live lesson: clients on one side, the journal and the media plane on the other.

Facts (who is connected, which sources arrive) are kept here and told to the core as commands.
While the log is away they only change here; when it is back ``_reconcile`` submits what has
become different. So nothing internal is ever queued, and media never waits for Redis.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from twinclass_server.adapters.redis_connection import log_unavailable
from twinclass_server.adapters.redis_lease import Lease, LeaseLost
from twinclass_server.adapters.redis_log import LessonLog
from twinclass_server.adapters.redis_records import LessonRecords
from twinclass_server.errors import (
    CLOSE_CONFLICT,
    CLOSE_GONE,
    CLOSE_RESTART,
    CLOSE_SUPERSEDED,
    to_message,
)
from twinclass_server.signal.client import Client, Guest
from twinclass_server.signal.connection import Connection, encode
from twinclass_server.signal.effects import MediaEffects, changes_media
from twinclass_server.signal.journal import Journal
from twinclass_server.signal.presence import PresenceBoard
from twinclass_signaling.errors import Conflict, SignalingError, Unavailable
from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId, SessionId
from twinclass_signaling.lesson.commands import (
    SYSTEM,
    Actor,
    EndPublication,
    Join,
    Leave,
    LessonCommand,
    Lose,
    StartPublication,
)
from twinclass_signaling.lesson.events import LessonClosed, StageEntered
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.views import Person, Sound, lesson_view
from twinclass_signaling.messages import (
    Ack,
    Authenticate,
    CloseLesson,
    Command,
    Event,
    Fenced,
    Goodbye,
    OpenLesson,
    Report,
    Speakers,
    Text,
    View,
    Welcome,
)
from twinclass_signaling.permissions import may_command, may_publish
from twinclass_signaling.ports import MediaMessage, MediaPlane
from twinclass_signaling.roles import Role, Source
from twinclass_signaling.session import SessionRecord, Sessions, hash_secret
from twinclass_signaling.settings import LessonSettings
from twinclass_signaling.tokens import Claims

logger = logging.getLogger(__name__)

_TICK_S = 1.0
#: Acknowledged commands that are remembered of one session.
_ACKS_KEPT = 256


@dataclass(slots=True)
class HostParts:
    """What a host is made of; loaded by ``lessons.load``."""

    state: LessonState
    log: LessonLog
    lease: Lease
    records: LessonRecords
    media: MediaPlane
    settings: LessonSettings
    wall_clock: Callable[[], float]
    people: dict[ParticipantId, Person] = field(default_factory=dict)
    sessions: list[SessionRecord] = field(default_factory=list)


class LessonHost:
    """Owns one lesson while this process holds its lease."""

    def __init__(self, parts: HostParts) -> None:
        self.lesson: LessonId = parts.state.id
        self.clients: dict[SessionId, Client] = {}
        self.guests: dict[SessionId, Guest] = {}
        self.media = parts.media
        self.lease = parts.lease
        self._settings = parts.settings
        self.log = parts.log
        self._records = parts.records
        self._now = parts.wall_clock
        self._people = parts.people
        self._sounds: dict[ParticipantId, Sound] = {}
        self._sessions = Sessions(parts.settings.seat_keep_s, parts.sessions)
        self._journal = Journal(
            parts.state,
            parts.log,
            parts.lease,
            self,
            append_s=parts.settings.append_ms / 1000,
            snapshot_every=parts.settings.snapshot_every,
        )
        self._effects = MediaEffects(parts.media)
        self._media_dirty = True
        self._publications: set[tuple[ParticipantId, Source]] = {
            (participant, source)
            for participant, seat in parts.state.seats.items()
            for source in seat.sources
        }
        self._presence = PresenceBoard(
            lambda: self.state, self._people, self._sounds, self._audience
        )
        self._unsaved: set[ParticipantId] = set()
        self._doubtful: set[SessionId] = set()
        self._closed = asyncio.Event()
        for record in parts.sessions:
            # Whoever was connected to the former process has from now on to come back.
            if record.detached_at is None:
                record.detached_at = self._now()
            actor = Actor(record.participant, record.role, record.room)
            self.clients[record.session] = Client(record.session, actor)

    # ---- what others may ask ---------------------------------------------------------------

    @property
    def state(self) -> LessonState:
        """Returns the committed state."""
        return self._journal.committed

    @property
    def is_log_up(self) -> bool:
        """Tells whether commands are taken now."""
        return self._journal.is_up

    def connected(self) -> Iterator[Client]:
        """Yields the clients that have a line."""
        return (client for client in list(self.clients.values()) if client.connection is not None)

    def _lines(self) -> list[Connection]:
        return [
            client.connection for client in self.clients.values() if client.connection is not None
        ]

    # ---- life ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serves the lesson until it is closed.

        Raises:
            LeaseLost: another process owns the lesson.
            InvalidState: the log has lost what was acknowledged.
        """
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._journal.run(), name=f"journal {self.lesson}"),
                    group.create_task(self.lease.keep(), name=f"lease {self.lesson}"),
                    group.create_task(
                        self._presence.run(self._settings.presence_ms / 1000),
                        name=f"presence {self.lesson}",
                    ),
                    group.create_task(self._tick(), name=f"tick {self.lesson}"),
                ]
                self._reconcile()
                await self._closed.wait()
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as errors:
            lost = errors.subgroup(LeaseLost)
            raise (lost or errors).exceptions[0] from errors

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            now = self._now()
            for record in self._sessions.expire(now):
                self._forget(record)
            if self._journal.is_up:
                self._leave_the_lost(now)
                await self._save_unsaved()

    def _leave_the_lost(self, now: float) -> None:
        for participant, seat in list(self._journal.head.seats.items()):
            over = seat.presence == "lost" and now - seat.lost_at >= self._settings.seat_keep_s
            if over and not self._is_here(participant):
                self._tell(Leave(participant, "timeout"))

    def say_goodbye(self, goodbye: Goodbye) -> None:
        """Tells every client that this process ends its connection."""
        frame = encode(goodbye)
        code = CLOSE_GONE if goodbye.reason == "lesson_closed" else CLOSE_RESTART
        for connection in self._lines():
            connection.send_frame(frame)
            connection.close(code)

    # ---- seats -----------------------------------------------------------------------------

    async def enter(self, claims: Claims, message: Authenticate, connection: Connection) -> Client:
        """Gives a seat to a connection and sends it the Welcome.

        Raises:
            SignalingError: the lesson is over or full, the seat taken, the log or the media away.
        """
        actor = Actor(claims.participant, claims.role, claims.room_id)
        current = self._sessions.of(actor.participant)
        if not message.use_here and current is not None and current.detached_at is None:
            self._refuse_taken(current, message)
        await self._take_seat(actor)
        secret = secrets.token_urlsafe(32)
        offered = SessionRecord(
            SessionId(secrets.token_urlsafe(12)),
            actor.participant,
            actor.role,
            actor.room,
            hash_secret(secret),
        )
        admission = self._sessions.admit(
            offered, message.resume, use_here=message.use_here, now=self._now()
        )
        record = admission.record
        if admission.fenced is not None:
            self._fence(admission.fenced)
        client = self._attach(record, actor, connection)
        self._people[actor.participant] = Person(claims.name, claims.school)
        try:
            await self._save(record)
            if admission.resumed:
                await self._load_acks(client)
            is_alive = await self.media.open_session(
                self.lesson, record.session, actor.participant, message.client.video_codecs
            )
        except BaseException:
            self.leave(client, connection)
            raise
        if client.connection is not connection:
            # Another connection of the same seat has overtaken this one meanwhile.
            raise Conflict("superseded", "已在别处连接。", "Another connection took over.")
        connection.send(self._welcome(client, secret, resumed=admission.resumed and is_alive))
        self._effects.update_one(self.state, record.session, client.participant, client.view)
        self._presence.mark(client.participant)
        return client

    def _refuse_taken(self, current: SessionRecord, message: Authenticate) -> None:
        resume = message.resume
        if resume is None or resume.session != current.session:
            raise Conflict(
                "seat_taken",
                "这个座位正在另一台设备上使用。",
                "This seat is in use on another device.",
            )

    async def _take_seat(self, actor: Actor) -> None:
        join = Join(actor.participant, actor.role, actor.room)
        seat = self._journal.head.seats.get(actor.participant)
        if not self._journal.is_up and seat is not None and seat.presence != "left":
            return  # The seat is theirs; that they are back is told when the log is.
        await self._journal.commit(join, SYSTEM, self._now())

    def _attach(self, record: SessionRecord, actor: Actor, connection: Connection) -> Client:
        client = self.clients.get(record.session)
        if client is None:
            client = self.clients[record.session] = Client(record.session, actor)
        elif client.connection is not None:
            client.connection.close(CLOSE_SUPERSEDED)
        client.actor = actor
        client.connection = connection
        return client

    def _fence(self, record: SessionRecord) -> None:
        client = self.clients.pop(record.session, None)
        self._effects.forget(record.session)
        self.media.remove_session(self.lesson, record.session)
        if client is not None and client.connection is not None:
            client.connection.send(
                Fenced(
                    Text(
                        "这个座位已在另一台设备上打开。",
                        "This seat has been opened on another device.",
                    )
                )
            )
            client.connection.close(CLOSE_CONFLICT)
            client.connection = None

    def _welcome(self, client: Client, secret: str, *, resumed: bool) -> Welcome:
        actor = client.actor
        planned = self.state.plan.room(actor.participant)
        person = self._people.get(actor.participant, Person())
        return Welcome(
            session=client.session,
            secret=secret,
            resumed=resumed,
            participant=actor.participant,
            role=actor.role,
            name=planned.name if planned is not None else person.name,
            room=actor.room,
            lesson=lesson_view(
                self.state, actor.participant, actor.role, self._people, self._sounds
            ),
            server_time=self._now(),
            may_publish=may_publish(actor.role),
            may_command=may_command(actor.role),
        )

    def leave(self, client: Client, connection: Connection) -> None:
        """Notes that a connection is gone; the seat is kept."""
        if client.connection is not connection:
            return
        client.connection = None
        self._sounds.pop(client.participant, None)
        record = self._sessions.detach(client.session, self._now())
        if record is not None:
            self._unsaved.add(record.participant)
        if not self._is_here(client.participant):
            self._tell(Lose(client.participant))

    def _forget(self, record: SessionRecord) -> None:
        self.clients.pop(record.session, None)
        self._effects.forget(record.session)
        self.media.remove_session(self.lesson, record.session)
        self._unsaved.add(record.participant)

    def _is_here(self, participant: ParticipantId) -> bool:
        return any(client.participant == participant for client in self.connected()) or any(
            guest.actor.participant == participant for guest in self.guests.values()
        )

    # ---- guests: WHIP and WHEP sessions, which have no WebSocket ---------------------------

    async def admit_guest(self, claims: Claims, guest: Guest) -> None:
        """Gives a seat to a session without a WebSocket; raises as ``enter`` does."""
        await self._take_seat(guest.actor)
        self._people.setdefault(claims.participant, Person(claims.name, claims.school))
        self._unsaved.add(claims.participant)
        self.guests[guest.session] = guest
        self._effects.update_grants(self.state, claims.participant)
        self._presence.mark(claims.participant)

    def release_guest(self, session: SessionId) -> None:
        """Ends a guest's session."""
        guest = self.guests.pop(session, None)
        self._effects.forget(session)
        if guest is not None and not self._is_here(guest.actor.participant):
            self._tell(Lose(guest.actor.participant))

    # ---- messages of clients ---------------------------------------------------------------

    def command(self, client: Client, message: Command) -> None:
        """Decides a command; acknowledgement or error follows in the order of the log."""
        connection = client.connection
        if connection is None:
            return
        if message.id in client.acks:
            seq = client.acks[message.id]
            if seq is not None:
                connection.send(Ack(message.id, seq))
            return
        while len(client.acks) >= _ACKS_KEPT:
            del client.acks[next(iter(client.acks))]
        client.acks[message.id] = None

        def done(seq: EventSeq) -> None:
            client.acks[message.id] = seq
            if client.connection is not None:
                client.connection.send(Ack(message.id, seq))

        def failed(error: SignalingError) -> None:
            client.acks.pop(message.id, None)
            if isinstance(error, Unavailable):
                self._doubtful.add(client.session)
            if client.connection is not None:
                client.connection.send(to_message(error, command=message.id))

        try:
            self._journal.submit(
                message.command,
                client.actor,
                self._now(),
                done=done,
                failed=failed,
                ack=(client.session, message.id),
            )
        except SignalingError as error:
            failed(error)

    def view(self, client: Client, message: View) -> None:
        """Takes what a page wants to receive."""
        client.view = message
        self._effects.update_one(self.state, client.session, client.participant, message)

    def report(self, client: Client, message: Report) -> None:
        """Takes the state of a device."""
        if self._sounds.get(client.participant) != message.sound:
            self._sounds[client.participant] = message.sound
            self._presence.mark(client.participant)

    async def operate(self, command: OpenLesson | CloseLesson) -> None:
        """Opens or closes the lesson from the private listener; raises as ``Journal.submit``."""
        await self._journal.commit(command, SYSTEM, self._now())

    # ---- the journal's listener ------------------------------------------------------------

    def event_released(self, event: Event, payload: bytes) -> None:
        """Tells all clients."""
        fact = event.event
        participant: ParticipantId | None = getattr(fact, "participant", None)
        if participant is not None:
            self._presence.mark(participant)
        if isinstance(fact, StageEntered):
            # Pupils may not have been told who this is; they must know before they see them.
            self._presence.flush()
        frame = payload.decode()
        for connection in self._lines():
            connection.send_frame(frame)
        self._media_dirty = self._media_dirty or changes_media(self.state, fact)
        if isinstance(fact, LessonClosed):
            self._closed.set()

    def batch_released(self) -> None:
        """Brings the media to the new state."""
        if self._media_dirty:
            self._media_dirty = False
            self._effects.update(
                self.state,
                [
                    (client.session, client.participant, client.view)
                    for client in self.clients.values()
                ],
                [guest.session for guest in self.guests.values() if guest.is_viewer],
            )

    def log_down(self) -> None:
        """Tells clients that commands are refused for now."""
        logger.error("lesson %s: log is away; commands are refused", self.lesson)
        frame = encode(to_message(log_unavailable()))
        for connection in self._lines():
            connection.send_frame(frame)

    async def log_read(self) -> None:
        """Finds out which commands that were answered with an error are in the log after all."""
        while self._doubtful:
            client = self.clients.get(self._doubtful.pop())
            if client is not None:
                await self._load_acks(client)

    def log_up(self) -> None:
        """Submits what has become different meanwhile."""
        self._reconcile()

    def _reconcile(self) -> None:
        head = self._journal.head
        for participant, seat in list(head.seats.items()):
            is_here = self._is_here(participant)
            if seat.presence == "present" and not is_here:
                self._tell(Lose(participant))
            elif seat.presence == "lost" and is_here:
                self._tell(Join(participant, seat.role, seat.room))
            for source in list(seat.sources):
                if (participant, source) not in self._publications:
                    self._tell(EndPublication(participant, source))
        for participant, source in self._publications:
            self._tell(StartPublication(participant, source))

    def _tell(self, command: LessonCommand) -> None:
        try:
            self._journal.submit(command, SYSTEM, self._now())
        except Unavailable:
            pass  # A fact: _reconcile finds it.
        except SignalingError as error:
            logger.warning("lesson %s: %s refused: %s", self.lesson, type(command), error.code)

    # ---- the media plane's listener --------------------------------------------------------

    def publication_started(self, participant: ParticipantId, source: Source) -> None:
        """Notes that a source arrives."""
        self._publications.add((participant, source))
        self._tell(StartPublication(participant, source))

    def publication_ended(self, participant: ParticipantId, source: Source) -> None:
        """Notes that a source has ceased."""
        self._publications.discard((participant, source))
        self._tell(EndPublication(participant, source))

    def speakers_changed(self, participants: Sequence[ParticipantId]) -> None:
        """Tells all clients who speaks."""
        frame = encode(Speakers(tuple(participants)))
        for connection in self._lines():
            connection.send_frame(frame)

    def send(self, session: SessionId, message: MediaMessage) -> None:
        """Delivers a media message."""
        client = self.clients.get(session)
        if client is not None and client.connection is not None:
            client.connection.send(message)

    # ---- records ---------------------------------------------------------------------------

    async def _save(self, record: SessionRecord) -> None:
        person = self._people.get(record.participant)
        try:
            await self._records.put_session(self.lesson, record)
            if person is not None:
                await self._records.put_person(self.lesson, record.participant, person)
        except Unavailable:
            self._unsaved.add(record.participant)

    async def _save_unsaved(self) -> None:
        waiting, self._unsaved = self._unsaved, set()
        for participant in waiting:
            record = self._sessions.of(participant)
            if record is not None:
                await self._save(record)
            else:
                try:
                    await self._records.drop_session(self.lesson, participant)
                except Unavailable:
                    self._unsaved.add(participant)

    async def _load_acks(self, client: Client) -> None:
        try:
            found = await self.log.acknowledged(client.session)
        except Unavailable:
            return
        for command, seq in found.items():
            client.acks.setdefault(command, seq)

    def _audience(self) -> list[tuple[Connection, ParticipantId, Role]]:
        return [
            (client.connection, client.participant, client.actor.role)
            for client in self.connected()
            if client.connection is not None
        ]
