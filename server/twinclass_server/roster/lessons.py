"""Lessons that are planned: made, changed, deleted, and the links of each. Calls block."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, func, or_, select

from twinclass_server.roster.choices import choices, teacher_name
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import (
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
    LessonWish,
    Names,
    planned,
    settings_of,
)
from twinclass_server.roster.rows import (
    LinkRow,
    fill,
    own_lesson,
    put_people,
    require_closed,
    revoke_link,
    sync_links,
    unknown_lesson,
)
from twinclass_signaling.errors import Conflict, Forbidden, LimitExceeded
from twinclass_signaling.lesson.plan import Plan
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import StaffClaims

#: A year of a busy lead, twice; older lessons are in the library.
MAX_LESSONS = 500


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
            return choices(session)

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
            row = own_lesson(session, lesson, staff)
            found = planned(session, row)
            links = sync_links(session, row, found)
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
                raise unknown_lesson()
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

    def teacher(self, person: str) -> str:
        """Returns the name of somebody who may have lessons.

        Raises:
            Conflict: ``person_unknown``, also for pupils and guardians.
        """
        with self._database.session() as session:
            name = teacher_name(session, person)
        if name is None:
            raise Conflict("person_unknown", "没有这位老师。", "There is no such teacher.")
        return name

    def lead(self, lesson: str) -> str:
        """Returns the participant id of a lesson's lead.

        Raises:
            Conflict: ``lesson_unknown``.
        """
        with self._database.session() as session:
            row = session.get(LessonRow, lesson)
            if row is None:
                raise unknown_lesson()
            return row.lead_id or f"lead-{row.id}"

    def assistant(self, lesson: str, room: str, now: datetime) -> JoinLink | None:
        """Returns the link of a class's assistant, for a tablet that was paired; None: the lesson
        is not of this desk.

        Raises:
            Conflict: ``class_unknown``: the class takes no part any more, or the lesson is over.
        """
        with self._database.session() as session:
            row = session.get(LessonRow, lesson)
            if row is None:
                return None
            # One that was withdrawn is replaced here as on the sheet.
            sync_links(session, row, planned(session, row))
            session.flush()
            query = select(JoinLink).where(
                JoinLink.lesson_id == lesson,
                JoinLink.room_id == room,
                JoinLink.role == Role.ASSISTANT,
                JoinLink.revoked_at.is_(None),
                JoinLink.expires_at > now,
            )
            found = session.scalars(query.order_by(JoinLink.subject)).first()
            if found is None:
                raise Conflict("class_unknown", "这个班不在这节课里。", "No such class in it.")
            return found

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
            query = select(func.count()).where(
                LessonRow.created_by == staff.sub, LessonRow.starts_at > now - timedelta(days=1)
            )
            if (session.scalar(query) or 0) >= MAX_LESSONS:
                raise LimitExceeded(
                    "too_many_lessons",
                    f"您还有 {MAX_LESSONS} 节课没上，请先删除不用的。",
                    f"{MAX_LESSONS} of your lessons are still to come; delete some first.",
                )
            row = LessonRow(
                id=f"l-{secrets.token_hex(8)}", created_by=staff.sub, created_at=now, opened_at=None
            )
            fill(session, row, wish, staff)
            session.add(row)
            session.flush()
            put_people(session, row, wish)
            sync_links(session, row, planned(session, row))
            return row.id

    def change(self, lesson: str, wish: LessonWish, staff: StaffClaims) -> None:
        """Changes a lesson that is not open yet.

        Raises:
            Conflict: unknown, open already, or as ``create``.
            Forbidden: another lead's.
        """
        with self._database.session() as session:
            row = own_lesson(session, lesson, staff)
            require_closed(row)
            fill(session, row, wish, staff)
            session.execute(delete(LessonClass).where(LessonClass.lesson_id == lesson))
            session.execute(delete(LessonStaff).where(LessonStaff.lesson_id == lesson))
            session.flush()
            put_people(session, row, wish)
            sync_links(session, row, planned(session, row))

    def remove(self, lesson: str, staff: StaffClaims) -> None:
        """Deletes a lesson; its links are refused from then on.

        Raises:
            Conflict: unknown.
            Forbidden: another lead's.
        """
        with self._database.session() as session:
            row = own_lesson(session, lesson, staff, may_co_lead=False)
            query = select(JoinLink).where(
                JoinLink.lesson_id == lesson, JoinLink.revoked_at.is_(None)
            )
            for link in session.scalars(query):
                revoke_link(session, link)
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
            own_lesson(session, lesson, staff)
            link = session.get(JoinLink, link_id)
            if link is None or link.lesson_id != lesson:
                raise Conflict("link_unknown", "没有这个链接。", "There is no such link.")
            if link.revoked_at is None:
                revoke_link(session, link)

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
                own_lesson(session, lesson, staff)
        except (Conflict, Forbidden):
            return False
        return True

    def require_changeable(self, lesson: str, staff: StaffClaims) -> None:
        """Raises as ``change`` where staff may not change a lesson any more."""
        with self._database.session() as session:
            require_closed(own_lesson(session, lesson, staff))

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


__all__ = ["LessonDesk", "LinkRow", "Sheet", "settings_of"]
