"""Where packets are laid out, numbered and protected in place before they leave."""

from __future__ import annotations

import struct
from typing import Any

from twinclass_media.forward.ring import Entry
from twinclass_media.forward.row import Row
from twinclass_media.forward.template import Template
from twinclass_media.statistics import Statistics
from twinclass_media.transport.peer import Peer
from twinclass_media.transport.srtp import FFI, SRTP_PROTECT

#: Packets per burst: what the arena holds and one GSO call takes.
MAX_BURST = 48
#: 48 packets of 1,400 bytes.
ARENA_BYTES = 72 * 1024

#: (offset, first byte, marker bit, sequence, timestamp, pointer to packet, to its length).
Slot = tuple[int, int, int, int, int, Any, Any]

_pack_header = struct.Struct("!BBHII").pack_into
_pack_number = struct.Struct("!H").pack_into
_copy_lengths = FFI.memmove


class Arena:
    """One buffer for one burst of one row at a time."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics
        self._buffer = bytearray(ARENA_BYTES)
        self.view = memoryview(self._buffer)
        self._pinned: Any = FFI.from_buffer(self._buffer)
        self.address = int(FFI.cast("uintptr_t", self._pinned))
        self._pointers: dict[int, Any] = {}
        #: In and out of ``protect``: a packet's length, one place for each packet of a burst.
        self._lengths: Any = FFI.new("int[]", MAX_BURST)
        self._length_pointers: list[Any] = [self._lengths + i for i in range(MAX_BURST)]

    def lines(self, template: Template) -> tuple[list[Slot], bytes]:
        """Returns what ``number`` needs of a template: per packet a line, and all lengths."""
        lines = [
            (
                p.offset,
                p.first_byte,
                p.marker_bit,
                p.sequence,
                p.timestamp,
                self._pointer(p.offset),
                self._length_pointers[i],
            )
            for i, p in enumerate(template.packets)
        ]
        sizes = (p.size for p in template.packets)
        return lines, struct.pack(f"={len(template.packets)}i", *sizes)

    def _pointer(self, offset: int) -> Any:  # noqa: ANN401 - cffi has no types
        pointer = self._pointers.get(offset)
        if pointer is None:
            pointer = self._pointers[offset] = FFI.cast("void *", self.address + offset)
        return pointer

    def number(
        self,
        row: Row,
        peer: Peer,
        payload_type: int,
        template: Template,
        lines: list[Slot],
        lengths: bytes,
    ) -> bool:
        """Copies the template here, writes a row's headers and protects in place. False: something
        could not be protected and is still plain; nothing of it may be sent.

        The hottest lines of the project where the compiled loop is missing: once per packet
        and viewer.
        """
        buffer = self._buffer
        data = template.data
        buffer[: len(data)] = data
        if template.number_at or row.picture_id_delta or row.tl0_delta:
            self._patch(row, peer, template)
        _copy_lengths(self._lengths, lengths, len(lengths))
        protect = SRTP_PROTECT
        pack = _pack_header
        handle = peer.handle
        sequence_offset = row.sequence_offset
        timestamp_offset = row.timestamp_offset
        ssrc = row.ssrc
        failed = 0
        for offset, first_byte, marker_bit, sequence, timestamp, pointer, length in lines:
            pack(
                buffer,
                offset,
                first_byte,
                marker_bit | payload_type,
                (sequence + sequence_offset) & 0xFFFF,
                (timestamp + timestamp_offset) & 0xFFFFFFFF,
                ssrc,
            )
            if protect(handle, pointer, length):
                failed += 1
        if failed:
            self._statistics.drops["protect_failed"] += failed
        return not failed

    def _patch(self, row: Row, peer: Peer, template: Template) -> None:
        """Writes what only some rows need, before protection."""
        buffer = self._buffer
        number_at = template.number_at
        line = peer.numbering
        number = line.next_number if number_at and line is not None else 0
        for i, p in enumerate(template.packets):
            if number_at:
                _pack_number(buffer, p.offset + number_at, (number + i) & 0xFFFF)
            if row.picture_id_delta or row.tl0_delta:
                patch_vp8(buffer, p.payload_at, p.entry, row.picture_id_delta, row.tl0_delta)


def patch_vp8(
    buffer: bytearray, start: int, entry: Entry, picture_id_delta: int, tl0_delta: int
) -> None:
    """Shifts pictureId and tl0PicIdx (RFC 7741 section 4.2), so that they go on without a jump
    when a row's source changes."""
    vp8 = entry.vp8
    if vp8 is None:
        return
    if vp8.picture_id_bits == 15:
        value = (vp8.picture_id + picture_id_delta) & 0x7FFF
        _pack_number(buffer, start + vp8.picture_id_offset, 0x8000 | value)
    elif vp8.picture_id_bits == 7:
        buffer[start + vp8.picture_id_offset] = (vp8.picture_id + picture_id_delta) & 0x7F
    if vp8.tl0_offset:
        buffer[start + vp8.tl0_offset] = (vp8.tl0_picture_index + tl0_delta) & 0xFF
