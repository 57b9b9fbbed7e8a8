"""Sound of several speakers as one run for each viewer: the same packets, in order, to all."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from light.full_socket import full_socket
from twinclass_media.forward.group import Rows
from twinclass_media.forward.layer import Layer
from twinclass_media.forward.producer import Burst
from twinclass_media.forward.ring import Entry
from twinclass_media.forward.row import Row
from twinclass_media.forward.shape import Shape
from twinclass_media.rtp.packet import RtpPacket
from twinclass_media.statistics import Statistics
from twinclass_media.transport.dtls import SrtpKeys
from twinclass_media.transport.egress import Egress
from twinclass_media.transport.peer import Peer
from twinclass_media.transport.srtp import SrtpPair
from twinclass_media.worker.messages import RouterId, TransportId, TransportSpec

KEYS = SrtpKeys("SRTP_AEAD_AES_128_GCM", os.urandom(28), os.urandom(28))
GCM = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
SHAPE = Shape(16)
#: (SSRC, sequence number, timestamp, payload)
Heard = tuple[int, int, int, bytes]


class Class:
    """Viewers, each with a row for every speaker but one whom it is."""

    def __init__(self, viewers: int, speakers: int) -> None:
        self.statistics = Statistics()
        self.layers = [Layer(0, "", False, 48000) for _ in range(speakers)]
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sender.setblocking(False)
        self.sinks: list[socket.socket] = []
        self.peers: list[Peer] = []
        rows: list[list[Row]] = [[] for _ in range(speakers)]
        for index in range(viewers):
            sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sink.bind(("127.0.0.1", 0))
            sink.setblocking(False)
            self.sinks.append(sink)
            spec = TransportSpec(TransportId(f"t{index}"), RouterId("r"), 1, "u", "p")
            peer = Peer(spec, self.statistics, 0.0)
            peer.address = sink.getsockname()
            peer.sendto, peer.sendmsg = self.sender.sendto, self.sender.sendmsg
            peer.way.lead(self.sender.fileno(), peer.address, [])
            peer.segment(True)
            peer.use_keys(SrtpPair(KEYS))
            peer.ready = True
            peer.way.open(True)
            self.peers.append(peer)
            for number, layer in enumerate(self.layers):
                if number == index:
                    continue
                ssrc = 1000 * (index + 1) + number
                row = Row(peer, ssrc, 0, 48000, {"opus": (100 + number, None)}, 5, 7)
                row.layer, row.shape = layer, SHAPE
                peer.rows[ssrc] = row
                rows[number].append(row)
        self.rows = [Rows(some) for some in rows]

    def close(self) -> None:
        for sock in (*self.sinks, self.sender):
            sock.close()

    def say(self, egress: Egress, speaker: int, first: int, sizes: list[int]) -> None:
        made = [
            Entry(70_000 + first + i, 960 * (first + i), 0, bytes([size % 251]) * size, "opus", 0.0)
            for i, size in enumerate(sizes)
        ]
        egress.add(Burst(self.layers[speaker], made, self.rows[speaker], 0, True), 0.0)

    def heard(self) -> list[list[Heard]]:
        """What each got, decrypted and without padding."""
        found: list[list[Heard]] = []
        for sink in self.sinks:
            policy = Policy(KEYS.send, Policy.SSRC_ANY_INBOUND, srtp_profile=GCM)
            session, packets = Session(policy), []
            while True:
                try:
                    packet = RtpPacket(session.unprotect(sink.recv(2048)))
                except BlockingIOError:
                    break
                packets.append(
                    (packet.ssrc, packet.sequence_number, packet.timestamp, bytes(packet.payload))
                )
            found.append(packets)
        return found


@pytest.fixture
def school() -> Iterator[Class]:
    made = Class(4, 3)
    yield made
    made.close()


def work(egress: Egress) -> None:
    while egress.busy:
        egress.run()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 3), st.lists(st.integers(1, 500), min_size=1, max_size=3)),
            min_size=1,
            max_size=8,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_everybody_hears_the_same_as_without_trains(
    library: object, moments: list[list[tuple[int, list[int]]]]
) -> None:
    heard, kept = [], []
    for loop in (None, library):
        lesson = Class(5, 4)
        egress = Egress(lesson.statistics, lambda _: None, loop)
        nexts = [0] * 4
        for moment in moments:
            for speaker, sizes in moment:
                lesson.say(egress, speaker, nexts[speaker], sizes)
                nexts[speaker] += len(sizes)
            work(egress)
        by_track = [
            {ssrc: [one for one in packets if one[0] == ssrc] for ssrc, *_ in packets}
            for packets in lesson.heard()
        ]
        heard.append(by_track)
        kept.append(
            (
                [(*row.sent[:2], row.newest) for peer in lesson.peers
                 for row in peer.rows.values()],
                lesson.statistics.packets_out,
                dict(lesson.statistics.drops),
            )
        )  # fmt: skip
        lesson.close()
    assert heard[0] == heard[1]
    assert kept[0] == kept[1]
    assert kept[0][2] == {}


def test_two_speakers_are_one_run(library: object, school: Class) -> None:
    egress = Egress(school.statistics, lambda _: None, library)
    for speaker in range(3):
        school.say(egress, speaker, 0, [80 + speaker])
    work(egress)
    # Three viewers speak themselves and hear two others, the fourth hears three.
    assert [len(packets) for packets in school.heard()] == [2, 2, 2, 3]
    assert school.statistics.segments.counts[0] == 0
    assert sum(school.statistics.segments.counts) == 4


def test_who_cannot_hear_one_of_them_hears_the_others(library: object, school: Class) -> None:
    egress = Egress(school.statistics, lambda _: None, library)
    last = school.peers[3]
    one, other, _ = last.rows.values()
    one.payload_types = {"vorbis": (90, None)}
    other.leave()
    school.peers[2].update_ready(consent=False)
    for speaker in range(3):
        school.say(egress, speaker, 0, [80])
    work(egress)
    assert [len(packets) for packets in school.heard()] == [2, 2, 0, 1]
    assert school.statistics.drops == {"codec_not_negotiated": 1}
    assert school.statistics.packets_out == 5


def test_what_cannot_be_protected_stays_and_the_rest_leaves(library: object, school: Class) -> None:
    egress = Egress(school.statistics, lambda _: None, library)
    school.say(egress, 0, 0, [80])
    work(egress)
    school.heard()
    for speaker in range(2):
        school.say(egress, speaker, 0, [80])  # The first one's number again.
    work(egress)
    assert [len(packets) for packets in school.heard()] == [1, 0, 1, 1]
    assert school.statistics.drops == {"protect_failed": 3}


def test_a_way_without_segmentation_gets_them_singly(library: object, school: Class) -> None:
    school.sender.setsockopt(socket.SOL_SOCKET, 11, 1)  # SO_NO_CHECK: see test_send_loops
    egress = Egress(school.statistics, lambda _: None, library)
    for moment in range(2):
        for speaker in range(3):
            school.say(egress, speaker, 2 * moment, [80, 81])
        work(egress)
    assert [len(packets) for packets in school.heard()] == [8, 8, 8, 12]
    assert school.statistics.drops == {"segmentation_refused": 4}


def test_who_left_is_not_kept(library: object, school: Class) -> None:
    egress = Egress(school.statistics, lambda _: None, library)
    for speaker in range(2):
        school.say(egress, speaker, 0, [80])
    work(egress)
    compiled = egress._compiled
    assert compiled is not None
    assert compiled._seatings._by_router
    egress.forget_peer(school.peers[0])
    assert not compiled._seatings._by_router


def test_a_full_socket_loses_and_doubles_nothing(library: object, school: Class) -> None:
    with full_socket(school.peers[1], 5_000) as drain:
        egress = Egress(school.statistics, lambda _: None, library)
        for speaker in range(3):
            school.say(egress, speaker, 0, [400] * 12)
        got: list[bytes] = []
        for _ in range(300):
            egress.run()
            got += drain()
            if not egress.busy:
                break
    assert school.statistics.drops["socket_full"] >= 1
    assert [len(packets) for packets in school.heard()] == [24, 0, 24, 36]
    assert len(got) == 24
    for ssrc in (2000, 2002):
        numbers = [one[2:4] for one in got if int.from_bytes(one[8:12], "big") == ssrc]
        assert [int.from_bytes(one, "big") for one in numbers] == [
            (70_000 + i) & 0xFFFF for i in range(12)
        ]
