"""Framing of packets on a TCP connection: 2 bytes length, then the packet (RFC 4571 section 2)."""

from __future__ import annotations

from twinclass_media.errors import MalformedPacket
from twinclass_media.rtp.packet import MAX_PACKET_BYTES


def frame(packet: bytes) -> bytes:
    """Returns the packet with its length in front."""
    return len(packet).to_bytes(2, "big") + packet


class Deframer:
    """Cuts a byte stream into packets. Holds at most one unfinished packet."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Returns the packets that are complete now.

        Raises:
            MalformedPacket: a frame is longer than any packet may be; the stream is lost.
        """
        buffer = self._buffer + data
        packets: list[bytes] = []
        position = 0
        while position + 2 <= len(buffer):
            size = int.from_bytes(buffer[position : position + 2], "big")
            if size > MAX_PACKET_BYTES:
                raise MalformedPacket("frame is too long")
            if position + 2 + size > len(buffer):
                break
            packets.append(buffer[position + 2 : position + 2 + size])
            position += 2 + size
        self._buffer = buffer[position:]
        return packets
