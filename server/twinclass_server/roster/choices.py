"""What a lesson is planned from: schools with their classes, and teachers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from twinclass_server.roster.models import Enrolment, Guardian, Person, School, SchoolClass

#: Teachers and classes of a city in one picker.
MAX_CHOICES = 5000


def choices(session: Session) -> dict[str, Any]:
    """Returns what the page offers; ``teachers`` of a class are its own."""
    counts = {
        (class_id, at_home): count
        for class_id, at_home, count in session.execute(
            select(Enrolment.class_id, Enrolment.at_home, func.count())
            .where(Enrolment.role == "pupil", Enrolment.status == "active")
            .group_by(Enrolment.class_id, Enrolment.at_home)
        )
    }
    schools: dict[str, dict[str, Any]] = {
        school.id: {"id": school.id, "name": school.name, "classes": []}
        for school in session.scalars(select(School).order_by(School.sourced_id))
    }
    own_teachers: dict[str, list[str]] = {}
    query = (
        select(Enrolment.class_id, Enrolment.person_id)
        .where(Enrolment.role == "teacher", Enrolment.status == "active")
        .order_by(Enrolment.person_id)
    )
    for class_id, person in session.execute(query):
        own_teachers.setdefault(class_id, []).append(person)
    classes = select(SchoolClass).order_by(SchoolClass.sourced_id).limit(MAX_CHOICES)
    for found in session.scalars(classes):
        rooms: list[dict[str, Any]] = schools[found.school_id]["classes"]
        homes = counts.get((found.id, True), 0)
        rooms.append(
            {
                "id": found.id,
                "name": found.name,
                "grade": found.grade,
                "pupils": counts.get((found.id, False), 0) + homes,
                "homes": homes,
                "teachers": own_teachers.get(found.id, []),
            }
        )
    return {"schools": list(schools.values()), "teachers": teachers(session)}


def teacher_name(session: Session, person: str) -> str | None:
    """Returns the name of a teacher, None when she is none."""
    query = select(Person.name).where(Person.id == person, *_is_teacher())
    return session.scalars(query).first()


def _is_teacher() -> tuple[ColumnElement[bool], ...]:
    """People who are neither pupils nor guardians: enrolled as teachers, or nowhere. A teacher
    whose own child is at the school is both, and stays."""
    pupils = select(Enrolment.person_id).where(Enrolment.role == "pupil")
    teachers = select(Enrolment.person_id).where(Enrolment.role == "teacher")
    guardians = select(Guardian.guardian_id)
    return (
        Person.status == "active",
        Person.id.not_in(pupils),
        or_(Person.id.in_(teachers), Person.id.not_in(guardians)),
    )


def teachers(session: Session) -> list[dict[str, str]]:
    """Returns id, name and school of all teachers."""
    query = (
        select(Person.id, Person.name, School.name)
        .outerjoin(School, School.id == Person.school_id)
        .where(*_is_teacher())
        .order_by(School.sourced_id, Person.sourced_id)
        .limit(MAX_CHOICES)
    )
    return [
        {"id": person, "name": name, "school": school or ""}
        for person, name, school in session.execute(query)
    ]
