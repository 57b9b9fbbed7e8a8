"""Who may do what: one table, one function. Checked at every command and every publication.

The answer depends on role, class, rules and state of the moment, so a change of role (somebody
takes over, a rule is changed) holds from the next command on; nothing is remembered.
"""

from __future__ import annotations

from typing import get_args

from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.state import HOME_ROLES, LEAD_ROLES, LessonState
from twinclass_signaling.messages import ClientCommand
from twinclass_signaling.roles import Role, Source

#: The ``type`` of a command, or a source.
Action = str

ALL_COMMANDS: tuple[str, ...] = tuple(
    str(kind.__struct_config__.tag) for kind in get_args(ClientCommand)
)
#: What belongs to a seat in a class and not to who leads.
_OF_A_CLASS = frozenset(
    {"hand_raise", "roll_call", "quiz_answer", "quiz_tally", "pulse_send", "help_ask"}
    | {"help_answer", "offline_record"}
)
_LEAD_COMMANDS = tuple(name for name in ALL_COMMANDS if name not in _OF_A_CLASS)
_LEAD_SOURCES: tuple[Source, ...] = ("camera", "screen", "document", "microphone", "screen_audio")
#: What an assistant may do only while she teaches (hybrid lessons).
_WHILE_TEACHING = (
    "agenda_go",
    "countdown_cancel",
    "countdown_start",
    "cue_mark",
    "group_work_end",
    "group_work_start",
    "hand_back",
    "ink_clear",
    "quiz_close",
    "quiz_open",
    "quiz_release",
    "slide_turn",
)
_ASSISTANT_COMMANDS = (
    "stage_leave",
    "stage_mute",
    "hand_raise",
    "hand_lower",
    "hands_lower_all",
    "hand_approve",
    "roll_call",
    "offline_record",
    "attendance_mark",
    "sound_check_heard",
    "quiz_tally",
    "note_send",
    "note_ack",
    "pulse_send",
    "help_answer",
    "take_over",
    "chat_say",
    "catch_up_set",
    "echo_clear",
    "sound_switch",
    *_WHILE_TEACHING,
)
_HOME_COMMANDS = (
    "stage_leave",
    "hand_raise",
    "hand_lower",
    "quiz_answer",
    "help_ask",
    "chat_say",
)

_COMMANDS: dict[Role, tuple[str, ...]] = {
    Role.LEAD: _LEAD_COMMANDS,
    Role.CO_LEAD: _LEAD_COMMANDS,
    Role.ROOM: ("stage_leave", "hand_raise", "hand_lower", "catch_up_set"),
    Role.HOME_LEARNER: _HOME_COMMANDS,
    Role.HOME_GROUP: _HOME_COMMANDS,
    Role.ASSISTANT: _ASSISTANT_COMMANDS,
    Role.OPERATOR: ("lesson_open", "lesson_close"),
}
_SOURCES: dict[Role, tuple[Source, ...]] = {
    Role.LEAD: _LEAD_SOURCES,
    Role.CO_LEAD: _LEAD_SOURCES,
    Role.ROOM: ("camera", "microphone"),
    Role.HOME_LEARNER: ("camera", "microphone"),
    Role.HOME_GROUP: ("camera", "microphone"),
}
#: Only with somebody of the own class (an assistant), or oneself (others).
_ABOUT_SOMEBODY = frozenset(
    {"stage_leave", "stage_mute", "hand_lower", "hand_approve", "help_answer"}
    | {"echo_clear", "sound_switch"}
)


def may_command(role: Role) -> tuple[str, ...]:
    """Returns the commands a role may ever give."""
    return _COMMANDS.get(role, ())


def may_publish(role: Role) -> tuple[Source, ...]:
    """Returns the sources a role may ever publish."""
    return _SOURCES.get(role, ())


def allowed(
    actor: Actor, action: Action, state: LessonState, target: ParticipantId | None = None
) -> bool:
    """Tells whether ``actor`` may do ``action`` (to ``target``) in this lesson now."""
    seat = state.seats.get(actor.participant)
    if state.phase == "closed" or (seat is not None and seat.companion):
        return False
    if action in may_publish(actor.role):
        return True
    if action not in may_command(actor.role):
        return False
    if action == "chat_say" and not state.policy.public_chat:
        return False
    if actor.role in LEAD_ROLES or actor.role is Role.OPERATOR:
        return not _is_above(state, actor, action, target)
    if actor.role is Role.ASSISTANT:
        if actor.room is None and action not in {"note_send", "note_ack", "chat_say"}:
            return False
        if action in _WHILE_TEACHING and state.tools.teaching.who != actor.participant:
            return False
        # An assistant answers for the own class, in the room and at home.
        return _needs_nobody(action, target) or _is_of_class(state, target, actor.room)
    return _needs_nobody(action, target) or target == actor.participant


def _is_above(
    state: LessonState, actor: Actor, action: Action, target: ParticipantId | None
) -> bool:
    """Nobody takes a lead out of the lesson, nor oneself."""
    seat = None if target is None else state.seats.get(target)
    is_lead = seat is not None and seat.role is Role.LEAD
    return action == "participant_remove" and (is_lead or target == actor.participant)


def _needs_nobody(action: Action, target: ParticipantId | None) -> bool:
    # One's own hand is lowered without naming anybody; a stage is left by somebody.
    return action not in _ABOUT_SOMEBODY or (target is None and action == "hand_lower")


def _is_of_class(state: LessonState, target: ParticipantId | None, room: RoomId | None) -> bool:
    if target is None or room is None:
        return False
    if target == ParticipantId(room):
        return True
    seat = state.seats.get(target)
    return seat is not None and seat.role in HOME_ROLES and seat.room == room
