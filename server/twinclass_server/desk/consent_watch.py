"""Guardians' words reach the evenings that go on, on whichever server they were said."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from twinclass_signaling.errors import Unavailable

logger = logging.getLogger(__name__)

#: A child who waits beside her guardian sees her page change.
LOOK_S = 1.0
#: A word whose transaction was slower than a later one is found behind it, and each is told twice:
#: somebody may have come in with what stood before it.
OVERLAP = 100
TIMES = 2

#: (number, child), in the order of the numbers.
Words = Sequence[tuple[int, str]]


class ConsentWatch:
    """``said``: the words after one; None: the last ones. Blocks. ``tell`` is told the child."""

    def __init__(
        self, said: Callable[[int | None], Words], tell: Callable[[str], Awaitable[None]]
    ) -> None:
        self._said = said
        self._tell = tell
        self._last: int | None = None
        self._told: dict[int, int] = {}

    async def run(self) -> None:
        """Looks for ever."""
        while True:
            try:
                await self.look()
            except Unavailable as error:
                logger.warning("consents of the desk are not read: %s", error.code)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Tells what was said since the last look.

        Raises:
            Unavailable: the database is away; the same is told next time.
        """
        is_first = self._last is None
        after = None if self._last is None else max(0, self._last - OVERLAP)
        words = await asyncio.to_thread(self._said, after)
        for number, child in words:
            if is_first:
                self._told[number] = TIMES  # Whoever is here has come in with it.
            elif self._told.get(number, 0) < TIMES:
                await self._tell(child)
                self._told[number] = self._told.get(number, 0) + 1
        self._last = max((number for number, _ in words), default=self._last or 0)
        self._told = {n: times for n, times in self._told.items() if n > self._last - OVERLAP}
