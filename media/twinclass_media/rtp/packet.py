"""The RTP header and its extensions, read in place (RFC 3550 section 5.1, RFC 8285).

Everything is length-checked; what does not fit raises ``MalformedPacket``. Nothing is copied:
a packet is its bytes and the offsets found in them.
"""

from __future__ import annotations

import struct

from twinclass_media.errors import MalformedPacket

HEADER_BYTES = 12
#: Our own pages never send more; libsrtp's Python binding refuses to unprotect above 1500.
MAX_PACKET_BYTES = 1500
ONE_BYTE_PROFILE = 0xBEDE
#: RFC 8285 section 4.3: 0x100 and four bits that applications may use.
TWO_BYTE_PROFILE = 0x1000
#: Extensions per packet. Browsers send at most eight.
MAX_EXTENSIONS = 16

_HEADER = struct.Struct("!BBHII")


class RtpPacket:
    """A received packet, decrypted.

    Attributes:
        data: the whole packet.
        payload_start, payload_end: the payload without padding; equal when there is none.
        extensions: id -> (offset, length) into ``data``.
    """

    __slots__ = (
        "data",
        "extensions",
        "marker",
        "payload_end",
        "payload_start",
        "payload_type",
        "sequence_number",
        "ssrc",
        "timestamp",
    )

    def __init__(self, data: bytes) -> None:
        """Parses ``data``.

        Raises:
            MalformedPacket: a length in it does not fit.
        """
        size = len(data)
        if size < HEADER_BYTES:
            raise MalformedPacket("RTP header is cut")
        first, second, self.sequence_number, self.timestamp, self.ssrc = _HEADER.unpack_from(data)
        if first & 0xC0 != 0x80:
            raise MalformedPacket("RTP version is not 2")
        self.data = data
        self.marker = second >> 7
        self.payload_type = second & 0x7F
        start = HEADER_BYTES + 4 * (first & 0x0F)
        if first & 0x10:
            if start + 4 > size:
                raise MalformedPacket("RTP extension header is cut")
            end = start + 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
            if end > size:
                raise MalformedPacket("RTP extension is cut")
            self.extensions = parse_extensions(data, start, end)
            start = end
        else:
            self.extensions = {}
            if start > size:
                raise MalformedPacket("CSRC list is cut")
        end = size
        if first & 0x20:
            padding = data[-1]
            if padding == 0 or start + padding > size:
                raise MalformedPacket("RTP padding does not fit")
            end -= padding
        self.payload_start = start
        self.payload_end = end

    def extension(self, identifier: int) -> bytes | None:
        """Returns the value of an extension, or None when it is not there."""
        found = self.extensions.get(identifier)
        return None if found is None else self.data[found[0] : found[0] + found[1]]

    @property
    def payload(self) -> bytes:
        """The payload without padding."""
        return self.data[self.payload_start : self.payload_end]


def parse_extensions(data: bytes, start: int, end: int) -> dict[int, tuple[int, int]]:
    """Returns id -> (offset, length) for the extension block at ``start`` (its 4-byte header)
    up to ``end``. Unknown profiles give nothing; they are legal and not ours.

    Raises:
        MalformedPacket: an element runs over the block, or there are too many.
    """
    profile = int.from_bytes(data[start : start + 2], "big")
    found: dict[int, tuple[int, int]] = {}
    position = start + 4
    if profile == ONE_BYTE_PROFILE:
        while position < end:
            byte = data[position]
            if byte == 0:
                position += 1
                continue
            identifier = byte >> 4
            if identifier == 15:  # RFC 8285 section 4.2: stop here
                break
            length = (byte & 0x0F) + 1
            position += 1
            if position + length > end:
                raise MalformedPacket("extension element is cut")
            found[identifier] = (position, length)
            position += length
            if len(found) > MAX_EXTENSIONS:
                raise MalformedPacket("too many extension elements")
    elif profile & 0xFFF0 == TWO_BYTE_PROFILE:
        while position < end:
            identifier = data[position]
            if identifier == 0:
                position += 1
                continue
            if position + 2 > end:
                raise MalformedPacket("extension element is cut")
            length = data[position + 1]
            position += 2
            if position + length > end:
                raise MalformedPacket("extension element is cut")
            found[identifier] = (position, length)
            position += length
            if len(found) > MAX_EXTENSIONS:
                raise MalformedPacket("too many extension elements")
    return found
