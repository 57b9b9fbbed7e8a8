"""The media plane with a real Chromium at both ends: what only a browser can tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, async_playwright

from light.ports import free_port
from twinclass_media.settings import MediaSettings
from twinclass_server.adapters.media_plane import WorkerMediaPlane
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import PublishedTrack, PublishWishes, SubscribeOffer
from twinclass_signaling.ports import EchoReport, Grant, MediaMessage, Subscription
from twinclass_signaling.roles import Source

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.full]

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream=fps=30",
    "--use-fake-ui-for-media-stream",
]
LESSON, LEAD, ROOM = LessonId("demo"), ParticipantId("lead"), ParticipantId("room")
PORT = free_port(10)
PAGE = """<!doctype html><script>
let up, down, video = document.createElement('video');
async function offer() {
  const media = await navigator.mediaDevices.getUserMedia(
    {audio: true, video: {width: 1280, height: 720, frameRate: 30}});
  up = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  up.addTransceiver(media.getAudioTracks()[0], {direction: 'sendonly'});
  up.addTransceiver(media.getVideoTracks()[0], {direction: 'sendonly', sendEncodings: [
    {rid: 'q', scaleResolutionDownBy: 4}, {rid: 'h', scaleResolutionDownBy: 2}, {rid: 'f'}]});
  await up.setLocalDescription();
  return up.localDescription.sdp;
}
async function reoffer() { await up.setLocalDescription(await up.createOffer({iceRestart: true}));
  return up.localDescription.sdp; }
async function answered(sdp) { await up.setRemoteDescription({type: 'answer', sdp}); }
async function wish(w) {
  const sender = up.getSenders().find(s => s.track.kind === 'video');
  const p = sender.getParameters();
  const codecs = RTCRtpSender.getCapabilities('video').codecs;
  p.encodings.forEach((e, i) => { const x = w.encodings[i];
    e.active = x.active; e.maxBitrate = x.max_bitrate || undefined;
    e.maxFramerate = x.max_framerate || undefined;
    e.codec = codecs.find(c => c.mimeType === 'video/' + w.codec &&
      (w.codec !== 'H264' || /packetization-mode=1.*42e01f/.test(c.sdpFmtpLine))); });
  await sender.setParameters(p);
}
async function take(offer) {
  if (offer.fresh || !down) { down = new RTCPeerConnection();
    down.ontrack = e => { if (e.track.kind === 'video' && e.transceiver.mid === '0') {
      video.muted = true; video.srcObject = new MediaStream([e.track]); video.play(); } }; }
  await down.setRemoteDescription({type: 'offer', sdp: offer.sdp});
  await down.setLocalDescription();
  return down.localDescription.sdp;
}
async function received() {
  const found = {};
  if (!down) return found;
  const report = await down.getStats();
  for (const s of report.values()) if (s.type === 'inbound-rtp') {
    const codec = s.codecId && report.get(s.codecId).mimeType;
    found[s.mid] = {packets: s.packetsReceived, frames: s.framesDecoded || 0,
      width: s.frameWidth || 0, lost: s.packetsLost, codec, freezes: s.freezeCount || 0}; }
  return found;
}
</script>"""


class Bridge:
    """A host that carries messages between the plane and two pages."""

    def __init__(self) -> None:
        self.plane: WorkerMediaPlane | None = None
        self.lead: Page | None = None
        self.room: Page | None = None
        self.queue: asyncio.Queue[tuple[SessionId, MediaMessage]] = asyncio.Queue()
        self.publications: list[tuple[str, Source]] = []
        self.offers = 0

    def publication_started(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        self.publications.append(("started", source))

    def publication_ended(
        self, lesson: LessonId, participant: ParticipantId, source: Source
    ) -> None:
        self.publications.append(("ended", source))

    def speakers_changed(self, lesson: LessonId, participants: Sequence[ParticipantId]) -> None:
        pass

    def echo_changed(self, lesson: LessonId, participant: ParticipantId, echo: EchoReport) -> None:
        pass

    def send(self, lesson: LessonId, session: SessionId, message: MediaMessage) -> None:
        self.queue.put_nowait((session, message))

    async def carry(self) -> None:
        while True:
            session, message = await self.queue.get()
            assert self.plane is not None
            if isinstance(message, PublishWishes) and message.source == "camera":
                assert self.lead is not None
                await self.lead.evaluate("w => wish(w)", msgspec.to_builtins(message))
            elif isinstance(message, SubscribeOffer):
                assert self.room is not None
                offer = {"sdp": message.sdp, "fresh": message.fresh}
                sdp = await self.room.evaluate("o => take(o)", offer)
                self.plane.subscribe_answered(LESSON, session, message.n, sdp)
                self.offers += 1


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    bridge = Bridge()
    plane = WorkerMediaPlane(MediaSettings(bind=("127.0.0.1",), port=PORT), tmp_path, bridge)
    plane.shutdown_workers = True
    bridge.plane = plane
    async with plane, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=ARGUMENTS,
            ignore_default_args=["--headless", "--mute-audio"],
        )
        pages = []
        for _ in range(2):
            page = await browser.new_page()
            await page.route(
                "**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html")
            )
            await page.goto("http://127.0.0.1:9/")
            pages.append(page)
        bridge.lead, bridge.room = pages
        carrying = asyncio.ensure_future(bridge.carry())
        yield bridge
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)
        await browser.close()


async def until(condition: Callable[[], Awaitable[object]], timeout_s: float = 15.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not await condition():
            await asyncio.sleep(0.1)


def camera(layer: int) -> list[Subscription]:
    return [
        Subscription("lead", 0, "camera", LEAD, max_layer=layer),
        Subscription("lead", 0, "microphone", LEAD, priority=0),
    ]


async def test_a_lesson_in_chromium(bridge: Bridge) -> None:
    plane, lead, room = bridge.plane, bridge.lead, bridge.room
    assert plane is not None
    assert lead is not None
    assert room is not None
    s_lead, s_room = SessionId("s-lead"), SessionId("s-room")
    tracks = (PublishedTrack("0", "microphone"), PublishedTrack("1", "camera"))

    async def publish(sdp: str) -> None:
        answer = await plane.publish(LESSON, s_lead, sdp, tracks)
        await lead.evaluate("sdp => answered(sdp)", answer)

    async def video() -> dict[str, Any]:
        found = await room.evaluate("received()")
        result: dict[str, Any] = found.get("0", {"frames": 0, "width": 0, "codec": "", "lost": 0})
        return result

    async def wide(width: int) -> bool:
        return bool((await video())["width"] == width)

    await plane.open_session(LESSON, s_lead, LEAD, ("H264", "VP8"))
    plane.set_grants(LESSON, LEAD, (Grant("camera", True, True), Grant("microphone", True, True)))
    await publish(await lead.evaluate("offer()"))
    await plane.open_session(LESSON, s_room, ROOM, ("H264", "VP8"))
    plane.set_subscriptions(LESSON, s_room, camera(0))

    # The smallest layer, in H264.
    await until(lambda: wide(320))
    assert (await video())["codec"] == "video/H264"

    # A larger layer, without an offer.
    plane.set_subscriptions(LESSON, s_room, camera(1))
    await until(lambda: wide(640), 30)
    assert bridge.offers == 1

    # The pool grows while the picture goes on.
    wall = [Subscription("wall", i, "camera", None) for i in range(10)]
    plane.set_subscriptions(LESSON, s_room, [*camera(1), *wall])

    async def offered(count: int) -> bool:
        return bridge.offers == count

    await until(lambda: offered(2))
    before = await video()

    async def advanced(by: int = 15) -> bool:
        return bool((await video())["frames"] >= before["frames"] + by)

    await until(advanced)

    # ICE restarts in both directions keep the picture.
    await publish(await lead.evaluate("reoffer()"))
    plane.restart_downlink(LESSON, s_room, False)
    before = await video()
    await until(advanced)
    await until(lambda: offered(3))

    # A new peer connection.
    plane.restart_downlink(LESSON, s_room, True)
    await until(lambda: offered(4))
    await until(lambda: wide(640))

    # Somebody without H264 comes: everybody sends VP8, by setParameters alone.
    await plane.open_session(LESSON, SessionId("s-fox"), ParticipantId("fox"), ("VP8",))

    async def in_vp8() -> bool:
        return bool((await video())["codec"] == "video/VP8")

    await until(in_vp8)
    before = await video()
    await until(advanced)
    assert bridge.offers == 4
    assert {source for _, source in bridge.publications} == {"camera", "microphone"}
    assert all(what == "started" for what, _ in bridge.publications)

    # No longer granted: nothing more arrives, and the source ends.
    plane.set_grants(LESSON, LEAD, ())
    await asyncio.sleep(0.5)
    stopped = await video()
    await asyncio.sleep(1.0)
    assert (await video())["packets"] == stopped["packets"]
