"""Pipes: a producer of this worker feeds viewers of another worker of this host.

Plain RTP in datagrams over Unix sockets: nothing leaves the host, so nothing is encrypted. Each
worker binds one socket. Datagrams are a one-byte kind, the 16-byte key of the producer's id at
the receiving side (BLAKE2s), the layer, then:

    PACKET       an RTP packet without extensions, numbered as the publisher numbered it; its SSRC
                 changes where the numbers do not go on
    KEYFRAME     nothing: asks the source for a keyframe of that layer
    WANTS        one byte: the highest layer wanted at the far end, 255 = none; and, if there is a
                 second one, the lowest that need be sent (a recorder writes one layer)
    MISSING      sequence numbers (16 bits each) that did not arrive
    ASK          nothing: asks the far end for its wishes; it may have been there first
    REPORT       NTP (64) and RTP time (32) of the publisher's last sender report, and our
                 wall clock's offset to the publisher's (double)

A full line drops the packet; the far end sees the gap and asks again, as on any line.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from twinclass_media.forward.layer import Layer
from twinclass_media.forward.producer import Producer
from twinclass_media.forward.ring import Entry
from twinclass_media.rtp.packet import MAX_PACKET_BYTES
from twinclass_media.rtp.rtcp import SenderInfo
from twinclass_media.statistics import Statistics
from twinclass_media.transport.pipe_line import PipeLine

PACKET, KEYFRAME, WANTS, MISSING, REPORT, ASK = range(1, 7)
KEY_BYTES = 16
_HEAD = struct.Struct(f"!B{KEY_BYTES}sB")
_RTP = struct.Struct("!BBHII")
_REPORT = struct.Struct("!QId")
NOTHING = 255
MAX_PER_TURN = 200
#: The far end says what it wants this often, and the source forgets it after four times that.
WANTS_S = 1.0
#: A layer that was not wanted, or closed, for longer than this goes on under another SSRC: half of
#: the numbers there are, and which way they moved would be anybody's guess (RFC 3550 section A.1).
MAX_STEP = 0x4000
#: As many as one NACK may name.
MAX_MISSING = 100


def key_of(producer: str) -> bytes:
    """Fixed-length name of a producer on the pipe."""
    return hashlib.blake2s(producer.encode(), digest_size=KEY_BYTES).digest()


class PipeSocket:
    """The worker's pipe socket (shell): receives, and sends by a line for each other worker."""

    def __init__(self, path: Path, statistics: Statistics) -> None:
        """Binds; readable by our user only."""
        path.unlink(missing_ok=True)
        self._path = path
        self._statistics = statistics
        self._lines: dict[str, PipeLine] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        mask = os.umask(0o177)
        try:
            self._sock.bind(str(path))
        finally:
            os.umask(mask)
        self._sock.setblocking(False)

    def start(
        self,
        loop: asyncio.AbstractEventLoop,
        handle: Callable[[int, bytes, int, bytes], None],
        after: Callable[[], object],
    ) -> None:
        """Begins to receive: ``handle(kind, key, layer, body)``."""

        def readable() -> None:
            for _ in range(MAX_PER_TURN):
                try:
                    data = self._sock.recv(MAX_PACKET_BYTES + 64)
                except BlockingIOError:
                    break
                if len(data) < _HEAD.size:
                    self._statistics.drops["pipe_malformed"] += 1
                    continue
                kind, key, layer = _HEAD.unpack_from(data)
                handle(kind, key, layer, data[_HEAD.size :])
            after()

        self._loop = loop
        loop.add_reader(self._sock.fileno(), readable)

    def send(self, to: str, kind: int, key: bytes, layer: int, body: bytes = b"") -> None:
        """Sends one datagram; what a full line or a dead worker does not take is counted."""
        line = self._lines.get(to)
        if line is None:
            if self._loop is None:
                return  # not started yet: nobody can have asked for anything
            line = self._lines[to] = PipeLine(self._loop, to, self._statistics)
        line.send(_HEAD.pack(kind, key, layer) + body)

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stops and removes the socket."""
        for line in self._lines.values():
            line.close()
        loop.remove_reader(self._sock.fileno())
        self._sock.close()
        self._path.unlink(missing_ok=True)


class PipeOut:
    """The near end: a tap on a producer that sends what the far end wants."""

    def __init__(
        self,
        pipes: PipeSocket,
        producer: Producer,
        to: str,
        remote: str,
        payload_types: dict[str, int],
    ) -> None:
        self._pipes = pipes
        self._to = to
        self.key = key_of(remote)
        self.producer = producer
        self._payload_types = payload_types
        self.max_layer = -1
        self._min_layer = 0
        self._wanted_until = 0.0
        #: By layer: the SSRC told to the far end, the source's own, and the newest number sent.
        self._streams: dict[int, tuple[int, int, int]] = {}

    def ask(self) -> None:
        """Asks the far end what it wants."""
        self._pipes.send(self._to, ASK, self.key, 0)

    def take(self, layer: Layer, entry: Entry) -> None:
        """Sends one packet of a layer, if it is wanted."""
        is_wanted = self._min_layer <= layer.index <= self.max_layer
        if not is_wanted or entry.codec not in self._payload_types:
            return
        header = _RTP.pack(
            0x80,
            entry.marker << 7 | self._payload_types[entry.codec],
            entry.sequence & 0xFFFF,
            entry.timestamp,
            self._ssrc(layer, entry.sequence),
        )
        self._pipes.send(self._to, PACKET, self.key, layer.index, header + entry.payload)

    def _ssrc(self, layer: Layer, sequence: int) -> int:
        told, source, newest = self._streams.get(layer.index, (0, -1, 0))
        if source != layer.ssrc or sequence - newest > MAX_STEP:
            told, newest = secrets.randbits(32), sequence
        self._streams[layer.index] = (told, layer.ssrc, max(newest, sequence))
        return told

    def wants(self, max_layer: int, min_layer: int, now: float) -> bool:
        """The far end says what it wants. True when that changed for the publisher: layers below
        ``min_layer`` stay wanted, they are what the far end falls back to."""
        self._min_layer = min_layer
        wanted = -1 if max_layer == NOTHING else max_layer
        changed = wanted != self.max_layer
        self.max_layer = wanted
        self._wanted_until = now + 4 * WANTS_S
        return changed

    def resend(self, layer: Layer, body: bytes) -> None:
        """Sends again what did not arrive."""
        highest = layer.ring.highest
        for at in range(0, min(len(body) - 1, 2 * MAX_MISSING), 2):
            number = int.from_bytes(body[at : at + 2], "big")
            entry = layer.ring.get(highest + ((number - highest + 0x8000) & 0xFFFF) - 0x8000)
            if entry is not None:
                self.take(layer, entry)

    def tick(self, now: float) -> bool:
        """Reports clocks; forgets a far end that fell silent. True when wants changed."""
        for layer in self.producer.layers:
            sender = layer.reception.sender
            if sender is not None and layer.index <= self.max_layer:
                body = _REPORT.pack(sender.ntp, sender.rtp_timestamp, layer.clock_offset or 0.0)
                self._pipes.send(self._to, REPORT, self.key, layer.index, body)
        if self.max_layer >= 0 and now > self._wanted_until:
            self.max_layer = -1
            return True
        return False


class PipeIn:
    """The far end: feeds a producer of ours from another worker."""

    def __init__(
        self,
        pipes: PipeSocket,
        producer: Producer,
        source: str,
        own: str,
        codecs: dict[int, str],
    ) -> None:
        self._pipes = pipes
        self._source = source
        self._codecs = codecs
        self.key = key_of(own)
        self.producer = producer

    def codec(self, payload_type: int) -> str | None:
        """Name of a payload type of the source."""
        return self._codecs.get(payload_type)

    def request_keyframe(self, layer: Layer) -> None:
        """Passes a wish on to the source."""
        self._pipes.send(self._source, KEYFRAME, self.key, layer.index)

    def ask_again(self, layer: Layer, missing: list[int]) -> None:
        """Names what did not arrive."""
        body = b"".join(n.to_bytes(2, "big") for n in missing[:MAX_MISSING])
        self._pipes.send(self._source, MISSING, self.key, layer.index, body)

    def tell_wants(self) -> None:
        """Says which layers are wanted here."""
        wanted = [x.index for x in self.producer.layers if self.producer.wants(x)]
        body = bytes((max(wanted, default=NOTHING),))
        self._pipes.send(self._source, WANTS, self.key, 0, body)


def parse_report(body: bytes) -> tuple[SenderInfo, float] | None:
    """Returns the sender report and clock offset in a REPORT, or None when it is cut."""
    if len(body) != _REPORT.size:
        return None
    ntp, rtp, offset = _REPORT.unpack(body)
    return SenderInfo(0, ntp, rtp), offset
