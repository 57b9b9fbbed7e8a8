"""Packets of one stream in the order they were sent; what does not come in time is a gap. Core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from twinclass_media.rtp.loss import LossTracker
from twinclass_media.rtp.sequence import SequenceUnwrapper

T = TypeVar("T")

#: A lost packet is mended by the worker within half a second or not at all (its ``rtp.loss``),
#: and on the pipe within some milliseconds.
WAIT_S = 0.6
#: Half a second of a 2,000 packets/s stream; more of them means the gap is not worth waiting for.
MAX_WAITING = 1024


@dataclass(frozen=True, slots=True)
class Gap:
    """Packets that never came."""

    count: int


class Reorder(Generic[T]):
    """Items by 16-bit sequence number in; items and gaps in order out."""

    def __init__(self) -> None:
        self.loss = LossTracker()
        self.gaps = 0
        self._unwrap = SequenceUnwrapper()
        self._waiting: dict[int, tuple[float, T]] = {}
        self._next = -1

    def push(self, number: int, item: T, now: float) -> Iterator[T | Gap]:
        """Takes a packet; yields what can go on."""
        extended = self._unwrap.unwrap(number)
        self.loss.received(number, now)
        if self._next < 0:
            self._next = extended
        if extended < self._next or extended in self._waiting:
            return  # late or twice
        if extended == self._next and not self._waiting:
            self._next += 1
            yield item
            return
        self._waiting[extended] = (now, item)
        if len(self._waiting) > MAX_WAITING:
            yield from self._skip()
        yield from self._drain()

    def due(self, now: float) -> Iterator[T | Gap]:
        """Gives up what has been waited for long enough."""
        while self._waiting and now - min(at for at, _ in self._waiting.values()) > WAIT_S:
            yield from self._skip()
            yield from self._drain()

    def missing(self, now: float) -> list[int]:
        """Returns the numbers to ask for now."""
        return self.loss.due(now, 0.0)[0]

    def _skip(self) -> Iterator[Gap]:
        first = min(self._waiting)
        self.gaps += 1
        yield Gap(first - self._next)
        self._next = first

    def _drain(self) -> Iterator[T]:
        while self._waiting and (found := self._waiting.pop(self._next, None)) is not None:
            self._next += 1
            yield found[1]
