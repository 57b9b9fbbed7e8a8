"""The log of plays and the ratings in SQL; what they say is counted in ``plays`` (shell)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from math import inf
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from twinclass_recordings.library import plays
from twinclass_recordings.library.access import Viewer
from twinclass_recordings.library.models import Entry, Play, Rating
from twinclass_recordings.library.plays import Effect, Usage, Watched, Weights
from twinclass_recordings.library.shelf import Sessions, visible
from twinclass_signaling.roles import Role

#: Rows are read by so many: the database's own copy of them is never there as a whole.
_AT_ONCE = 5000
#: A lesson that was watched a million times is shown by its latest part.
MAX_ROWS = 400_000
#: Terms begin in September and February (half a year each).
_TERM_STARTS = ((2, 1), (9, 1))

#: The schools of a lead, by id: no school is paid for watching itself.
OwnSchools = Callable[[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """An entry's line of the sheet."""

    id: str
    title: str
    lead: str
    school: str
    subject: str
    grade: str
    effect: Effect


@dataclass(slots=True)
class Plays:
    """``sessions``: opens a transaction; ``zone``: where a day begins."""

    sessions: Sessions
    zone: tzinfo
    weights: Weights = field(default_factory=Weights)

    # ---- writing

    def tell(self, identifier: str, told: Sequence[Watched], most_s: float = inf) -> bool:
        """Adds what one opening of a page tells to the log; False: with what it told before that
        is more than ``most_s`` of media, and nothing is added."""
        with self.sessions() as session:
            query = select(Play.group, Play.from_s, Play.to_s).where(Play.view == told[0].view)
            # What a page tells again because it got no answer was watched once.
            spans = {(group, start, end) for group, start, end in session.execute(query)}
            spans |= {(row.group, row.from_s, row.to_s) for row in told}
            if sum(end - start for _, start, end in spans) > most_s:
                return False
            key = session.scalar(select(Entry.key).where(Entry.id == identifier))
            if key is None:
                return True  # It was deleted meanwhile: nobody counts its plays any more.
            session.add_all(
                Play(
                    entry=key, view=row.view, group=row.group, viewer=row.viewer,
                    school=row.school, kind=row.kind, at=row.at, from_s=row.from_s,
                    to_s=row.to_s,
                )
                for row in told
            )  # fmt: skip
            return True

    def rate(self, identifier: str, viewer: str, stars: int) -> None:
        """Notes how many stars somebody gives."""
        with self.sessions() as session:
            key = session.scalar(select(Entry.key).where(Entry.id == identifier))
            if key is None:
                return
            known = session.get(Rating, (key, viewer))
            if known is None:
                known = Rating(entry=key, viewer=viewer)
                session.add(known)
            known.stars, known.at = stars, datetime.now(UTC)

    def count(self, identifier: str) -> None:
        """Brings the plays that the library shows with an entry up to date."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == identifier))
            if entry is not None:
                rows = plays.once(_rows(session, entry.key))
                found = len(plays.plays(rows, entry.duration_s, self.zone))
                if found != entry.plays:
                    # The index reads again what is newer than its last look.
                    entry.plays, entry.updated_at = found, datetime.now(UTC)

    # ---- reading

    def usage(self, identifier: str) -> Usage | None:
        """Returns how an entry was watched; None: there is no such entry."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == identifier))
            if entry is None:
                return None
            return plays.usage(_rows(session, entry.key), entry.duration_s, self.zone)

    def sheet(self, viewer: Viewer, month: str, own_schools: OwnSchools) -> list[Line]:
        """Returns the pay-by-effect sheet of a month (``2026-11``), most effect first: of the
        entries whose usage somebody may see and that were watched in it."""
        first = date.fromisoformat(f"{month}-01")
        start, end = self._moment(first), self._moment(_next_month(first))
        since, until = term_before(first)
        schools = functools.cache(own_schools)
        with self.sessions() as session:
            where: list[Any] = [*visible(viewer)]
            if viewer.role is Role.LEAD:
                where.append(Entry.lead_id == viewer.subject)
            watched = select(Play.entry).where(Play.at >= start, Play.at < end).distinct()
            query = select(Entry).where(Entry.key.in_(watched), *where).order_by(Entry.key)
            entries = list(session.scalars(query))
            lines = [
                Line(
                    entry.id, entry.title, entry.lead_name, entry.school_name, entry.subject,
                    entry.grade,
                    plays.effect(
                        _rows(session, entry.key, start, end),
                        entry.duration_s,
                        self.zone,
                        schools(entry.lead_id) if entry.lead_id else frozenset(),
                        self._showed(session, entry.key, since, until),
                        _stars(session, entry.key, end),
                        self.weights,
                    ),
                )
                for entry in entries
            ]  # fmt: skip
        return sorted(lines, key=lambda line: (-line.effect.effect, line.id))

    def _showed(self, session: Session, key: int, since: date, until: date) -> frozenset[str]:
        query = select(Play.viewer).where(
            Play.entry == key,
            Play.kind == "class",
            Play.at >= self._moment(since),
            Play.at < self._moment(until),
        )
        return frozenset(session.scalars(query.distinct()))

    def _moment(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)


def term_before(day: date) -> tuple[date, date]:
    """Returns [first day, first day after) of the school term before the one of a day."""
    starts = sorted(
        date(year, month, first)
        for year in (day.year - 1, day.year)
        for month, first in _TERM_STARTS
    )
    past = [start for start in starts if start <= day]
    current = past[-1]
    before = past[-2] if len(past) > 1 else current - timedelta(days=182)
    return before, current


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _rows(
    session: Session, key: int, start: datetime | None = None, end: datetime | None = None
) -> list[Watched]:
    query = select(
        Play.view, Play.group, Play.viewer, Play.school, Play.kind, Play.at, Play.from_s, Play.to_s
    ).where(Play.entry == key)
    if start is not None and end is not None:
        query = query.where(Play.at >= start, Play.at < end)
    query = query.order_by(Play.at.desc()).limit(MAX_ROWS).execution_options(yield_per=_AT_ONCE)
    values: list[tuple[Any, ...]] = [tuple(row) for row in session.execute(query)]
    return [Watched(*one) for one in values]


def _stars(session: Session, key: int, until: datetime) -> dict[str, int]:
    query = select(Rating.viewer, Rating.stars).where(Rating.entry == key, Rating.at < until)
    return {row.viewer: row.stars for row in session.execute(query)}
