"""Attendance in parts, answers and tallies: nobody is counted twice."""

from __future__ import annotations

import pytest

from hosting.lesson import Lesson
from hosting.tools import CHILDREN, HELPERS, HOMES, LEAD, POINT, ROOM_1, ROOM_2, full_lesson, join
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import PersonId
from twinclass_signaling.lesson.commands import Actor, Leave, LessonCommand, Lose, Tick
from twinclass_signaling.lesson.roster_board import class_counts
from twinclass_signaling.lesson.tool_board import all_views
from twinclass_signaling.lesson.tool_events import QuizClosed, QuizTallied
from twinclass_signaling.lesson.tools import quiz
from twinclass_signaling.lesson.visibility import viewer_of
from twinclass_signaling.tool_commands import (
    AnswerQuiz,
    CloseQuiz,
    MarkAttendance,
    OpenQuiz,
    ReleaseQuiz,
    RollCall,
    TallyQuiz,
)
from twinclass_signaling.tool_views import QuizView, ToolViews

PUPIL = PersonId("pupil-1")
HOME = PersonId("home-1")
FOUR = OpenQuiz("single", "选哪个？", ("甲", "乙", "丙", "丁"), (0,))


def code_of(lesson: Lesson, command: LessonCommand, who: Actor) -> str:
    with pytest.raises(SignalingError) as caught:
        lesson.do(command, who)
    return caught.value.code


def views(lesson: Lesson, who: Actor) -> ToolViews:
    viewer = viewer_of(lesson.state, who.participant)
    assert viewer is not None
    return all_views(lesson.state, viewer, {})


def question(lesson: Lesson, who: Actor) -> QuizView:
    found = views(lesson, who).quiz.current
    assert found is not None
    return found


def parts(lesson: Lesson, pupil: PersonId) -> list[tuple[str, float]]:
    return [(part.mode, part.start) for part in lesson.state.tools.attendance.parts[pupil]]


# ---- attendance ---------------------------------------------------------------------------


def test_a_roll_call_tells_exceptions_only() -> None:
    lesson = full_lesson(live=False)
    lesson.do(RollCall(absent=(PUPIL,), late=(PersonId("pupil-2"),)), HELPERS[0])
    counted = class_counts(lesson.state, ROOM_1)
    assert (counted.in_room, counted.absent, counted.late) == (7, 1, 1)
    # One on the roster, one guest, five at the group's screen.
    assert (counted.home, counted.home_here) == (7, 7)
    assert counted.expected == 14
    lesson.do(MarkAttendance(PUPIL, "in_room", late=True), HELPERS[0])
    assert class_counts(lesson.state, ROOM_1).in_room == 8


def test_a_class_without_a_roster_is_counted_by_heads() -> None:
    lesson = full_lesson()
    assert code_of(lesson, RollCall(), HELPERS[1]) == "count_needed"
    assert code_of(lesson, RollCall(present=201), HELPERS[1]) == "count_out_of_range"
    lesson.do(RollCall(present=38), HELPERS[1])
    assert class_counts(lesson.state, ROOM_2).in_room == 38
    assert class_counts(lesson.state, ROOM_2).expected == 40


def test_a_roll_call_names_pupils_of_the_own_class_only() -> None:
    lesson = full_lesson()
    assert code_of(lesson, RollCall(absent=(PersonId("stranger"),)), HELPERS[0]) == "unknown_pupil"
    assert code_of(lesson, MarkAttendance(PUPIL, "absent"), HELPERS[1]) == "unknown_pupil"


def test_a_pupil_who_arrives_has_one_record_in_two_parts() -> None:
    lesson = full_lesson()
    lesson.do(RollCall(), HELPERS[0])
    before = class_counts(lesson.state, ROOM_1)
    lesson.now += 720
    events = lesson.do(MarkAttendance(HOME, "in_room"), HELPERS[0])
    assert [str(type(event).__struct_config__.tag) for event in events] == [
        "attendance_changed",
        "participant_left",
    ]
    assert [mode for mode, _ in parts(lesson, HOME)] == ["home", "in_room"]
    after = class_counts(lesson.state, ROOM_1)
    assert before.in_room is not None
    assert (after.in_room, after.home) == (before.in_room + 1, before.home - 1)
    assert code_of(lesson, join(HOMES[0]), LEAD) == "arrived"
    lesson.do(MarkAttendance(HOME, "home"), HELPERS[0])
    lesson.do(join(HOMES[0]))
    assert [mode for mode, _ in parts(lesson, HOME)] == ["home", "in_room", "home"]


def test_a_guest_at_home_who_arrives_is_counted_on_top_of_the_heads() -> None:
    lesson = full_lesson()
    lesson.do(RollCall(present=38), HELPERS[1])
    lesson.do(MarkAttendance(PersonId("home-2"), "in_room"), HELPERS[1])
    counted = class_counts(lesson.state, ROOM_2)
    assert (counted.in_room, counted.home) == (39, 0)


def test_a_line_that_is_lost_does_not_break_attendance() -> None:
    lesson = full_lesson()
    for _ in range(3):
        lesson.do(Lose(HOMES[0].participant))
        lesson.do(join(HOMES[0]))
    lesson.do(Leave(HOMES[0].participant, "timeout"))
    lesson.do(join(HOMES[0]))
    assert [mode for mode, _ in parts(lesson, HOME)] == ["home"]


def test_children_of_one_screen_have_attendance_each() -> None:
    lesson = full_lesson()
    lesson.do(MarkAttendance(CHILDREN[0], "absent"), HELPERS[0])
    seen = {child.id: child.mode for child in views(lesson, POINT).attendance.pupils}
    assert seen == dict.fromkeys(CHILDREN, "home_group") | {CHILDREN[0]: "absent"}


def test_a_pupil_is_told_of_herself_and_an_assistant_of_her_class() -> None:
    lesson = full_lesson()
    assert [child.id for child in views(lesson, HOMES[0]).attendance.pupils] == [HOME]
    assert len(views(lesson, HELPERS[0]).attendance.pupils) == 8 + 1 + 5 + 1
    assert not views(lesson, LEAD).attendance.pupils
    assert len(views(lesson, LEAD).attendance.classes) == 3
    assert [one.room for one in views(lesson, HELPERS[0]).attendance.classes] == [ROOM_1]


# ---- quiz ---------------------------------------------------------------------------------


def test_bars_are_of_rooms_and_one_of_homes_and_missing_rooms_are_named() -> None:
    lesson = full_lesson()
    lesson.do(RollCall(present=40), HELPERS[1])
    lesson.do(FOUR, LEAD)
    lesson.do(AnswerQuiz(1, (0,)), HOMES[0])
    lesson.do(AnswerQuiz(1, (2,)), HOMES[1])
    lesson.do(AnswerQuiz(1, (1,), child=CHILDREN[0]), POINT)
    lesson.do(AnswerQuiz(1, (1,), child=CHILDREN[1]), POINT)
    lesson.do(TallyQuiz(1, (30, 5, 3, 2)), HELPERS[1])
    now = question(lesson, LEAD)
    assert now.missing == ("room-1", "room-3")
    bars = {bar.room: bar.counts for bar in now.bars if bar.counts}
    assert bars == {ROOM_2: (30, 5, 3, 2), None: (1, 2, 1, 0)}
    assert now.totals == (31, 7, 4, 2)
    assert question(lesson, HOMES[0]).totals == ()
    assert question(lesson, HOMES[0]).correct == ()
    lesson.do(ReleaseQuiz(1), LEAD)
    assert question(lesson, HOMES[0]).totals == (31, 7, 4, 2)
    assert question(lesson, HOMES[0]).correct == (0,)
    assert question(lesson, HOMES[0]).bars == ()


def test_an_answer_may_be_changed_until_the_close_and_counts_once() -> None:
    lesson = full_lesson()
    lesson.do(FOUR, LEAD)
    lesson.do(AnswerQuiz(1, (0,)), HOMES[0])
    lesson.do(Lose(HOMES[0].participant))
    lesson.do(join(HOMES[0]))
    assert question(lesson, HOMES[0]).answers[0].choices == (0,)
    lesson.do(AnswerQuiz(1, (3,)), HOMES[0])
    assert lesson.do(AnswerQuiz(1, (3,)), HOMES[0]) == []
    assert question(lesson, LEAD).totals == (0, 0, 0, 1)
    lesson.do(CloseQuiz(), LEAD)
    assert code_of(lesson, AnswerQuiz(1, (0,)), HOMES[0]) == "quiz_closed"


def test_a_pupil_who_arrives_is_in_the_tally_and_not_counted_from_home_again() -> None:
    lesson = full_lesson()
    lesson.do(RollCall(), HELPERS[0])
    lesson.do(FOUR, LEAD)
    lesson.do(AnswerQuiz(1, (0,)), HOMES[0])
    lesson.do(MarkAttendance(HOME, "in_room"), HELPERS[0])
    assert question(lesson, LEAD).totals == (1, 0, 0, 0)
    lesson.do(TallyQuiz(1, (9, 0, 0, 0)), HELPERS[0])
    assert question(lesson, LEAD).totals == (9, 0, 0, 0)


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        ((38, 0, 0, 0), "good"),
        ((40, 2, 0, 0), "good"),
        ((37, 0, 0, 0), "warning"),
        ((0, 0, 0, 0), "warning"),
        ((43, 0, 0, 0), "tally_exceeds_presence"),
        ((40, 40, 40, 40), "tally_exceeds_presence"),
        ((1, 2, 3), "tally_malformed"),
    ],
)
def test_a_tally_is_checked_against_presence(counts: tuple[int, ...], outcome: str) -> None:
    lesson = full_lesson()
    lesson.do(RollCall(present=40), HELPERS[1])
    lesson.do(FOUR, LEAD)
    if outcome in {"good", "warning"}:
        (told,) = lesson.do(TallyQuiz(1, counts), HELPERS[1])
        assert isinstance(told, QuizTallied)
        assert told.warning == (outcome == "warning")
    else:
        assert code_of(lesson, TallyQuiz(1, counts), HELPERS[1]) == outcome


def test_a_question_closes_by_itself_and_names_who_is_missing() -> None:
    lesson = full_lesson()
    lesson.do(OpenQuiz("judge", "对吗？", correct=(0,), seconds=30), LEAD)
    assert lesson.do(Tick()) == []
    lesson.now += 30
    (closed,) = lesson.do(Tick())
    assert isinstance(closed, QuizClosed)
    assert (closed.cause, len(closed.missing)) == ("time", 3)
    lesson.do(TallyQuiz(1, (20, 1)), HELPERS[1])
    assert question(lesson, LEAD).totals == (20, 1)


def test_numbers_are_right_or_wrong() -> None:
    lesson = full_lesson()
    lesson.do(OpenQuiz("number", "多少？", correct_number=0.3), LEAD)
    lesson.do(AnswerQuiz(1, number=0.1 + 0.2), HOMES[0])
    lesson.do(AnswerQuiz(1, number=-1), HOMES[1])
    assert question(lesson, LEAD).totals == (1, 1)
    assert code_of(lesson, AnswerQuiz(1, number=float("nan")), HOMES[2]) == "answer_malformed"


@pytest.mark.parametrize(
    "wrong",
    [
        OpenQuiz("single", "题", ("甲",)),
        OpenQuiz("single", "题", ("甲",) * 9),
        OpenQuiz("single", "题", ("甲", "乙"), (2,)),
        OpenQuiz("single", "题", ("甲", "乙"), (0, 1)),
        OpenQuiz("judge", "题", ("甲", "乙")),
        OpenQuiz("number", "题", correct_number=float("inf")),
        OpenQuiz("judge", "题", seconds=601),
    ],
)
def test_a_question_that_is_none_is_refused(wrong: OpenQuiz) -> None:
    assert code_of(full_lesson(), wrong, LEAD) == "quiz_malformed"


def test_only_homes_answer_and_only_for_themselves() -> None:
    lesson = full_lesson()
    lesson.do(FOUR, LEAD)
    assert code_of(lesson, AnswerQuiz(1, (0,)), HELPERS[0]) == "forbidden"
    assert code_of(lesson, AnswerQuiz(1, (0,), child=PUPIL), HOMES[0]) == "unknown_pupil"
    assert code_of(lesson, AnswerQuiz(1, (0,)), POINT) == "unknown_pupil"
    assert code_of(lesson, AnswerQuiz(1, (0,), child=PUPIL), POINT) == "unknown_pupil"
    assert code_of(lesson, AnswerQuiz(2, (0,)), HOMES[0]) == "no_quiz"
    assert code_of(lesson, AnswerQuiz(1, (0, 1)), HOMES[0]) == "answer_malformed"
    assert code_of(lesson, AnswerQuiz(1, (4,)), HOMES[0]) == "answer_malformed"


def test_a_lesson_has_at_most_fifty_questions() -> None:
    lesson = full_lesson()
    for number in range(1, quiz.MAX_QUIZZES + 1):
        lesson.do(FOUR, LEAD)
        assert code_of(lesson, FOUR, LEAD) == "quiz_open"
        lesson.do(ReleaseQuiz(number), LEAD)
    assert code_of(lesson, FOUR, LEAD) == "quiz_limit"
