"""The sound check before the bell: rooms are heard one after another, a few seconds each."""

from __future__ import annotations

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import RoomId
from twinclass_signaling.lesson.commands import SYSTEM, Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import LEAD_ROLES, LessonState
from twinclass_signaling.lesson.tool_events import (
    EndCause,
    SoundChecked,
    SoundCheckEnded,
    SoundCheckStarted,
)
from twinclass_signaling.lesson.tool_state import SoundCheck
from twinclass_signaling.lesson.tools.checks import forbidden, rooms_here
from twinclass_signaling.tool_commands import HeardInSoundCheck, StartSoundCheck, StopSoundCheck

SoundCheckCommand = StartSoundCheck | HeardInSoundCheck | StopSoundCheck
SoundCheckEvent = SoundCheckStarted | SoundChecked | SoundCheckEnded

#: Two sentences; 26 rooms at 5 s are two minutes, at 10 s more than the time before the bell.
MIN_STEP_S, MAX_STEP_S = 2, 10


def turn_of(state: LessonState) -> RoomId | None:
    """Returns the room that is heard now."""
    check = state.tools.sound_check
    return None if check is None or check.turn is None else check.rooms[check.turn]


def handle(state: LessonState, command: SoundCheckCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    if state.phase != "pre_class":
        raise Conflict(
            "already_open", "已经上课了，不能试音。", "The sound check is for before the bell."
        )
    match command:
        case StartSoundCheck(rooms, seconds):
            here = rooms_here(state)
            wanted = tuple(dict.fromkeys(rooms)) or tuple(here)
            if not wanted or set(wanted) - set(here):
                raise Conflict("participant_away", "课堂还没有来。", "A room is not here yet.")
            if not MIN_STEP_S <= seconds <= MAX_STEP_S:
                raise Conflict(
                    "seconds_out_of_range",
                    f"请在 {MIN_STEP_S} 到 {MAX_STEP_S} 秒之间选择。",
                    f"Choose {MIN_STEP_S} to {MAX_STEP_S} seconds.",
                )
            return [SoundCheckStarted(wanted, seconds, actor.participant)]
        case HeardInSoundCheck(room, heard):
            current = turn_of(state)
            whose = current if room is None else room
            check = state.tools.sound_check
            if check is None or whose is None or whose not in check.rooms:
                raise Conflict("not_checking", "现在没有试音。", "No sound check is running.")
            if actor.role not in LEAD_ROLES and whose != actor.room:
                raise forbidden()
            if check.results.get(whose) == heard and whose != current:
                return []
            checked = SoundChecked(whose, heard, "staff", actor.participant)
            return [checked, *_end_after(state, whose)]
        case StopSoundCheck():
            return end(state, "staff", actor)


def end(state: LessonState, cause: EndCause, actor: Actor = SYSTEM) -> list[LessonEvent]:
    """Ends a running check."""
    return [] if turn_of(state) is None else [SoundCheckEnded(cause, actor.participant)]


def _end_after(state: LessonState, room: RoomId) -> list[LessonEvent]:
    check = state.tools.sound_check
    is_last = check is not None and check.turn == len(check.rooms) - 1 and turn_of(state) == room
    return [SoundCheckEnded("time", SYSTEM.participant)] if is_last else []


def deadline(state: LessonState) -> float | None:
    """Returns when the present room's turn is over."""
    check = state.tools.sound_check
    if check is None or check.turn is None:
        return None
    return check.turn_since + check.seconds


def due(state: LessonState) -> list[LessonEvent]:
    """Goes on: nobody has confirmed the present room in time, unless somebody did before."""
    room = turn_of(state)
    check = state.tools.sound_check
    if room is None or check is None:
        return []
    heard = check.results.get(room, False)
    return [SoundChecked(room, heard, "time", SYSTEM.participant), *_end_after(state, room)]


def apply(state: LessonState, event: SoundCheckEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    check = state.tools.sound_check
    match event:
        case SoundCheckStarted(rooms, seconds, _):
            state.tools.sound_check = SoundCheck(rooms, seconds, 0, at)
        case SoundChecked(room, heard, _, _):
            if check is not None:
                check.results[room] = heard
                if check.turn is not None and check.rooms[check.turn] == room:
                    is_last = check.turn == len(check.rooms) - 1
                    check.turn = None if is_last else check.turn + 1
                    check.turn_since = at
        case SoundCheckEnded():
            if check is not None:
                check.turn = None
