"""From RTP payloads to frames, without decoding: H264 (RFC 6184) and VP8 (RFC 7741). Core.

Payloads come in order; a gap makes the stream wait for its next keyframe, because what follows
cannot be decoded. Nothing a publisher sends raises: what does not parse is dropped and counted.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from twinclass_media.errors import MalformedPacket
from twinclass_media.rtp.payload import (
    NAL_FU_A,
    NAL_IDR,
    NAL_SPS,
    NAL_STAP_A,
    h264_picture_size,
    parse_vp8_descriptor,
    vp8_keyframe_size,
)

NAL_AUD = 9
NAL_PPS = 8
#: A keyframe of a 4K screen is some hundred KiB; ten times that is no picture.
MAX_FRAME_BYTES = 4 * 1024 * 1024
#: Parameter sets of browsers have 10 to 40 bytes; the length field in avcC has 16 bits.
MAX_PARAMETER_BYTES = 1024


class Frame(NamedTuple):
    """One picture as a container holds it. ``config``: what a decoder needs before it (H264: SPS
    and PPS); it is set at keyframes."""

    timestamp: int
    data: bytes
    keyframe: bool
    width: int = 0
    height: int = 0
    config: tuple[bytes, ...] = ()


class Assembler(Protocol):
    """Payloads of one stream in order; frames out."""

    dropped: int

    @property
    def needs_keyframe(self) -> bool:
        """Tells whether nothing comes out until the next keyframe."""
        ...

    def push(self, timestamp: int, marker: int, payload: bytes) -> Frame | None:
        """Takes a payload; returns a frame that is complete now."""
        ...

    def gap(self) -> None:
        """Packets are missing here."""
        ...


class H264Frames:
    """H264 access units, each NAL unit after its 32-bit length (ISO 14496-15)."""

    def __init__(self) -> None:
        self.dropped = 0
        self._broken = True
        self._timestamp = -1
        self._units: list[bytes] = []
        self._fragment = bytearray()
        self._size = 0
        self._sps = b""
        self._pps = b""
        self._is_key = False

    @property
    def needs_keyframe(self) -> bool:
        """See ``Assembler``."""
        return self._broken

    def gap(self) -> None:
        """See ``Assembler``."""
        self._broken = True
        self._clear(-1)

    def push(self, timestamp: int, marker: int, payload: bytes) -> Frame | None:
        """See ``Assembler``."""
        if timestamp != self._timestamp:
            if self._units or self._fragment:
                # The former picture's end never came in order: it is not whole.
                self._broken = True
                self.dropped += 1
            self._clear(timestamp)
        if payload:
            self._take(payload)
        return self._finish() if marker else None

    def _clear(self, timestamp: int) -> None:
        self._timestamp = timestamp
        self._units.clear()
        self._fragment.clear()
        self._size = 0
        self._is_key = False

    def _take(self, payload: bytes) -> None:
        kind = payload[0] & 0x1F
        if kind == NAL_FU_A:
            self._take_fragment(payload)
        elif kind == NAL_STAP_A:
            position = 1
            while position + 2 < len(payload):
                size = int.from_bytes(payload[position : position + 2], "big")
                position += 2
                if size == 0 or position + size > len(payload):
                    self._spoil()
                    return
                self._add(payload[position : position + size])
                position += size
        elif 1 <= kind <= 23:
            self._add(payload)
        else:
            self._spoil()

    def _take_fragment(self, payload: bytes) -> None:
        if len(payload) < 3:
            self._spoil()
            return
        header = payload[1]
        if header & 0x80:
            self._fragment[:] = bytes(((payload[0] & 0xE0) | (header & 0x1F),))
        elif not self._fragment:
            self._spoil()
            return
        self._fragment += payload[2:]
        if self._size + len(self._fragment) > MAX_FRAME_BYTES:
            self._spoil()
        elif header & 0x40:
            unit = bytes(self._fragment)
            self._fragment.clear()
            self._add(unit)

    def _add(self, unit: bytes) -> None:
        kind = unit[0] & 0x1F
        if kind in (NAL_SPS, NAL_PPS):
            if len(unit) > MAX_PARAMETER_BYTES:
                self._spoil()
            elif kind == NAL_SPS:
                self._sps = unit
            else:
                self._pps = unit
            return
        if kind == NAL_AUD:
            return
        self._is_key |= kind == NAL_IDR
        self._size += len(unit) + 4
        if self._size > MAX_FRAME_BYTES:
            self._spoil()
            return
        self._units.append(unit)

    def _spoil(self) -> None:
        """What came is no whole picture; nothing after it can be decoded."""
        self.dropped += 1
        self._broken = True
        self._units.clear()
        self._fragment.clear()
        self._is_key = False

    def _finish(self) -> Frame | None:
        units, is_key = list(self._units), self._is_key
        timestamp = self._timestamp
        if self._fragment:
            self._broken = True
        self._clear(timestamp)
        if not units:
            return None  # parameter sets alone, or spoilt
        size = (0, 0)
        config: tuple[bytes, ...] = ()
        if is_key:
            if len(self._sps) < 4 or not self._pps:
                return None
            try:
                size = h264_picture_size(self._sps)
            except MalformedPacket:
                self.dropped += 1
                return None
            config = (self._sps, self._pps)
            self._broken = False
        elif self._broken:
            return None
        data = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
        return Frame(timestamp, data, is_key, *size, config)


class Vp8Frames:
    """VP8 frames."""

    def __init__(self) -> None:
        self.dropped = 0
        self._broken = True
        self._timestamp = -1
        self._data = bytearray()
        self._dimensions: tuple[int, int] | None = None

    @property
    def needs_keyframe(self) -> bool:
        """See ``Assembler``."""
        return self._broken

    def gap(self) -> None:
        """See ``Assembler``."""
        self._broken = True
        self._data.clear()
        self._timestamp = -1

    def push(self, timestamp: int, marker: int, payload: bytes) -> Frame | None:
        """See ``Assembler``."""
        if not payload:
            return None
        try:
            descriptor = parse_vp8_descriptor(payload)
            if timestamp != self._timestamp:
                if self._data:
                    self._broken = True
                    self.dropped += 1
                self._timestamp = timestamp
                self._data.clear()
                self._dimensions = vp8_keyframe_size(payload)
                if not descriptor.start_of_partition or descriptor.partition:
                    self._broken = True
        except MalformedPacket:
            self.dropped += 1
            self._broken = True
            return None
        self._data += payload[descriptor.size :]
        if len(self._data) > MAX_FRAME_BYTES:
            self.dropped += 1
            self.gap()
            return None
        if not marker:
            return None
        data, dimensions = bytes(self._data), self._dimensions
        self._data.clear()
        if dimensions is not None and all(dimensions):
            self._broken = False
            return Frame(timestamp, data, True, *dimensions)
        if self._broken or not data:
            return None
        return Frame(timestamp, data, False)
