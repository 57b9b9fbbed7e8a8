"""Who sits where: connections come in, resume, are fenced, are lost and forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from twinclass_server.command_desk import CommandDesk
from twinclass_server.connection import Connection
from twinclass_server.errors import CLOSE_CONFLICT, CLOSE_SUPERSEDED
from twinclass_server.signal.client import Client, Guest
from twinclass_server.signal.clients import Clients
from twinclass_server.signal.effects import MediaEffects
from twinclass_server.signal.keeper import RecordKeeper
from twinclass_server.signal.lesson_journal import LessonJournal
from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import LessonId, ParticipantId, RoomId, SessionId
from twinclass_signaling.ink_messages import InkPage
from twinclass_signaling.lesson.commands import SYSTEM, Actor, Join
from twinclass_signaling.lesson.state import HOME_ROLES
from twinclass_signaling.lesson.views import Person, Sound, lesson_view
from twinclass_signaling.lesson.visibility import STAFF_ROLES
from twinclass_signaling.messages import (
    Authenticate,
    Fenced,
    Goodbye,
    Recorder,
    Text,
    Welcome,
)
from twinclass_signaling.permissions import may_command, may_publish
from twinclass_signaling.ports import MediaPlane
from twinclass_signaling.roles import Role
from twinclass_signaling.session import SessionRecord, Sessions, hash_secret
from twinclass_signaling.tokens import Claims
from twinclass_signaling.tool_views import ToolViews

#: Without these a lesson goes on: they are not let in where those inside would suffer.
SPARE_ROLES = HOME_ROLES | {Role.OBSERVER}
_FENCED = Fenced(
    Text("这个座位已在另一台设备上打开。", "This seat has been opened on another device.")
)


#: A room has a big screen, perhaps a second one, and a laptop that somebody opens.
MAX_COMPANIONS = 3


@dataclass(slots=True)
class SeatTools:
    """What the seats of a lesson work with."""

    lesson: LessonId
    #: Empty in the beginning, and changed by the seats alone.
    clients: Clients
    journal: LessonJournal
    media: MediaPlane
    effects: MediaEffects
    keeper: RecordKeeper
    desk: CommandDesk
    sessions: Sessions
    wall_clock: Callable[[], float]
    #: A participant's line came or went.
    changed: Callable[[ParticipantId], None]
    lost: Callable[[ParticipantId], None]
    there: Callable[[ParticipantId], None]
    #: The strokes of the page that is shown.
    shown_ink: Callable[[], InkPage | None]
    #: What staff were told last of the recording.
    recorder: Callable[[], Recorder | None]
    people: dict[ParticipantId, Person] = field(default_factory=dict)
    sounds: dict[ParticipantId, Sound] = field(default_factory=dict)


class Seats:
    """The clients and guests of one lesson."""

    def __init__(self, tools: SeatTools, former: Iterable[SessionRecord]) -> None:
        self.clients = tools.clients
        self.guests: dict[SessionId, Guest] = {}
        self._tools = tools
        self._lesson = tools.lesson
        for record in former:
            # Whoever was connected to the former process has from now on to come back.
            if record.detached_at is None:
                record.detached_at = tools.wall_clock()
            actor = Actor(record.participant, record.role, record.room)
            self.clients.put(Client(record.session, actor))

    def is_here(self, participant: ParticipantId) -> bool:
        """Tells whether a participant has any line."""
        lines = (client.connection for client in self.clients.of(participant))
        return any(line is not None for line in lines) or any(
            guest.actor.participant == participant for guest in self.guests.values()
        )

    # ---- pages -----------------------------------------------------------------------------

    async def enter(self, claims: Claims, message: Authenticate, connection: Connection) -> Client:
        """Gives a seat to a connection and sends it the Welcome.

        Raises:
            SignalingError: the lesson is over or full, the seat taken, the log or the media away.
        """
        tools = self._tools
        actor = Actor(claims.participant, claims.role, claims.room_id)
        companion = self._companion(actor, message)
        is_companion = companion is not None
        if companion is not None:
            actor = Actor(companion, actor.role, RoomId(actor.participant))
        self._refuse_taken(actor, message)
        await self._take_seat(actor, is_companion=is_companion)
        secret = secrets.token_urlsafe(32)
        offered = SessionRecord(
            SessionId(secrets.token_urlsafe(12)),
            actor.participant,
            actor.role,
            actor.room,
            hash_secret(secret),
        )
        admission = tools.sessions.admit(
            offered, message.resume, use_here=message.use_here, now=tools.wall_clock()
        )
        record = admission.record
        if admission.fenced is not None:
            self._fence(admission.fenced)
        client = self._attach(record, actor, connection)
        client.link = claims.lnk
        tools.there(client.participant)
        if not is_companion:
            tools.people[actor.participant] = Person(claims.name, claims.school)
        try:
            await tools.keeper.save(record)
            if admission.resumed:
                await tools.desk.resume(client)
            is_alive = await tools.media.open_session(
                self._lesson,
                record.session,
                actor.participant,
                message.client.video_codecs,
                needed=actor.role not in SPARE_ROLES,
            )
        except BaseException:
            self.leave(client, connection)
            raise
        client.is_open = True
        if client.connection is not connection:
            # Another connection of the same seat has overtaken this one meanwhile.
            raise Conflict("superseded", "已在别处连接。", "Another connection took over.")
        connection.send(self._welcome(client, secret, resumed=admission.resumed and is_alive))
        client.is_welcome = True
        ink = tools.shown_ink()
        if ink is not None:
            connection.send(ink)
        recorder = tools.recorder()
        if recorder is not None and actor.role in STAFF_ROLES:
            connection.send(recorder)
        early, client.early = client.early, []
        for said in early:
            connection.send(said)
        tools.effects.update_one(
            tools.journal.committed, record.session, client.participant, client.view
        )
        tools.changed(client.participant)
        return client

    def _refuse_taken(self, actor: Actor, message: Authenticate) -> None:
        """Refuses before anything has happened; ``Sessions.admit`` decides for good."""
        current = self._tools.sessions.of(actor.participant)
        if message.use_here or current is None or current.detached_at is not None:
            return
        if message.resume is None or message.resume.session != current.session:
            raise Conflict(
                "seat_taken",
                "这个座位正在另一台设备上使用。",
                "This seat is in use on another device.",
            )

    def _companion(self, actor: Actor, message: Authenticate) -> ParticipantId | None:
        """Returns the seat of a room's further device; None when this one gets the room's."""
        sessions, claimed = self._tools.sessions, message.resume
        if actor.role is not Role.ROOM or not message.companion:
            return None
        seats = [ParticipantId(f"{actor.participant}.c{n}") for n in range(1, MAX_COMPANIONS + 1)]
        for seat in seats:
            held = sessions.of(seat)
            if held is not None and claimed is not None and held.session == claimed.session:
                return seat
        first = sessions.of(actor.participant)
        has_sound = first is not None and first.detached_at is None
        if (
            first is None
            or not has_sound
            or (claimed is not None and claimed.session == first.session)
        ):
            return None
        for seat in seats:
            if sessions.of(seat) is None:
                return seat
        raise Conflict(
            "too_many_devices",
            "这间教室的设备太多，请先关闭一台。",
            "This room has too many devices; close one first.",
        )

    async def _take_seat(self, actor: Actor, *, is_companion: bool = False) -> None:
        journal = self._tools.journal
        if journal.committed.phase == "closed":
            # Its journal has ended, and the host is only here until the log is a file.
            raise Conflict("lesson_closed", "这节课已经结束。", "This lesson is over.")
        seat = journal.head.seats.get(actor.participant)
        if not journal.is_up and seat is not None and seat.presence != "left":
            return  # The seat is theirs; that they are back is told when the log is.
        join = Join(actor.participant, actor.role, actor.room, is_companion)
        await journal.commit(join, SYSTEM, self._tools.wall_clock())

    def _attach(self, record: SessionRecord, actor: Actor, connection: Connection) -> Client:
        client = self.clients.drop(record.session) or Client(record.session, actor)
        if client.connection is not None:
            client.connection.close(CLOSE_SUPERSEDED)
        client.actor = actor
        self.clients.put(client)
        client.connection = connection
        client.is_welcome = False
        client.early.clear()
        return client

    def _fence(self, record: SessionRecord) -> None:
        client = self.clients.drop(record.session)
        self._end_media(record.session)
        if client is not None and client.connection is not None:
            client.connection.send(_FENCED)
            client.connection.close(CLOSE_CONFLICT)
            client.connection = None

    def _welcome(self, client: Client, secret: str, *, resumed: bool) -> Welcome:
        tools, actor = self._tools, client.actor
        state = tools.journal.committed
        seat = state.seats.get(actor.participant)
        is_companion = seat is not None and seat.companion
        whose = actor.participant
        if is_companion and actor.room is not None:
            whose = ParticipantId(actor.room)
        planned = state.plan.room(whose)
        person = tools.people.get(whose, Person())
        lesson = lesson_view(state, actor.participant, actor.role, tools.people, tools.sounds)
        client.tools = {
            str(type(view).__struct_config__.tag): view
            for view in (getattr(lesson.tools, name) for name in ToolViews.__struct_fields__)
        }
        return Welcome(
            session=client.session,
            secret=secret,
            resumed=resumed,
            participant=actor.participant,
            role=actor.role,
            name=planned.name if planned is not None else person.name,
            room=actor.room,
            lesson=lesson,
            server_time=tools.wall_clock(),
            may_publish=() if is_companion else may_publish(actor.role),
            may_command=() if is_companion else may_command(actor.role),
            companion=is_companion,
        )

    def leave(self, client: Client, connection: Connection) -> None:
        """Notes that a connection is gone; the seat is kept."""
        if client.connection is not connection:
            return
        tools = self._tools
        client.connection = None
        tools.sounds.pop(client.participant, None)
        record = tools.sessions.detach(client.session, tools.wall_clock())
        if record is not None:
            tools.keeper.save_later(record.participant)
        tools.lost(client.participant)

    def dismiss(self, participant: ParticipantId, goodbye: Goodbye) -> None:
        """Ends a participant's session for good, with a notice."""
        tools = self._tools
        for guest in [one for one in self.guests.values() if one.actor.participant == participant]:
            # Who watches it ends all the rest of it (``http.whip``).
            tools.media.remove_session(self._lesson, guest.session)
            self.release_guest(guest.session)
        record = tools.sessions.of(participant)
        if record is None:
            return
        tools.sessions.drop(participant)
        tools.keeper.save_later(participant)
        client = self.clients.drop(record.session)
        self._end_media(record.session)
        if client is not None and client.connection is not None:
            client.connection.send(goodbye)
            client.connection.close(CLOSE_CONFLICT)
            client.connection = None

    def expire(self) -> None:
        """Forgets sessions whose time is over."""
        for record in self._tools.sessions.expire(self._tools.wall_clock()):
            self.clients.drop(record.session)
            self._end_media(record.session)
            self._tools.keeper.save_later(record.participant)

    def _end_media(self, session: SessionId) -> None:
        self._tools.effects.forget(session)
        self._tools.media.remove_session(self._lesson, session)

    # ---- guests: WHIP and WHEP sessions, which have no WebSocket ---------------------------

    async def admit_guest(self, claims: Claims, guest: Guest) -> None:
        """Gives a seat to a session without a WebSocket; raises as ``enter`` does."""
        tools = self._tools
        await self._take_seat(guest.actor)
        tools.people.setdefault(claims.participant, Person(claims.name, claims.school))
        tools.keeper.save_later(claims.participant)
        self.guests[guest.session] = guest
        tools.there(guest.actor.participant)
        tools.effects.update_grants(tools.journal.committed, claims.participant)
        tools.changed(claims.participant)

    def release_guest(self, session: SessionId) -> None:
        """Ends a guest's session; its media is the caller's."""
        guest = self.guests.pop(session, None)
        self._tools.effects.forget(session)
        if guest is not None:
            self._tools.lost(guest.actor.participant)
