"""What a tutor is shown. No id of a pupil is in here, and nothing of reports: a test holds it."""

from __future__ import annotations

from twinclass_signaling.desk.directory import Directory
from twinclass_signaling.desk.plan import Duty, QuestionId, queue_key
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.queue import length
from twinclass_signaling.desk.state import DeskState, Session, Tutor
from twinclass_signaling.desk.view_types import (
    QueueLength,
    Tally,
    TutorQuestion,
    TutorSession,
    TutorStanding,
    TutorView,
)
from twinclass_signaling.desk.visibility import is_up_for
from twinclass_signaling.ids import PersonId

#: As many as a screen shows; the oldest first.
MAX_LISTED = 30


def tutor_view(state: DeskState, person: PersonId, people: Directory, now: float) -> TutorView:
    """Returns a tutor's page."""
    tutor, duty = state.tutors.get(person) or Tutor(here=False), state.duties.get(person)
    session = None if tutor.session is None else state.sessions[tutor.session]
    gap_s = state.plan.limits.one_to_many_gap_s
    return TutorView(
        standing=standing_of(tutor),
        starts_at=0.0 if duty is None else state.evening.second(duty.starts),
        ends_at=0.0 if duty is None else state.evening.second(duty.ends),
        offer=None if tutor.offer is None else _shown(state, tutor.offer, people, "offer"),
        held=tuple(_shown(state, number, people, "claim") for number in tutor.held),
        session=None if session is None else _session(state, session, people, now),
        group=_lists(state, duty, person, people, "group"),
        written=_lists(state, duty, person, people, "written"),
        queues=_queues(state, duty),
        tally=Tally(tutor.helped, tutor.live_s),
        many_after=tutor.many_ended_at + gap_s if tutor.many_ended_at else 0.0,
    )


def standing_of(tutor: Tutor) -> TutorStanding:
    """Returns what a tutor is doing, in one word."""
    if tutor.session is not None:
        return "live"
    if tutor.held:
        return "writing" if len(tutor.held) > 1 else "claimed"
    if tutor.lost_at or not tutor.here:
        return "lost" if tutor.on_duty else "off"
    if not tutor.on_duty:
        return "off"
    if tutor.paused:
        return "paused"
    return "asked" if tutor.offer is not None else "free"


def _shown(
    state: DeskState, number: QuestionId, people: Directory, deadline: str = ""
) -> TutorQuestion:
    question: Question = state.questions[number]
    return TutorQuestion(
        question=number,
        subject=question.subject,
        grade=question.grade,
        points=question.points,
        content=question.content,
        kind=question.kind,
        wish=question.wish,
        asked_at=question.asked_at,
        followers=len(question.followers),
        pupil=people.card(question.pupil),
        until=state.index.due_at.get(f"{deadline}|{number}") if deadline else None,
        origin=question.origin,
    )


def _session(state: DeskState, session: Session, people: Directory, now: float) -> TutorSession:
    question = None if session.question is None else state.questions[session.question]
    limits = state.plan.limits
    hard_stop = session.started_at + limits.hard_stop_s
    return TutorSession(
        session=session.number,
        kind=session.kind,
        subject=session.subject,
        grade=session.grade,
        points=session.points,
        question=session.question,
        content="" if question is None else question.content,
        started_at=session.started_at,
        ends_at=session.ends_at,
        warned=session.warned,
        may_extend=(
            session.kind == "one_to_one"
            and not session.extended
            and session.ends_at < min(hard_stop, state.closes_at(session.grade))
            and now < session.ends_at
        ),
        moderator_here=session.moderator is not None,
        members=tuple(people.card(pupil) for pupil in session.present),
    )


def _lists(
    state: DeskState, duty: Duty | None, person: PersonId, people: Directory, kind: str
) -> tuple[TutorQuestion, ...]:
    if duty is None:
        return ()
    entries = [
        entry
        for subject in duty.subjects
        for grade in duty.grades
        for entry in state.index.lanes.get(f"{kind}|{queue_key(subject, grade)}", [])[:MAX_LISTED]
    ]
    numbers = [number for _, _, number in sorted(entries)[:MAX_LISTED]]
    return tuple(
        _shown(state, number, people)
        for number in numbers
        if is_up_for(state, person, state.questions[number])
    )


def _queues(state: DeskState, duty: Duty | None) -> tuple[QueueLength, ...]:
    if duty is None:
        return ()
    return tuple(
        QueueLength(subject, grade, length(state, "live", key), length(state, "written", key))
        for subject in duty.subjects
        for grade in duty.grades
        for key in (queue_key(subject, grade),)
    )
