"""A burst of packets laid out once for all viewers of one shape.

The send loop copies ``data`` into its arena, writes each packet's fixed header, protects in
place and sends each run with one system call. A run is packets of equal size of which only the
last may be shorter: what the kernel's UDP segmentation takes (UDP_SEGMENT). Sizes that differ
by a few bytes are made equal with RTP padding, for the per-datagram path of the kernel is the
cost, not the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from twinclass_media.forward.ring import Entry
from twinclass_media.forward.shape import Shape
from twinclass_media.rtp.packet import HEADER_BYTES

#: Padding one packet may get to equal its neighbours. Encoders cut frames into parts that
#: differ by a byte or two.
MAX_PADDING = 16
#: Counted in one byte (RFC 3550 section 5.1).
MAX_PADDING_BYTES = 255
#: Padding never lifts a packet above this: the path's MTU is only known to take it.
MAX_PADDED_BYTES = 1200
#: Linux takes 64 segments (128 since 6.9) and 65,507 bytes in one call.
MAX_SEGMENTS = 48
MAX_RUN_BYTES = 60_000


class TemplatePacket(NamedTuple):
    """Where a packet lies and what of its header is the same for all rows."""

    offset: int
    first_byte: int
    marker_bit: int
    sequence: int
    timestamp: int
    #: Bytes before protection.
    size: int
    entry: Entry
    payload_at: int


@dataclass(frozen=True, slots=True)
class Template:
    """One burst for one shape. ``runs`` are (start, end, segment size; 0 = single packet)."""

    data: bytes
    packets: tuple[TemplatePacket, ...]
    runs: tuple[tuple[int, int, int], ...]
    #: Payload bytes, as sender reports count them.
    octets: int
    #: Offset of the transport-wide number in each packet; 0 = none.
    number_at: int


def plan_runs(sizes: Sequence[int]) -> list[tuple[int, int, int]]:
    """Groups packets into runs: (first, one after last, size that all but the last are given).

    Sizes are of RTP packets before protection.
    """
    runs: list[tuple[int, int, int]] = []
    first = 0
    count = len(sizes)
    while first < count:
        low = high = sizes[first]
        end = first + 1
        while end < count and end - first < MAX_SEGMENTS:
            size = sizes[end]
            new_low, new_high = min(low, size), max(high, size)
            fits = new_high - new_low <= MAX_PADDING and (
                new_high == new_low or new_high <= MAX_PADDED_BYTES
            )
            if not fits or (end - first + 1) * (new_high + 16) > MAX_RUN_BYTES:
                break
            low, high = new_low, new_high
            end += 1
        # One shorter packet may close the run as it is.
        if end < count and end - first < MAX_SEGMENTS and sizes[end] < high:
            end += 1
        runs.append((first, end, high))
        first = end
    return runs


def packet_sizes(entries: Sequence[Entry], shape: Shape) -> list[int]:
    """Returns the bytes of each packet for rows of ``shape``, before padding and protection."""
    block, _ = shape.extension_block(0)
    return [HEADER_BYTES + len(block) + len(entry.payload) for entry in entries]


def build_template(
    entries: Sequence[Entry], shape: Shape, send_time: int, *, pad_to: int = 0
) -> Template:
    """Lays out ``entries``, which are of one codec, for rows of ``shape``.

    ``pad_to``: all packets, also the last, are made so long; at most 255 bytes longer than they are
    (RFC 3550 section 5.1).
    """
    block, number_at = shape.extension_block(send_time)
    head = HEADER_BYTES + len(block)
    blank = b"\0" * HEADER_BYTES + block
    tag = b"\0" * shape.tag
    first_byte = 0x90 if block else 0x80
    sizes = [head + len(entry.payload) for entry in entries]
    parts: list[bytes] = []
    packets: list[TemplatePacket] = []
    runs: list[tuple[int, int, int]] = []
    position = 0
    octets = 0
    plan = plan_runs(sizes) if not pad_to else [(0, len(entries), pad_to)]
    for first, end, segment in plan:
        start = position
        for i in range(first, end):
            entry = entries[i]
            size = sizes[i]
            padding = segment - size if pad_to or i < end - 1 else 0
            flags = first_byte
            parts.append(blank)
            parts.append(entry.payload)
            if padding:
                parts.append(b"\0" * (padding - 1) + bytes((padding,)))
                flags |= 0x20
                size = segment
            parts.append(tag)
            packets.append(
                TemplatePacket(
                    position,
                    flags,
                    entry.marker << 7,
                    entry.sequence,
                    entry.timestamp,
                    size,
                    entry,
                    position + head,
                )
            )
            octets += len(entry.payload)
            position += size + shape.tag
        runs.append((start, position, segment + shape.tag if end - first > 1 else 0))
    return Template(b"".join(parts), tuple(packets), tuple(runs), octets, number_at)
