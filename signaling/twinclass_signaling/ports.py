"""What the lesson needs from outside, as Protocols; ``twinclass_server.adapters`` fills them.

The media plane speaks of sessions (one device) and of sources (what a track shows). It knows
workers, transports and SSRCs; the lesson does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import (
    MediaLost,
    PublishedTrack,
    PublishWishes,
    Quality,
    SlotKind,
    Slots,
    SubscribeOffer,
)
from twinclass_signaling.roles import Source

MediaMessage = SubscribeOffer | Slots | PublishWishes | Quality | MediaLost


@dataclass(frozen=True, slots=True)
class Grant:
    """What a participant's source may do now. ``open``: forwarded to others.

    ``full``: as large as it likes; otherwise the wall's small picture (layer q, at most
    5 frames and 60 kbit/s).
    """

    source: Source
    open: bool
    full: bool
    #: A microphone in front of a loudspeaker: look whether what others say comes back by it.
    watch_echo: bool = False


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


@dataclass(frozen=True, slots=True)
class RecordingWish:
    """What of a lesson is to be recorded now. ``origin_unix``: the bell, lesson time 0.

    ``paused``: nothing, because staff stopped it; it may go on.
    """

    recording: str
    origin_unix: float
    sources: tuple[tuple[ParticipantId, Source], ...]
    paused: bool


@dataclass(frozen=True, slots=True)
class EchoReport:
    """What comes back by a microphone. ``trouble`` None: nothing any more. Ages and lags in
    seconds; ``gain_db``: how much louder than it was sent, of a howl its level in dBov."""

    trouble: Literal["echo", "howl"] | None
    age_s: float = 0.0
    lag_s: float = 0.0
    gain_db: float = 0.0


class MediaListener(Protocol):
    """What the media plane tells a lesson's host. Called on the control loop; must not block."""

    def publication_started(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        """Packets of a source arrive for the first time, or again."""
        ...

    def publication_ended(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        """A source is gone (track removed, transport closed, silent for 2 s)."""
        ...

    def speakers_changed(self, lesson: LessonId, participants: Sequence[ParticipantId]) -> None:
        """Who speaks now, loudest first."""
        ...

    def echo_changed(self, lesson: LessonId, participant: ParticipantId, echo: EchoReport) -> None:
        """What comes back by a microphone has changed."""
        ...

    def send(self, lesson: LessonId, session: SessionId, message: MediaMessage) -> None:
        """Delivers a media message (offer, slots, wishes, quality, loss) to one client."""
        ...


class MediaPlane(Protocol):
    """Desired state of a lesson's media. Setters return at once; effects follow in order."""

    async def open_session(
        self,
        lesson: LessonId,
        session: SessionId,
        participant: ParticipantId,
        video_codecs: Sequence[str],
        *,
        needed: bool = True,
    ) -> bool:
        """Makes a session known; True when its transports of before are still alive, in which
        case nothing is offered anew. Otherwise the first downlink offer follows by itself once
        subscriptions are set.

        Args:
            needed: the lesson is nothing without it (a lead, a room). Others are not let in where
                those inside would suffer.

        Raises:
            Unavailable: no media worker can take it now.
        """
        ...

    async def publish(
        self,
        lesson: LessonId,
        session: SessionId,
        sdp: str,
        tracks: Sequence[PublishedTrack],
    ) -> str:
        """Takes a client's offer for what it sends (first, changed, or ICE restart) and returns
        the SDP answer.

        Raises:
            SdpError: the offer is malformed or asks for what we do not do.
            Unavailable: no media worker can take it now.
        """
        ...

    async def view(
        self, lesson: LessonId, session: SessionId, sdp: str, wanted: Sequence[Subscription]
    ) -> str:
        """WHEP: answers a viewer's own receive-only offer; slots are filled in the order of
        ``wanted`` by kind, surplus m-lines stay inactive.

        Raises:
            SdpError: the offer is malformed or asks for what we do not do.
            Unavailable: no media worker can take it now.
        """
        ...

    def subscribe_answered(self, lesson: LessonId, session: SessionId, n: int, sdp: str) -> None:
        """The client's answer to downlink offer ``n``: the commit point.

        Raises:
            SdpError: malformed; the offer stays uncommitted.
        """
        ...

    def subscribe_refused(self, lesson: LessonId, session: SessionId, n: int) -> None:
        """The browser rejected offer ``n``."""
        ...

    def restart_downlink(self, lesson: LessonId, session: SessionId, fresh: bool) -> None:
        """Offers the downlink again: ICE restart, or for a new peer connection (``fresh``)."""
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

    def set_recording(self, lesson: LessonId, wish: RecordingWish) -> None:
        """Replaces what is recorded of a lesson."""
        ...

    def remove_session(self, lesson: LessonId, session: SessionId) -> None:
        """Ends a session's transports."""
        ...

    def close_lesson(self, lesson: LessonId) -> None:
        """Ends all media of a lesson."""
        ...
