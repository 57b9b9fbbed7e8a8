"""Whatever bytes come, every parser answers with a result or with its own error, at once."""

from __future__ import annotations

import contextlib
import datetime
import struct

from aioice import stun as aiostun
from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.errors import MalformedPacket, MediaError, RemoteProtocolError
from twinclass_media.rtp import payload, rtcp
from twinclass_media.rtp.packet import RtpPacket
from twinclass_media.transport import pipe
from twinclass_media.transport.certificate import generate_certificate
from twinclass_media.transport.dtls import DtlsContext, DtlsServer, split_flight
from twinclass_media.transport.framing import Deframer, frame
from twinclass_media.transport.stun import is_stun, parse_binding_request
from twinclass_media.worker.frames import FrameReader, decode_command, decode_notification

CONTEXT = DtlsContext(generate_certificate(datetime.datetime.now(datetime.UTC)))
anything = st.binary(max_size=1500)


def mutations(seed: bytes) -> st.SearchStrategy[bytes]:
    """A valid message with bytes changed, cut and added."""
    edits = st.lists(st.tuples(st.integers(0, len(seed) - 1), st.integers(0, 255)), max_size=6)
    cuts = st.integers(0, len(seed))
    return st.builds(_mutate, st.just(seed), edits, cuts, st.binary(max_size=8))


def _mutate(seed: bytes, edits: list[tuple[int, int]], cut: int, tail: bytes) -> bytes:
    data = bytearray(seed)
    for at, value in edits:
        data[at] = value
    return bytes(data[:cut] if cut % 3 == 0 else data) + tail


RTP = (
    struct.pack("!BBHII", 0x90, 96, 1, 2, 3)
    + bytes.fromhex("bede0003 1041 225566 00 32aabbcc 0000")
    + b"x" * 40
)
REPORTS = (
    rtcp.sender_report(1, 2, 3, 4, 5)
    + rtcp.receiver_report(1, [rtcp.ReportBlock(1, 2, 3, 4, 5, 6, 7)])
    + rtcp.nack(1, 2, [3, 5, 90])
    + rtcp.receiver_estimated_maximum_bitrate(1, 10**6, [4])
    + rtcp.full_intra_request(1, 2, 3)
    + rtcp.transport_feedback(1, 2, b"\0" * 20)
)


def _request() -> bytes:
    message = aiostun.Message(aiostun.Method.BINDING, aiostun.Class.REQUEST)
    message.attributes["USERNAME"] = "local:remote"
    message.attributes["PRIORITY"] = 5
    message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(b"password")
    return bytes(message)


@given(anything | mutations(RTP))
def test_rtp(data: bytes) -> None:
    with contextlib.suppress(MalformedPacket):
        packet = RtpPacket(data)
        assert 12 <= packet.payload_start <= packet.payload_end <= len(data)
        for offset, length in packet.extensions.values():
            assert offset + length <= packet.payload_start


@given(anything | mutations(REPORTS))
def test_rtcp(data: bytes) -> None:
    with contextlib.suppress(MalformedPacket):
        content = rtcp.parse(data)
        assert sum(len(numbers) for _, numbers in content.nacks) <= 32 * 100 * 17


@given(anything)
def test_vp8(data: bytes) -> None:
    with contextlib.suppress(MalformedPacket):
        assert payload.parse_vp8_descriptor(data).size <= len(data)
        payload.vp8_keyframe_size(data)


@given(anything | mutations(bytes.fromhex("6742c01fda014016ec0440000003004000000f03c60ca8")))
def test_h264(data: bytes) -> None:
    payload.h264_starts_keyframe(data)
    sps = payload.h264_sps(data)
    if sps is not None:
        with contextlib.suppress(MalformedPacket):
            width, height = payload.h264_picture_size(sps)
            assert 0 < width <= 16384
            assert 0 < height <= 16384


@given(anything | mutations(_request()))
def test_stun(data: bytes) -> None:
    if is_stun(data):
        with contextlib.suppress(MalformedPacket):
            parse_binding_request(data).verify("password")


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=4))
def test_dtls(datagrams: list[bytes]) -> None:
    server = DtlsServer(CONTEXT, [("sha-256", "AA")], 0.0)
    for data in datagrams:
        with contextlib.suppress(MediaError):
            for flight in server.handle_datagram(bytes((22, 254, 253)) + data, 0.0):
                assert len(flight) <= 1200


@given(anything)
def test_dtls_flights_are_cut_without_loss(data: bytes) -> None:
    assert data.startswith(b"".join(split_flight(data)[:1]))


@given(st.lists(st.binary(max_size=1400), max_size=8), st.integers(1, 700))
def test_tcp_framing_gives_back_what_went_in(packets: list[bytes], step: int) -> None:
    stream = b"".join(frame(p) for p in packets)
    deframer = Deframer()
    out: list[bytes] = []
    for at in range(0, len(stream), step):
        out += deframer.feed(stream[at : at + step])
    assert out == packets


@given(anything)
def test_tcp_garbage(data: bytes) -> None:
    with contextlib.suppress(MalformedPacket):
        Deframer().feed(data)


@given(anything)
def test_control_frames(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        for body in FrameReader().feed(data):
            decode_command(body)
    with contextlib.suppress(RemoteProtocolError):
        decode_command(data)
    with contextlib.suppress(RemoteProtocolError):
        decode_notification(data)


@given(anything)
def test_pipe_reports(data: bytes) -> None:
    pipe.parse_report(data)
