"""Lessons that are planned: made, changed, deleted, and the links of each. Calls block."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from twinclass_server.roster.database import Database
from twinclass_server.roster.models import (
    Enrolment,
    JoinLink,
    LessonClass,
    LessonRow,
    LessonStaff,
    Person,
    RevokedLink,
    School,
    SchoolClass,
)
from twinclass_server.roster.plans import (
    LessonSettings,
    LessonWish,
    Names,
    Planned,
    SeatWish,
    class_teachers,
    planned,
    settings_of,
)
from twinclass_signaling.errors import Conflict, Forbidden
from twinclass_signaling.lesson.plan import Plan
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import StaffClaims

#: A link still says "this lesson is over" the day after.
_LINK_AFTER = timedelta(days=1)
#: A year of a busy lead, twice; older lessons are in the library.
MAX_LESSONS = 500
#: Teachers and classes of a city in one picker.
MAX_CHOICES = 5000


class LinkRow(NamedTuple):
    """A link of a lesson with the name of whoever it is for."""

    link: JoinLink
    names: Names


class Sheet(NamedTuple):
    """A lesson with its links, in the order of the wall."""

    row: LessonRow
    plan: Plan
    classes: list[str]
    co_leads: list[str]
    assistants: list[tuple[str, str | None]]
    links: list[LinkRow]


class LessonDesk:
    """Planned lessons. ``staff`` is whoever asks: an operator, or a lead who sees her own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- reading -----------------------------------------------------------------------------

    def choices(self) -> dict[str, Any]:
        """Returns schools with their classes, and teachers, to choose from."""
        with self._database.session() as session:
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
                    }
                )
            return {"schools": list(schools.values()), "teachers": _teachers(session)}

    def lessons(self, staff: StaffClaims) -> list[tuple[LessonRow, list[str], int]]:
        """Returns the lessons that staff may see, the newest first, with names of their classes
        and the number of homes."""
        query = select(LessonRow).order_by(LessonRow.starts_at.desc()).limit(MAX_LESSONS)
        if staff.role is not Role.OPERATOR:
            co_led = select(LessonStaff.lesson_id).where(
                LessonStaff.person_id == staff.sub, LessonStaff.role == "co_lead"
            )
            mine = or_(
                LessonRow.lead_id == staff.sub,
                LessonRow.created_by == staff.sub,
                LessonRow.id.in_(co_led),
            )
            query = query.where(mine)
        with self._database.session() as session:
            rows = list(session.scalars(query))
            names: dict[str, list[str]] = {row.id: [] for row in rows}
            places = (
                select(LessonClass.lesson_id, School.name, SchoolClass.name)
                .join(SchoolClass, SchoolClass.id == LessonClass.class_id)
                .join(School, School.id == SchoolClass.school_id)
                .where(LessonClass.lesson_id.in_(names))
                .order_by(LessonClass.position)
            )
            for lesson, school, name in session.execute(places):
                names[lesson].append(f"{school} {name}")
            query_homes = (
                select(JoinLink.lesson_id, func.count(func.distinct(JoinLink.subject)))
                .where(
                    JoinLink.lesson_id.in_(names),
                    JoinLink.role.in_([Role.HOME_LEARNER, Role.HOME_GROUP]),
                )
                .group_by(JoinLink.lesson_id)
            )
            homes = {row[0]: row[1] for row in session.execute(query_homes)}
            return [(row, names[row.id], homes.get(row.id, 0)) for row in rows]

    def sheet(self, lesson: str, staff: StaffClaims) -> Sheet:
        """Returns a lesson with its links; links that the roster asks for by now are made.

        Raises:
            Conflict: ``lesson_unknown``.
            Forbidden: another lead's.
        """
        with self._database.session() as session:
            row = _own(session, lesson, staff)
            found = planned(session, row)
            links = _sync(session, row, found)
            classes = select(LessonClass.class_id).where(LessonClass.lesson_id == lesson)
            staff_rows = list(
                session.scalars(select(LessonStaff).where(LessonStaff.lesson_id == lesson))
            )
            return Sheet(
                row,
                found.plan,
                list(session.scalars(classes.order_by(LessonClass.position))),
                [member.person_id for member in staff_rows if member.role == "co_lead"],
                [(m.person_id, m.class_id) for m in staff_rows if m.role == "assistant"],
                links,
            )

    def plan(self, lesson: str) -> Plan:
        """Returns a lesson's plan, to open it by the clock.

        Raises:
            Conflict: ``lesson_unknown``, or larger than a lesson can be.
        """
        with self._database.session() as session:
            row = session.get(LessonRow, lesson)
            if row is None:
                raise _unknown()
            return planned(session, row).plan

    def due(self, now: datetime, ahead: timedelta) -> list[str]:
        """Returns lessons that begin within ``ahead``, are not over, and not open yet."""
        with self._database.session() as session:
            query = select(LessonRow).where(
                LessonRow.opened_at.is_(None),
                LessonRow.starts_at <= now + ahead,
                LessonRow.starts_at >= now - timedelta(days=1),
            )
            return [
                row.id
                for row in session.scalars(query)
                if row.starts_at + timedelta(minutes=row.planned_minutes) > now
            ]

    def assistant(self, lesson: str, room: str, now: datetime) -> JoinLink | None:
        """Returns the link of a class's assistant, for a tablet that was paired."""
        with self._database.session() as session:
            query = select(JoinLink).where(
                JoinLink.lesson_id == lesson,
                JoinLink.room_id == room,
                JoinLink.role == Role.ASSISTANT,
                JoinLink.revoked_at.is_(None),
                JoinLink.expires_at > now,
            )
            return session.scalars(query.order_by(JoinLink.subject)).first()

    def names(self, link: JoinLink) -> Names:
        """Returns how the bearer of a link is called."""
        with self._database.session() as session:
            person = session.get(Person, link.subject)
            room = session.get(SchoolClass, link.room_id) if link.room_id else None
            school = session.get(School, room.school_id) if room is not None else None
            return Names(
                person.name if person is not None else "", school.name if school is not None else ""
            )

    # ---- writing -----------------------------------------------------------------------------

    def create(self, wish: LessonWish, staff: StaffClaims) -> str:
        """Makes a lesson and returns its id.

        Raises:
            Conflict: a class or a person is unknown, or it is too large.
        """
        now = datetime.now(UTC)
        with self._database.session() as session:
            row = LessonRow(
                id=f"l-{secrets.token_hex(8)}", created_by=staff.sub, created_at=now, opened_at=None
            )
            _fill(session, row, wish, staff)
            session.add(row)
            session.flush()
            _put_people(session, row, wish)
            _sync(session, row, planned(session, row))
            return row.id

    def change(self, lesson: str, wish: LessonWish, staff: StaffClaims) -> None:
        """Changes a lesson that is not open yet.

        Raises:
            Conflict: unknown, open already, or as ``create``.
            Forbidden: another lead's.
        """
        with self._database.session() as session:
            row = _own(session, lesson, staff)
            _require_closed(row)
            _fill(session, row, wish, staff)
            session.execute(delete(LessonClass).where(LessonClass.lesson_id == lesson))
            session.execute(delete(LessonStaff).where(LessonStaff.lesson_id == lesson))
            session.flush()
            _put_people(session, row, wish)
            _sync(session, row, planned(session, row))

    def remove(self, lesson: str, staff: StaffClaims) -> None:
        """Deletes a lesson; its links are refused from then on.

        Raises:
            Conflict: unknown.
            Forbidden: another lead's.
        """
        with self._database.session() as session:
            row = _own(session, lesson, staff)
            query = select(JoinLink).where(
                JoinLink.lesson_id == lesson, JoinLink.revoked_at.is_(None)
            )
            for link in session.scalars(query):
                _revoke(session, link)
            session.flush()
            session.execute(delete(JoinLink).where(JoinLink.lesson_id == lesson))
            session.execute(delete(LessonClass).where(LessonClass.lesson_id == lesson))
            session.execute(delete(LessonStaff).where(LessonStaff.lesson_id == lesson))
            session.delete(row)

    def revoke(self, lesson: str, link_id: str, staff: StaffClaims) -> None:
        """Withdraws a link; the next look at the sheet has a new one in its place.

        Raises:
            Conflict: no such lesson or link.
            Forbidden: another lead's.
        """
        with self._database.session() as session:
            _own(session, lesson, staff)
            link = session.get(JoinLink, link_id)
            if link is None or link.lesson_id != lesson:
                raise Conflict("link_unknown", "没有这个链接。", "There is no such link.")
            if link.revoked_at is None:
                _revoke(session, link)

    def mark_opened(self, lesson: str) -> None:
        """Notes that the live system has it."""
        with self._database.session() as session:
            row = session.get(LessonRow, lesson)
            if row is not None and row.opened_at is None:
                row.opened_at = datetime.now(UTC)

    def may_teach(self, lesson: str, staff: StaffClaims) -> bool:
        """Tells whether staff may see a lesson."""
        try:
            with self._database.session() as session:
                _own(session, lesson, staff)
        except (Conflict, Forbidden):
            return False
        return True

    def revoked(self, now: datetime, limit: int) -> list[str]:
        """Returns ids of withdrawn links that would still be good, newest first."""
        with self._database.session() as session:
            session.execute(delete(RevokedLink).where(RevokedLink.expires_at < now))
            query = select(RevokedLink.id).order_by(RevokedLink.revoked_at.desc()).limit(limit)
            return list(session.scalars(query))

    def is_empty(self) -> bool:
        """Tells whether no school was imported yet."""
        with self._database.session() as session:
            return session.scalars(select(School.id).limit(1)).first() is None


def _unknown() -> Conflict:
    return Conflict("lesson_unknown", "没有这节课。", "There is no such lesson.")


def _require_closed(row: LessonRow) -> None:
    if row.opened_at is not None:
        raise Conflict(
            "lesson_open",
            "课堂已经打开，不能再修改；请下课后新建一节。",
            "The lesson is open and cannot be changed; close it and make a new one.",
        )


def _own(session: Session, lesson: str, staff: StaffClaims) -> LessonRow:
    row = session.get(LessonRow, lesson)
    if row is None:
        raise _unknown()
    if staff.role is Role.OPERATOR or staff.sub in {row.lead_id, row.created_by}:
        return row
    if session.get(LessonStaff, (lesson, staff.sub, "co_lead")) is not None:
        return row
    raise Forbidden("forbidden", "这是另一位老师的课。", "This is another teacher's lesson.")


def _fill(session: Session, row: LessonRow, wish: LessonWish, staff: StaffClaims) -> None:
    lead = wish.lead if wish.lead is not None else staff.sub
    if staff.role is not Role.OPERATOR and lead not in {staff.sub, row.lead_id}:
        raise Forbidden("forbidden", "只能为自己排课。", "You can plan lessons of your own only.")
    person = session.get(Person, lead)
    if person is None and lead != staff.sub:
        raise Conflict("person_unknown", "没有这位老师。", "There is no such teacher.")
    row.title, row.subject = wish.title.strip(), wish.subject.strip()
    row.starts_at, row.planned_minutes = wish.starts_at.astimezone(UTC), wish.planned_minutes
    row.lead_id = lead
    row.lead_name = person.name if person is not None else staff.name
    kept = LessonSettings(wish.policy, wish.phases, wish.cues, wish.observers)
    row.settings = msgspec.to_builtins(kept)


def _put_people(session: Session, row: LessonRow, wish: LessonWish) -> None:
    classes = tuple(dict.fromkeys(wish.classes))
    known = set(session.scalars(select(SchoolClass.id).where(SchoolClass.id.in_(classes))))
    if known != set(classes):
        raise Conflict("class_unknown", "没有这个班级。", "There is no such class.")
    session.add_all(
        LessonClass(lesson_id=row.id, class_id=class_id, position=position)
        for position, class_id in enumerate(classes)
    )
    assistants = class_teachers(session, classes) if wish.assistants is None else wish.assistants
    people = {*wish.co_leads, *(assistant.person for assistant in assistants)}
    found = set(session.scalars(select(Person.id).where(Person.id.in_(people))))
    if found != people:
        raise Conflict("person_unknown", "没有这位老师。", "There is no such teacher.")
    if any(assistant.class_id not in known for assistant in assistants):
        raise Conflict(
            "assistant_elsewhere", "辅讲老师的班级不在这节课里。", "Her class is not in the lesson."
        )
    staff: dict[tuple[str, str], str | None] = {
        ("co_lead", person): None for person in wish.co_leads if person != row.lead_id
    }
    for assistant in assistants:
        if ("co_lead", assistant.person) not in staff and assistant.person != row.lead_id:
            staff["assistant", assistant.person] = assistant.class_id
    session.add_all(
        LessonStaff(lesson_id=row.id, person_id=person, role=role, class_id=class_id)
        for (role, person), class_id in staff.items()
    )
    session.flush()


def _sync(session: Session, row: LessonRow, found: Planned) -> list[LinkRow]:
    """Makes the links a lesson needs and withdraws those it does not need any more."""
    now = datetime.now(UTC)
    expires = row.starts_at + timedelta(minutes=row.planned_minutes) + _LINK_AFTER
    query = select(JoinLink).where(JoinLink.lesson_id == row.id, JoinLink.revoked_at.is_(None))
    existing = {SeatWish(Role(x.role), x.subject, x.room_id): x for x in session.scalars(query)}
    for wish, link in existing.items():
        if wish not in found.seats:
            _revoke(session, link)
        elif link.expires_at < expires:
            link.expires_at = expires
    links: list[LinkRow] = []
    for wish, names in found.seats.items():
        held = existing.get(wish)
        if held is None:
            held = JoinLink(
                id=secrets.token_hex(6),
                lesson_id=row.id,
                role=wish.role,
                subject=wish.subject,
                room_id=wish.room,
                created_at=now.replace(microsecond=0),
                expires_at=expires,
            )
            session.add(held)
        links.append(LinkRow(held, names))
    return links


def _revoke(session: Session, link: JoinLink) -> None:
    now = datetime.now(UTC)
    link.revoked_at = now
    session.add(RevokedLink(id=link.id, revoked_at=now, expires_at=link.expires_at))


def _teachers(session: Session) -> list[dict[str, str]]:
    """People who are no pupils and no guardians' wards: enrolled as teachers, or nowhere."""
    pupils = select(Enrolment.person_id).where(Enrolment.role == "pupil")
    query = (
        select(Person.id, Person.name, School.name)
        .outerjoin(School, School.id == Person.school_id)
        .where(Person.status == "active", Person.id.not_in(pupils))
        .order_by(School.sourced_id, Person.sourced_id)
        .limit(MAX_CHOICES)
    )
    return [
        {"id": person, "name": name, "school": school or ""}
        for person, name, school in session.execute(query)
    ]


__all__ = ["LessonDesk", "LinkRow", "Sheet", "settings_of"]
