"""A real worker process between light peers."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from light.peer import Identity, LightPeer
from light.ports import free_port
from light.source import AudioSource, VideoSource
from light.worker import H264, OPUS, VP8, WorkerUnderTest
from twinclass_media.worker import messages as m

MID_AND_RID = m.HeaderExtensions(mid=1, rid=2, repaired_rid=3, audio_level=4)


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[WorkerUnderTest]:
    async with WorkerUnderTest(tmp_path, free_port()) as worker:
        yield worker


@pytest.fixture(scope="module")
def identity() -> Identity:
    return Identity()


def one_byte(*elements: tuple[int, bytes]) -> bytes:
    data = b"".join(bytes((i << 4 | len(v) - 1,)) + v for i, v in elements)
    data += b"\0" * (-len(data) % 4)
    return struct.pack("!HH", 0xBEDE, len(data) // 4) + data


def video(
    identifier: str = "v",
    *,
    transport: str = "pub",
    version: int = 1,
    paused: bool = False,
    codec: m.Codec = VP8,
    encodings: tuple[m.Encoding, ...] = (m.Encoding(),),
) -> m.ProducerSpec:
    return m.ProducerSpec(
        m.ProducerId(identifier),
        m.TransportId(transport),
        version,
        "video",
        "0",
        (codec,),
        encodings,
        paused,
    )


def audio(*, version: int = 1, paused: bool = False) -> m.ProducerSpec:
    return m.ProducerSpec(
        m.ProducerId("a"), m.TransportId("pub"), version, "audio", "1", (OPUS,), paused=paused
    )


def sees(
    transport: str,
    producer: str = "v",
    *,
    ssrc: int = 1000,
    version: int = 1,
    max_layer: int = 255,
    paused: bool = False,
) -> m.ConsumerSpec:
    return m.ConsumerSpec(
        m.ConsumerId(f"{transport}-{ssrc}"),
        m.TransportId(transport),
        version,
        "video",
        "0",
        ssrc,
        (VP8, H264),
        ssrc + 1,
        m.ProducerId(producer),
        max_layer,
        paused=paused,
    )


def hears(transport: str, producer: str = "a") -> m.ConsumerSpec:
    return m.ConsumerSpec(
        m.ConsumerId(f"{transport}-a"),
        m.TransportId(transport),
        1,
        "audio",
        "1",
        3000,
        (OPUS,),
        0,
        m.ProducerId(producer),
    )


def camera(peer: LightPeer, **options: object) -> VideoSource:
    source = VideoSource(peer, 1111, 96, **options)  # type: ignore[arg-type]

    def wanted(_: int) -> None:
        source.keyframe_wanted = True

    peer.on_keyframe_request = wanted
    return source


async def test_two_viewers_get_every_packet_of_picture_and_sound(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(video(), audio())
    viewers = [await worker.connect(identity, f"s{i}") for i in range(2)]
    await worker.put(*[s for i in range(2) for s in (sees(f"s{i}"), hears(f"s{i}"))])
    source, voice = camera(publisher), AudioSource(publisher, 2222)
    await asyncio.gather(source.run(1.5), voice.run(1.5))
    await asyncio.sleep(0.2)
    for viewer in viewers:
        assert viewer.streams[1000].packets == source.sent
        assert viewer.streams[3000].packets == voice.sent
        assert viewer.streams[1000].lost == viewer.streams[3000].lost == 0
        assert not viewer.errors
        assert viewer.feedback["200"] >= 1, "sender reports"
        assert viewer.profile == "SRTP_AEAD_AES_128_GCM"
        viewer.close()
    publisher.close()
    assert not (await worker.statistics()).drops


@pytest.mark.parametrize("profile", [b"SRTP_AES128_CM_SHA1_80", b"SRTP_AEAD_AES_256_GCM"])
async def test_viewers_with_another_srtp_profile_are_served_too(
    worker: WorkerUnderTest, identity: Identity, profile: bytes
) -> None:
    publisher = await worker.connect(identity, "pub", profiles=profile)
    await worker.put(video())
    viewer = await worker.connect(identity, "s", profiles=profile)
    await worker.put(sees("s"))
    source = camera(publisher)
    await source.run(0.5)
    await asyncio.sleep(0.1)
    assert viewer.profile.encode() == profile
    assert viewer.streams[1000].packets == source.sent
    assert not viewer.errors
    publisher.close()
    viewer.close()


async def test_a_late_joiner_begins_with_the_last_keyframe_at_once(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(video())
    source = camera(publisher)
    for packet in source.frame():
        publisher.send_rtp(packet)
    first_frame = source.sequence
    await asyncio.sleep(0.1)
    viewer = await worker.connect(identity, "s")
    await worker.put(sees("s"))
    await asyncio.sleep(0.2)
    assert viewer.streams[1000].packets == len(source.history), "nothing was sent since"
    for _ in range(3):
        for packet in source.frame():
            publisher.send_rtp(packet)
        await asyncio.sleep(0.03)
    await asyncio.sleep(0.1)
    assert source.sequence != first_frame
    assert viewer.streams[1000].lost == 0
    publisher.close()
    viewer.close()


async def test_a_late_listener_gets_sound_ahead_of_the_next_packet(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(audio())
    voice = AudioSource(publisher, 2222)
    speaking = asyncio.create_task(voice.run(60))
    await asyncio.sleep(0.3)
    ahead = []
    for i in range(5):  # A packet or two may go by before the worker hears of a listener.
        viewer = await worker.connect(identity, f"s{i}")
        before = voice.sent
        await worker.put(hears(f"s{i}"))
        await asyncio.sleep(0.2)
        ahead.append(viewer.streams[3000].packets - (voice.sent - before))
        assert viewer.streams[3000].lost == 0
        viewer.close()
    speaking.cancel()
    assert max(ahead) >= 3
    publisher.close()


async def test_many_late_joiners_cost_few_keyframes(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(video())
    source = camera(publisher)
    running = asyncio.create_task(source.run(3.0))
    viewers = []
    for i in range(30):
        viewer = await worker.connect(identity, f"s{i}")
        await worker.put(sees(f"s{i}"))
        for _ in range(5):
            viewer.request_keyframe(1000)
        viewers.append(viewer)
        await asyncio.sleep(0.05)
    await running
    assert all(v.streams[1000].packets > 10 and v.streams[1000].lost == 0 for v in viewers)
    # The bound: bursts of two, then one a second.
    assert source.keyframes <= 1 + 2 + 3
    for peer in (publisher, *viewers):
        peer.close()


async def test_a_viewer_moves_between_layers_only_at_a_keyframe_and_without_a_gap(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub", extensions=MID_AND_RID)
    encodings = tuple(m.Encoding(rid) for rid in "qhf")
    await worker.put(video(encodings=encodings))
    layers = {
        rid: VideoSource(
            publisher,
            5000 + i,
            96,
            kbps=kbps,
            width=320 << i,
            extensions=one_byte((1, b"0"), (2, rid.encode())),
        )
        for i, (rid, kbps) in enumerate({"q": 150, "h": 500, "f": 1700}.items())
    }
    by_ssrc = {s.ssrc: s for s in layers.values()}

    def wanted(ssrc: int) -> None:
        by_ssrc[ssrc].keyframe_wanted = True

    publisher.on_keyframe_request = wanted
    viewer = await worker.connect(identity, "s")
    await worker.put(sees("s", max_layer=0))
    widths: list[int] = []

    def look(ssrc: int, packet: bytes, _: float) -> None:
        at = packet.find(b"\x9d\x01\x2a", 12, 60)
        if ssrc == 1000 and at > 0:
            widths.append(struct.unpack_from("<H", packet, at + 3)[0])

    viewer.on_rtp = look
    running = asyncio.gather(*(s.run(3.5) for s in layers.values()))
    for version, layer in ((2, 2), (3, 1), (4, 0)):
        await asyncio.sleep(0.8)
        await worker.put(sees("s", version=version, max_layer=layer))
    await running
    await asyncio.sleep(0.1)
    ordered = [w for i, w in enumerate(widths) if i == 0 or widths[i - 1] != w]
    assert ordered == [320, 1280, 640, 320]
    assert viewer.streams[1000].lost == 0
    assert viewer.streams[1000].duplicates == 0
    publisher.close()
    viewer.close()


async def test_a_track_that_comes_back_with_its_old_ssrc_is_known_without_its_name(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub", extensions=MID_AND_RID)
    await worker.put(video(encodings=(m.Encoding("q"), m.Encoding("f"))))
    viewer = await worker.connect(identity, "s")
    await worker.put(sees("s"))
    source = VideoSource(publisher, 5000, 96, extensions=one_byte((1, b"0"), (2, b"q")))

    def wanted(_: int) -> None:
        source.keyframe_wanted = True

    publisher.on_keyframe_request = wanted
    await source.run(0.4)
    await worker.remove("producer", "v")
    source.extensions = b""
    await worker.put(video(version=2, encodings=(m.Encoding("q"), m.Encoding("f"))))
    before = viewer.streams[1000].packets
    await source.run(0.8)
    await asyncio.sleep(0.1)
    assert viewer.streams[1000].packets > before + 20
    assert viewer.streams[1000].lost == 0
    publisher.close()
    viewer.close()


async def test_a_layer_that_falls_silent_is_left_for_a_lower_one(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub", extensions=MID_AND_RID)
    await worker.put(video(encodings=(m.Encoding("q"), m.Encoding("f"))))
    low, high = (
        VideoSource(publisher, 5000 + i, 96, kbps=k, extensions=one_byte((1, b"0"), (2, r)))
        for i, (r, k) in enumerate(((b"q", 150), (b"f", 1500)))
    )

    def wanted(ssrc: int) -> None:
        (low if ssrc == 5000 else high).keyframe_wanted = True

    publisher.on_keyframe_request = wanted
    viewer = await worker.connect(identity, "s")
    await worker.put(sees("s"))
    running = asyncio.gather(low.run(4.0), high.run(1.0))
    await asyncio.sleep(2.6)
    at_switch = viewer.streams[1000].packets
    await running
    assert viewer.streams[1000].packets > at_switch + 10, "the low layer goes on"
    assert viewer.streams[1000].lost == 0
    publisher.close()
    viewer.close()


async def test_an_unwanted_layer_is_reported_so_that_its_publisher_can_stop_it(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub", extensions=MID_AND_RID)
    await worker.put(video(encodings=(m.Encoding("q"), m.Encoding("f"))))
    viewer = await worker.connect(identity, "s")
    source = VideoSource(publisher, 5000, 96, extensions=one_byte((1, b"0"), (2, b"q")))
    await worker.put(sees("s", max_layer=0))
    await source.run(0.5)
    await asyncio.sleep(0.4)
    states = [n for n in worker.notifications if isinstance(n, m.ProducerState)]
    assert [(x.rid, x.wanted) for x in states[-1].layers] == [("q", True), ("f", False)]
    await worker.put(sees("s", version=2, max_layer=1))
    await asyncio.sleep(0.4)
    states = [n for n in worker.notifications if isinstance(n, m.ProducerState)]
    assert [(x.rid, x.wanted) for x in states[-1].layers] == [("q", True), ("f", True)]
    publisher.close()
    viewer.close()


async def test_a_paused_producer_leaves_the_worker_for_nobody(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(audio(paused=True), video(paused=True))
    viewer = await worker.connect(identity, "s")
    await worker.put(hears("s"), sees("s"))
    voice, source = AudioSource(publisher, 2222), camera(publisher)
    await asyncio.gather(voice.run(0.5), source.run(0.5))
    assert not viewer.streams
    await worker.put(audio(version=2), video(version=2))
    await asyncio.gather(voice.run(0.5), source.run(0.5))
    assert viewer.streams[3000].packets > 20
    assert viewer.streams[1000].packets > 20
    await worker.put(audio(version=3, paused=True))
    await asyncio.sleep(0.1)
    before = viewer.streams[3000].packets
    await voice.run(0.3)
    assert viewer.streams[3000].packets == before
    publisher.close()
    viewer.close()


async def test_what_was_seen_while_closed_is_not_a_late_joiners_first_picture(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(video(paused=True))
    source = camera(publisher)
    for packet in source.frame():
        publisher.send_rtp(packet)
    await asyncio.sleep(0.1)
    await worker.put(video(version=2))
    viewer = await worker.connect(identity, "s")
    await worker.put(sees("s"))
    await asyncio.sleep(0.3)
    assert not viewer.streams
    publisher.close()
    viewer.close()


async def test_what_a_viewer_misses_is_sent_again_as_rtx(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(video())
    viewer = await worker.connect(identity, "s")
    await worker.put(sees("s"))
    repeats: list[tuple[int, bytes]] = []
    originals: dict[int, bytes] = {}

    def look(ssrc: int, packet: bytes, _: float) -> None:
        if ssrc == 1001:
            repeats.append((struct.unpack_from("!H", packet, 12)[0], packet[14:]))
        elif ssrc == 1000:
            originals[struct.unpack_from("!H", packet, 2)[0]] = packet[12:]

    viewer.on_rtp = look
    await camera(publisher).run(0.5)
    await asyncio.sleep(0.1)
    wanted = sorted(originals)[5:8]
    for number in wanted:
        viewer.nack(1000, number)
    viewer.nack(1000, (max(originals) + 500) & 0xFFFF)
    await asyncio.sleep(0.2)
    assert [number for number, _ in repeats] == wanted
    assert all(originals[number].startswith(payload) for number, payload in repeats)
    assert viewer.streams[1001].payload_types == {97: 3}
    assert (await worker.statistics()).drops == {"nack_refused": 1}
    publisher.close()
    viewer.close()


async def test_what_the_uplink_loses_is_asked_for_and_reaches_the_viewer(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(video(encodings=(m.Encoding("", 1111, 1112),)))
    viewer = await worker.connect(identity, "s")
    await worker.put(sees("s"))
    source = camera(publisher)
    asked: list[int] = []
    rtx = 100

    def answer(ssrc: int, missing: list[int]) -> None:
        nonlocal rtx
        assert ssrc == 1111
        asked.extend(missing)
        for number in missing:
            packet = source.history[number]
            rtx += 1
            timestamp = struct.unpack_from("!I", packet, 4)[0]
            head = struct.pack("!BBHII", 0x80, packet[1] & 0x80 | 97, rtx, timestamp, 1112)
            publisher.send_rtp(head + struct.pack("!H", number) + packet[12:])

    publisher.on_nack = answer
    start = source.sequence
    source.drop = {(start + n) & 0xFFFF for n in (40, 41, 60)}
    await source.run(1.0)
    await asyncio.sleep(0.3)
    assert set(asked) == source.drop
    assert viewer.streams[1000].lost == 0
    assert viewer.streams[1000].packets == source.sent
    publisher.close()
    viewer.close()


async def test_a_slot_changes_its_source_without_a_gap(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    first = await worker.connect(identity, "pub")
    second = await worker.connect(identity, "pub2")
    await worker.put(video(), video("w", transport="pub2", codec=H264))
    viewer = await worker.connect(identity, "s")
    await worker.put(sees("s"))
    one = camera(first)
    two = VideoSource(second, 2111, 102, codec="H264")

    def wanted(_: int) -> None:
        two.keyframe_wanted = True

    second.on_keyframe_request = wanted
    running = asyncio.gather(one.run(1.6), two.run(1.6))
    await asyncio.sleep(0.7)
    await worker.put(sees("s", "w", version=2))
    await running
    await asyncio.sleep(0.1)
    stream = viewer.streams[1000]
    assert set(stream.payload_types) == {96, 102}
    assert stream.lost == 0
    for peer in (first, second, viewer):
        peer.close()


async def test_publishers_get_transport_wide_feedback_and_a_cap(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    extensions = m.HeaderExtensions(transport_cc=5)
    publisher = await worker.connect(
        identity, "pub", extensions=extensions, twcc=True, cap=2_000_000
    )
    await worker.put(video())
    source = camera(publisher)
    number = 0
    for _ in range(20):
        for packet in source.frame():
            number += 1
            block = one_byte((5, struct.pack("!H", number)))
            publisher.send_rtp(bytes((0x90,)) + packet[1:12] + block + packet[12:])
        await asyncio.sleep(0.05)
    assert publisher.feedback["205/15"] >= 5
    assert publisher.feedback["206/15"] >= 1
    assert publisher.feedback["201"] >= 1
    publisher.close()


async def test_who_speaks_is_told(worker: WorkerUnderTest, identity: Identity) -> None:
    publisher = await worker.connect(identity, "pub", extensions=MID_AND_RID)
    await worker.put(audio())
    await AudioSource(publisher, 2222, level_id=4, level=25).run(0.8)
    await asyncio.sleep(0.5)
    spoken = [n for n in worker.notifications if isinstance(n, m.Speakers)]
    assert spoken[0].producers[0][0] == "a"
    publisher.close()


async def test_specs_are_desired_state(worker: WorkerUnderTest, identity: Identity) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(video(version=3))
    await worker.put(video(version=2, paused=True))
    dump = await worker.dump()
    producer = next(s for s in dump.specs if isinstance(s, m.ProducerSpec))
    assert (producer.version, producer.paused) == (3, False)
    orphan = await worker.put(sees("nobody"))
    assert [p.code for p in orphan.problems] == ["no_parent"]
    await worker.remove("router", "r")
    assert (await worker.dump()).specs == ()
    publisher.close()


async def test_a_new_control_plane_takes_over_and_an_old_one_is_refused(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher = await worker.connect(identity, "pub")
    await worker.put(video())
    viewer = await worker.connect(identity, "s")
    await worker.put(sees("s"))
    source = camera(publisher)
    running = asyncio.create_task(source.run(1.5))
    await asyncio.sleep(0.3)
    await worker.detach()
    await asyncio.sleep(0.3)
    await worker.attach(5)
    dump = await worker.dump()
    assert {s.id for s in dump.specs} == {"r", "pub", "s", "v", "s-1000"}
    assert {(t.id, t.ice, t.dtls) for t in dump.transport_states} == {
        ("pub", "connected", "connected"),
        ("s", "connected", "connected"),
    }
    refused = await worker.greet(4)
    assert refused == m.Refused(5)
    await running
    await asyncio.sleep(0.1)
    assert viewer.streams[1000].packets == source.sent, "media never noticed"
    publisher.close()
    viewer.close()
