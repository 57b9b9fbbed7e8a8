"""Offers, claims and written answers: how a question gets to a tutor and back.

A question is one tutor's for 20 s, then the next one's; after three who let it pass the whole
group may claim it, and a minute later it goes round again. Whoever claims first has it: the core
decides commands one after another, so nothing is ever claimed twice.
"""

from __future__ import annotations

from twinclass_signaling.desk import standing
from twinclass_signaling.desk.checks import forbidden, on_duty, question_of, tutor_here
from twinclass_signaling.desk.commands import (
    AcceptOffer,
    Actor,
    AnswerQuestion,
    ClaimQuestion,
    GiveBack,
    RefuseOffer,
)
from twinclass_signaling.desk.events import (
    DeskEvent,
    DutyPaused,
    OfferEnded,
    OfferMade,
    OfferReason,
    QuestionAnswered,
    QuestionClaimed,
    QuestionReturned,
    RoundEnded,
)
from twinclass_signaling.desk.matching import (
    OFFER_S,
    PASSES_TO_PAUSE,
    ROUND_PASSES,
    ROUND_S,
    may_help,
)
from twinclass_signaling.desk.plan import QuestionId
from twinclass_signaling.desk.questions import Question, check
from twinclass_signaling.desk.queue import place, step
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import PersonId

__all__ = ["OfferReason", "apply", "handle", "is_held", "passed", "release", "unstarted"]

#: Live help begins within this after a claim, or somebody else is found.
START_S = 180.0
#: A written answer takes some minutes; longer means that she has forgotten it.
WRITE_S = 900.0
#: Written answers one tutor may have in hand at once.
MAX_HELD = 3

HelpingCommand = AcceptOffer | RefuseOffer | ClaimQuestion | GiveBack | AnswerQuestion
HelpingEvent = (
    OfferMade | OfferEnded | RoundEnded | QuestionClaimed | QuestionReturned | QuestionAnswered
)


# ---- commands -----------------------------------------------------------------------------


def handle(state: DeskState, command: HelpingCommand, actor: Actor, _now: float) -> list[DeskEvent]:
    """Decides; see ``core.handle``."""
    person = actor.person
    match command:
        case AcceptOffer(number):
            if on_duty(state, person).offer != number:
                raise _offer_gone()
            return [QuestionClaimed(number, person)]
        case RefuseOffer(number):
            if tutor_here(state, person).offer != number:
                raise _offer_gone()
            return passed(state, state.questions[number], "passed")
        case ClaimQuestion(number):
            return _claim(state, question_of(state, number), person)
        case GiveBack(number):
            question = _held(state, number, person)
            return [QuestionReturned(question.id, person, "tutor", priority=True)]
        case AnswerQuestion(number, content):
            question = _held(state, number, person)
            check(question, "answer")
            return [QuestionAnswered(number, person, content)]


def passed(state: DeskState, question: Question, reason: OfferReason) -> list[DeskEvent]:
    """Returns what it means that a tutor has let a question pass, by a key or by saying nothing."""
    person = question.tutor
    if person is None:
        return []
    to_group = question.pick is None and len(question.passed_by) + 1 >= ROUND_PASSES
    events: list[DeskEvent] = [OfferEnded(question.id, person, reason, to_group)]
    if state.tutors[person].passes + 1 >= PASSES_TO_PAUSE:
        events.append(DutyPaused(person, on=True, passes=True))
    return events


def unstarted(question: Question) -> list[DeskEvent]:
    """Returns what becomes of a claim that led to nothing."""
    if question.tutor is None:
        return []
    return [QuestionReturned(question.id, question.tutor, "not_started", priority=True)]


def is_held(state: DeskState, number: QuestionId, person: PersonId) -> bool:
    """Tells whether a tutor has claimed a question and not begun with it."""
    tutor = state.tutors.get(person)
    return tutor is not None and number in tutor.held


def _claim(state: DeskState, question: Question, person: PersonId) -> list[DeskEvent]:
    tutor, duty = on_duty(state, person), state.duties.get(person)
    if duty is None or not may_help(duty, question):
        raise forbidden()
    if question.state in {"offered", "claimed", "in_session", "answered_async"}:
        raise Conflict("already_claimed", "已有老师认领。", "Somebody else has taken it.")
    check(question, "claim")
    is_written = question.wish == "written"
    if not is_written and question.id not in _group(state, question):
        # Others are next: this one is not up for anybody who likes it.
        raise Conflict("not_open", "这个问题按顺序分派。", "This question is given out in order.")
    holds_live = any(state.questions[number].wish == "live" for number in tutor.held)
    if tutor.session is not None or holds_live or (tutor.held and not is_written):
        raise busy()
    if len(tutor.held) >= MAX_HELD:
        raise busy()
    events: list[DeskEvent] = []
    if tutor.offer is not None:
        events.append(OfferEnded(tutor.offer, person, "tutor_busy"))
    return [*events, QuestionClaimed(question.id, person)]


def _group(state: DeskState, question: Question) -> frozenset[QuestionId]:
    found = state.index.placed.get(question.id)
    return frozenset({question.id} if found and found[0].startswith("group|") else ())


def _held(state: DeskState, number: QuestionId, person: PersonId) -> Question:
    question = question_of(state, number)
    tutor_here(state, person)
    if not is_held(state, number, person):
        raise Conflict("not_claimed", "您没有认领这个问题。", "You have not claimed it.")
    return question


def busy() -> Conflict:
    """Returns the error of a tutor who has something else in hand."""
    return Conflict("tutor_busy", "请先完成手上的问题。", "Finish what you have in hand first.")


def _offer_gone() -> Conflict:
    return Conflict("offer_gone", "这个派单已失效。", "This offer is over.")


# ---- events -------------------------------------------------------------------------------


def apply(state: DeskState, event: HelpingEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    question = state.questions[event.question]
    match event:
        case OfferMade(number, person):
            question.tutor = person
            state.tutors[person].offer = number
            step(state, question, "offer", at)
            state.schedule(f"offer|{number}", at + OFFER_S)
            standing.refresh(state, person)
        case OfferEnded(number, person, reason, to_group):
            _offer_ended(state, question, reason, to_group=to_group, at=at)
        case RoundEnded():
            question.passed_by, question.in_group = (), False
            state.schedule(f"round|{question.id}", None)
            place(state, question)
        case QuestionClaimed(number, person):
            tutor = state.tutors[person]
            release(state, question)
            question.tutor = person
            tutor.held.append(number)
            tutor.passes = 0
            step(state, question, "claim", at)
            state.schedule(f"claim|{number}", at + _time_to_help(question))
            standing.begin(state, person, question.subject, at)
            standing.refresh(state, person)
        case QuestionReturned(number, person, reason, priority):
            _returned(state, question, priority=priority, at=at)
            if reason in {"tutor", "not_started"}:
                question.passed_by = (*question.passed_by, person)
            _go_round(state, question, at)
            standing.finish(state, person, at)
            standing.refresh(state, person)
        case QuestionAnswered(number, person, content):
            question.answer = content
            release(state, question)
            step(state, question, "answer", at)
            state.tutors[person].helped += 1
            standing.finish(state, person, at)
            standing.refresh(state, person)


def release(state: DeskState, question: Question) -> None:
    """Takes a question out of its tutor's hands: offered or claimed, whichever it is."""
    person = question.tutor
    state.schedule(f"claim|{question.id}", None)
    state.schedule(f"offer|{question.id}", None)
    state.schedule(f"round|{question.id}", None)
    question.in_group = False
    if person is None:
        return
    tutor = state.tutors[person]
    if question.id in tutor.held:
        tutor.held.remove(question.id)
    if tutor.offer == question.id:
        tutor.offer = None


def _offer_ended(
    state: DeskState, question: Question, reason: OfferReason, *, to_group: bool, at: float
) -> None:
    person = question.tutor
    release(state, question)
    question.tutor = None
    if person is not None and reason in {"passed", "timeout"}:
        state.tutors[person].passes += 1
        if question.pick is None:
            question.passed_by = (*question.passed_by, person)
        question.pick = None
    question.in_group = to_group
    _go_round(state, question, at)
    step(state, question, "pass", at)
    if person is not None:
        standing.refresh(state, person)


def _returned(state: DeskState, question: Question, *, priority: bool, at: float) -> None:
    release(state, question)
    if question.session is not None:
        question.session = None
        question.waiting_since, question.ladder = at, False
    question.tutor = question.pick = None
    question.priority = question.priority or priority
    step(state, question, "give_back", at)


def _go_round(state: DeskState, question: Question, at: float) -> None:
    """Sees to it that nobody is passed over for good, when one or two tutors are all there is."""
    if question.passed_by:
        state.schedule(f"round|{question.id}", at + ROUND_S)


def _time_to_help(question: Question) -> float:
    return WRITE_S if question.wish == "written" else START_S
