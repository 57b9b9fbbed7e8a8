"""Who may send what, and who receives whom."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from hosting.lesson import LEAD, Lesson, play, steps
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.commands import Actor, LessonCommand, Lose, StartPublication
from twinclass_signaling.lesson.media_policy import (
    external_subscriptions,
    grants,
    subscriptions,
)
from twinclass_signaling.messages import CallOn, CloseLesson, LeaveStage, View
from twinclass_signaling.permissions import may_publish
from twinclass_signaling.ports import Subscription
from twinclass_signaling.roles import AUDIO_SOURCES, Role

ROOM, OTHER, HOME = ParticipantId("room-1"), ParticipantId("room-2"), ParticipantId("home-1")
LESSON_LEAD = ParticipantId("lead")


@pytest.fixture
def lesson() -> Lesson:
    found = Lesson()
    found.join("lead", Role.LEAD)
    for number in (1, 2, 3):
        found.join(f"room-{number}", Role.ROOM)
    found.join("home-1", Role.HOME_LEARNER, "room-1")
    found.join("watcher", Role.OBSERVER)
    return found


def open_sources(lesson: Lesson, who: str) -> dict[str, bool]:
    return {g.source: g.full for g in grants(lesson.state, ParticipantId(who)) if g.open}


def slots(
    lesson: Lesson, who: str, use: str, source: str, view: View | None = None
) -> list[ParticipantId | None]:
    found = subscriptions(lesson.state, ParticipantId(who), view or View())
    return [slot.participant for slot in found if (slot.use, slot.source) == (use, source)]


def test_a_room_off_stage_is_on_the_wall_but_silent(lesson: Lesson) -> None:
    assert open_sources(lesson, "room-1") == {"camera": False}
    lesson.do(CallOn(ROOM), LEAD)
    assert open_sources(lesson, "room-1") == {"camera": True, "microphone": True}


def test_a_home_is_neither_seen_nor_heard_until_called_on(lesson: Lesson) -> None:
    assert open_sources(lesson, "home-1") == {}
    lesson.do(CallOn(HOME), LEAD)
    assert open_sources(lesson, "home-1") == {"camera": True, "microphone": True}


def test_the_lead_is_open_until_the_close_and_an_observer_never(lesson: Lesson) -> None:
    assert set(open_sources(lesson, "lead")) == set(may_publish(Role.LEAD))
    assert open_sources(lesson, "watcher") == {}
    lesson.do(CloseLesson(), LEAD)
    assert open_sources(lesson, "lead") == {}


def test_two_stage_slots_are_there_before_anybody_is_called_on(lesson: Lesson) -> None:
    for who in ("lead", "room-1", "home-1", "watcher"):
        assert slots(lesson, who, "stage", "camera") == [None, None]
        assert slots(lesson, who, "stage", "microphone") == [None, None]


def test_who_is_on_stage_receives_all_but_themselves(lesson: Lesson) -> None:
    lesson.do(CallOn(ROOM), LEAD)
    lesson.do(CallOn(HOME), LEAD)
    assert slots(lesson, "room-2", "stage", "microphone") == [ROOM, HOME]
    assert slots(lesson, "room-1", "stage", "microphone") == [None, HOME]
    lesson.do(LeaveStage(ROOM), LEAD)
    assert slots(lesson, "room-2", "stage", "camera") == [None, HOME]


def test_four_are_seen_and_sixteen_are_heard(lesson: Lesson) -> None:
    for number in range(16):
        lesson.join(f"many-{number}", Role.HOME_LEARNER)
        lesson.do(CallOn(ParticipantId(f"many-{number}")), LEAD)
    assert len(slots(lesson, "room-1", "stage", "camera")) == 4
    assert len(slots(lesson, "room-1", "stage", "microphone")) == 16


def test_the_wall_is_the_leads_alone_and_keeps_the_plans_order(lesson: Lesson) -> None:
    lesson.join("guest-room", Role.ROOM)
    wall = [ROOM, OTHER, ParticipantId("room-3"), ParticipantId("guest-room")]
    assert slots(lesson, "lead", "wall", "camera") == wall
    lesson.do(Lose(ROOM))
    assert slots(lesson, "lead", "wall", "camera") == wall
    assert slots(lesson, "room-1", "wall", "camera") == []
    small = [s for s in subscriptions(lesson.state, LESSON_LEAD, View()) if s.use == "wall"]
    assert {(s.max_layer, s.priority) for s in small} == {(0, 60)}


def test_audio_only_leaves_sound_and_no_picture(lesson: Lesson) -> None:
    lesson.do(CallOn(ROOM), LEAD)
    view = View(audio_only=True)
    assert slots(lesson, "home-1", "lead", "camera", view) == [None]
    assert slots(lesson, "home-1", "screen", "screen", view) == [None]
    assert slots(lesson, "home-1", "lead", "microphone", view) == [LESSON_LEAD]
    assert slots(lesson, "home-1", "stage", "microphone", view) == [ROOM, None]


def test_a_data_saver_gets_no_full_size(lesson: Lesson) -> None:
    saver = subscriptions(lesson.state, HOME, View(data_saver=True))
    assert max(slot.max_layer for slot in saver) == 1


def test_an_assistant_hears_the_room_and_not_the_stream(lesson: Lesson) -> None:
    lesson.join("helper", Role.ASSISTANT, "room-1")
    found = subscriptions(lesson.state, ParticipantId("helper"), View())
    assert found
    assert not [slot for slot in found if slot.source in AUDIO_SOURCES]


def test_a_co_lead_has_a_slot_of_its_own_and_may_show_slides(lesson: Lesson) -> None:
    lesson.join("co", Role.CO_LEAD)
    co_lead = ParticipantId("co")
    assert slots(lesson, "room-1", "lead", "camera") == [LESSON_LEAD, co_lead]
    assert slots(lesson, "lead", "lead", "microphone") == [co_lead]
    assert slots(lesson, "room-1", "screen", "screen") == [LESSON_LEAD]
    lesson.do(StartPublication(co_lead, "screen"))
    assert slots(lesson, "room-1", "screen", "screen") == [co_lead]
    assert slots(lesson, "lead", "screen", "screen") == [co_lead]
    lesson.do(StartPublication(LESSON_LEAD, "screen"))
    assert slots(lesson, "room-1", "screen", "screen") == [LESSON_LEAD]


def test_a_second_lead_takes_over_when_the_first_is_lost(lesson: Lesson) -> None:
    lesson.join("stand-in", Role.LEAD)
    assert slots(lesson, "room-1", "lead", "camera") == [LESSON_LEAD]
    lesson.do(Lose(LESSON_LEAD))
    assert slots(lesson, "room-1", "lead", "camera") == [ParticipantId("stand-in")]


def test_a_screen_without_our_page_gets_the_lead_and_the_slides(lesson: Lesson) -> None:
    found = external_subscriptions(lesson.state)
    assert [(s.use, s.source, s.participant) for s in found] == [
        ("lead", "camera", LESSON_LEAD),
        ("lead", "microphone", LESSON_LEAD),
        ("screen", "screen", LESSON_LEAD),
    ]


@settings(max_examples=100, deadline=None)
@given(steps)
def test_a_slot_is_unique_and_never_holds_its_viewer(
    found: list[tuple[LessonCommand, Actor]],
) -> None:
    state = play(found).state
    for viewer, seat in state.seats.items():
        wanted: list[Subscription] = subscriptions(state, viewer, View())
        assert len({(s.use, s.index, s.source) for s in wanted}) == len(wanted)
        assert viewer not in {slot.participant for slot in wanted}
        assert bool(wanted) == (seat.presence != "left")


@settings(max_examples=100, deadline=None)
@given(steps)
def test_whoever_is_heard_is_on_stage_or_leads(
    found: list[tuple[LessonCommand, Actor]],
) -> None:
    state = play(found).state
    for participant, seat in state.seats.items():
        for grant in grants(state, participant):
            assert grant.source in may_publish(seat.role)
            if grant.open and grant.source == "microphone":
                leads = seat.role in {Role.LEAD, Role.CO_LEAD}
                assert leads or state.is_on_stage(participant)
