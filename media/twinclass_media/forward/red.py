"""Sound that brings the packets before it along, for viewers that lose some (RFC 2198).

Built from history where it is needed, so that publishers and other viewers pay nothing for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from twinclass_media.forward.ring import Entry, Ring

#: Fields of a block's header: 14 bits of timestamp (341 ms at 48 kHz), 10 bits of length.
MAX_TIMESTAMP_OFFSET, MAX_BLOCK_BYTES = 0x3FFF, 0x3FF


def with_redundancy(
    entries: Sequence[Entry], ring: Ring, generations: int, payload_type: int
) -> list[Entry]:
    """Returns the entries with up to ``generations`` predecessors in each.

    ``payload_type``: of the sound itself at the viewer. What is silent is not repeated: after a
    pause (DTX) the last packet is too old to be of use.
    """
    return [
        Entry(
            entry.sequence,
            entry.timestamp,
            entry.marker,
            _payload(entry, ring, generations, payload_type),
            entry.codec,
            entry.at,
        )
        for entry in entries
    ]


def _payload(entry: Entry, ring: Ring, generations: int, payload_type: int) -> bytes:
    head = body = b""
    for distance in range(generations, 0, -1):
        before = ring.get(entry.sequence - distance)
        if before is None or before.codec != entry.codec:
            continue
        offset = (entry.timestamp - before.timestamp) & 0xFFFFFFFF
        size = len(before.payload)
        if not 0 < offset <= MAX_TIMESTAMP_OFFSET or not 0 < size <= MAX_BLOCK_BYTES:
            continue
        word = 0x80000000 | payload_type << 24 | offset << 10 | size
        head += word.to_bytes(4, "big")
        body += before.payload
    return head + bytes((payload_type,)) + body + entry.payload
