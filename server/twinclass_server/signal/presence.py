"""Who is here, gathered: seats that changed go out together, not one message each.

26 rooms that join within a minute, each told to 270 clients, would be 7,000 messages; gathered
over 200 ms they are a few hundred small ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from twinclass_server.connection import Connection, encode
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.views import (
    STAFF_ROLES,
    Person,
    Sound,
    counts,
    may_see,
    participant_view,
)
from twinclass_signaling.messages import Presence
from twinclass_signaling.roles import Role

Audience = Callable[[], Iterable[tuple[Connection, ParticipantId, Role]]]


class PresenceBoard:
    """Gathers changed seats of one lesson and tells each client those it may see."""

    def __init__(
        self,
        state: Callable[[], LessonState],
        people: Mapping[ParticipantId, Person],
        sounds: Mapping[ParticipantId, Sound],
        audience: Audience,
    ) -> None:
        self._state = state
        self._people = people
        self._sounds = sounds
        self._audience = audience
        self._dirty: dict[ParticipantId, None] = {}
        self._wake = asyncio.Event()

    def mark(self, participant: ParticipantId) -> None:
        """Notes that a seat has changed."""
        self._dirty[participant] = None
        self._wake.set()

    def flush(self) -> None:
        """Tells now what has been gathered."""
        if not self._dirty:
            return
        state = self._state()
        views = [
            participant_view(state, participant, self._people, self._sounds)
            for participant in self._dirty
        ]
        self._dirty.clear()
        now_here = counts(state)
        to_staff = encode(Presence(now_here, tuple(views)))
        public = [view for view in views if may_see(state, None, False, view.id)]
        to_others = encode(Presence(now_here, tuple(public)))
        hidden = {view.id: view for view in views if view not in public}
        for connection, viewer, role in self._audience():
            if role in STAFF_ROLES:
                connection.send_frame(to_staff)
            elif viewer in hidden:
                connection.send(Presence(now_here, (*public, hidden[viewer])))
            else:
                connection.send_frame(to_others)

    async def run(self, gather_s: float) -> None:
        """Flushes at most once in ``gather_s``, for ever."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(gather_s)
            self._wake.clear()
            self.flush()
