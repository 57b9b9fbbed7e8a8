"""The lesson core: what commands do, and that a log makes the same lesson again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hosting.lesson import LEAD, PLAN, Lesson, play, steps
from twinclass_signaling.errors import Conflict, Forbidden, InvalidState, SignalingError
from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId, RoomId
from twinclass_signaling.lesson import snapshot
from twinclass_signaling.lesson.commands import (
    SYSTEM,
    Actor,
    EndPublication,
    Join,
    Leave,
    LessonCommand,
    Lose,
    StartPublication,
)
from twinclass_signaling.lesson.core import apply, handle
from twinclass_signaling.lesson.events import LessonOpened
from twinclass_signaling.lesson.state import MAX_STAGE, LessonState
from twinclass_signaling.messages import (
    CallOn,
    CloseLesson,
    LeaveStage,
    OpenLesson,
)
from twinclass_signaling.permissions import may_publish
from twinclass_signaling.roles import LESSON_ROLES, Role


@pytest.fixture
def lesson() -> Lesson:
    found = Lesson()
    found.join("lead", Role.LEAD)
    for number in (1, 2, 3):
        found.join(f"room-{number}", Role.ROOM)
    found.join("home-1", Role.HOME_LEARNER, "room-1")
    return found


def code_of(lesson: Lesson, command: LessonCommand, actor: Actor) -> str:
    with pytest.raises(SignalingError) as caught:
        lesson.do(command, actor)
    return caught.value.code


def test_the_bell_opens_once(lesson: Lesson) -> None:
    lesson.do(OpenLesson(), LEAD)
    assert lesson.state.phase == "live"
    assert lesson.state.opened_at == lesson.now
    assert code_of(lesson, OpenLesson(), LEAD) == "already_open"


def test_calling_on_counts_a_turn_and_a_second_call_is_a_conflict(lesson: Lesson) -> None:
    lesson.do(CallOn(ParticipantId("room-1")), LEAD)
    seat = lesson.state.seats[ParticipantId("room-1")]
    assert (seat.turns, seat.last_turn_at) == (1, lesson.now)
    with pytest.raises(Conflict) as caught:
        lesson.do(CallOn(ParticipantId("room-1")), LEAD)
    assert caught.value.code == "already_on_stage"


@pytest.mark.parametrize(
    ("target", "code"),
    [("nobody", "participant_away"), ("lead", "not_callable"), ("room-9", "participant_away")],
)
def test_who_cannot_be_called_on_is_named(lesson: Lesson, target: str, code: str) -> None:
    assert code_of(lesson, CallOn(ParticipantId(target)), LEAD) == code


def test_only_staff_of_the_lead_calls_on(lesson: Lesson) -> None:
    for role in LESSON_ROLES - {Role.LEAD, Role.CO_LEAD}:
        actor = Actor(ParticipantId("someone"), role)
        with pytest.raises(Forbidden):
            lesson.do(CallOn(ParticipantId("room-1")), actor)


def test_the_stage_holds_sixteen(lesson: Lesson) -> None:
    for number in range(MAX_STAGE + 1):
        lesson.join(f"many-{number}", Role.HOME_LEARNER)
    for number in range(MAX_STAGE):
        lesson.do(CallOn(ParticipantId(f"many-{number}")), LEAD)
    assert code_of(lesson, CallOn(ParticipantId(f"many-{MAX_STAGE}")), LEAD) == "stage_full"


def test_places_stay_and_the_first_in_waiting_takes_a_large_one(lesson: Lesson) -> None:
    for number in range(6):
        lesson.join(f"many-{number}", Role.HOME_LEARNER)
        lesson.do(CallOn(ParticipantId(f"many-{number}")), LEAD)
    lesson.do(LeaveStage(ParticipantId("many-1")), LEAD)
    assert lesson.on_stage() == [
        ("many-0", 0),
        ("many-2", 2),
        ("many-3", 3),
        ("many-4", 1),
        ("many-5", 5),
    ]


def test_a_lost_room_stays_on_stage_until_its_seat_is_given_up(lesson: Lesson) -> None:
    room = ParticipantId("room-1")
    lesson.do(CallOn(room), LEAD)
    lesson.do(Lose(room))
    assert lesson.state.is_on_stage(room)
    assert lesson.do(Lose(room)) == []
    lesson.do(Leave(room, "timeout"))
    assert not lesson.state.is_on_stage(room)
    assert lesson.state.seats[room].presence == "left"
    lesson.do(Join(room, Role.ROOM, RoomId("room-1")))
    assert lesson.state.seats[room].turns == 1


def test_a_room_leaves_the_stage_by_itself_but_takes_nobody_else_off(lesson: Lesson) -> None:
    first, second = (
        Actor(ParticipantId(f"room-{n}"), Role.ROOM, RoomId(f"room-{n}")) for n in (1, 2)
    )
    lesson.do(CallOn(first.participant), LEAD)
    assert code_of(lesson, LeaveStage(first.participant), second) == "forbidden"
    lesson.do(LeaveStage(first.participant), first)
    assert lesson.state.stage == []
    assert code_of(lesson, LeaveStage(first.participant), LEAD) == "not_on_stage"


def test_an_assistant_takes_only_the_own_class_off_the_stage(lesson: Lesson) -> None:
    own = lesson.join("assistant", Role.ASSISTANT, "room-1")
    other = Actor(ParticipantId("stranger"), Role.ASSISTANT, RoomId("room-2"))
    lesson.do(CallOn(ParticipantId("room-1")), LEAD)
    lesson.do(CallOn(ParticipantId("home-1")), LEAD)
    assert code_of(lesson, LeaveStage(ParticipantId("room-1")), other) == "forbidden"
    lesson.do(LeaveStage(ParticipantId("room-1")), own)
    lesson.do(LeaveStage(ParticipantId("home-1")), own)
    assert lesson.state.stage == []


def test_nobody_publishes_what_the_role_may_not(lesson: Lesson) -> None:
    with pytest.raises(Forbidden):
        lesson.do(StartPublication(ParticipantId("room-1"), "screen"))
    lesson.do(StartPublication(ParticipantId("room-1"), "camera"))
    assert lesson.do(StartPublication(ParticipantId("room-1"), "camera")) == []
    lesson.do(EndPublication(ParticipantId("room-1"), "camera"))
    assert lesson.state.seats[ParticipantId("room-1")].sources == []


def test_the_close_ends_everything_and_nothing_follows(lesson: Lesson) -> None:
    lesson.do(CallOn(ParticipantId("room-1")), LEAD)
    lesson.do(CloseLesson(), LEAD)
    assert lesson.state.phase == "closed"
    assert lesson.state.stage == []
    assert {seat.presence for seat in lesson.state.seats.values()} == {"left"}
    assert code_of(lesson, OpenLesson(), LEAD) == "lesson_closed"
    assert code_of(lesson, Join(ParticipantId("late"), Role.ROOM), SYSTEM) == "lesson_closed"
    with pytest.raises(InvalidState):
        apply(lesson.state, LessonOpened(ParticipantId("lead")), 0, EventSeq(lesson.state.seq + 1))


def test_an_event_out_of_order_is_refused(lesson: Lesson) -> None:
    with pytest.raises(InvalidState):
        apply(lesson.state, LessonOpened(ParticipantId("lead")), 0, EventSeq(lesson.state.seq + 2))


def test_another_role_of_the_same_person_starts_from_nothing(lesson: Lesson) -> None:
    lesson.do(CallOn(ParticipantId("home-1")), LEAD)
    lesson.do(StartPublication(ParticipantId("home-1"), "camera"))
    lesson.do(Join(ParticipantId("home-1"), Role.OBSERVER))
    seat = lesson.state.seats[ParticipantId("home-1")]
    assert (seat.role, seat.sources) == (Role.OBSERVER, [])
    assert lesson.state.stage == []


@settings(max_examples=150, deadline=None)
@given(steps)
def test_whatever_is_asked_the_lesson_stays_sound(found: list[tuple[LessonCommand, Actor]]) -> None:
    state = play(found).state
    assert len(state.stage) <= MAX_STAGE
    assert len({place.participant for place in state.stage}) == len(state.stage)
    assert len({place.index for place in state.stage}) == len(state.stage)
    for place in state.stage:
        assert state.seats[place.participant].presence != "left"
        assert state.seats[place.participant].role in {
            Role.ROOM,
            Role.HOME_LEARNER,
            Role.HOME_GROUP,
        }
    for seat in state.seats.values():
        assert set(seat.sources) <= set(may_publish(seat.role))
        assert len(set(seat.sources)) == len(seat.sources)
        assert seat.presence != "left" or not seat.sources
        assert (seat.presence == "lost") == (seat.lost_at > 0)


@settings(max_examples=150, deadline=None)
@given(steps, st.integers(0, 60))
def test_a_replay_gives_the_same_lesson_also_from_a_snapshot(
    found: list[tuple[LessonCommand, Actor]], cut: int
) -> None:
    lesson = play(found)
    again = LessonState(LessonId("algebra"), PLAN)
    for number, (event, at) in enumerate(lesson.log, 1):
        if number == cut:
            again = snapshot.decode(PLAN, snapshot.encode(again))
        apply(again, event, at, EventSeq(number))
    assert again == lesson.state
    assert list(again.seats) == list(lesson.state.seats)


@settings(max_examples=50, deadline=None)
@given(steps)
def test_deciding_changes_nothing(found: list[tuple[LessonCommand, Actor]]) -> None:
    lesson = play(found)
    before = snapshot.encode(lesson.state)
    for command, actor in found:
        try:
            first = handle(lesson.state, command, actor, 1.0)
        except SignalingError:
            continue
        assert handle(lesson.state, command, actor, 1.0) == first
    assert snapshot.encode(lesson.state) == before
