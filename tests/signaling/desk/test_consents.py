"""What a guardian has agreed to, before and in the middle of an evening."""

from __future__ import annotations

import pytest

from hosting.desk import MODERATOR, OPENS, PUPILS, TUTORS, Evenings, evening
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.commands import Actor, AnyCommand
from twinclass_signaling.desk.events import ConsentChanged, QuestionReturned
from twinclass_signaling.desk.plan import QuestionId, SessionNumber
from twinclass_signaling.desk.view_types import PupilView
from twinclass_signaling.desk.views import view
from twinclass_signaling.errors import SignalingError

ANNE, BEN, CARL = PUPILS[:3]
TUTOR = TUTORS[0]
ONE = SessionNumber(1)


def code_of(desk: Evenings, command: AnyCommand, who: Actor) -> str:
    seq = desk.state.seq
    with pytest.raises(SignalingError) as caught:
        desk.do(command, who)
    assert desk.state.seq == seq
    return caught.value.code


def tell(
    desk: Evenings,
    who: Actor,
    *,
    consented: bool = True,
    recorded: bool = True,
    media: bool = True,
) -> None:
    desk.do(c.TellConsents(who.person, consented, recorded, media))


def page(desk: Evenings, who: Actor) -> PupilView:
    shown = view(desk.state, who, {}, desk.now)
    assert isinstance(shown, PupilView)
    return shown


def test_who_may_not_be_recorded_is_answered_in_writing_only() -> None:
    desk = evening(tutors=1)
    desk.do(c.PupilHere(ANNE.person, 7, recorded=False))
    assert not page(desk, ANNE).may_be_recorded
    assert code_of(desk, c.AskQuestion("maths", "stored-1"), ANNE) == "recording_refused"
    number = desk.ask(ANNE, wish="written")
    assert desk.state.questions[number].wish == "written"
    desk.do(c.AcceptOffer(number), TUTOR)
    assert code_of(desk, c.StartSession(number), TUTOR) == "wants_written"
    desk.do(c.AnswerQuestion(number, "answer-1"), TUTOR)
    desk.do(c.ReopenQuestion(number), ANNE)
    assert desk.state.questions[number].wish == "written"


def test_a_question_carried_over_becomes_written_when_she_may_not_be_recorded() -> None:
    desk = evening(tutors=0, pupils=0)
    desk.do(c.CarryOver(ANNE.person, 7, c.AskQuestion("maths", "stored-1"), OPENS - 86400))
    number = QuestionId(1)
    desk.do(c.TellBank(number))
    assert desk.state.questions[number].wish == "live"
    desk.do(c.PupilHere(ANNE.person, 7, recorded=False))
    assert desk.state.questions[number].wish == "written"


def test_a_question_is_carried_over_to_a_child_who_is_here_as_her_guardian_agrees() -> None:
    desk = evening(tutors=0)
    asked = c.AskQuestion("maths", "stored-1", tutor=TUTOR.person)
    tell(desk, ANNE, recorded=False)
    desk.do(c.CarryOver(ANNE.person, 7, asked, OPENS - 86400))
    question = desk.state.questions[QuestionId(1)]
    assert (question.wish, question.pick) == ("written", None)
    tell(desk, BEN, consented=False)
    assert desk.do(c.CarryOver(BEN.person, 7, asked, OPENS - 86400)) == []


def test_who_may_not_be_recorded_follows_written_questions_only_and_joins_no_session() -> None:
    desk = evening(tutors=0, pupils=2)
    desk.do(c.PupilHere(CARL.person, 7, recorded=False))
    live = desk.ask(ANNE, shared=True)
    assert page(desk, CARL).shared == ()
    assert [one.question for one in page(desk, BEN).shared] == [live]
    assert code_of(desk, c.FollowQuestion(live), CARL) == "recording_refused"
    written = desk.ask(BEN, wish="written", shared=True)
    desk.do(c.FollowQuestion(written), CARL)
    assert desk.state.questions[written].followers == [CARL.person]
    assert code_of(desk, c.MergeQuestions(written, live), MODERATOR) == "recording_refused"
    desk.do(c.MergeQuestions(live, written), MODERATOR)
    desk.do(c.WithdrawQuestion(written), CARL)
    desk.arrive(TUTOR)
    desk.do(c.RefuseOffer(written), TUTOR)
    desk.do(c.OpenSession("maths", 7), TUTOR)
    assert code_of(desk, c.JoinSession(ONE), CARL) == "recording_refused"
    assert page(desk, CARL).rooms == ()


def test_a_one_to_one_ends_when_she_may_not_be_recorded_any_more_and_goes_on_in_writing() -> None:
    desk = evening(tutors=1)
    number = desk.ask(ANNE)
    desk.do(c.AcceptOffer(number), TUTOR)
    desk.do(c.StartSession(number), TUTOR)
    desk.wait(60)
    tell(desk, ANNE, recorded=False)
    session = desk.state.sessions[ONE]
    assert (session.reason, session.ended_at) == ("consent", desk.now)
    question = desk.state.questions[number]
    # Offered at once: her tutor is free, and it is written help now.
    assert (question.wish, question.state) == ("written", "offered")
    shown = page(desk, ANNE)
    assert shown.session is None
    assert not shown.may_be_recorded
    tell(desk, ANNE)
    assert page(desk, ANNE).may_be_recorded
    assert question.wish == "written"


def test_a_small_class_goes_on_without_her() -> None:
    desk = evening(tutors=1)
    number = desk.ask(ANNE, shared=True)
    desk.do(c.RefuseOffer(number), TUTOR)
    desk.do(c.FollowQuestion(number), BEN)
    desk.wait(60)
    desk.do(c.AcceptOffer(number), TUTOR)
    desk.do(c.StartSession(number, "one_to_many"), TUTOR)
    assert desk.state.sessions[ONE].present == [ANNE.person, BEN.person]
    tell(desk, BEN, recorded=False)
    assert desk.state.sessions[ONE].present == [ANNE.person]
    assert desk.state.pupils[BEN.person].active is None
    tell(desk, ANNE, recorded=False)
    assert desk.state.sessions[ONE].ended_at is None
    question = desk.state.questions[number]
    assert (question.state, question.wish) == ("queued", "written")


@pytest.mark.parametrize("claimed", [False, True])
def test_a_question_in_a_tutor_s_hands_comes_back_and_is_written(claimed: bool) -> None:
    desk = evening(tutors=1)
    number = desk.ask(ANNE)
    if claimed:
        desk.do(c.AcceptOffer(number), TUTOR)
    before = len(desk.log)
    tell(desk, ANNE, recorded=False)
    events = [event for event, _ in desk.log[before:]]
    assert isinstance(events[0], ConsentChanged)
    assert any(isinstance(one, QuestionReturned) for one in events) == claimed
    assert desk.state.questions[number].wish == "written"
    assert desk.offered() == {number: TUTOR.person}
    assert desk.state.tutors[TUTOR.person].passes == 0


def test_without_consent_to_the_desk_she_has_no_question() -> None:
    desk = evening(tutors=1)
    number = desk.ask(ANNE)
    desk.do(c.AcceptOffer(number), TUTOR)
    desk.do(c.StartSession(number), TUTOR)
    tell(desk, ANNE, consented=False)
    assert desk.state.sessions[ONE].reason == "consent"
    assert desk.state_of(number) == "withdrawn"
    shown = page(desk, ANNE)
    assert (shown.consented, shown.question, shown.session) == (False, None, None)
    assert code_of(desk, c.AskQuestion("maths", "stored-1"), ANNE) == "consent_needed"
    tell(desk, ANNE)
    desk.ask(ANNE)


def test_a_word_about_photos_changes_her_page_only() -> None:
    desk = evening(tutors=0)
    number = desk.ask(ANNE)
    assert page(desk, ANNE).may_send_media
    tell(desk, ANNE, media=False)
    assert not page(desk, ANNE).may_send_media
    assert desk.state_of(number) == "queued"
    seq = desk.state.seq
    tell(desk, ANNE, media=False)
    tell(desk, PUPILS[5], recorded=False)
    assert desk.state.seq == seq
