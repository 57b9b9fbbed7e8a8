"""Who is here, gathered: seats that changed go out together, not one message each.

26 rooms that join within a minute, each told to 270 clients, would be 7,000 messages; gathered
over 200 ms they are a few hundred small ones.

Of a home only staff are told; for all others a number changes. In a large lesson the numbers are
gathered for longer, in proportion to those who are told: then a join costs the same number of
messages whether 50 or 500 are here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from twinclass_server.connection import encode
from twinclass_server.signal.clients import Clients
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.views import Person, Sound, counts, may_see, participant_view
from twinclass_signaling.lesson.visibility import Audience
from twinclass_signaling.messages import Presence

#: Gathering of numbers for each page: up to 50 pages there is no wait beyond ``presence_ms``.
COUNTS_EACH_S = 0.004
#: A number that is older would be noticed beside what is said in the lesson.
MAX_COUNTS_S = 2.0


class PresenceBoard:
    """Gathers changed seats of one lesson and tells each client those it may see."""

    def __init__(
        self,
        state: Callable[[], LessonState],
        people: Mapping[ParticipantId, Person],
        sounds: Mapping[ParticipantId, Sound],
        clients: Clients,
    ) -> None:
        self._state = state
        self._people = people
        self._sounds = sounds
        self._clients = clients
        self._dirty: dict[ParticipantId, None] = {}
        self._has_moved = False
        self._wake = asyncio.Event()
        #: Those who were told no seat have not been told the numbers either.
        self._counts_owed = asyncio.Event()

    def mark(self, participant: ParticipantId, *, moved: bool = False) -> None:
        """Notes that a seat has changed; ``moved``: so has who is here."""
        self._dirty[participant] = None
        self._has_moved = self._has_moved or moved
        self._wake.set()

    def flush(self) -> None:
        """Tells now what has been gathered, but for numbers alone."""
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
        who = Audience("all") if public else Audience("staff", tuple(hidden))
        for _, connection, viewer in self._clients.reached(who, state):
            if viewer.is_staff:
                connection.send_frame(to_staff)
            elif viewer.participant in hidden:
                connection.send(Presence(now_here, (*public, hidden[viewer.participant])))
            else:
                connection.send_frame(to_others)
        if public:
            self._counts_owed.clear()
        elif self._has_moved:
            self._counts_owed.set()
        self._has_moved = False

    def flush_counts(self) -> None:
        """Tells the numbers to those who are told of no seats."""
        self._counts_owed.clear()
        state = self._state()
        frame = encode(Presence(counts(state), ()))
        for _, connection, viewer in self._clients.reached(Audience("all"), state):
            if not viewer.is_staff:
                connection.send_frame(frame)

    async def run(self, gather_s: float) -> None:
        """Flushes at most once in ``gather_s``, numbers alone in a time of their own, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._run_seats(gather_s), name="presence seats")
            group.create_task(self._run_counts(gather_s), name="presence counts")

    async def _run_seats(self, gather_s: float) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(gather_s)
            self._wake.clear()
            self.flush()

    async def _run_counts(self, gather_s: float) -> None:
        while True:
            await self._counts_owed.wait()
            longer_s = min(MAX_COUNTS_S, len(self._clients) * COUNTS_EACH_S) - gather_s
            if longer_s > 0:
                await asyncio.sleep(longer_s)
            if self._counts_owed.is_set():
                self.flush_counts()
