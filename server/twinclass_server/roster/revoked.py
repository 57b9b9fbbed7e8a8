"""Which links were withdrawn: asked at every entrance, so it is kept in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from twinclass_server.roster.lessons import LessonDesk
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.tokens import TokenKeys

logger = logging.getLogger(__name__)

#: Links withdrawn whose time is not over; a city withdraws some hundreds in a week.
MAX_REVOKED = 50_000
#: How late another process hears of it.
_REFRESH_S = 2.0


class RevokedLinks:
    """A bounded set that follows the table."""

    def __init__(self, desk: LessonDesk) -> None:
        self._desk = desk
        self._ids: frozenset[str] = frozenset()
        self._reading = asyncio.Lock()
        #: Called with a test for withdrawn links whenever there are new ones.
        self.listeners: list[Callable[[Callable[[str], bool]], None]] = []

    def __contains__(self, link: object) -> bool:
        return link in self._ids

    def guard(self, keys: Callable[[], TokenKeys]) -> Callable[[], TokenKeys]:
        """Returns the same keys, which refuse withdrawn links."""
        return lambda: keys().refusing(self._ids.__contains__)

    async def refresh(self) -> None:
        """Reads the table.

        Raises:
            Unavailable: the database is away; what was known stays.
        """
        # One after the other: an older reading must not come after a newer one.
        async with self._reading:
            now = datetime.now(UTC)
            found = frozenset(await asyncio.to_thread(self._desk.revoked, now, MAX_REVOKED))
            is_more = not found <= self._ids
            self._ids = found
        if is_more:
            for listener in self.listeners:
                listener(found.__contains__)

    async def keep(self) -> None:
        """Refreshes for ever."""
        while True:
            await asyncio.sleep(_REFRESH_S)
            try:
                await self.refresh()
            except SignalingError as error:
                logger.warning("withdrawn links not read: %s", error)
