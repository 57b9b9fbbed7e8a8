"""What a media worker understands: the only contact between control plane and data plane.

Commands describe *desired state*. Every object has an id and a version chosen by the control
plane; a ``Put`` with a version that is not newer is ignored, so commands may be repeated. An
object whose parent is removed goes with it (router > transport > producer, consumer).

On the Unix socket each message is a frame: 4 bytes length (big endian, at most
``MAX_FRAME_BYTES``), then msgpack of one tagged union member.

Vocabulary module: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Literal, NewType

import msgspec

RouterId = NewType("RouterId", str)
TransportId = NewType("TransportId", str)
ProducerId = NewType("ProducerId", str)
ConsumerId = NewType("ConsumerId", str)

#: One dump of a full worker (2,000 transports with their appdata) stays below this.
MAX_FRAME_BYTES = 32 * 1024 * 1024
#: Opaque bytes a transport may carry for the control plane (an offer is about 20 KiB).
MAX_APPDATA_BYTES = 256 * 1024

Kind = Literal["audio", "video"]
IceState = Literal["new", "connected", "disconnected", "closed"]
DtlsState = Literal["new", "connecting", "connected", "failed", "closed"]


class Fingerprint(msgspec.Struct, frozen=True):
    """A certificate fingerprint (RFC 8122 section 5); ``value`` is upper-case hex with colons."""

    algorithm: str
    value: str


class Candidate(msgspec.Struct, frozen=True):
    """An address to announce (RFC 8839 section 5.1), host candidates only."""

    protocol: Literal["udp", "tcp"]
    host: str
    port: int


class Codec(msgspec.Struct, frozen=True):
    """One payload type of a producer or of a consumer.

    ``name`` has the case of its registration: VP8, H264, opus.
    """

    name: str
    payload_type: int
    clock_rate: int
    rtx_payload_type: int | None = None


class HeaderExtensions(msgspec.Struct, frozen=True):
    """Ids (RFC 8285) in use on a transport; 0 means not negotiated. BUNDLE makes them global."""

    mid: int = 0
    rid: int = 0
    repaired_rid: int = 0
    abs_send_time: int = 0
    transport_cc: int = 0
    audio_level: int = 0


class Encoding(msgspec.Struct, frozen=True):
    """One encoding of a producer: by rid (simulcast), by SSRC (signalled), or by neither."""

    rid: str = ""
    ssrc: int = 0
    rtx_ssrc: int = 0


class RouterSpec(msgspec.Struct, frozen=True, tag="router"):
    """A set of producers and consumers that may be connected. One per live lesson and worker."""

    id: RouterId
    version: int = 1


class TransportSpec(msgspec.Struct, frozen=True, tag="transport"):
    """One peer's ICE and DTLS association. We are ICE-lite and DTLS passive.

    ``fingerprints`` may be empty until the peer's answer is known: connectivity checks are
    answered already, DTLS starts when a later version brings them. A new ``ufrag`` and ``pwd``
    are an ICE restart: the old pair is answered until the new one is used.
    """

    id: TransportId
    router: RouterId
    version: int
    ufrag: str
    pwd: str
    fingerprints: tuple[Fingerprint, ...] = ()
    extensions: HeaderExtensions = HeaderExtensions()
    #: Cap told to a publisher by REMB, bit/s; 0 = none.
    max_receive_bps: int = 0
    #: True when the peer asked for transport-wide feedback of what it sends.
    transport_cc_feedback: bool = False
    appdata: bytes = b""


class ProducerSpec(msgspec.Struct, frozen=True, tag="producer"):
    """A track that a peer sends. ``encodings`` are ordered from the lowest layer to the highest.

    While ``paused`` nothing of it is forwarded, whatever the peer sends.
    """

    id: ProducerId
    transport: TransportId
    version: int
    kind: Kind
    mid: str
    codecs: tuple[Codec, ...]
    encodings: tuple[Encoding, ...] = (Encoding(),)
    paused: bool = False
    #: A microphone in front of a loudspeaker: look whether what others say comes back by it.
    watch_echo: bool = False


class ConsumerSpec(msgspec.Struct, frozen=True, tag="consumer"):
    """A track that a peer receives: one m-line with a fixed SSRC.

    ``producer`` may change between versions (a pool's m-line is reused); sequence numbers and
    timestamps go on without a gap. An empty ``producer`` sends nothing.
    """

    id: ConsumerId
    transport: TransportId
    version: int
    kind: Kind
    mid: str
    ssrc: int
    codecs: tuple[Codec, ...]
    rtx_ssrc: int = 0
    producer: ProducerId = ProducerId("")
    #: Highest layer wanted, an index into the producer's encodings.
    max_layer: int = 255
    #: Who gets room first when there is not enough: lower goes first.
    priority: int = 100
    paused: bool = False


class PipeSpec(msgspec.Struct, frozen=True, tag="pipe"):
    """Sends a producer to another worker of this host, all layers wanted there, in plain RTP.

    ``socket`` is the other worker's pipe socket, ``remote_producer`` the id there.
    """

    id: str
    version: int
    producer: ProducerId
    socket: str
    remote_producer: ProducerId


class PipedProducerSpec(msgspec.Struct, frozen=True, tag="piped_producer"):
    """The far end of a pipe: a producer that is fed by another worker over its pipe socket."""

    id: ProducerId
    router: RouterId
    version: int
    kind: Kind
    codecs: tuple[Codec, ...]
    encodings: tuple[Encoding, ...]
    #: Pipe socket of the worker that holds the source: keyframe requests and NACKs go there.
    socket: str
    source_producer: ProducerId
    paused: bool = False


Spec = RouterSpec | TransportSpec | ProducerSpec | ConsumerSpec | PipeSpec | PipedProducerSpec
ObjectKind = Literal["router", "transport", "producer", "consumer", "pipe", "piped_producer"]


# ---- commands: control plane -> worker ---------------------------------------------------


class Attach(msgspec.Struct, frozen=True, tag="attach"):
    """First message on a connection. A lower epoch than the highest seen is refused; an equal
    or higher one takes over and the former connection is closed."""

    epoch: int
    control: str


class Remove(msgspec.Struct, frozen=True):
    """Asks for an object to be gone."""

    kind: ObjectKind
    id: str


class Apply(msgspec.Struct, frozen=True, tag="apply"):
    """Puts and removes, applied in order in one turn of the worker's loop."""

    request: int
    puts: tuple[Spec, ...] = ()
    removes: tuple[Remove, ...] = ()


class Dump(msgspec.Struct, frozen=True, tag="dump"):
    """Asks for everything the worker holds."""

    request: int


class RequestKeyframe(msgspec.Struct, frozen=True, tag="request_keyframe"):
    """Asks a video producer for a keyframe, through the throttle. layer -1 = all that send."""

    producer: ProducerId
    layer: int = -1


class ReadStatistics(msgspec.Struct, frozen=True, tag="read_statistics"):
    """Asks for the worker's counters."""

    request: int


class Shutdown(msgspec.Struct, frozen=True, tag="shutdown"):
    """Ends the worker now. Peers notice by their consent checks; pages are told by WebSocket."""


Command = Attach | Apply | Dump | RequestKeyframe | ReadStatistics | Shutdown


# ---- replies and notifications: worker -> control plane ----------------------------------


class Attached(msgspec.Struct, frozen=True, tag="attached"):
    """The worker accepts this control plane."""

    worker: int
    pid: int
    epoch: int
    fingerprint: Fingerprint
    candidates: tuple[Candidate, ...]
    pipe_socket: str
    #: The code it runs (``release``).
    release: str = ""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The worker belongs to a control plane with a higher epoch."""

    epoch: int


class Problem(msgspec.Struct, frozen=True):
    """Why one put was not taken. ``code`` is stable; ``text`` is for logs."""

    id: str
    code: str
    text: str


class Applied(msgspec.Struct, frozen=True, tag="applied"):
    """Reply to ``Apply``; puts not named in ``problems`` are in effect."""

    request: int
    problems: tuple[Problem, ...] = ()


class Dumped(msgspec.Struct, frozen=True, tag="dumped"):
    """Reply to ``Dump``: the latest accepted spec of every object, parents first."""

    request: int
    specs: tuple[Spec, ...]
    transport_states: tuple[TransportState, ...]
    #: Which layers arrive: a new control plane has not heard it.
    producer_states: tuple[ProducerState, ...] = ()


class TransportState(msgspec.Struct, frozen=True, tag="transport_state"):
    """A transport's state changed."""

    id: TransportId
    ice: IceState
    dtls: DtlsState
    #: udp or tcp once a path is there.
    protocol: str = ""
    reason: str = ""


class LayerState(msgspec.Struct, frozen=True):
    """One encoding of a producer, as it arrives."""

    rid: str
    active: bool
    #: Some consumer wants it. A page stops encodings for which this is false.
    wanted: bool
    codec: str = ""
    width: int = 0
    height: int = 0


class ProducerState(msgspec.Struct, frozen=True, tag="producer_state"):
    """A producer's layers began, ended, or became (un)wanted."""

    id: ProducerId
    layers: tuple[LayerState, ...]


class ConsumerState(msgspec.Struct, frozen=True, tag="consumer_state"):
    """A consumer sends another layer now; -1 = nothing."""

    id: ConsumerId
    producer: ProducerId
    layer: int


class Speakers(msgspec.Struct, frozen=True, tag="speakers"):
    """Producers that carry speech now, loudest first; levels in -dBov (RFC 6464)."""

    router: RouterId
    producers: tuple[tuple[ProducerId, int], ...]


class Echo(msgspec.Struct, frozen=True, tag="echo"):
    """What comes back by a microphone has changed; see ``twinclass_media.echo.Finding``."""

    producer: ProducerId
    #: none: it is over.
    trouble: Literal["echo", "howl", "none"]
    age_s: float = 0.0
    lag_s: float = 0.0
    likeness: float = 0.0
    gain_db: float = 0.0


class LinkQuality(msgspec.Struct, frozen=True):
    """One transport over the last period. Losses are fractions 0..1."""

    id: TransportId
    rtt_ms: float
    receive_bps: int
    send_bps: int
    #: What the peer reports lost of what we send.
    send_loss: float
    #: What we miss of what the peer sends.
    receive_loss: float
    #: What the peer says it could take (REMB), bit/s; 0 = not said.
    available_bps: int = 0
    #: What we think that the line carries, bit/s; 0 while there is no reason to look.
    budget_bps: int = 0
    #: Consumers that get a lower layer than they want, now and when last told, for want of it.
    smaller: tuple[ConsumerId, ...] = ()
    #: Consumers that get nothing, for want of it.
    stopped: tuple[ConsumerId, ...] = ()


class Qualities(msgspec.Struct, frozen=True, tag="qualities"):
    """Sent every 2 s, connected transports only."""

    links: tuple[LinkQuality, ...]


class Histogram(msgspec.Struct, frozen=True):
    """Prometheus-shaped: ``counts[i]`` observations at most ``bounds[i]``, not cumulative; the
    last count is above all bounds."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


class WorkerStatistics(msgspec.Struct, frozen=True, tag="statistics"):
    """Reply to ``ReadStatistics``. Counters run from the worker's start."""

    request: int
    packets: dict[str, int]
    bytes: dict[str, int]
    drops: dict[str, int]
    #: What became of viewers' lines: narrow, wide again, deaf.
    lines: dict[str, int]
    #: Audio and video together, and apart.
    forward_delay_s: Histogram
    audio_delay_s: Histogram
    video_delay_s: Histogram
    sendmsg_segments: Histogram
    transports: int
    producers: int
    consumers: int
    cpu_s: float
    rss_bytes: int
    #: Longest turn of the packet loop in the last period, seconds.
    loop_lag_s: float


Notification = (
    Attached
    | Refused
    | Applied
    | Dumped
    | TransportState
    | ProducerState
    | ConsumerState
    | Speakers
    | Echo
    | Qualities
    | WorkerStatistics
)
