"""What the lesson needs from outside, as Protocols; ``twinclass_server.adapters`` fills them.

The media plane speaks of sessions (one device) and of sources (what a track shows). It knows
workers, transports and SSRCs; the lesson does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import PublishedTrack, SlotKind
from twinclass_signaling.roles import Source


@dataclass(frozen=True, slots=True)
class Grant:
    """What a participant's source may do now. ``open``: forwarded to others.

    ``full``: as large as it likes; otherwise the wall's small picture (layer q, at most
    5 frames and 60 kbit/s).
    """

    source: Source
    open: bool
    full: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """One slot of a viewer and who belongs into it. ``max_layer``: 0 is the smallest."""

    use: SlotKind
    index: int
    source: Source
    participant: ParticipantId | None
    max_layer: int = 2
    #: Lower goes first when the line is narrow: audio, slides, lead, stage, wall.
    priority: int = 100


class MediaPlane(Protocol):
    """Desired state of a lesson's media. Setters return at once; effects follow in order."""

    async def publish(
        self,
        lesson: LessonId,
        session: SessionId,
        participant: ParticipantId,
        sdp: str,
        tracks: Sequence[PublishedTrack],
    ) -> str:
        """Takes a client's offer for what it sends and returns the SDP answer.

        Raises:
            SdpError: the offer is malformed or asks for what we do not do.
            Unavailable: no media worker can take it now.
        """
        ...

    def set_grants(
        self, lesson: LessonId, participant: ParticipantId, grants: Sequence[Grant]
    ) -> None:
        """Replaces what a participant's sources may do; sources not named are closed."""
        ...

    def set_subscriptions(
        self, lesson: LessonId, session: SessionId, wanted: Sequence[Subscription]
    ) -> None:
        """Replaces what a session receives."""
        ...

    def remove_session(self, lesson: LessonId, session: SessionId) -> None:
        """Ends a session's transports."""
        ...

    def close_lesson(self, lesson: LessonId) -> None:
        """Ends all media of a lesson."""
        ...
