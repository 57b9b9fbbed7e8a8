"""A real worker and a viewer behind a network: what it gets of its line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hosting.relay import RelayProcess
from light.peer import Identity, LightPeer
from light.ports import free_port
from light.source import AudioSource, VideoSource
from light.worker import OPUS, VP8, WorkerUnderTest
from twinclass_media.worker import messages as m

RED = m.Codec("red", 63, 48000)
VIEWER = m.HeaderExtensions(abs_send_time=2, transport_cc=3)
#: SSRC, kbit/s, frames a second, lines of each layer.
LAYERS = ((1111, 100, 15, 180), (1112, 400, 30, 360), (1113, 1500, 30, 720))
WIDE = "[both]\ndelay_ms = 10\n"
PROFILES = {
    "wide": WIDE,
    "narrow": f"{WIDE}rate_bps = 300_000\nqueue_ms = 300\n",
    "voice": f"{WIDE}rate_bps = 90_000\nqueue_ms = 300\n",
    "lossy": f"{WIDE}loss = 0.15\n",
}


class Room:
    """A lead's camera and microphone, and one viewer of both behind a relay."""

    def __init__(self, worker: WorkerUnderTest, relay: RelayProcess, folder: Path) -> None:
        self.worker, self.relay, self.folder = worker, relay, folder
        self.sources: list[VideoSource] = []
        self.viewer: LightPeer | None = None

    async def line(self, name: str) -> None:
        """The viewer's line is another one from now on."""
        path = self.folder / f"{name}.toml"
        path.write_text(f'summary = "{name}"\nsource = "test"\n\n{PROFILES[name]}')
        answer = await self.relay.ask(profile=str(path))
        assert "error" not in answer, answer

    def links(self) -> list[m.LinkQuality]:
        """What was told of the viewer's line, the newest last."""
        found = [q for q in self.worker.notifications if isinstance(q, m.Qualities)]
        return [link for q in found for link in q.links if link.id == "viewer"]

    async def wait(self, test: Callable[[m.LinkQuality], bool], what: str) -> float:
        """Until the line is told to be so; returns how long that took, in seconds."""
        begun = time.monotonic()
        count = len(self.links())
        while time.monotonic() - begun < 80:
            if any(test(link) for link in self.links()[count:]):
                return time.monotonic() - begun
            await asyncio.sleep(0.05)
        pytest.fail(f"not within 80 s: {what}; last {self.links()[-1:]}")

    def kbps_marks(self) -> tuple[int, int]:
        """Octets of pictures and of sound that came."""
        assert self.viewer is not None
        streams = self.viewer.streams
        return tuple(streams[s].octets if s in streams else 0 for s in (1000, 2000))  # type: ignore[return-value]

    async def rates(self, seconds: float) -> tuple[float, float]:
        """kbit/s of pictures and of sound that come."""
        before = self.kbps_marks()
        await asyncio.sleep(seconds)
        after = self.kbps_marks()
        return tuple((b - a) / 125 / seconds for a, b in zip(before, after, strict=True))  # type: ignore[return-value]


@asynccontextmanager
async def room(folder: Path, first: str, *, answers: bool = True) -> AsyncIterator[Room]:
    worker_port = free_port()
    here = f"127.0.0.1:{free_port()}"
    async with (
        WorkerUnderTest(folder, worker_port) as worker,
        RelayProcess.started(
            *("--profile", "city", "--seed", "3", "--listen-udp", here, "--listen-tcp", here),
            *("--to", f"127.0.0.1:{worker_port}"),
        ) as relay,
    ):
        found = Room(worker, relay, folder)
        await found.line(first)
        identity = Identity()
        lead = await worker.connect(identity, "pub")
        encodings = tuple(m.Encoding("", ssrc, ssrc + 100) for ssrc, *_ in LAYERS)
        await worker.put(
            m.ProducerSpec(
                *(m.ProducerId("v"), m.TransportId("pub"), 1, "video", "0", (VP8,), encodings)
            ),
            m.ProducerSpec(m.ProducerId("a"), m.TransportId("pub"), 1, "audio", "1", (OPUS,)),
        )
        found.sources = [
            VideoSource(lead, ssrc, 96, kbps=kbps, fps=fps, height=height)
            for ssrc, kbps, fps, height in LAYERS
        ]
        by_ssrc = {source.ssrc: source for source in found.sources}

        def give_keyframe(ssrc: int) -> None:
            by_ssrc[ssrc].keyframe_wanted = True

        lead.on_keyframe_request = give_keyframe
        voice = AudioSource(lead, 1114, 111)
        sending = [asyncio.create_task(one.run(600)) for one in (*found.sources, voice)]
        await asyncio.sleep(0.3)
        worker.port = relay.udp_port
        viewer = found.viewer = LightPeer(identity)
        if answers:
            viewer.report_arrivals(VIEWER.transport_cc)
        await worker.connect(identity, "viewer", extensions=VIEWER, peer=viewer)
        await worker.put(
            m.ConsumerSpec(
                *(m.ConsumerId("sees"), m.TransportId("viewer"), 1, "video", "0", 1000, (VP8,)),
                rtx_ssrc=1001,
                producer=m.ProducerId("v"),
                priority=30,
            ),
            m.ConsumerSpec(
                *(m.ConsumerId("hears"), m.TransportId("viewer"), 1, "audio", "1", 2000),
                (OPUS, RED),
                producer=m.ProducerId("a"),
                priority=10,
            ),
        )
        try:
            yield found
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
            for peer in (lead, viewer):
                peer.close()


def is_whole(link: m.LinkQuality) -> bool:
    return not link.smaller and not link.stopped


async def test_a_picture_that_has_just_begun_is_not_called_small_for_want_of_a_line(
    tmp_path: Path,
) -> None:
    async with room(tmp_path, "narrow") as here:
        await here.wait(lambda one: one.smaller == ("sees",), "a smaller picture")
        assert not here.links()[0].smaller, "all pictures begin small"


@pytest.mark.full
async def test_a_line_that_narrows_gets_a_smaller_picture_and_the_large_one_back(
    tmp_path: Path,
) -> None:
    async with room(tmp_path, "wide") as here:
        await here.wait(
            lambda one: is_whole(one) and one.send_bps > 1_200_000, "all on a wide line"
        )
        await here.line("narrow")
        await here.wait(lambda one: one.smaller == ("sees",), "a smaller picture")
        await asyncio.sleep(3.0)
        picture, sound = await here.rates(4.0)
        assert 40 < picture < 300, "the smallest picture goes on"
        assert sound > 25, "and the sound whole"
        queue = (await here.relay.ask(stats=True))["stats"]["links"]["down"]["queue_now_ms"]
        assert queue < 200
        assert 0 < here.links()[-1].budget_bps < 600_000
        await here.line("wide")
        back = await here.wait(is_whole, "all again")
        print(f"all of it {back:.1f} s after the line was wide again")
        picture, _ = await here.rates(2.0)
        assert picture > 1_000


@pytest.mark.full
async def test_a_line_for_voices_gets_sound_and_single_pictures(tmp_path: Path) -> None:
    async with room(tmp_path, "voice") as here:
        await here.wait(lambda one: one.stopped == ("sees",), "no moving picture")
        await asyncio.sleep(5.0)
        before = here.sources[0].keyframes
        picture, sound = await here.rates(15.0)
        assert sound > 25
        assert 0 < picture < 60, "a picture now and then"
        assert 1 <= here.sources[0].keyframes - before <= 8, "asked for with patience"


@pytest.mark.full
async def test_sound_that_is_lost_comes_again_with_the_next(tmp_path: Path) -> None:
    async with room(tmp_path, "lossy") as here:
        assert here.viewer is not None
        stream = None
        for _ in range(400):
            await asyncio.sleep(0.1)
            stream = here.viewer.streams.get(2000)
            if stream is not None and stream.payload_types[RED.payload_type] > 100:
                break
        assert stream is not None
        assert stream.payload_types[RED.payload_type] > 100, "sound with the packets before it"
        assert stream.payload_types[OPUS.payload_type] > 0, "only since it is known to be needed"


@pytest.mark.full
async def test_a_viewer_that_answers_no_numbers_gets_what_it_wants(tmp_path: Path) -> None:
    async with room(tmp_path, "wide", answers=False) as here:
        await here.wait(lambda one: is_whole(one) and one.budget_bps == 0, "all, unwatched")
        picture, _ = await here.rates(2.0)
        assert picture > 1_000


@pytest.mark.full
async def test_a_good_line_is_left_alone_and_watched_again_when_its_viewer_falls_silent(
    tmp_path: Path,
) -> None:
    async with room(tmp_path, "wide") as here:
        await here.wait(lambda one: is_whole(one) and one.budget_bps == 0, "left alone")
        await here.relay.ask(blackhole=True)
        await here.wait(lambda one: one.budget_bps > 0, "watched, as nothing is heard of it")
        await here.relay.ask(blackhole=False)
        await here.wait(lambda one: is_whole(one) and one.send_bps > 1_200_000, "all again")
