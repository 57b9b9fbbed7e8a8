"""The rows of a planned lesson: who may touch them, what a wish fills in, which links it needs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from twinclass_server.roster.models import (
    JoinLink,
    LessonClass,
    LessonRow,
    LessonStaff,
    Person,
    RevokedLink,
    SchoolClass,
)
from twinclass_server.roster.plans import (
    Assistant,
    LessonSettings,
    LessonWish,
    Names,
    Planned,
    SeatWish,
    class_teachers,
)
from twinclass_signaling.errors import Conflict, Forbidden
from twinclass_signaling.lesson.plan import PlannedPolicy
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import StaffClaims

#: A link still says "this lesson is over" the day after.
_LINK_AFTER = timedelta(days=1)


class LinkRow(NamedTuple):
    """A link of a lesson with the name of whoever it is for."""

    link: JoinLink
    names: Names


def unknown_lesson() -> Conflict:
    """Returns the refusal."""
    return Conflict("lesson_unknown", "没有这节课。", "There is no such lesson.")


def require_closed(row: LessonRow) -> None:
    """Raises Conflict when the live system has the lesson."""
    if row.opened_at is not None:
        raise Conflict(
            "lesson_open",
            "课堂已经打开，不能再修改；请下课后新建一节。",
            "The lesson is open and cannot be changed; close it and make a new one.",
        )


def own_lesson(
    session: Session, lesson: str, staff: StaffClaims, *, may_co_lead: bool = True
) -> LessonRow:
    """Returns a lesson that staff may see and change.

    Raises:
        Conflict: ``lesson_unknown``.
        Forbidden: another lead's.
    """
    row = session.get(LessonRow, lesson)
    if row is None:
        raise unknown_lesson()
    if staff.role is Role.OPERATOR or staff.sub in {row.lead_id, row.created_by}:
        return row
    if may_co_lead and session.get(LessonStaff, (lesson, staff.sub, "co_lead")) is not None:
        return row
    raise Forbidden("forbidden", "这是另一位老师的课。", "This is another teacher's lesson.")


def fill(session: Session, row: LessonRow, wish: LessonWish, staff: StaffClaims) -> None:
    """Fills a row with what was asked for; raises as ``LessonDesk.create``."""
    # A co-lead who changes a lesson does not take it.
    lead = wish.lead or row.lead_id or staff.sub
    mine = {row.lead_id} if row.lead_id else {staff.sub}
    if staff.role is not Role.OPERATOR and lead not in mine:
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


def put_people(session: Session, row: LessonRow, wish: LessonWish) -> None:
    """Adds classes and staff; raises as ``LessonDesk.create``."""
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
    if len({assistant.person for assistant in assistants}) < len(assistants):
        raise Conflict(
            "assistant_twice",
            "一位老师只能在一个班辅讲。",
            "A teacher assists in one class only.",
        )
    leads = {row.lead_id, *wish.co_leads}
    _check_hybrid(wish.policy, known, [one for one in assistants if one.person not in leads])
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


def _check_hybrid(
    policy: PlannedPolicy, classes: set[str], assistants: Sequence[Assistant]
) -> None:
    """The class whose teacher teaches from home takes part, and who follows assists in it."""
    room, following = policy.hybrid_room, policy.following
    if room is None and following is None:
        return
    here = {one.person for one in assistants if one.class_id == room} or {f"assistant-{room}"}
    if room not in classes or (following is not None and following not in here):
        raise Conflict(
            "hybrid_elsewhere",
            "老师在家上课的班级和跟班辅讲都要在这节课里。",
            "The hybrid class and the assistant in it must be of this lesson.",
        )


def sync_links(session: Session, row: LessonRow, found: Planned) -> list[LinkRow]:
    """Makes the links a lesson needs and withdraws those it does not need any more."""
    now = datetime.now(UTC)
    expires = row.starts_at + timedelta(minutes=row.planned_minutes) + _LINK_AFTER
    query = select(JoinLink).where(JoinLink.lesson_id == row.id, JoinLink.revoked_at.is_(None))
    existing = {SeatWish(Role(x.role), x.subject, x.room_id): x for x in session.scalars(query)}
    for wish, link in existing.items():
        if wish not in found.seats:
            revoke_link(session, link)
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


def revoke_link(session: Session, link: JoinLink) -> None:
    """Withdraws a link."""
    now = datetime.now(UTC)
    link.revoked_at = now
    session.add(RevokedLink(id=link.id, revoked_at=now, expires_at=link.expires_at))
