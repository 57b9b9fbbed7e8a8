"""The clients of one lesson, found by whom they are for.

Most of what happens concerns the staff and one class. In a lesson of 500 those are found here
without a look at all the others, so that a join does not cost more the more have joined before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

from twinclass_server.connection import Connection
from twinclass_server.signal.client import Client
from twinclass_signaling.ids import ParticipantId, RoomId, SessionId
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.visibility import STAFF_ROLES, Audience, Viewer, viewer_of
from twinclass_signaling.roles import Role

_K = TypeVar("_K")


class Reached(NamedTuple):
    """A welcomed client that belongs to an audience."""

    client: Client
    connection: Connection
    viewer: Viewer


class Clients(Mapping[SessionId, Client]):
    """By session. A client's ``actor`` changes only between ``drop`` and ``put``."""

    def __init__(self) -> None:
        self._all: dict[SessionId, Client] = {}
        self._staff: dict[SessionId, Client] = {}
        self._classes: dict[RoomId, dict[SessionId, Client]] = {}
        self._people: dict[ParticipantId, dict[SessionId, Client]] = {}

    def __getitem__(self, session: SessionId) -> Client:
        return self._all[session]

    def __iter__(self) -> Iterator[SessionId]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def put(self, client: Client) -> None:
        """Adds a client whose session is not here yet."""
        session = client.session
        self._all[session] = client
        self._people.setdefault(client.participant, {})[session] = client
        if client.actor.role in STAFF_ROLES:
            self._staff[session] = client
        for room in _rooms(client):
            self._classes.setdefault(room, {})[session] = client

    def drop(self, session: SessionId) -> Client | None:
        """Removes and returns a client, if it is here."""
        client = self._all.pop(session, None)
        if client is None:
            return None
        self._staff.pop(session, None)
        _discard(self._people, client.participant, session)
        for room in _rooms(client):
            _discard(self._classes, room, session)
        return client

    def of(self, participant: ParticipantId) -> list[Client]:
        """Returns the clients on a seat."""
        return list(self._people.get(participant, {}).values())

    def connected(self) -> Iterator[tuple[Client, Connection]]:
        """Yields the clients that have a line."""
        for client in list(self._all.values()):
            if client.connection is not None:
                yield client, client.connection

    def audience(self) -> Iterator[tuple[Client, Connection]]:
        """Yields the clients that were welcomed; the others read all in their Welcome."""
        return (pair for pair in self.connected() if pair[0].is_welcome)

    def reached(self, who: Audience, state: LessonState) -> Iterator[Reached]:
        """Yields the welcomed clients that belong to an audience."""
        for client in self._candidates(who):
            connection = client.connection
            if connection is None or not client.is_welcome:
                continue
            viewer = viewer_of(state, client.participant)
            if viewer is not None and who.reaches(viewer):
                yield Reached(client, connection, viewer)

    def _candidates(self, who: Audience) -> list[Client]:
        """Returns all whom an audience may reach, and some more."""
        if who.scope == "all":
            return list(self._all.values())
        found: dict[SessionId, Client] = {}
        if who.scope in {"staff", "leads"} or who.assistants_of:
            found.update(self._staff)
        for participant in who.participants:
            found.update(self._people.get(participant, {}))
        for room in who.classes:
            found.update(self._classes.get(room, {}))
        return list(found.values())


def _rooms(client: Client) -> set[RoomId]:
    """Returns the class of a client; of a room's page also the room itself (a further device is
    not told from it here)."""
    found = {client.actor.room} if client.actor.room is not None else set[RoomId]()
    if client.actor.role is Role.ROOM:
        found.add(RoomId(client.participant))
    return found


def _discard(index: dict[_K, dict[SessionId, Client]], key: _K, session: SessionId) -> None:
    found = index.get(key, {})
    found.pop(session, None)
    if not found:
        index.pop(key, None)
