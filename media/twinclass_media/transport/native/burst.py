"""The compiled send loop behind Python's hands: a burst and its rows in, progress out.

Rows are shown to it once and when they change (``Mirror``), so that a burst for a thousand viewers
costs Python no more than one for ten.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, NamedTuple

from twinclass_media.forward.group import Rows
from twinclass_media.forward.producer import Burst
from twinclass_media.forward.row import Row, Sent
from twinclass_media.forward.template import Template, TemplatePacket
from twinclass_media.transport.arena import ARENA_BYTES, Arena
from twinclass_media.transport.native.library import ffi
from twinclass_media.transport.peer import Peer
from twinclass_media.transport.srtp import FFI, SRTP_PROTECT_POINTER
from twinclass_media.transport.train import Seating

#: As many as a row has places for (``burst.c``); a lesson has six.
MAX_CODECS = 14
NOT_NEGOTIATED = 0xFF
#: Rows of one call where each packet has a number of the viewer's own: their accounts are kept in
#: Python, before and after.
MAX_NUMBERED = 64


class Status(enum.IntEnum):
    """How a call ended (``burst.c``)."""

    DONE = 0
    LATE = 1
    BLOCKED = 2
    REFUSED = 3
    INVALID = 4


class Progress(NamedTuple):
    """How far a call came: ``rows`` looked at, ``sent`` of them sent to. With BLOCKED and REFUSED
    the last one is half done: ``run`` is the first of its runs that did not leave, ``position``
    where in the arena it stopped, ``end`` where it ends and ``error`` why (errno). ``unreadable``:
    packets in a codec that was not negotiated."""

    status: int
    rows: int
    sent: int
    run: int
    position: int
    protect_failed: int
    unreadable: int
    end: int
    error: int


class Layout(NamedTuple):
    """A burst as the library reads it, and what it points to."""

    burst: Any
    kept: tuple[Any, ...]


class Mirror:
    """One row in the library's memory (``forward.row.Mirror``)."""

    __slots__ = ("_codecs", "_row", "place")

    def __init__(self, row: Row, codecs: dict[str, int]) -> None:
        self._row: Any = ffi.new("struct row *")
        self._codecs = codecs
        self.place = int(ffi.cast("uintptr_t", self._row))
        peer: Peer = row.peer
        self._row.way = peer.way.place
        self._row.ssrc = row.ssrc
        self.show(row)

    def show(self, row: Row) -> None:
        """Copies how its packets are to be numbered, and of which layer."""
        mine = self._row
        mine.layer = 0 if row.layer is None else id(row.layer)
        mine.floor, mine.began = row.floor, row.began
        mine.newest = row.newest
        mine.timestamp_offset = row.timestamp_offset & 0xFFFFFFFF
        mine.sequence_offset = row.sequence_offset & 0xFFFF
        mine.picture_id_delta = row.picture_id_delta
        mine.tl0_delta = row.tl0_delta
        types = bytearray((NOT_NEGOTIATED,)) * MAX_CODECS
        for name, (payload_type, _) in row.payload_types.items():
            types[_index(self._codecs, name)] = payload_type
        mine.payload_types = bytes(types)

    def take(self) -> Sent | None:
        """Returns what went out since the last call; None: nothing."""
        mine = self._row
        if not mine.packets:
            return None
        sent = Sent(
            mine.packets,
            mine.octets,
            mine.at,
            mine.newest,
            mine.newest_timestamp,
            mine.newest_picture_id,
            mine.newest_tl0,
        )
        mine.packets = mine.octets = 0
        return sent


def _index(codecs: dict[str, int], name: str) -> int:
    """Returns a codec's number.

    Raises:
        IndexError: there are more names than any session negotiates.
    """
    index = codecs.setdefault(name, len(codecs))
    if index >= MAX_CODECS:
        raise IndexError(f"codec {name!r} is one too many")
    return index


class NativeBurst:
    """Calls the library."""

    def __init__(self, library: Any, arena: Arena) -> None:  # noqa: ANN401 - cffi has no types
        self._send = library.twinclass_burst_send
        self._train = library.twinclass_train_send
        self._arena: Any = ffi.cast("void *", arena.address)
        self._protect: Any = ffi.cast("void *", int(FFI.cast("uintptr_t", SRTP_PROTECT_POINTER)))
        self._codecs: dict[str, int] = {}
        self._progress: Any = ffi.new("struct progress *")
        self._taken: Any = ffi.new("uint8_t[]", MAX_NUMBERED)

    def layout(
        self,
        template: Template,
        source: Burst,
        codec: str,
        tag: int,
        at: float,
    ) -> Layout:
        """Lays a burst out. ``source``: whose numbers the rows take over; ``at``: when it came."""
        packets: Any = ffi.new("struct packet[]", [_packet(p) for p in template.packets])
        runs: Any = ffi.new("struct run[]", list(template.runs))
        data: Any = ffi.from_buffer(template.data)
        burst: Any = ffi.new("struct burst *")
        burst.data, burst.packets, burst.runs = (
            int(ffi.cast("uintptr_t", one)) for one in (data, packets, runs)
        )
        burst.data_bytes = len(template.data)
        burst.packet_count, burst.run_count = len(template.packets), len(template.runs)
        burst.tag, burst.number_at = tag, template.number_at
        burst.codec = _index(self._codecs, codec)
        burst.layer, burst.cuts = id(source.layer), source.cuts
        burst.first = source.entries[0].sequence
        last = source.entries[-1]
        burst.newest, burst.newest_timestamp = last.sequence, last.timestamp & 0xFFFFFFFF
        burst.newest_picture_id = burst.newest_tl0 = -1
        if last.vp8 is not None:
            burst.newest_picture_id = last.vp8.picture_id
            burst.newest_tl0 = last.vp8.tl0_picture_index
        burst.octets, burst.at = template.octets, at
        return Layout(burst, (template.data, data, packets, runs))

    def places(self, rows: Rows) -> Any:  # noqa: ANN401 - cffi has no types
        """Returns where the library finds rows; worked out once for each snapshot."""
        if rows.places is None:
            rows.places = ffi.new("uint64_t[]", [self.place(row) for row in rows])
        return rows.places

    def place(self, row: Row) -> int:
        """Returns where the library finds a row."""
        if row.mirror is None:
            row.mirror = Mirror(row, self._codecs)
        assert isinstance(row.mirror, Mirror)
        return row.mirror.place

    def send(
        self,
        layout: Layout,
        places: Any,  # noqa: ANN401 - cffi has no types
        first: int,
        count: int,
        deadline: float,
    ) -> Progress:
        """Sends a burst to ``count`` rows from ``first`` on, until ``deadline`` (monotonic
        seconds)."""
        progress = self._progress
        taken = ffi.NULL
        if layout.burst.number_at:
            taken = self._taken
            ffi.memmove(taken, bytes(MAX_NUMBERED), MAX_NUMBERED)
        self._send(
            self._protect,
            self._arena,
            ARENA_BYTES,
            layout.burst,
            places + first,
            count,
            int(deadline * 1e9),
            taken,
            progress,
        )
        return _progress(progress)

    def send_train(
        self,
        layouts: Sequence[Layout],
        seating: Seating,
        columns: Sequence[int],
        first: int,
        deadline: float,
    ) -> tuple[Progress, list[int]]:
        """Sends bursts of packets of one size to the viewers of ``seating`` from ``first`` on, as
        one run for each. ``columns``: of each burst. Returns also to how many each went."""
        count = len(layouts)
        sent: Any = ffi.new("int32_t[]", count)
        self._train(
            self._protect,
            self._arena,
            ARENA_BYTES,
            ffi.new("uint64_t[]", [int(ffi.cast("uintptr_t", one.burst)) for one in layouts]),
            ffi.new("int32_t[]", list(columns)),
            count,
            seating.seats + first * seating.width,
            seating.width,
            len(seating.peers) - first,
            int(deadline * 1e9),
            sent,
            self._progress,
        )
        return _progress(self._progress), list(sent)

    def taken(self, count: int) -> bytes:
        """Returns of each row of the last call, where packets are numbered, whether its numbers
        were used up."""
        return bytes(ffi.buffer(self._taken, count))


def _progress(found: Any) -> Progress:  # noqa: ANN401 - cffi has no types
    return Progress(
        found.status,
        found.rows,
        found.sent,
        found.run,
        found.position,
        found.protect_failed,
        found.unreadable,
        found.end,
        found.error,
    )


def _packet(p: TemplatePacket) -> tuple[int, ...]:
    """Returns a packet's fields in the order of ``struct packet``."""
    vp8 = p.entry.vp8
    picture_id = picture_id_at = tl0 = tl0_at = bits = 0
    if vp8 is not None:
        start = p.payload_at - p.offset
        if vp8.picture_id_bits:
            bits = vp8.picture_id_bits
            picture_id, picture_id_at = vp8.picture_id, start + vp8.picture_id_offset
        if vp8.tl0_offset:
            tl0, tl0_at = vp8.tl0_picture_index, start + vp8.tl0_offset
    return (
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
