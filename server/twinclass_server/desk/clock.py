"""An evening's time: one wait for the next deadline of its state, ticks until nothing is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from twinclass_server.desk.facts import Facts
from twinclass_server.desk.journal import DeskJournal
from twinclass_signaling.desk.commands import Tick
from twinclass_signaling.desk.timers import next_deadline

#: The log may be away, or the wall clock be set: it is looked at again after this long.
LOOK_S = 1.0
#: Ticks in one go: a thousand questions expire at the close, and commands have their turn between.
MAX_TICKS = 64


class DeskClock:
    """Wakes when something was decided, or a deadline comes."""

    def __init__(self, journal: DeskJournal, facts: Facts, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._facts = facts
        self._now = clock
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Notes that something was decided."""
        self._changed.set()

    async def run(self) -> None:
        """Keeps time for ever."""
        while True:
            self._changed.clear()
            wait_s = LOOK_S
            if self._journal.is_up:
                wait_s = min(LOOK_S, self._give())
            if wait_s <= 0:
                await asyncio.sleep(0)
                continue
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _give(self) -> float:
        """Gives ticks while something is due; returns the seconds until the next."""
        for _ in range(MAX_TICKS):
            deadline = next_deadline(self._journal.head)
            if deadline is None:
                return LOOK_S
            wait_s = deadline - self._now()
            if wait_s > 0:
                return wait_s
            before = self._journal.head.seq
            self._facts.tell(Tick())
            if self._journal.head.seq == before:
                return LOOK_S  # Too many wait for the log; it goes on when they are in it.
        return 0.0
