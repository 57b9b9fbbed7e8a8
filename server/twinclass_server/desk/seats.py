"""Who is at a desk: devices come in, resume, are fenced, are lost and forgotten."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from twinclass_server.adapters.redis_desk import EveningRecords
from twinclass_server.connection import Connection
from twinclass_server.desk.client import DeskClient
from twinclass_server.errors import CLOSE_CONFLICT, CLOSE_SUPERSEDED, to_message
from twinclass_signaling.desk.commands import Actor
from twinclass_signaling.desk.directory import Known
from twinclass_signaling.errors import Conflict, Unavailable
from twinclass_signaling.ids import ParticipantId, PersonId, SessionId
from twinclass_signaling.messages import Fenced, Resume, Text
from twinclass_signaling.session import SessionRecord, Sessions, hash_secret

logger = logging.getLogger(__name__)

_SUPERSEDED = Conflict("superseded", "已在别处连接。", "Another connection took over.")
_FENCED = Fenced(
    Text("已在另一台设备上打开答疑。", "The desk has been opened on another device of yours.")
)


@dataclass(frozen=True, slots=True)
class Seated:
    """A device that came in. ``secret``: what brings it back, once."""

    client: DeskClient
    secret: str
    resumed: bool


@dataclass(slots=True)
class _Late:
    sessions: dict[str, SessionRecord | None] = field(default_factory=dict)
    people: dict[PersonId, Known] = field(default_factory=dict)


class Seats:
    """The devices of one evening; one a person."""

    def __init__(
        self,
        keep_s: float,
        records: EveningRecords,
        former: Iterable[SessionRecord],
        people: dict[PersonId, Known],
        clock: Callable[[], float],
    ) -> None:
        former = list(former)
        self.clients: dict[SessionId, DeskClient] = {}
        self.people = people
        self._sessions = Sessions(keep_s, former)
        self._records = records
        self._now = clock
        self._late = _Late()
        #: Told when the media of a device is to end.
        self.forgotten: Callable[[SessionId], None] = lambda _: None
        for record in former:
            # Whoever was connected to the former process has from now on to come back.
            if record.detached_at is None:
                record.detached_at = clock()
            actor = Actor(PersonId(record.participant), record.role)
            self.clients[record.session] = DeskClient(record.session, actor)

    # ---- who is here -----------------------------------------------------------------------

    def of(self, person: PersonId) -> DeskClient | None:
        """Returns somebody's device."""
        record = self._sessions.of(ParticipantId(person))
        return None if record is None else self.clients.get(record.session)

    def is_here(self, person: PersonId) -> bool:
        """Tells whether somebody has a line."""
        client = self.of(person)
        return client is not None and client.connection is not None

    def connected(self) -> Iterator[DeskClient]:
        """Yields the devices that have a line."""
        return (one for one in list(self.clients.values()) if one.connection is not None)

    def welcomed(self) -> Iterator[DeskClient]:
        """Yields the devices that were welcomed; the others read all in their Welcome."""
        return (one for one in self.connected() if one.is_welcome)

    # ---- coming and going ------------------------------------------------------------------

    def take(
        self, actor: Actor, known: Known, resume: Resume | None, connection: Connection
    ) -> Seated:
        """Gives a device its place; the device that had it before is told so."""
        secret = secrets.token_urlsafe(24)
        offered = SessionRecord(
            SessionId(secrets.token_urlsafe(9)),
            ParticipantId(actor.person),
            actor.role,
            None,
            hash_secret(secret),
        )
        admission = self._sessions.admit(offered, resume, use_here=True, now=self._now())
        record = admission.record
        if admission.fenced is not None:
            self._fence(admission.fenced.session)
        client = self.clients.get(record.session)
        if client is None:
            client = self.clients[record.session] = DeskClient(record.session, actor)
        elif client.connection is not None:
            # Told, not only closed: a page that came back by itself would take the place again,
            # and two of them would do so for ever.
            client.connection.send(to_message(_SUPERSEDED, fatal=True))
            client.connection.close(CLOSE_SUPERSEDED)
        client.actor, client.connection, client.is_welcome = actor, connection, False
        client.early.clear()
        if self.people.get(actor.person) != known:
            self.people[actor.person] = known
            self._late.people[actor.person] = known
        self._late.sessions[record.participant] = record
        return Seated(client, secret, admission.resumed)

    def leave(self, client: DeskClient, connection: Connection) -> bool:
        """Notes that a connection is gone; True when it was the device's present one."""
        if client.connection is not connection:
            return False
        client.connection = None
        record = self._sessions.detach(client.session, self._now())
        if record is not None:
            self._late.sessions[record.participant] = record
        return True

    def expire(self) -> None:
        """Forgets devices whose time is over."""
        for record in self._sessions.expire(self._now()):
            self.clients.pop(record.session, None)
            self.forgotten(record.session)
            self._late.sessions[record.participant] = None

    def _fence(self, session: SessionId) -> None:
        client = self.clients.pop(session, None)
        self.forgotten(session)
        if client is not None and client.connection is not None:
            client.connection.send(_FENCED)
            client.connection.close(CLOSE_CONFLICT)
            client.connection = None

    async def save(self) -> None:
        """Writes what has changed to Redis, in one go; what it does not take, waits."""
        late, self._late = self._late, _Late()
        if not late.sessions and not late.people:
            return
        try:
            await self._records.put(late.sessions, late.people)
        except Unavailable:
            # What has changed meanwhile is newer.
            self._late.sessions = {**late.sessions, **self._late.sessions}
            self._late.people = {**late.people, **self._late.people}
