"""The lesson as a client is told it when it comes in; part of the client protocol.

Vocabulary module: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId, RoomId
from twinclass_signaling.roles import Role, Source
from twinclass_signaling.tool_views import ToolViews


class ParticipantView(Struct, frozen=True):
    """One seat as others may see it. ``presence``: expected = has not come yet."""

    id: ParticipantId
    role: Role
    name: str
    presence: Literal["expected", "present", "lost", "left"]
    school: str = ""
    room: RoomId | None = None
    #: Turns on stage so far and the wall-clock second of the last one (0 = none yet).
    turns: int = 0
    last_turn_at: float = 0.0
    #: Sources that are being published now.
    sources: tuple[Source, ...] = ()
    sound: Literal["playing", "blocked", "off"] = "off"
    #: A further device of a room, without sound.
    companion: bool = False
    #: The wall-clock second at which the line went: of a seat that is lost, or was given up since.
    lost_at: float = 0.0


class StagePlace(Struct, frozen=True):
    """Somebody on stage since a wall-clock second."""

    participant: ParticipantId
    since: float


class Counts(Struct, frozen=True):
    """Such as "12/12 rooms, 33/33 home"."""

    rooms_present: int
    rooms_expected: int
    homes_present: int
    homes_expected: int


class LessonView(Struct, frozen=True):
    """The lesson as this client may see it; complete at ``seq``. Times are Unix seconds."""

    id: LessonId
    title: str
    subtitle: str
    phase: Literal["pre_class", "live", "closed"]
    seq: EventSeq
    opened_at: float | None
    planned_minutes: int
    counts: Counts
    stage: tuple[StagePlace, ...]
    participants: tuple[ParticipantView, ...]
    tools: ToolViews
