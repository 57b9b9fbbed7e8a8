"""A question as one client may see it."""

from __future__ import annotations

from collections.abc import Mapping

from twinclass_signaling.ids import ParticipantId, PersonId
from twinclass_signaling.lesson.state import HOME_ROLES, LessonState
from twinclass_signaling.lesson.tool_state import Quiz
from twinclass_signaling.lesson.tools.attendance import in_room
from twinclass_signaling.lesson.tools.checks import rooms_here
from twinclass_signaling.lesson.tools.quiz import (
    count,
    counted_answers,
    missing,
    totals,
)
from twinclass_signaling.lesson.visibility import Person, Viewer
from twinclass_signaling.tool_views import QuizAnswerView, QuizBar, QuizView, QuizzesView


def quiz_view(state: LessonState, viewer: Viewer, _: Mapping[ParticipantId, Person]) -> QuizzesView:
    """Returns the last question."""
    quiz = state.tools.quiz
    if quiz is None:
        return QuizzesView(None, state.tools.quizzes)
    knows = viewer.is_staff or quiz.state == "released"
    found = QuizView(
        id=quiz.id,
        kind=quiz.kind,
        text=quiz.text,
        options=quiz.options,
        state=quiz.state,
        opened_at=quiz.opened_at,
        closes_at=quiz.closes_at,
        correct=quiz.correct if knows else (),
        correct_number=quiz.correct_number if knows else None,
        answers=_own_answers(state, quiz, viewer),
        answered=len(counted_answers(state, quiz)) if viewer.is_staff else 0,
        totals=totals(state, quiz) if knows else (),
        bars=_bars(state, quiz) if viewer.is_staff else (),
        missing=missing(state, quiz) if viewer.is_staff else (),
    )
    return QuizzesView(found, state.tools.quizzes)


def _own_answers(state: LessonState, quiz: Quiz, viewer: Viewer) -> tuple[QuizAnswerView, ...]:
    if viewer.role not in HOME_ROLES:
        return ()
    children = [child.id for child in state.children(viewer.participant)]
    pupils = children or [PersonId(viewer.participant)]
    return tuple(
        QuizAnswerView(pupil, quiz.answers[pupil].choices, quiz.answers[pupil].number)
        for pupil in pupils
        if pupil in quiz.answers
    )


def _bars(state: LessonState, quiz: Quiz) -> tuple[QuizBar, ...]:
    rooms = dict.fromkeys([*rooms_here(state), *quiz.tallies])
    bars: list[QuizBar] = []
    for room in rooms:
        present = in_room(state, room)
        tally = quiz.tallies.get(room)
        if tally is None:
            bars.append(QuizBar(room, (), present, "none", False))
        else:
            bars.append(QuizBar(room, tally.counts, present, "tally", tally.warning))
    answers = counted_answers(state, quiz)
    homes = sum(
        len(state.children(participant)) or 1
        for participant, seat in state.seats.items()
        if seat.role in HOME_ROLES and seat.presence == "present"
    )
    if homes or answers:
        given = count(quiz, answers)
        bars.append(QuizBar(None, given, homes, "devices" if answers else "none", False))
    return tuple(bars)
