"""Who may be in a recording, and when."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.lesson import LEAD, Lesson
from twinclass_signaling.errors import Conflict, Forbidden
from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.plan import Plan, PlannedPolicy, PlannedPupil, PlannedRoom
from twinclass_signaling.lesson.tool_board import recording_view
from twinclass_signaling.lesson.tools.recording import recorded, recording_id
from twinclass_signaling.lesson.visibility import viewer_of
from twinclass_signaling.messages import CallOn, CloseLesson, OpenLesson
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import MuteOnStage, SetRecording, StartSoundCheck

GROUP = ParticipantId("group-1")
PUPILS = (
    PlannedPupil(PersonId("agreed"), "示例学生一", at_home=True, recordable=True),
    PlannedPupil(PersonId("not-agreed"), "示例学生二", at_home=True),
    PlannedPupil(PersonId("child-1"), group=GROUP, recordable=True),
    PlannedPupil(PersonId("child-2"), group=GROUP, recordable=False),
)
PLAN = Plan("示例课", rooms=(PlannedRoom(RoomId("room-1"), "七(1)班", pupils=PUPILS),))


def lesson_with(plan: Plan = PLAN) -> Lesson:
    lesson = Lesson(plan)
    lesson.join("lead", Role.LEAD)
    lesson.join("room-1", Role.ROOM)
    for home in ("agreed", "not-agreed", "stranger"):
        lesson.join(home, Role.HOME_LEARNER, "room-1")
    lesson.join(GROUP, Role.HOME_GROUP, "room-1")
    return lesson


def who(lesson: Lesson) -> set[str]:
    return {one.participant for one in recorded(lesson.state)}


def test_nobody_is_recorded_before_the_bell_or_after_the_close() -> None:
    lesson = lesson_with()
    assert recorded(lesson.state) == []
    lesson.do(OpenLesson(), LEAD)
    assert who(lesson) == {"lead"}
    lesson.do(CloseLesson(), LEAD)
    assert recorded(lesson.state) == []


def test_a_child_is_in_it_only_with_consent_that_is_known() -> None:
    for child, is_recorded in (("agreed", True), ("not-agreed", False), ("stranger", False)):
        lesson = lesson_with()
        lesson.do(OpenLesson(), LEAD)
        lesson.do(CallOn(ParticipantId(child)), LEAD)
        assert (child in who(lesson)) is is_recorded


def test_a_home_group_is_in_it_when_every_child_at_the_screen_may_be() -> None:
    lesson = lesson_with()
    lesson.do(OpenLesson(), LEAD)
    lesson.do(CallOn(GROUP, PersonId("child-1")), LEAD)
    assert GROUP not in who(lesson)
    agreed = tuple(msgspec.structs.replace(pupil, recordable=True) for pupil in PUPILS)
    room = msgspec.structs.replace(PLAN.rooms[0], pupils=agreed)
    lesson = lesson_with(msgspec.structs.replace(PLAN, rooms=(room,)))
    lesson.do(OpenLesson(), LEAD)
    lesson.do(CallOn(GROUP, PersonId("child-1")), LEAD)
    assert GROUP in who(lesson)


def test_a_room_is_in_it_while_it_is_on_stage_and_muted_without_its_sound() -> None:
    lesson = lesson_with()
    lesson.do(OpenLesson(), LEAD)
    assert "room-1" not in who(lesson)
    room = ParticipantId("room-1")
    lesson.do(CallOn(room), LEAD)
    assert (room, "camera") in recorded(lesson.state)
    assert (room, "microphone") in recorded(lesson.state)
    lesson.do(MuteOnStage(room, muted=True), LEAD)
    assert (room, "camera") in recorded(lesson.state)
    assert (room, "microphone") not in recorded(lesson.state)


def test_a_sound_check_is_never_recorded() -> None:
    lesson = lesson_with()
    lesson.do(StartSoundCheck(), LEAD)
    assert recorded(lesson.state) == []


def test_staff_stop_it_and_let_it_go_on_and_everybody_is_told() -> None:
    lesson = lesson_with()
    with pytest.raises(Conflict):
        lesson.do(SetRecording(on=False), LEAD)
    lesson.do(OpenLesson(), LEAD)
    pupil = viewer_of(lesson.state, ParticipantId("agreed"))
    assert pupil is not None
    assert recording_view(lesson.state, pupil, {}).state == "on"
    assert lesson.do(SetRecording(on=True), LEAD) == []
    lesson.do(SetRecording(on=False), LEAD)
    assert recorded(lesson.state) == []
    assert recording_view(lesson.state, pupil, {}).state == "paused"
    lesson.do(SetRecording(on=True), LEAD)
    assert who(lesson) == {"lead"}


def test_a_lesson_planned_without_recording_begins_without() -> None:
    policy = PlannedPolicy(record=False)
    lesson = lesson_with(msgspec.structs.replace(PLAN, policy=policy))
    lesson.do(OpenLesson(), LEAD)
    assert recorded(lesson.state) == []
    pupil = viewer_of(lesson.state, ParticipantId("agreed"))
    assert pupil is not None
    assert recording_view(lesson.state, pupil, {}).state == "off"
    lesson.do(SetRecording(on=True), LEAD)
    assert who(lesson) == {"lead"}


def test_pupils_and_assistants_cannot_stop_it() -> None:
    lesson = lesson_with()
    lesson.do(OpenLesson(), LEAD)
    for role in (Role.ASSISTANT, Role.HOME_LEARNER, Role.OBSERVER):
        actor = lesson.join(f"a-{role}", role, "room-1")
        with pytest.raises(Forbidden):
            lesson.do(SetRecording(on=False), actor)


@given(st.lists(st.sampled_from(["agreed", "not-agreed", "stranger", GROUP, "room-1"]), max_size=6))
def test_no_order_of_calls_puts_a_child_without_consent_into_it(called: list[str]) -> None:
    lesson = lesson_with()
    lesson.do(OpenLesson(), LEAD)
    for one in called:
        if not lesson.state.is_on_stage(ParticipantId(one)):
            lesson.do(CallOn(ParticipantId(one)), LEAD)
        assert not who(lesson) & {"not-agreed", "stranger", GROUP}


def test_the_same_lesson_opened_again_is_another_recording() -> None:
    lesson = lesson_with()
    lesson.do(OpenLesson(), LEAD)
    first = recording_id(lesson.state)
    again = Lesson(PLAN)
    again.now = 99_999.0
    again.join("lead", Role.LEAD)
    again.do(OpenLesson(), LEAD)
    assert first != recording_id(again.state)
