"""The bank of questions with answers, as it is searched: an index in memory, kept as SQL has it.

Everybody who changes an entry sets its ``updated_at``; what is newer than the last look is read
again, whichever server wrote it. What is gone is found by counting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from twinclass_recordings.library.models import Entry as LibraryEntry
from twinclass_server.desk.content import models
from twinclass_server.desk.content.bank_index import BankCard, BankIndex
from twinclass_server.desk.content.contents import Contents, Said, said_of
from twinclass_server.desk.content.media import Stored, media_of
from twinclass_server.roster.database import Database
from twinclass_signaling.errors import Conflict

#: Servers' clocks differ; what is read twice changes nothing.
_SKEW = timedelta(seconds=60)
#: Rows of dead entries that are not worth a new index.
_FEW_DEAD = 500


class Bank:
    """Calls block, but for ``found`` and ``card``, which only look into memory."""

    def __init__(
        self,
        database: Database,
        contents: Contents,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._contents = contents
        self._now = now
        self._index = BankIndex()
        self._names: dict[str, models.Point] = {}
        self._seen: datetime | None = None
        self._using = threading.Lock()
        self._refreshing = threading.Lock()

    # ---- finding

    def search(self, subject: str, grade: int, points: Sequence[str], content: str) -> list[str]:
        """Returns entries that may answer a question, best first, at most three.

        Raises:
            Unavailable: the database is away.
        """
        said = self._contents.get(content)
        with self._using:
            found = self._index.alike(subject, grade, points, "" if said is None else said.text)
        return [card.id for card in found]

    def alike(self, subject: str, grade: int, points: Sequence[str], text: str) -> list[str]:
        """As ``search``, of a text; does not block."""
        with self._using:
            return [card.id for card in self._index.alike(subject, grade, points, text)]

    def found(
        self, text: str, subject: str, grade: int | None, point: str, page: int
    ) -> tuple[list[BankCard], int]:
        """Returns (one page of a search, how many there are), as of the last ``refresh``."""
        with self._using:
            return self._index.search(text, subject, grade, point, page)

    def card(self, identifier: str) -> BankCard:
        """Returns a published entry, as of the last ``refresh``.

        Raises:
            Conflict: ``bank_entry_unknown``.
        """
        with self._using:
            card = self._index.find(identifier)
        if card is None:
            raise Conflict(
                "bank_entry_unknown", "题库里没有这道题。", "The bank has no such question."
            )
        return card

    def chapters(self, cards: Sequence[BankCard]) -> dict[str, bool]:
        """Returns the entries of the library that cards name and that are still there, and whether
        each is open to the whole city; blocks.

        Raises:
            Unavailable: the database is away.
        """
        wanted = {card.chapter for card in cards if card.chapter}
        if not wanted:
            return {}
        query = select(LibraryEntry.id, LibraryEntry.visibility).where(LibraryEntry.id.in_(wanted))
        with self._database.session() as session:
            return {row.id: row.visibility == "city" for row in session.execute(query)}

    def point_name(self, identifier: str) -> str:
        """Returns how a knowledge point is called; of an unknown one its id."""
        known = self._names.get(identifier)
        return identifier if known is None else known.name

    def points(self) -> list[tuple[str, str, str]]:
        """Returns all knowledge points: (id, subject, name)."""
        return [(one.id, one.subject, one.name) for one in self._names.values()]

    def refresh(self) -> None:
        """Reads what has changed since the last time, whichever server wrote it.

        Raises:
            Unavailable: the database is away.
        """
        with self._refreshing, self._database.session() as session:
            query = select(models.Point).order_by(models.Point.subject, models.Point.id)
            self._names = {point.id: point for point in session.scalars(query)}
            entry = models.BankEntry
            changed = select(entry).order_by(entry.updated_at, entry.key)
            if self._seen is not None:
                changed = changed.where(entry.updated_at >= self._seen - _SKEW)
            now = self._now()
            rows = session.scalars(changed).all()
            cards = _cards(session, [row for row in rows if row.state == "published"])
            with self._using:
                for row in rows:
                    if row.key in cards:
                        self._index.put(cards[row.key])
                    else:
                        self._index.remove(row.key)
            if rows:
                # A clock that was ahead once must not hide what is written until then.
                self._seen = min(rows[-1].updated_at, now)
            self._forget_gone(session)
            self._tidy()

    def _forget_gone(self, session: Session) -> None:
        published = models.BankEntry.state == "published"
        count = session.scalar(select(func.count()).select_from(models.BankEntry).where(published))
        if count == len(self._index):
            return
        there = set(session.scalars(select(models.BankEntry.key).where(published)))
        missing = sorted(there - self._index.keys())
        rows = session.scalars(select(models.BankEntry).where(models.BankEntry.key.in_(missing)))
        cards = _cards(session, rows.all())
        with self._using:
            for key in self._index.keys() - there:
                self._index.remove(key)
            for card in cards.values():
                self._index.put(card)

    def _tidy(self) -> None:
        if self._index.dead < max(_FEW_DEAD, len(self._index) // 4):
            return
        fresh = BankIndex()
        for card in self._index.cards():
            fresh.put(card)
        with self._using:
            self._index = fresh


def _cards(session: Session, rows: Sequence[models.BankEntry]) -> dict[int, BankCard]:
    if not rows:
        return {}
    wanted = [one for row in rows for one in (row.question, row.answer)]
    found: dict[str, models.Content] = {}
    for at in range(0, len(wanted), 500):
        query = select(models.Content).where(models.Content.id.in_(wanted[at : at + 500]))
        found |= {content.id: content for content in session.scalars(query)}
    firsts = [found[row.question].photos[:1] for row in rows if row.question in found]
    photos: dict[str, Stored] = {}
    names = [name for first in firsts for name in first]
    for at in range(0, len(names), 500):
        photos |= media_of(session, names[at : at + 500])
    chapters = {row.chapter for row in rows if row.chapter}
    titles: dict[str, str] = {}
    if chapters:
        query_titles = select(LibraryEntry.id, LibraryEntry.title).where(
            LibraryEntry.id.in_(chapters)
        )
        titles = dict(session.execute(query_titles).all())
    return {
        row.key: _card(said_of(found[row.question], photos), found[row.answer], row, titles)
        for row in rows
        if row.question in found and row.answer in found
    }


def _card(
    question: Said, answer: models.Content, row: models.BankEntry, titles: dict[str, str]
) -> BankCard:
    first = question.photos[0] if question.photos else None
    is_there = row.chapter in titles
    return BankCard(
        row.key, row.id, row.desk, row.subject, row.grade, tuple(row.points), row.question,
        row.answer, question.text, answer.text,
        (first.id, first.thumb_sha256) if first is not None else None,
        row.helpful, row.not_helpful, row.chapter if is_there else "",
        titles.get(row.chapter, ""), row.chapter_s,
    )  # fmt: skip
