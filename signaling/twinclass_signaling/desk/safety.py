"""The help key: a moderator within 30 s, or the session ends; and nobody learns who pressed it.

What is recorded is locked in the same breath. The tutor's views show neither the report nor the
reporter: what she sees is the session going on, then a moderator in it, or its end.
"""

from __future__ import annotations

from twinclass_signaling.desk import helping, sessions, standing
from twinclass_signaling.desk.commands import Actor, CloseCase, ReportSafety, TakeCase
from twinclass_signaling.desk.events import (
    DeskEvent,
)
from twinclass_signaling.desk.plan import CaseNumber, QuestionId, SessionNumber
from twinclass_signaling.desk.questions import Question, may
from twinclass_signaling.desk.queue import step
from twinclass_signaling.desk.session_events import (
    CaseClosed,
    CaseLate,
    CaseTaken,
    RecordingLocked,
    SafetyReported,
)
from twinclass_signaling.desk.state import MAX_CASES, Case, DeskState, Session
from twinclass_signaling.errors import Conflict, LimitExceeded
from twinclass_signaling.ids import PersonId

#: A moderator is there within this.
MODERATOR_S = 30.0

SafetyCommand = ReportSafety | TakeCase | CloseCase
SafetyEvent = SafetyReported | RecordingLocked | CaseTaken | CaseLate | CaseClosed


# ---- commands -----------------------------------------------------------------------------


def handle(state: DeskState, command: SafetyCommand, actor: Actor, _now: float) -> list[DeskEvent]:
    """Decides; see ``core.handle``."""
    match command:
        case ReportSafety():
            return _report(state, command.session, command.question, actor.person)
        case TakeCase(number):
            case = _open_case(state, number)
            session = None if case.session is None else state.sessions[case.session]
            if session is not None and session.ended_at is None:
                return sessions.enter(state, session, actor.person)
            return [] if case.moderator is not None else [CaseTaken(number, actor.person)]
        case CloseCase(number, outcome):
            _open_case(state, number)
            return [CaseClosed(number, outcome, actor.person)]


def late(state: DeskState, number: CaseNumber) -> list[DeskEvent]:
    """Returns what it means that no moderator came."""
    case = state.cases[number]
    session = None if case.session is None else state.sessions[case.session]
    events: list[DeskEvent] = []
    if session is not None and session.ended_at is None and session.moderator is None:
        events += sessions.end(state, session, "no_moderator")
    return [*events, CaseLate(number)]


def _report(
    state: DeskState,
    session_number: SessionNumber | None,
    question_number: QuestionId | None,
    reporter: PersonId,
) -> list[DeskEvent]:
    session = _session_of(state, session_number, reporter)
    question = _question_of(state, question_number, reporter)
    for case in reversed(state.cases.values()):
        same = (case.reporter, case.session, case.question) == (
            reporter,
            session_number,
            question_number,
        )
        if same and case.outcome is None:
            return []  # The key is pressed again: somebody is on the way.
    if len(state.cases) >= MAX_CASES:
        raise LimitExceeded(
            "cases_full", "请直接联系值班管理员。", "Too many reports: call the operator."
        )
    number = CaseNumber(len(state.cases) + 1)
    about = question
    if session is not None and session.kind == "one_to_one" and session.question is not None:
        about = state.questions[session.question]
    closes = about is not None and may(about, "report")
    about_number = None if about is None else about.id
    events: list[DeskEvent] = [
        SafetyReported(number, reporter, session_number, about_number, closes)
    ]
    if session is not None and session.locked is None:
        events.append(RecordingLocked(session.number, number))
    if session is not None and session.ended_at is None and session.moderator is not None:
        events.append(CaseTaken(number, session.moderator))
    return events


def _session_of(state: DeskState, number: SessionNumber | None, person: PersonId) -> Session | None:
    if number is None:
        return None
    session = state.sessions.get(number)
    if session is None or (person != session.tutor and person not in session.members):
        raise Conflict("session_over", "这次辅导已经结束。", "This session is over.")
    return session


def _question_of(state: DeskState, number: QuestionId | None, person: PersonId) -> Question | None:
    if number is None:
        return None
    question = state.questions.get(number)
    if question is None or person not in {question.pupil, question.tutor, *question.followers}:
        raise Conflict("question_unknown", "没有这个问题。", "There is no such question.")
    return question


def _open_case(state: DeskState, number: CaseNumber) -> Case:
    case = state.cases.get(number)
    if case is None or case.outcome is not None:
        raise Conflict("case_unknown", "没有这个待处理的求助。", "There is no such open case.")
    return case


# ---- events -------------------------------------------------------------------------------


def apply(state: DeskState, event: SafetyEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    match event:
        case SafetyReported(number, reporter, session, question, closes):
            state.cases[number] = Case(number, reporter, at, session, question)
            state.schedule(f"case|{number}", at + MODERATOR_S)
            if closes and question is not None:
                _close_question(state, state.questions[question], at)
        case RecordingLocked(session, number):
            state.sessions[session].locked = number
        case CaseTaken(number, moderator):
            state.cases[number].moderator = moderator
            state.schedule(f"case|{number}", None)
        case CaseLate(number):
            state.cases[number].late = True
            state.schedule(f"case|{number}", None)
        case CaseClosed(number, outcome, actor):
            case = state.cases[number]
            case.outcome, case.moderator = outcome, case.moderator or actor
            state.schedule(f"case|{number}", None)


def _close_question(state: DeskState, question: Question, at: float) -> None:
    helping.release(state, question)
    step(state, question, "report", at)
    if question.tutor is not None:
        standing.finish(state, question.tutor, at)
        standing.refresh(state, question.tutor)
