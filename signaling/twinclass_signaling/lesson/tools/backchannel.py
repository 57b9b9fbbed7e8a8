"""Staff among themselves: notes, one-tap signals, and homes that call for their assistant.

Pupils never see any of it; a home sees its own call and the answer to it.
"""

from __future__ import annotations

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import LEAD_ROLES, LessonState
from twinclass_signaling.lesson.talk_events import (
    HelpAnswered,
    HelpAsked,
    NoteAcknowledged,
    NoteSent,
    PulseAnswered,
    PulseSent,
)
from twinclass_signaling.lesson.tool_state import Help, Note, Pulse
from twinclass_signaling.lesson.tools.checks import clean, forbidden, room_of
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import (
    AcknowledgeNote,
    AnswerHelp,
    AnswerPulse,
    AskHelp,
    PulseKind,
    SendNote,
    SendPulse,
)

BackchannelCommand = SendNote | AcknowledgeNote | SendPulse | AnswerPulse | AskHelp | AnswerHelp
BackchannelEvent = (
    NoteSent | NoteAcknowledged | PulseSent | PulseAnswered | HelpAsked | HelpAnswered
)

#: What is read at a glance while one teaches.
MAX_NOTE = 40
#: A rail of one screen, twice over; older ones are in the log.
MAX_NOTES = 50
#: A signal that nobody has repeated for a minute is over.
PULSE_S = 60.0
#: The same signal again within this time says nothing new and would only fill the log.
REPEAT_S = 5.0


def may_read(state: LessonState, note: Note, participant: ParticipantId) -> bool:
    """Tells whether a note is for somebody."""
    seat = state.seats.get(participant)
    if seat is None or seat.companion:
        return False
    if seat.role in LEAD_ROLES or note.sender == participant:
        return True
    return seat.role is Role.ASSISTANT and note.to in {None, seat.room}


def open_pulses(state: LessonState) -> dict[PulseKind, list[RoomId]]:
    """Returns the rooms of each kind of signal that is not answered."""
    found: dict[PulseKind, list[RoomId]] = {}
    for pulse in state.tools.backchannel.pulses:
        if pulse.answered_by is None:
            found.setdefault(pulse.kind, []).append(pulse.room)
    return found


def handle(
    state: LessonState, command: BackchannelCommand, actor: Actor, now: float
) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    channel = state.tools.backchannel
    who = actor.participant
    match command:
        case SendNote(text, to):
            if to is not None and room_of(state, ParticipantId(to)) != to:
                raise _unknown_room()
            return [NoteSent(channel.last_note + 1, clean(text, MAX_NOTE), to, who)]
        case AcknowledgeNote(number):
            note = next((note for note in channel.notes if note.note == number), None)
            if note is None or not may_read(state, note, who):
                raise Conflict("no_note", "这条消息已不在。", "This note is not there any more.")
            return [] if who in note.seen_by else [NoteAcknowledged(number, who)]
        case SendPulse(kind):
            if actor.room is None:
                raise forbidden()
            known = _pulse(state, actor.room, kind)
            if known is not None and known.answered_by is None and now - known.at < REPEAT_S:
                return []
            return [PulseSent(actor.room, kind, who)]
        case AnswerPulse(kind, room):
            waiting = open_pulses(state).get(kind, [])
            if not waiting or (room is not None and room not in waiting):
                raise Conflict("no_pulse", "这个信号已经过去。", "This signal is over.")
            return [PulseAnswered(kind, room, who)]
        case AskHelp(kind):
            asked = channel.help.get(who)
            if asked is not None and asked.answered_at is None and asked.kind == kind:
                return []
            return [HelpAsked(who, actor.room, kind)]
        case AnswerHelp(participant, text):
            asked = channel.help.get(participant)
            if asked is None:
                raise Conflict("no_help", "没有这个求助。", "Nobody asked for this.")
            return [HelpAnswered(participant, clean(text, MAX_NOTE, may_be_empty=True), who)]


def _pulse(state: LessonState, room: RoomId, kind: PulseKind) -> Pulse | None:
    for pulse in state.tools.backchannel.pulses:
        if (pulse.room, pulse.kind) == (room, kind):
            return pulse
    return None


def _unknown_room() -> Conflict:
    return Conflict("unknown_room", "没有这个课堂。", "There is no such room.")


def apply(state: LessonState, event: BackchannelEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    channel = state.tools.backchannel
    match event:
        case NoteSent(number, text, to, actor):
            channel.last_note = number
            channel.notes = [*channel.notes, Note(number, actor, text, to, at)][-MAX_NOTES:]
        case NoteAcknowledged(number, actor):
            for note in channel.notes:
                if note.note == number:
                    note.seen_by.append(actor)
        case PulseSent(room, kind, _):
            channel.pulses = [
                pulse for pulse in channel.pulses if (pulse.room, pulse.kind) != (room, kind)
            ]
            channel.pulses.append(Pulse(room, kind, at))
        case PulseAnswered(kind, room, actor):
            for pulse in channel.pulses:
                if pulse.kind == kind and room in {None, pulse.room}:
                    pulse.answered_by = pulse.answered_by or actor
        case HelpAsked(participant, room, kind):
            channel.help[participant] = Help(participant, room, kind, at)
        case HelpAnswered(participant, text, actor):
            asked = channel.help.get(participant)
            if asked is not None:
                asked.answered_at, asked.answered_by, asked.text = at, actor, text


def forget_old_pulses(state: LessonState, at: float) -> None:
    """Drops signals whose time is over; called with every event, so that replay does the same."""
    channel = state.tools.backchannel
    if channel.pulses and min(pulse.at for pulse in channel.pulses) <= at - PULSE_S:
        channel.pulses = [pulse for pulse in channel.pulses if pulse.at > at - PULSE_S]
