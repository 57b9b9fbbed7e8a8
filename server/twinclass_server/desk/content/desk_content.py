"""Everything that the desk keeps, put together for its host and its routes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twinclass_server.desk.content.audit import Audit
from twinclass_server.desk.content.bank import Bank
from twinclass_server.desk.content.bank_desk import BankDesk
from twinclass_server.desk.content.carried import CarriedOver
from twinclass_server.desk.content.cases import Cases
from twinclass_server.desk.content.consents import GuardianConsents
from twinclass_server.desk.content.contents import Contents
from twinclass_server.desk.content.flags import Flags
from twinclass_server.desk.content.helps import Helps
from twinclass_server.desk.content.ledger import Ledger
from twinclass_server.desk.content.media import MediaShelf
from twinclass_server.desk.content.ratings import Ratings
from twinclass_server.desk.content.retention import DeskRetention
from twinclass_server.desk.content.rosters import Rosters
from twinclass_server.roster.database import Database
from twinclass_server.roster.file_store import FolderStore
from twinclass_signaling.desk.credits import Rates
from twinclass_signaling.errors import Unavailable

logger = logging.getLogger(__name__)

#: What another server published is found after so long.
REFRESH_S = 2.0
#: A week is over at any second; an hour later it is gone.
RETENTION_S = 3600.0


class DeskContent:
    """The stores. All but ``media.add``, ``search`` and ``background`` block. ``folder``: of the
    files; ``proofs``: of receipts of what was deleted."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        proofs: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        rates: Rates | None = None,
    ) -> None:
        self.audit = Audit(database, now)
        self.flags = Flags(database, now)
        self.media = MediaShelf(database, FolderStore(folder), now)
        self.contents = Contents(database, self.flags, now)
        self.bank = Bank(database, self.contents, now)
        self.bank_desk = BankDesk(database, self.contents, self.flags, self.bank, self.audit, now)
        self.ledger = Ledger(database, now, rates)
        self.ratings = Ratings(database, self.flags, self.audit, now)
        self.helps = Helps(database, now)
        self.cases = Cases(database, self.audit, now)
        self.consents = GuardianConsents(database, self.contents, self.audit, now)
        self.rosters = Rosters(database, self.audit, now)
        self.carried = CarriedOver(database, self.contents, now)
        self.retention = DeskRetention(database, self.media, proofs, now)
        self.now = now

    async def search(
        self, subject: str, grade: int, points: Sequence[str], content: str
    ) -> list[str]:
        """Returns entries of the bank that may answer a question, best first, at most three."""
        return await asyncio.to_thread(self.bank.search, subject, grade, points, content)

    def background(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """Returns what runs as long as the server does."""
        return [self._keep_found, self._retain]

    async def _keep_found(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.bank.refresh)
            except Unavailable as error:
                logger.warning("the bank's index is as it was: %s", error)
            await asyncio.sleep(REFRESH_S)

    async def _retain(self) -> None:
        while True:
            try:
                while (receipt := await asyncio.to_thread(self.retention.run)) is not None:
                    logger.info("retention: %d rows of the desk were deleted", len(receipt.rows))
                    if receipt.left:
                        break
            except (Unavailable, OSError) as error:
                logger.warning("retention of the desk waits: %s", error)
            await asyncio.sleep(RETENTION_S)
