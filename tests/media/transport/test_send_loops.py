"""The compiled send loop against the one in Python: the same datagrams, to the byte."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from light.full_socket import full_socket
from twinclass_media.bandwidth.watch import Watch
from twinclass_media.forward.group import Rows
from twinclass_media.forward.layer import Layer
from twinclass_media.forward.producer import Burst
from twinclass_media.forward.ring import Entry
from twinclass_media.forward.row import Row
from twinclass_media.forward.shape import Shape
from twinclass_media.forward.template import build_template
from twinclass_media.rtp.payload import Vp8Descriptor
from twinclass_media.statistics import Statistics
from twinclass_media.transport.arena import Arena
from twinclass_media.transport.deferred import Deferred
from twinclass_media.transport.dtls import SrtpKeys
from twinclass_media.transport.egress import Egress
from twinclass_media.transport.line import Line
from twinclass_media.transport.native.burst import MAX_CODECS, Layout, NativeBurst, Status
from twinclass_media.transport.native.library import load
from twinclass_media.transport.native.way import pack_address
from twinclass_media.transport.peer import RED, Peer
from twinclass_media.transport.srtp import SrtpPair
from twinclass_media.worker.messages import RouterId, TransportId, TransportSpec

KEYS = SrtpKeys("SRTP_AEAD_AES_128_GCM", os.urandom(28), os.urandom(28))


class Viewers:
    """Rows whose peers send to real sockets."""

    def __init__(self, count: int, family: int = socket.AF_INET) -> None:
        host = "127.0.0.1" if family == socket.AF_INET else "::1"
        self.statistics = Statistics()
        self.layer = Layer(0, "", True, 90000)
        self.sender = socket.socket(family, socket.SOCK_DGRAM)
        self.sender.setblocking(False)
        self.sockets: list[socket.socket] = []
        self.rows: list[Row] = []
        for index in range(count):
            sink = socket.socket(family, socket.SOCK_DGRAM)
            sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            sink.bind((host, 0))
            sink.setblocking(False)
            self.sockets.append(sink)
            spec = TransportSpec(TransportId(f"t{index}"), RouterId("r"), 1, "u", "p")
            peer = Peer(spec, self.statistics, 0.0)
            peer.address = sink.getsockname()
            peer.sendto, peer.sendmsg = self.sender.sendto, self.sender.sendmsg
            peer.way.lead(self.sender.fileno(), peer.address, [])
            peer.segment(True)
            peer.use_keys(SrtpPair(KEYS))
            peer.ready = True
            peer.way.open(True)
            row = Row(peer, 1000 + index, 0, 90000, {"VP8": (96 + index, None)}, 5, 7)
            row.layer = self.layer
            self.rows.append(row)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (*self.sockets, self.sender):
            sock.close()

    def received(self) -> list[list[bytes]]:
        found: list[list[bytes]] = []
        for sock in self.sockets:
            packets: list[bytes] = []
            while True:
                try:
                    packets.append(sock.recv(2048))
                except BlockingIOError:
                    break
            found.append(packets)
        return found


def entries(sizes: list[int], picture_id: int, bits: int) -> list[Entry]:
    vp8 = None
    if bits:
        vp8 = Vp8Descriptor(True, 0, 6, picture_id, 2, bits, 9, 2 + bits // 8 + 1, 0)
    return [
        Entry(
            70000 + i,
            0xFFFFFF00 + i,
            int(i == len(sizes) - 1),
            bytes([i % 250] * size),
            "VP8",
            0.0,
            vp8=vp8,
        )
        for i, size in enumerate(sizes)
    ]


def burst(viewers: Viewers, library: object | None, made: list[Entry], shape: Shape) -> None:
    egress = Egress(viewers.statistics, lambda _: None, library)
    egress.add(Burst(viewers.layer, made, Rows(viewers.rows), 0, False), 0.0)
    while egress.busy:
        egress.run()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.integers(12, 1150), min_size=1, max_size=60),
    st.sampled_from([0, 7, 15]),
    st.integers(0, 127),
    st.integers(-200, 200),
    st.integers(-70000, 70000),
    st.sampled_from([0, 5]),
    st.sampled_from([b"", b"0", b"video-12"]),
    st.sampled_from([True, False]),
)
def test_both_loops_send_the_same_bytes(
    library: object,
    sizes: list[int],
    bits: int,
    picture_id: int,
    delta: int,
    offset: int,
    transport_cc: int,
    mid: bytes,
    segmentation: bool,
) -> None:
    shape = Shape(16, False, 0, transport_cc, 4 if mid else 0, mid)
    sent = []
    for loop in (None, library):
        with Viewers(3) as viewers:
            for i, row in enumerate(viewers.rows):
                row.shape = shape
                row.sequence_offset, row.timestamp_offset = offset + i, offset * 7
                row.picture_id_delta, row.tl0_delta = delta, -delta
                row.show()
                row.peer.segment(segmentation)
                # Wide enough that nothing waits.
                line = row.peer.line = Line(Watch(0.0, 1e9, can_answer=True), 0.0)
                line.sent([0] * (3 + i), 0.0)
            made = entries(sizes, picture_id, bits)
            burst(viewers, loop, made, shape)
            sent.append(
                (
                    viewers.received(),
                    [row.peer.line.next_number for row in viewers.rows],
                    [(*row.sent[:2], row.newest) for row in viewers.rows],
                    viewers.statistics.packets_out,
                    dict(viewers.statistics.drops),
                )
            )
    assert sent[0] == sent[1]
    assert [len(packets) for packets in sent[0][0]] == [len(sizes)] * 3
    assert sent[0][4] == {}


def test_rows_that_moved_on_or_cannot_read_the_codec_are_passed_over(library: object) -> None:
    for loop in (None, library):
        with Viewers(4) as viewers:
            shape = Shape(16)
            for row in viewers.rows:
                row.shape = shape
            viewers.rows[0].layer = None
            viewers.rows[1].peer.update_ready(consent=False)
            viewers.rows[2].payload_types = {"H264": (100, None)}
            burst(viewers, loop, entries([100, 100], 0, 0), shape)
            assert [len(packets) for packets in viewers.received()] == [0, 0, 0, 2]
            assert viewers.statistics.drops == {"codec_not_negotiated": 2}
            assert viewers.statistics.packets_out == 2


class Full:
    """A stream that takes nothing now."""

    blocked = True

    def __init__(self) -> None:
        self.kept: list[Deferred] = []

    def send(self, data: bytes) -> None:
        raise AssertionError("it is full")

    def defer(self, one: Deferred) -> None:
        self.kept.append(one)

    def close(self) -> None:
        pass


def test_sound_that_waits_for_a_stream_waits_as_it_came() -> None:
    """What it brings along is added when it leaves; twice would be noise."""
    with Viewers(1) as viewers:
        row, stream = viewers.rows[0], Full()
        row.peer.stream = stream
        row.payload_types = {"opus": (111, None), RED: (63, None)}
        row.shape = Shape(16, stream=True, red=1, sound_type=111)
        made = [Entry(n, 960 * n, 0, bytes([n]) * 80, "opus", 0.0) for n in (1, 2)]
        for entry in made:
            viewers.layer.ring.add(entry)
        egress = Egress(viewers.statistics, lambda _: None)
        egress.add(Burst(viewers.layer, made[1:], Rows((row,)), 0, True), 0.0)
        while egress.busy:
            egress.run()
        assert [one.entry for one in stream.kept] == made[1:]


@pytest.mark.parametrize("is_watched", [False, True])
def test_what_waited_when_a_row_went_back_to_an_older_keyframe_is_not_for_it(
    library: object, is_watched: bool
) -> None:
    """Its numbers would be behind those of the keyframe, and their gap nobody's loss."""
    for loop in (None, library):
        with Viewers(2) as viewers:
            for row in viewers.rows:
                row.shape = Shape(16, transport_cc=5 if is_watched else 0)
            row, peer = viewers.rows[0], viewers.rows[0].peer
            if is_watched:
                # It holds up what comes, until it is looked at.
                peer.line = Line(Watch(0.0, 1e4, can_answer=True), time.monotonic())
            egress = Egress(viewers.statistics, lambda _: None, loop)
            made = entries([100, 100, 100, 100], 0, 0)
            layer, only = viewers.layer, Rows((row,))
            egress.add(Burst(layer, made[2:], Rows(viewers.rows), layer.cuts, False), 0.0)
            row.cut(layer, made[0], 0)
            egress.add(Burst(layer, made[:2], only, layer.cuts, False), 0.0)
            while egress.busy or egress.pacing:
                egress.run()
                if is_watched:
                    egress.pace(time.monotonic())
            got = [[int.from_bytes(p[2:4], "big") for p in one] for one in viewers.received()]
            first = (made[0].sequence + row.sequence_offset) & 0xFFFF
            assert got == [
                [first, first + 1],
                [made[2].sequence & 0xFFFF, made[3].sequence & 0xFFFF],
            ]


def test_what_is_on_its_way_when_watching_ends_goes_on_with_the_numbers(library: object) -> None:
    """Numbers from 0 on would have a receiver report on all that it was ever sent."""
    shape = Shape(16, transport_cc=5)
    _, number_at = shape.extension_block(0)
    for loop in (None, library):
        with Viewers(1) as viewers:
            row, peer = viewers.rows[0], viewers.rows[0].peer
            row.shape = shape
            line = peer.line = Line(Watch(0.0, 1e9, can_answer=True), 0.0)
            line.sent([100] * 3000, 0.0)
            egress = Egress(viewers.statistics, lambda _: None, loop)
            made = entries([100, 100], 0, 0)
            egress.add(Burst(viewers.layer, made, Rows((row,)), 0, False), 0.0)
            peer.line, peer.line_before = None, line
            while egress.busy:
                egress.run()
            (got,) = viewers.received()
            assert [int.from_bytes(p[number_at : number_at + 2], "big") for p in got] == [
                3000,
                3001,
            ]
            assert line.next_number == 3002


def test_what_cannot_be_protected_never_leaves(library: object) -> None:
    """libsrtp refuses to protect one number twice; the packet would go out as it is."""
    for loop in (None, library):
        with Viewers(3) as viewers:
            shape = Shape(16)
            for row in viewers.rows:
                row.shape = shape
            made = entries([300, 300], 0, 0)
            again = viewers.rows[1]
            again_only = Burst(viewers.layer, made, Rows((again,)), 0, False)
            egress = Egress(viewers.statistics, lambda _: None, loop)
            egress.add(again_only, 0.0)
            while egress.busy:
                egress.run()
            assert [len(packets) for packets in viewers.received()] == [0, 2, 0]
            burst(viewers, loop, made, shape)
            assert [len(packets) for packets in viewers.received()] == [2, 0, 2]
            assert viewers.statistics.drops == {"protect_failed": 2}
            assert viewers.statistics.packets_out == 6


def test_a_full_socket_stops_the_loop_and_nothing_is_lost_or_sent_twice(library: object) -> None:
    for loop in (None, library):
        with Viewers(3) as viewers, full_socket(viewers.rows[1].peer, 20_000) as drain:
            for row in viewers.rows:
                row.shape = Shape(16)
            egress = Egress(viewers.statistics, lambda _: None, loop)
            made = entries([1100] * 40, 0, 0)
            egress.add(Burst(viewers.layer, made, Rows(viewers.rows), 0, False), 0.0)
            got: list[bytes] = []
            for _ in range(200):
                egress.run()
                if not egress.busy:
                    break
                got += drain()
            got += drain()
            assert viewers.statistics.drops["socket_full"] >= 1
            assert [int.from_bytes(p[2:4], "big") for p in got] == [
                (70000 + i) & 0xFFFF for i in range(40)
            ]
            assert [len(packets) for packets in viewers.received()] == [40, 0, 40]


def test_a_way_without_segmentation_is_sent_singly(library: object) -> None:
    with Viewers(1) as viewers:
        # SO_NO_CHECK: the kernel refuses to segment (EIO) without checksums.
        viewers.sender.setsockopt(socket.SOL_SOCKET, 11, 1)
        for loop in (None, library):
            viewers.rows[0].peer.segment(True)
            viewers.rows[0].shape = Shape(16)
            viewers.rows[0].sequence_offset += 100
            viewers.rows[0].show()
            burst(viewers, loop, entries([600] * 6, 0, 0), Shape(16))
            assert [len(packets) for packets in viewers.received()] == [6]
            assert not viewers.rows[0].peer.segmentation
        assert viewers.statistics.drops["segmentation_refused"] == 2


def test_tables_that_do_not_fit_the_arena_are_refused_whole(library: object) -> None:
    with Viewers(1) as viewers:
        arena = Arena(viewers.statistics)
        native = NativeBurst(library, arena)
        made = entries([100], 0, 0)
        template = build_template(made, Shape(16), 0)
        places = native.places(Rows(viewers.rows))

        def outcome(damage: Callable[[Any], None]) -> int:
            source = Burst(viewers.layer, made, Rows(viewers.rows), 0, False)
            layout = native.layout(template, source, "VP8", 16, 0.0)
            damage(layout)
            return native.send(layout, places, 0, 1, 1e9).status

        def longer_than_the_template(layout: Layout) -> None:
            layout.kept[2][0].size = 200

        def outside_of_the_arena(layout: Layout) -> None:
            layout.kept[3][0].end = 10**6

        def no_data(layout: Layout) -> None:
            layout.burst.data = 0

        def codec_of_no_row(layout: Layout) -> None:
            layout.burst.codec = MAX_CODECS

        for damage in (longer_than_the_template, outside_of_the_arena, no_data, codec_of_no_row):
            assert outcome(damage) == Status.INVALID
        assert viewers.received() == [[]]


def test_a_peer_without_a_path_or_keys_gets_nothing(library: object) -> None:
    with Viewers(3) as viewers:
        for row in viewers.rows:
            row.shape = Shape(16)
        viewers.rows[0].peer.way.use_session(0)
        viewers.rows[1].peer.way._way.address = 0
        burst(viewers, library, entries([100], 0, 0), Shape(16))
        assert [len(packets) for packets in viewers.received()] == [0, 0, 1]


def test_rows_go_on_where_either_loop_left_off(library: object) -> None:
    """A viewer whose path changes to a stream and back is sent to by both."""
    with Viewers(1) as viewers:
        row = viewers.rows[0]
        row.shape = Shape(16)
        made = entries([100] * 4, 40, 15)
        for loop, part in ((None, made[:1]), (library, made[1:3]), (None, made[3:])):
            burst(viewers, loop, part, Shape(16))
        assert (*row.sent[:2], row.newest) == (4, 400, 70003)
        assert row.last_timestamp == (0xFFFFFF03 + row.timestamp_offset) & 0xFFFFFFFF


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_addresses_are_laid_out_as_the_kernel_reads_them(library: object, family: int) -> None:
    with Viewers(2, family) as viewers:
        for row in viewers.rows:
            row.shape = Shape(16)
        burst(viewers, library, entries([500, 500, 300], 0, 0), Shape(16))
        assert [len(packets) for packets in viewers.received()] == [3, 3]
    assert len(pack_address(("127.0.0.1", 1))) == 16
    assert len(pack_address(("fe80::1%eth0", 1, 0, 3))) == 28


def test_a_dead_socket_is_counted_and_others_get_theirs(library: object) -> None:
    with Viewers(2) as viewers:
        for row in viewers.rows:
            row.shape = Shape(16)
        viewers.rows[0].peer.way.lead(-1, ("127.0.0.1", 1), [])

        def refuse(*_: object) -> int:
            raise OSError(errno.EBADF, "closed")

        viewers.rows[0].peer.sendmsg = viewers.rows[0].peer.sendto = refuse
        burst(viewers, library, entries([100], 0, 0), Shape(16))
        assert [len(packets) for packets in viewers.received()] == [0, 1]
        assert viewers.statistics.drops["send_failed"] >= 1


def test_a_library_of_another_source_is_not_used(tmp_path: Path) -> None:
    other = tmp_path / "other.c"
    other.write_text(
        'const char *twinclass_burst_digest(void) { return "0000"; }\n'
        "void twinclass_burst_send(void) {}\n"
    )
    made = tmp_path / "other.so"
    subprocess.run(["cc", "-shared", "-fPIC", str(other), "-o", str(made)], check=True)
    assert load(made) is None
    assert load(tmp_path / "absent.so") is None
    damaged = tmp_path / "damaged.so"
    damaged.write_bytes(b"not a library")
    assert load(damaged) is None


def test_what_the_last_row_could_not_get_leaves_before_the_next_burst(
    library: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinclass_media.transport.egress.QUANTUM_S", 1.0)
    for loop in (None, library):
        with Viewers(2) as viewers, full_socket(viewers.rows[1].peer, 20_000) as drain:
            for row in viewers.rows:
                row.shape = Shape(16)
            egress = Egress(viewers.statistics, lambda _: None, loop)
            made = entries([1100] * 80, 0, 0)
            for part in (made[:40], made[40:]):
                egress.add(Burst(viewers.layer, part, Rows(viewers.rows), 0, False), 0.0)
            got: list[bytes] = []
            for _ in range(400):
                egress.run()
                got += drain()
                if not egress.busy:
                    break
            assert [int.from_bytes(p[2:4], "big") for p in got] == [
                (70000 + i) & 0xFFFF for i in range(80)
            ]
