"""The lesson's tools through the front door: real WebSockets, real Redis, no media.

Scenarios of a lesson at small size, their signalling part; what pages show is what ``tool``
messages say.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest

from hosting.page import Page, token
from hosting.running import Running, running_server
from hosting.tools import CHILDREN, ROOM_1, ROOM_2, plan_with
from light.ports import free_port
from twinclass_signaling import tool_views as v
from twinclass_signaling.ids import LessonId, ParticipantId, PersonId
from twinclass_signaling.ink_messages import Ink, InkDrawn, InkPage
from twinclass_signaling.lesson.events import CalledOn, LessonEvent, StageEntered
from twinclass_signaling.lesson.talk_events import TeachingChanged
from twinclass_signaling.lesson.visibility import STAFF_ONLY
from twinclass_signaling.messages import (
    Ack,
    Authenticate,
    CallOn,
    Command,
    Error,
    Event,
    Fenced,
    Goodbye,
    OpenLesson,
    Resume,
    ServerMessage,
    Tool,
    Welcome,
)
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import (
    AnswerPulse,
    AnswerQuiz,
    AttachSlides,
    CallNext,
    ClearInk,
    MarkAttendance,
    OpenQuiz,
    RaiseHand,
    ReleaseQuiz,
    Remove,
    RollCall,
    SendNote,
    SendPulse,
    StartCountdown,
    TakeOver,
    TallyQuiz,
    TurnSlide,
)

PORTS = free_port(19)
FOUR = OpenQuiz("single", "选哪个？", ("甲", "乙", "丙", "丁"), (0,))
View = TypeVar("View", bound=v.ToolView)


class Class:
    """Pages of one lesson and the tokens to come back with."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.keys: dict[str, str] = {}
        self.pages: dict[str, Page] = {}
        self.welcomes: dict[str, Welcome] = {}

    async def enter(self, name: str, role: Role, room: str | None = None) -> Page:
        self.keys[name] = token(self.server.keys, role, name, room=room, name=f"示例 {name}")
        page, welcome = await Page.enter(self.server.port, self.keys[name])
        self.pages[name], self.welcomes[name] = page, welcome
        return page

    def __getitem__(self, name: str) -> Page:
        return self.pages[name]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_server(tmp_path / "data", PORTS) as found:
        assert found.server.lessons is not None
        await found.server.lessons.create(LessonId("algebra"), plan_with())
        yield found


@pytest.fixture
async def lesson(server: Running) -> Class:
    found = Class(server)
    await found.enter("lead", Role.LEAD)
    await found.enter("co", Role.CO_LEAD)
    for number in (1, 2):
        await found.enter(f"room-{number}", Role.ROOM)
        await found.enter(f"helper-{number}", Role.ASSISTANT, f"room-{number}")
    await found.enter("home-1", Role.HOME_LEARNER, "room-1")
    await found.enter("home-2", Role.HOME_LEARNER, "room-2")
    await found.enter("point", Role.HOME_GROUP, "room-1")
    await found.enter("watcher", Role.OBSERVER)
    await done(found["lead"], OpenLesson())
    return found


async def done(page: Page, command: object) -> None:
    answer = await page.command(command)  # type: ignore[arg-type]
    assert isinstance(answer, Ack), answer


async def refused(page: Page, command: object) -> str:
    answer = await page.command(command)  # type: ignore[arg-type]
    assert isinstance(answer, Error), answer
    assert answer.text.zh
    assert answer.text.en
    return answer.code


async def shows(page: Page, kind: type[View], *, within_s: float = 5.0) -> View:
    """The next view of a tool that this page is sent."""
    async with asyncio.timeout(within_s):
        while True:
            message = await page.wait_for(Tool)
            if isinstance(message.view, kind):
                return message.view


def told(page: Page) -> list[LessonEvent]:
    return [message.event for message in page.seen if isinstance(message, Event)]


async def settle(page: Page) -> None:
    """Reads what has come."""
    try:
        async with asyncio.timeout(0.5):
            while True:
                await page.receive()
    except TimeoutError:
        pass


async def test_scenario_3_a_child_of_a_home_group_is_called_and_answers_for_herself(
    lesson: Class,
) -> None:
    await done(lesson["point"], RaiseHand(children=CHILDREN[:3]))
    hands = await shows(lesson["lead"], v.HandsView)
    assert [(hand.participant, hand.count) for hand in hands.hands] == [("point", 3)]
    await done(lesson["lead"], CallOn(ParticipantId("point"), CHILDREN[1]))
    assert (await lesson["point"].wait_event(CalledOn)).child == CHILDREN[1]
    await lesson["room-2"].wait_event(StageEntered)
    assert (await shows(lesson["lead"], v.HandsView)).hands == ()
    await done(lesson["lead"], FOUR)
    for number, child in enumerate(CHILDREN):
        await done(lesson["point"], AnswerQuiz(1, (number % 2,), child=child))
    await settle(lesson["lead"])
    seen = [m.view for m in lesson["lead"].seen if isinstance(m, Tool)]
    question = [view for view in seen if isinstance(view, v.QuizzesView)][-1].current
    assert question is not None
    assert question.totals == (3, 2, 0, 0)
    children = lesson.welcomes["point"].lesson.tools.attendance.pupils
    assert [child.name for child in children] == [f"示例同学 {n}" for n in range(1, 6)]


async def test_scenario_5_the_next_fair_room_is_called(lesson: Class) -> None:
    await done(lesson["helper-2"], RaiseHand(4))
    await done(lesson["lead"], CallNext())
    assert (await lesson["room-1"].wait_event(StageEntered)).participant == "room-2"
    await done(lesson["lead"], CallNext())
    assert (await lesson["room-1"].wait_event(StageEntered)).participant == "room-1"
    assert await refused(lesson["lead"], CallNext()) == "nobody_waits"
    await settle(lesson["room-2"])
    log = [str(type(event).__struct_config__.tag) for event in told(lesson["room-2"])]
    assert log.index("hand_raised") < log.index("called_on") < log.index("stage_enter")


async def test_scenario_6_rooms_without_devices_tell_four_numbers(lesson: Class) -> None:
    await done(lesson["helper-1"], RollCall(absent=(PersonId("pupil-1"),)))
    await done(lesson["helper-2"], RollCall(present=40))
    await done(lesson["lead"], FOUR)
    quiz = await shows(lesson["helper-2"], v.QuizzesView)
    assert quiz.current is not None
    assert quiz.current.missing == (ROOM_1, ROOM_2)
    assert await refused(lesson["helper-2"], TallyQuiz(1, (40, 3, 0, 0))) == (
        "tally_exceeds_presence"
    )
    await settle(lesson["lead"])
    await done(lesson["helper-2"], TallyQuiz(1, (20, 10, 5, 1)))
    quiz = await shows(lesson["lead"], v.QuizzesView)
    assert quiz.current is not None
    assert quiz.current.missing == (ROOM_1,)
    assert [bar.warning for bar in quiz.current.bars if bar.room == ROOM_2] == [True]
    await done(lesson["home-1"], AnswerQuiz(1, (3,)))
    await done(lesson["lead"], ReleaseQuiz(1))
    while True:
        seen = (await shows(lesson["home-2"], v.QuizzesView)).current
        assert seen is not None
        assert seen.bars == ()
        if seen.state == "released":
            assert (seen.totals, seen.correct) == ((20, 10, 5, 2), (0,))
            break
        assert (seen.totals, seen.correct, seen.answers) == ((), (), ())


async def test_scenario_7_signals_and_notes_reach_staff_and_no_pupil(lesson: Class) -> None:
    await done(lesson["helper-1"], SendPulse("cannot_hear"))
    rail = await shows(lesson["lead"], v.BackchannelView)
    assert [(total.kind, total.rooms) for total in rail.sums] == [("cannot_hear", (ROOM_1,))]
    await done(lesson["helper-2"], SendNote("三班网络不稳"))
    await done(lesson["lead"], AnswerPulse("cannot_hear"))
    while True:
        rail = await shows(lesson["helper-1"], v.BackchannelView)
        if rail.pulses and rail.pulses[0].answered_by == "lead":
            break
    await done(lesson["lead"], SendNote("你班准备上台", to=ROOM_1))
    for name in ("room-1", "room-2", "home-1", "home-2", "point", "watcher"):
        page = lesson[name]
        await settle(page)
        kinds = {str(type(event).__struct_config__.tag) for event in told(page)}
        assert not kinds & STAFF_ONLY, name
        assert not any(
            isinstance(message, Tool) and isinstance(message.view, v.BackchannelView)
            for message in page.seen
        )
    await settle(lesson["helper-2"])
    notes = [m.view for m in lesson["helper-2"].seen if isinstance(m, Tool)]
    last = [view for view in notes if isinstance(view, v.BackchannelView)][-1]
    assert [note.text for note in last.notes] == ["三班网络不稳"]


async def test_scenario_10_the_co_lead_takes_over_when_the_lead_s_studio_goes_dark(
    lesson: Class,
) -> None:
    await lesson["lead"].drop()
    while (await shows(lesson["co"], v.TeachingView)).offer is None:
        pass
    away = await shows(lesson["room-1"], v.TeachingView)
    assert away.away_since is not None
    assert away.offer is None
    await done(lesson["co"], TakeOver())
    assert (await lesson["home-1"].wait_event(TeachingChanged)).participant == "co"
    wanted = lesson.server.media.wanted[lesson.welcomes["room-1"].session]
    leads = {slot.index: slot.participant for slot in wanted if slot.use == "lead"}
    assert leads == {0: "co", 1: "lead"}
    seqs = [message.seq for message in lesson["co"].seen if isinstance(message, Event)]
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    back, welcome = await Page.enter(lesson.server.port, lesson.keys["lead"])
    assert welcome.lesson.tools.teaching.participant == "co"
    # The timer may be as quick as the Welcome: then it brings the offer along.
    offer = welcome.lesson.tools.teaching.offer
    while offer is None:
        offer = (await shows(back, v.TeachingView)).offer
    assert (offer.to, offer.reason) == (("lead",), "returned")


async def test_scenario_11_a_pupil_who_arrives_is_moved_and_counted_once(lesson: Class) -> None:
    await done(lesson["helper-1"], RollCall())
    await done(lesson["lead"], FOUR)
    await done(lesson["home-1"], AnswerQuiz(1, (0,)))
    await done(lesson["helper-1"], MarkAttendance(PersonId("home-1"), "in_room"))
    assert (await lesson["home-1"].wait_for(Goodbye)).reason == "arrived"
    assert await lesson["home-1"].wait_closed() == 4409
    again = await Page.open(lesson.server.port)
    await again.send(Authenticate(lesson.keys["home-1"]))
    assert (await again.wait_for(Error)).code == "arrived"
    await done(lesson["helper-1"], TallyQuiz(1, (9, 0, 0, 0)))
    await settle(lesson["lead"])
    views = [m.view for m in lesson["lead"].seen if isinstance(m, Tool)]
    question = [view for view in views if isinstance(view, v.QuizzesView)][-1].current
    assert question is not None
    assert question.totals == (9, 0, 0, 0)
    classes = [view for view in views if isinstance(view, v.AttendanceView)][-1].classes
    counted = next(one for one in classes if one.room == ROOM_1)
    assert (counted.in_room, counted.home) == (9, 5)


async def test_hand_role_and_answers_outlive_a_lost_line_and_a_crashed_page(
    lesson: Class,
) -> None:
    await done(lesson["lead"], FOUR)
    await done(lesson["home-1"], AnswerQuiz(1, (2,)))
    await done(lesson["home-1"], RaiseHand())
    before = lesson.welcomes["home-1"]
    await lesson["home-1"].drop()
    resume = Resume(before.session, before.secret)
    _, back = await Page.enter(lesson.server.port, lesson.keys["home-1"], resume)
    assert back.resumed
    assert [hand.participant for hand in back.lesson.tools.hands.hands] == ["home-1"]
    assert back.lesson.tools.quiz.current is not None
    assert [answer.choices for answer in back.lesson.tools.quiz.current.answers] == [(2,)]
    await lesson["lead"].drop()
    _, lead = await Page.enter(lesson.server.port, lesson.keys["lead"])
    assert lead.lesson.tools.teaching.participant == "lead"
    assert lead.lesson.tools.quiz.current is not None
    assert lead.lesson.tools.quiz.current.totals == (0, 0, 1, 0)


async def test_timers_of_the_lesson_run_in_the_server(lesson: Class) -> None:
    await done(lesson["lead"], StartCountdown(1, "独立思考"))
    assert (await shows(lesson["room-1"], v.WorkView)).countdown is not None
    assert (await shows(lesson["room-1"], v.WorkView)).countdown is None


async def test_a_room_has_one_sound_and_a_second_device_is_its_companion(
    server: Running, lesson: Class
) -> None:
    spare = await Page.open(server.port)
    await spare.send(Authenticate(lesson.keys["room-1"], companion=True))
    welcome = await spare.wait_for(Welcome)
    assert (welcome.companion, welcome.participant) == (True, "room-1.c1")
    assert (welcome.may_publish, welcome.may_command, welcome.name) == ((), (), "七(1)班")
    assert await refused(spare, RaiseHand(1)) == "forbidden"
    assert (await shows(lesson["lead"], v.SoundView)).companions == ("room-1.c1",)
    sound = [s for s in server.media.wanted[welcome.session] if s.source == "microphone"]
    assert sound == []
    assert lesson.welcomes["lead"].lesson.counts.rooms_expected == 3
    taking, now = await Page.enter(server.port, lesson.keys["room-1"])
    assert not now.companion
    await lesson["room-1"].wait_for(Fenced)
    await spare.drop()
    resumed = await Page.open(server.port)
    resume = Resume(welcome.session, welcome.secret)
    await resumed.send(Authenticate(lesson.keys["room-1"], resume=resume, companion=True))
    back = await resumed.wait_for(Welcome)
    assert (back.participant, back.resumed) == ("room-1.c1", True)
    await taking.close()


async def test_who_is_removed_is_told_and_stays_out(lesson: Class) -> None:
    await done(lesson["lead"], Remove(ParticipantId("home-2")))
    assert (await lesson["home-2"].wait_for(Goodbye)).reason == "removed"
    again = await Page.open(lesson.server.port)
    await again.send(Authenticate(lesson.keys["home-2"]))
    error = await again.wait_for(Error)
    assert (error.code, error.fatal) == ("removed", True)
    assert await again.wait_closed() == 4403


async def test_ink_is_seen_at_once_and_by_who_comes_late(server: Running, lesson: Class) -> None:
    stroke = Ink("doc-1", 3, "a", (1, 2, 3, 4))
    await lesson["lead"].send(stroke)
    assert (await lesson["lead"].wait_for(Error)).code == "no_page"
    await done(lesson["lead"], AttachSlides("doc-1", 24, "ab" * 32, "有理数"))
    await done(lesson["lead"], TurnSlide("doc-1", 3))
    await lesson["lead"].send(stroke)
    await lesson["lead"].send(Ink("doc-1", 3, "a", (5, 6)))
    drawn = await lesson["room-1"].wait_for(InkDrawn)
    assert (drawn.page, drawn.stroke.points) == (3, (1, 2, 3, 4))
    await lesson["room-1"].wait_for(InkDrawn)
    await lesson["home-1"].send(stroke)
    assert (await lesson["home-1"].wait_for(Error)).code == "forbidden"
    late = await lesson.enter("home-3", Role.HOME_LEARNER, "room-1")
    assert (await late.wait_for(InkPage)).strokes[0].points == (1, 2, 3, 4, 5, 6)
    await asyncio.sleep(1.3)  # Written behind by the host's tick.
    assert server.server.lessons is not None
    log_types = {str(type(event).__struct_config__.tag) for event in told(late)}
    assert "ink" not in log_types
    await done(lesson["lead"], ClearInk("doc-1", 3))
    assert (await late.wait_for(InkPage)).strokes == ()


# ---- bad input ----------------------------------------------------------------------------


async def test_a_flood_of_hands_is_stopped_and_costs_nobody_else(lesson: Class) -> None:
    page = lesson["home-1"]
    for number in range(60):
        await page.send(Command(100 + number, RaiseHand()))
    refusals = 0
    answers: list[ServerMessage] = []
    while len(answers) < 60:
        answer = await page.receive()
        if isinstance(answer, Ack | Error):
            answers.append(answer)
            refusals += isinstance(answer, Error) and answer.code == "rate_limited"
    assert refusals >= 50
    await done(lesson["home-2"], RaiseHand())


async def test_a_flood_of_signals_is_stopped(lesson: Class) -> None:
    codes = []
    for kind in ("slower", "faster") * 10:
        answer = await lesson["helper-1"].command(SendPulse(kind))  # type: ignore[arg-type]
        codes.append(answer.code if isinstance(answer, Error) else "")
    assert codes.count("rate_limited") >= 10


@pytest.mark.parametrize(
    ("who", "command", "code"),
    [
        ("lead", SendNote("长" * 10_000), "text_too_long"),
        ("lead", SendNote(""), "text_empty"),
        ("home-1", SendNote("我也想说"), "forbidden"),
        ("watcher", RaiseHand(), "forbidden"),
        ("helper-1", RaiseHand(100_000), "count_out_of_range"),
        ("helper-1", RollCall(absent=(PersonId("stranger"),)), "unknown_pupil"),
        ("helper-1", MarkAttendance(PersonId("home-2"), "in_room"), "unknown_pupil"),
        ("helper-1", TallyQuiz(9, (1, 2)), "no_quiz"),
        ("lead", CallOn(ParticipantId("nobody")), "participant_away"),
        ("lead", TurnSlide("nothing", 1), "no_page"),
        ("co", TakeOver(), "not_offered"),
        ("lead", OpenQuiz("single", "长" * 600, ("甲", "乙")), "text_too_long"),
    ],
)
async def test_what_cannot_be_is_answered_clearly_and_the_line_stays(
    lesson: Class, who: str, command: object, code: str
) -> None:
    assert await refused(lesson[who], command) == code
    await lesson[who].send_text('{"type":"ping","sent_ms":1}')


async def test_markup_in_texts_and_names_stays_text(server: Running, lesson: Class) -> None:
    text = "<img src=x onerror=alert(1)>"
    await done(lesson["helper-1"], SendNote(text))
    assert (await shows(lesson["lead"], v.BackchannelView)).notes[0].text == text
    key = token(server.keys, Role.HOME_LEARNER, "home-9", room="room-1", name="<b>示例</b>")
    _, welcome = await Page.enter(server.port, key)
    assert welcome.name == "<b>示例</b>"
