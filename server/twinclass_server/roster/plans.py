"""What is asked for when a lesson is planned, and the live lesson's plan made of the tables."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from twinclass_server.roster.models import (
    Enrolment,
    LessonClass,
    LessonRow,
    LessonStaff,
    Person,
    RecordingConsent,
    School,
    SchoolClass,
)
from twinclass_server.roster.subjects import grade_number, subject_id
from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.plan import (
    MAX_CUES,
    MAX_PHASES,
    MAX_PUPILS,
    MAX_ROOMS,
    MAX_SEATS,
    Plan,
    PlannedCue,
    PlannedPhase,
    PlannedPolicy,
    PlannedPupil,
    PlannedRoom,
)
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Id

Title = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]
Text = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]
#: Two hundred visitors of an open lesson watch through a plain screen instead (WHEP).
MAX_OBSERVERS = 40


class Assistant(Struct, frozen=True, forbid_unknown_fields=True):
    """Who assists in which class."""

    person: Id
    class_id: Id


class LessonWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/lessons`` and ``PUT /api/lessons/{id}``.

    ``starts_at``: with a zone. ``assistants`` None: the classes' own teachers.
    """

    title: Title
    starts_at: Annotated[datetime, Meta(tz=True)]
    classes: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MAX_ROOMS)]
    subject: Text = ""
    planned_minutes: Annotated[int, Meta(ge=1, le=600)] = 40
    lead: Id | None = None
    co_leads: Annotated[tuple[Id, ...], Meta(max_length=4)] = ()
    assistants: Annotated[tuple[Assistant, ...], Meta(max_length=2 * MAX_ROOMS)] | None = None
    observers: Annotated[int, Meta(ge=0, le=MAX_OBSERVERS)] = 1
    policy: PlannedPolicy = PlannedPolicy()
    phases: Annotated[tuple[PlannedPhase, ...], Meta(max_length=MAX_PHASES)] = ()
    cues: Annotated[tuple[PlannedCue, ...], Meta(max_length=MAX_CUES)] = ()


class LessonSettings(Struct, frozen=True):
    """What of a wish is kept as JSON: nothing is ever searched by it."""

    policy: PlannedPolicy = PlannedPolicy()
    phases: tuple[PlannedPhase, ...] = ()
    cues: tuple[PlannedCue, ...] = ()
    observers: int = 1


class SeatWish(NamedTuple):
    """A link that a lesson needs."""

    role: Role
    subject: str
    room: str | None


class Names(NamedTuple):
    """How a seat is called."""

    name: str
    school: str


class Planned(NamedTuple):
    """A lesson's plan, the links it needs, and what they are called."""

    plan: Plan
    seats: dict[SeatWish, Names]


def settings_of(row: LessonRow) -> LessonSettings:
    """Returns the kept part of a wish."""
    return msgspec.convert(row.settings, LessonSettings)


def group_id(school: str, group: str) -> str:
    """Returns a home group's participant id: two schools may use the same word."""
    return "hg-" + hashlib.sha256(f"{school}\n{group}".encode()).hexdigest()[:16]


def _pupils(session: Session, classes: list[str], day: date) -> list[tuple[Enrolment, Person]]:
    query = (
        select(Enrolment, Person)
        .join(Person, Person.id == Enrolment.person_id)
        .where(
            Enrolment.class_id.in_(classes),
            Enrolment.role == "pupil",
            Enrolment.status == "active",
            Person.status == "active",
            or_(Enrolment.begin_date.is_(None), Enrolment.begin_date <= day),
            or_(Enrolment.end_date.is_(None), Enrolment.end_date >= day),
        )
        .order_by(Person.sourced_id)
    )
    return [(enrolment, person) for enrolment, person in session.execute(query)]


def recordable(session: Session, people: Sequence[str]) -> set[str]:
    """Returns those who may be recorded: consent was given and is not withdrawn."""
    query = select(RecordingConsent.person_id).where(
        RecordingConsent.person_id.in_(people), RecordingConsent.withdrawn_at.is_(None)
    )
    return set(session.scalars(query))


def planned(session: Session, row: LessonRow) -> Planned:
    """Returns the plan of a lesson as the tables are now.

    Raises:
        Conflict: a class or the lesson is larger than a lesson can be.
    """
    query = (
        select(SchoolClass, School)
        .join(LessonClass, LessonClass.class_id == SchoolClass.id)
        .join(School, School.id == SchoolClass.school_id)
        .where(LessonClass.lesson_id == row.id)
        .order_by(LessonClass.position)
    )
    classes = [(found, school) for found, school in session.execute(query)]
    school_of = {found.id: school for found, school in classes}
    seats: dict[SeatWish, Names] = {}
    lead = row.lead_id or f"lead-{row.id}"
    seats[SeatWish(Role.LEAD, lead, None)] = Names(row.lead_name, "")
    staff = _staff(session, row.id)
    for member, person in staff:
        if member.role == "co_lead":
            seats[SeatWish(Role.CO_LEAD, person.id, None)] = Names(person.name, "")
    pupils: dict[str, list[PlannedPupil]] = {}
    taken: set[str] = set()
    homes: dict[SeatWish, Names] = {}
    members_of = _pupils(session, list(school_of), row.starts_at.astimezone(UTC).date())
    agreed = recordable(session, [person.id for _, person in members_of])
    for enrolment, person in members_of:
        if person.id in taken:
            continue  # In two of the classes: she is counted with the first.
        taken.add(person.id)
        school = school_of[enrolment.class_id]
        group = group_id(school.id, enrolment.home_group) if enrolment.home_group else None
        pupils.setdefault(enrolment.class_id, []).append(
            PlannedPupil(
                PersonId(person.id),
                person.name,
                at_home=enrolment.at_home,
                group=None if group is None else ParticipantId(group),
                recordable=person.id in agreed,
            )
        )
        if group is not None:
            wish = SeatWish(Role.HOME_GROUP, group, enrolment.class_id)
            if not any(other.subject == group for other in homes):
                homes[wish] = Names(enrolment.home_group or "", school.name)
        elif enrolment.at_home:
            wish = SeatWish(Role.HOME_LEARNER, person.id, enrolment.class_id)
            homes[wish] = Names(person.name, school.name)
    rooms: list[PlannedRoom] = []
    for found, school in classes:
        members = tuple(pupils.get(found.id, ()))
        if len(members) > MAX_PUPILS:
            raise Conflict(
                "class_too_large",
                f"{found.name} 超过 {MAX_PUPILS} 名学生，请先分班。",
                f"{found.name} has more than {MAX_PUPILS} pupils; divide it first.",
            )
        rooms.append(PlannedRoom(RoomId(found.id), found.name, school.name, pupils=members))
        seats[SeatWish(Role.ROOM, found.id, found.id)] = Names(found.name, school.name)
        assisting = [p for m, p in staff if m.role == "assistant" and m.class_id == found.id]
        for person in assisting:
            wish = SeatWish(Role.ASSISTANT, person.id, found.id)
            seats[wish] = Names(person.name, school.name)
        if not assisting:
            wish = SeatWish(Role.ASSISTANT, f"assistant-{found.id}", found.id)
            seats[wish] = Names("", school.name)
    if len(homes) > MAX_SEATS // 2:
        raise Conflict(
            "too_many_homes",
            f"居家学生超过 {MAX_SEATS // 2} 名，请分成两节课。",
            f"More than {MAX_SEATS // 2} homes; make two lessons of it.",
        )
    seats |= homes
    settings = settings_of(row)
    for number in range(1, settings.observers + 1):
        seats[SeatWish(Role.OBSERVER, f"observer-{row.id}-{number}", None)] = Names("", "")
    plan = Plan(
        row.title,
        row.subject,
        row.planned_minutes,
        tuple(rooms),
        len(homes),
        settings.policy,
        settings.phases,
        settings.cues,
        subject_id(row.subject),
        grade_number(classes[0][0].grade or "") if classes else None,
    )
    return Planned(plan, seats)


def _staff(session: Session, lesson: str) -> list[tuple[LessonStaff, Person]]:
    query = (
        select(LessonStaff, Person)
        .join(Person, Person.id == LessonStaff.person_id)
        .where(LessonStaff.lesson_id == lesson)
        .order_by(Person.sourced_id)
    )
    return [(member, person) for member, person in session.execute(query)]


def class_teachers(session: Session, classes: tuple[str, ...]) -> list[Assistant]:
    """Returns the teachers who are enrolled in the classes."""
    query = (
        select(Enrolment.person_id, Enrolment.class_id)
        .where(
            Enrolment.class_id.in_(classes),
            Enrolment.role == "teacher",
            Enrolment.status == "active",
        )
        .order_by(Enrolment.person_id)
    )
    found: list[Assistant] = []
    seen: set[str] = set()
    for person, class_id in session.execute(query):
        if person not in seen:  # A token is for one class.
            seen.add(person)
            found.append(Assistant(person, class_id))
    return found
