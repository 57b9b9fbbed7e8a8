"""Hands, the fair order, and the stage's tools."""

from __future__ import annotations

import pytest

from hosting.lesson import Lesson
from hosting.tools import (
    CHILDREN,
    CO_LEAD,
    HELPERS,
    HOMES,
    LEAD,
    POINT,
    ROOM_1,
    ROOMS,
    WATCHER,
    full_lesson,
)
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import ParticipantId, PersonId
from twinclass_signaling.lesson.commands import Actor, Leave, LessonCommand, Lose
from twinclass_signaling.lesson.plan import PlannedPolicy
from twinclass_signaling.lesson.tools.stage import fair_order
from twinclass_signaling.lesson.visibility import audience, viewer_of
from twinclass_signaling.messages import CallOn, ClearStage
from twinclass_signaling.tool_commands import (
    ApproveHand,
    CallNext,
    LowerAllHands,
    LowerHand,
    MoveOnStage,
    MuteOnStage,
    MuteStage,
    RaiseHand,
    Remove,
    RollCall,
    SetPolicy,
    Spotlight,
)

ROOM = ParticipantId("room-1")
HOME = HOMES[0].participant


def code_of(lesson: Lesson, command: LessonCommand, who: Actor) -> str:
    with pytest.raises(SignalingError) as caught:
        lesson.do(command, who)
    return caught.value.code


def hands(lesson: Lesson) -> list[tuple[str, int]]:
    return [(hand.participant, hand.count) for hand in lesson.state.tools.hands]


def test_hands_are_in_the_order_in_which_they_went_up() -> None:
    lesson = full_lesson()
    lesson.do(RaiseHand(), HOMES[0])
    lesson.do(RaiseHand(7), HELPERS[0])
    lesson.do(RaiseHand(children=CHILDREN[:3]), POINT)
    lesson.do(RaiseHand(9), HELPERS[0])
    assert hands(lesson) == [("home-1", 1), ("room-1", 9), ("point", 3)]
    assert lesson.do(RaiseHand(9), HELPERS[0]) == []


def test_a_hand_is_lowered_by_its_owner_by_staff_and_by_a_call() -> None:
    lesson = full_lesson()
    for who in (HOMES[0], HOMES[1], POINT):
        lesson.do(RaiseHand(), who)
    lesson.do(LowerHand(), HOMES[0])
    lesson.do(LowerHand(HOMES[1].participant), LEAD)
    lesson.do(CallOn(POINT.participant, CHILDREN[1]), LEAD)
    assert hands(lesson) == []
    assert lesson.state.stage[0].child == CHILDREN[1]
    assert code_of(lesson, LowerHand(HOME), LEAD) == "no_hand"


def test_an_assistant_lowers_the_hands_of_her_class_only() -> None:
    lesson = full_lesson()
    for who in HOMES:
        lesson.do(RaiseHand(), who)
    lesson.do(LowerAllHands(), HELPERS[0])
    assert hands(lesson) == [("home-2", 1)]
    assert code_of(lesson, LowerHand(HOMES[1].participant), HELPERS[0]) == "forbidden"
    lesson.do(LowerAllHands(), CO_LEAD)
    assert hands(lesson) == []


def test_a_hand_waits_for_the_class_s_own_assistant_where_the_lesson_says_so() -> None:
    lesson = full_lesson(PlannedPolicy(hands_need_approval=True))
    lesson.do(RaiseHand(), HOMES[0])
    assert not lesson.state.tools.hands[0].approved
    assert code_of(lesson, ApproveHand(HOME), HELPERS[1]) == "forbidden"
    lesson.do(ApproveHand(HOME), HELPERS[0])
    assert lesson.state.tools.hands[0].approved


def test_a_class_without_its_assistant_does_not_wait_for_her() -> None:
    lesson = full_lesson(PlannedPolicy(hands_need_approval=True))
    lesson.do(Lose(HELPERS[0].participant))
    lesson.do(RaiseHand(), HOMES[0])
    assert lesson.state.tools.hands[0].approved


def test_more_hands_than_pupils_are_refused() -> None:
    lesson = full_lesson()
    lesson.do(RollCall(), HELPERS[0])
    assert code_of(lesson, RaiseHand(9), HELPERS[0]) == "count_out_of_range"
    lesson.do(RaiseHand(8), HELPERS[0])
    assert code_of(lesson, RaiseHand(201), HELPERS[1]) == "count_out_of_range"
    assert code_of(lesson, RaiseHand(children=(PersonId("pupil-1"),)), POINT) == "unknown_pupil"


def test_a_hand_is_seen_by_staff_its_owner_and_its_class() -> None:
    lesson = full_lesson()
    (raised,) = lesson.do(RaiseHand(), HOMES[0])
    told = audience(raised, lesson.state)

    def is_told(who: Actor) -> bool:
        viewer = viewer_of(lesson.state, who.participant)
        assert viewer is not None
        return told.reaches(viewer)

    seeing = {who.participant for who in (LEAD, CO_LEAD, *HELPERS, *ROOMS, *HOMES, POINT, WATCHER)
              if is_told(who)}  # fmt: skip
    assert seeing == {"lead", "co", "helper-1", "helper-2", "room-1", "home-1", "home-3", "point"}


def test_a_lost_hand_stays_up_and_a_seat_given_up_lowers_it() -> None:
    lesson = full_lesson()
    lesson.do(RaiseHand(), HOMES[0])
    lesson.do(Lose(HOME))
    assert hands(lesson) == [("home-1", 1)]
    lesson.do(Leave(HOME, "timeout"))
    assert hands(lesson) == []


def test_the_next_fair_room_is_one_without_a_turn_then_the_longest_wait() -> None:
    lesson = full_lesson()
    lesson.do(RaiseHand(2), HELPERS[1])
    called = []
    for _ in range(4):
        lesson.now += 60
        lesson.do(CallNext(), LEAD)
        called.append(lesson.state.stage[0].participant)
        lesson.do(ClearStage(), LEAD)
    assert called == ["room-2", "room-1", "room-3", "room-2"]
    lesson.do(RaiseHand(2), HELPERS[0])
    assert [wait.room for wait in fair_order(lesson.state)] == ["room-1", "room-3", "room-2"]


def test_after_five_calls_every_room_with_a_hand_has_had_its_turn_within_ten_minutes() -> None:
    lesson = full_lesson()
    for helper in HELPERS:
        lesson.do(RaiseHand(5), helper)
    raised = {hand.participant: hand.raised_at for hand in lesson.state.tools.hands}
    for _ in range(5):
        lesson.now += 60
        lesson.do(CallNext(), LEAD)
        lesson.do(ClearStage(), LEAD)
    for room, since in raised.items():
        assert lesson.state.seats[room].last_turn_at - since <= 600


def test_nobody_is_called_who_is_not_there() -> None:
    lesson = full_lesson()
    for room in ROOMS:
        lesson.do(Lose(room.participant))
    assert code_of(lesson, CallNext(), LEAD) == "nobody_waits"


def test_the_stage_has_the_lesson_s_limit() -> None:
    lesson = full_lesson()
    lesson.do(SetPolicy(stage_limit=1), LEAD)
    lesson.do(CallOn(ROOM), LEAD)
    assert code_of(lesson, CallOn(HOME), LEAD) == "stage_full"
    lesson.do(SetPolicy(stage_limit=2), LEAD)
    lesson.do(CallOn(HOME), LEAD)
    assert code_of(lesson, SetPolicy(stage_limit=1), LEAD) == "stage_full"
    assert code_of(lesson, SetPolicy(stage_limit=17), LEAD) == "stage_limit_out_of_range"


def test_spotlight_order_and_microphones_of_the_stage() -> None:
    lesson = full_lesson()
    for who in (*ROOMS, HOMES[0], HOMES[1]):
        lesson.do(CallOn(who.participant), LEAD)
    last = HOMES[1].participant
    assert lesson.state.place_of(last) is not None
    lesson.do(MoveOnStage(last, 0), LEAD)
    assert lesson.state.stage[0].participant == last
    assert lesson.state.stage[0].index < 4
    lesson.do(Spotlight(last), LEAD)
    lesson.do(MuteOnStage(ROOM), HELPERS[0])
    assert [place.muted for place in lesson.state.stage if place.participant == ROOM] == [True]
    assert code_of(lesson, MuteOnStage(last), HELPERS[0]) == "forbidden"
    lesson.do(MuteStage(), LEAD)
    assert all(place.muted for place in lesson.state.stage)
    lesson.do(ClearStage(), LEAD)
    assert lesson.state.tools.spotlight is None


def test_who_was_removed_cannot_come_back_until_admitted() -> None:
    from hosting.tools import join
    from twinclass_signaling.tool_commands import Admit

    lesson = full_lesson()
    lesson.do(CallOn(HOME), LEAD)
    lesson.do(Remove(HOME), LEAD)
    assert not lesson.state.stage
    assert code_of(lesson, join(HOMES[0]), LEAD) == "removed"
    assert code_of(lesson, Remove(LEAD.participant), CO_LEAD) == "forbidden"
    lesson.do(Admit(HOME), LEAD)
    lesson.do(join(HOMES[0]))
    assert lesson.state.is_here(HOME)


def test_the_room_of_a_hand_is_its_class() -> None:
    lesson = full_lesson()
    lesson.do(RaiseHand(1), HELPERS[0])
    assert lesson.state.tools.hands[0].room == ROOM_1
