"""Asking, the bank, the ladder, "me too" and merging: a question's way to the tutors' queue."""

from __future__ import annotations

from msgspec.structs import replace

from twinclass_signaling.desk import sessions
from twinclass_signaling.desk.checks import own_question, pupil_here, question_of
from twinclass_signaling.desk.commands import (
    AcceptBankAnswer,
    Actor,
    ApproveQuestion,
    AskQuestion,
    BankNotHelpful,
    CarryOver,
    ChooseOnLadder,
    FollowQuestion,
    MergeQuestions,
    PickTutor,
    RateQuestion,
    RejectQuestion,
    ReopenQuestion,
    ResolveQuestion,
    TellBank,
    TellLike,
    WithdrawQuestion,
)
from twinclass_signaling.desk.events import (
    BankAccepted,
    BankMatched,
    BankRefused,
    DeskEvent,
    QuestionApproved,
    QuestionAsked,
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
    QueueReason,
)
from twinclass_signaling.desk.plan import QuestionId, queue_key
from twinclass_signaling.desk.questions import Question, check, may
from twinclass_signaling.desk.state import MAX_FOLLOWERS, MAX_QUESTIONS, DeskState, Pupil
from twinclass_signaling.errors import Conflict, Forbidden, LimitExceeded
from twinclass_signaling.ids import PersonId

#: Answers of the bank that are shown; a list to search in is no answer.
MAX_MATCHES = 5
#: As many as a moderator compares at a glance.
MAX_LIKE = 3

AskingCommand = (
    AskQuestion
    | CarryOver
    | TellBank
    | TellLike
    | AcceptBankAnswer
    | BankNotHelpful
    | WithdrawQuestion
    | FollowQuestion
    | ChooseOnLadder
    | PickTutor
    | ResolveQuestion
    | ReopenQuestion
    | RateQuestion
    | ApproveQuestion
    | RejectQuestion
    | MergeQuestions
)


def handle(state: DeskState, command: AskingCommand, actor: Actor, now: float) -> list[DeskEvent]:
    """Decides; see ``core.handle``."""
    match command:
        case AskQuestion():
            return _ask(state, command, actor.person, now)
        case CarryOver():
            return _carry_over(state, command)
        case TellBank(number, matches):
            return _tell_bank(state, number, matches)
        case TellLike(number, like):
            return _tell_like(state, number, like)
        case AcceptBankAnswer(number):
            return _accept(own_question(state, number, actor.person))
        case BankNotHelpful(number):
            question = own_question(state, number, actor.person)
            check(question, "not_helpful")
            return [BankRefused(number), queued(state, question, "not_helpful")]
        case WithdrawQuestion(number):
            return _withdraw(state, number, actor.person)
        case FollowQuestion(number):
            return _follow(state, number, actor.person, now)
        case ChooseOnLadder():
            return _choose(state, command, actor, now)
        case PickTutor(number, tutor):
            return _pick(state, own_question(state, number, actor.person), tutor)
        case ResolveQuestion(number):
            question = own_question(state, number, actor.person)
            if question.state != "answered_async":
                check(question, "accept")
                return _accept(question)
            return [QuestionResolved(number)]
        case ReopenQuestion(number):
            return _reopen(state, own_question(state, number, actor.person), now)
        case RateQuestion():
            return _rate(own_question(state, command.question, actor.person), command)
        case ApproveQuestion(number):
            check(question_of(state, number), "approve")
            return [QuestionApproved(number, actor.person)]
        case RejectQuestion(number):
            check(question_of(state, number), "reject")
            return [QuestionWithdrawn(number, "rejected", actor.person)]
        case MergeQuestions(number, into):
            return _merge(state, number, into, actor.person)


# ---- asking -------------------------------------------------------------------------------


def queued(state: DeskState, question: Question, reason: QueueReason) -> DeskEvent:
    """Returns the step to the tutors: in writing when no time for live help is left, or when she
    may not be recorded."""
    seat = state.pupils[question.pupil]
    may_live = seat.recorded and sessions.time_left(state, seat) >= sessions.SHORTEST_S
    return QuestionQueued(question.id, reason, question.wish if may_live else "written")


def _ask(state: DeskState, command: AskQuestion, pupil: PersonId, now: float) -> list[DeskEvent]:
    seat = pupil_here(state, pupil)
    _may_take_part(state, seat, now)
    if seat.active is not None:
        raise _one_at_a_time()
    if seat.session is not None:
        raise Conflict("in_session", "请先结束这次辅导。", "Leave the session first.")
    if command.wish == "live" and not seat.recorded:
        raise sessions.recording_refused()
    if command.wish == "live" and sessions.time_left(state, seat) < sessions.SHORTEST_S:
        raise sessions.evening_limit()
    if command.tutor is not None and not _is_pickable(
        state, command.tutor, command.subject, seat.grade
    ):
        raise _tutor_unknown()
    return _asked(state, command, pupil, seat.grade, now)


def _carry_over(state: DeskState, command: CarryOver) -> list[DeskEvent]:
    seat = state.pupils.get(command.pupil)
    if state.phase == "closed" or (seat is not None and seat.active is not None):
        return []
    asked = command.question
    if seat is not None and not seat.consented:
        return []  # What it says is deleted.
    if seat is not None and not seat.recorded:
        asked = replace(asked, wish="written", tutor=None)
    return _asked(state, asked, command.pupil, command.grade, command.asked_at)


def _asked(
    state: DeskState, command: AskQuestion, pupil: PersonId, grade: int, asked_at: float
) -> list[DeskEvent]:
    if len(state.questions) >= MAX_QUESTIONS:
        raise LimitExceeded(
            "questions_full", "今晚的问题已收满。", "No more questions fit into this evening."
        )
    if command.subject not in state.plan.subjects or grade not in state.hours:
        raise Conflict("subject_unknown", "这里不答这门科目。", "Not a subject of this desk.")
    number = QuestionId(len(state.questions) + 1)
    events: list[DeskEvent] = [
        QuestionAsked(
            number,
            pupil,
            command.subject,
            grade,
            tuple(dict.fromkeys(command.points)),
            command.content,
            command.kind,
            command.wish,
            command.shared,
            command.tutor,
            command.origin,
            asked_at,
        )
    ]
    return [*events, QuestionHeld(number)] if state.plan.needs_approval else events


def _may_take_part(state: DeskState, seat: Pupil, now: float) -> None:
    if not seat.consented:
        raise Forbidden(
            "consent_needed",
            "请先让监护人同意使用在线答疑。",
            "Your guardian must agree before you use the desk.",
        )
    if not state.is_open(seat.grade, now):
        raise Conflict("desk_not_open", "现在不在答疑时间。", "The desk is not open now.")


def _is_pickable(state: DeskState, tutor: PersonId, subject: str, grade: int) -> bool:
    return tutor in state.index.serving.get(queue_key(subject, grade), ())


def _tutor_unknown() -> Conflict:
    return Conflict("tutor_unknown", "这位老师现在不答这门科目。", "Not on duty for this subject.")


def _one_at_a_time() -> Conflict:
    return Conflict(
        "question_active",
        "您还有一个问题在等候，答复后才能再问。",
        "You have a question open; ask again when it is answered.",
    )


# ---- the bank -----------------------------------------------------------------------------


def _tell_bank(state: DeskState, number: QuestionId, found: tuple[str, ...]) -> list[DeskEvent]:
    question = state.questions.get(number)
    if question is None or not may(question, "match"):
        return []  # It was withdrawn, or has gone on because the bank was slow.
    if not found:
        return [queued(state, question, "no_match")]
    return [BankMatched(number, tuple(dict.fromkeys(found))[:MAX_MATCHES])]


def _accept(question: Question) -> list[DeskEvent]:
    check(question, "accept")
    if not question.bank:
        raise Conflict("no_bank_answer", "题库里没有答案。", "The bank has no answer to it.")
    return [BankAccepted(question.id)]


# ---- followers ----------------------------------------------------------------------------


def _withdraw(state: DeskState, number: QuestionId, pupil: PersonId) -> list[DeskEvent]:
    question = question_of(state, number)
    if pupil in question.followers:
        return [QuestionUnfollowed(number, pupil)]
    check(own_question(state, number, pupil), "withdraw")
    if question.followers:
        return [QuestionHandedOn(number, question.followers[0], pupil)]
    return [QuestionWithdrawn(number, "pupil", pupil)]


def _follow(state: DeskState, number: QuestionId, pupil: PersonId, now: float) -> list[DeskEvent]:
    seat, question = pupil_here(state, pupil), state.questions.get(number)
    if question is None or not question.shared or question.grade != seat.grade:
        raise Conflict("question_unknown", "没有这个问题。", "There is no such question.")
    if pupil in question.followers:
        return []
    _may_take_part(state, seat, now)
    check(question, "merge")
    if question.state != "queued":
        raise Conflict("question_state", "这个问题还没有排上队。", "It does not wait yet.")
    own = None if seat.active is None else state.questions[seat.active]
    if own is not None and own.pupil == pupil and number in own.like:
        return _merge(state, own.id, number, pupil)  # Hers reads like it: they become one.
    if own is not None or seat.session is not None:
        raise _one_at_a_time()
    _may_be_helped(state, question, [pupil])
    _has_room(question, 1)
    return [QuestionFollowed(number, pupil)]


def _tell_like(
    state: DeskState, number: QuestionId, like: tuple[QuestionId, ...]
) -> list[DeskEvent]:
    question = state.questions.get(number)
    if question is None or not question.is_active:
        return []
    found = tuple(
        other
        for other in dict.fromkeys(like)
        if other != number and other in state.questions and state.questions[other].is_active
    )[:MAX_LIKE]
    return [QuestionLikened(number, found)] if found and found != question.like else []


def _merge(
    state: DeskState, number: QuestionId, into: QuestionId, actor: PersonId
) -> list[DeskEvent]:
    question, other = question_of(state, number), question_of(state, into)
    check(question, "merge")
    check(other, "merge")
    is_like = (question.subject, question.grade) == (other.subject, other.grade)
    if number == into or not is_like:
        raise Conflict(
            "not_alike",
            "只能合并同科目、同年级的两个问题。",
            "Only two questions of one subject and grade can be merged.",
        )
    _may_be_helped(state, other, [question.pupil, *question.followers])
    _has_room(other, 1 + len(question.followers))
    return [QuestionMerged(number, into, actor)]


def _may_be_helped(state: DeskState, question: Question, pupils: list[PersonId]) -> None:
    """Refuses that somebody who may not be recorded waits for live help of others."""
    if question.wish == "live" and not all(state.pupils[pupil].recorded for pupil in pupils):
        raise sessions.recording_refused()


def _has_room(question: Question, more: int) -> None:
    if len(question.followers) + more > MAX_FOLLOWERS:
        raise LimitExceeded("followers_full", "跟随的人数已满。", "Too many follow it.")


# ---- the ladder, and afterwards -----------------------------------------------------------


def _choose(state: DeskState, command: ChooseOnLadder, actor: Actor, now: float) -> list[DeskEvent]:
    question = own_question(state, command.question, actor.person)
    if question.state != "queued":
        check(question, "join")
    match command.choice:
        case "bank":
            return _accept(question)
        case "written":
            if question.wish == "written":
                return []
            return [QuestionWished(question.id, "written", None)]
        case "tomorrow":
            return [QuestionExpired(question.id, "tomorrow")]
        case "join":
            if command.session is None:
                raise Conflict("session_over", "请选择一个课堂。", "Say which session.")
            return sessions.join(state, command.session, actor.person, now)


def _pick(state: DeskState, question: Question, tutor: PersonId | None) -> list[DeskEvent]:
    if question.state != "queued" or question.wish != "live":
        check(question, "join")
        raise Conflict("question_state", "书面答复不能指定老师。", "It waits for a written answer.")
    if tutor is not None and not _is_pickable(state, tutor, question.subject, question.grade):
        raise _tutor_unknown()
    return [] if question.pick == tutor else [QuestionWished(question.id, "live", tutor)]


def _reopen(state: DeskState, question: Question, now: float) -> list[DeskEvent]:
    check(question, "reopen")
    seat = pupil_here(state, question.pupil)
    _may_take_part(state, seat, now)
    if question.reopened:
        raise Conflict("already_reopened", "一个问题只能追问一次。", "Only once a question.")
    if seat.active is not None or seat.session is not None:
        raise _one_at_a_time()
    return [QuestionReopened(question.id), queued(state, question, "reopened")]


def _rate(question: Question, command: RateQuestion) -> list[DeskEvent]:
    if question.tutor is None or question.state not in {"answered_async", "resolved"}:
        raise Conflict("not_ratable", "得到老师解答后才能评价。", "Rate it when it was answered.")
    if question.rated:
        raise Conflict("already_rated", "已经评价过了。", "It has been rated.")
    return [
        QuestionRated(
            question.id, question.tutor, command.understood, command.patient, command.again
        )
    ]
