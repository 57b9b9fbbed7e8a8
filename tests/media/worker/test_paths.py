"""ICE-TCP, IPv6 and wildcard sockets of a real worker."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from light.peer import Identity, LightPeer
from light.ports import free_port
from light.source import AudioSource, VideoSource
from light.tcp import TcpPeer
from light.worker import OPUS, VP8, WorkerUnderTest
from twinclass_media.worker import messages as m


@pytest.fixture(scope="module")
def identity() -> Identity:
    return Identity()


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[WorkerUnderTest]:
    async with WorkerUnderTest(tmp_path, free_port(), "--bind", "::1") as worker:
        yield worker


PRODUCERS = (
    m.ProducerSpec(
        m.ProducerId("v"), m.TransportId("pub"), 1, "video", "0", (VP8,), (m.Encoding("", 1111),)
    ),
    m.ProducerSpec(
        m.ProducerId("a"), m.TransportId("pub"), 1, "audio", "1", (OPUS,), (m.Encoding("", 2222),)
    ),
)


def consumers(transport: str) -> tuple[m.ConsumerSpec, ...]:
    return (
        m.ConsumerSpec(
            m.ConsumerId(f"{transport}v"),
            m.TransportId(transport),
            1,
            "video",
            "0",
            1000,
            (VP8,),
            1001,
            m.ProducerId("v"),
        ),
        m.ConsumerSpec(
            m.ConsumerId(f"{transport}a"),
            m.TransportId(transport),
            1,
            "audio",
            "1",
            3000,
            (OPUS,),
            0,
            m.ProducerId("a"),
        ),
    )


async def test_publishing_and_viewing_over_tcp(worker: WorkerUnderTest, identity: Identity) -> None:
    publisher = await worker.connect(identity, "pub", peer=TcpPeer(identity))
    await worker.put(*PRODUCERS)
    viewer = await worker.connect(identity, "s", peer=TcpPeer(identity))
    await worker.put(*consumers("s"))
    source, voice = VideoSource(publisher, 1111, 96), AudioSource(publisher, 2222)
    await asyncio.gather(source.run(1.0), voice.run(1.0))
    await asyncio.sleep(0.2)
    assert viewer.streams[1000].packets == source.sent
    assert viewer.streams[3000].packets == voice.sent
    states = [n for n in worker.notifications if isinstance(n, m.TransportState) and n.id == "s"]
    assert states[-1].protocol == "tcp"
    publisher.close()
    viewer.close()


async def test_a_tcp_viewer_that_does_not_read_costs_only_itself(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(*PRODUCERS)
    slow = TcpPeer(identity)
    await worker.connect(identity, "slow", peer=slow)
    good = await worker.connect(identity, "good")
    await worker.put(*consumers("slow"), *consumers("good"))
    source, voice = VideoSource(publisher, 1111, 96, kbps=6000), AudioSource(publisher, 2222)

    def wanted(_: int) -> None:
        source.keyframe_wanted = True

    publisher.on_keyframe_request = wanted
    running = asyncio.gather(source.run(4.0), voice.run(4.0))
    await asyncio.sleep(0.5)
    slow.pause()
    await asyncio.sleep(2.0)
    before = slow.streams[1000].packets
    slow.resume()
    await running
    await asyncio.sleep(0.3)
    assert good.streams[1000].packets == source.sent
    assert good.streams[3000].packets == voice.sent
    assert slow.streams[1000].packets > before, "it goes on with a keyframe"
    assert slow.streams[1000].packets < source.sent, "what it could not take was dropped"
    assert slow.streams[1000].lost == 0, "numbers are given after dropping"
    assert not slow.errors
    for peer in (publisher, slow, good):
        peer.close()


async def goes_on(viewer: LightPeer) -> bool:
    """Sound and whole pictures come, for a second."""
    before = [viewer.streams[ssrc].packets for ssrc in (1000, 3000)]
    await asyncio.sleep(1.0)
    after = [viewer.streams[ssrc].packets for ssrc in (1000, 3000)]
    return after[0] - before[0] > 50 and after[1] - before[1] > 40


@pytest.mark.parametrize("was_cut", [False, True])
async def test_a_viewer_whose_stream_was_full_sees_again_over_udp(
    worker: WorkerUnderTest, identity: Identity, was_cut: bool
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(*PRODUCERS)
    viewer = TcpPeer(identity)
    await worker.connect(identity, "v", peer=viewer)
    await worker.put(*consumers("v"))
    source, voice = VideoSource(publisher, 1111, 96, kbps=6000), AudioSource(publisher, 2222)

    def wanted(_: int) -> None:
        source.keyframe_wanted = True

    publisher.on_keyframe_request = wanted
    running = asyncio.gather(source.run(6.0), voice.run(6.0))
    await asyncio.sleep(0.5)
    viewer.pause()
    await asyncio.sleep(1.5)
    if was_cut:
        viewer.cut()
        await asyncio.sleep(0.3)
    viewer.go_over_udp()
    await asyncio.sleep(1.0)
    assert await goes_on(viewer)
    await running
    publisher.close()
    viewer.close()


async def test_streams_that_are_reset_in_the_middle_of_a_picture_cost_nobody_else(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(*PRODUCERS)
    good = await worker.connect(identity, "good")
    await worker.put(*consumers("good"))
    leaving = [TcpPeer(identity) for _ in range(12)]
    for n, peer in enumerate(leaving):
        await worker.connect(identity, f"t{n}", peer=peer)
        specs = consumers(f"t{n}")
        await worker.put(*(structs.replace(one, ssrc=one.ssrc + 10 * n) for one in specs))
    source, voice = VideoSource(publisher, 1111, 96, kbps=6000), AudioSource(publisher, 2222)
    running = asyncio.gather(source.run(3.0), voice.run(3.0))
    for peer in leaving:
        await asyncio.sleep(0.1)
        peer.cut()
    await running
    await asyncio.sleep(0.3)
    assert good.streams[1000].packets == source.sent
    assert good.streams[3000].packets == voice.sent
    for peer in (publisher, good, *leaving):
        peer.close()


async def test_a_speaker_who_left_while_a_stream_was_blocked_is_not_heard_in_place_of_the_next(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    """His packets under the next one's numbering would be a jump of tens of thousands."""
    publisher = await worker.connect(identity, "pub")
    await worker.put(
        *PRODUCERS,
        m.ProducerSpec(
            m.ProducerId("b"), m.TransportId("pub"), 1, "audio", "2", (OPUS,),
            (m.Encoding("", 3333),),
        ),
    )  # fmt: skip
    slow = TcpPeer(identity)
    await worker.connect(identity, "slow", peer=slow)
    picture, sound = consumers("slow")
    await worker.put(picture, sound)
    source = VideoSource(publisher, 1111, 96, kbps=6000)
    first, second = AudioSource(publisher, 2222), AudioSource(publisher, 3333)
    first.sequence, second.sequence = 30_000, 100
    # Pictures end with the pause: what comes after it is sound alone, and finds room.
    running = asyncio.gather(source.run(2.0), first.run(4.0), second.run(4.0))
    await asyncio.sleep(0.5)
    slow.pause()
    await asyncio.sleep(1.5)
    await worker.put(structs.replace(sound, version=2, producer=m.ProducerId("b")))
    await asyncio.sleep(0.1)
    slow.resume()
    await running
    await asyncio.sleep(0.3)
    heard = slow.streams[3000]
    assert heard.packets > 60
    assert heard.highest - heard.first < 400, "nothing of the one who left"
    for peer in (publisher, slow):
        peer.close()


async def test_tcp_garbage_and_silence_are_cut_off(worker: WorkerUnderTest) -> None:
    with socket.create_connection(("127.0.0.1", worker.port)) as sock:
        sock.settimeout(8)
        sock.sendall(struct.pack("!H", 60000) + b"x" * 100)
        assert await asyncio.to_thread(sock.recv, 10) == b""
    drops = (await worker.statistics()).drops
    assert drops["tcp_framing"] == 1


async def test_a_viewer_on_ipv6(worker: WorkerUnderTest, identity: Identity) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(*PRODUCERS)
    viewer = await worker.connect(
        identity, "s", peer=LightPeer(identity, family=socket.AF_INET6), host="::1"
    )
    await worker.put(*consumers("s"))
    source = VideoSource(publisher, 1111, 96)
    await source.run(0.5)
    await asyncio.sleep(0.1)
    assert viewer.streams[1000].packets == source.sent
    publisher.close()
    viewer.close()


@pytest.mark.parametrize("bind", ["::", "0.0.0.0"])
async def test_a_wildcard_socket_answers_from_the_address_it_was_asked_on(
    tmp_path: Path, identity: Identity, bind: str
) -> None:
    async with WorkerUnderTest(tmp_path, free_port(), bind=bind) as worker:
        publisher = await worker.connect(identity, "pub")
        await worker.put(*PRODUCERS)
        # A connected socket takes packets from 127.0.0.3 only.
        viewer = await worker.connect(identity, "s", host="127.0.0.3")
        await worker.put(*consumers("s"))
        source = VideoSource(publisher, 1111, 96)
        await source.run(0.5)
        await asyncio.sleep(0.1)
        assert viewer.streams[1000].packets == source.sent
        assert (await worker.statistics()).sendmsg_segments.counts[3] > 0, "bursts go as one"
        publisher.close()
        viewer.close()


async def watching(worker: WorkerUnderTest, identity: Identity) -> tuple[LightPeer, LightPeer]:
    """A publisher and who watches it."""
    publisher = await worker.connect(identity, "pub")
    await worker.put(*PRODUCERS)
    viewer = await worker.connect(identity, "s")
    await worker.put(*consumers("s"))
    return publisher, viewer


async def test_a_peer_moves_to_another_address_and_an_ice_restart_is_taken(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher, viewer = await watching(worker, identity)
    source = VideoSource(publisher, 1111, 96)
    running = asyncio.create_task(source.run(2.0))
    await asyncio.sleep(0.4)
    viewer.move()
    await asyncio.sleep(0.5)
    moved = viewer.streams[1000].packets
    await worker.put(
        m.TransportSpec(
            m.TransportId("s"),
            m.RouterId("r"),
            2,
            "newufrag",
            "newpassword" * 2,
            (m.Fingerprint("sha-256", identity.fingerprint),),
        )
    )
    viewer.restart("newufrag", "newpassword" * 2)
    viewer.move()
    await running
    await asyncio.sleep(0.1)
    assert moved > 60
    assert viewer.streams[1000].packets > moved + 60
    assert not viewer.errors
    publisher.close()
    viewer.close()


async def test_a_peer_restarts_ice_by_itself_on_another_path(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    """Its signalling is dead: it marks the fragment it knows, and the worker was told nothing."""
    publisher, viewer = await watching(worker, identity)
    source = VideoSource(publisher, 1111, 96)
    running = asyncio.create_task(source.run(1.5))
    await asyncio.sleep(0.4)
    before = viewer.streams[1000].packets
    viewer.restart(f"{viewer.remote_ufrag}+1", viewer.remote_password)
    viewer.move()
    await running
    await asyncio.sleep(0.1)
    assert viewer.streams[1000].packets > before + 60
    assert not viewer.errors
    assert (await worker.statistics()).lines["alone"] == 1
    publisher.close()
    viewer.close()
