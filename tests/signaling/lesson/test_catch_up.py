"""A class catches up on its screen: who may decide it, who is told, and what ends it."""

from __future__ import annotations

import pytest

from hosting.lesson import Lesson
from hosting.tools import HELPERS, HOMES, LEAD, ROOM_1, ROOM_2, ROOMS, WATCHER, full_lesson
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.lesson import snapshot
from twinclass_signaling.lesson.commands import Actor, Leave, LessonCommand, Lose
from twinclass_signaling.lesson.plan import PlannedPolicy
from twinclass_signaling.lesson.tool_board import catch_up_view
from twinclass_signaling.lesson.tool_events import CatchUpChanged
from twinclass_signaling.lesson.tools.catch_up import is_catching_up
from twinclass_signaling.lesson.visibility import audience, viewer_of, viewers
from twinclass_signaling.messages import CallOn, CloseLesson
from twinclass_signaling.tool_commands import CallNext, SetCatchUp, TakeOver
from twinclass_signaling.tool_views import CatchUpRoom

ON, OFF = SetCatchUp(ROOM_1, on=True), SetCatchUp(ROOM_1, on=False)


def shown(lesson: Lesson, who: Actor) -> tuple[CatchUpRoom, ...]:
    viewer = viewer_of(lesson.state, who.participant)
    assert viewer is not None
    return catch_up_view(lesson.state, viewer, {}).rooms


def code_of(lesson: Lesson, command: LessonCommand, who: Actor) -> str:
    with pytest.raises(SignalingError) as refused:
        lesson.do(command, who)
    return refused.value.code


def cause_of_end(lesson: Lesson) -> str:
    ends = [one for one, _ in lesson.log if isinstance(one, CatchUpChanged) and not one.on]
    return ends[-1].cause


@pytest.mark.parametrize("who", [LEAD, HELPERS[0], ROOMS[0]])
def test_lead_the_own_assistant_and_the_room_itself_decide(who: Actor) -> None:
    lesson = full_lesson()
    lesson.do(ON, who)
    [row] = shown(lesson, ROOMS[0])
    assert row == CatchUpRoom(ROOM_1, lesson.now, None)
    assert lesson.do(ON, who) == []
    lesson.do(OFF, who)
    assert shown(lesson, ROOMS[0]) == (CatchUpRoom(ROOM_1, None, lesson.now),)
    assert cause_of_end(lesson) == ("room" if who == ROOMS[0] else "staff")
    assert lesson.do(OFF, who) == []


@pytest.mark.parametrize("who", [HELPERS[1], ROOMS[1], HOMES[0], WATCHER])
def test_nobody_else_does(who: Actor) -> None:
    assert code_of(full_lesson(), ON, who) == "forbidden"


def test_it_is_for_a_room_that_is_here_in_a_lesson_that_goes_on() -> None:
    assert code_of(full_lesson(live=False), ON, LEAD) == "not_live"
    lesson = full_lesson()
    assert code_of(lesson, SetCatchUp(RoomId("room-9"), on=True), LEAD) == "participant_away"
    lesson.do(Lose(ParticipantId(ROOM_1)))
    assert code_of(lesson, ON, HELPERS[0]) == "participant_away"


def test_lead_room_and_its_assistant_are_told_and_nobody_else() -> None:
    lesson = full_lesson()
    [event] = lesson.do(ON, HELPERS[0])
    told = {
        v.participant for v in viewers(lesson.state) if audience(event, lesson.state).reaches(v)
    }
    assert told == {"lead", "co", "room-1", "helper-1"}
    for who in (HOMES[0], ROOMS[1], HELPERS[1], WATCHER):
        assert shown(lesson, who) == ()


@pytest.mark.parametrize("call", [CallOn(ParticipantId(ROOM_1)), CallNext()])
def test_being_called_ends_it_first_and_it_is_offered_again(call: LessonCommand) -> None:
    lesson = full_lesson()
    lesson.do(ON, HELPERS[0])
    events = lesson.do(call, LEAD)
    assert isinstance(events[0], CatchUpChanged)
    assert not is_catching_up(lesson.state, ROOM_1)
    assert cause_of_end(lesson) == "called"
    # Not done with: what is left is offered when the class is off the stage.
    assert shown(lesson, HELPERS[0]) == (CatchUpRoom(ROOM_1, None, None),)
    assert code_of(lesson, ON, HELPERS[0]) == "takes_part"


def test_calling_another_class_leaves_it_alone() -> None:
    lesson = full_lesson()
    lesson.do(ON, HELPERS[0])
    lesson.do(CallOn(ParticipantId(ROOM_2)), LEAD)
    assert is_catching_up(lesson.state, ROOM_1)


def test_a_class_before_which_its_assistant_begins_to_teach_is_back() -> None:
    policy = PlannedPolicy(hybrid_room=ROOM_1, following=HELPERS[0].participant)
    lesson = full_lesson(policy)
    lesson.do(Leave(ParticipantId("co"), "left"))
    lesson.do(ON, HELPERS[0])
    lesson.do(Lose(LEAD.participant))
    lesson.do(TakeOver(), HELPERS[0])
    assert not is_catching_up(lesson.state, ROOM_1)
    assert code_of(lesson, ON, HELPERS[0]) == "takes_part"


def test_a_line_lost_for_a_moment_does_not_end_it_and_leaving_does() -> None:
    lesson = full_lesson()
    lesson.do(ON, ROOMS[0])
    lesson.do(Lose(ParticipantId(ROOM_1)))
    assert is_catching_up(lesson.state, ROOM_1)
    lesson.do(Leave(ParticipantId(ROOM_1), "timeout"))
    assert not is_catching_up(lesson.state, ROOM_1)
    assert cause_of_end(lesson) == "left"


def test_the_close_ends_it() -> None:
    lesson = full_lesson()
    lesson.do(ON, ROOMS[0])
    lesson.do(SetCatchUp(ROOM_2, on=True), ROOMS[1])
    lesson.do(CloseLesson(), LEAD)
    assert not any(is_catching_up(lesson.state, room) for room in (ROOM_1, ROOM_2))
    assert cause_of_end(lesson) == "lesson_closed"


def test_a_snapshot_keeps_it() -> None:
    lesson = full_lesson()
    lesson.do(ON, ROOMS[0])
    again = snapshot.decode(lesson.state.plan, snapshot.encode(lesson.state))
    assert again.tools.catch_up == lesson.state.tools.catch_up
