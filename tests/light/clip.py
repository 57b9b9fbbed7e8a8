"""Video that really decodes: a drawn scene, encoded once as VP8 and sent round and round.

``ClipSource`` stands where ``light.source.VideoSource`` stands, for viewers that decode.
"""

from __future__ import annotations

import random
import struct
import threading
from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext

from light.drawings import LOOP_S, Draw
from light.peer import LightPeer

FPS = 5
#: Size and bit rate of each layer, as a 720p camera offers them.
LAYERS = {
    "q": ((320, 180), 90_000),
    "h": ((640, 360), 250_000),
    "f": ((1280, 720), 900_000),
}
#: RFC 7741 section 4.2: X, then I with a picture id of 15 bits.
DESCRIPTOR_BYTES = 4
PAYLOAD_BYTES = 1100


@dataclass(frozen=True)
class Clip:
    """Encoded frames of one loop; the first is a keyframe, and only it."""

    frames: tuple[bytes, ...]
    fps: int = FPS


def encode(draw: Draw, size: tuple[int, int], bits_per_s: int, fps: int = FPS) -> Clip:
    """Draws and encodes one loop."""
    context = av.CodecContext.create("libvpx", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, fps)
    context.bit_rate = bits_per_s
    context.options = {
        "deadline": "realtime",
        "cpu-used": "8",
        "lag-in-frames": "0",
        "g": "9999",
        "error-resilient": "1",
    }
    frames: list[bytes] = []
    for n in range(round(LOOP_S * fps)):
        frame = av.VideoFrame.from_image(draw(n / fps, size))
        frame.pts = n
        frames += [bytes(packet) for packet in context.encode(frame)]
    frames += [bytes(packet) for packet in context.encode(None)]
    return Clip(tuple(frames), fps)


class DrawnCamera:
    """One drawn scene as a camera with layers; a layer is encoded when somebody wants it."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._clips: dict[str, Clip] = {}
        self._threads: dict[str, threading.Thread] = {}

    def prepare(self, rid: str = "q") -> Clip:
        """Encodes a layer now."""
        clip = self._clips.get(rid)
        if clip is None:
            clip = self._clips[rid] = encode(self._draw, *LAYERS[rid])
        return clip

    def clip(self, rid: str) -> Clip | None:
        """A layer; None while it is being made in a thread."""
        if rid not in self._clips and rid not in self._threads:
            thread = threading.Thread(target=self.prepare, args=(rid,), daemon=True)
            self._threads[rid] = thread
            thread.start()
        return self._clips.get(rid)


class ClipSource:
    """One encoding of a drawn camera as RTP. A keyframe request starts the clip again."""

    def __init__(
        self,
        peer: LightPeer,
        ssrc: int,
        payload_type: int,
        camera: DrawnCamera,
        rid: str,
        *,
        extensions: bytes = b"",
    ) -> None:
        self.peer, self.ssrc, self.payload_type = peer, ssrc, payload_type
        self.extensions = extensions
        self.keyframe_wanted = True
        self.keyframes = 0
        self.fps = FPS
        self.bytes_per_frame = 0
        self.history: dict[int, bytes] = {}
        self._camera, self._rid = camera, rid
        self._next = 0
        self._sequence = random.getrandbits(15)
        self._timestamp = random.getrandbits(32)
        self._picture_id = random.getrandbits(14)

    def frame(self) -> list[bytes]:
        """Returns the packets of the next frame; none while the clip is being made."""
        clip = self._camera.clip(self._rid)
        if clip is None:
            return []
        if self.keyframe_wanted:
            self._next, self.keyframe_wanted = 0, False
        data = clip.frames[self._next]
        self.keyframes += self._next == 0
        self._next = (self._next + 1) % len(clip.frames)
        self._picture_id = (self._picture_id + 1) & 0x7FFF
        self._timestamp = (self._timestamp + 90000 // max(1, self.fps)) & 0xFFFFFFFF
        room = PAYLOAD_BYTES - DESCRIPTOR_BYTES
        parts = [data[at : at + room] for at in range(0, len(data), room)]
        return [self._packet(part, n == 0, n == len(parts) - 1) for n, part in enumerate(parts)]

    def _packet(self, part: bytes, first: bool, last: bool) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        head = struct.pack(
            "!BBHII",
            0x90 if self.extensions else 0x80,
            (0x80 if last else 0) | self.payload_type,
            self._sequence,
            self._timestamp,
            self.ssrc,
        )
        descriptor = struct.pack(
            "!BBH", 0x80 | (0x10 if first else 0), 0x80, 0x8000 | self._picture_id
        )
        return head + self.extensions + descriptor + part
