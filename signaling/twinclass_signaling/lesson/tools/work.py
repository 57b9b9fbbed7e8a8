"""Countdown and group work; both end by themselves."""

from __future__ import annotations

from twinclass_signaling.errors import Conflict
from twinclass_signaling.lesson.commands import SYSTEM, Actor
from twinclass_signaling.lesson.events import LessonEvent, StageLeft
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tool_events import (
    CountdownEnded,
    CountdownStarted,
    EndCause,
    GroupWorkEnded,
    GroupWorkStarted,
    ListenedIn,
)
from twinclass_signaling.lesson.tool_state import Countdown, GroupWork
from twinclass_signaling.lesson.tools.checks import clean, must_be_live, rooms_here
from twinclass_signaling.tool_commands import (
    CancelCountdown,
    EndGroupWork,
    ListenIn,
    StartCountdown,
    StartGroupWork,
)

WorkCommand = StartCountdown | CancelCountdown | StartGroupWork | EndGroupWork | ListenIn
WorkEvent = CountdownStarted | CountdownEnded | GroupWorkStarted | GroupWorkEnded | ListenedIn

#: Longer than any lesson's part.
MAX_SECONDS = 3600
MAX_LABEL, MAX_TASK = 40, 200
#: More than two classes at once cannot be told apart by ear.
MAX_LISTENED = 2


def handle(state: LessonState, command: WorkCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    who = actor.participant
    work = state.tools.group_work
    match command:
        case StartCountdown(seconds, text):
            _check_seconds(seconds)
            return [CountdownStarted(seconds, clean(text, MAX_LABEL, may_be_empty=True), who)]
        case CancelCountdown():
            return end_countdown(state, "staff", actor)
        case StartGroupWork(seconds, task):
            must_be_live(state)
            if work is not None:
                raise Conflict("group_work_on", "正在分组，请先结束。", "End the group work first.")
            _check_seconds(seconds)
            started = GroupWorkStarted(seconds, clean(task, MAX_TASK, may_be_empty=True), who)
            return [
                *(StageLeft(place.participant, "group_work", who) for place in state.stage),
                started,
            ]
        case EndGroupWork():
            return end_group_work(state, "staff", actor)
        case ListenIn(rooms):
            wanted = tuple(dict.fromkeys(rooms))
            if work is None:
                raise Conflict("no_group_work", "现在没有分组。", "There is no group work now.")
            if len(wanted) > MAX_LISTENED:
                raise Conflict(
                    "too_many_rooms",
                    f"最多同时听 {MAX_LISTENED} 个课堂。",
                    f"At most {MAX_LISTENED} rooms at once.",
                )
            if set(wanted) - set(rooms_here(state)):
                raise Conflict(
                    "participant_away", "对方现在不在线。", "They are not here right now."
                )
            return [] if wanted == work.listening else [ListenedIn(wanted, who)]


def _check_seconds(seconds: int) -> None:
    if not 1 <= seconds <= MAX_SECONDS:
        raise Conflict(
            "seconds_out_of_range",
            f"请在 1 到 {MAX_SECONDS} 秒之间选择。",
            f"Choose 1 to {MAX_SECONDS} seconds.",
        )


def end_countdown(state: LessonState, cause: EndCause, actor: Actor = SYSTEM) -> list[LessonEvent]:
    """Ends a running countdown."""
    return [] if state.tools.countdown is None else [CountdownEnded(cause, actor.participant)]


def end_group_work(state: LessonState, cause: EndCause, actor: Actor = SYSTEM) -> list[LessonEvent]:
    """Ends running group work."""
    return [] if state.tools.group_work is None else [GroupWorkEnded(cause, actor.participant)]


def countdown_deadline(state: LessonState) -> float | None:
    """Returns when the countdown is over."""
    return None if state.tools.countdown is None else state.tools.countdown.ends_at


def group_work_deadline(state: LessonState) -> float | None:
    """Returns when the group work is over."""
    return None if state.tools.group_work is None else state.tools.group_work.ends_at


def apply(state: LessonState, event: WorkEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    tools = state.tools
    match event:
        case CountdownStarted(seconds, text, _):
            tools.countdown = Countdown(text, at, at + seconds)
        case CountdownEnded():
            tools.countdown = None
        case GroupWorkStarted(seconds, task, _):
            tools.group_work = GroupWork(task, at, at + seconds)
        case GroupWorkEnded():
            tools.group_work = None
        case ListenedIn(rooms, _):
            if tools.group_work is not None:
                tools.group_work.listening = rooms
