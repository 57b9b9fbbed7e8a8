"""Spreads what is sent over time, so that a keyframe does not fill the queue before a viewer.

Sound never waits here: it goes past.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

#: Of what the line is thought to carry. Peers send 2.5 times faster: their keyframes come from an
#: encoder that knows the line. Here a layer is entered with a whole keyframe, six frames large, and
#: what does not wait here waits at the bottleneck, and sound with it.
FACTOR = 1.0
#: Nothing waits longer: then the line is not what it was thought to be, and the rate is raised.
MOST_S = 0.5
#: A burst that needs no spreading: five packets in 5 ms.
_BURST_S = 0.005
#: A frame goes out in one go (one system call) when the line needs no longer for it than until the
#: next one.
_WHOLE_S = 0.030


class Pacer(Generic[T]):
    """A leaky bucket in bytes. Bounded by ``most_s``: what is put in leaves within it."""

    __slots__ = ("_at", "_budget", "_bytes", "_queue", "bps", "most_s")

    def __init__(self, bps: float, now: float) -> None:
        self.bps = bps
        #: Nothing waits longer.
        self.most_s = MOST_S
        self._queue: deque[tuple[int, T]] = deque()
        self._bytes = 0
        self._budget = 0.0
        self._at = now

    def _rate(self) -> float:
        return max(FACTOR * self.bps, 8 * self._bytes / self.most_s)

    @property
    def is_empty(self) -> bool:
        """Tells whether nothing waits."""
        return not self._queue

    def passes(self, size: int, now: float) -> bool:
        """Tells whether ``size`` bytes may leave in one go now; they are counted then."""
        if self._queue:
            return False
        self._refill(now)
        rate = self._rate() / 8
        # An idle line has room for a frame; one that was just used must have recovered from it.
        if self._budget <= 0 or size > rate * _WHOLE_S:
            return False
        self._budget -= size
        return True

    def _refill(self, now: float) -> None:
        rate = self._rate() / 8
        self._budget = min(self._budget + rate * (now - self._at), rate * _BURST_S)
        self._at = now

    def put(self, size: int, item: T) -> None:
        """Takes an item of ``size`` bytes."""
        self._queue.append((size, item))
        self._bytes += size

    def all(self) -> list[T]:
        """Returns all that waits; nothing does afterwards."""
        found = [item for _, item in self._queue]
        self._queue.clear()
        self._bytes = 0
        return found

    def due(self, now: float) -> list[T]:
        """Returns what may leave now, in the order it came."""
        self._refill(now)
        found: list[T] = []
        while self._queue and self._budget > 0:
            size, item = self._queue.popleft()
            self._bytes -= size
            self._budget -= size
            found.append(item)
        return found
