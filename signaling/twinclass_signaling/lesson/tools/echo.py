"""Echo and howl: what comes back from a class is made quiet at once, and closed if it goes on.

The media plane says what it finds (``NoteEcho``), here is what follows. A microphone is *ducked*
when something is found: its page takes 12 dB off, of the microphone (echo) or of the loudspeaker
(howl). A page may be slow or hostile, so what goes on is *muted* here, without the page's help. A
ducked one that is quiet is let go; a muted one, of which nobody can tell, is tried again after a
time that doubles. Staff may end either at once, and switch off the sound of a second device.
"""

from __future__ import annotations

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.lesson.commands import SYSTEM, Actor, NoteEcho
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import HOME_ROLES, STAGE_ROLES, LessonState
from twinclass_signaling.lesson.tool_events import (
    EchoEnded,
    EchoFaded,
    EchoFound,
    EchoMuted,
    EchoRetried,
    SoundSwitched,
)
from twinclass_signaling.lesson.tool_state import Echo
from twinclass_signaling.lesson.tools.checks import is_room
from twinclass_signaling.lesson.tools.hearing import is_heard
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import ClearEcho, SwitchSound

EchoCommand = ClearEcho | SwitchSound
EchoEvent = EchoFound | EchoFaded | EchoMuted | EchoRetried | EchoEnded | SoundSwitched

#: What is so old and goes on is muted: within 3 s of its beginning, of which levels tell up to half
#: a second late.
MUTE_S = 2.5
#: At least so long a duck is given to do its work.
_HEARING_S = 0.5
#: A ducked microphone is let go after so long without echo: longer than any pause in speech, so
#: that it does not go to and fro.
QUIET_S = 5.0
#: A muted microphone is tried again after this, then after twice as long, up to the other.
FIRST_MUTE_S, LAST_MUTE_S = 15.0, 120.0


def is_muted(state: LessonState, participant: ParticipantId) -> bool:
    """Tells whether a microphone is closed because of what comes back by it."""
    found = state.tools.echo.get(participant)
    return found is not None and found.state == "muted"


def suspect(state: LessonState, participant: ParticipantId) -> ParticipantId | None:
    """Returns which second device of a class it may be: the newest home's. An assistant's tablet
    and a room's further devices have no sound, and a home group sits together elsewhere."""
    if not is_room(state.seats.get(participant)):
        return None
    others = [
        (seat.joined_at, other)
        for other, seat in state.seats.items()
        if seat.role is Role.HOME_LEARNER
        and seat.room == RoomId(participant)
        and seat.presence == "present"
        and not seat.sound_off
    ]
    return max(others)[1] if others else None


def note(state: LessonState, command: NoteEcho, now: float) -> list[LessonEvent]:
    """Decides on what the media plane found."""
    participant, trouble = command.participant, command.trouble
    found = state.tools.echo.get(participant)
    if trouble is None:
        goes_on = found is not None and found.state == "ducked" and found.quiet_since is None
        return [EchoFaded(participant)] if goes_on else []
    seat = state.seats.get(participant)
    if seat is None or seat.role not in STAGE_ROLES or not is_heard(state, participant):
        return []
    if found is not None and (found.state == "muted" or _is_same(found, command)):
        return []
    # What a worker says of the past is bounded: a mute is not to come before a duck is told.
    age_s = max(0.0, min(command.age_s, MUTE_S - _HEARING_S))
    # What comes back before it has been quiet for long enough has gone on.
    since = now - age_s if found is None else found.since
    return [
        EchoFound(
            participant,
            trouble,
            since,
            command.lag_ms,
            command.gain_db,
        )
    ]


def _is_same(found: Echo, command: NoteEcho) -> bool:
    return found.quiet_since is None and found.trouble == command.trouble


def handle(state: LessonState, command: EchoCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    participant = command.participant
    match command:
        case ClearEcho():
            if participant not in state.tools.echo:
                return []
            return [EchoEnded(participant, "staff", actor.participant)]
        case SwitchSound(_, off):
            seat = state.seats.get(participant)
            if seat is None or seat.presence == "left":
                raise Conflict(
                    "participant_away", "对方现在不在线。", "They are not here right now."
                )
            if seat.role not in HOME_ROLES:
                raise Conflict(
                    "not_a_home",
                    "只能关闭居家设备的声音。",
                    "Only the sound of a home's device can be switched off.",
                )
            if seat.sound_off == off:
                return []
            return [SoundSwitched(participant, off, actor.participant)]


# ---- time ---------------------------------------------------------------------------------


def deadline(state: LessonState) -> float | None:
    """Returns when the next microphone is muted, tried again or let go."""
    due = (_due_at(state, one, found) for one, found in state.tools.echo.items())
    return min(due, default=None)


def due(state: LessonState, now: float) -> list[LessonEvent]:
    """Returns what is due of the first microphone of which something is."""
    for participant, found in state.tools.echo.items():
        if now < _due_at(state, participant, found):
            continue
        if not is_heard(state, participant):
            return [EchoEnded(participant, "closed", SYSTEM.participant)]
        if found.state == "muted":
            return [EchoRetried(participant)]
        if found.quiet_since is not None:
            return [EchoEnded(participant, "quiet", SYSTEM.participant)]
        return [EchoMuted(participant, min(LAST_MUTE_S, FIRST_MUTE_S * 2**found.mutes))]
    return []


def _due_at(state: LessonState, participant: ParticipantId, found: Echo) -> float:
    if not is_heard(state, participant):
        return 0.0
    if found.until is not None:
        return found.until
    return found.since + MUTE_S if found.quiet_since is None else found.quiet_since + QUIET_S


# ---- what events do -----------------------------------------------------------------------


def apply(state: LessonState, event: EchoEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    echoes = state.tools.echo
    found = echoes.get(event.participant)
    match event:
        case EchoFound(participant, trouble, since):
            # Not in the event: the room's page is told of it, and is not to know a child's id.
            other = suspect(state, participant)
            mutes = 0 if found is None else found.mutes
            echoes[participant] = Echo(trouble, since, other, mutes=mutes)
        case SoundSwitched(participant, off, _):
            state.seats[participant].sound_off = off
        case EchoEnded(participant):
            echoes.pop(participant, None)
        case _ if found is None:
            return
        case EchoFaded():
            found.quiet_since = at
        case EchoMuted(_, seconds):
            found.state, found.until = "muted", at + seconds
            found.mutes += 1
        case EchoRetried():
            found.state, found.until, found.quiet_since = "ducked", None, at
            found.since = at
