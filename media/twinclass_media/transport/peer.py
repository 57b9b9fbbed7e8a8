"""One transport: a peer's credentials, path, keys, tracks and rows."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Protocol

from twinclass_media.forward.layer import Layer
from twinclass_media.forward.producer import Producer
from twinclass_media.forward.ring import Entry
from twinclass_media.forward.row import Row
from twinclass_media.forward.shape import Shape
from twinclass_media.rtp.transport_cc import ArrivalLog
from twinclass_media.statistics import Statistics
from twinclass_media.transport.dtls import DtlsServer
from twinclass_media.transport.native.way import NO_WAY, Way
from twinclass_media.transport.srtp import SrtpPair
from twinclass_media.worker.messages import TransportSpec

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

    def defer(self, row: Row, entry: Entry) -> None:
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
        handle, session: libsrtp's session for sending, as cffi's pointer and as a number.
        sendto, sendmsg, address, packet_info: the chosen path, for UDP.
        way: the same for the compiled loop.
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
        "nack_budget",
        "names",
        "next_transport_number",
        "packet_info",
        "path",
        "paths",
        "producers",
        "ready",
        "received_mark",
        "reported_loss",
        "reported_ssrcs",
        "router",
        "rows",
        "rtt_known",
        "rtt_s",
        "segmentation",
        "sendmsg",
        "sendto",
        "session",
        "slot",
        "spec",
        "srtp",
        "ssrcs",
        "state",
        "stream",
        "suspect_at",
        "ufrags",
        "way",
    )

    def __init__(self, spec: TransportSpec, statistics: Statistics, now: float) -> None:
        self.id = spec.id
        self.router = spec.router
        self.spec = spec
        self._statistics = statistics
        self.ready = False
        self.handle: Any = None
        self.session = 0
        self.sendto: Callable[..., int] = _no_path
        self.sendmsg: Callable[..., int] = _no_path
        self.address: tuple[Any, ...] = ()
        self.packet_info: list[tuple[int, int, bytes]] = []
        self.segmentation = True
        self.way = NO_WAY
        self.stream: Stream | None = None
        self.path: Path | None = None
        self.paths: list[Path] = []
        #: ufrag -> password, the newest last; the one before is kept over an ICE restart.
        self.ufrags: dict[str, str] = {spec.ufrag: spec.pwd}
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
        self.bytes_in = 0
        self.bytes_out_mark = 0
        self.received_mark = 0
        self.last_feedback_in = 0.0
        self.slot = 0
        #: The transport-wide sequence number that the next packet gets.
        self.next_transport_number = 1

    def take_transport_numbers(self, count: int) -> int:
        """Spends transport-wide sequence numbers; returns the first of them."""
        first = self.next_transport_number
        self.next_transport_number = (first + count) & 0xFFFF
        return first

    def use_path(self, path: Path) -> None:
        """Sends over ``path`` from here on."""
        self.path = path
        self.stream = path.stream
        self.address = path.address
        self.packet_info = path.packet_info
        if path.endpoint is not None:
            self.sendto = path.endpoint.sock.sendto
            self.sendmsg = path.endpoint.sock.sendmsg
            self.way = Way(path.endpoint.sock.fileno(), path.address, path.packet_info)
            self.segmentation = True
        self.update_ready(consent=True)

    def update_ready(self, consent: bool) -> None:
        """Recomputes ``ready``."""
        self.ready = consent and not self.closed and self.path is not None and self.srtp is not None

    def shape(self, mid: str, ssrc: int) -> Shape:
        """What packets of one of its rows look like."""
        e = self.spec.extensions
        with_mid = 0 < e.mid < 15 and 0 < len(mid) <= 16 and ssrc not in self.reported_ssrcs
        return Shape(
            tag=self.srtp.tag if self.srtp else 16,
            stream=self.stream is not None,
            abs_send_time=e.abs_send_time if e.abs_send_time < 15 else 0,
            mid_id=e.mid if with_mid else 0,
            mid=mid.encode() if with_mid else b"",
        )

    def send_raw(self, data: bytes) -> None:
        """Sends a datagram as it is (DTLS)."""
        if self.path is not None:
            try:
                self.path.send(data)
            except OSError:
                self._statistics.drops["send_failed"] += 1

    def send_rtp(self, packet: bytes) -> None:
        """Protects and sends one packet."""
        if self.ready and self.srtp is not None:
            self.send_raw(self.srtp.protect(packet))
            self._statistics.packets_out += 1
            self._statistics.bytes_out += len(packet)

    def send_rtcp(self, packet: bytes) -> None:
        """Protects and sends one compound packet."""
        if self.ready and self.srtp is not None:
            self.send_raw(self.srtp.protect_rtcp(packet))
            self._statistics.rtcp_out += 1


def _no_path(*_: object) -> int:
    raise OSError("no path")
