"""Connects a publisher and gives it a camera and a microphone.

Usually packets of realistic size and spacing with noise in them (``light.source``). For a system
that decodes, a clip of real pictures and sound, encoded once.
"""

from __future__ import annotations

import asyncio
import random
import time

from peers import KEYFRAME_INTERVAL_S, StampingPeer
from system import Published, System, connected
from tracks import PublisherPlan, Track

from light import encoded
from light.peer import Identity
from light.source import AudioSource, VideoSource

#: Of the clip: two seconds, small enough that ten encoders of one machine have a chance.
CLIP_WIDTH, CLIP_HEIGHT, CLIP_FRAMES = 640, 360, 60
#: 3 ms of the video clock: no player minds, and there are 600 different distances.
MAX_UNEVEN_RTP = 300


class Camera(VideoSource):
    """A camera whose encoder does not make two keyframes within ``KEYFRAME_INTERVAL_S``."""

    _last_keyframe_at = 0.0

    def request_keyframe(self, _: int) -> None:
        """To be called when a viewer asks, as often as it likes."""
        wait_s = self._last_keyframe_at + KEYFRAME_INTERVAL_S - time.monotonic()
        if wait_s <= 0:
            self.keyframe_wanted = True
        else:
            asyncio.get_running_loop().call_later(wait_s, self._due)

    def _due(self) -> None:
        if time.monotonic() >= self._last_keyframe_at + KEYFRAME_INTERVAL_S - 0.001:
            self.keyframe_wanted = True

    def frame(self) -> list[bytes]:
        if self.keyframe_wanted:
            self._last_keyframe_at = time.monotonic()
        # Nothing is retransmitted here; minutes of packets would only fill the memory.
        self.history.clear()
        return super().frame()


class ClipCamera(Camera):
    """Pictures that decode, over and over; a keyframe each second.

    Distances between timestamps are irregular, so that a frame is recognised behind a system that
    encodes anew.
    """

    def __init__(
        self,
        peer: StampingPeer,
        ssrc: int,
        payload_type: int,
        *,
        kbps: int,
        fps: int,
        spread_s: float,
    ) -> None:
        super().__init__(peer, ssrc, payload_type, kbps=kbps, fps=fps, spread_s=spread_s)
        #: When a frame left, by its RTP timestamp; CLOCK_REALTIME.
        self.sent_ns: dict[int, int] = {}

    def frame(self) -> list[bytes]:
        clip = encoded.video(
            "VP8", CLIP_WIDTH, CLIP_HEIGHT, CLIP_FRAMES, self.fps, self.fps, self.bytes_per_frame
            * self.fps // 125,
        )  # fmt: skip
        picture = clip[self.picture_id % CLIP_FRAMES]
        self.picture_id += 1
        step = 90000 // self.fps + random.randint(-MAX_UNEVEN_RTP, MAX_UNEVEN_RTP)
        self.timestamp = (self.timestamp + step) & 0xFFFFFFFF
        self.sent_ns[self.timestamp] = time.time_ns()
        packets: list[bytes] = []
        for payload in picture.payloads:
            self.sequence = (self.sequence + 1) & 0xFFFF
            last = payload is picture.payloads[-1]
            packets.append(self._header(last) + payload)
        return packets

    def _header(self, marker: bool) -> bytes:
        return (
            bytes((0x80, (0x80 if marker else 0) | self.payload_type))
            + self.sequence.to_bytes(2, "big")
            + self.timestamp.to_bytes(4, "big")
            + self.ssrc.to_bytes(4, "big")
        )


class ClipMicrophone(AudioSource):
    """Sound that decodes, over and over."""

    def packet(self) -> bytes:
        noise = super().packet()
        sound = encoded.opus(100)
        return noise[:-80] + sound[self.sent % len(sound)]


async def publish(
    system: System, identity: Identity, room: str, plan: PublisherPlan, *,
    clip: bool, spread_s: float,
) -> Published:  # fmt: skip
    """A publisher, connected. ``spread_s``: over how long a frame's packets leave."""
    peer = StampingPeer(identity)
    peer.stamps = not clip
    payload_types = await system.publish(room, plan, peer)
    await connected(peer)
    cameras: dict[int, Camera] = {}
    sources: list[VideoSource | AudioSource] = []
    for track in plan.tracks:
        source = _source(peer, track, payload_types[track.kind], clip=clip, spread_s=spread_s)
        sources.append(source)
        if isinstance(source, Camera):
            cameras[track.ssrc] = source

    def wanted(ssrc: int) -> None:
        for camera in cameras.values() if ssrc not in cameras else (cameras[ssrc],):
            camera.request_keyframe(ssrc)

    peer.on_keyframe_request = wanted
    return Published(peer, sources)


def _source(
    peer: StampingPeer, track: Track, payload_type: int, *, clip: bool, spread_s: float
) -> VideoSource | AudioSource:
    if track.kind == "audio":
        if clip:  # No extension: the ids are not ours to choose there.
            return ClipMicrophone(peer, track.ssrc, payload_type)
        return AudioSource(peer, track.ssrc, payload_type, level_id=1)
    camera = ClipCamera if clip else Camera
    return camera(peer, track.ssrc, payload_type, kbps=track.kbps, fps=track.fps, spread_s=spread_s)
