import struct

import pytest

from twinclass_media.errors import MalformedPacket
from twinclass_media.rtp import rtcp


def test_reads_back_what_it_builds() -> None:
    block = rtcp.ReportBlock(5, 12, -3, 70000, 9, 0xABCD, 65536)
    data = (
        rtcp.sender_report(1, 0x1234567890, 77, 10, 1000)
        + rtcp.receiver_report(2, [block])
        + rtcp.source_description(1, "name")
        + rtcp.nack(1, 6, [10, 12, 26, 27])
        + rtcp.picture_loss_indication(1, 7)
        + rtcp.full_intra_request(1, 8, 3)
        + rtcp.receiver_estimated_maximum_bitrate(1, 2_500_000, [6])
        + rtcp.transport_feedback(1, 6, b"\0" * 9)
    )
    content = rtcp.parse(data)
    assert list(content.senders) == [rtcp.SenderInfo(1, 0x1234567890, 77)]
    assert content.reports == [block]
    assert list(content.nacks) == [(6, [10, 12, 26, 27])]
    assert list(content.keyframes) == [7, 8]
    assert content.remb_bps == pytest.approx(2_500_000, rel=1e-4)
    assert list(content.transport_cc) == [b"\0" * 9]
    assert content.unknown == 0


def test_a_nack_wraps_around() -> None:
    content = rtcp.parse(rtcp.nack(1, 2, [0xFFFF, 0, 1]))
    assert list(content.nacks) == [(2, [0xFFFF, 0, 1])]


@pytest.mark.parametrize(
    "data",
    [
        b"\x80",
        b"\x40\xc8\0\0",
        struct.pack("!BBH", 0x80, 200, 9) + b"\0" * 8,
        struct.pack("!BBH", 0x81, 201, 1) + b"\0" * 4,
        struct.pack("!BBHI", 0xA0, 201, 1, 0),
        struct.pack("!BBHI", 0xA0, 201, 1, 200),
        struct.pack("!BBH", 0x81, 205, 1) + b"\0" * 4,
        struct.pack("!BBHI", 0x9F, 203, 1, 5),
        struct.pack("!BBH", 0x80, 192, 0) * 40,
        rtcp.nack(1, 2, range(0, 4000, 20)),
    ],
)
def test_refuses_what_does_not_fit(data: bytes) -> None:
    with pytest.raises(MalformedPacket):
        rtcp.parse(data)
