"""Builds transport-wide congestion control feedback from arrival times, and reads it.

Spec: draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1. Never negotiate it
without sending it: Chromium then falls to 30 kbit/s (measured).
"""

from __future__ import annotations

import struct

from twinclass_media.errors import MalformedPacket
from twinclass_media.rtp.sequence import SequenceUnwrapper

#: Feedback interval. 50 to 250 ms is what senders are tuned for; 100 ms costs 10 packets a second.
INTERVAL_S = 0.1
#: Packet numbers one feedback covers. At 100 ms this is 5,000 packets a second.
MAX_STATUS_COUNT = 500
_DELTA_S = 0.00025
_REFERENCE_S = 0.064


#: (16-bit number, arrival in seconds of the receiver's clock; None: not received).
Report = tuple[int, float | None]


class ArrivalLog:
    """Arrival times of one peer's packets since the last feedback.

    Bounded: holds at most ``MAX_STATUS_COUNT`` arrivals; further ones until the next feedback
    are not reported, which the sender takes for loss and slows down, as it should.
    """

    __slots__ = ("_arrivals", "_base", "_count", "_origin", "_unwrap")

    def __init__(self, origin: float) -> None:
        """``origin``: monotonic second that reference times count from."""
        self._origin = origin
        self._unwrap = SequenceUnwrapper()
        self._arrivals: dict[int, float] = {}
        self._base: int | None = None
        self._count = 0

    def add(self, sequence_number: int, now: float) -> None:
        """Remembers the arrival of one packet."""
        if len(self._arrivals) < MAX_STATUS_COUNT:
            extended = self._unwrap.unwrap(sequence_number)
            self._arrivals.setdefault(extended, now)

    def take_feedback(self) -> bytes | None:
        """Returns the FCI for everything since the last call, or None when nothing came.

        Gaps since the last feedback are reported as not received. Packets older than the last
        feedback were reported lost already and are left out.
        """
        arrivals, self._arrivals = self._arrivals, {}
        base = self._base
        numbers = sorted(n for n in arrivals if base is None or n >= base)
        if not numbers:
            return None
        if base is None or numbers[-1] - base >= MAX_STATUS_COUNT:
            base = numbers[0]
            numbers = [n for n in numbers if n - base < MAX_STATUS_COUNT]
        last = numbers[-1]
        self._base = last + 1
        first_at = arrivals[numbers[0]] - self._origin
        reference = int(first_at / _REFERENCE_S)
        ticks = round(reference * _REFERENCE_S / _DELTA_S)
        symbols: list[int] = []
        deltas = bytearray()
        for number in range(base, last + 1):
            at = arrivals.get(number)
            if at is None:
                symbols.append(0)
                continue
            tick = round((at - self._origin) / _DELTA_S)
            delta = max(-32768, min(32767, tick - ticks))
            ticks += delta
            if 0 <= delta <= 255:
                symbols.append(1)
                deltas.append(delta)
            else:
                symbols.append(2)
                deltas += struct.pack("!h", delta)
        head = struct.pack(
            "!HHI",
            base & 0xFFFF,
            len(symbols),
            (reference & 0xFFFFFF) << 8 | (self._count & 0xFF),
        )
        self._count += 1
        return head + pack_status_chunks(symbols) + bytes(deltas)


def pack_status_chunks(symbols: list[int]) -> bytes:
    """Packs 2-bit symbols as run lengths of 7 and more, else as vectors of seven."""
    chunks = bytearray()
    position = 0
    size = len(symbols)
    while position < size:
        symbol = symbols[position]
        end = position + 1
        while end < size and symbols[end] == symbol and end - position < 8191:
            end += 1
        run = end - position
        if run >= 7 or end == size:
            chunks += struct.pack("!H", symbol << 13 | run)
            position = end
        else:
            word = 0xC000
            for i, s in enumerate(symbols[position : position + 7]):
                word |= s << (12 - 2 * i)
            chunks += struct.pack("!H", word)
            position += 7
    return bytes(chunks)


def read_feedback(fci: bytes) -> list[Report]:
    """Returns what a feedback says of each number, in their order.

    Reference times wrap after 12 days; whoever keeps arrivals across feedbacks takes a jump for a
    new clock.

    Raises:
        MalformedPacket: cut, or about more numbers than ``MAX_STATUS_COUNT`` times four.
    """
    if len(fci) < 8:
        raise MalformedPacket("transport-wide feedback is cut")
    base, count, word = struct.unpack_from("!HHI", fci)
    if count > 4 * MAX_STATUS_COUNT:
        raise MalformedPacket("transport-wide feedback is about too many packets")
    symbols, position = _read_chunks(fci, count)
    at = (word >> 8) * _REFERENCE_S
    found: list[Report] = []
    for offset, symbol in enumerate(symbols):
        number = (base + offset) & 0xFFFF
        if symbol == 1:
            if position >= len(fci):
                raise MalformedPacket("transport-wide feedback lacks a delta")
            at += fci[position] * _DELTA_S
            position += 1
        elif symbol == 2:
            if position + 2 > len(fci):
                raise MalformedPacket("transport-wide feedback lacks a delta")
            at += struct.unpack_from("!h", fci, position)[0] * _DELTA_S
            position += 2
        found.append((number, at if symbol in (1, 2) else None))
    return found


def _read_chunks(fci: bytes, count: int) -> tuple[list[int], int]:
    """Returns (a symbol for each number, where the deltas begin)."""
    symbols: list[int] = []
    position = 8
    while len(symbols) < count:
        if position + 2 > len(fci):
            raise MalformedPacket("transport-wide feedback lacks a chunk")
        (chunk,) = struct.unpack_from("!H", fci, position)
        position += 2
        if not chunk & 0x8000:
            run = chunk & 0x1FFF
            if run == 0:
                raise MalformedPacket("transport-wide feedback has an empty run")
            symbols += [chunk >> 13 & 3] * min(run, count - len(symbols))
        elif chunk & 0x4000:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    return symbols[:count], position
