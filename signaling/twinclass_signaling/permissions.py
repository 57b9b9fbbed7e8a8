"""Who may do what: one table, one function. Checked at every command and every publication."""

from __future__ import annotations

from typing import Literal

from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.roles import Role, Source

CommandAction = Literal["lesson_open", "lesson_close", "call_on", "stage_leave", "stage_clear"]
Action = CommandAction | Source

_LEAD_COMMANDS: tuple[CommandAction, ...] = (
    "lesson_open",
    "lesson_close",
    "call_on",
    "stage_leave",
    "stage_clear",
)
_LEAD_SOURCES: tuple[Source, ...] = ("camera", "screen", "document", "microphone", "screen_audio")

_COMMANDS: dict[Role, tuple[CommandAction, ...]] = {
    Role.LEAD: _LEAD_COMMANDS,
    Role.CO_LEAD: _LEAD_COMMANDS,
    Role.ROOM: ("stage_leave",),
    Role.HOME_LEARNER: ("stage_leave",),
    Role.HOME_GROUP: ("stage_leave",),
    Role.ASSISTANT: ("stage_leave",),
    Role.OPERATOR: ("lesson_open", "lesson_close"),
}
_SOURCES: dict[Role, tuple[Source, ...]] = {
    Role.LEAD: _LEAD_SOURCES,
    Role.CO_LEAD: _LEAD_SOURCES,
    Role.ROOM: ("camera", "microphone"),
    Role.HOME_LEARNER: ("camera", "microphone"),
    Role.HOME_GROUP: ("camera", "microphone"),
}


def may_command(role: Role) -> tuple[CommandAction, ...]:
    """Returns the commands a role may ever give."""
    return _COMMANDS.get(role, ())


def may_publish(role: Role) -> tuple[Source, ...]:
    """Returns the sources a role may ever publish."""
    return _SOURCES.get(role, ())


def allowed(
    actor: Actor, action: Action, state: LessonState, target: ParticipantId | None = None
) -> bool:
    """Tells whether ``actor`` may do ``action`` (to ``target``) in this lesson now."""
    if state.phase == "closed":
        return False
    if action in may_publish(actor.role):
        return True
    if action not in may_command(actor.role):
        return False
    if action != "stage_leave" or actor.role in {Role.LEAD, Role.CO_LEAD}:
        return True
    if target == actor.participant:
        return actor.role is not Role.ASSISTANT
    if actor.role is Role.ASSISTANT and target is not None and actor.room is not None:
        # An assistant answers for the own class, in the room and at home.
        seat = state.seats.get(target)
        return seat is not None and seat.room == actor.room
    return False
