"""One transport: a peer's credentials, path, keys, tracks and rows."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Protocol

from twinclass_media.bandwidth.allocation import Share
from twinclass_media.bandwidth.repetition import Repetition
from twinclass_media.bandwidth.trial import Trial
from twinclass_media.bandwidth.watch import Watch
from twinclass_media.forward.layer import Layer
from twinclass_media.forward.producer import Producer
from twinclass_media.forward.row import Row
from twinclass_media.forward.shape import Shape, abs_send_time
from twinclass_media.rtp.transport_cc import ArrivalLog
from twinclass_media.statistics import Statistics
from twinclass_media.transport.deferred import Deferred
from twinclass_media.transport.dtls import DtlsServer
from twinclass_media.transport.line import Line
from twinclass_media.transport.native.way import Way
from twinclass_media.transport.srtp import SrtpPair
from twinclass_media.worker.messages import TransportSpec

#: Names of payload types of sound.
#: Compounds of one peer that are read in a second: browsers send 20 (transport-wide feedback) and,
#: where much is lost, a NACK or two a round trip. Each costs what ten forwarded packets do.
RTCP_BUDGET = 200
OPUS, RED = "opus", "red"
#: Candidate pairs a peer may have validated at once (interfaces times families).
MAX_PATHS = 8


class Stream(Protocol):
    """A TCP connection as a sink (RFC 4571 framing inside)."""

    @property
    def blocked(self) -> bool:
        """The peer does not read fast enough: give no more video."""
        ...

    def send(self, data: bytes) -> None:
        """Sends one packet, framed."""
        ...

    def defer(self, one: Deferred) -> None:
        """Keeps an audio packet until the stream can be written; the oldest are dropped."""
        ...

    def close(self) -> None:
        """Ends the connection."""
        ...


class Endpoint(Protocol):
    """One of our bound UDP sockets."""

    sock: socket.socket
    peers: dict[tuple[Any, ...], Peer]


class Path:
    """Where a peer is: an address as seen from one of our sockets, or a stream."""

    __slots__ = ("address", "endpoint", "packet_info", "stream")

    def __init__(
        self,
        address: tuple[Any, ...],
        endpoint: Endpoint | None,
        packet_info: list[tuple[int, int, bytes]],
        stream: Stream | None,
    ) -> None:
        self.address = address
        self.endpoint = endpoint
        self.packet_info = packet_info
        self.stream = stream

    def send(self, data: bytes) -> None:
        """Sends one datagram; raises OSError."""
        if self.stream is not None:
            self.stream.send(data)
        elif self.endpoint is not None:
            self.endpoint.sock.sendmsg((data,), self.packet_info, 0, self.address)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Path)
            and self.address == other.address
            and self.endpoint is other.endpoint
            and self.stream is other.stream
        )

    __hash__ = None  # type: ignore[assignment]  # compared, never a key


class Peer:
    """State of one transport. The send loop reads what stands first.

    Attributes:
        ready: a path is there, keys are there, consent is fresh: packets may go out.
        handle: libsrtp's session for sending.
        line: while its line is watched, else None.
        sendto, sendmsg, address, packet_info: the chosen path, for UDP.
        way: all of this for the compiled loop.
        ssrcs: SSRC -> (producer, layer, is RTX) of what it sends.
        rows: our SSRC -> row of what it receives (RTX SSRCs too).
    """

    __slots__ = (
        "_statistics",
        "address",
        "arrivals",
        "available_bps",
        "bytes_in",
        "bytes_out_mark",
        "clock_offset",
        "closed",
        "connected_at",
        "consent_at",
        "dtls",
        "dtls_early",
        "handle",
        "id",
        "last_feedback_in",
        "line",
        "line_before",
        "nack_budget",
        "names",
        "packet_info",
        "path",
        "paths",
        "producers",
        "ready",
        "received_mark",
        "repetition",
        "reported_loss",
        "reported_ssrcs",
        "restart_mark",
        "router",
        "rows",
        "rtcp_budget",
        "rtcp_mark",
        "rtcp_sent",
        "rtt_known",
        "rtt_s",
        "segmentation",
        "sending_bps",
        "sendmsg",
        "sendto",
        "sent_mark",
        "share",
        "slot",
        "spec",
        "srtp",
        "ssrcs",
        "state",
        "stream",
        "suspect_at",
        "trial",
        "ufrags",
        "watch",
        "way",
    )

    def __init__(self, spec: TransportSpec, statistics: Statistics, now: float) -> None:
        self.id = spec.id
        self.router = spec.router
        self.spec = spec
        self._statistics = statistics
        self.ready = False
        self.handle: Any = None
        self.sendto: Callable[..., int] = _no_path
        self.sendmsg: Callable[..., int] = _no_path
        self.address: tuple[Any, ...] = ()
        self.packet_info: list[tuple[int, int, bytes]] = []
        self.segmentation = True
        self.way = Way()
        self.stream: Stream | None = None
        self.path: Path | None = None
        self.paths: list[Path] = []
        #: ufrag -> password, the newest last; the one before is kept over an ICE restart.
        self.ufrags: dict[str, str] = {spec.ufrag: spec.pwd}
        #: What the peer put behind our fragment when it restarted ICE alone last.
        self.restart_mark = ""
        self.dtls: DtlsServer | None = None
        #: The newest ClientHello that came before the fingerprint was known.
        self.dtls_early: list[bytes] = []
        self.srtp: SrtpPair | None = None
        self.state: tuple[str, str] = ("new", "new")
        self.closed = False
        self.consent_at = now
        #: When an alert came that may have been a close_notify: unreadable without the SSL
        #: object, and forgeable, so only a hint.
        self.suspect_at = 0.0
        self.connected_at = 0.0
        self.producers: dict[str, Producer] = {}
        self.ssrcs: dict[int, tuple[Producer, Layer, bool]] = {}
        #: SSRC -> (mid, rid) by which it was named once; bounded as SRTP's streams are.
        self.names: dict[int, tuple[bytes, bytes | None]] = {}
        self.rows: dict[int, Row] = {}
        self.reported_ssrcs: set[int] = set()
        self.arrivals = ArrivalLog(now)
        self.clock_offset: float | None = None
        #: A guess for NACK timing until the first report.
        self.rtt_s = 0.05
        self.rtt_known = False
        self.available_bps = 0
        self.reported_loss = 0.0
        self.nack_budget = 0
        self.rtcp_budget = RTCP_BUDGET
        self.bytes_in = 0
        self.bytes_out_mark = 0
        self.received_mark = 0
        self.last_feedback_in = 0.0
        #: Compounds sent, and how many they were when it was last looked whether it rests.
        self.rtcp_sent = 0
        self.rtcp_mark = 0
        self.slot = 0
        #: Of a viewer, from its first row on: how close its line is looked at, and what of it
        #: is believed while it only says what it could take.
        self.watch: Watch | None = None
        self.line: Line | None = None
        #: While it is not watched: what was known of it.
        self.line_before: Line | None = None
        self.trial = Trial()
        #: How many packets of sound each brings along.
        self.repetition = Repetition()
        #: Payload of all rows: now, and by when it was looked at last.
        self.sending_bps = 0.0
        self.sent_mark = 0
        #: What was given of its line last.
        self.share: Share | None = None

    def use_path(self, path: Path) -> None:
        """Sends over ``path`` from here on."""
        self.path = path
        self.stream = path.stream
        self.address = path.address
        self.packet_info = path.packet_info
        if path.endpoint is not None:
            self.sendto = path.endpoint.sock.sendto
            self.sendmsg = path.endpoint.sock.sendmsg
            self.way.lead(path.endpoint.sock.fileno(), path.address, path.packet_info)
            self.segment(True)
        self.update_ready(consent=True)

    def use_keys(self, srtp: SrtpPair) -> None:
        """Protects with these keys from here on."""
        self.srtp = srtp
        self.handle = srtp.handle
        self.way.use_session(srtp.session)
        self.update_ready(consent=True)

    def update_ready(self, consent: bool) -> None:
        """Recomputes ``ready``."""
        self.ready = consent and not self.closed and self.path is not None and self.srtp is not None
        self.way.open(self.ready)

    def segment(self, possible: bool) -> None:
        """Notes whether the kernel cuts up what is sent this way."""
        self.segmentation = possible
        self.way.segment(possible)

    def shape(self, mid: str, ssrc: int) -> Shape:
        """What packets of one of its rows look like."""
        e = self.spec.extensions
        row = self.rows.get(ssrc)
        sound_type = 0
        if self.repetition.packets and row is not None and RED in row.payload_types:
            sound_type = row.payload_types[OPUS][0]
        with_mid = 0 < e.mid < 15 and 0 < len(mid) <= 16 and ssrc not in self.reported_ssrcs
        return Shape(
            tag=self.srtp.tag if self.srtp else 16,
            stream=self.stream is not None,
            abs_send_time=e.abs_send_time if e.abs_send_time < 15 else 0,
            transport_cc=self._numbers,
            mid_id=e.mid if with_mid else 0,
            mid=mid.encode() if with_mid else b"",
            red=self.repetition.packets if sound_type else 0,
            sound_type=sound_type,
        )

    @property
    def numbering(self) -> Line | None:
        """Whose numbers packets take that were laid out with some. What was on its way when
        watching ended takes the next ones: to a receiver, others would be of an hour ago."""
        return self.line or self.line_before

    @property
    def _numbers(self) -> int:
        """The id of transport-wide numbers, 0: they are not given now."""
        identifier = self.spec.extensions.transport_cc
        return identifier if self.line is not None and identifier < 15 else 0

    def send_raw(self, data: bytes) -> None:
        """Sends a datagram as it is (DTLS)."""
        if self.path is not None:
            try:
                self.path.send(data)
            except OSError:
                self._statistics.drops["send_failed"] += 1

    def send_rtp(self, header: bytes, payload: bytes, now: float) -> None:
        """Sends one packet outside the send loop: a fixed header without extensions, which get
        theirs here, and what follows them."""
        if not self.ready or self.srtp is None:
            return
        e = self.spec.extensions
        shape = Shape(
            self.srtp.tag,
            abs_send_time=e.abs_send_time if e.abs_send_time < 15 else 0,
            transport_cc=self._numbers,
        )
        block, number_at = shape.extension_block(abs_send_time(now))
        packet = bytearray(header + block + payload)
        if block:
            packet[0] |= 0x10
        if number_at and self.line is not None:
            packet[number_at : number_at + 2] = self.line.next_number.to_bytes(2, "big")
            self.line.sent((len(packet) + shape.tag,), now)
        self.send_raw(self.srtp.protect(bytes(packet)))
        self._statistics.packets_out += 1
        self._statistics.bytes_out += len(packet)

    def send_rtcp(self, packet: bytes) -> None:
        """Protects and sends one compound packet."""
        if self.ready and self.srtp is not None:
            self.send_raw(self.srtp.protect_rtcp(packet))
            self._statistics.rtcp_out += 1
            self.rtcp_sent += 1


def _no_path(*_: object) -> int:
    raise OSError("no path")
