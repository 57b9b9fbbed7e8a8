"""What a forwarder must know of a video payload: does a keyframe start here, how large is it,
and where are the fields that differ per viewer.

VP8: RFC 7741 section 4. H264: RFC 6184 section 5. Nothing is decoded; every read is bounded.
"""

from __future__ import annotations

from typing import NamedTuple

from twinclass_media.errors import MalformedPacket

#: H264 NAL unit types (RFC 6184 table 1, H.264 table 7-1).
NAL_IDR = 5
NAL_SPS = 7
NAL_STAP_A = 24
NAL_FU_A = 28
#: A keyframe of VP8 begins with these three bytes after its tag (RFC 6386 section 9.1).
VP8_START_CODE = b"\x9d\x01\x2a"


class Vp8Descriptor(NamedTuple):
    """The VP8 payload descriptor. Offsets count from the payload's start; 0 = not present."""

    start_of_partition: bool
    partition: int
    size: int
    picture_id: int
    picture_id_offset: int
    picture_id_bits: int
    tl0_picture_index: int
    tl0_offset: int
    temporal_layer: int


def parse_vp8_descriptor(payload: bytes) -> Vp8Descriptor:
    """Reads the descriptor in front of a VP8 payload.

    Raises:
        MalformedPacket: it is cut.
    """
    try:
        first = payload[0]
        position = 1
        picture_id = tl0 = -1
        picture_id_offset = picture_id_bits = tl0_offset = temporal = 0
        if first & 0x80:
            flags = payload[1]
            position = 2
            if flags & 0x80:
                picture_id_offset = position
                if payload[position] & 0x80:
                    picture_id = (payload[position] & 0x7F) << 8 | payload[position + 1]
                    picture_id_bits = 15
                    position += 2
                else:
                    picture_id = payload[position] & 0x7F
                    picture_id_bits = 7
                    position += 1
            if flags & 0x40:
                tl0_offset = position
                tl0 = payload[position]
                position += 1
            if flags & 0x30:
                temporal = payload[position] >> 6
                position += 1
    except IndexError:
        raise MalformedPacket("VP8 descriptor is cut") from None
    return Vp8Descriptor(
        start_of_partition=bool(first & 0x10),
        partition=first & 0x07,
        size=position,
        picture_id=picture_id,
        picture_id_offset=picture_id_offset,
        picture_id_bits=picture_id_bits,
        tl0_picture_index=tl0,
        tl0_offset=tl0_offset,
        temporal_layer=temporal,
    )


def vp8_keyframe_size(payload: bytes) -> tuple[int, int] | None:
    """Returns (width, height) when a keyframe starts in this payload, else None.

    Raises:
        MalformedPacket: the descriptor is cut.
    """
    descriptor = parse_vp8_descriptor(payload)
    frame = descriptor.size
    if not descriptor.start_of_partition or descriptor.partition or len(payload) < frame + 10:
        return None
    # RFC 6386 section 9.1: bit 0 of the frame tag is 0 for a keyframe.
    if payload[frame] & 1 or payload[frame + 3 : frame + 6] != VP8_START_CODE:
        return None
    width = int.from_bytes(payload[frame + 6 : frame + 8], "little") & 0x3FFF
    height = int.from_bytes(payload[frame + 8 : frame + 10], "little") & 0x3FFF
    return width, height


def h264_sps(payload: bytes) -> bytes | None:
    """Returns the sequence parameter set in this payload, if a whole one is in it."""
    if not payload:
        return None
    kind = payload[0] & 0x1F
    if kind == NAL_SPS:
        return payload
    if kind == NAL_STAP_A:
        position = 1
        while position + 2 < len(payload):
            size = int.from_bytes(payload[position : position + 2], "big")
            position += 2
            if size == 0 or position + size > len(payload):
                return None
            if payload[position] & 0x1F == NAL_SPS:
                return payload[position : position + size]
            position += size
    return None


def h264_starts_keyframe(payload: bytes) -> bool:
    """True for packets that begin an IDR picture or its parameter sets.

    SPS, PPS and IDR are separate packets with one timestamp: this is true for more than one
    packet of a frame, callers compare timestamps.
    """
    if not payload:
        return False
    kind = payload[0] & 0x1F
    if kind in (NAL_IDR, NAL_SPS):
        return True
    if kind == NAL_FU_A:
        return len(payload) > 1 and bool(payload[1] & 0x80) and payload[1] & 0x1F == NAL_IDR
    if kind == NAL_STAP_A:
        position = 1
        while position + 2 < len(payload):
            size = int.from_bytes(payload[position : position + 2], "big")
            position += 2
            if size == 0 or position + size > len(payload):
                return False
            if payload[position] & 0x1F in (NAL_IDR, NAL_SPS):
                return True
            position += size
    return False


class _Bits:
    """Exp-Golomb reader over a raw byte sequence payload (H.264 sections 7.2, 9.1)."""

    __slots__ = ("_data", "_position", "_size")

    def __init__(self, data: bytes) -> None:
        rbsp = data.replace(b"\x00\x00\x03", b"\x00\x00")
        self._data = int.from_bytes(rbsp, "big")
        self._size = len(rbsp) * 8
        self._position = 0

    def read(self, bits: int) -> int:
        end = self._position + bits
        if end > self._size:
            raise MalformedPacket("SPS is cut")
        self._position = end
        return self._data >> (self._size - end) & ((1 << bits) - 1)

    def ue(self) -> int:
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 31:
                raise MalformedPacket("SPS has a number out of range")
        return (1 << zeros) - 1 + (self.read(zeros) if zeros else 0)

    def se(self) -> int:
        value = self.ue()
        return (value + 1) // 2 if value & 1 else -(value // 2)


#: Profiles with chroma_format_idc and scaling lists (H.264 section 7.3.2.1.1).
_HIGH_PROFILES = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128))


def h264_picture_size(sps: bytes) -> tuple[int, int]:
    """Returns (width, height) from a sequence parameter set, cropping taken off.

    Raises:
        MalformedPacket: it is cut or out of range.
    """
    # 256 bytes hold any SPS without VUI; a longer one is not worth reading.
    bits = _Bits(sps[1:256])
    profile = bits.read(8)
    bits.read(16)
    bits.ue()
    chroma = 1
    if profile in _HIGH_PROFILES:
        chroma = bits.ue()
        if chroma == 3:
            bits.read(1)
        bits.ue()
        bits.ue()
        bits.read(1)
        if bits.read(1):
            raise MalformedPacket("scaling lists are not read")
    bits.ue()
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.read(1)
        bits.se()
        bits.se()
        cycle = bits.ue()
        if cycle > 255:
            raise MalformedPacket("SPS has a number out of range")
        for _ in range(cycle):
            bits.se()
    bits.ue()
    bits.read(1)
    width = (bits.ue() + 1) * 16
    height = (bits.ue() + 1) * 16
    frame_only = bits.read(1)
    height *= 2 - frame_only
    if not frame_only:
        bits.read(1)
    bits.read(1)
    if bits.read(1):
        unit_x = 2 if chroma in (1, 2) else 1
        unit_y = (2 if chroma == 1 else 1) * (2 - frame_only)
        width -= unit_x * (bits.ue() + bits.ue())
        height -= unit_y * (bits.ue() + bits.ue())
    if not (0 < width <= 16384 and 0 < height <= 16384):
        raise MalformedPacket("SPS has a picture size out of range")
    return width, height
