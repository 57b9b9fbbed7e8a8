"""What several parts of the desk check of a command."""

from __future__ import annotations

from twinclass_signaling.desk.plan import QuestionId, SessionNumber
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.state import DeskState, Pupil, Session, Tutor
from twinclass_signaling.errors import Conflict, Forbidden
from twinclass_signaling.ids import PersonId


def forbidden() -> Forbidden:
    """Returns the error of an action without right."""
    return Forbidden("forbidden", "您没有这个权限。", "Your role may not do this.")


def question_of(state: DeskState, number: QuestionId) -> Question:
    """Returns a question.

    Raises:
        Conflict: there is none of this number.
    """
    found = state.questions.get(number)
    if found is None:
        raise Conflict("question_unknown", "没有这个问题。", "There is no such question.")
    return found


def own_question(state: DeskState, number: QuestionId, pupil: PersonId) -> Question:
    """Returns a question of this pupil; somebody else's is as if it did not exist."""
    found = state.questions.get(number)
    if found is None or found.pupil != pupil:
        raise Conflict("question_unknown", "没有这个问题。", "There is no such question.")
    return found


def running(state: DeskState, number: SessionNumber) -> Session:
    """Returns a session that is not over.

    Raises:
        Conflict: there is none of this number, or it is over.
    """
    found = state.sessions.get(number)
    if found is None or found.ended_at is not None:
        raise Conflict("session_over", "这次辅导已经结束。", "This session is over.")
    return found


def pupil_here(state: DeskState, person: PersonId) -> Pupil:
    """Returns the seat of a pupil with a line.

    Raises:
        Conflict: the host has not told of her.
    """
    seat = state.pupils.get(person)
    if seat is None or seat.away or seat.lost_at:
        raise _not_here()
    return seat


def tutor_here(state: DeskState, person: PersonId) -> Tutor:
    """Returns the seat of a tutor with a line.

    Raises:
        Conflict: the host has not told of her.
    """
    seat = state.tutors.get(person)
    if seat is None or not seat.here or seat.lost_at:
        raise _not_here()
    return seat


def on_duty(state: DeskState, person: PersonId) -> Tutor:
    """Returns the seat of a tutor who takes offers tonight.

    Raises:
        Conflict: she is not here or not on duty.
    """
    seat = tutor_here(state, person)
    if not seat.on_duty:
        raise Conflict("not_on_duty", "请先开始值班。", "Start your duty first.")
    return seat


def _not_here() -> Conflict:
    return Conflict("not_here", "连接已断开，请刷新页面。", "You are not at the desk; reload.")
