"""What time alone brings: one deadline for the host to wait for, one step when it has come."""

from __future__ import annotations

from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tools import echo, quiz, sound_check, teaching, work


def next_deadline(state: LessonState) -> float | None:
    """Returns the wall-clock second at which ``due`` has something to say; None: never so far."""
    if state.phase == "closed":
        return None
    deadlines = (
        sound_check.deadline(state),
        quiz.deadline(state),
        work.countdown_deadline(state),
        work.group_work_deadline(state),
        teaching.deadline(state),
        echo.deadline(state),
    )
    return min((deadline for deadline in deadlines if deadline is not None), default=None)


def due(state: LessonState, now: float) -> list[LessonEvent]:
    """Returns the events of one timer that is over, nothing when none is."""
    if state.phase == "closed":
        return []
    if _is_over(sound_check.deadline(state), now):
        return sound_check.due(state)
    if _is_over(quiz.deadline(state), now):
        return quiz.close(state, "time")
    if _is_over(work.countdown_deadline(state), now):
        return work.end_countdown(state, "time")
    if _is_over(work.group_work_deadline(state), now):
        return work.end_group_work(state, "time")
    if _is_over(teaching.deadline(state), now):
        return teaching.due(state, now)
    if _is_over(echo.deadline(state), now):
        return echo.due(state, now)
    return []


def _is_over(deadline: float | None, now: float) -> bool:
    return deadline is not None and now >= deadline
