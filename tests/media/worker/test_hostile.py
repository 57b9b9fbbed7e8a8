"""What must cost nobody anything: garbage, forgeries and floods against a real worker."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aioice import stun

from light.peer import Identity, LightPeer
from light.ports import free_port
from light.source import VideoSource
from light.worker import VP8, WorkerUnderTest
from twinclass_media.worker import messages as m

#: A DTLS 1.2 ClientHello record's first bytes, then nonsense.
FORGED_HELLO = bytes((22, 254, 253)) + b"\0" * 8 + struct.pack("!H", 60) + b"\x01" + b"\0" * 59


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[WorkerUnderTest]:
    async with WorkerUnderTest(tmp_path, free_port()) as worker:
        yield worker


@pytest.fixture(scope="module")
def identity() -> Identity:
    return Identity()


async def lesson(
    worker: WorkerUnderTest, identity: Identity
) -> tuple[LightPeer, LightPeer, VideoSource]:
    publisher = await worker.connect(identity, "pub", extensions=m.HeaderExtensions(mid=1))
    await worker.put(
        m.ProducerSpec(
            m.ProducerId("v"),
            m.TransportId("pub"),
            1,
            "video",
            "0",
            (VP8,),
            (m.Encoding("", 1111, 1112),),
        )
    )
    viewer = await worker.connect(identity, "s")
    await worker.put(
        m.ConsumerSpec(
            m.ConsumerId("c"),
            m.TransportId("s"),
            1,
            "video",
            "0",
            1000,
            (VP8,),
            1001,
            m.ProducerId("v"),
        )
    )
    return publisher, viewer, VideoSource(publisher, 1111, 96)


def stranger(worker: WorkerUnderTest) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(("127.0.0.1", worker.port))
    return sock


async def flood(sock: socket.socket, datagrams: list[bytes]) -> None:
    for i, datagram in enumerate(datagrams):
        sock.send(datagram)
        if i % 50 == 49:
            await asyncio.sleep(0.002)


async def test_garbage_of_every_length_disturbs_nobody(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher, viewer, source = await lesson(worker, identity)
    running = asyncio.create_task(source.run(2.0))
    unsigned = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    unsigned.attributes["USERNAME"] = "nobody:me"
    with stranger(worker) as sock:
        await flood(
            sock,
            [b"", b"\0", b"\x80", b"\xff" * 65507, bytes(unsigned), FORGED_HELLO]
            + [os.urandom(n % 1400) for n in range(600)]
            + [bytes((0, 1, 0, 0)) + b"\x21\x12\xa4\x42" + os.urandom(n % 60) for n in range(300)],
        )
        # The address of a peer does not help: these come from the viewer's own socket.
        for datagram in (
            b"",
            b"\0",
            b"\x80" * 11,
            b"\x80" * 40,
            b"\x80\xc8" + b"\0" * 30,
            os.urandom(1400),
            b"\x80" * 1499,
            FORGED_HELLO,
            bytes((21, 254, 253)) * 9,
        ):
            viewer.send_raw(datagram)
        await running
    await asyncio.sleep(0.2)
    assert viewer.streams[1000].packets == source.sent
    assert not viewer.errors
    drops = (await worker.statistics()).drops
    assert drops["bad_length"] > 5
    assert drops["media_from_unknown_address"] > 5
    assert drops["dtls_from_unknown_address"] > 1
    assert drops["stun_unknown_ufrag"] >= 1
    assert drops["srtp_not_authentic"] + drops["srtcp_not_authentic"] >= 3
    publisher.close()
    viewer.close()


async def test_unauthenticated_datagrams_get_no_answer(worker: WorkerUnderTest) -> None:
    applied = await worker.put(
        m.RouterSpec(m.RouterId("r")),
        m.TransportSpec(m.TransportId("t"), m.RouterId("r"), 1, "ufrag123", "password" * 3),
    )
    assert not applied.problems
    with stranger(worker) as sock:
        sock.setblocking(False)
        for password in ("wrong" * 5, ""):
            request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            request.attributes["USERNAME"] = "ufrag123:me"
            if password:
                request.add_message_integrity(password.encode())
            sock.send(bytes(request))
        sock.send(FORGED_HELLO)
        await asyncio.sleep(0.3)
        with pytest.raises(BlockingIOError):
            sock.recv(2048)
    assert (await worker.statistics()).drops["stun_not_authentic"] == 2


async def test_forged_client_hellos_break_no_join(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    stop = False

    async def forge() -> None:
        with stranger(worker) as sock:
            while not stop:
                for _ in range(20):
                    sock.send(FORGED_HELLO)
                await asyncio.sleep(0.002)

    forging = asyncio.create_task(forge())
    peers = [await worker.connect(identity, f"p{i}") for i in range(10)]
    stop = True
    await forging
    assert all(peer.connected.is_set() for peer in peers)
    for peer in peers:
        peer.close()


async def test_a_wrong_fingerprint_gets_no_keys(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    peer = LightPeer(identity)
    await worker.put(
        m.RouterSpec(m.RouterId("r")),
        m.TransportSpec(
            m.TransportId("t"),
            m.RouterId("r"),
            1,
            "ufrag123",
            "password" * 3,
            (m.Fingerprint("sha-256", ":".join(["AA"] * 32)),),
        ),
    )
    peer.start(("127.0.0.1", worker.port), "ufrag123", "password" * 3)
    for _ in range(50):
        await asyncio.sleep(0.05)
        if any(
            isinstance(n, m.TransportState) and n.dtls == "failed" for n in worker.notifications
        ):
            break
    drops = (await worker.statistics()).drops
    assert drops["dtls_fingerprint_mismatch"] == 1
    states = [n for n in worker.notifications if isinstance(n, m.TransportState)]
    assert states[-1].dtls == "failed"
    assert "connected" not in {s.dtls for s in states}
    peer.close()


async def test_a_million_strange_ssrcs_leave_memory_flat_and_lose_nothing(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher, viewer, source = await lesson(worker, identity)
    running = asyncio.create_task(source.run(4.0))
    await asyncio.sleep(0.5)
    before = await worker.statistics()
    sent = 0
    payload = os.urandom(60)
    deadline = time.monotonic() + 3.0
    with stranger(worker) as outside:
        # A real million takes a minute of this machine: the limit is reached after 48, so what
        # 20,000 do not cost a million does not either. `./test --full` sends them all.
        while sent < 20_000 and time.monotonic() < deadline:
            for _ in range(40):
                packet = struct.pack("!BBHII", 0x80, 96, 1, 1, secrets.randbits(32)) + payload
                if sent % 4 == 0:
                    outside.send(packet)
                else:
                    publisher.send_rtp(packet) if sent < 400 else publisher.send_raw(packet)
                sent += 1
            await asyncio.sleep(0.004)
    await running
    await asyncio.sleep(0.2)
    after = await worker.statistics()
    assert after.drops["too_many_ssrcs"] > 1000
    assert after.rss_bytes - before.rss_bytes < 8 * 1024 * 1024
    assert viewer.streams[1000].lost == 0
    assert viewer.streams[1000].packets > 0.95 * source.sent
    publisher.close()
    viewer.close()


async def test_an_old_packet_sent_again_is_not_forwarded_again(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher, viewer, source = await lesson(worker, identity)
    kept: list[bytes] = []
    send = publisher.send_raw

    def keep(data: bytes) -> None:
        if 128 <= data[0] < 192:
            kept.append(data)
        send(data)

    publisher.send_raw = keep  # type: ignore[method-assign]
    await source.run(0.3)
    for data in kept[:10]:
        send(data)
    with stranger(worker) as sock:
        for data in kept[:10]:
            sock.send(data)
    await asyncio.sleep(0.2)
    assert viewer.streams[1000].packets == source.sent
    assert viewer.streams[1000].duplicates == 0
    assert (await worker.statistics()).drops["srtp_not_authentic"] >= 10
    publisher.close()
    viewer.close()


async def test_authentic_but_broken_packets_are_counted_and_survived(
    worker: WorkerUnderTest, identity: Identity
) -> None:
    publisher, viewer, source = await lesson(worker, identity)
    running = asyncio.create_task(source.run(1.0))
    await asyncio.sleep(0.2)
    for number, rest in enumerate(
        (
            b"\x90" + struct.pack("!HH", 0xBEDE, 1) + b"\x1f\0\0\0",
            b"\xa0\xff",
            b"\x80\x80",
            b"\x80",
        )
    ):
        head = struct.pack("!BHII", 96, 9 + number, 9, 77)
        publisher.send_rtp(rest[:1] + head + rest[1:])
    for broken in (
        struct.pack("!BBHI", 0x81, 201, 1, 5),
        struct.pack("!BBHII", 0x81, 206, 2, 1, 4242),
        struct.pack("!BBHII", 0x81, 205, 2, 1, 4242),
    ):
        publisher.send_rtcp(broken)
    await running
    await asyncio.sleep(0.2)
    drops = (await worker.statistics()).drops
    assert drops["rtp_malformed"] >= 1
    assert drops["rtcp_malformed"] == 1
    assert viewer.streams[1000].packets == source.sent
    publisher.close()
    viewer.close()


async def test_a_flood_of_reports_is_not_read(worker: WorkerUnderTest, identity: Identity) -> None:
    publisher, viewer, source = await lesson(worker, identity)
    running = asyncio.create_task(source.run(1.5))
    await asyncio.sleep(0.2)
    for _ in range(10):
        for _ in range(400):
            viewer.request_keyframe(1000)
        await asyncio.sleep(0.1)
    await running
    await asyncio.sleep(0.2)
    found = await worker.statistics()
    assert found.drops["rtcp_overload"] > 3000
    assert found.packets["rtcp_in"] < 1000
    assert viewer.streams[1000].packets == source.sent
    publisher.close()
    viewer.close()


async def test_a_control_plane_that_speaks_nonsense_is_cut_off(worker: WorkerUnderTest) -> None:
    for nonsense in (b"\xff" * 64, struct.pack("!I", 5) + b"\xc1\xc1\xc1\xc1\xc1"):
        reader, writer = await asyncio.open_unix_connection(str(worker.run_dir / "worker-0.sock"))
        writer.write(nonsense)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
    assert (await worker.dump()).specs == ()
