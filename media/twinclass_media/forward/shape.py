"""What a row's packets look like. Rows of one shape share a template."""

from __future__ import annotations

from typing import NamedTuple

ONE_BYTE_HEADER = b"\xbe\xde"


class Shape(NamedTuple):
    """Header extensions by id (0 = none), SRTP tag length, and the kind of sink.

    ``mid`` is sent only until the viewer reports on the SSRC, as it costs a template per row.
    Ids above 14 do not fit the one-byte form (RFC 8285 section 4.2); the caller leaves such
    extensions out.
    """

    tag: int
    stream: bool = False
    abs_send_time: int = 0
    transport_cc: int = 0
    mid_id: int = 0
    mid: bytes = b""
    #: Packets before it that a packet of sound brings along (RFC 2198), and the payload type of
    #: the sound in it.
    red: int = 0
    sound_type: int = 0

    def extension_block(self, send_time: int) -> tuple[bytes, int]:
        """Returns (extension block or b"", offset of the transport-wide number or 0), the
        offset counted from the packet's start. ``send_time``: 24 bits, 6.18 fixed point."""
        elements = b""
        number_at = 0
        if self.abs_send_time:
            elements += bytes((self.abs_send_time << 4 | 2,)) + send_time.to_bytes(3, "big")
        if self.transport_cc:
            number_at = 12 + 4 + len(elements) + 1
            elements += bytes((self.transport_cc << 4 | 1, 0, 0))
        if self.mid:
            elements += bytes((self.mid_id << 4 | (len(self.mid) - 1),)) + self.mid
        if not elements:
            return b"", 0
        elements += b"\0" * (-len(elements) % 4)
        return ONE_BYTE_HEADER + (len(elements) // 4).to_bytes(2, "big") + elements, number_at


def abs_send_time(now: float) -> int:
    """Seconds as 6.18 fixed point, 24 bits (webrtc.org abs-send-time)."""
    return int(now * 262144) & 0xFFFFFF
