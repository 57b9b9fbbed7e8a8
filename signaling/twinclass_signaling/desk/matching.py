"""Which question is offered to whom.

Subject, grade and kind of help are hard filters. Everything else is a cost in **seconds of
waiting**, so that the numbers can be argued about: a tutor who shares none of a question's
knowledge points is worth three minutes less than one who shares all.

    cost = 180 · (1 - shared points) + 30 · questions helped tonight
           - 120 · (her own school or her own teacher) - seconds waited

Within a lane order is kept: only the first question for which somebody is free is considered;
between lanes and tutors the lowest cost wins. Written answers come after live help, and a
question is a tutor's for 20 s.
"""

from __future__ import annotations

from collections.abc import Iterator

from twinclass_signaling.desk.plan import Duty, Help, QuestionId
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.standing import is_free
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.ids import PersonId

OFFER_S = 20.0
#: Three tutors a round, then the whole group may claim it; a minute later a new round begins.
ROUND_PASSES = 3
ROUND_S = 60.0
#: Who lets three offers in a row pass is not at her desk.
PASSES_TO_PAUSE = 3

POINTS_COST_S = 180.0
LOAD_COST_S = 30.0
OWN_BONUS_S = 120.0
#: A lane's entries that are looked at before going on to the next: those before were let pass by
#: all who are free, which three passes each and the group's minute keep few.
MAX_LOOK = 20

Pair = tuple[QuestionId, PersonId]


def helps(question: Question) -> frozenset[Help]:
    """Returns the kinds of help of which a tutor must give one."""
    if question.wish == "written":
        return frozenset({"written"})
    # A private answer is nothing for those who follow.
    return frozenset({"one_to_many", "written"} if question.is_many else {"one_to_one"})


def may_help(duty: Duty, question: Question) -> bool:
    """Tells whether a tutor's entry of the roster fits a question."""
    return (
        question.subject in duty.subjects
        and question.grade in duty.grades
        and not helps(question).isdisjoint(duty.kinds)
    )


def overlap(question: Question, duty: Duty) -> float:
    """Returns which share of a question's knowledge points a tutor names; 1 when it has none."""
    if not question.points:
        return 1.0
    return len(set(question.points) & set(duty.points)) / len(question.points)


def cost(state: DeskState, question: Question, tutor: PersonId, now: float) -> float:
    """Returns how little a question suits a tutor, in seconds of waiting."""
    duty = state.duties[tutor]
    seat = state.pupils.get(question.pupil)
    own = seat is not None and (seat.school in duty.schools or tutor in seat.teachers)
    return (
        POINTS_COST_S * (1 - overlap(question, duty))
        + LOAD_COST_S * state.tutors[tutor].helped
        - OWN_BONUS_S * own
        - (now - question.waiting_since)
    )


def possible(state: DeskState) -> bool:
    """Tells whether anything can be offered now."""
    if not state.index.free or not state.index.lanes or state.phase != "open":
        return False
    return next(_heads(state), None) is not None


def best(state: DeskState, now: float) -> Pair | None:
    """Returns the question to be offered next, and to whom; live help first."""
    found: dict[bool, tuple[float, QuestionId, PersonId]] = {}
    if not state.index.free or state.phase != "open":
        return None
    for question, tutors in _heads(state):
        is_written = question.wish == "written"
        for tutor in tutors:
            pair = (cost(state, question, tutor, now), question.id, tutor)
            if is_written not in found or pair < found[is_written]:
                found[is_written] = pair
    chosen = found.get(False) or found.get(True)
    return None if chosen is None else (chosen[1], chosen[2])


def _heads(state: DeskState) -> Iterator[tuple[Question, list[PersonId]]]:
    """Yields of each lane the first question that somebody may be offered, with all who may."""
    for lane, entries in state.index.lanes.items():
        kind, _, key = lane.partition("|")
        if kind == "group":
            continue
        if kind == "pick":
            picked = PersonId(key)
            free = {picked} if is_free(state, picked) else None
        else:
            free = state.index.free.get(key)
        if not free:
            continue
        for _, _, number in entries[:MAX_LOOK]:
            question = state.questions[number]
            tutors = [
                tutor
                for tutor in free
                if tutor not in question.passed_by and may_help(state.duties[tutor], question)
            ]
            if tutors:
                yield question, tutors
                break
