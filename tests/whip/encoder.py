"""An independent client: aiortc publishes by WHIP and watches by WHEP, over HTTP as anybody."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import httpx
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from av import AudioFrame, VideoFrame

GREEN = (20, 200, 20)


class OneColour(VideoStreamTrack):
    """A picture of one colour, so that the far end knows it again."""

    def __init__(self, rgb: tuple[int, int, int] = GREEN) -> None:
        super().__init__()
        self._picture = np.full((240, 320, 3), rgb, dtype=np.uint8)

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame.from_ndarray(self._picture, format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


@dataclass
class External:
    """One WHIP or WHEP session against a server."""

    base: str
    token: str
    connection: RTCPeerConnection = field(default_factory=RTCPeerConnection)
    location: str = ""
    etag: str = ""
    frames: int = 0
    sounds: int = 0
    #: The longest time between two pictures since it was last set to 0.
    pause_s: float = 0.0
    mean_rgb: tuple[float, ...] = ()
    _tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    def headers(self, kind: str = "application/sdp") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": kind}

    async def publish(self, lesson: str) -> None:
        self.connection.addTrack(AudioStreamTrack())
        self.connection.addTrack(OneColour())
        await self._negotiate(f"/whip/{lesson}")

    async def watch(self, lesson: str) -> None:
        self.connection.addTransceiver("audio", direction="recvonly")
        self.connection.addTransceiver("video", direction="recvonly")
        self.connection.on("track", self._take)
        await self._negotiate(f"/whep/{lesson}")

    async def _negotiate(self, path: str) -> None:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        async with httpx.AsyncClient(trust_env=False) as client:
            offer = self.connection.localDescription.sdp
            answer = await client.post(self.base + path, content=offer, headers=self.headers())
        assert answer.status_code == 201, answer.text
        self.location, self.etag = answer.headers["location"], answer.headers["etag"]
        await self.connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))

    async def patch(self, fragment: str) -> httpx.Response:
        headers = self.headers("application/trickle-ice-sdpfrag") | {"If-Match": self.etag}
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.patch(self.base + self.location, content=fragment, headers=headers)

    async def delete(self) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.delete(self.base + self.location, headers=self.headers())

    def _take(self, track: VideoStreamTrack | AudioStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._pull(track)))

    async def _pull(self, track: VideoStreamTrack | AudioStreamTrack) -> None:
        latest = 0.0
        try:
            while True:
                frame = await track.recv()
                if isinstance(frame, AudioFrame):
                    self.sounds += 1
                    continue
                now = time.monotonic()
                self.pause_s = max(self.pause_s, now - latest if latest else 0.0)
                latest = now
                self.frames += 1
                self.mean_rgb = tuple(frame.to_ndarray(format="rgb24").mean(axis=(0, 1)))
        except MediaStreamError:
            return

    async def close(self) -> None:
        await self.connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
