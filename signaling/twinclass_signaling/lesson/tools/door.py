"""Taking somebody out of a lesson, and letting them in again."""

from __future__ import annotations

from twinclass_signaling.errors import Conflict
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tool_events import ParticipantAdmitted, ParticipantRemoved
from twinclass_signaling.tool_commands import Admit, Remove

DoorCommand = Remove | Admit
DoorEvent = ParticipantRemoved | ParticipantAdmitted

#: Nobody sends more out of a lesson; who does should close it.
MAX_REMOVED = 100


def handle(state: LessonState, command: DoorCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``. Giving up the seat is the core's."""
    removed = state.tools.removed
    match command:
        case Remove(participant):
            if participant not in state.seats:
                raise Conflict(
                    "participant_away", "对方现在不在线。", "They are not here right now."
                )
            if len(removed) >= MAX_REMOVED:
                raise Conflict("too_many_removed", "移出的人太多。", "Too many were removed.")
            if participant in removed:
                return []
            return [ParticipantRemoved(participant, actor.participant)]
        case Admit(participant):
            if participant not in removed:
                return []
            return [ParticipantAdmitted(participant, actor.participant)]


def apply(state: LessonState, event: DoorEvent) -> None:
    """Changes the state; see ``core.apply``."""
    match event:
        case ParticipantRemoved(participant, _):
            state.tools.removed.append(participant)
        case ParticipantAdmitted(participant, _):
            state.tools.removed.remove(participant)
