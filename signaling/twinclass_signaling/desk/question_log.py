"""What the events of questions do to the state; ``asking`` decides them."""

from __future__ import annotations

from bisect import insort

from twinclass_signaling.desk import helping, standing
from twinclass_signaling.desk.events import (
    BankAccepted,
    BankMatched,
    BankRefused,
    LadderShown,
    QuestionApproved,
    QuestionAsked,
    QuestionEvent,
    QuestionExpired,
    QuestionFollowed,
    QuestionHandedOn,
    QuestionHeld,
    QuestionLikened,
    QuestionMerged,
    QuestionQueued,
    QuestionRated,
    QuestionReopened,
    QuestionResolved,
    QuestionUnfollowed,
    QuestionWished,
    QuestionWithdrawn,
)
from twinclass_signaling.desk.questions import Question, Step
from twinclass_signaling.desk.queue import change_wish, rank, settle, step
from twinclass_signaling.desk.state import DeskState, Pupil
from twinclass_signaling.ids import PersonId

#: The bank answers within this, or the question goes on without it.
BANK_S = 3.0


def apply(state: DeskState, event: QuestionEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    if isinstance(event, QuestionAsked):
        _asked(state, event, at)
        return
    question = state.questions[event.question]
    match event:
        case QuestionHeld():
            _bank(state, question, None)
            step(state, question, "hold", at)
        case QuestionApproved():
            question.approved = True
            step(state, question, "approve", at)
            _bank(state, question, at)
        case BankMatched(_, matches):
            question.bank = matches
            _bank(state, question, None)
            step(state, question, "match", at)
        case BankAccepted():
            _end(state, question, "accept", at)
        case BankRefused():
            step(state, question, "not_helpful", at)
        case QuestionQueued(_, _, wish):
            _bank(state, question, None)
            question.wish = wish
            question.rank = rank(state, question, min(question.asked_at, at))
            if question.reopened:
                question.rank = rank(state, question, at)
            question.waiting_since, question.ladder = at, False
            step(state, question, "queue", at)
        case QuestionWished(_, wish, tutor):
            if wish != question.wish:
                change_wish(state, question, at)
            question.wish, question.pick = wish, tutor
            settle(state, question)
        case LadderShown():
            question.ladder = True
            settle(state, question)
        case QuestionLikened(_, like):
            question.like = like
        case QuestionFollowed(_, pupil):
            _follow(state, question, [pupil])
            state.pupils[pupil].active = question.id
        case QuestionUnfollowed(_, pupil):
            _unfollow(state, question, [pupil])
            _free(state, question, pupil)
        case QuestionMerged(_, into, _):
            _merged(state, question, state.questions[into], at)
        case QuestionWithdrawn(_, reason, _):
            _end(state, question, "reject" if reason == "rejected" else "withdraw", at)
        case QuestionHandedOn(_, pupil, former):
            question.pupil = pupil
            _unfollow(state, question, [pupil])
            _hand_on(state, question, former)
            _free(state, question, former)
            settle(state, question)
        case QuestionExpired():
            _end(state, question, "expire", at)
        case QuestionReopened():
            question.reopened = True
            question.tutor = question.session = question.pick = None
            question.priority, question.passed_by = False, ()
            question.rated, question.answer = False, None
            state.pupils[question.pupil].active = question.id
            _unfollow(state, question, list(question.followers))
            step(state, question, "reopen", at)
        case QuestionResolved():
            step(state, question, "resolve", at)
        case QuestionRated():
            question.rated = True


def _asked(state: DeskState, event: QuestionAsked, at: float) -> None:
    # A question that is carried over may come before its pupil does.
    seat = state.pupils.setdefault(event.pupil, Pupil(event.grade, away=True))
    question = state.questions[event.question] = Question(
        event.question,
        event.pupil,
        event.subject,
        event.grade,
        event.points,
        event.content,
        event.kind,
        event.asked_at,
        event.shared,
        event.origin,
        since=at,
        wish=event.wish,
        pick=event.tutor,
    )
    seat.active = question.id
    state.index.asked.setdefault(event.pupil, []).append(question.id)
    settle(state, question)
    _bank(state, question, at)


def _bank(state: DeskState, question: Question, at: float | None) -> None:
    state.schedule(f"bank|{question.id}", None if at is None else at + BANK_S)


def _end(state: DeskState, question: Question, name: Step, at: float) -> None:
    """Ends a question in whoever's hands it is."""
    _bank(state, question, None)
    helping.release(state, question)
    step(state, question, name, at)
    if question.tutor is not None:
        standing.finish(state, question.tutor, at)
        standing.refresh(state, question.tutor)


def _merged(state: DeskState, question: Question, into: Question, at: float) -> None:
    pupils = [question.pupil, *question.followers]
    question.into = into.id
    _end(state, question, "merge", at)
    _unfollow(state, question, list(question.followers))
    _follow(state, into, pupils)
    for pupil in pupils:
        state.pupils[pupil].active = into.id


def _follow(state: DeskState, question: Question, pupils: list[PersonId]) -> None:
    question.followers.extend(pupils)
    for pupil in pupils:
        insort(state.index.followed.setdefault(pupil, []), question.id)


def _unfollow(state: DeskState, question: Question, pupils: list[PersonId]) -> None:
    followed = state.index.followed
    for pupil in pupils:
        question.followers.remove(pupil)
        followed[pupil].remove(question.id)
        if not followed[pupil]:
            del followed[pupil]


def _hand_on(state: DeskState, question: Question, former: PersonId) -> None:
    asked = state.index.asked
    asked[former].remove(question.id)
    if not asked[former]:
        del asked[former]
    insort(asked.setdefault(question.pupil, []), question.id)


def _free(state: DeskState, question: Question, pupil: PersonId) -> None:
    seat = state.pupils[pupil]
    if seat.active == question.id:
        seat.active = None
