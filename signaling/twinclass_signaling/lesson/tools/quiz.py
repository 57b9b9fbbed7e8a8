"""Questions: answers of devices, tallies of rooms without devices, bars and results.

An answer belongs to a pupil, not to a device or a session: however often a line is lost, it
counts once. A room's tally counts cards; a pupil who has arrived in the room before it was taken
is in the tally, and her answer from home is no longer counted.
"""

from __future__ import annotations

import math

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.commands import SYSTEM, Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.plan import MAX_PUPILS
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tool_events import (
    EndCause,
    QuizAnswered,
    QuizClosed,
    QuizOpened,
    QuizReleased,
    QuizTallied,
)
from twinclass_signaling.lesson.tool_state import Answer, Quiz, Tally
from twinclass_signaling.lesson.tools.attendance import in_room, is_at_group
from twinclass_signaling.lesson.tools.checks import (
    clean,
    forbidden,
    must_be_live,
    rooms_here,
    unknown_pupil,
)
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import (
    AnswerQuiz,
    CloseQuiz,
    OpenQuiz,
    ReleaseQuiz,
    TallyQuiz,
)

QuizCommand = OpenQuiz | AnswerQuiz | TallyQuiz | CloseQuiz | ReleaseQuiz
QuizEvent = QuizOpened | QuizAnswered | QuizTallied | QuizClosed | QuizReleased

MAX_OPTIONS = 8
#: One a minute of a long lesson; a page of results is not longer.
MAX_QUIZZES = 50
MAX_TEXT, MAX_OPTION_TEXT = 500, 80
MAX_SECONDS = 600
#: Cards that are miscounted or a pupil at the door; more is a wrong count.
TOLERANCE = 2


# ---- questions ----------------------------------------------------------------------------


def fields_of(quiz: Quiz) -> int:
    """Returns how many numbers a count has: one an option; yes, no; right, wrong."""
    return len(quiz.options) or 2


def counted_answers(state: LessonState, quiz: Quiz) -> list[Answer]:
    """Returns the answers that count beside the tallies."""
    parts = state.tools.attendance.parts
    counted: list[Answer] = []
    for pupil, answer in quiz.answers.items():
        part = parts.get(pupil, [None])[-1]
        if part is not None and part.mode == "in_room" and part.room is not None:
            tally = quiz.tallies.get(part.room)
            if tally is not None and tally.at >= part.start:
                continue
        counted.append(answer)
    return counted


def count(quiz: Quiz, answers: list[Answer]) -> tuple[int, ...]:
    """Returns answers as numbers, as a tally has them."""
    counts = [0] * fields_of(quiz)
    for answer in answers:
        if quiz.kind == "number":
            is_right = (
                quiz.correct_number is not None
                and answer.number is not None
                and math.isclose(answer.number, quiz.correct_number, abs_tol=1e-9)
            )
            counts[0 if is_right else 1] += 1
        else:
            for choice in answer.choices:
                counts[choice] += 1
    return tuple(counts)


def totals(state: LessonState, quiz: Quiz) -> tuple[int, ...]:
    """Returns the sum of all tallies and answers."""
    columns = [count(quiz, counted_answers(state, quiz))]
    columns += [tally.counts for tally in quiz.tallies.values()]
    return tuple(sum(numbers) for numbers in zip(*columns, strict=True))


def missing(state: LessonState, quiz: Quiz) -> tuple[RoomId, ...]:
    """Returns the rooms that are here and have told no tally."""
    return tuple(room for room in rooms_here(state) if room not in quiz.tallies)


# ---- commands -----------------------------------------------------------------------------


def handle(state: LessonState, command: QuizCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    match command:
        case OpenQuiz():
            return [_open(state, command, actor)]
        case AnswerQuiz():
            return _answer(state, command, actor)
        case TallyQuiz():
            return _tally(state, command, actor)
        case CloseQuiz():
            quiz = state.tools.quiz
            if quiz is None or quiz.state != "open":
                raise no_quiz()
            return close(state, "staff", actor)
        case ReleaseQuiz(number):
            quiz = _current(state, number)
            if quiz.state == "released":
                return []
            return [*close(state, "staff", actor), QuizReleased(quiz.id, actor.participant)]


def close(state: LessonState, cause: EndCause, actor: Actor = SYSTEM) -> list[LessonEvent]:
    """Closes an open question."""
    quiz = state.tools.quiz
    if quiz is None or quiz.state != "open":
        return []
    return [QuizClosed(quiz.id, cause, missing(state, quiz), actor.participant)]


def deadline(state: LessonState) -> float | None:
    """Returns when an open question closes by itself."""
    quiz = state.tools.quiz
    return quiz.closes_at if quiz is not None and quiz.state == "open" else None


def _open(state: LessonState, command: OpenQuiz, actor: Actor) -> QuizOpened:
    must_be_live(state)
    quiz = state.tools.quiz
    if quiz is not None and quiz.state == "open":
        raise Conflict("quiz_open", "请先结束上一题。", "Close the question before first.")
    if state.tools.quizzes >= MAX_QUIZZES:
        raise Conflict("quiz_limit", f"一节课最多 {MAX_QUIZZES} 题。", "Too many questions.")
    has_options = command.kind in {"single", "multiple"}
    options = tuple(clean(option, MAX_OPTION_TEXT) for option in command.options)
    fields = len(options) if has_options else 2
    is_right = len(set(command.correct)) == len(command.correct) and all(
        position < fields for position in command.correct
    )
    if (
        (has_options and not 2 <= len(options) <= MAX_OPTIONS)
        or (not has_options and options)
        or not is_right
        or (command.kind in {"single", "judge"} and len(command.correct) > 1)
        or (command.kind == "number" and command.correct)
        or (command.correct_number is not None and not _is_number(command.correct_number))
        or command.seconds > MAX_SECONDS
    ):
        raise Conflict(
            "quiz_malformed",
            f"题目有误：选项 2 到 {MAX_OPTIONS} 个，时间不超过 {MAX_SECONDS} 秒。",
            f"A question has 2 to {MAX_OPTIONS} options and at most {MAX_SECONDS} s.",
        )
    return QuizOpened(
        state.tools.quizzes + 1,
        command.kind,
        clean(command.text, MAX_TEXT, may_be_empty=True),
        options,
        tuple(sorted(command.correct)),
        command.correct_number if command.kind == "number" else None,
        command.seconds,
        actor.participant,
    )


def _answer(state: LessonState, command: AnswerQuiz, actor: Actor) -> list[LessonEvent]:
    quiz = _current(state, command.quiz)
    if quiz.state != "open":
        raise Conflict("quiz_closed", "答题时间已到。", "The question is closed.")
    pupil = _pupil(state, command, actor)
    choices = tuple(sorted(set(command.choices)))
    most = 1 if quiz.kind in {"single", "judge"} else len(quiz.options)
    if quiz.kind == "number":
        is_valid = not choices and command.number is not None and _is_number(command.number)
    else:
        is_valid = (
            command.number is None
            and 1 <= len(choices) <= most
            and all(choice < fields_of(quiz) for choice in choices)
        )
    if not is_valid:
        raise Conflict("answer_malformed", "答案无效，请重选。", "Not an answer; choose again.")
    known = quiz.answers.get(pupil)
    if known is not None and (known.choices, known.number) == (choices, command.number):
        return []
    planned = state.class_of(pupil)
    room = planned.id if planned is not None else actor.room
    return [QuizAnswered(quiz.id, pupil, room, choices, command.number, actor.participant)]


def _pupil(state: LessonState, command: AnswerQuiz, actor: Actor) -> PersonId:
    if actor.role is not Role.HOME_GROUP or not state.children(actor.participant):
        if command.child is not None:
            raise unknown_pupil()
        return PersonId(actor.participant)
    if command.child is None or not is_at_group(state, actor.participant, command.child):
        raise unknown_pupil()
    return command.child


def _tally(state: LessonState, command: TallyQuiz, actor: Actor) -> list[LessonEvent]:
    quiz = _current(state, command.quiz)
    room = actor.room
    if room is None or (
        state.plan.room(ParticipantId(room)) is None and (ParticipantId(room) not in state.seats)
    ):
        raise forbidden()
    if quiz.state == "released":
        raise Conflict("quiz_closed", "结果已公布。", "The result is out already.")
    if len(command.counts) != fields_of(quiz):
        raise malformed_tally(quiz)
    present = in_room(state, room)
    # Of several choices each may be everybody's.
    told = max(command.counts) if quiz.kind == "multiple" else sum(command.counts)
    limit = MAX_PUPILS if present is None else present + TOLERANCE
    if told > limit:
        raise Conflict(
            "tally_exceeds_presence",
            f"报数 {told}，在教室的只有 {limit if present is None else present} 人，请再数一次。",
            f"You told {told}, but only {limit if present is None else present} are in the room.",
        )
    is_off = present is not None and differs(quiz, told, present)
    known = quiz.tallies.get(room)
    if known is not None and known.counts == command.counts:
        return []
    return [QuizTallied(quiz.id, room, command.counts, present, is_off, actor.participant)]


def _current(state: LessonState, number: int) -> Quiz:
    quiz = state.tools.quiz
    if quiz is None or quiz.id != number:
        raise no_quiz()
    return quiz


def differs(quiz: Quiz, told: int, present: int) -> bool:
    """Tells whether a count is to be marked: too many, or too few who chose one each."""
    return told > present + TOLERANCE or (quiz.kind != "multiple" and told < present - TOLERANCE)


def malformed_tally(quiz: Quiz) -> Conflict:
    """Returns the error of a count with too few or too many numbers."""
    return Conflict(
        "tally_malformed",
        f"请填 {fields_of(quiz)} 个数。",
        f"Tell {fields_of(quiz)} numbers.",
    )


def no_quiz() -> Conflict:
    """Returns the error of a question that is not there."""
    return Conflict("no_quiz", "这道题已经不在进行。", "This question is not there any more.")


def _is_number(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= 1e12


def apply(state: LessonState, event: QuizEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    quiz = state.tools.quiz
    match event:
        case QuizOpened():
            state.tools.quizzes = event.quiz
            state.tools.quiz = Quiz(
                event.quiz,
                event.kind,
                event.text,
                event.options,
                event.correct,
                event.correct_number,
                at,
                at + event.seconds if event.seconds else None,
            )
        case QuizAnswered(_, pupil, room, choices, number, _):
            if quiz is not None:
                quiz.answers[pupil] = Answer(room, choices, number)
        case QuizTallied(_, room, counts, _, warning, _, taken_at):
            if quiz is not None:
                quiz.tallies[room] = Tally(counts, at if taken_at is None else taken_at, warning)
        case QuizClosed():
            if quiz is not None:
                quiz.state = "closed"
        case QuizReleased():
            if quiz is not None:
                quiz.state = "released"
