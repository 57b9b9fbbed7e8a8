"""What time alone brings: one deadline for the host to wait for, one step when it has come.

Deadlines are kept in order by token (``kind|id``), each set and taken off by the event that makes
or ends it. Beside them stands matching: whenever a question and a tutor fit, an offer is due at
once. So offers come from one place only, and no event need remember to look for one.

Every step takes its deadline off or moves it, so the host may ask until nothing is due any more.
"""

from __future__ import annotations

from collections.abc import Callable

from twinclass_signaling.desk import asking, helping, matching, people, safety, sessions
from twinclass_signaling.desk.events import (
    DeskClosed,
    DeskEvent,
    DeskOpened,
    GradeClosed,
    LadderShown,
    OfferMade,
    QuestionExpired,
    RoundEnded,
)
from twinclass_signaling.desk.plan import CaseNumber, QuestionId, SessionNumber
from twinclass_signaling.desk.questions import may
from twinclass_signaling.desk.session_events import (
    SessionWarned,
)
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.ids import PersonId

#: Tutors finish what they are writing after the last grade's hour.
WRAP_UP_S = 900.0
#: Events of one step at the end of the evening: as many as one append takes.
MAX_EXPIRED = 64


def next_deadline(state: DeskState) -> float | None:
    """Returns the second at which ``due`` has something to say; None: never so far.

    0: at once, whatever the host's clock says. An offer must not wait for a clock that was set
    back when another machine took over.
    """
    if state.phase == "closed":
        return None
    if matching.possible(state):
        return 0.0
    return state.index.agenda[0][0] if state.index.agenda else None


def due(state: DeskState, now: float) -> list[DeskEvent]:
    """Returns the events of one thing that is due, nothing when none is."""
    if state.phase == "closed":
        return []
    agenda = state.index.agenda
    if agenda and agenda[0][0] <= now:
        kind, _, name = agenda[0][1].partition("|")
        return _STEPS[kind](state, name, now)
    pair = matching.best(state, now)
    return [] if pair is None else [OfferMade(*pair)]


def _open(_state: DeskState, _name: str, _now: float) -> list[DeskEvent]:
    return [DeskOpened()]


def _close_grade(state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    grade = int(name)
    expired = _expired(state, grade)
    return expired or [GradeClosed(grade)]


def _end(state: DeskState, _name: str, _now: float) -> list[DeskEvent]:
    for session in state.sessions.values():
        if session.ended_at is None:
            return sessions.end(state, session, "closing")
    for grade in state.index.active:
        events = _expired(state, grade, claimed=True)
        if events:
            return events
    return [DeskClosed()]


def _expired(state: DeskState, grade: int, *, claimed: bool = False) -> list[DeskEvent]:
    events: list[DeskEvent] = []
    for number in state.index.active.get(grade, ()):
        question = state.questions[number]
        if may(question, "expire") and (claimed or question.state != "claimed"):
            events.append(QuestionExpired(number, "closing"))
            if len(events) == MAX_EXPIRED:
                break
    return events


def _bank(state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return [asking.queued(state, state.questions[QuestionId(int(name))], "bank_late")]


def _offer(state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return helping.passed(state, state.questions[QuestionId(int(name))], "timeout")


def _claim(state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return helping.unstarted(state.questions[QuestionId(int(name))])


def _round(_state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return [RoundEnded(QuestionId(int(name)))]


def _ladder(_state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return [LadderShown(QuestionId(int(name)))]


def _warn(_state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return [SessionWarned(SessionNumber(int(name)))]


def _stop(state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return sessions.time_is_up(state, state.sessions[SessionNumber(int(name))])


def _limit(state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return sessions.limit_reached(state, PersonId(name))


def _case(state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return safety.late(state, CaseNumber(int(name)))


def _tutor(state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return people.gone(state, PersonId(name))


def _pupil(state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return people.away(state, PersonId(name))


def _duty(state: DeskState, name: str, _now: float) -> list[DeskEvent]:
    return people.end_duty(state, PersonId(name), "roster")


_STEPS: dict[str, Callable[[DeskState, str, float], list[DeskEvent]]] = {
    "open": _open,
    "grade": _close_grade,
    "end": _end,
    "bank": _bank,
    "offer": _offer,
    "claim": _claim,
    "round": _round,
    "ladder": _ladder,
    "warn": _warn,
    "stop": _stop,
    "limit": _limit,
    "case": _case,
    "tutor": _tutor,
    "pupil": _pupil,
    "duty": _duty,
}
