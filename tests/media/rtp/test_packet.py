import struct

import pytest

from twinclass_media.errors import MalformedPacket
from twinclass_media.rtp.packet import RtpPacket


def rtp(first: int = 0x80, rest: bytes = b"", payload: bytes = b"abc") -> bytes:
    return struct.pack("!BBHII", first, 0x80 | 96, 7, 8, 9) + rest + payload


def test_reads_the_fixed_header() -> None:
    packet = RtpPacket(rtp())
    assert (packet.marker, packet.payload_type) == (1, 96)
    assert (packet.sequence_number, packet.timestamp, packet.ssrc) == (7, 8, 9)
    assert packet.payload == b"abc"


def test_reads_one_byte_extensions_and_skips_padding_between_them() -> None:
    block = struct.pack("!HH", 0xBEDE, 2) + bytes((0x10, 65, 0, 0x31, 1, 2, 0, 0))
    packet = RtpPacket(rtp(0x90, block))
    assert packet.extension(1) == b"A"
    assert packet.extension(3) == b"\x01\x02"
    assert packet.extension(2) is None
    assert packet.payload == b"abc"


def test_reads_two_byte_extensions() -> None:
    block = struct.pack("!HH", 0x1000, 2) + bytes((200, 3, 1, 2, 3, 5, 0, 0))
    packet = RtpPacket(rtp(0x90, block))
    assert packet.extension(200) == b"\x01\x02\x03"
    assert packet.extension(5) == b""


def test_takes_padding_off() -> None:
    assert RtpPacket(rtp(0xA0, b"", b"abc\0\0\x03")).payload == b"abc"


def test_skips_contributing_sources() -> None:
    assert RtpPacket(rtp(0x82, b"\0" * 8)).payload == b"abc"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        rtp()[:11],
        rtp(0x40),
        rtp(0x8F, b"", b""),
        rtp(0x90, b"", b""),
        rtp(0x90, struct.pack("!HH", 0xBEDE, 9), b""),
        rtp(0x90, struct.pack("!HH", 0xBEDE, 1) + b"\x13\0\0\0", b""),
        rtp(0x90, struct.pack("!HH", 0x1000, 1) + b"\x01\x09\0\0", b""),
        rtp(0xA0, b"", b"\0"),
        rtp(0xA0, b"", b"\xff"),
        rtp(
            0x90,
            struct.pack("!HH", 0xBEDE, 17)
            + b"".join(bytes(((i % 14 + 1) << 4, 0)) for i in range(34)),
            b"",
        )[:20],
    ],
)
def test_refuses_what_does_not_fit(data: bytes) -> None:
    with pytest.raises(MalformedPacket):
        RtpPacket(data)
