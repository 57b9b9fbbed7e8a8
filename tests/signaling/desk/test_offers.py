"""Who is offered what, for how long, and what becomes of it when somebody vanishes."""

from __future__ import annotations

import pytest

from hosting.desk import (
    MODERATOR,
    OPENS,
    PLANNER,
    PUPILS,
    TUTORS,
    Evenings,
    duty,
    evening,
    plan,
)
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.commands import Actor, AnyCommand
from twinclass_signaling.desk.plan import SessionNumber
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

ANNE, BEN, CARL = PUPILS[:3]
FIRST, SECOND, THIRD, FOURTH = TUTORS


def code_of(desk: Evenings, command: AnyCommand, who: Actor) -> str:
    seq = desk.state.seq
    with pytest.raises(SignalingError) as caught:
        desk.do(command, who)
    assert desk.state.seq == seq
    return caught.value.code


# ---- whom ---------------------------------------------------------------------------------


def offered_to(*roster: object, **asked: object) -> str:
    desk = evening(tutors=0, desk=plan(roster))  # type: ignore[arg-type]
    school = str(asked.pop("school", ""))
    desk.do(c.PupilHere(ANNE.person, 7, school, asked.pop("teachers", ())))  # type: ignore[arg-type]
    for who in TUTORS[: len(roster)]:
        desk.arrive(who)
    number = desk.ask(ANNE, **asked)
    return desk.offered()[number]


def test_a_shared_knowledge_point_is_worth_more_than_nothing_in_common() -> None:
    roster = duty("tutor-1", points=("p1",)), duty("tutor-2", points=("p2", "p3"))
    assert offered_to(*roster, points=("p2", "p3")) == "tutor-2"
    assert offered_to(*roster, points=("p1", "p9")) == "tutor-1"


def test_a_pupil_is_rather_offered_to_her_own_school_or_teacher() -> None:
    roster = duty("tutor-1"), duty("tutor-2", schools=("school-7",))
    assert offered_to(*roster) == "tutor-1"
    assert offered_to(*roster, school="school-7") == "tutor-2"
    assert offered_to(*roster, teachers=(PersonId("tutor-2"),)) == "tutor-2"


def test_subject_grade_and_kind_of_help_are_hard() -> None:
    desk = evening(
        tutors=3,
        desk=plan(
            [
                duty("tutor-1", ("physics",)),
                duty("tutor-2", grades=(8,)),
                duty("tutor-3", kinds=("written",)),
            ]
        ),
    )
    live = desk.ask(ANNE)
    assert desk.offered() == {}
    written = desk.ask(BEN, wish="written")
    assert desk.offered() == {written: "tutor-3"}
    desk.wait(301)
    assert desk.state_of(live) == "queued"


def test_who_has_helped_less_tonight_is_asked_first() -> None:
    desk = evening(tutors=2)
    for n in range(4):
        number = desk.ask(PUPILS[n % 2])
        who = next(one for one in TUTORS if one.person == desk.offered()[number])
        desk.do(c.AcceptOffer(number), who)
        desk.do(c.AnswerQuestion(number, "answer-1"), who)
    assert [desk.state.tutors[who.person].helped for who in (FIRST, SECOND)] == [2, 2]


def test_the_oldest_of_two_queues_comes_first() -> None:
    desk = evening(tutors=0, desk=plan([duty("tutor-1", ("maths", "physics"))]))
    desk.ask(ANNE, "physics")
    desk.wait(5)
    desk.ask(BEN)
    desk.arrive(FIRST)
    assert desk.offered() == {1: "tutor-1"}


def test_live_help_comes_before_written_answers() -> None:
    desk = evening(tutors=0)
    desk.ask(ANNE, wish="written")
    desk.wait(200)
    desk.ask(BEN)
    desk.arrive(FIRST)
    assert desk.offered() == {2: "tutor-1"}


def test_a_picked_tutor_is_waited_for_until_she_lets_it_pass() -> None:
    desk = evening(tutors=2)
    busy = desk.ask(BEN, tutor=FIRST.person)
    desk.do(c.AcceptOffer(busy), FIRST)
    number = desk.ask(ANNE, tutor=FIRST.person)
    assert desk.state_of(number) == "queued"
    desk.do(c.AnswerQuestion(busy, "answer-1"), FIRST)
    assert desk.offered() == {number: "tutor-1"}
    desk.do(c.RefuseOffer(number), FIRST)
    assert desk.state.questions[number].pick is None
    assert number in desk.offered()


@pytest.mark.parametrize("command", [c.EndDuty(), c.PauseDuty()])
def test_nobody_waits_for_a_picked_tutor_who_stands_down(command: AnyCommand) -> None:
    desk = evening(tutors=2)
    busy = desk.ask(BEN, tutor=FIRST.person)
    desk.do(c.AcceptOffer(busy), FIRST)
    number = desk.ask(ANNE, tutor=FIRST.person)
    desk.do(command, FIRST)
    assert desk.offered() == {number: "tutor-2"}


# ---- for how long -------------------------------------------------------------------------


def test_an_offer_is_one_tutor_s_for_twenty_seconds_then_the_next_one_s() -> None:
    desk = evening(tutors=2)
    number = desk.ask(ANNE)
    assert desk.offered() == {number: "tutor-1"}
    desk.wait(19.9)
    assert desk.offered() == {number: "tutor-1"}
    desk.wait(0.1)
    assert desk.offered() == {number: "tutor-2"}
    assert code_of(desk, c.AcceptOffer(number), FIRST) == "offer_gone"
    desk.do(c.AcceptOffer(number), SECOND)
    assert desk.state_of(number) == "claimed"


def test_after_three_passes_the_whole_group_may_claim_it_and_the_first_wins() -> None:
    desk = evening(tutors=4)
    number = desk.ask(ANNE)
    for who in (FIRST, SECOND, THIRD):
        assert code_of(desk, c.ClaimQuestion(number), FOURTH) == "already_claimed"
        desk.do(c.RefuseOffer(number), who)
    assert desk.state.questions[number].in_group
    desk.do(c.ClaimQuestion(number), SECOND)
    assert code_of(desk, c.ClaimQuestion(number), FOURTH) == "already_claimed"


def test_live_questions_are_given_out_in_order_and_not_picked_out() -> None:
    desk = evening(tutors=1)
    first = desk.ask(ANNE)
    desk.do(c.AcceptOffer(first), FIRST)
    second = desk.ask(BEN)
    assert code_of(desk, c.ClaimQuestion(second), FIRST) == "not_open"


def test_a_question_that_the_only_tutor_let_pass_comes_back_to_her() -> None:
    desk = evening(tutors=1)
    number = desk.ask(ANNE)
    desk.do(c.RefuseOffer(number), FIRST)
    desk.wait(59)
    assert desk.offered() == {}
    desk.wait(1)
    assert desk.offered() == {number: "tutor-1"}


def test_three_offers_in_a_row_let_pass_pause_the_tutor() -> None:
    desk = evening(tutors=1, pupils=4)
    for who in PUPILS[:4]:
        desk.ask(who)
    desk.wait(61)
    assert desk.state.tutors[FIRST.person].paused
    desk.do(c.PauseDuty(on=False), FIRST)
    assert desk.offered()


def test_written_answers_are_claimed_three_at_a_time() -> None:
    desk = evening(tutors=2, pupils=6)
    numbers = [desk.ask(who, wish="written") for who in PUPILS[:5]]
    desk.do(c.AcceptOffer(numbers[0]), FIRST)
    for number in numbers[2:4]:
        desk.do(c.ClaimQuestion(number), FIRST)
    assert code_of(desk, c.ClaimQuestion(numbers[4]), FIRST) == "tutor_busy"
    desk.do(c.AnswerQuestion(numbers[2], "answer-1"), FIRST)
    desk.do(c.ClaimQuestion(numbers[4]), FIRST)


def test_a_claim_that_leads_to_nothing_goes_back_first_in_its_lane() -> None:
    desk = evening(tutors=2, pupils=4)
    number, other = desk.ask(ANNE), desk.ask(BEN)
    desk.do(c.AcceptOffer(number), FIRST)
    desk.do(c.AcceptOffer(other), SECOND)
    waiting = desk.ask(CARL)
    desk.wait(178)
    desk.do(c.AnswerQuestion(other, "answer-1"), SECOND)
    assert desk.offered() == {waiting: "tutor-2"}
    desk.do(c.AcceptOffer(waiting), SECOND)
    desk.wait(2)
    assert desk.state_of(number) == "queued"
    assert desk.state.questions[number].priority
    assert desk.state.questions[number].passed_by == ("tutor-1",)


def test_a_tutor_gives_back_what_she_cannot_do_and_another_is_asked() -> None:
    desk = evening(tutors=2)
    number = desk.ask(ANNE)
    desk.do(c.AcceptOffer(number), FIRST)
    desk.do(c.GiveBack(number), FIRST)
    assert desk.offered() == {number: "tutor-2"}
    assert code_of(desk, c.AnswerQuestion(number, "answer-1"), FIRST) == "not_claimed"


# ---- ghosts -------------------------------------------------------------------------------


def test_a_tutor_whose_line_is_lost_loses_her_offer_at_once_and_gets_none() -> None:
    desk = evening(tutors=2)
    number = desk.ask(ANNE)
    desk.do(c.Lose(FIRST.person))
    assert desk.offered() == {number: "tutor-2"}
    assert desk.state.questions[number].passed_by == ()
    desk.do(c.Lose(SECOND.person))
    assert desk.state_of(number) == "queued"
    desk.do(c.StaffHere(FIRST.person, Role.TUTOR))
    assert desk.offered() == {number: "tutor-1"}


def test_a_tutor_who_is_gone_for_a_minute_keeps_nothing() -> None:
    desk = evening(tutors=2)
    number = desk.ask(ANNE)
    desk.do(c.AcceptOffer(number), FIRST)
    desk.do(c.Lose(FIRST.person))
    desk.wait(59)
    assert desk.state_of(number) == "claimed"
    desk.wait(1)
    assert desk.offered() == {number: "tutor-2"}
    desk.do(c.StaffHere(FIRST.person, Role.TUTOR))
    assert code_of(desk, c.PauseDuty(), FIRST) == "not_on_duty"
    desk.do(c.StartDuty(), FIRST)


def test_a_tutor_who_is_back_in_time_goes_on() -> None:
    desk = evening(tutors=1)
    number = desk.ask(ANNE)
    desk.do(c.AcceptOffer(number), FIRST)
    desk.do(c.Lose(FIRST.person))
    desk.wait(59)
    desk.do(c.StaffHere(FIRST.person, Role.TUTOR))
    desk.do(c.AnswerQuestion(number, "answer-1"), FIRST)
    assert desk.state_of(number) == "answered_async"


def test_a_pupil_who_is_gone_frees_the_tutor_who_was_about_to_help_her() -> None:
    desk = evening(tutors=1)
    number = desk.ask(ANNE)
    desk.do(c.AcceptOffer(number), FIRST)
    desk.do(c.Lose(ANNE.person))
    assert code_of(desk, c.StartSession(number), FIRST) == "pupil_away"
    other = desk.ask(BEN)
    desk.wait(60)
    assert desk.offered() == {other: "tutor-1"}
    assert desk.state_of(number) == "queued"


# ---- duty ---------------------------------------------------------------------------------


def test_duty_is_by_the_roster_and_its_hours() -> None:
    desk = Evenings(plan([duty("tutor-1", ends=21 * 60)]), OPENS - 700)
    desk.do(c.StaffHere(FIRST.person, Role.TUTOR))
    desk.do(c.StaffHere(SECOND.person, Role.TUTOR))
    assert code_of(desk, c.StartDuty(), FIRST) == "not_your_time"
    assert code_of(desk, c.StartDuty(), SECOND) == "not_on_roster"
    desk.wait(100)
    desk.do(c.StartDuty(), FIRST)
    desk.wait(600 + 30 * 60)
    assert not desk.state.tutors[FIRST.person].on_duty


def test_the_planner_puts_somebody_on_tonight_s_roster_and_takes_her_off() -> None:
    desk = evening(tutors=0, desk=plan())
    number = desk.ask(ANNE)
    desk.arrive(FIRST, duty=False)
    assert code_of(desk, c.SetDuty(duty("tutor-1")), MODERATOR) == "forbidden"
    assert code_of(desk, c.SetDuty(duty("tutor-1", ("latin",))), PLANNER) == "duty_malformed"
    desk.do(c.SetDuty(duty("tutor-1")), PLANNER)
    desk.do(c.StartDuty(), FIRST)
    assert desk.offered() == {number: "tutor-1"}
    desk.do(c.RemoveDuty(FIRST.person), PLANNER)
    assert desk.state_of(number) == "queued"
    assert code_of(desk, c.StartDuty(), FIRST) == "not_on_roster"


def test_who_ends_her_duty_finishes_what_she_has() -> None:
    desk = evening(tutors=1)
    number = desk.ask(ANNE)
    desk.do(c.AcceptOffer(number), FIRST)
    desk.do(c.EndDuty(), FIRST)
    desk.do(c.StartSession(number), FIRST)
    desk.do(c.EndSession(SessionNumber(1)), FIRST)
    assert desk.state_of(number) == "resolved"
    desk.ask(BEN)
    assert desk.offered() == {}


# ---- clocks -------------------------------------------------------------------------------


def test_a_clock_that_goes_back_thirty_seconds_breaks_nothing() -> None:
    desk = evening(tutors=2)
    number = desk.ask(ANNE)
    desk.wait(15)
    desk.do(c.AcceptOffer(number), FIRST)
    desk.now -= 30  # Another machine has taken over.
    other = desk.ask(BEN)
    assert desk.offered() == {other: "tutor-2"}
    desk.do(c.AnswerQuestion(number, "answer-1"), FIRST)
    assert desk.state.seen["maths"].done_s == 0
    desk.wait(30 + 20)
    assert desk.offered() == {other: "tutor-1"}
