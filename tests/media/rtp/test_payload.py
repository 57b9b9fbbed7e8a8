import struct

import pytest

from twinclass_media.errors import MalformedPacket
from twinclass_media.rtp import payload

KEYFRAME = bytes((0x10, 0, 0)) + b"\x9d\x01\x2a" + struct.pack("<HH", 1280, 720)


def test_sees_a_vp8_keyframe_and_its_size() -> None:
    head = struct.pack("!BBH", 0x90, 0x80, 0x8000 | 77)
    assert payload.vp8_keyframe_size(head + KEYFRAME) == (1280, 720)
    descriptor = payload.parse_vp8_descriptor(head)
    assert (descriptor.picture_id, descriptor.picture_id_bits) == (77, 15)


def test_a_delta_frame_or_a_later_partition_is_no_keyframe() -> None:
    assert payload.vp8_keyframe_size(bytes((0x10, 0x11)) + KEYFRAME[1:]) is None
    assert payload.vp8_keyframe_size(bytes((0x00,)) + KEYFRAME) is None
    assert payload.vp8_keyframe_size(bytes((0x10,)) + KEYFRAME[:6]) is None


def test_reads_all_fields_of_a_vp8_descriptor() -> None:
    d = payload.parse_vp8_descriptor(bytes((0x90, 0xE0, 0x85, 0x01, 0x33, 0x80)))
    assert (d.picture_id, d.tl0_picture_index, d.temporal_layer, d.size) == (0x501, 0x33, 2, 6)
    assert (d.picture_id_offset, d.tl0_offset) == (2, 4)


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x80\x80", b"\x80\x80\x80", b"\x80\x40", b"\x80\x20"]
)
def test_a_cut_vp8_descriptor_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPacket):
        payload.parse_vp8_descriptor(data)


@pytest.mark.parametrize(
    ("data", "starts"),
    [
        (b"\x65\x00", True),
        (b"\x67\x42", True),
        (b"\x41\x00", False),
        (b"\x7c\x85", True),
        (b"\x7c\x05", False),
        (b"\x7c", False),
        (b"\x78\x00\x02\x67\x42\x00\x01\x68", True),
        (b"\x78\x00\x02\x41\x42\x00\x01\x65", True),
        (b"\x78\x00\x09\x67", False),
        (b"\x78\x00\x00\x67", False),
        (b"", False),
    ],
)
def test_sees_where_an_h264_keyframe_starts(data: bytes, starts: bool) -> None:
    assert payload.h264_starts_keyframe(data) is starts


def test_reads_the_size_from_a_real_h264_parameter_set() -> None:
    # Constrained baseline, 1280x720.
    assert payload.h264_picture_size(bytes.fromhex("6742c01fda014016ec044000000300400000")) == (
        1280,
        720,
    )
    with pytest.raises(MalformedPacket):
        payload.h264_picture_size(b"\x67\x42")
