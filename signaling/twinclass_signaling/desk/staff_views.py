"""What moderators, planners and the safeguarding officer are shown."""

from __future__ import annotations

from twinclass_signaling.desk.directory import Directory
from twinclass_signaling.desk.plan import queue_key
from twinclass_signaling.desk.questions import Question, may
from twinclass_signaling.desk.queue import length
from twinclass_signaling.desk.safety import MODERATOR_S
from twinclass_signaling.desk.state import Case, DeskState, Session, Tutor
from twinclass_signaling.desk.tutor_views import standing_of
from twinclass_signaling.desk.view_types import (
    CaseView,
    DutyRow,
    LikeQuestion,
    ModeratedQuestion,
    ModeratedSession,
    ModeratorView,
    PlannerView,
    QueueHealth,
    SafeguardingView,
)

#: As many as somebody can deal with; the oldest first.
MAX_LISTED = 100


def moderator_view(state: DeskState, people: Directory, now: float) -> ModeratorView:
    """Returns a moderator's page."""
    active = [
        state.questions[number] for numbers in state.index.active.values() for number in numbers
    ]
    to_approve = [one for one in active if one.state == "awaiting_approval"]
    alike = [one for one in active if one.state != "awaiting_approval" and like_of(state, one)]
    running = [session for session in state.sessions.values() if session.ended_at is None]
    cases = [case for case in state.cases.values() if case.outcome is None]
    more = sum(max(0, len(found) - MAX_LISTED) for found in (to_approve, alike, running, cases))
    return ModeratorView(
        queues=queues(state, now),
        to_approve=tuple(_question(state, one, people) for one in to_approve[:MAX_LISTED]),
        alike=tuple(_question(state, one, people) for one in alike[:MAX_LISTED]),
        sessions=tuple(_session(one, people) for one in running[:MAX_LISTED]),
        cases=tuple(_case(one, people) for one in cases[:MAX_LISTED]),
        more=more,
    )


def planner_view(state: DeskState, people: Directory, now: float) -> PlannerView:
    """Returns a planner's page."""
    rows = [
        DutyRow(
            duty.tutor,
            people.name(duty.tutor),
            duty.subjects,
            duty.grades,
            duty.kinds,
            state.evening.second(duty.starts),
            state.evening.second(duty.ends),
            standing_of(state.tutors.get(duty.tutor) or Tutor(here=False)),
        )
        for duty in state.duties.values()
    ]
    return PlannerView(tuple(rows), queues(state, now))


def safeguarding_view(state: DeskState, people: Directory) -> SafeguardingView:
    """Returns the safeguarding officer's page."""
    cases = sorted(state.cases.values(), key=lambda case: (case.outcome is not None, case.number))
    flagged = [session for session in state.sessions.values() if session.flagged]
    return SafeguardingView(
        tuple(_case(case, people) for case in cases[:MAX_LISTED]),
        tuple(_session(session, people) for session in flagged[:MAX_LISTED]),
    )


def queues(state: DeskState, now: float) -> tuple[QueueHealth, ...]:
    """Returns every queue in which somebody waits or for which somebody is on duty."""
    found: list[QueueHealth] = []
    for subject in state.plan.subjects:
        for grade in state.plan.grades:
            key = queue_key(subject, grade)
            live, written, group = (
                length(state, kind, key) for kind in ("live", "written", "group")
            )
            tutors = len(state.index.serving.get(key, ()))
            if not (live or written or group or tutors):
                continue
            first = state.index.lanes.get(f"live|{key}")
            waits_s = 0.0 if not first else now - state.questions[first[0][2]].waiting_since
            free = len(state.index.free.get(key, ()))
            found.append(QueueHealth(subject, grade, live, written, group, waits_s, tutors, free))
    return tuple(found)


def like_of(state: DeskState, question: Question) -> list[Question]:
    """Returns the questions that read like another one and can become one with it now."""
    if not question.like or not may(question, "merge"):
        return []
    found = [state.questions[number] for number in question.like]
    return [other for other in found if may(other, "merge")]


def _like(question: Question, people: Directory) -> LikeQuestion:
    return LikeQuestion(
        question.id,
        question.state,
        question.content,
        question.kind,
        question.wish,
        question.asked_at,
        people.card(question.pupil),
        len(question.followers),
        question.origin,
    )


def _question(state: DeskState, question: Question, people: Directory) -> ModeratedQuestion:
    return ModeratedQuestion(
        question.id,
        question.state,
        question.subject,
        question.grade,
        question.content,
        question.kind,
        question.wish,
        question.asked_at,
        question.pupil,
        people.card(question.pupil),
        question.tutor,
        tuple(_like(one, people) for one in like_of(state, question)),
        len(question.followers),
        question.origin,
    )


def _session(session: Session, people: Directory) -> ModeratedSession:
    return ModeratedSession(
        session.number,
        session.kind,
        session.subject,
        session.grade,
        session.tutor,
        people.name(session.tutor),
        len(session.present),
        session.started_at,
        session.ends_at,
        session.moderator,
        session.flagged,
        session.locked,
    )


def _case(case: Case, people: Directory) -> CaseView:
    return CaseView(
        case.number,
        case.at,
        case.at + MODERATOR_S,
        case.reporter,
        people.name(case.reporter),
        case.session,
        case.question,
        case.moderator,
        people.name(case.moderator),
        case.late,
        case.outcome,
    )
