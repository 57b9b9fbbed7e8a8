"""Which schools a class or a member of staff belongs to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import select

from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Enrolment, LessonRow, Person, School, SchoolClass

#: A teacher who moves to another school sees its lessons so much later; each of her searches would
#: ask the database otherwise.
KNOWN_S = 30.0
#: Teachers of a city who use the library in half a minute.
MAX_KNOWN = 20_000
#: The classes of a large school; a page lists them.
MAX_CLASSES = 200


class ClassOf(NamedTuple):
    """A class, and the school it is of (name and id)."""

    id: str
    name: str
    school: str
    school_id: str


class Schools:
    """Looks them up. Calls block."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, tuple[float, frozenset[str]]] = OrderedDict()

    def known_of_staff(self, person: str, now: float) -> frozenset[str] | None:
        """Returns the schools of a teacher if they were looked up lately; does not block."""
        at, schools = self._known.get(person, (-KNOWN_S, frozenset[str]()))
        return schools if now - at < KNOWN_S else None

    def look_up(self, person: str, now: float) -> frozenset[str]:
        """Returns what ``of_staff`` does, and remembers it for a while."""
        schools = self.of_staff(person)
        with suppress(KeyError):  # Another thread was quicker.
            self._known[person] = (now, schools)
            self._known.move_to_end(person)
            while len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)
        return schools

    def of_staff(self, person: str) -> frozenset[str]:
        """Returns the schools of a teacher: her own, and those whose classes she teaches."""
        with self._database.session() as session:
            own = session.scalar(select(Person.school_id).where(Person.id == person))
            taught = session.scalars(
                select(SchoolClass.school_id)
                .join(Enrolment, Enrolment.class_id == SchoolClass.id)
                .where(Enrolment.person_id == person, Enrolment.role == "teacher")
            )
            found = set(taught)
        return frozenset(found | ({own} if own else set()))

    def of_classes(self, classes: Sequence[str]) -> dict[str, str]:
        """Returns id -> name of the schools of classes; classes without a roster have none."""
        query = (
            select(School.id, School.name)
            .join(SchoolClass, SchoolClass.school_id == School.id)
            .where(SchoolClass.id.in_(classes))
        )
        with self._database.session() as session:
            return {row.id: row.name for row in session.execute(query)}

    def subject_and_grade(self, lesson: str, classes: Sequence[str]) -> tuple[str, str]:
        """Returns what a lesson was planned as, as far as the roster knows."""
        with self._database.session() as session:
            row = session.get(LessonRow, lesson)
            grade = session.scalar(
                select(SchoolClass.grade).where(SchoolClass.id.in_(classes)).limit(1)
            )
            return (row.subject if row is not None else ""), grade or ""

    def classes_of(self, person: str, schools: frozenset[str]) -> list[ClassOf]:
        """Returns the classes that somebody may say a lesson is shown to: those taught, then the
        others of the schools."""
        taught = (
            select(Enrolment.class_id)
            .where(Enrolment.person_id == person, Enrolment.role == "teacher")
            .subquery()
        )
        query = (
            select(
                SchoolClass.id, SchoolClass.name, School.name.label("school"), School.id.label("at")
            )
            .join(School, School.id == SchoolClass.school_id)
            .outerjoin(taught, taught.c.class_id == SchoolClass.id)
            .where(SchoolClass.school_id.in_(schools), SchoolClass.status == "active")
            .order_by(taught.c.class_id.is_(None), School.name, SchoolClass.name)
            .limit(MAX_CLASSES)
        )
        with self._database.session() as session:
            return [ClassOf(*row) for row in session.execute(query)]

    def names_of(self, person: str) -> tuple[str, str]:
        """Returns (name, school's name) of a person, empty where the roster knows none."""
        query = (
            select(Person.name, School.name)
            .outerjoin(School, School.id == Person.school_id)
            .where(Person.id == person)
        )
        with self._database.session() as session:
            row = session.execute(query).first()
        return (row[0], row[1] or "") if row is not None else ("", "")
