"""Whoever sees something else of a tool after an event is reached; few others are."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hosting.lesson import Lesson
from hosting.tools import attempt, full_lesson, steps
from twinclass_server.signal.tool_board import view_key
from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId, RoomId
from twinclass_signaling.lesson.commands import Actor, LessonCommand
from twinclass_signaling.lesson.core import apply
from twinclass_signaling.lesson.events import ParticipantJoined
from twinclass_signaling.lesson.plan import Plan, PlannedRoom
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tool_board import VIEWS
from twinclass_signaling.lesson.tool_changes import changed_tools
from twinclass_signaling.lesson.tools import backchannel
from twinclass_signaling.lesson.visibility import Audience, Person, Viewer, viewers
from twinclass_signaling.roles import Role
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


@settings(max_examples=60)
@given(steps, st.booleans())
def test_viewers_with_the_same_key_see_the_same(found: list[Step], live: bool) -> None:
    state = played(found, live=live).state
    by_key: dict[object, ToolView] = {}
    for (viewer, name), view in views_of(state).items():
        assert by_key.setdefault(view_key(name, viewer), view) == view, (viewer, name)


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
