"""Peers of a measurement: publishers that stamp, viewers that cost nothing, viewers that watch.

A viewer joins with its socket open: what it needs before it can show a picture (the first packet of
every sound, the start of a keyframe of every picture) is decrypted and timed. From then on a plain
viewer lets the kernel drop its media (``LightPeer.ignore_media``) and still sends receiver reports
and REMB as a browser does; what the filter dropped is counted by the kernel, each segment of a GSO
burst by itself. RTCP is dropped and counted with it.

A ``Watcher`` goes on to decrypt. When a packet came is the kernel's timestamp on its socket, so
that a busy load generator does not count as the system's delay. It is read by the clock: to wake
this process for a packet takes the server's ``sendmsg`` 50 to 100 µs in a virtual machine, which no
server pays for viewers behind a network. When it was sent stands in the
last eight bytes of its payload, written just before encryption. Both are CLOCK_REALTIME of this
machine. A system that encodes anew loses the stamps; for its pictures see ``delay.recognised_ms``.

Transport-wide congestion control is not negotiated: a viewer that did so and does not answer the
numbers is treated as one whose line is dead.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass

from aioice import stun
from tracks import Kind

from light.peer import LightPeer
from twinclass_media.errors import MalformedPacket
from twinclass_media.rtp.packet import RtpPacket
from twinclass_media.rtp.payload import vp8_keyframe_size

#: Linux, asm-generic/socket.h: seconds and nanoseconds with each datagram; memory and drops.
SO_TIMESTAMPNS, SO_MEMINFO = 35, 55
#: linux/sock_diag.h: nine 32-bit numbers, the last of which (SK_MEMINFO_DROPS) is what
#: /proc/net/udp shows as drops.
MEMINFO = struct.Struct("9I")
STAMP = struct.Struct("!Q")
#: A last-eight-bytes value that is further from now is no stamp but payload.
BELIEVABLE_NS = 20_000_000_000
#: Compounds of a browser where no transport-wide numbers are (Chromium).
REPORTS_PER_S = 3.7
#: A report has five bits for the count of its blocks (RFC 3550 section 6.4.2).
MAX_BLOCKS = 31
#: A watcher reads so often: its kernel keeps what came and when.
LOOK_S = 0.02
#: Browsers do not encode two keyframes within 300 ms, however many are asked for.
KEYFRAME_INTERVAL_S = 0.3


#: Browsers repeat the first flight of DTLS after 50 ms, OpenSSL after a second; a server that is
#: not ready yet when the check has succeeded would look slow.
HELLO_AGAIN_S = 0.05


class Peer(LightPeer):
    """A light peer that answers the connectivity checks of a full ICE agent and repeats its hello
    as browsers do."""

    _hello = b""
    _answered = False

    def send_raw(self, data: bytes) -> None:
        if not self._hello and 20 <= data[0] <= 63:
            self._hello = data
            self._loop.call_later(HELLO_AGAIN_S, self._hello_again, HELLO_AGAIN_S)
        super().send_raw(data)

    def _handshake(self) -> None:
        # The first call makes the hello, the second has been given an answer.
        self._answered = bool(self._hello)
        super()._handshake()

    def _hello_again(self, after_s: float) -> None:
        if not self._answered and not self._closed:
            super().send_raw(self._hello)
            self._loop.call_later(2 * after_s, self._hello_again, 2 * after_s)

    def bind(self, host: str) -> None:
        """Binds its socket before it starts: an offer can name the address then."""
        self._sock.bind((host, 0))

    def local_address(self) -> tuple[str, int]:
        """Where its socket is bound."""
        host, port = self._sock.getsockname()[:2]
        return host, port

    def _stun(self, data: bytes) -> None:
        message = stun.parse_message(data)
        if message.message_class != stun.Class.REQUEST:
            super()._stun(data)
            return
        response = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=message.transaction_id,
        )
        response.attributes["XOR-MAPPED-ADDRESS"] = self._remote
        response.add_message_integrity(self.password.encode())
        response.add_fingerprint()
        self.send_raw(bytes(response))


class StampingPeer(Peer):
    """A publisher: writes the time into each packet that leaves."""

    stamps = True

    def send_rtp(self, packet: bytes) -> None:
        if self.stamps:
            packet = packet[: -STAMP.size] + STAMP.pack(time.time_ns())
        super().send_rtp(packet)


class Viewer(Peer):
    """A viewer whose kernel drops the media once all of it has begun."""

    reports_per_s = REPORTS_PER_S

    def begin(
        self,
        remote: tuple[str, int],
        ufrag: str,
        password: str,
        streams: list[tuple[Kind, int]],
    ) -> None:
        """Begins checks; ``streams`` are the (kind, SSRC) to wait for."""
        self.kinds: dict[int, Kind] = {ssrc: kind for kind, ssrc in streams}
        self._missing = set(self.kinds)
        #: Set when every stream has begun; then ``joined_s`` is how long it took.
        self.joined = asyncio.Event()
        self.joined_s = 0.0
        self._begun_at = time.monotonic()
        self.on_rtp = self._first
        self.start(remote, ufrag, password)

    @property
    def video_ssrcs(self) -> list[int]:
        """Of what it receives."""
        return [ssrc for ssrc, kind in self.kinds.items() if kind == "video"]

    def _first(self, ssrc: int, packet: bytes, now: float) -> None:
        if ssrc not in self._missing:
            return
        if self.kinds[ssrc] == "video" and not _starts_keyframe(packet):
            return
        self._missing.remove(ssrc)
        if not self._missing:
            self.joined_s = now - self._begun_at
            self.joined.set()
            self._all_there()

    def _all_there(self) -> None:
        self.on_rtp = None
        self.ignore_media(list(self.kinds)[:MAX_BLOCKS], self.reports_per_s)

    def datagrams(self) -> int:
        """Media and RTCP that came, dropped by the filter or read."""
        return self._dropped() + sum(one.packets + one.duplicates for one in self.streams.values())

    def _dropped(self) -> int:
        memory = self._sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size)
        drops: int = MEMINFO.unpack(memory)[-1]
        return drops


def _starts_keyframe(packet: bytes) -> bool:
    try:
        return vp8_keyframe_size(RtpPacket(packet).payload) is not None
    except MalformedPacket:
        return False


@dataclass(frozen=True)
class Arrival:
    """A packet at a watcher. ``at_ns`` is the kernel's; ``delay_ns`` is None without a stamp."""

    at_ns: int
    sequence_number: int
    timestamp: int
    marker: bool
    keyframe: bool
    delay_ns: int | None


class Watcher(Viewer):
    """A viewer that goes on to decrypt and keeps what came, while ``recording``."""

    def _new_socket(self) -> socket.socket:
        sock = super()._new_socket()
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._times_ns: deque[int] = deque()
        self.arrivals: dict[int, list[Arrival]] = {}
        self.recording = False
        #: RTP and RTCP datagrams read: the share of media in what a plain viewer's kernel drops.
        self.media = self.control = 0
        return sock

    def datagrams(self) -> int:
        # Dropped here is what this process was too slow to read: it had come all the same.
        return self._dropped() + self.media + self.control

    def _receive(self) -> list[bytes]:
        packets: list[bytes] = []
        for _ in range(200):
            try:
                data, ancillary, _, _ = self._sock.recvmsg(2048, 64)
            except BlockingIOError:
                break
            except OSError as error:
                self.errors[type(error).__name__] += 1
                break
            packets.append(data)
            if data and 128 <= data[0] <= 191:
                seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
                self._times_ns.append(seconds * 1_000_000_000 + nanoseconds)
                if 192 <= data[1] <= 223:
                    self.control += 1
                else:
                    self.media += 1
        return packets

    def _media(self, data: bytes, now: float) -> None:
        self._at_ns = self._times_ns.popleft()
        super()._media(data, now)

    def _all_there(self) -> None:
        self.on_rtp = self._keep
        self._loop.remove_reader(self._sock.fileno())
        self._look()

    def _look(self) -> None:
        if not self._closed:
            self._readable()
            self._loop.call_later(LOOK_S, self._look)

    def _keep(self, ssrc: int, data: bytes, _: float) -> None:
        kind = self.kinds.get(ssrc)
        if not self.recording or kind is None:
            return
        packet = RtpPacket(data)
        payload = packet.payload
        delay_ns: int | None = None
        if len(payload) >= STAMP.size:
            (sent_ns,) = STAMP.unpack_from(payload, len(payload) - STAMP.size)
            if abs(self._at_ns - sent_ns) < BELIEVABLE_NS:
                delay_ns = self._at_ns - sent_ns
        self.arrivals.setdefault(ssrc, []).append(
            Arrival(
                self._at_ns,
                packet.sequence_number,
                packet.timestamp,
                bool(packet.marker),
                kind == "video" and _starts_keyframe(data),
                delay_ns,
            )
        )
