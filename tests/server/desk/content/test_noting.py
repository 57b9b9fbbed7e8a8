"""An evening of the real core, written down from its log: once, whatever is told twice."""

from __future__ import annotations

from datetime import date

from hosting.desk import MODERATOR, OFFICER, PUPILS, TUTORS, Evenings, duty, evening, plan
from server.desk.content.kept import DESK, EVENING, Kept
from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.desk.content import models
from twinclass_server.desk.content.audit import Doer
from twinclass_server.desk.content.for_evenings import KeptSchool
from twinclass_server.desk.content.noting import Noting
from twinclass_server.desk.journal import DeskStep
from twinclass_server.roster.csv_bundle import SAMPLE, from_folder
from twinclass_server.roster.csv_import import import_bundle
from twinclass_server.roster.models import Enrolment
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.plan import CaseNumber, DeskId
from twinclass_signaling.desk.plan import QuestionId as Q
from twinclass_signaling.desk.plan import SessionNumber as S
from twinclass_signaling.ids import EventSeq, PersonId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import DeskClaims


def steps_of(evenings: Evenings) -> list[DeskStep]:
    return [DeskStep(EventSeq(seq), at, event) for seq, (event, at) in enumerate(evenings.log, 1)]


def tell(kept: Kept, evenings: Evenings) -> None:
    """Tells all, twice in whole and once in pieces, as servers do that die in between."""
    noting = Noting(kept.database, kept.store)
    steps = steps_of(evenings)
    for some in (steps, *([step] for step in steps), steps):
        noting.note(DESK, EVENING, evenings.state, some, {TUTORS[0].person: "示例老师"})
    assert noting.noted(DESK, EVENING) == len(steps)


def ask_live(desk: Evenings, content: str, minutes: float, stars: int | None = None) -> Q:
    """A question of the first pupil, helped live by whoever is offered it."""
    desk.do(c.AskQuestion("maths", content), PUPILS[0])
    question = Q(len(desk.state.questions))
    desk.do(c.TellBank(question))
    who = next(one for one in TUTORS if one.person == desk.offered()[question])
    desk.do(c.AcceptOffer(question), who)
    desk.do(c.StartSession(question), who)
    desk.wait(minutes * 60)
    desk.do(c.EndSession(S(len(desk.state.sessions))), who)
    if stars is not None:
        desk.do(c.RateQuestion(question, stars, stars, stars), PUPILS[0])
    return question


async def test_live_help_is_paid_rated_and_told_once(both: list[Kept]) -> None:
    for kept in both:
        desk = evening(tutors=1, pupils=1)
        ask_live(desk, "c-1", 8)
        ask_live(desk, "c-2", 9, stars=2)
        ask_live(desk, "c-3", 9.5, stars=0)
        tell(kept, desk)
        lines = kept.store.ledger.of_evening("tutor-1", DESK, EVENING)
        assert [(line.kind, line.points) for line in lines] == [
            ("earn", 8), ("earn", 9), ("earn", 10), ("reverse", -10), ("earn", 8),
        ]  # fmt: skip
        sessions = kept.store.helps.of_children(["pupil-1"])
        assert [(one.ended_at - one.started_at).seconds for one in sessions if one.ended_at] == [
            570, 540, 480,
        ]  # fmt: skip
        assert {one.tutor_name for one in sessions} == {"示例老师"}, "in no roster"
        assert kept.store.helps.met_this_week("tutor-1", "pupil-1") == 3
        with kept.database.session() as session:
            assert session.query(models.Rating).count() == 2


async def test_time_without_pupils_is_no_help(kept: Kept) -> None:
    desk = evening(tutors=1, pupils=2)
    desk.do(c.OpenSession("maths", 7), TUTORS[0])
    desk.wait(600)
    desk.do(c.JoinSession(S(1)), PUPILS[0])
    desk.do(c.JoinSession(S(1)), PUPILS[1])
    desk.wait(600)
    desk.do(c.LeaveSession(S(1)), PUPILS[0])
    desk.do(c.LeaveSession(S(1)), PUPILS[1])
    desk.wait(300)
    desk.do(c.EndSession(S(1)), TUTORS[0])
    tell(kept, desk)
    [line] = kept.store.ledger.of_evening("tutor-1", DESK, EVENING)
    assert (line.points, line.seconds) == (15, 600), "ten minutes of two, at 1.5 a minute"


async def test_a_written_answer_is_paid_and_proposed_and_its_content_ends(kept: Kept) -> None:
    desk = evening(tutors=1, pupils=1)
    asked = await kept.content(text="移项为什么要变号？")
    answer = await kept.content(kept.tutor(), text="两边同时减去它。")
    desk.do(c.AskQuestion("maths", asked, wish="written"), PUPILS[0])
    desk.do(c.TellBank(Q(1)))
    desk.do(c.AcceptOffer(Q(1)), TUTORS[0])
    desk.do(c.AnswerQuestion(Q(1), answer), TUTORS[0])
    desk.do(c.ResolveQuestion(Q(1)), PUPILS[0])
    tell(kept, desk)
    [line] = kept.store.ledger.of_evening("tutor-1", DESK, EVENING)
    assert (line.help, line.points, line.number) == ("written", 3, 1)
    [proposal] = kept.store.bank_desk.proposals(DESK)
    assert (proposal.question.text, proposal.answer.text) == (
        "移项为什么要变号？", "两边同时减去它。",
    )  # fmt: skip
    kept.wait(days=8)
    assert kept.store.contents.get(asked) is None


async def test_a_question_of_tomorrow_comes_back_with_its_second(both: list[Kept]) -> None:
    for kept in both:
        desk = evening(tutors=0, pupils=1)
        asked = await kept.content(text="明天再问")
        desk.do(c.AskQuestion("maths", asked, points=("equation",)), PUPILS[0])
        desk.do(c.TellBank(Q(1)))
        asked_at = desk.state.questions[Q(1)].asked_at
        desk.wait(301)
        desk.do(c.ChooseOnLadder(Q(1), "tomorrow"), PUPILS[0])
        tell(kept, desk)
        school = KeptSchool(kept.database, kept.store, {DeskId(DESK): plan()})
        assert await school.carried(EveningId(DeskId(DESK), EVENING)) == []
        assert await school.carried(EveningId(DeskId("grade-8"), "2026-11-24")) == []
        for day, count in (("2026-11-24", 1), ("2026-11-24", 1), ("2026-11-25", 0)):
            found = await school.carried(EveningId(DeskId(DESK), day))
            assert len(found) == count, day
        kept.wait(days=9)
        assert kept.store.contents.get(asked) is not None, "it waits with its question"
        [fact] = await school.carried(EveningId(DeskId(DESK), "2026-11-24"))
        assert (fact.pupil, fact.grade, fact.asked_at) == ("pupil-1", 7, asked_at)
        assert (fact.question.content, fact.question.points) == (asked, ("equation",))


async def test_a_report_is_kept_with_what_became_of_it(both: list[Kept]) -> None:
    for kept in both:
        desk = evening(tutors=1, pupils=1)
        desk.do(c.AskQuestion("maths", "c-1"), PUPILS[0])
        desk.do(c.TellBank(Q(1)))
        desk.do(c.AcceptOffer(Q(1)), TUTORS[0])
        desk.do(c.StartSession(Q(1)), TUTORS[0])
        desk.do(c.ReportSafety(session=S(1)), PUPILS[0])
        tell(kept, desk)
        [case] = kept.store.cases.all(DESK)
        assert (case.report.reporter, case.report.reporter_role) == ("pupil-1", "pupil")
        assert (case.report.tutor, case.report.session) == ("tutor-1", 1)
        assert kept.store.cases.is_held(DESK, EVENING, 1)
        desk.do(c.EnterSession(S(1)), MODERATOR)
        desk.do(c.CloseCase(CaseNumber(1), "escalated"), OFFICER)
        tell(kept, desk)
        [case] = kept.store.cases.all(DESK)
        assert (case.report.outcome, case.report.closed_by) == ("escalated", "officer")
        assert case.report.taken_by == "moderator"
        assert kept.store.cases.is_held(DESK, EVENING, 1)


async def test_a_pair_that_met_often_is_written_down_once(kept: Kept) -> None:
    desk = evening(tutors=1, pupils=1)
    desk.do(c.AskQuestion("maths", "c-1"), PUPILS[0])
    desk.do(c.TellBank(Q(1)))
    desk.do(c.AcceptOffer(Q(1)), TUTORS[0])
    desk.do(c.StartSession(Q(1)), TUTORS[0])
    desk.do(c.TellPair(S(1), 3))
    tell(kept, desk)
    [line] = [one for one in kept.store.audit.of(DESK) if one.act == "pair_met_often"]
    assert (line.about, line.note) == (f"session/{DESK}/{EVENING}/1", "3 in seven days")


async def test_an_evening_takes_roster_consent_and_teachers_from_sql(kept: Kept) -> None:
    import_bundle(kept.database, from_folder(SAMPLE))
    with kept.database.session() as session:
        pupil = session.query(Enrolment).filter_by(role="pupil").first()
        assert pupil is not None
        teachers = {
            one.person_id
            for one in session.query(Enrolment).filter_by(role="teacher", class_id=pupil.class_id)
        }
    assert teachers
    school = KeptSchool(kept.database, kept.store, {DeskId(DESK): plan()})
    monday = EveningId(DeskId(DESK), EVENING)
    assert await school.plan(EveningId(DeskId("unknown"), EVENING)) is None
    found = await school.plan(monday)
    assert found is not None
    assert found.roster == ()
    planner = Doer("planner", Role.DUTY_PLANNER, DESK)
    kept.store.rosters.put(planner, "0", [duty("tutor-1")])
    found = await school.plan(monday)
    assert found is not None
    assert found.roster == (duty("tutor-1"),)
    claims = DeskClaims(pupil.person_id, Role.PUPIL, DESK, 2e9, 1, grade=7)
    about = await school.about(claims)
    assert (about.consented, set(about.teachers)) == (False, teachers)
    guardian = Doer("guardian", Role.GUARDIAN, DESK)
    kept.store.consents.say(guardian, pupil.person_id, "desk", given=True)
    assert (await school.about(claims)).consented
    stored = await kept.content(text="?")
    assert await school.wrote(monday, PersonId("pupil-1"), stored)
    assert not await school.wrote(monday, PersonId("pupil-2"), stored)
    assert date.fromisoformat(monday.day).weekday() == 0


async def test_a_step_that_is_refused_does_not_stop_the_evening(kept: Kept) -> None:
    desk = evening(tutors=1, pupils=1)
    ask_live(desk, "c-1", 8)
    noting = Noting(kept.database, kept.store)
    # An evening whose name has no term: nothing of it can be paid.
    noting.note(DESK, "no-evening", desk.state, steps_of(desk))
    assert noting.noted(DESK, "no-evening") == len(desk.log)
