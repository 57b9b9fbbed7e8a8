"""Live help and its limits; the help key; who sees what of it."""

from __future__ import annotations

import msgspec
import pytest

from hosting.desk import (
    GUARDIAN,
    MODERATOR,
    OFFICER,
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
from twinclass_signaling.desk.directory import Known
from twinclass_signaling.desk.plan import CaseNumber, Limits, QuestionId, SessionNumber
from twinclass_signaling.desk.state import Session
from twinclass_signaling.desk.view_types import (
    GuardianView,
    ModeratorView,
    PupilView,
    SafeguardingView,
    TutorView,
)
from twinclass_signaling.desk.views import view
from twinclass_signaling.desk.visibility import may_see_question, may_see_session
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.roles import Role

ANNE, BEN, CARL = PUPILS[:3]
TUTOR, OTHER = TUTORS[:2]
NAMES = {ANNE.person: Known("示例", "七(1)班"), TUTOR.person: Known("示例老师")}
ONE = SessionNumber(1)


def code_of(desk: Evenings, command: AnyCommand, who: Actor) -> str:
    seq = desk.state.seq
    with pytest.raises(SignalingError) as caught:
        desk.do(command, who)
    assert desk.state.seq == seq
    return caught.value.code


def in_session(desk: Evenings | None = None, **asked: object) -> tuple[Evenings, QuestionId]:
    found = desk or evening(tutors=1)
    number = found.ask(ANNE, **asked)
    found.do(c.AcceptOffer(number), TUTOR)
    found.do(c.StartSession(number), TUTOR)
    return found, number


def test_whoever_sees_to_a_report_is_called_by_her_name() -> None:
    desk, _ = in_session()
    desk.do(c.ReportSafety(ONE), ANNE)
    desk.do(c.EnterSession(ONE), MODERATOR)
    names = {**NAMES, MODERATOR.person: Known("示例值班老师")}
    for viewer, kind in ((MODERATOR, ModeratorView), (OFFICER, SafeguardingView)):
        shown = view(desk.state, viewer, names, desk.now)
        assert isinstance(shown, kind)
        (case,) = shown.cases
        assert case.moderator_name == "示例值班老师"


def last(desk: Evenings) -> Session:
    return desk.state.sessions[SessionNumber(len(desk.state.sessions))]


# ---- limits -------------------------------------------------------------------------------


def test_one_to_one_lasts_ten_minutes_with_a_warning_two_before() -> None:
    desk, number = in_session()
    desk.wait(8 * 60 - 1)
    assert not last(desk).warned
    desk.wait(1)
    assert last(desk).warned
    desk.wait(120)
    assert (last(desk).reason, desk.state_of(number)) == ("time", "resolved")
    assert desk.state.pupils[ANNE.person].live_s == 600


def test_it_is_extended_once_and_warned_of_again() -> None:
    desk, _ = in_session()
    desk.wait(9 * 60)
    desk.do(c.ExtendSession(ONE), TUTOR)
    assert not last(desk).warned
    assert code_of(desk, c.ExtendSession(ONE), TUTOR) == "already_extended"
    desk.wait(9 * 60)
    assert last(desk).warned
    desk.wait(120)
    assert last(desk).ended_at == last(desk).started_at + 1200


def test_thirty_minutes_are_the_end_whatever_was_planned() -> None:
    limits = Limits(one_to_one_s=1500, extension_s=1500)
    desk, _ = in_session(evening(tutors=1, desk=plan([duty("tutor-1")], limits=limits)))
    desk.do(c.ExtendSession(ONE), TUTOR)
    desk.wait(1800)
    assert last(desk).ended_at == last(desk).started_at + 1800


def test_her_grade_s_closing_ends_it_with_a_warning() -> None:
    desk = evening(tutors=1)
    desk.wait(85 * 60)
    in_session(desk)
    desk.wait(3 * 60)
    assert last(desk).warned
    assert code_of(desk, c.ExtendSession(ONE), TUTOR) == "no_more_time"
    desk.wait(2 * 60)
    assert last(desk).reason == "closing"


def test_a_pupil_s_hour_of_the_evening_is_kept_over_sessions() -> None:
    limits = Limits(pupil_evening_s=900)
    desk, _ = in_session(evening(tutors=1, desk=plan([duty("tutor-1")], limits=limits)))
    desk.wait(600)
    number = desk.ask(ANNE)
    desk.do(c.AcceptOffer(number), TUTOR)
    desk.do(c.StartSession(number), TUTOR)
    assert last(desk).ends_at - last(desk).started_at == 300
    desk.wait(300)
    assert last(desk).reason == "limit"


def test_a_tutor_is_in_one_session_and_rests_between_two_one_to_many() -> None:
    desk = evening(tutors=1)
    desk.do(c.OpenSession("maths", 7), TUTOR)
    assert code_of(desk, c.OpenSession("maths", 7), TUTOR) == "tutor_busy"
    desk.do(c.JoinSession(ONE), ANNE)
    desk.wait(30 * 60)
    assert last(desk).reason == "time"
    with pytest.raises(SignalingError) as caught:
        desk.do(c.OpenSession("maths", 7), TUTOR)
    assert (caught.value.code, caught.value.retry_after_s) == ("gap_too_short", 600)
    desk.wait(600)
    desk.do(c.OpenSession("maths", 7), TUTOR)


def test_a_pupil_leaves_a_one_to_many_when_her_hour_is_over() -> None:
    limits = Limits(pupil_evening_s=300)
    desk = evening(tutors=1, desk=plan([duty("tutor-1")], limits=limits))
    desk.do(c.OpenSession("maths", 7), TUTOR)
    desk.do(c.JoinSession(ONE), ANNE)
    desk.wait(300)
    assert last(desk).present == []
    assert last(desk).ended_at is None
    assert code_of(desk, c.JoinSession(ONE), ANNE) == "evening_limit"


def test_a_one_to_many_has_a_bound_and_a_grade() -> None:
    limits = Limits(members=2)
    desk = evening(tutors=1, desk=plan([duty("tutor-1")], limits=limits))
    desk.do(c.PupilHere(PUPILS[4].person, 8))
    desk.do(c.OpenSession("maths", 7), TUTOR)
    for who in (ANNE, BEN):
        desk.do(c.JoinSession(ONE), who)
    assert code_of(desk, c.JoinSession(ONE), CARL) == "session_full"
    assert code_of(desk, c.JoinSession(ONE), PUPILS[4]) == "session_over"
    desk.do(c.LeaveSession(ONE), BEN)
    desk.do(c.JoinSession(ONE), CARL)


# ---- ghosts -------------------------------------------------------------------------------


def test_a_tutor_lost_in_a_session_has_a_minute_then_the_question_is_first_again() -> None:
    desk = evening(tutors=1, pupils=4)
    desk, number = in_session(desk)
    waiting = desk.ask(BEN)
    desk.do(c.Lose(TUTOR.person))
    desk.wait(59)
    assert last(desk).ended_at is None
    desk.wait(1)
    assert last(desk).reason == "tutor_gone"
    assert desk.state_of(number) == "queued"
    desk.arrive(OTHER)
    assert desk.offered() == {number: OTHER.person}
    assert desk.state_of(waiting) == "queued"


def test_a_pupil_lost_in_a_session_has_a_minute_then_her_tutor_is_free() -> None:
    desk, number = in_session()
    waiting = desk.ask(BEN)
    desk.do(c.Lose(ANNE.person))
    desk.wait(60)
    assert last(desk).reason == "pupil_gone"
    assert desk.offered() == {waiting: TUTOR.person}
    desk.arrive(ANNE)
    assert desk.state_of(number) == "queued"


def test_both_lost_for_a_moment_go_on() -> None:
    desk, number = in_session()
    desk.do(c.Lose(ANNE.person))
    desk.do(c.Lose(TUTOR.person))
    desk.wait(50)
    desk.arrive(ANNE)
    desk.do(c.StaffHere(TUTOR.person, Role.TUTOR))
    desk.wait(50)
    assert desk.state_of(number) == "in_session"


# ---- the help key -------------------------------------------------------------------------


def test_a_moderator_is_in_within_thirty_seconds_or_the_session_ends() -> None:
    desk, number = in_session()
    before = look(desk, TUTOR)
    events = desk.do(c.ReportSafety(ONE), ANNE)
    assert {"safety_reported", "recording_locked"} <= {
        type(event).__struct_config__.tag for event in events
    }
    assert last(desk).locked == 1
    assert desk.state_of(number) == "reported"
    # The tutor sees nothing of it.
    assert look(desk, TUTOR) == before
    desk.wait(29.9)
    assert last(desk).ended_at is None
    desk.wait(0.1)
    assert last(desk).reason == "no_moderator"
    assert desk.state.cases[CaseNumber(1)].late


def test_a_moderator_who_comes_stays_and_the_session_goes_on() -> None:
    desk, _ = in_session()
    desk.do(c.ReportSafety(ONE), ANNE)
    desk.do(c.TakeCase(CaseNumber(1)), MODERATOR)
    desk.wait(60)
    assert last(desk).moderator == MODERATOR.person
    assert last(desk).ended_at is None
    shown = view(desk.state, ANNE, NAMES, desk.now)
    assert isinstance(shown, PupilView)
    assert shown.session is not None
    assert (shown.session.help_is_coming, shown.session.moderator_here) == (True, True)
    desk.do(c.EndSession(ONE), MODERATOR)
    desk.do(c.CloseCase(CaseNumber(1), "settled"), OFFICER)
    assert code_of(desk, c.CloseCase(CaseNumber(1), "settled"), OFFICER) == "case_unknown"


def test_the_key_works_outside_sessions_and_twice() -> None:
    desk = evening()
    desk.do(c.ReportSafety(), ANNE)
    assert desk.do(c.ReportSafety(), ANNE) == []
    shown = view(desk.state, ANNE, NAMES, desk.now)
    assert isinstance(shown, PupilView)
    assert shown.help_is_coming
    desk.do(c.TakeCase(CaseNumber(1)), MODERATOR)
    desk.wait(60)
    assert not desk.state.cases[CaseNumber(1)].late


def test_a_tutor_may_report_and_strangers_may_not() -> None:
    desk, _ = in_session()
    assert code_of(desk, c.ReportSafety(ONE), BEN) == "session_over"
    assert code_of(desk, c.ReportSafety(question=QuestionId(1)), BEN) == "question_unknown"
    desk.do(c.ReportSafety(ONE), TUTOR)
    assert desk.state.cases[CaseNumber(1)].reporter == TUTOR.person


def test_a_session_that_is_over_can_be_reported_and_its_recording_is_locked() -> None:
    desk, number = in_session()
    desk.do(c.EndSession(ONE), TUTOR)
    desk.do(c.ReportSafety(ONE), ANNE)
    assert (last(desk).locked, desk.state_of(number)) == (1, "reported")


def test_the_same_two_more_than_twice_a_week_is_flagged_and_not_stopped() -> None:
    desk, number = in_session()
    assert desk.do(c.TellPair(ONE, 2)) == []
    desk.do(c.TellPair(ONE, 3))
    assert desk.do(c.TellPair(ONE, 3)) == []
    assert desk.state_of(number) == "in_session"
    shown = view(desk.state, OFFICER, NAMES, desk.now)
    assert isinstance(shown, SafeguardingView)
    assert [one.flagged for one in shown.flagged] == [3]


# ---- who sees what ------------------------------------------------------------------------


def look(desk: Evenings, who: Actor) -> bytes:
    return msgspec.json.encode(view(desk.state, who, NAMES, desk.now))


def test_a_tutor_is_shown_a_given_name_and_a_class() -> None:
    desk, _ = in_session()
    shown = view(desk.state, TUTOR, NAMES, desk.now)
    assert isinstance(shown, TutorView)
    assert shown.session is not None
    assert [(one.given_name, one.class_name) for one in shown.session.members] == [
        ("示例", "七(1)班")
    ]
    assert ANNE.person.encode() not in look(desk, TUTOR)


def test_what_is_behind_a_question_is_given_to_whom_it_concerns_only() -> None:
    desk, number = in_session()
    question = desk.state.questions[number]
    may = {
        who.person
        for who in (*PUPILS, *TUTORS, MODERATOR, OFFICER, GUARDIAN)
        if may_see_question(desk.state, who, question)
    }
    assert may == {ANNE.person, TUTOR.person, MODERATOR.person, OFFICER.person}
    assert may_see_session(GUARDIAN, last(desk))
    assert not may_see_session(Actor(BEN.person, Role.GUARDIAN, (BEN.person,)), last(desk))


def test_a_guardian_sees_the_sessions_of_her_child() -> None:
    desk, _ = in_session()
    desk.wait(60)
    desk.do(c.EndSession(ONE), TUTOR)
    shown = view(desk.state, GUARDIAN, NAMES, desk.now)
    assert isinstance(shown, GuardianView)
    (only,) = shown.sessions
    assert (only.child, only.tutor_name, only.reason) == (ANNE.person, "示例老师", "finished")
    assert only.ended_at == OPENS + 60


def test_a_moderator_sees_queues_sessions_and_cases() -> None:
    desk, _ = in_session()
    desk.ask(BEN)
    desk.do(c.ReportSafety(ONE), ANNE)
    desk.wait(10)
    shown = view(desk.state, MODERATOR, NAMES, desk.now)
    assert isinstance(shown, ModeratorView)
    (maths,) = [one for one in shown.queues if (one.subject, one.grade) == ("maths", 7)]
    assert (maths.live, maths.tutors, maths.free, maths.oldest_s) == (1, 1, 0, 10)
    assert [(one.reporter, one.due_at - one.at) for one in shown.cases] == [(ANNE.person, 30)]
    assert shown.sessions[0].case == 1
