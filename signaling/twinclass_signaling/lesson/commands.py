"""Commands that the host gives itself, besides those of the client protocol.

They tell the core facts (a line was lost, packets arrive) and never fail for lack of a right.
"""

from __future__ import annotations

from msgspec import Struct

from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.lesson.events import LeaveReason
from twinclass_signaling.lesson.tool_events import EchoTrouble
from twinclass_signaling.messages import ClientCommand
from twinclass_signaling.roles import Role, Source


class Actor(Struct, frozen=True):
    """Who gives a command; role and room come from the token, not from the client."""

    participant: ParticipantId
    role: Role
    room: RoomId | None = None


#: The server itself: timers, facts of the media plane, the admin listener.
SYSTEM = Actor(ParticipantId("system"), Role.OPERATOR)


class Join(Struct, frozen=True):
    """Somebody with a valid token is here, for the first time or again."""

    participant: ParticipantId
    role: Role
    room: RoomId | None = None
    #: A further device of a room, without sound.
    companion: bool = False


class Lose(Struct, frozen=True):
    """The last connection of a participant is gone."""

    participant: ParticipantId


class Leave(Struct, frozen=True):
    """The seat is given up; also the stage, if they were on it."""

    participant: ParticipantId
    reason: LeaveReason


class StartPublication(Struct, frozen=True):
    """Packets of a source arrive."""

    participant: ParticipantId
    source: Source


class EndPublication(Struct, frozen=True):
    """Packets of a source have ceased."""

    participant: ParticipantId
    source: Source


class NoteEcho(Struct, frozen=True):
    """What comes back by a microphone has changed. ``trouble`` None: nothing any more."""

    participant: ParticipantId
    trouble: EchoTrouble | None
    #: How long it has been so, as far as the media plane can tell.
    age_s: float = 0.0
    lag_ms: int = 0
    gain_db: int = 0


class Tick(Struct, frozen=True):
    """A timer of the lesson may be over; see ``timers``."""


InternalCommand = Join | Lose | Leave | StartPublication | EndPublication | NoteEcho | Tick
LessonCommand = ClientCommand | InternalCommand
