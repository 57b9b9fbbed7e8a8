"""Duty rosters: of a weekday, or of one date, which goes before; and who pays for which school."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import delete, select

from twinclass_server.desk.content import models
from twinclass_server.desk.content.audit import Audit, Doer
from twinclass_server.desk.content.terms import day_of
from twinclass_server.roster.choices import teachers
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Person, School
from twinclass_signaling.desk.plan import MAX_ROSTER, Duty
from twinclass_signaling.errors import Conflict


class Roster(Struct, frozen=True):
    """Whose duty it is. ``of``: the date's own roster, that of its weekday, or nobody made one.
    ``names``: of its tutors."""

    day: str
    of: Literal["date", "weekday", "nothing"]
    duties: tuple[Duty, ...]
    names: dict[str, str]


class Rosters:
    """Calls block."""

    def __init__(self, database: Database, audit: Audit, now: Callable[[], datetime]) -> None:
        self._database = database
        self._audit = audit
        self._now = now

    def duties(self, desk: str, evening: str) -> tuple[Duty, ...]:
        """Returns the roster of an evening.

        Raises:
            Conflict: ``date_malformed``.
        """
        return self.of(desk, evening).duties

    def of(self, desk: str, day: str) -> Roster:
        """Returns the roster of a date, or of a weekday (``0`` is Monday).

        Raises:
            Conflict: ``date_malformed``.
        """
        days = [_day(day)]
        if len(day) > 1:
            days.append(str(day_of(day).weekday()))
        with self._database.session() as session:
            for wanted in days:
                row = session.get(models.DutyDay, (desk, wanted))
                if row is not None:
                    duties = msgspec.convert(row.duties, tuple[Duty, ...], strict=False)
                    query = select(Person.id, Person.name).where(
                        Person.id.in_([duty.tutor for duty in duties])
                    )
                    names = dict(session.execute(query).all())
                    return Roster(day, "date" if len(wanted) > 1 else "weekday", duties, names)
        return Roster(day, "nothing", (), {})

    def put(self, doer: Doer, day: str, duties: Sequence[Duty] | None) -> None:
        """Makes the roster of a date or a weekday; None: a date has that of its weekday again.

        Raises:
            Conflict: ``date_malformed``, ``duty_malformed`` (ends before it starts), ``duty_twice``
                (a tutor twice), ``roster_full``.
        """
        day = _day(day)
        if duties is not None:
            _check(duties)
        with self._database.session() as session:
            self._audit.add(session, doer, "roster_changed", f"roster/{day}")
            session.execute(
                delete(models.DutyDay).where(
                    models.DutyDay.desk == doer.desk, models.DutyDay.day == day
                )
            )
            if duties is not None:
                session.add(
                    models.DutyDay(
                        desk=doer.desk, day=day, duties=msgspec.to_builtins(list(duties)),
                        changed_at=self._now(), changed_by=doer.person,
                    )
                )  # fmt: skip

    def tutors(self) -> list[dict[str, str]]:
        """Returns who may be put on a roster: id, name and school of all teachers."""
        with self._database.session() as session:
            return teachers(session)

    def districts(self) -> list[dict[str, str]]:
        """Returns every school with the district that pays for its tutors, "" where none does."""
        query = (
            select(School.id, School.name, models.SchoolDistrict.district)
            .outerjoin(models.SchoolDistrict, models.SchoolDistrict.school == School.id)
            .order_by(School.sourced_id)
        )
        with self._database.session() as session:
            return [
                {"school": school, "name": name, "district": district or ""}
                for school, name, district in session.execute(query)
            ]

    def set_districts(self, doer: Doer, districts: Mapping[str, str]) -> None:
        """Says which district pays for which school (id); others stay."""
        with self._database.session() as session:
            self._audit.add(session, doer, "districts_changed", f"{len(districts)} schools")
            for school, district in districts.items():
                session.merge(models.SchoolDistrict(school=school, district=district))


def _day(text: str) -> str:
    if len(text) == 1 and text in "0123456":
        return text
    return day_of(text).isoformat()


def _check(duties: Sequence[Duty]) -> None:
    if len(duties) > MAX_ROSTER:
        raise Conflict("roster_full", "排班已满。", "The roster is full.")
    if any(duty.starts >= duty.ends for duty in duties):
        raise Conflict("duty_malformed", "结束时间应晚于开始时间。", "A duty ends after it starts.")
    if len({duty.tutor for duty in duties}) < len(duties):
        raise Conflict("duty_twice", "同一位老师排了两次。", "A tutor is on the roster twice.")
