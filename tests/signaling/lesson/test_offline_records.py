"""Taken down without a line, merged on return: nothing lost, nothing twice, the newer stands."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hosting.lesson import Lesson
from hosting.tools import HELPERS, HOMES, LEAD, PEOPLE, ROOM_1, ROOM_2, ROOMS, full_lesson, join
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import ParticipantId, PersonId
from twinclass_signaling.lesson import snapshot
from twinclass_signaling.lesson.commands import Actor, Leave, LessonCommand, Lose
from twinclass_signaling.lesson.roster_board import class_counts
from twinclass_signaling.lesson.tool_board import all_views
from twinclass_signaling.lesson.tool_events import (
    AttendanceChanged,
    OfflineRecorded,
    QuizTallied,
    RollCalled,
)
from twinclass_signaling.lesson.tools import offline
from twinclass_signaling.lesson.visibility import viewer_of
from twinclass_signaling.messages import CloseLesson
from twinclass_signaling.offline_records import (
    OfflineCount,
    OfflineHands,
    OfflineRecord,
    OfflineRoll,
    OfflineTally,
)
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import (
    CloseQuiz,
    MarkAttendance,
    OpenQuiz,
    RecordOffline,
    ReleaseQuiz,
    RollCall,
    TallyQuiz,
)
from twinclass_signaling.tool_views import OfflineRecordView

HELPER = HELPERS[0]
PUPILS = [PersonId(f"pupil-{n}") for n in range(1, 9)]
FOUR = OpenQuiz("single", "选哪个？", ("甲", "乙", "丙", "丁"), (0,))
#: A new device of the same room.
SECOND = Actor(ParticipantId("helper-1b"), Role.ASSISTANT, ROOM_1)


def key(number: int) -> str:
    return f"00000000-{number:04d}"


THREE_HANDS = OfflineHands(3)


def record(number: int, taken_at: float, what: OfflineRecord = THREE_HANDS) -> RecordOffline:
    return RecordOffline(key(number), taken_at, what)


def code_of(lesson: Lesson, command: LessonCommand, who: Actor = HELPER) -> str:
    before = (snapshot.encode(lesson.state), len(lesson.log))
    with pytest.raises(SignalingError) as caught:
        lesson.do(command, who)
    assert (snapshot.encode(lesson.state), len(lesson.log)) == before
    return caught.value.code


def records(lesson: Lesson, who: Actor = HELPER) -> tuple[OfflineRecordView, ...]:
    viewer = viewer_of(lesson.state, who.participant)
    assert viewer is not None
    return all_views(lesson.state, viewer, {}).offline.records


def modes(lesson: Lesson) -> dict[PersonId, str]:
    viewer = viewer_of(lesson.state, HELPER.participant)
    assert viewer is not None
    return {one.id: one.mode for one in all_views(lesson.state, viewer, {}).attendance.pupils}


def tallies(lesson: Lesson) -> list[tuple[tuple[int, ...], float]]:
    question = lesson.state.tools.quiz
    assert question is not None
    return [(one.counts, one.at) for one in question.tallies.values()]


def away(lesson: Lesson, seconds: float) -> float:
    """The room and its assistant are gone for so long; returns when they went."""
    gone = lesson.now
    for who in (HELPER, ROOMS[0]):
        lesson.do(Lose(who.participant))
    if seconds > 60:
        for who in (HELPER, ROOMS[0]):
            lesson.do(Leave(who.participant, "timeout"))
    lesson.now = gone + seconds
    for who in (ROOMS[0], HELPER):
        lesson.do(join(who))
    return gone


# ---- what is merged -----------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [20, 360])
def test_a_roll_holds_from_the_second_at_which_it_was_called(seconds: float) -> None:
    lesson = full_lesson()
    taken = away(lesson, seconds) + 10
    events = lesson.do(record(1, taken, OfflineRoll((PUPILS[0],), (PUPILS[1],))), HELPER)
    assert [type(one) for one in events] == [
        OfflineRecorded,
        AttendanceChanged,
        AttendanceChanged,
        RollCalled,
    ]
    parts = lesson.state.tools.attendance.parts[PUPILS[0]]
    assert [(one.mode, one.start) for one in parts] == [("absent", taken)]
    counted = class_counts(lesson.state, ROOM_1)
    assert (counted.in_room, counted.absent, counted.late) == (7, 1, 1)
    assert counted.roll_called_at == taken
    assert records(lesson) == (OfflineRecordView(key(1), "roll", taken, "merged", 0),)
    assert lesson.state.tools.attendance.rolls[ROOM_1].last_at == taken


def test_heads_of_a_class_without_a_roster_are_merged() -> None:
    lesson = full_lesson()
    lesson.now += 60
    assert code_of(lesson, record(1, lesson.now, OfflineRoll()), HELPERS[1]) == "count_needed"
    lesson.do(record(1, lesson.now - 20, OfflineRoll(present=38)), HELPERS[1])
    assert class_counts(lesson.state, ROOM_2).in_room == 38


def test_a_tally_of_the_open_question_is_merged_with_its_time() -> None:
    lesson = full_lesson()
    lesson.do(FOUR, LEAD)
    taken = away(lesson, 360) + 30
    lesson.do(CloseQuiz(), LEAD)
    events = lesson.do(record(1, taken, OfflineTally(1, (5, 2, 1, 0))), HELPER)
    assert isinstance(events[1], QuizTallied)
    assert events[1].taken_at == taken
    assert lesson.state.tools.quiz is not None
    assert lesson.state.tools.quiz.tallies[ROOM_1].at == taken


def test_a_tally_that_cannot_be_checked_any_more_is_marked_and_not_lost() -> None:
    lesson = full_lesson()
    lesson.do(FOUR, LEAD)
    lesson.do(RollCall(), HELPER)
    taken = away(lesson, 60) + 30
    told = lesson.do(record(1, taken, OfflineTally(1, (20, 0, 0, 0))), HELPER)[1]
    assert isinstance(told, QuizTallied)
    assert told.warning


def test_counts_and_hands_of_then_change_nothing_now() -> None:
    lesson = full_lesson()
    taken = away(lesson, 60) + 5
    assert len(lesson.do(record(1, taken, OfflineCount((30, 4))), HELPER)) == 1
    assert len(lesson.do(record(2, taken, OfflineHands(7)), HELPER)) == 1
    assert lesson.state.tools.hands == []
    assert [(one.kind, one.outcome) for one in records(lesson)] == [
        ("count", "merged"),
        ("hands", "merged"),
    ]


# ---- once ---------------------------------------------------------------------------------


def test_a_key_is_recorded_once_whoever_brings_it() -> None:
    lesson = full_lesson()
    lesson.do(join(SECOND))
    lesson.now += 60
    first = record(1, lesson.now - 30, OfflineRoll((PUPILS[0],)))
    assert lesson.do(first, HELPER)
    assert lesson.do(first, HELPER) == []
    assert lesson.do(first, SECOND) == []
    assert code_of(lesson, record(1, lesson.now, OfflineHands(2))) == "offline_key_reused"
    # Another class has keys of its own: nobody can use up somebody else's.
    assert lesson.do(record(1, lesson.now, OfflineHands(2)), HELPERS[1])


def test_a_roll_that_was_sent_online_after_all_is_not_called_twice() -> None:
    """The answer was lost with the line: the device brings it again as taken down offline."""
    lesson = full_lesson()
    pressed = lesson.now + 1
    lesson.do(RollCall((PUPILS[0],)), HELPER)
    away(lesson, 90)
    assert len(lesson.do(record(1, pressed, OfflineRoll((PUPILS[0],))), HELPER)) == 1
    assert records(lesson)[0].outcome == "superseded"


# ---- what was told later stands -----------------------------------------------------------


def test_a_roll_that_another_device_called_since_stands() -> None:
    lesson = full_lesson()
    lesson.do(join(SECOND))
    taken = away(lesson, 120) + 5
    lesson.do(RollCall((PUPILS[1],)), SECOND)
    assert len(lesson.do(record(1, taken, OfflineRoll((PUPILS[0],))), HELPER)) == 1
    assert records(lesson)[0].outcome == "superseded"
    assert (modes(lesson)[PUPILS[0]], modes(lesson)[PUPILS[1]]) == ("in_room", "absent")


def test_a_pupil_of_whom_something_was_told_since_stays_as_she_is() -> None:
    lesson = full_lesson()
    lesson.do(join(SECOND))
    gone = away(lesson, 120)
    lesson.do(MarkAttendance(PUPILS[0], "absent"), SECOND)
    lesson.do(MarkAttendance(PUPILS[0], "in_room", late=True), SECOND)
    events = lesson.do(record(1, gone + 5, OfflineRoll((PUPILS[0], PUPILS[2]))), HELPER)
    assert isinstance(events[0], OfflineRecorded)
    assert events[0].kept == (PUPILS[0],)
    called = events[-1]
    assert isinstance(called, RollCalled)
    assert called.present == class_counts(lesson.state, ROOM_1).in_room == 7
    assert (modes(lesson)[PUPILS[0]], modes(lesson)[PUPILS[2]]) == ("in_room", "absent")
    assert records(lesson)[0].kept == 1


def test_a_newer_tally_stands() -> None:
    lesson = full_lesson()
    lesson.do(join(SECOND))
    lesson.do(FOUR, LEAD)
    taken = away(lesson, 60) + 5
    lesson.do(TallyQuiz(1, (4, 4, 0, 0)), SECOND)
    assert len(lesson.do(record(1, taken, OfflineTally(1, (8, 0, 0, 0))), HELPER)) == 1
    assert records(lesson)[0].outcome == "superseded"
    assert lesson.state.tools.quiz is not None
    assert lesson.state.tools.quiz.tallies[ROOM_1].counts == (4, 4, 0, 0)


def test_a_result_that_everybody_has_seen_does_not_change() -> None:
    lesson = full_lesson()
    lesson.do(FOUR, LEAD)
    taken = away(lesson, 60) + 5
    lesson.do(ReleaseQuiz(1), LEAD)
    lesson.do(record(1, taken, OfflineTally(1, (8, 0, 0, 0))), HELPER)
    lesson.do(FOUR, LEAD)
    lesson.do(record(2, taken + 1, OfflineTally(1, (8, 0, 0, 0))), HELPER)
    assert [one.outcome for one in records(lesson)] == ["question_over", "question_over"]
    assert lesson.state.tools.quiz is not None
    assert lesson.state.tools.quiz.tallies == {}


# ---- what is refused ----------------------------------------------------------------------


def test_times_outside_the_lesson_are_refused() -> None:
    lesson = full_lesson()
    opened = lesson.state.opened_at
    assert opened is not None
    lesson.now = opened + 3600
    for taken in (opened - 60, lesson.now + 60, -1.0, 1e300, math.inf, math.nan):
        assert code_of(lesson, record(1, taken)) == "offline_time"
    assert code_of(lesson, record(1, opened - 2000, OfflineRoll())) == "offline_time"
    lesson.do(record(1, opened - 900, OfflineRoll()), HELPER)  # Called before the bell.
    lesson.do(record(2, lesson.now + 4), HELPER)
    assert records(lesson)[1].taken_at == lesson.now
    lesson.do(record(3, opened - 4), HELPER)
    assert records(lesson)[2].taken_at == opened
    lesson.do(FOUR, LEAD)
    early = record(4, lesson.now - 60, OfflineTally(1, (1, 0, 0, 0)))
    assert code_of(lesson, early) == "offline_time"


def test_before_the_bell_only_the_roll_is_taken() -> None:
    lesson = full_lesson(live=False)
    assert code_of(lesson, record(1, lesson.now)) == "not_live"
    lesson.do(record(1, lesson.now - 10, OfflineRoll()), HELPER)
    assert class_counts(lesson.state, ROOM_1).in_room == 8


def test_what_cannot_be_is_refused() -> None:
    lesson = full_lesson()
    lesson.do(FOUR, LEAD)
    lesson.now += 60
    now = lesson.now
    wrong: list[tuple[OfflineRecord, str]] = [
        (OfflineRoll((PersonId("nobody"),)), "unknown_pupil"),
        (OfflineRoll((PUPILS[0],), (PUPILS[0],)), "unknown_pupil"),
        (OfflineTally(0, (1, 0, 0, 0)), "no_quiz"),
        (OfflineTally(2, (1, 0, 0, 0)), "no_quiz"),
        (OfflineTally(1, (1, 0)), "tally_malformed"),
        (OfflineTally(1, ()), "tally_malformed"),
        (OfflineTally(1, (201, 0, 0, 0)), "count_out_of_range"),
        (OfflineTally(1, (150, 150, 0, 0)), "count_out_of_range"),
        (OfflineCount((1,)), "tally_malformed"),
        (OfflineCount((1,) * 9), "tally_malformed"),
        (OfflineCount((0, 0)), "count_out_of_range"),
        (OfflineHands(0), "count_out_of_range"),
        (OfflineHands(201), "count_out_of_range"),
    ]
    for what, code in wrong:
        assert code_of(lesson, record(1, now, what)) == code, what


def test_only_the_assistant_of_the_class_brings_records() -> None:
    lesson = full_lesson()
    for who in PEOPLE:
        if who not in HELPERS:
            assert code_of(lesson, record(1, lesson.now), who) == "forbidden", who
    without = Actor(ParticipantId("free"), Role.ASSISTANT)
    assert code_of(lesson, record(1, lesson.now), without) == "forbidden"
    lesson.do(record(1, lesson.now), HELPER)
    for who in [LEAD, *ROOMS, HELPERS[1], *HOMES]:
        assert records(lesson, who) == ()
    lesson.do(CloseLesson(), LEAD)
    assert code_of(lesson, record(2, lesson.now)) == "lesson_closed"


def test_a_class_s_records_are_bounded() -> None:
    lesson = full_lesson()
    for number in range(offline.MAX_RECORDS):
        lesson.do(record(number, lesson.now), HELPER)
    assert code_of(lesson, record(1000, lesson.now)) == "offline_limit"
    assert lesson.do(record(0, lesson.now), HELPER) == []  # Known is known.
    lesson.do(record(1000, lesson.now), HELPERS[1])


# ---- any order ----------------------------------------------------------------------------

pupils = st.lists(st.sampled_from(PUPILS), max_size=3, unique=True).map(tuple)
taken_records = st.lists(
    st.one_of(
        st.builds(OfflineRoll, absent=pupils),
        st.builds(OfflineTally, st.just(1), st.tuples(*[st.integers(0, 3)] * 4)),
        st.builds(OfflineHands, st.integers(1, 8)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(taken_records, st.randoms(use_true_random=False), st.integers(0, 8))
def test_in_whatever_order_and_however_often_they_come_in(
    found: list[OfflineRecord], chance: random.Random, online: int
) -> None:
    """Device clocks count; where the last word is online, it is the last word."""

    def merged(order: list[int]) -> Lesson:
        lesson = full_lesson()
        lesson.do(join(SECOND))
        lesson.do(FOUR, LEAD)
        gone = away(lesson, 100)
        lesson.now = gone + 3 + 10 * online
        lesson.do(MarkAttendance(PUPILS[0], "absent"), SECOND)
        lesson.now = gone + 200
        for number in order:
            lesson.do(record(number, gone + 10 * (number + 1), found[number]), HELPER)
        return lesson

    ordered = list(range(len(found)))
    mixed = ordered + chance.choices(ordered, k=len(ordered))
    chance.shuffle(mixed)
    straight, other = merged(ordered), merged(mixed)
    for lesson in (straight, other):
        keys = [one.key for one, _ in lesson.log if isinstance(one, OfflineRecorded)]
        assert sorted(keys) == [key(number) for number in ordered]
        for parts in lesson.state.tools.attendance.parts.values():
            assert all(a.start <= b.start for a, b in pairwise(parts))
        again = snapshot.copy(lesson.state)
        assert snapshot.encode(again) == snapshot.encode(lesson.state)
    assert modes(straight) == modes(other)
    assert tallies(straight) == tallies(other)
