"""Who may see what of a desk, and whose pages an event changes: the one place that decides it.

Raw events go to nobody's page: they carry pupils' ids. Pages get views (``views``), which ask
here; the host asks here, too, before it gives out what a reference stands for.
"""

from __future__ import annotations

from msgspec import Struct

from twinclass_signaling.desk.commands import Actor
from twinclass_signaling.desk.events import DeskEvent
from twinclass_signaling.desk.plan import CaseNumber, QuestionId, SessionNumber, queue_key
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.state import DeskState, Session
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

_STAFF = frozenset({Role.MODERATOR, Role.SAFEGUARDING})


class Touched(Struct, frozen=True):
    """Whose views an event may have changed: these people's at once; those of the grade, who wait
    in or are on duty for these ``queues``, within seconds (places and lists have moved, no more);
    guardians of these people; moderators, planners and officers with every event; with ``all``,
    everybody's."""

    people: frozenset[PersonId] = frozenset()
    queues: frozenset[str] = frozenset()
    all: bool = False


def touched(event: DeskEvent, state: DeskState) -> Touched:
    """Returns whose pages an event changes. ``state``: after the event."""
    tag = str(type(event).__struct_config__.tag)
    if tag in {"desk_opened", "desk_closed", "grade_closed", "duty_changed", "duty_removed"}:
        return Touched(all=True)
    people: set[PersonId] = set()
    queues: set[str] = set()
    for name in ("pupil", "tutor", "person", "moderator", "reporter", "former"):
        person = getattr(event, name, None)
        if isinstance(person, str):
            people.add(PersonId(person))
    question = state.questions.get(getattr(event, "question", None) or QuestionId(0))
    if question is not None:
        people |= _of_question(question)
        queues.add(queue_key(question.subject, question.grade))
    into = state.questions.get(getattr(event, "into", QuestionId(0)))
    if into is not None:
        people |= _of_question(into)
    case = state.cases.get(getattr(event, "case", CaseNumber(0)))
    if case is not None:
        people.add(case.reporter)
    session = state.sessions.get(getattr(event, "session", None) or SessionNumber(0))
    if session is not None:
        people |= {session.tutor, *session.members}
        if session.kind == "one_to_many":
            queues.add(queue_key(session.subject, session.grade))
    for person in list(people):
        seat = state.pupils.get(person)
        if seat is not None and seat.active is not None:
            # Who comes and goes takes her question into the queue, and out of it.
            waits = state.questions[seat.active]
            queues.add(queue_key(waits.subject, waits.grade))
        duty = state.duties.get(person)
        if duty is not None:
            # Waits depend on who is on duty.
            queues |= {queue_key(subject, grade) for subject in duty.subjects
                       for grade in duty.grades}  # fmt: skip
    return Touched(frozenset(people), frozenset(queues))


def _of_question(question: Question) -> set[PersonId]:
    people = {question.pupil, *question.followers}
    return people if question.tutor is None else people | {question.tutor}


def may_see_question(state: DeskState, viewer: Actor, question: Question) -> bool:
    """Tells whether somebody may be shown what a question, its bank answers and its answer are."""
    person = viewer.person
    if viewer.role in _STAFF:
        return True
    if viewer.role is Role.PUPIL:
        if person == question.pupil or person in question.followers:
            return True
        seat = state.pupils.get(person)
        in_same = seat is not None and seat.session is not None and seat.session == question.session
        return in_same or is_shared_with(state, person, question)
    if viewer.role is Role.TUTOR:
        return question.tutor == person or is_up_for(state, person, question)
    return False


def is_shared_with(state: DeskState, pupil: PersonId, question: Question) -> bool:
    """Tells whether a pupil may follow a question of somebody else's."""
    seat = state.pupils.get(pupil)
    return (
        seat is not None
        and question.shared
        and question.state == "queued"
        and question.grade == seat.grade
        and pupil != question.pupil
    )


def is_up_for(state: DeskState, tutor: PersonId, question: Question) -> bool:
    """Tells whether a tutor may claim a question: of the group, or in writing."""
    seat, duty = state.tutors.get(tutor), state.duties.get(tutor)
    if seat is None or duty is None or not seat.on_duty or question.state != "queued":
        return False
    if question.subject not in duty.subjects or question.grade not in duty.grades:
        return False
    return question.in_group or question.wish == "written"


def may_see_session(viewer: Actor, session: Session) -> bool:
    """Tells whether somebody may be in, or be told of, a session."""
    if viewer.role in _STAFF:
        return True
    if viewer.role is Role.GUARDIAN:
        return any(child in session.members for child in viewer.children)
    return viewer.person == session.tutor or viewer.person in session.members
