"""The library's entries in SQL: taking in, changing, searching (shell; calls block).

A question's terms must all be there; what weighs most comes first, then what is new. The same plain
SQL runs on SQLite and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, delete, distinct, func, or_, select
from sqlalchemy.orm import Session

from twinclass_recordings.library.access import Rights, Viewer, Visibility, may
from twinclass_recordings.library.models import (
    DESCRIPTION_CHARS,
    NAME_CHARS,
    TITLE_CHARS,
    WORD_CHARS,
    Entry,
    EntryPoint,
    EntrySchool,
    Play,
    Position,
    Term,
)
from twinclass_recordings.library.terms import terms_asked, terms_of
from twinclass_signaling.roles import Role

Order = Literal["relevance", "new", "plays"]
#: A page of covers; more is another request.
MAX_PAGE = 60
#: A search that nobody pages through to its end.
MAX_OFFSET = 5000
MAX_POINTS = 20
#: Values of one facet that are worth showing.
MAX_FACET = 60
#: How much a term says, by where it stands.
_WEIGHTS = {"title": 8, "points": 6, "subtitle": 5, "subject": 4, "people": 3, "description": 1}

Sessions = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A search. Empty strings: any."""

    text: str = ""
    subject: str = ""
    grade: str = ""
    edition: str = ""
    point: str = ""
    school: str = ""
    kind: str = ""
    order: Order = "relevance"
    page: int = 0
    size: int = 24


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search; ``facets``: name -> (value, count), most first."""

    total: int
    entries: list[Entry]
    facets: dict[str, list[tuple[str, int]]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recorded lesson brings into the library."""

    id: str
    lesson: str
    title: str
    subtitle: str
    taught_at: datetime
    duration_s: float
    bytes: int
    lead_id: str
    lead_name: str
    schools: tuple[str, ...] = ()
    school_name: str = ""
    subject: str = ""
    grade: str = ""
    state: str = "ready"
    has_cover: bool = False
    keep_until: date | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """New metadata; None: as it is."""

    title: str | None = None
    subtitle: str | None = None
    description: str | None = None
    subject: str | None = None
    grade: str | None = None
    edition: str | None = None
    points: tuple[str, ...] | None = None
    visibility: Visibility | None = None


@dataclass(slots=True)
class Shelf:
    """``sessions``: opens a transaction."""

    sessions: Sessions
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    # ---- taking in and changing

    def take(self, recorded: Recorded) -> None:
        """Puts a recorded lesson into the library, or brings it up to date."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == recorded.id))
            now = self.now()
            if entry is None:
                entry = Entry(id=recorded.id, lesson=recorded.lesson, created_at=now, points=[])
                entry.title = recorded.title[:TITLE_CHARS]
                entry.subtitle = recorded.subtitle[:TITLE_CHARS]
                entry.subject = recorded.subject[:WORD_CHARS]
                entry.grade = recorded.grade[:WORD_CHARS]
                entry.keep_until = recorded.keep_until
                session.add(entry)
            entry.lead_id, entry.lead_name = recorded.lead_id, recorded.lead_name[:NAME_CHARS]
            entry.school_name = recorded.school_name[:NAME_CHARS]
            entry.taught_at, entry.duration_s = recorded.taught_at, recorded.duration_s
            entry.bytes, entry.state = recorded.bytes, recorded.state
            entry.has_cover = recorded.has_cover
            entry.updated_at = now
            session.flush()
            session.execute(delete(EntrySchool).where(EntrySchool.entry == entry.key))
            session.add_all(EntrySchool(entry=entry.key, school=s) for s in set(recorded.schools))
            _index(session, entry)

    def change(self, identifier: str, change: Change) -> None:
        """Changes what is said of an entry; nothing when there is none."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == identifier))
            if entry is None:
                return
            for name in ("title", "subtitle", "subject", "grade", "edition", "visibility"):
                value = getattr(change, name)
                if value is not None:
                    setattr(entry, name, value)
            if change.description is not None:
                entry.description = change.description[:DESCRIPTION_CHARS]
            if change.points is not None:
                entry.points = list(dict.fromkeys(change.points))[:MAX_POINTS]
            entry.updated_at = self.now()
            session.flush()
            _index(session, entry)

    def set_state(self, identifier: str, state: str) -> None:
        """Notes how far an entry's media is."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == identifier))
            if entry is not None:
                entry.state, entry.updated_at = state, self.now()

    def in_state(self, state: str) -> list[str]:
        """Returns the entries whose media is so far, oldest first."""
        with self.sessions() as session:
            query = select(Entry.id).where(Entry.state == state).order_by(Entry.taught_at)
            return list(session.scalars(query))

    def past(self, today: date) -> list[str]:
        """Returns the entries whose media is to be deleted: its last day is over."""
        with self.sessions() as session:
            query = select(Entry.id).where(Entry.keep_until < today).order_by(Entry.keep_until)
            return list(session.scalars(query))

    def keep(self, identifier: str, until: date | None) -> None:
        """Sets the last day of an entry's media; None: it is kept."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == identifier))
            if entry is not None:
                entry.keep_until, entry.updated_at = until, self.now()

    def remove(self, identifier: str) -> None:
        """Forgets an entry and all that hangs on it."""
        with self.sessions() as session:
            key = session.scalar(select(Entry.key).where(Entry.id == identifier))
            if key is not None:
                for table in (Term, EntryPoint, EntrySchool, Position, Play):
                    session.execute(delete(table).where(table.entry == key))
                session.execute(delete(Entry).where(Entry.key == key))

    # ---- reading

    def get(self, viewer: Viewer, identifier: str) -> tuple[Entry, Rights] | None:
        """Returns an entry that somebody may see; None: there is none for them."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == identifier))
            if entry is None:
                return None
            rights = _rights(session, entry)
        return (entry, rights) if may(viewer, "see", rights) else None

    def of_lesson(self, lesson: str) -> list[str]:
        """Returns the recordings of a lesson, newest first."""
        with self.sessions() as session:
            query = select(Entry.id).where(Entry.lesson == lesson).order_by(Entry.taught_at.desc())
            return list(session.scalars(query))

    def lesson_of(self, identifier: str) -> str | None:
        """Returns the lesson of a recording."""
        with self.sessions() as session:
            return session.scalar(select(Entry.lesson).where(Entry.id == identifier))

    def search(self, viewer: Viewer, asked: Asked) -> Found:
        """Returns what somebody may see of what is asked for."""
        terms, typed = terms_asked(asked.text)
        with self.sessions() as session:
            where = [*_visible(viewer), *_filters(asked)]
            hits = _hits(terms, typed)
            matching = select(Entry.key).where(*where)
            if hits is not None:
                matching = matching.where(Entry.key.in_(select(hits.c.entry)))
            total = session.scalar(select(func.count()).select_from(matching.subquery())) or 0
            query = select(Entry).where(*where)
            if hits is not None:
                query = query.join(hits, hits.c.entry == Entry.key)
            order: list[ColumnElement[Any]] = [Entry.taught_at.desc(), Entry.key.desc()]
            if asked.order == "plays":
                order.insert(0, Entry.plays.desc())
            elif asked.order == "relevance" and hits is not None:
                order.insert(0, hits.c.weight.desc())
            size = max(1, min(asked.size, MAX_PAGE))
            offset = min(max(0, asked.page) * size, MAX_OFFSET)
            entries = list(session.scalars(query.order_by(*order).limit(size).offset(offset)))
            return Found(total, entries, _facets(session, matching))

    # ---- where somebody stopped

    def position(self, viewer: str, identifier: str) -> float:
        """Returns where somebody stopped watching, seconds; 0 at first."""
        with self.sessions() as session:
            query = (
                select(Position.position_s)
                .join(Entry, Entry.key == Position.entry)
                .where(Entry.id == identifier, Position.viewer == viewer)
            )
            return session.scalar(query) or 0.0

    def stopped_at(self, viewer: str, identifier: str, position_s: float) -> None:
        """Notes where somebody is."""
        with self.sessions() as session:
            key = session.scalar(select(Entry.key).where(Entry.id == identifier))
            if key is None:
                return
            known = session.get(Position, (key, viewer))
            if known is None:
                known = Position(entry=key, viewer=viewer)
                session.add(known)
            known.position_s, known.updated_at = position_s, self.now()


def _rights(session: Session, entry: Entry) -> Rights:
    schools = session.scalars(select(EntrySchool.school).where(EntrySchool.entry == entry.key))
    visibility: Any = entry.visibility
    return Rights(entry.lesson, entry.lead_id, frozenset(schools), visibility)


def _visible(viewer: Viewer) -> list[ColumnElement[bool]]:
    """``access.may`` to see, as SQL."""
    if viewer.lesson:
        return [Entry.lesson == viewer.lesson]
    if viewer.role in (Role.OPERATOR, Role.LIBRARIAN):
        return []
    if viewer.role is not Role.LEAD:
        return [Entry.key < 0]
    of_school = select(EntrySchool.entry).where(EntrySchool.school.in_(viewer.schools))
    return [
        or_(
            Entry.visibility == "city",
            Entry.lead_id == viewer.subject,
            and_(Entry.visibility == "school", Entry.key.in_(of_school)),
        )
    ]


def _filters(asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, value in (
        (Entry.subject, asked.subject),
        (Entry.grade, asked.grade),
        (Entry.edition, asked.edition),
        (Entry.kind, asked.kind),
    ):
        if value:
            found.append(column == value)
    if asked.point:
        of_point = select(EntryPoint.entry).where(EntryPoint.point == asked.point)
        found.append(Entry.key.in_(of_point))
    if asked.school:
        of_school = select(EntrySchool.entry).where(EntrySchool.school == asked.school)
        found.append(Entry.key.in_(of_school))
    return found


def _hits(terms: Sequence[str], typed: str) -> Any | None:  # noqa: ANN401 - a subquery
    """(entry, weight) of entries that have all terms and a word that begins with ``typed``."""
    if not terms and not typed:
        return None
    parts: list[Any] = []
    if terms:
        parts.append(
            select(Term.entry, func.sum(Term.weight).label("weight"))
            .where(Term.term.in_(terms))
            .group_by(Term.entry)
            .having(func.count(distinct(Term.term)) == len(set(terms)))
        )
    if typed:
        # Up to the first string after all that begin so: an index can do that, LIKE cannot.
        after = typed[:-1] + chr(ord(typed[-1]) + 1)
        parts.append(
            select(Term.entry, func.max(Term.weight).label("weight"))
            .where(Term.term >= typed, Term.term < after)
            .group_by(Term.entry)
        )
    if len(parts) == 1:
        return parts[0].subquery()
    first, second = parts[0].subquery(), parts[1].subquery()
    return (
        select(first.c.entry, (first.c.weight + second.c.weight).label("weight"))
        .join(second, second.c.entry == first.c.entry)
        .subquery()
    )


def _facets(session: Session, matching: Select[Any]) -> dict[str, list[tuple[str, int]]]:
    keys = matching.subquery()
    facets: dict[str, list[tuple[str, int]]] = {}
    for name, column in (
        ("subject", Entry.subject),
        ("grade", Entry.grade),
        ("edition", Entry.edition),
    ):
        query = (
            select(column, func.count())
            .where(Entry.key.in_(select(keys.c.key)), column != "")
            .group_by(column)
        )
        facets[name] = _most((value, count) for value, count in session.execute(query))
    points = (
        select(EntryPoint.point, func.count())
        .where(EntryPoint.entry.in_(select(keys.c.key)))
        .group_by(EntryPoint.point)
        .order_by(func.count().desc())
        .limit(MAX_FACET)
    )
    facets["point"] = _most((value, count) for value, count in session.execute(points))
    return facets


def _most(rows: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(rows, key=lambda row: (-row[1], row[0]))[:MAX_FACET]


def _index(session: Session, entry: Entry) -> None:
    """Writes what an entry is found by anew."""
    session.execute(delete(Term).where(Term.entry == entry.key))
    session.execute(delete(EntryPoint).where(EntryPoint.entry == entry.key))
    texts = {
        "title": entry.title,
        "points": " ".join(entry.points),
        "subtitle": entry.subtitle,
        "subject": f"{entry.subject} {entry.grade} {entry.edition}",
        "people": f"{entry.lead_name} {entry.school_name}",
        "description": entry.description,
    }
    weights: dict[str, int] = {}
    for name, text in texts.items():
        for term in terms_of(text):
            weights[term] = weights.get(term, 0) + _WEIGHTS[name]
    session.add_all(EntryPoint(entry=entry.key, point=point) for point in set(entry.points))
    if weights:
        rows = [
            {"term": t[:WORD_CHARS], "entry": entry.key, "weight": w} for t, w in weights.items()
        ]
        session.execute(Term.__table__.insert(), rows)  # type: ignore[attr-defined]
