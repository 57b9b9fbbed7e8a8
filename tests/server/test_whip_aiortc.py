"""An independent client (aiortc) publishes by WHIP and another watches by WHEP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack
from av import VideoFrame
from starlette.applications import Starlette

from light.ports import free_port
from twinclass_media.settings import MediaSettings
from twinclass_server.adapters.media_plane import WorkerMediaPlane
from twinclass_server.http.whip import Door, WhipService
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.ports import EchoReport, Grant, MediaMessage, Subscription
from twinclass_signaling.roles import Source

PORTS = free_port(10)

LEAD = ParticipantId("lead")
HEADERS = {"Authorization": "Bearer t", "Content-Type": "application/sdp"}


class Quiet:
    """A listener for whom nothing matters."""

    def publication_started(self, *_: object) -> None: ...
    def publication_ended(self, *_: object) -> None: ...
    def speakers_changed(self, lesson: LessonId, who: Sequence[ParticipantId]) -> None: ...
    def echo_changed(
        self, lesson: LessonId, participant: ParticipantId, echo: EchoReport
    ) -> None: ...
    def send(self, lesson: LessonId, session: SessionId, message: MediaMessage) -> None: ...


class OpenDoor:
    """Everybody is the lead when publishing, an observer when watching."""

    def __init__(self, plane: WorkerMediaPlane) -> None:
        self.plane, self.count = plane, 0

    async def enter(self, token: str, lesson: LessonId, *, want_publish: bool) -> Door:
        self.count += 1
        sources: tuple[Source, ...] = ("camera", "microphone")
        self.plane.set_grants(lesson, LEAD, [Grant(s, True, True) for s in sources])
        wanted = tuple(Subscription("lead", 0, s, LEAD) for s in sources)
        who = LEAD if want_publish else ParticipantId(f"observer-{self.count}")
        return Door(SessionId(f"s{self.count}"), lesson, who, () if want_publish else wanted)

    def leave(self, door: Door) -> None: ...

    async def restore(self, lesson: LessonId, session: SessionId, memo: bytes) -> Door:
        raise NotImplementedError


class GreenTrack(VideoStreamTrack):
    """A picture of one colour, so that the far end knows it again."""

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame.from_ndarray(
            np.full((240, 320, 3), (20, 200, 20), dtype=np.uint8), format="rgb24"
        )
        frame.pts, frame.time_base = pts, time_base
        return frame


async def negotiate(client: httpx.AsyncClient, path: str, connection: RTCPeerConnection) -> str:
    await connection.setLocalDescription(await connection.createOffer())
    response = await client.post(path, content=connection.localDescription.sdp, headers=HEADERS)
    assert response.status_code == 201, response.text
    await connection.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
    return response.headers["location"]


async def test_aiortc_publishes_and_aiortc_watches(tmp_path: Path) -> None:
    settings = MediaSettings(bind=("127.0.0.1",), port=PORTS)
    plane = WorkerMediaPlane(settings, tmp_path, Quiet())
    plane.shutdown_workers = True
    publisher, viewer = RTCPeerConnection(), RTCPeerConnection()
    async with plane:
        service = WhipService(OpenDoor(plane), plane)
        transport = httpx.ASGITransport(app=Starlette(routes=service.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://demo") as client:
            publisher.addTrack(AudioStreamTrack())
            publisher.addTrack(GreenTrack())
            location = await negotiate(client, "/whip/demo", publisher)

            received: dict[str, MediaStreamTrack] = {}
            viewer.on("track", lambda track: received.update({track.kind: track}))
            viewer.addTransceiver("audio", direction="recvonly")
            viewer.addTransceiver("video", direction="recvonly")
            await negotiate(client, "/whep/demo", viewer)

            async with asyncio.timeout(20):
                frames = [await received["video"].recv() for _ in range(15)]
                for _ in range(25):
                    await received["audio"].recv()
            last = frames[-1]
            assert isinstance(last, VideoFrame)
            red, green, blue = last.to_ndarray(format="rgb24").mean(axis=(0, 1))
            assert green > 150
            assert red < 80
            assert blue < 80
            assert (await client.delete(location, headers=HEADERS)).status_code == 200
            service.close()
        await publisher.close()
        await viewer.close()
