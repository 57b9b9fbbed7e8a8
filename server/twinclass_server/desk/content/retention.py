"""What is past its time goes, and there is proof that it went (shell).

Before anything is deleted a receipt is on disk: every row and file, and the rule. Then rows go,
then files that no row has any more; then it is looked whether anything is left that should not be,
and the receipt says so. Whatever interrupts it, the next run goes on from the receipts. Receipts
name ids and sums, no people and no texts.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import delete, func, select
from sqlalchemy.orm import DeclarativeBase, Session

from twinclass_recordings.assemble import write_durably
from twinclass_server.desk.content import models
from twinclass_server.desk.content.media import MediaShelf
from twinclass_server.roster.database import Database

logger = logging.getLogger(__name__)

#: One receipt; more than these are the next one's.
MAX_AT_ONCE = 5000
#: Rows that go by time, and how each is named in a receipt. Those that others refer to come last.
_TABLES: tuple[tuple[type[DeclarativeBase], str], ...] = (
    (models.Media, "id"),
    (models.Content, "id"),
    (models.BankEntry, "id"),
    (models.Flag, "key"),
    (models.RatingText, "key"),
    (models.Carried, "key"),
    (models.Help, "key"),
)


class DeletedRow(Struct, frozen=True):
    """One row that was deleted, with the sums of its files."""

    table: str
    id: str
    files: tuple[str, ...] = ()


class DeskReceipt(Struct, frozen=True):
    """Proof of a run. ``deleted_at`` is empty until it is over; ``left``: rows that were past their
    time and are there all the same, ``files_left``: likewise files. Both must be 0."""

    rule: str
    begun_at: str
    rows: tuple[DeletedRow, ...]
    deleted_at: str = ""
    files_gone: int = 0
    left: int = 0
    files_left: int = 0


class DeskRetention:
    """Calls block. ``proofs``: the folder of receipts."""

    def __init__(
        self,
        database: Database,
        media: MediaShelf,
        proofs: Path,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._media = media
        self._proofs = proofs
        self._now = now

    def run(self) -> DeskReceipt | None:
        """Deletes what is past its time; returns the receipt, None when nothing was.

        Raises:
            Unavailable: the database is away.
            OSError: the disk fails.
        """
        self._proofs.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in sorted(self._proofs.glob("desk-*.json")):
            unfinished = _read(path)
            if unfinished is not None and not unfinished.deleted_at:
                self._finish(path, unfinished)
        now = self._now()
        with self._database.session() as session:
            rows = tuple(_due(session, now))
        if not rows:
            return None
        rule = f"keep_until <= {now.isoformat(timespec='seconds')}"
        receipt = DeskReceipt(rule, now.isoformat(timespec="seconds"), rows)
        # Of two runs in one second each has its own.
        path = self._proofs / f"desk-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.json"
        write_durably(path, msgspec.json.encode(receipt))
        return self._finish(path, receipt)

    def overdue(self) -> int:
        """Returns how many rows are past their time now."""
        now = self._now()
        with self._database.session() as session:
            due = [
                session.scalar(select(func.count()).select_from(table).where(_is_due(table, now)))
                for table, _ in _TABLES
            ]
        return sum(filter(None, due))

    def _finish(self, path: Path, receipt: DeskReceipt) -> DeskReceipt:
        now = self._now()
        with self._database.session() as session:
            for table, name in _TABLES:
                listed = [row.id for row in receipt.rows if row.table == table.__tablename__]
                self._delete(session, table, name, listed, now)
        # A row that was chosen to be kept meanwhile still has its file.
        sums = sorted({sha256 for row in receipt.rows for sha256 in row.files})
        gone = self._media.drop_unused(sums)
        left = self._left(receipt)
        files_left = sum(self._media.path(sha256) is not None for sha256 in gone)
        receipt = replace(
            receipt, deleted_at=self._now().isoformat(timespec="seconds"), files_gone=len(gone),
            left=left, files_left=files_left,
        )  # fmt: skip
        write_durably(path, msgspec.json.encode(receipt))
        if left or files_left:
            logger.error("retention: %d rows and %d files are left", left, files_left)
        return receipt

    def _delete(
        self,
        session: Session,
        table: type[DeclarativeBase],
        name: str,
        listed: Sequence[str],
        now: datetime,
    ) -> None:
        column: Any = getattr(table, name)
        for at in range(0, len(listed), 500):
            some: list[Any] = list(listed[at : at + 500])
            if name == "key":
                some = [int(one) for one in some]
            if table is models.BankEntry:
                keys = select(models.BankEntry.key).where(column.in_(some), _is_due(table, now))
                session.execute(delete(models.BankVote).where(models.BankVote.entry.in_(keys)))
            if table is models.Help:
                session.execute(delete(models.HelpMember).where(models.HelpMember.help.in_(some)))
            # Looked at again: what was chosen to be kept since the receipt was written stays.
            session.execute(delete(table).where(column.in_(some), _is_due(table, now)))

    def _left(self, receipt: DeskReceipt) -> int:
        left = 0
        now = self._now()
        with self._database.session() as session:
            for table, name in _TABLES:
                column: Any = getattr(table, name)
                listed = {row.id for row in receipt.rows if row.table == table.__tablename__}
                if listed:
                    query = select(column).where(_is_due(table, now))
                    left += sum(str(one) in listed for one in session.scalars(query))
        return left


def _due(session: Session, now: datetime) -> list[DeletedRow]:
    found: list[DeletedRow] = []
    for table, name in _TABLES:
        query = select(table).where(_is_due(table, now)).limit(MAX_AT_ONCE - len(found))
        for row in session.scalars(query):
            files: tuple[str, ...] = ()
            if isinstance(row, models.Media):
                files = tuple(filter(None, (row.sha256, row.thumb_sha256)))
            found.append(DeletedRow(table.__tablename__, str(getattr(row, name)), files))
    return found


def _is_due(table: type[DeclarativeBase], now: datetime) -> Any:  # noqa: ANN401 - SQLAlchemy's own
    column: Any = vars(table)["keep_until"]
    return column <= now


def _read(path: Path) -> DeskReceipt | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=DeskReceipt)
    except (OSError, msgspec.MsgspecError):
        return None
