"""SQL follows the log: what is to last of an evening is written from its steps, in order.

The log alone is acknowledged; SQL may be late or away, and catches up from the last step it has.
What it is told twice it writes once, so nothing is lost or doubled, whatever dies in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.desk.journal import DeskLog, DeskStep
from twinclass_server.desk.ports import DeskSchool
from twinclass_signaling.desk.directory import Known
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import EventSeq, PersonId

logger = logging.getLogger(__name__)

#: Steps of one transaction.
MAX_STEPS = 500
#: How long steps are gathered: nobody waits for SQL.
GATHER_S = 0.25
RETRY_S = 2.0


class History:
    """Writes one evening's history for as long as it runs."""

    def __init__(
        self,
        evening: EveningId,
        log: DeskLog,
        school: DeskSchool,
        state: Callable[[], DeskState],
        people: Mapping[PersonId, Known],
    ) -> None:
        self._evening = evening
        self._log = log
        self._school = school
        self._state = state
        self._people = people
        self._wake = asyncio.Event()
        #: Last step that SQL has; None: not asked yet.
        self._noted: int | None = None

    def changed(self) -> None:
        """Notes that the log has grown."""
        self._wake.set()

    @property
    def lag(self) -> int:
        """Returns how many steps SQL is behind."""
        return self._state().seq - (self._noted or 0)

    async def run(self) -> None:
        """Writes for ever."""
        while True:
            try:
                await self.catch_up()
            except SignalingError as error:
                logger.warning("history of %s waits: %s", self._evening.name, error.code)
                await asyncio.sleep(RETRY_S)
                continue
            await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            self._wake.clear()

    async def catch_up(self) -> None:
        """Writes all that is released and not written yet.

        Raises:
            Unavailable: Redis or the database is away.
        """
        if self._noted is None:
            self._noted = await self._school.noted(self._evening)
        steps: list[DeskStep] = []
        until = self._state().seq
        if self._noted >= until:
            return
        async for step, _ in self._log.read(EventSeq(self._noted)):
            if step.seq > until:
                break
            steps.append(step)
            if len(steps) == MAX_STEPS:
                await self._write(steps)
                steps = []
        if steps:
            await self._write(steps)

    async def _write(self, steps: list[DeskStep]) -> None:
        await self._school.note(self._evening, self._state(), steps, self._people)
        self._noted = steps[-1].seq
