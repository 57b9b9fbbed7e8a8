"""What can happen in a lesson: the event log's vocabulary.

Events are facts, applied in order; they carry opaque ids only, never names. The log is the
recording's chapters, the attendance record and the only source of reports.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.tool_events import ToolEvent
from twinclass_signaling.roles import Role, Source

LeaveReason = Literal["left", "timeout", "fenced", "lesson_closed", "arrived", "removed"]
StageReason = Literal["called", "self", "staff", "cleared", "lost", "lesson_closed", "group_work"]


class LessonOpened(Struct, frozen=True, tag="lesson_opened"):
    """The bell: from pre-class to live."""

    actor: ParticipantId


class LessonClosed(Struct, frozen=True, tag="lesson_closed"):
    """The lesson is over; nothing follows it in the log."""

    actor: ParticipantId


class ParticipantJoined(Struct, frozen=True, tag="participant_joined"):
    """A seat is taken for the first time, or again after ``participant_left``."""

    participant: ParticipantId
    role: Role
    room: RoomId | None = None
    #: A further device of a room, without sound.
    companion: bool = False


class ParticipantLost(Struct, frozen=True, tag="participant_lost"):
    """The line is gone; the seat is kept for 60 s."""

    participant: ParticipantId


class ParticipantRecovered(Struct, frozen=True, tag="participant_recovered"):
    """Back on the same seat within 60 s."""

    participant: ParticipantId


class ParticipantLeft(Struct, frozen=True, tag="participant_left"):
    """The seat is given up."""

    participant: ParticipantId
    reason: LeaveReason


class CalledOn(Struct, frozen=True, tag="called_on"):
    """Somebody was named by the lead; ``child``: who of a home group."""

    participant: ParticipantId
    actor: ParticipantId
    child: PersonId | None = None


class StageEntered(Struct, frozen=True, tag="stage_enter"):
    """Seen and heard by all from here on."""

    participant: ParticipantId


class StageLeft(Struct, frozen=True, tag="stage_leave"):
    """No longer on stage."""

    participant: ParticipantId
    reason: StageReason
    actor: ParticipantId | None = None


class PublicationStarted(Struct, frozen=True, tag="publication_started"):
    """A source is being sent."""

    participant: ParticipantId
    source: Source


class PublicationEnded(Struct, frozen=True, tag="publication_ended"):
    """A source is no longer sent."""

    participant: ParticipantId
    source: Source


CoreEvent = (
    LessonOpened
    | LessonClosed
    | ParticipantJoined
    | ParticipantLost
    | ParticipantRecovered
    | ParticipantLeft
    | CalledOn
    | StageEntered
    | StageLeft
    | PublicationStarted
    | PublicationEnded
)
LessonEvent = CoreEvent | ToolEvent
