"""Whoever sees something else of a tool after an event is reached; few others are."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hosting.lesson import LEAD, Lesson
from hosting.tools import attempt, full_lesson, steps
from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.commands import Actor, Join, LessonCommand
from twinclass_signaling.lesson.core import apply
from twinclass_signaling.lesson.events import LessonEvent, ParticipantJoined, ParticipantLost
from twinclass_signaling.lesson.plan import Plan, PlannedPupil, PlannedRoom
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tool_board import VIEWS
from twinclass_signaling.lesson.tool_changes import changed_tools
from twinclass_signaling.lesson.tool_events import AttendanceChanged
from twinclass_signaling.lesson.tools import backchannel
from twinclass_signaling.lesson.visibility import Audience, Person, Viewer, viewers
from twinclass_signaling.messages import OpenLesson
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import AnswerQuiz, OpenQuiz
from twinclass_signaling.tool_views import ToolView

Step = tuple[LessonCommand, Actor, float]


def played(found: list[Step], *, live: bool) -> Lesson:
    lesson = full_lesson(live=live)
    for command, who, pause in found:
        lesson.now += pause
        attempt(lesson, command, who)
    return lesson


def views_of(state: LessonState) -> dict[tuple[Viewer, str], ToolView]:
    people = {viewer.participant: Person(f"示例 {viewer.participant}") for viewer in viewers(state)}
    return {
        (viewer, name): view(state, viewer, people)
        for viewer in viewers(state)
        for name, view in VIEWS.items()
    }


@settings(max_examples=30)
@given(steps, st.booleans())
def test_whoever_sees_something_else_is_reached(found: list[Step], live: bool) -> None:
    lesson = played(found, live=live)
    state = LessonState(LessonId("algebra"), lesson.state.plan)
    for number, (event, at) in enumerate(lesson.log, 1):
        backchannel.forget_old_pulses(state, at)
        before = views_of(state)
        apply(state, event, at, EventSeq(number))
        told: dict[str, Audience] = {}
        for name, who in changed_tools(event, state):
            told[name] = told[name].joined(who) if name in told else who
        comes = event.participant if isinstance(event, ParticipantJoined) else None
        for (viewer, name), view in views_of(state).items():
            if viewer.participant != comes and before.get((viewer, name), view) != view:
                assert name in told, (event, viewer, name)
                assert told[name].reaches(viewer), (event, viewer, name)


def test_a_home_that_comes_concerns_its_class_and_the_staff() -> None:
    rooms = tuple(PlannedRoom(RoomId(f"room-{n}"), f"七({n})班") for n in (1, 2))
    lesson = Lesson(Plan("示例课", rooms=rooms, homes=3))
    lesson.join("lead", Role.LEAD)
    for n in (1, 2):
        lesson.join(f"helper-{n}", Role.ASSISTANT, f"room-{n}")
        lesson.join(f"other-{n}", Role.HOME_LEARNER, f"room-{n}")
    lesson.join("home", Role.HOME_LEARNER, "room-1")
    event = ParticipantJoined(ParticipantId("home"), Role.HOME_LEARNER, RoomId("room-1"))
    reached = {
        (name, viewer.participant)
        for name, who in changed_tools(event, lesson.state)
        for viewer in viewers(lesson.state)
        if who.reaches(viewer)
    }
    assert reached == {
        ("attendance", ParticipantId(who)) for who in ("lead", "helper-1", "other-1", "home")
    }


def test_two_audiences_together_reach_whoever_one_of_them_reaches() -> None:
    one = Audience("leads", (ParticipantId("home"),), (RoomId("room-1"),))
    other = Audience("nobody", (ParticipantId("home"),), assistants_of=(RoomId("room-2"),))
    assert one.joined(other) == Audience(
        "leads", (ParticipantId("home"),), (RoomId("room-1"),), (RoomId("room-2"),)
    )
    assert other.joined(one) == one.joined(other)
    assert one.joined(Audience("all")) == Audience("all")


SCREEN = ParticipantId("point")
CHILD = PlannedPupil(PersonId("child"), "示例同学", group=SCREEN)


def reached_by(lesson: Lesson, event: LessonEvent) -> dict[str, set[str]]:
    """Who is looked at, by tool."""
    return {
        name: {str(one.participant) for one in viewers(lesson.state) if who.reaches(one)}
        for name, who in changed_tools(event, lesson.state)
    }


def two_classes() -> Lesson:
    """A child of the first class takes part at the screen of a home group of the second."""
    rooms = (
        PlannedRoom(RoomId("room-1"), "七(1)班", pupils=(CHILD,)),
        PlannedRoom(RoomId("room-2"), "七(2)班"),
    )
    lesson = Lesson(Plan("示例课", rooms=rooms, homes=3))
    lesson.join("lead", Role.LEAD)
    lesson.do(OpenLesson(), LEAD)
    lesson.join("room-1", Role.ROOM)
    lesson.join("helper-2", Role.ASSISTANT, "room-2")
    lesson.join("point", Role.HOME_GROUP, "room-2")
    lesson.join("home", Role.HOME_LEARNER, "room-2")
    return lesson


def test_the_screen_of_a_child_is_told_where_she_is() -> None:
    lesson = two_classes()
    event = ParticipantJoined(ParticipantId("child"), Role.HOME_LEARNER, RoomId("room-1"))
    lesson.join("child", Role.HOME_LEARNER, "room-1")
    assert reached_by(lesson, event) == {"attendance": {"lead", "room-1", "point", "child"}}


def test_a_screen_that_comes_is_seen_in_the_classes_of_its_children() -> None:
    lesson = two_classes()
    event = ParticipantLost(SCREEN)
    assert reached_by(lesson, event) == {
        "attendance": {"lead", "room-1", "point", "helper-2", "home"}
    }


def test_an_open_question_is_counted_anew_for_staff_and_for_all_when_an_answer_moves() -> None:
    lesson = two_classes()
    lesson.do(OpenQuiz("single", "?", ("A", "B")), LEAD)
    home = Actor(ParticipantId("home"), Role.HOME_LEARNER, RoomId("room-2"))
    everybody = {str(one.participant) for one in viewers(lesson.state)}
    lost = ParticipantLost(ParticipantId("home"))
    assert reached_by(lesson, lost)["quiz"] == {"lead", "helper-2"}
    moved = AttendanceChanged(
        PersonId("home"), RoomId("room-2"), "in_room", False, "marked", ParticipantId("helper-2")
    )
    assert reached_by(lesson, moved)["quiz"] == {"lead", "helper-2"}
    lesson.do(AnswerQuiz(1, (0,)), home)
    assert reached_by(lesson, moved)["quiz"] == everybody


def test_a_device_whose_sound_is_off_is_in_the_list_of_staff_while_it_is_here() -> None:
    lesson = two_classes()
    lesson.state.seats[ParticipantId("home")].sound_off = True
    lost = ParticipantLost(ParticipantId("home"))
    assert reached_by(lesson, lost)["sound"] == {"lead", "helper-2", "home"}


def test_a_further_device_is_told_to_its_room_and_the_staff() -> None:
    lesson = two_classes()
    device = Join(ParticipantId("room-1.c1"), Role.ROOM, RoomId("room-1"), companion=True)
    event = lesson.do(device)[0]
    assert reached_by(lesson, event) == {"sound": {"lead", "helper-2", "room-1", "room-1.c1"}}


def test_a_room_that_comes_is_counted_by_staff_who_see_signals() -> None:
    lesson = two_classes()
    event = ParticipantLost(ParticipantId("room-1"))
    reached = reached_by(lesson, event)
    assert reached["backchannel"] == reached["stage"] == {"lead", "helper-2"}
    assert reached["attendance"] == {"lead", "room-1"}
