"""Which schools a class or a member of staff belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Enrolment, LessonRow, Person, School, SchoolClass


class Schools:
    """Looks them up. Calls block."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
