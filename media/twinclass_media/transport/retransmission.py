"""Packets that go out once more, under an RTX number of their own (RFC 4588).

They mend what a viewer misses, and stand in for padding where a line is to be tried.
"""

from __future__ import annotations

import struct

from twinclass_media.forward.row import Row
from twinclass_media.forward.template import MAX_PADDING_BYTES
from twinclass_media.statistics import Statistics
from twinclass_media.transport.arena import patch_vp8
from twinclass_media.transport.peer import Peer

#: Numbers of a row that are remembered with when they went out again: those of a few round trips.
MAX_RESENT = 512
_HEADERS_BYTES = 40
_pack_header = struct.Struct("!BBHII").pack


def resend(row: Row, sequence_number: int, now: float, statistics: Statistics) -> bool:
    """Sends a row's packet again. False: it is gone, or the viewer takes no RTX."""
    peer: Peer = row.peer
    found = row.find_sent(sequence_number)
    if found is None or not peer.ready or not row.rtx_ssrc:
        return False
    entry, cut = found
    types = row.payload_types.get(entry.codec)
    if types is None or types[1] is None:
        return False
    row.rtx_sequence = (row.rtx_sequence + 1) & 0xFFFF
    header = _pack_header(
        0x80,
        entry.marker << 7 | types[1],
        row.rtx_sequence,
        (entry.timestamp + cut.timestamp_offset) & 0xFFFFFFFF,
        row.rtx_ssrc,
    )
    payload = entry.payload
    if entry.vp8 is not None and (cut.picture_id_delta or cut.tl0_delta):
        patched = bytearray(payload)
        patch_vp8(patched, 0, entry, cut.picture_id_delta, cut.tl0_delta)
        payload = bytes(patched)
    if len(row.resent) >= MAX_RESENT:
        row.resent.clear()
    row.resent[sequence_number] = now
    peer.send_rtp(header, sequence_number.to_bytes(2, "big") + payload, now)
    statistics.retransmitted += 1
    return True


def pad(peer: Peer, size: int, now: float, statistics: Statistics) -> None:
    """Sends about ``size`` bytes that say nothing new: the newest pictures once more, which mends
    what was lost of them, else padding."""
    spare: Row | None = None
    for row in peer.rows.values():
        if not row.rtx_ssrc:
            continue
        spare = row
        number = row.next_to_repeat() if row.layer is not None else None
        if number is None or not resend(row, number, now, statistics):
            continue
        found = row.find_sent(number)
        size -= _HEADERS_BYTES + (len(found[0].payload) if found is not None else 0)
        break
    types = None if spare is None else next(iter(spare.payload_types.values()), None)
    if spare is None or types is None or types[1] is None:
        return
    while size > _HEADERS_BYTES:
        padding = min(MAX_PADDING_BYTES, size - _HEADERS_BYTES)
        spare.rtx_sequence = (spare.rtx_sequence + 1) & 0xFFFF
        header = _pack_header(
            *(0xA0, types[1], spare.rtx_sequence, spare.last_timestamp, spare.rtx_ssrc)
        )
        peer.send_rtp(header, bytes(padding - 1) + bytes((padding,)), now)
        size -= _HEADERS_BYTES + padding
