"""Two real workers with a pipe between them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from msgspec import structs

from light.peer import Identity
from light.ports import free_port
from light.source import AudioSource, VideoSource
from light.worker import OPUS, VP8, WorkerUnderTest
from twinclass_media.worker import messages as m


def consumer(transport: str, producer: str, kind: m.Kind, ssrc: int) -> m.ConsumerSpec:
    codec = VP8 if kind == "video" else OPUS
    return m.ConsumerSpec(
        m.ConsumerId(f"{transport}{kind}"),
        m.TransportId(transport),
        1,
        kind,
        "0",
        ssrc,
        (codec,),
        ssrc + 1 if kind == "video" else 0,
        m.ProducerId(producer),
    )


async def test_viewers_of_another_worker_get_every_packet_through_a_pipe(tmp_path: Path) -> None:
    identity = Identity()
    async with (
        WorkerUnderTest(tmp_path, free_port()) as near,
        WorkerUnderTest(tmp_path, free_port(), index=1) as far,
    ):
        publisher = await near.connect(identity, "pub")
        assert near.attached is not None
        assert far.attached is not None
        await near.put(
            m.ProducerSpec(
                m.ProducerId("v"),
                m.TransportId("pub"),
                1,
                "video",
                "0",
                (VP8,),
                (m.Encoding("", 1111),),
            ),
            m.ProducerSpec(
                m.ProducerId("a"),
                m.TransportId("pub"),
                1,
                "audio",
                "1",
                (OPUS,),
                (m.Encoding("", 2222),),
            ),
            m.PipeSpec("pv", 1, m.ProducerId("v"), far.attached.pipe_socket, m.ProducerId("fv")),
            m.PipeSpec("pa", 1, m.ProducerId("a"), far.attached.pipe_socket, m.ProducerId("fa")),
        )
        source, voice = VideoSource(publisher, 1111, 96), AudioSource(publisher, 2222)

        def wanted(_: int) -> None:
            source.keyframe_wanted = True

        publisher.on_keyframe_request = wanted
        running = asyncio.gather(source.run(4.0), voice.run(4.0))
        await asyncio.sleep(0.5)
        nobody = (await far.statistics()).packets["in"]
        viewer = await far.connect(identity, "s")
        applied = await far.put(
            m.PipedProducerSpec(
                m.ProducerId("fv"),
                m.RouterId("r"),
                1,
                "video",
                (VP8,),
                (m.Encoding(),),
                near.attached.pipe_socket,
                m.ProducerId("v"),
            ),
            m.PipedProducerSpec(
                m.ProducerId("fa"),
                m.RouterId("r"),
                1,
                "audio",
                (OPUS,),
                (m.Encoding(),),
                near.attached.pipe_socket,
                m.ProducerId("a"),
            ),
            consumer("s", "fv", "video", 1000),
            consumer("s", "fa", "audio", 3000),
        )
        assert not applied.problems
        await running
        await asyncio.sleep(0.2)
        assert nobody == 0, "nothing crosses the pipe that nobody wants"
        assert viewer.streams[1000].packets > 300
        assert viewer.streams[1000].lost == 0
        assert viewer.streams[3000].packets > 120
        assert viewer.streams[3000].lost == 0
        assert source.keyframes >= 2, "the wish for a keyframe went back through the pipe"
        # The last viewer leaves: soon nothing crosses any more.
        await far.remove("consumer", "svideo")
        await far.remove("consumer", "saudio")
        await asyncio.sleep(0.2)
        before = (await far.statistics()).packets["in"]
        await voice.run(0.5)
        assert (await far.statistics()).packets["in"] - before < 5
        publisher.close()
        viewer.close()


async def test_a_viewer_who_comes_back_after_half_of_all_numbers_sees_again(tmp_path: Path) -> None:
    """Meanwhile nobody at the far worker wanted it, so that it does not know how far they went."""
    identity = Identity()
    async with (
        WorkerUnderTest(tmp_path, free_port()) as near,
        WorkerUnderTest(tmp_path, free_port(), index=1) as far,
    ):
        publisher = await near.connect(identity, "pub")
        assert near.attached is not None
        assert far.attached is not None
        video, piped = m.ProducerId("v"), m.ProducerId("fv")
        await near.put(
            m.ProducerSpec(
                video, m.TransportId("pub"), 1, "video", "0", (VP8,), (m.Encoding("", 1111),)
            ),
            m.PipeSpec("pv", 1, video, far.attached.pipe_socket, piped),
        )
        near_viewer = await near.connect(identity, "n")
        await near.put(consumer("n", "v", "video", 500))
        source = VideoSource(publisher, 1111, 96)

        def wanted(_: int) -> None:
            source.keyframe_wanted = True

        publisher.on_keyframe_request = wanted
        viewer = await far.connect(identity, "s")
        await far.put(
            m.PipedProducerSpec(
                piped, m.RouterId("r"), 1, "video", (VP8,), (m.Encoding(),),
                near.attached.pipe_socket, video,
            ),
            consumer("s", "fv", "video", 1000),
        )  # fmt: skip
        await source.run(1.0)
        first = viewer.streams[1000].packets
        assert first > 50
        await far.remove("consumer", "svideo")
        await asyncio.sleep(0.2)
        # No step of the publisher's is half of all numbers: the near worker follows.
        for _ in range(2):
            source.sequence = (source.sequence + 20_000) & 0xFFFF
            await source.run(0.5)
        await far.put(structs.replace(consumer("s", "fv", "video", 2000), version=2))
        await source.run(1.5)
        await asyncio.sleep(0.2)
        assert near_viewer.streams[500].packets > first
        assert viewer.streams[2000].packets > 80
        assert viewer.streams[2000].lost == 0
        for peer in (publisher, near_viewer, viewer):
            peer.close()
