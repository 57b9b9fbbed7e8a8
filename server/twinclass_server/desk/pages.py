"""The desk on everybody's page: what changed is gathered, worked out for each, and sent once.

Whose question or session it is, is told within ``GATHER_S``; those who only see that places in a
queue have moved, within ``QUEUE_S``, because with a thousand questions a minute these move all the
time. A page is sent its whole view, and only when it differs from the one it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from twinclass_server.desk.client import DeskClient
from twinclass_signaling.desk.directory import Known
from twinclass_signaling.desk.plan import queue_key
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.desk.view_types import DeskView
from twinclass_signaling.desk.views import view, views
from twinclass_signaling.desk.visibility import Touched
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

#: Longer than a burst of taps, shorter than anybody notices.
GATHER_S = 0.1
#: A place in a queue is read, not watched.
QUEUE_S = 2.0
#: Waits grow shorter by time alone, and what others share and who is on duty changes all the time:
#: everybody is told afresh.
WAIT_S = 15.0
#: Views that are made in one go: some 10 ms, so that nobody's command waits for them.
SLICE = 200

_STAFF = frozenset({Role.MODERATOR, Role.DUTY_PLANNER, Role.SAFEGUARDING})
_encoder = msgspec.json.Encoder()


class Pages:
    """What everybody's page of one evening shows. ``clients`` are those with a line, welcomed."""

    def __init__(
        self,
        state: Callable[[], DeskState],
        people: Mapping[PersonId, Known],
        clients: Callable[[], Iterator[DeskClient]],
        clock: Callable[[], float],
    ) -> None:
        self._state = state
        self._people = people
        self._clients = clients
        self._now = clock
        self._touched: set[PersonId] = set()
        self._queues: set[str] = set()
        self._all = False
        self._staff = False
        self._wake = asyncio.Event()

    def mark(self, touched: Touched) -> None:
        """Notes what an event has changed."""
        self._touched |= touched.people
        self._queues |= touched.queues
        self._all = self._all or touched.all
        self._staff = True
        self._wake.set()

    def first(self, client: DeskClient) -> DeskView | None:
        """Returns what a page is shown that comes in now."""
        found = view(self._state(), client.actor, self._people, self._now())
        client.shown = _encoder.encode(found)
        return found

    async def run(self) -> None:
        """Tells pages for ever."""
        loop = asyncio.get_running_loop()
        queues_at = waits_at = loop.time()
        while True:
            try:
                async with asyncio.timeout(QUEUE_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(GATHER_S)
            self._wake.clear()
            now = loop.time()
            queues: set[str] = set()
            if now - queues_at >= QUEUE_S:
                queues_at, queues, self._queues = now, self._queues, set()
            is_wait = now - waits_at >= WAIT_S
            if is_wait:
                waits_at = now
            await self._tell(self._choose(queues, waits=is_wait))

    def _choose(self, queues: set[str], *, waits: bool) -> list[DeskClient]:
        touched, self._touched = self._touched, set()
        everybody, self._all = self._all, False
        staff, self._staff = self._staff, False
        if not (touched or everybody or staff or queues or waits):
            return []
        state = self._state()
        return [
            client
            for client in self._clients()
            if everybody
            or client.person in touched
            or (staff and client.actor.role in _STAFF)
            or any(child in touched for child in client.actor.children)
            or ((queues or waits) and _is_in(state, client, queues, waits=waits))
        ]

    async def _tell(self, clients: Sequence[DeskClient]) -> None:
        for first in range(0, len(clients), SLICE):
            part = clients[first : first + SLICE]
            now = self._now()
            made = views(self._state(), [client.actor for client in part], self._people, now)
            tail = b',"server_time":' + _encoder.encode(now) + b"}"
            for client, shown in zip(part, made, strict=True):
                if shown is None or client.connection is None or not client.is_welcome:
                    continue
                encoded = _encoder.encode(shown)
                if encoded != client.shown:
                    client.shown = encoded
                    frame = b'{"type":"view","view":' + encoded + tail
                    client.connection.send_frame(frame.decode())
            await asyncio.sleep(0)


def _is_in(state: DeskState, client: DeskClient, queues: set[str], *, waits: bool) -> bool:
    """Tells whether somebody waits in, or is on duty for, one of these queues.

    ``waits``: it is time to tell every pupil.
    """
    pupil = state.pupils.get(client.person)
    if pupil is not None:
        if waits or pupil.active is None:
            return waits
        question = state.questions[pupil.active]
        return queue_key(question.subject, question.grade) in queues
    duty = state.duties.get(client.person)
    return duty is not None and any(
        queue_key(subject, grade) in queues for subject in duty.subjects for grade in duty.grades
    )
