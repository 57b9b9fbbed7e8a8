"""A class watches what it missed, on its own screen, while the lesson goes on.

It has no part in the lesson meanwhile: whoever calls it on stage, or stands before it to teach,
ends that at once. What was missed is worked out elsewhere, from presence and recording; here is
only who watches, and up to when a class is done with what it missed.
"""

from __future__ import annotations

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.lesson.commands import SYSTEM, Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import LEAD_ROLES, LessonState
from twinclass_signaling.lesson.tool_events import CatchUpCause, CatchUpChanged
from twinclass_signaling.lesson.tool_state import CatchUp
from twinclass_signaling.lesson.tools.checks import forbidden, must_be_live, room_of, rooms_here
from twinclass_signaling.lesson.tools.teaching import teaching_room
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import SetCatchUp

CatchUpCommand = SetCatchUp
CatchUpEvent = CatchUpChanged

#: After these the class has seen what it wanted; after the others it is asked again.
_DONE: frozenset[CatchUpCause] = frozenset({"staff", "room"})


def is_catching_up(state: LessonState, room: RoomId) -> bool:
    """Tells whether a class watches the recording now, and not the lesson."""
    found = state.tools.catch_up.get(room)
    return found is not None and found.since is not None


def _takes_part(state: LessonState, room: RoomId) -> bool:
    participant = ParticipantId(room)
    return state.is_on_stage(participant) or participant == teaching_room(state)


def handle(state: LessonState, command: CatchUpCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    room = command.room
    is_own = room == (room_of(state, actor.participant) if actor.role is Role.ROOM else actor.room)
    if actor.role not in LEAD_ROLES and not is_own:
        raise forbidden()
    if not command.on:
        return end(state, room, "room" if actor.role is Role.ROOM else "staff", actor)
    must_be_live(state)
    if room not in rooms_here(state):
        raise Conflict("participant_away", "课堂现在不在线。", "The room is not here right now.")
    if _takes_part(state, room):
        raise Conflict(
            "takes_part",
            "这个班正在台上，不能补看。",
            "This class takes part in the lesson now; it cannot catch up.",
        )
    if is_catching_up(state, room):
        return []
    cause: CatchUpCause = "room" if actor.role is Role.ROOM else "staff"
    return [CatchUpChanged(room, True, cause, actor.participant)]


def end(
    state: LessonState, room: RoomId, cause: CatchUpCause, actor: Actor = SYSTEM
) -> list[LessonEvent]:
    """Brings one class back to the lesson, if it catches up."""
    if not is_catching_up(state, room):
        return []
    return [CatchUpChanged(room, False, cause, actor.participant)]


def end_all(state: LessonState, cause: CatchUpCause, actor: Actor) -> list[LessonEvent]:
    """Brings all classes back to the lesson."""
    return [event for room in state.tools.catch_up for event in end(state, room, cause, actor)]


def apply(state: LessonState, event: CatchUpEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    found = state.tools.catch_up.setdefault(event.room, CatchUp())
    found.since = at if event.on else None
    if not event.on and event.cause in _DONE:
        found.done_at = at
