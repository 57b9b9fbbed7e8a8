"""The ledger of tutors' credit: lines are written once, the cap is held where they are written.

A transaction first locks the tutor's row of the term, then reads the sum, decides (``credits``),
and writes. So a thousand closings at once come one after the other, for one tutor, and none sees a
sum that another is about to change. PostgreSQL locks the row. SQLite has one writer at a time,
and the statement that makes the row is the first of its transaction: it waits there.

A line's ``ref`` says what it is for; told twice, it is written once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from twinclass_server.desk.content import models
from twinclass_server.desk.content.ids import new_id
from twinclass_server.desk.content.terms import term_of
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Person, School
from twinclass_signaling.desk import credits as rules
from twinclass_signaling.desk.credits import Award, Entry, HelpKind, Rates, Rating

#: Lines of an export: a city's desks in a term have some hundred thousand.
_AT_ONCE = 5000


class Helped(Struct, frozen=True):
    """A help that is over: what its line says besides the points. ``number``: of the session, or
    of the question that was answered in writing."""

    tutor: str
    desk: str
    evening: str
    kind: HelpKind
    number: int
    subject: str
    seconds: float = 0.0

    @property
    def ref(self) -> str:
        """Returns the name under which it is paid once."""
        return f"{self.desk}/{self.evening}/{self.kind}/{self.number}/{self.tutor}"


class Line(Struct, frozen=True):
    """A line as it stands."""

    id: str
    kind: str
    points: int
    asked: int
    reason: str
    of: str | None
    desk: str
    evening: str
    help: str
    subject: str
    seconds: float
    at: datetime
    #: Of the session, or of the question that was answered in writing; None: no help's line.
    number: int | None

    @property
    def yuan(self) -> int:
        """Returns what it is worth."""
        return self.points * rules.YUAN_A_POINT


class PaidLine(Struct, frozen=True):
    """A line with what payment needs to know of its tutor."""

    district: str
    school: str
    tutor: str
    name: str
    line: Line


class Ledger:
    """Calls block. ``cap``: a setting only in tests."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        rates: Rates | None = None,
        cap: int = rules.CAP_A_TERM,
    ) -> None:
        self._database = database
        self._now = now
        self._rates = rates or Rates()
        self.cap = cap
        # Waiting here is in turn; SQLite's own waiting is by chance, and can starve one.
        self._turn = threading.Lock() if database.is_sqlite else nullcontext()

    # ---- writing

    def earn(self, helped: Helped, rating: Rating | None = None) -> Line | None:
        """Writes what a help is worth, as far as the term's cap allows; returns the line, which
        was there before when it is told again. None: it is worth nothing (too short)."""
        points = rules.points_for(helped.kind, helped.seconds, rating, self._rates)
        if points == 0:
            return None
        with self._locked(helped.tutor, term_of(helped.evening)) as session:
            known = _by_ref(session, helped.ref)
            if known is not None:
                return known
            award = rules.earn(_sum(session, helped), points, _reason(helped.kind), cap=self.cap)
            return self._write(session, helped, award, helped.ref)

    def rated(self, helped: Helped, rating: Rating) -> Line | None:
        """A rating has come after the help was paid: the line is taken back whole and written anew
        where the rating changes it. Returns what now stands; once a help."""
        points = rules.points_for(helped.kind, helped.seconds, rating, self._rates)
        with self._locked(helped.tutor, term_of(helped.evening)) as session:
            paid, again = _by_ref(session, helped.ref), f"{helped.ref}/rated"
            if paid is None:
                award = rules.earn(
                    _sum(session, helped), points, _reason(helped.kind), cap=self.cap
                )
                return None if points == 0 else self._write(session, helped, award, helped.ref)
            known = _by_ref(session, again)
            if known is not None:
                return known
            if points == paid.asked or _is_reversed(session, paid.id):
                return paid
            back = rules.reverse(_entries(session, helped), paid.id, cap=self.cap)
            self._write(session, helped, back, f"{helped.ref}/back")
            award = rules.earn(_sum(session, helped), points, _reason(helped.kind), cap=self.cap)
            return self._write(session, helped, award, again)

    def adjust(
        self, tutor: str, evening: str, points: int, *, by: str, note: str, ref: str
    ) -> Line:
        """Writes a correction by hand.

        Raises:
            Conflict: ``points_malformed``.
        """
        helped = Helped(tutor, "", evening, "written", 0, "")
        with self._locked(tutor, term_of(evening)) as session:
            known = _by_ref(session, ref)
            if known is not None:
                return known
            award = rules.adjust(_sum(session, helped), points, cap=self.cap)
            return self._write(session, helped, award, ref, by=by, note=note)

    def reverse(self, tutor: str, evening: str, identifier: str, *, by: str, note: str) -> Line:
        """Takes a line back, whole and once.

        Raises:
            Conflict: ``entry_unknown``, ``already_reversed``.
        """
        helped = Helped(tutor, "", evening, "written", 0, "")
        with self._locked(tutor, term_of(evening)) as session:
            award = rules.reverse(_entries(session, helped), identifier, cap=self.cap)
            return self._write(session, helped, award, f"reverse/{identifier}", by=by, note=note)

    @contextmanager
    def _locked(self, tutor: str, term: str) -> Generator[Session, None, None]:
        with self._turn, self._database.session() as session:
            key = {"tutor": tutor, "term": term}
            session.execute(
                text(
                    "INSERT INTO desk_credit_term (tutor, term) VALUES (:tutor, :term) "
                    "ON CONFLICT DO NOTHING"
                ),
                key,
            )
            session.get(models.CreditTerm, (tutor, term), with_for_update=True)
            yield session

    def _write(
        self,
        session: Session,
        helped: Helped,
        award: Award,
        ref: str,
        *,
        by: str = "",
        note: str = "",
    ) -> Line:
        is_help = bool(helped.desk)
        row = models.Credit(
            id=new_id("e"), tutor=helped.tutor, term=term_of(helped.evening), kind=award.kind,
            points=award.points, asked=award.asked, reason=award.reason, of=award.of, ref=ref,
            desk=helped.desk, evening=helped.evening, help=helped.kind if is_help else "",
            subject=helped.subject, seconds=helped.seconds, by=by, note=note[:200], at=self._now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        return _line(row)

    # ---- reading

    def term_points(self, tutor: str, evening: str) -> int:
        """Returns a tutor's points in the term of an evening."""
        with self._database.session() as session:
            return _sum(session, Helped(tutor, "", evening, "written", 0, ""))

    def of_evening(self, tutor: str, desk: str, evening: str) -> list[Line]:
        """Returns a tutor's lines of one evening, oldest first."""
        query = (
            select(models.Credit)
            .where(
                models.Credit.tutor == tutor,
                models.Credit.term == term_of(evening),
                models.Credit.evening == evening,
                models.Credit.desk == desk,
            )
            .order_by(models.Credit.key)
        )
        with self._database.session() as session:
            return [_line(row) for row in session.scalars(query)]

    def export(self, since: datetime, until: datetime) -> Iterable[PaidLine]:
        """Returns all lines written from ``since`` to before ``until``, by district, school and
        tutor: the sum of each is what is to be paid."""
        query = (
            select(models.Credit, Person.name, School.name, models.SchoolDistrict.district)
            .outerjoin(Person, Person.id == models.Credit.tutor)
            .outerjoin(School, School.id == Person.school_id)
            .outerjoin(models.SchoolDistrict, models.SchoolDistrict.school == School.id)
            .where(models.Credit.at >= since, models.Credit.at < until)
        )
        with self._database.session() as session:
            rows = session.execute(query.execution_options(yield_per=_AT_ONCE))
            found = [
                PaidLine(district or "", school or "", row.tutor, name or "", _line(row))
                for row, name, school, district in rows
            ]
        found.sort(key=lambda one: (one.district, one.school, one.tutor, one.line.at))
        return found


def _reason(kind: HelpKind) -> rules.CreditReason:
    return "written" if kind == "written" else "session"


def _of_term(helped: Helped) -> tuple[ColumnElement[bool], ...]:
    return models.Credit.tutor == helped.tutor, models.Credit.term == term_of(helped.evening)


def _entries(session: Session, helped: Helped) -> list[Entry]:
    found: list[Entry] = []
    for row in session.scalars(select(models.Credit).where(*_of_term(helped))):
        kind: Any = row.kind
        reason: Any = row.reason
        found.append(Entry(row.id, kind, row.points, reason, row.asked, row.of))
    return found


def _sum(session: Session, helped: Helped) -> int:
    query = select(func.coalesce(func.sum(models.Credit.points), 0)).where(*_of_term(helped))
    return int(session.scalar(query) or 0)


def _is_reversed(session: Session, identifier: str) -> bool:
    query = select(models.Credit.key).where(models.Credit.of == identifier)
    return session.scalar(query) is not None


def _by_ref(session: Session, ref: str) -> Line | None:
    row = session.scalar(select(models.Credit).where(models.Credit.ref == ref))
    return None if row is None else _line(row)


def _line(row: models.Credit) -> Line:
    return Line(
        row.id, row.kind, row.points, row.asked, row.reason, row.of, row.desk, row.evening,
        row.help, row.subject, row.seconds, row.at,
        int(row.ref.split("/")[3]) if row.help else None,
    )  # fmt: skip
