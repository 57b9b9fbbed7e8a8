"""Like questions of an evening, on the real stores of both databases."""

from __future__ import annotations

from datetime import timedelta

from hosting.desk import PUPILS, Evenings, evening
from server.desk.content.kept import DESK, EVENING, Kept
from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.desk.consent_watch import ConsentWatch
from twinclass_server.desk.content.audit import Doer
from twinclass_server.desk.content.consents import MAX_SAID
from twinclass_server.desk.content.for_evenings import KeptSchool
from twinclass_server.desk.like_questions import LikeQuestions
from twinclass_server.roster.models import Person, RecordingConsent
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.commands import Actor
from twinclass_signaling.desk.plan import DeskId
from twinclass_signaling.desk.plan import QuestionId as Q
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import DeskClaims

ANNE, BEN, CARL, DORA = PUPILS[:4]
SAME = ("解方程 x^2-5x+6=0，怎么因式分解？", "老师，x^2-5x+6=0 这个方程怎么解")
TONIGHT = EveningId(DeskId(DESK), EVENING)
GUARDIAN = Doer("guardian", Role.GUARDIAN, DESK)


def school(kept: Kept) -> KeptSchool:
    return KeptSchool(kept.database, kept.store, {})


def ask(kept: Kept, desk: Evenings, who: Actor, text: str, subject: str = "maths") -> Q:
    content = kept.store.contents.add(kept.author(who.person), text, [], None)
    desk.do(c.AskQuestion(subject, content), who)
    number = Q(len(desk.state.questions))
    desk.do(c.TellBank(number))
    return number


async def test_open_questions_of_one_queue_are_compared_by_what_is_written(
    both: list[Kept],
) -> None:
    for kept in both:
        desk = evening(tutors=0, pupils=4)
        like = LikeQuestions(TONIGHT, school(kept), lambda state=desk.state: state)  # type: ignore[misc]
        first = ask(kept, desk, ANNE, SAME[0])
        assert await like.of(first) == ()
        physics = ask(kept, desk, CARL, SAME[0], "physics")
        second = ask(kept, desk, BEN, SAME[1])
        assert await like.of(second) == (first,)
        assert await like.of(physics) == ()
        # Another server that takes over knows as much.
        again = LikeQuestions(TONIGHT, school(kept), lambda state=desk.state: state)  # type: ignore[misc]
        assert await again.of(second) == (first,)
        third = ask(kept, desk, DORA, SAME[0])
        assert await like.of(third) == (first, second)
        desk.do(c.WithdrawQuestion(first), ANNE)
        assert await like.of(third) == (second,)
        # What is written has gone: nothing to compare.
        kept.store.contents.forget_author(BEN.person, media_only=False)
        kept.now += timedelta(seconds=1)
        again = LikeQuestions(TONIGHT, school(kept), lambda state=desk.state: state)  # type: ignore[misc]
        assert await again.of(third) == ()


async def test_a_pupil_is_known_with_what_her_guardian_agrees_to(both: list[Kept]) -> None:
    for kept in both:
        claims = DeskClaims("pupil-1", Role.PUPIL, DESK, kept.second() + 60, kept.second(), grade=7)
        about = await school(kept).about(claims)
        assert (about.consented, about.recorded, about.media) == (False, False, True)
        say = kept.store.consents.say
        for kind in ("desk", "recording", "photo"):
            say(GUARDIAN, "pupil-1", kind, given=True)
        say(GUARDIAN, "pupil-1", "recording", given=False)
        about = await school(kept).about(claims)
        assert (about.consented, about.recorded, about.media) == (True, False, True)
        say(GUARDIAN, "pupil-1", "photo", given=False)
        say(GUARDIAN, "pupil-1", "recording", given=True)
        about = await school(kept).about(claims)
        assert (about.consented, about.recorded, about.media) == (True, True, False)


async def test_a_school_s_paper_goes_before_what_is_said_here(both: list[Kept]) -> None:
    for kept in both:
        consents, today = kept.store.consents, kept.now.date()
        with kept.database.session() as session:
            child = Person(id="pupil-9", sourced_id="pupil-9", name="示例", school_id=None)
            child.date_last_modified = kept.now
            session.add(child)
            session.flush()
            session.add(
                RecordingConsent(
                    person_id="pupil-9",
                    given_on=today,
                    given_by="示例家长",
                    withdrawn_at=today,
                    date_last_modified=kept.now,
                )
            )
        assert not consents.allowed("pupil-9", 9).recorded
        consents.say(GUARDIAN, "pupil-9", "recording", given=True)
        assert consents.allowed("pupil-9", 7).recorded


async def test_what_guardians_say_is_told_wherever_it_was_said(both: list[Kept]) -> None:
    for kept in both:
        say = kept.store.consents.say
        told: list[str] = []

        async def tell(child: str, told: list[str] = told) -> None:
            told.append(child)

        say(GUARDIAN, "pupil-1", "desk", given=True)
        watch = ConsentWatch(kept.store.consents.said, tell)
        await watch.look()
        assert told == [], "before anybody was here"
        say(GUARDIAN, "pupil-2", "desk", given=True)
        say(GUARDIAN, "pupil-1", "desk", given=False)
        await watch.look()
        assert told == ["pupil-2", "pupil-1"]
        await watch.look()
        await watch.look()
        assert told == ["pupil-2", "pupil-1"] * 2, "twice each, and no more"
        assert len(kept.store.consents.said(0)) == 3 <= MAX_SAID
