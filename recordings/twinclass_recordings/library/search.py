"""Searching the library in SQL (shell; calls block).

A question's terms must all be there; what weighs most comes first, then what is new. The same plain
SQL runs on SQLite and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, distinct, func, or_, select
from sqlalchemy.orm import Session

from twinclass_recordings.library.access import Viewer
from twinclass_recordings.library.models import Entry, EntryPoint, EntrySchool, Term
from twinclass_recordings.library.terms import terms_asked
from twinclass_signaling.roles import Role

Order = Literal["relevance", "new", "plays"]
#: A page of covers; more is another request.
MAX_PAGE = 60
#: A search that nobody pages through to its end.
MAX_OFFSET = 5000
#: Values of one facet that are worth showing.
MAX_FACET = 60


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


def search(session: Session, viewer: Viewer, asked: Asked) -> Found:
    """Returns what somebody may see of what is asked for."""
    terms, typed = terms_asked(asked.text)
    where = [*visible(viewer), *_filters(asked)]
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


def visible(viewer: Viewer) -> list[ColumnElement[bool]]:
    """Returns ``access.may`` to see, as SQL."""
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
