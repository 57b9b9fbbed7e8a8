"""Where a question comes from: as an id, and who is shown it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.desk import MODERATOR, OPENS, PUPILS, TUTORS, Evenings, duty, evening, plan
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk import snapshot
from twinclass_signaling.desk.origins import MAX_SECOND, Moment, moment_of, origin_of
from twinclass_signaling.desk.plan import ID_PATTERN, Id
from twinclass_signaling.desk.view_types import ModeratorView, PupilView, TutorView
from twinclass_signaling.desk.views import view

ANNE, BEN, CARL = PUPILS[:3]
TUTOR = TUTORS[0]
ORIGIN = "lesson.750.demo-1795460248"


@given(
    st.from_regex(ID_PATTERN.replace("$", r"\Z"), fullmatch=True),
    st.none() | st.integers(0, MAX_SECOND),
)
def test_an_origin_says_what_it_was_made_of_and_fits_the_wire(
    identifier: str, second: int | None
) -> None:
    moment = Moment(identifier, second)
    origin = origin_of(moment)
    if origin is None:
        assert len(identifier) > 64 - len("lesson.86400.")
        return
    assert msgspec.convert(origin, Id) == origin
    assert moment_of(origin) == moment


@pytest.mark.parametrize(
    "origin", ["", "chapter-7", "lesson.7", "lesson.x.demo", "lesson.-5.demo", "lesson.1.", "a.1.b"]
)
def test_other_origins_are_no_moment_of_a_lesson(origin: str) -> None:
    assert moment_of(origin) is None


def shown(desk: Evenings, who: c.Actor) -> object:
    return view(desk.state, who, {}, desk.now)


def test_asker_tutor_and_moderator_are_shown_it_and_no_other_pupil() -> None:
    desk = Evenings(plan([duty(who.person) for who in TUTORS], needs_approval=True))
    desk.arrive(TUTOR, ANNE, BEN, MODERATOR)
    number = desk.ask(ANNE, origin=ORIGIN, shared=True)
    checked = shown(desk, MODERATOR)
    assert isinstance(checked, ModeratorView)
    assert checked.to_approve[0].origin == ORIGIN
    desk.do(c.PauseDuty(), TUTOR)
    desk.do(c.ApproveQuestion(number), MODERATOR)
    desk.do(c.TellBank(number))
    desk.do(c.FollowQuestion(number), BEN)
    desk.do(c.PauseDuty(on=False), TUTOR)
    offered = shown(desk, TUTOR)
    assert isinstance(offered, TutorView)
    assert offered.offer is not None
    assert offered.offer.origin == ORIGIN
    for pupil, expected in ((ANNE, ORIGIN), (BEN, None)):
        page = shown(desk, pupil)
        assert isinstance(page, PupilView)
        assert page.question is not None
        assert page.question.origin == expected


def test_followers_have_the_answer_among_what_is_done() -> None:
    desk = evening(tutors=0)
    number = desk.ask(ANNE, shared=True)
    desk.do(c.FollowQuestion(number), BEN)
    desk.arrive(TUTOR)
    desk.do(c.AcceptOffer(number), TUTOR)
    desk.do(c.AnswerQuestion(number, "answer-1"), TUTOR)
    for pupil, is_own in ((ANNE, True), (BEN, False)):
        page = shown(desk, pupil)
        assert isinstance(page, PupilView)
        [done] = page.done
        assert (done.answer, done.is_own) == ("answer-1", is_own)
        assert (done.may_rate, done.may_reopen) == (is_own, is_own)
    nobody = shown(desk, CARL)
    assert isinstance(nobody, PupilView)
    assert nobody.done == ()
    assert snapshot.copy(desk.state).index.followed == desk.state.index.followed
    assert desk.now >= OPENS


def test_who_stopped_following_hears_nothing() -> None:
    desk = evening(tutors=0)
    number = desk.ask(ANNE, shared=True)
    desk.do(c.FollowQuestion(number), BEN)
    desk.do(c.WithdrawQuestion(number), BEN)
    desk.arrive(TUTOR)
    desk.do(c.AcceptOffer(number), TUTOR)
    desk.do(c.AnswerQuestion(number, "answer-1"), TUTOR)
    page = shown(desk, BEN)
    assert isinstance(page, PupilView)
    assert page.done == ()
