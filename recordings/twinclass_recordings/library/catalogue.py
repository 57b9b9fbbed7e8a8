"""The index of the library, kept as SQL has it (shell).

Everybody who changes an entry sets its ``updated_at``; what is newer than the last look is read
again, whichever server wrote it. What is gone is found by counting.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from twinclass_recordings.library.access import Viewer, may
from twinclass_recordings.library.index import Asked, Card, Found, Index
from twinclass_recordings.library.models import Entry, EntrySchool
from twinclass_recordings.library.shelf import Sessions

#: Servers' clocks differ; what is read twice changes nothing.
_SKEW = timedelta(seconds=60)
#: Entries read at once: some megabytes of rows.
_AT_ONCE = 2000
#: Rows of dead entries that are not worth a new index.
FEW_DEAD = 500


class Catalogue:
    """Searches; ``refresh`` blocks, ``search`` takes a millisecond or two and does not."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._index = Index()
        self._seen: datetime | None = None
        self._refreshing = threading.Lock()
        self._using = threading.Lock()
        self.is_loaded = False

    def search(self, viewer: Viewer, asked: Asked) -> Found:
        """Returns what somebody may see of what is asked for, as of the last ``refresh``."""
        with self._using:
            return self._index.search(viewer, asked)

    def get(self, viewer: Viewer, identifier: str) -> Card | None:
        """Returns an entry that somebody may see; None: there is none for them. One that is not
        there is looked for in the database first. Blocks.

        Raises:
            Unavailable: the database is away.
        """
        found = self._get(viewer, identifier)
        if found is None:
            self.refresh()
            found = self._get(viewer, identifier)
        return found

    def cards(self, viewer: Viewer, keys: Iterable[int]) -> list[Card]:
        """Returns those of entries that somebody may see, in this order."""
        with self._using:
            found = [self._index.card(key) for key in keys]
        return [card for card in found if card is not None and may(viewer, "see", card.rights)]

    def _get(self, viewer: Viewer, identifier: str) -> Card | None:
        with self._using:
            card = self._index.find(identifier)
        return card if card is not None and may(viewer, "see", card.rights) else None

    def refresh(self) -> None:
        """Reads what has changed since the last time.

        Raises:
            Unavailable: the database is away.
        """
        with self._refreshing, self._sessions() as session:
            query = select(Entry).order_by(Entry.updated_at, Entry.key)
            if self._seen is not None:
                query = query.where(Entry.updated_at >= self._seen - _SKEW)
            # A clock that was ahead once must not hide what is written until then.
            now = datetime.now(UTC)
            changed = session.scalars(query.execution_options(yield_per=_AT_ONCE))
            for entries in changed.partitions(_AT_ONCE):
                self._take(session, entries)
                self._seen = min(entries[-1].updated_at, now)
            self._compare(session)
            self.is_loaded = True
            self._tidy()

    def _take(self, session: Session, entries: Sequence[Entry]) -> None:
        schools = _schools(session, [entry.key for entry in entries])
        for entry in entries:
            made = card_of(entry, schools.get(entry.key, ()))
            with self._using:
                self._index.put(made)

    def _compare(self, session: Session) -> None:
        """Forgets what is gone; reads what a clock that lags hid."""
        if (session.scalar(select(func.count()).select_from(Entry)) or 0) == len(self._index):
            return
        there = set(session.scalars(select(Entry.key)))
        with self._using:
            known = self._index.keys()
            for key in known - there:
                self._index.remove(key)
        missing = sorted(there - known)
        for at in range(0, len(missing), _AT_ONCE):
            query = select(Entry).where(Entry.key.in_(missing[at : at + _AT_ONCE]))
            self._take(session, session.scalars(query).all())

    def _tidy(self) -> None:
        if self._index.dead < max(FEW_DEAD, len(self._index) // 4):
            return
        fresh = Index()
        for key in sorted(self._index.keys()):
            card = self._index.card(key)
            if card is not None:
                fresh.put(card)
        with self._using:
            self._index = fresh


def card_of(entry: Entry, schools: tuple[str, ...]) -> Card:
    """Returns what an entry is found by."""
    visibility: Any = entry.visibility
    return Card(
        key=entry.key, id=entry.id, kind=entry.kind, lesson=entry.lesson, title=entry.title,
        subtitle=entry.subtitle, description=entry.description, subject=entry.subject,
        grade=entry.grade, edition=entry.edition, points=tuple(entry.points), lead=entry.lead_id,
        lead_name=entry.lead_name, school_name=entry.school_name, schools=schools,
        visibility=visibility, taught_at=entry.taught_at.timestamp(), duration_s=entry.duration_s,
        plays=entry.plays, state=entry.state, has_cover=entry.has_cover,
        keep_until=entry.keep_until.isoformat() if entry.keep_until else "",
    )  # fmt: skip


def _schools(session: Session, keys: list[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    query = select(EntrySchool.entry, EntrySchool.school).where(EntrySchool.entry.in_(keys))
    for key, school in session.execute(query.order_by(EntrySchool.entry, EntrySchool.school)):
        found.setdefault(key, []).append(school)
    return {key: tuple(schools) for key, schools in found.items()}
