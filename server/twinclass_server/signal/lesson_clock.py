"""A lesson's timers: one wait for the next deadline of the state, one command when it has come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from twinclass_server.signal.facts import Facts
from twinclass_server.signal.lesson_journal import LessonJournal
from twinclass_signaling.lesson.commands import Tick
from twinclass_signaling.lesson.timers import next_deadline

#: The log may be away, or the wall clock be set: it is looked at again after this long.
_LOOK_S = 1.0
#: Ticks of timers that are over at once are not closer together.
_PAUSE_S = 0.02


class LessonClock:
    """Wakes when the state changes or a deadline comes."""

    def __init__(
        self, journal: LessonJournal, facts: Facts, wall_clock: Callable[[], float]
    ) -> None:
        self._journal = journal
        self._facts = facts
        self._now = wall_clock
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Notes that the state has changed."""
        self._changed.set()

    async def run(self) -> None:
        """Keeps time for ever."""
        while True:
            self._changed.clear()
            wait_s = _LOOK_S
            deadline = next_deadline(self._journal.head)
            if deadline is not None and self._journal.is_up:
                wait_s = min(_LOOK_S, deadline - self._now())
                if wait_s <= 0:
                    self._facts.tell(Tick())
                    wait_s = _PAUSE_S
            await self._wait(max(_PAUSE_S, wait_s))

    async def _wait(self, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await self._changed.wait()
        except TimeoutError:
            pass
