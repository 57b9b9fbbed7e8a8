"""From the question to the queue: states, the bank, the ladder, me too, merging."""

from __future__ import annotations

import itertools

import pytest

from hosting.desk import (
    MODERATOR,
    OPENS,
    PUPILS,
    TUTORS,
    Evenings,
    duty,
    evening,
    plan,
)
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.commands import Actor, AnyCommand
from twinclass_signaling.desk.plan import Limits, QuestionId, SessionNumber
from twinclass_signaling.desk.questions import (
    STATES,
    STEPS,
    TRANSITIONS,
    Question,
    check,
    move,
)
from twinclass_signaling.desk.queue import position
from twinclass_signaling.desk.view_types import ModeratorView, PupilView
from twinclass_signaling.desk.views import view
from twinclass_signaling.errors import Conflict, InvalidState, SignalingError
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

ANNE, BEN, CARL = PUPILS[:3]
TUTOR = TUTORS[0]


def code_of(desk: Evenings, command: AnyCommand, who: Actor) -> str:
    seq = desk.state.seq
    with pytest.raises(SignalingError) as caught:
        desk.do(command, who)
    assert desk.state.seq == seq
    return caught.value.code


@pytest.mark.parametrize(("state", "step"), list(itertools.product(STATES, STEPS)))
def test_what_the_table_does_not_have_is_refused_and_changes_nothing(state: str, step: str) -> None:
    question = Question(
        QuestionId(1), ANNE.person, "maths", 7, (), "stored-1", "text", 0.0, False, None
    )
    question.state = state  # type: ignore[assignment]
    after = TRANSITIONS.get((state, step))  # type: ignore[call-overload]
    if after is not None:
        move(question, step, 5.0)  # type: ignore[arg-type]
        assert (question.state, question.since) == (after, 5.0)
        return
    with pytest.raises(Conflict, match="question_state"):
        check(question, step)  # type: ignore[arg-type]
    with pytest.raises(InvalidState):
        move(question, step, 5.0)  # type: ignore[arg-type]
    assert (question.state, question.since) == (state, 0.0)


def test_every_state_is_reached_and_every_active_one_is_left() -> None:
    reached = {"submitted", *TRANSITIONS.values()}
    assert reached == set(STATES)
    assert {"submitted", "queued", "offered", "claimed", "in_session"} <= {
        before for before, _ in TRANSITIONS
    }


def test_the_bank_s_answer_is_enough_or_the_question_goes_on_without_typing() -> None:
    desk = evening(tutors=0)
    for who in (ANNE, BEN):
        desk.do(c.AskQuestion("maths", f"of-{who.person}"), who)
    desk.do(c.TellBank(QuestionId(1), ("bank-1", "bank-2")))
    desk.do(c.TellBank(QuestionId(2), ("bank-3",)))
    desk.do(c.AcceptBankAnswer(QuestionId(1)), ANNE)
    desk.do(c.BankNotHelpful(QuestionId(2)), BEN)
    assert [desk.state_of(n) for n in (1, 2)] == ["accepted_answer", "queued"]
    assert desk.state.questions[QuestionId(2)].content == "of-pupil-2"
    assert code_of(desk, c.AcceptBankAnswer(QuestionId(2)), ANNE) == "question_unknown"


def test_a_bank_that_does_not_answer_holds_nobody_up() -> None:
    desk = evening(tutors=0)
    desk.do(c.AskQuestion("maths", "stored-1"), ANNE)
    desk.wait(2.9)
    assert desk.state_of(1) == "submitted"
    desk.wait(0.1)
    assert desk.state_of(1) == "queued"
    assert desk.do(c.TellBank(QuestionId(1), ("bank-1",))) == []


def test_a_pupil_has_one_question_at_a_time() -> None:
    desk = evening(tutors=1)
    number = desk.ask(ANNE)
    assert code_of(desk, c.AskQuestion("maths", "stored-2"), ANNE) == "question_active"
    desk.do(c.AcceptOffer(number), TUTOR)
    desk.do(c.AnswerQuestion(number, "answer-1"), TUTOR)
    assert desk.ask(ANNE) == 2


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (c.AskQuestion("latin", "stored-1"), "subject_unknown"),
        (c.AskQuestion("maths", "stored-1", tutor=PersonId("nobody")), "tutor_unknown"),
        (c.BankNotHelpful(QuestionId(9)), "question_unknown"),
        (c.FollowQuestion(QuestionId(9)), "question_unknown"),
        (c.StartDuty(), "forbidden"),
    ],
)
def test_what_cannot_be_is_told(command: AnyCommand, code: str) -> None:
    assert code_of(evening(), command, ANNE) == code


def test_who_is_not_allowed_by_guardian_or_hour_is_told() -> None:
    desk = evening(pupils=0)
    desk.do(c.PupilHere(ANNE.person, 7, consented=False))
    assert code_of(desk, c.AskQuestion("maths", "stored-1"), ANNE) == "consent_needed"
    assert code_of(desk, c.AskQuestion("maths", "stored-1"), BEN) == "not_here"
    early = Evenings(plan([duty("tutor-1")]), OPENS - 60)
    early.arrive(ANNE)
    assert code_of(early, c.AskQuestion("maths", "stored-1"), ANNE) == "desk_not_open"
    early.wait(60)
    assert early.ask(ANNE) == 1


def test_where_moderators_look_first_nothing_goes_on_without_them() -> None:
    desk = evening(tutors=1, desk=plan([duty("tutor-1")], needs_approval=True))
    for who in (ANNE, BEN):
        desk.do(c.AskQuestion("maths", "stored-1"), who)
    desk.wait(60)
    assert [desk.state_of(n) for n in (1, 2)] == ["awaiting_approval"] * 2
    desk.do(c.ApproveQuestion(QuestionId(1)), MODERATOR)
    desk.do(c.RejectQuestion(QuestionId(2)), MODERATOR)
    desk.do(c.TellBank(QuestionId(1)))
    assert [desk.state_of(n) for n in (1, 2)] == ["offered", "withdrawn"]
    assert code_of(desk, c.ApproveQuestion(QuestionId(1)), BEN) == "forbidden"


# ---- order --------------------------------------------------------------------------------


def queue_of(desk: Evenings) -> list[int]:
    waiting = [one for one in desk.state.questions.values() if one.state == "queued"]
    return [one.id for one in sorted(waiting, key=lambda one: position(desk.state, one) or 0)]


def test_a_second_live_help_goes_behind_first_timers_and_does_not_starve() -> None:
    desk = evening(tutors=1, pupils=6)
    first = desk.ask(ANNE)
    desk.do(c.AcceptOffer(first), TUTOR)
    desk.do(c.StartSession(first), TUTOR)
    desk.do(c.EndSession(SessionNumber(1)), TUTOR)
    desk.do(c.EndDuty(), TUTOR)
    again = desk.ask(ANNE)
    desk.wait(9 * 60)
    newer = desk.ask(BEN)
    assert queue_of(desk) == [newer, again]
    desk.wait(2 * 60)
    newest = desk.ask(CARL)
    assert queue_of(desk) == [newer, again, newest]


def test_a_phone_that_sleeps_keeps_its_place_and_is_passed_over() -> None:
    desk = evening(tutors=0, pupils=3)
    numbers = [desk.ask(who) for who in (ANNE, BEN)]
    desk.do(c.Lose(ANNE.person))
    desk.wait(61)
    assert position(desk.state, desk.state.questions[numbers[0]]) is None
    desk.arrive(TUTOR)
    assert desk.offered() == {numbers[1]: TUTOR.person}
    desk.arrive(ANNE)
    assert position(desk.state, desk.state.questions[numbers[0]]) == 1


# ---- the ladder ---------------------------------------------------------------------------


def test_after_five_minutes_she_is_shown_what_else_there_is() -> None:
    desk = evening(tutors=0)
    number = desk.ask(ANNE)
    desk.wait(299)
    assert not desk.state.questions[number].ladder
    desk.wait(1)
    assert desk.state.questions[number].ladder
    assert code_of(desk, c.ChooseOnLadder(number, "bank"), ANNE) == "no_bank_answer"
    desk.do(c.ChooseOnLadder(number, "written"), ANNE)
    desk.arrive(TUTOR)
    assert desk.offered() == {number: TUTOR.person}
    desk.do(c.AcceptOffer(number), TUTOR)
    assert code_of(desk, c.StartSession(number), TUTOR) == "wants_written"
    desk.do(c.AnswerQuestion(number, "answer-1"), TUTOR)
    desk.do(c.ResolveQuestion(number), ANNE)
    assert desk.state_of(number) == "resolved"


def test_tomorrow_is_carried_over_with_its_old_second() -> None:
    desk = evening(tutors=0)
    number = desk.ask(ANNE)
    desk.do(c.ChooseOnLadder(number, "tomorrow"), ANNE)
    assert desk.state_of(number) == "expired"
    carried = c.AskQuestion("maths", "stored-1")
    fresh = desk.ask(BEN)
    desk.do(c.CarryOver(CARL.person, 7, carried, OPENS - 86_400))
    old = QuestionId(fresh + 1)
    desk.do(c.TellBank(old))
    assert queue_of(desk) == [old, fresh]


def test_an_open_one_to_many_takes_her_with_her_question() -> None:
    desk = evening(tutors=1)
    desk.do(c.OpenSession("maths", 7, ("p1",)), TUTOR)
    number = desk.ask(ANNE, points=("p1",))
    desk.do(c.ChooseOnLadder(number, "join", SessionNumber(1)), ANNE)
    assert desk.state_of(number) == "in_session"
    desk.do(c.EndSession(SessionNumber(1)), TUTOR)
    assert desk.state_of(number) == "resolved"
    assert desk.state.questions[number].tutor == TUTOR.person


def test_what_is_open_at_closing_has_expired_and_the_desk_closes() -> None:
    desk = evening(tutors=1, desk=plan([duty("tutor-1", ends=23 * 60)]))
    desk.wait(90 * 60 - 30)
    held = desk.ask(ANNE, wish="written")
    desk.do(c.AcceptOffer(held), TUTOR)
    waiting = desk.ask(BEN)
    desk.wait(30)
    assert [desk.state_of(n) for n in (held, waiting)] == ["claimed", "expired"]
    assert code_of(desk, c.AskQuestion("maths", "stored-1"), CARL) == "desk_not_open"
    desk.do(c.AnswerQuestion(held, "answer-1"), TUTOR)
    desk.wait(15 * 60)
    assert desk.state.phase == "closed"
    assert code_of(desk, c.AskQuestion("maths", "stored-1"), ANNE) == "desk_closed"
    assert desk.do(c.Lose(ANNE.person)) == []


def test_two_hundred_questions_expire_in_steps_of_sixty_four() -> None:
    desk = evening(tutors=0, pupils=0)
    for n in range(200):
        who = Actor(PersonId(f"many-{n}"), Role.PUPIL)
        desk.arrive(who)
        desk.ask(who)
    desk.now = OPENS + 90 * 60
    assert len(desk.give(c.Tick())) <= 64
    desk.settle()
    assert {one.state for one in desk.state.questions.values()} == {"expired"}


# ---- me too, merging ----------------------------------------------------------------------


def test_me_too_joins_a_shared_question_and_hears_its_answer() -> None:
    desk = evening(tutors=0)
    number = desk.ask(ANNE, shared=True)
    hidden = desk.ask(BEN)
    assert code_of(desk, c.FollowQuestion(hidden), CARL) == "question_unknown"
    desk.do(c.FollowQuestion(number), CARL)
    assert code_of(desk, c.AskQuestion("maths", "stored-9"), CARL) == "question_active"
    desk.arrive(TUTOR)
    desk.do(c.AcceptOffer(number), TUTOR)
    assert code_of(desk, c.StartSession(number), TUTOR) == "others_follow"
    desk.do(c.StartSession(number, "one_to_many"), TUTOR)
    session = desk.state.sessions[SessionNumber(1)]
    assert session.present == [ANNE.person, CARL.person]
    desk.do(c.EndSession(session.number), TUTOR)
    assert desk.ask(CARL) == 3


def test_who_withdraws_hands_the_question_on_to_who_followed() -> None:
    desk = evening(tutors=0)
    number = desk.ask(ANNE, shared=True)
    desk.do(c.FollowQuestion(number), BEN)
    desk.do(c.FollowQuestion(number), CARL)
    desk.do(c.WithdrawQuestion(number), ANNE)
    question = desk.state.questions[number]
    assert (question.state, question.pupil, question.followers) == (
        "queued",
        BEN.person,
        [CARL.person],
    )
    desk.do(c.WithdrawQuestion(number), CARL)
    desk.do(c.WithdrawQuestion(number), BEN)
    assert desk.state_of(number) == "withdrawn"
    assert desk.ask(ANNE) == 2


def test_like_questions_become_one() -> None:
    desk = evening(tutors=0)
    first, second = desk.ask(ANNE), desk.ask(BEN)
    other = desk.ask(CARL, "physics")
    desk.do(c.TellLike(second, (first,)))
    assert desk.state.questions[second].like == (first,)
    assert code_of(desk, c.MergeQuestions(other, first), MODERATOR) == "not_alike"
    desk.do(c.MergeQuestions(second, first), MODERATOR)
    assert desk.state_of(second) == "merged"
    assert desk.state.questions[first].followers == [BEN.person]
    assert desk.state.pupils[BEN.person].active == first


def test_only_open_questions_are_alike_and_only_a_few() -> None:
    desk = evening(tutors=0, pupils=6)
    first, *others = [desk.ask(who) for who in PUPILS]
    desk.do(c.WithdrawQuestion(others[0]), PUPILS[1])
    desk.do(c.TellLike(first, (first, *others, QuestionId(99))))
    assert desk.state.questions[first].like == tuple(others[1:4])
    assert desk.do(c.TellLike(first, tuple(others[1:4]))) == []
    assert desk.do(c.TellLike(others[0], (first,))) == []
    assert desk.do(c.TellLike(first, ())) == []
    assert desk.do(c.TellLike(QuestionId(99), (first,))) == []


def test_a_pupil_joins_a_shared_question_that_hers_reads_like() -> None:
    desk = evening(tutors=0)
    first, private = desk.ask(ANNE, shared=True), desk.ask(CARL)
    second = desk.ask(BEN)
    follow = c.FollowQuestion(first)
    assert code_of(desk, follow, BEN) == "question_active"
    desk.do(c.TellLike(second, (first, private)))
    offered = pupil_page(desk, BEN).question
    assert offered is not None
    assert [one.question for one in offered.alike] == [first]
    assert CARL.person not in repr(offered)
    assert code_of(desk, c.FollowQuestion(private), BEN) == "question_unknown"
    desk.do(follow, BEN)
    assert desk.state_of(second) == "merged"
    joined = pupil_page(desk, BEN).question
    assert joined is not None
    assert (joined.question, joined.is_own, joined.alike) == (first, False, ())
    assert desk.state.questions[first].followers == [BEN.person]


def test_a_moderator_sees_both_of_two_that_are_alike_as_long_as_they_can_be_one() -> None:
    desk = evening(tutors=0)
    first = desk.ask(ANNE)
    second = desk.ask(BEN)
    desk.do(c.TellLike(second, (first,)))
    (pair,) = moderator_page(desk).alike
    assert (pair.question, [one.question for one in pair.like]) == (second, [first])
    assert pair.like[0].content == "stored-1"
    desk.do(c.WithdrawQuestion(first), ANNE)
    assert moderator_page(desk).alike == ()


def pupil_page(desk: Evenings, who: Actor) -> PupilView:
    shown = view(desk.state, who, {}, desk.now)
    assert isinstance(shown, PupilView)
    return shown


def moderator_page(desk: Evenings) -> ModeratorView:
    shown = view(desk.state, MODERATOR, {}, desk.now)
    assert isinstance(shown, ModeratorView)
    return shown


# ---- afterwards ---------------------------------------------------------------------------


def test_a_question_is_rated_and_reopened_once() -> None:
    desk = evening(tutors=1)
    number = desk.ask(ANNE)
    assert code_of(desk, c.RateQuestion(number, 2, 2, 2), ANNE) == "not_ratable"
    desk.do(c.AcceptOffer(number), TUTOR)
    desk.do(c.AnswerQuestion(number, "answer-1"), TUTOR)
    desk.do(c.RateQuestion(number, 2, 1, 0), ANNE)
    assert code_of(desk, c.RateQuestion(number, 2, 2, 2), ANNE) == "already_rated"
    desk.do(c.ReopenQuestion(number), ANNE)
    assert desk.state_of(number) == "offered"
    desk.do(c.AcceptOffer(number), TUTOR)
    desk.do(c.AnswerQuestion(number, "answer-2"), TUTOR)
    assert code_of(desk, c.ReopenQuestion(number), ANNE) == "already_reopened"


def test_who_has_used_up_her_hour_is_answered_in_writing() -> None:
    limits = Limits(pupil_evening_s=60, one_to_one_s=60, warning_s=10)
    desk = evening(tutors=1, desk=plan([duty("tutor-1")], limits=limits))
    number = desk.ask(ANNE)
    desk.do(c.AcceptOffer(number), TUTOR)
    desk.do(c.StartSession(number), TUTOR)
    desk.wait(60)
    assert desk.state.sessions[SessionNumber(1)].reason == "limit"
    assert code_of(desk, c.AskQuestion("maths", "stored-2"), ANNE) == "evening_limit"
    desk.do(c.ReopenQuestion(number), ANNE)
    assert desk.state.questions[number].wish == "written"
