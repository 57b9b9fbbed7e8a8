"""The compiled send loop behind Python's hands: tables in, progress out.

Spec of the tables: the structs of ``burst.c``, field by field.
"""

from __future__ import annotations

import enum
import struct
from typing import Any, NamedTuple

from twinclass_media.forward.row import Row
from twinclass_media.forward.template import Template
from twinclass_media.transport.arena import ARENA_BYTES, Arena
from twinclass_media.transport.native.library import ffi
from twinclass_media.transport.peer import Peer
from twinclass_media.transport.srtp import FFI, SRTP_PROTECT_POINTER

#: Rows per call: as many as a quantum of one millisecond can send.
MAX_ROWS = 256

_PACKET = struct.Struct("=IIIHBBHHHBB")
_RUN = struct.Struct("=III")
_ROW = struct.Struct("=QQQiIIIIiiHHBB6x")
_pack_row = _ROW.pack_into
_ROW_BYTES = _ROW.size


class Status(enum.IntEnum):
    """How a call ended (``burst.c``)."""

    DONE = 0
    LATE = 1
    BLOCKED = 2
    REFUSED = 3
    INVALID = 4


class Progress(NamedTuple):
    """How far a call came. With BLOCKED and REFUSED the last row is half done: ``run`` is the
    first of its runs that did not leave, ``position`` where in the arena it stopped."""

    status: int
    rows: int
    run: int
    position: int
    error: int
    protect_failed: int
    unsent: int


class NativeBurst:
    """Fills the table of rows and calls the library."""

    def __init__(self, library: Any, arena: Arena) -> None:  # noqa: ANN401 - cffi has no types
        self._send = library.twinclass_burst_send
        self._arena: Any = ffi.cast("void *", arena.address)
        self._protect: Any = ffi.cast("void *", int(FFI.cast("uintptr_t", SRTP_PROTECT_POINTER)))
        self._rows = bytearray(_ROW_BYTES * MAX_ROWS)
        self._rows_pointer: Any = ffi.from_buffer(self._rows)
        self._result: Any = ffi.new("struct result *")

    def layout(self, template: Template) -> tuple[bytes, bytes]:
        """Returns a template's packets and runs as the library reads them."""
        packets: list[bytes] = []
        for p in template.packets:
            vp8 = p.entry.vp8
            picture_id = picture_id_at = tl0 = tl0_at = bits = 0
            if vp8 is not None:
                start = p.payload_at - p.offset
                if vp8.picture_id_bits:
                    bits = vp8.picture_id_bits
                    picture_id, picture_id_at = vp8.picture_id, start + vp8.picture_id_offset
                if vp8.tl0_offset:
                    tl0, tl0_at = vp8.tl0_picture_index, start + vp8.tl0_offset
            packets.append(
                _PACKET.pack(
                    p.offset,
                    p.size,
                    p.timestamp & 0xFFFFFFFF,
                    p.sequence & 0xFFFF,
                    p.first_byte,
                    p.marker_bit,
                    picture_id,
                    picture_id_at,
                    tl0_at,
                    bits,
                    tl0,
                )
            )
        return b"".join(packets), b"".join(_RUN.pack(*run) for run in template.runs)

    def put(self, index: int, row: Row, peer: Peer, payload_type: int, number: int) -> None:
        """Writes line ``index`` of the table."""
        way = peer.way
        _pack_row(
            self._rows,
            index * _ROW_BYTES,
            peer.session,
            way.address,
            way.control,
            way.descriptor,
            way.address_bytes,
            way.control_bytes,
            row.ssrc,
            row.timestamp_offset & 0xFFFFFFFF,
            row.picture_id_delta,
            row.tl0_delta,
            row.sequence_offset & 0xFFFF,
            number,
            payload_type,
            peer.segmentation,
        )

    def send(
        self, template: Template, layout: tuple[bytes, bytes], tag: int, rows: int, deadline: float
    ) -> Progress:
        """Sends a burst to the first ``rows`` lines of the table, until ``deadline`` (monotonic
        seconds)."""
        packets, runs = layout
        result = self._result
        self._send(
            self._protect,
            self._arena,
            ARENA_BYTES,
            ffi.from_buffer(template.data),
            len(template.data),
            ffi.from_buffer(packets),
            len(template.packets),
            tag,
            template.number_at,
            ffi.from_buffer(runs),
            len(template.runs),
            self._rows_pointer,
            rows,
            int(deadline * 1e9),
            result,
        )
        return Progress(
            result.status,
            result.rows,
            result.run,
            result.position,
            result.error,
            result.protect_failed,
            result.unsent,
        )
