"""What a light publisher sends: packets that look like VP8, H264 and Opus to a forwarder.

Frames have the sizes of a 720p camera; keyframes come when asked for, as browsers do it.
"""

from __future__ import annotations

import asyncio
import random
import struct
import time

from light.peer import LightPeer


class VideoSource:
    """Frames of one encoding. ``kbps`` and ``fps`` set the packets per frame."""

    def __init__(
        self,
        peer: LightPeer,
        ssrc: int,
        payload_type: int,
        *,
        codec: str = "VP8",
        kbps: int = 1500,
        fps: int = 30,
        width: int = 1280,
        height: int = 720,
        extensions: bytes = b"",
        spread_s: float = 0.0,
    ) -> None:
        self.peer, self.ssrc, self.payload_type, self.codec = peer, ssrc, payload_type, codec
        self.fps, self.width, self.height = fps, width, height
        self.extensions = extensions
        self.spread_s = spread_s
        self.bytes_per_frame = kbps * 125 // fps
        self.sequence = random.getrandbits(15)
        self.timestamp = random.getrandbits(32)
        self.keyframe_wanted = True
        self.keyframes = 0
        self.sent = 0
        self.picture_id = random.getrandbits(14)
        self.history: dict[int, bytes] = {}
        self.drop: set[int] = set()
        self._noise = random.randbytes(1200)

    def frame(self) -> list[bytes]:
        """Returns the packets of the next frame."""
        keyframe, self.keyframe_wanted = self.keyframe_wanted, False
        size = self.bytes_per_frame * (5 if keyframe else 1)
        self.keyframes += keyframe
        count = max(1, -(-size // 1080))
        self.picture_id = (self.picture_id + 1) & 0x7FFF
        self.timestamp = (self.timestamp + 90000 // self.fps) & 0xFFFFFFFF
        packets = []
        for i in range(count):
            length = size // count + (1 if i >= count - size % count else 0)
            payload = self._payload(i, count, keyframe, length)
            self.sequence = (self.sequence + 1) & 0xFFFF
            marker = 0x80 if i == count - 1 else 0
            first = 0x90 if self.extensions else 0x80
            packet = (
                struct.pack(
                    "!BBHII",
                    first,
                    marker | self.payload_type,
                    self.sequence,
                    self.timestamp,
                    self.ssrc,
                )
                + self.extensions
                + payload
            )
            self.history[self.sequence] = packet
            packets.append(packet)
        return packets

    def _payload(self, i: int, count: int, keyframe: bool, length: int) -> bytes:
        if self.codec == "VP8":
            head = struct.pack(
                "!BBH", 0x80 | (0x10 if i == 0 else 0), 0x80, 0x8000 | self.picture_id
            )
            if i == 0:
                head += (
                    bytes((0x10, 0, 0))
                    + b"\x9d\x01\x2a"
                    + struct.pack("<HH", self.width, self.height)
                    if keyframe
                    else bytes((0x11, 0, 0))
                )
            return head + self._noise[: max(0, length - len(head))]
        nal = 5 if keyframe else 1
        flags = (0x80 if i == 0 else 0) | (0x40 if i == count - 1 else 0)
        return bytes((0x7C, flags | nal)) + self._noise[: length - 2]

    async def run(self, seconds: float) -> None:
        """Sends frames in real time."""
        start = time.monotonic()
        n = 0
        while time.monotonic() - start < seconds:
            packets = self.frame()
            for i, packet in enumerate(packets):
                self.sent += 1
                if int.from_bytes(packet[2:4], "big") not in self.drop:
                    self.peer.send_rtp(packet)
                if self.spread_s and i + 1 < len(packets):
                    await asyncio.sleep(self.spread_s / len(packets))
            n += 1
            await asyncio.sleep(max(0.0, start + n / self.fps - time.monotonic()))


class AudioSource:
    """20 ms Opus-like packets."""

    def __init__(
        self,
        peer: LightPeer,
        ssrc: int,
        payload_type: int = 111,
        *,
        level_id: int = 0,
        level: int = 30,
        extra: bytes = b"",
    ) -> None:
        self.peer, self.ssrc, self.payload_type = peer, ssrc, payload_type
        self.level_id, self.level = level_id, level
        self.muted = False
        #: One-byte extension block to carry besides the level (its elements only).
        self.extra = extra[4:].rstrip(b"\0")
        self.sequence = random.getrandbits(15)
        self.timestamp = random.getrandbits(32)
        self.sent = 0

    def packet(self) -> bytes:
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + 960) & 0xFFFFFFFF
        elements = self.extra
        if self.level_id:
            elements += bytes((self.level_id << 4, 0x80 | self.level))
        head = struct.pack(
            "!BBHII",
            0x90 if elements else 0x80,
            self.payload_type,
            self.sequence,
            self.timestamp,
            self.ssrc,
        )
        if elements:
            elements += b"\0" * (-len(elements) % 4)
            head += struct.pack("!HH", 0xBEDE, len(elements) // 4) + elements
        return head + random.randbytes(80)

    async def run(self, seconds: float) -> None:
        start = time.monotonic()
        n = 0
        while time.monotonic() - start < seconds:
            self.peer.send_rtp(self.packet())
            self.sent += 1
            n += 1
            await asyncio.sleep(max(0.0, start + n * 0.02 - time.monotonic()))
