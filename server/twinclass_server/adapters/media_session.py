"""One client's two transports, as specs for a worker.

``Uplink`` is what it sends, ``Downlink`` what it receives. Both hold what SDP decided and turn
it into specs; the lesson decides what is shown where (``media_lesson``).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from twinclass_media.worker.messages import (
    Attached,
    ConsumerId,
    ConsumerSpec,
    LinkQuality,
    ProducerId,
    RouterId,
    TransportId,
    TransportSpec,
)
from twinclass_server.adapters.media_publication import Publication
from twinclass_server.adapters.media_translate import (
    TransportNote,
    codecs,
    encode_note,
    extensions,
    fingerprints,
    local_transport,
)
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import Slot
from twinclass_signaling.ports import Subscription
from twinclass_signaling.sdp.downlink import DownlinkPool, PoolSection
from twinclass_signaling.sdp.negotiation import (
    LocalTransport,
    NegotiatedCodec,
    candidate_lines,
)
from twinclass_signaling.sdp.serializer import candidate_value
from twinclass_signaling.sdp.uplink import UplinkDescription

#: Consumers are paused by an empty producer, never by a missing layer.
NO_PRODUCER = ProducerId("")


#: Of a transport found on a worker: above all that a page has likely seen of it.
RESTARTS_UNKNOWN = 60

Feed = tuple[ProducerId | None, Subscription | None, tuple[NegotiatedCodec, ...]]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Our ICE user fragment and password. RFC 8445 section 5.3: at least 24 and 128 bits."""

    ufrag: str
    pwd: str
    #: How often ICE was restarted before these.
    restarts: int = 0

    @classmethod
    def draw(cls) -> Credentials:
        """New ones; the fragment is long enough never to meet another on the worker's port."""
        return cls(secrets.token_hex(8), secrets.token_hex(16))

    def next(self) -> Credentials:
        """Those of an ICE restart."""
        new = Credentials.draw()
        return Credentials(new.ufrag, new.pwd, self.restarts + 1)

    def local(self, attached: Attached) -> LocalTransport:
        """Our side of a connection."""
        return local_transport(attached, self.ufrag, self.pwd, self.restarts)

    def candidates(self, attached: Attached) -> list[str]:
        """A worker's addresses as lines of SDP."""
        addresses = self.local(attached).addresses
        lines = candidate_lines(addresses, self.restarts)
        return [f"a=candidate:{candidate_value(c)}" for c in lines]


def draw_u32() -> int:
    """For SSRCs and origin ids."""
    return secrets.randbits(32)


@dataclass(slots=True)
class Uplink:
    """What a client sends: one transport, a producer per track."""

    transport: TransportId
    credentials: Credentials
    origin_id: int
    description: UplinkDescription
    generation: int
    answers: int = 0
    publications: dict[str, Publication] = field(default_factory=dict[str, Publication])

    def is_continued_by(self, origin_id: str, fingerprints: Sequence[tuple[str, str]]) -> bool:
        """True when an offer comes from the same peer connection, false for a new one."""
        remote = self.description.remote
        return remote.origin_id == origin_id and remote.fingerprints == tuple(fingerprints)

    def spec(self, session: Session, router: RouterId, home: int) -> TransportSpec:
        """The transport as it should be."""
        note = TransportNote(
            lesson=session.lesson,
            session=session.id,
            participant=session.participant,
            generation=self.generation,
            video_codecs=session.video_codecs,
            uplink=self.description,
            origin_id=self.origin_id,
            answers=self.answers,
            home=home,
            label=session.label,
        )
        return TransportSpec(
            id=self.transport,
            router=router,
            version=0,
            ufrag=self.credentials.ufrag,
            pwd=self.credentials.pwd,
            fingerprints=fingerprints(self.description.remote),
            extensions=extensions(self.description.extensions),
            transport_cc_feedback=self.description.transport_cc,
            appdata=encode_note(note),
        )


@dataclass(slots=True)
class Downlink:
    """What a client receives: one transport, a consumer per committed m-line."""

    transport: TransportId
    credentials: Credentials
    pool: DownlinkPool
    generation: int
    #: The worker it is on.
    worker: int
    #: To go back to when an offer with new ones is refused.
    former: Credentials | None = None
    #: False until the transport was put for the first time.
    placed: bool = False
    #: Slots as the client last heard of them.
    told: tuple[Slot, ...] = ()
    #: mid -> what fed it when it was found on its worker.
    held: dict[str, ProducerId] = field(default_factory=dict[str, ProducerId])
    #: mid -> what its consumer was last put with.
    fed: dict[str, Feed] = field(default_factory=dict[str, Feed])

    def spec(self, session: Session, router: RouterId, home: int) -> TransportSpec:
        """The transport as it should be."""
        note = TransportNote(
            lesson=session.lesson,
            session=session.id,
            participant=session.participant,
            generation=self.generation,
            video_codecs=session.video_codecs,
            pool=self.pool.dump(),
            home=home,
            label=session.label,
        )
        return TransportSpec(
            id=self.transport,
            router=router,
            version=0,
            ufrag=self.credentials.ufrag,
            pwd=self.credentials.pwd,
            fingerprints=fingerprints(self.pool.remote),
            extensions=extensions(self.pool.extensions),
            appdata=encode_note(note),
        )

    def consumer_id(self, section: PoolSection) -> ConsumerId:
        """The name of an m-line's consumer."""
        return ConsumerId(f"{self.transport}:{section.mid}")

    def consumer(
        self, section: PoolSection, subscription: Subscription | None, producer: ProducerId | None
    ) -> ConsumerSpec:
        """One m-line's consumer, fed by ``producer`` or by nothing."""
        return ConsumerSpec(
            id=self.consumer_id(section),
            transport=self.transport,
            version=0,
            kind=section.kind,
            mid=section.mid,
            ssrc=section.ssrc,
            codecs=codecs(section.codecs),
            rtx_ssrc=section.rtx_ssrc,
            producer=producer or NO_PRODUCER,
            max_layer=subscription.max_layer if subscription else 0,
            priority=subscription.priority if subscription else 255,
        )


@dataclass(slots=True)
class Session:
    """One device in a lesson."""

    id: SessionId
    lesson: LessonId
    participant: ParticipantId
    video_codecs: tuple[str, ...] = ()
    uplink: Uplink | None = None
    downlink: Downlink | None = None
    wanted: tuple[Subscription, ...] = ()
    #: The number of the last downlink offer of this session, over all its pools.
    offers: int = 0
    #: Transports are never used twice, not even by name.
    generation: int = 0
    #: It came back: what it was told may be lost.
    returned: bool = False
    #: It was told that its downlink is lost and asks for a new one itself; ticks until we offer
    #: without being asked.
    patience: int = 0
    #: Its uplink ended by itself and was not made anew: told again when the client returns.
    uplink_lost: bool = False
    #: How its transports were measured last.
    links: dict[TransportId, LinkQuality] = field(default_factory=dict[TransportId, LinkQuality])
    #: False for one found on a worker until its client comes back: it is left as it is.
    claimed: bool = True
    #: What its owner wants to find again after a restart (WHIP and WHEP resources).
    label: bytes = b""

    def pictures(self) -> dict[ConsumerId, Subscription]:
        """What it is to see, by the consumer that brings it."""
        downlink = self.downlink
        if downlink is None:
            return {}
        return {
            downlink.consumer_id(section): subscription
            for section, subscription in downlink.pool.assignments()
            if section.kind == "video" and subscription is not None and subscription.participant
        }

    def next_transport(self, direction: str) -> tuple[TransportId, int]:
        """A name for a new transport."""
        self.generation += 1
        return TransportId(f"{self.id}/{direction}{self.generation}"), self.generation

    def decodes(self, codec: str) -> bool:
        """False only when it is known that this device cannot play a codec.

        What its answer took counts more than what it said of itself.
        """
        if self.downlink is not None:
            answered = [
                {c.name for c in s.codecs}
                for s in self.downlink.pool.sections
                if s.kind == "video" and s.committed and not s.rejected
            ]
            if answered:
                return codec in set[str]().union(*answered)
        return not self.video_codecs or codec in self.video_codecs
