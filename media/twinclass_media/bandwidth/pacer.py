"""Spreads what is sent over time, so that a keyframe does not fill the queue before a viewer.

Sound never waits here: it goes past (``Priority.SOUND`` of the allocation).
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


class Pacer(Generic[T]):
    """A leaky bucket in bytes. Bounded by its ``MOST_S``: what is put in leaves within it."""

    __slots__ = ("_at", "_budget", "_bytes", "_queue", "bps")

    def __init__(self, bps: float, now: float) -> None:
        self.bps = bps
        self._queue: deque[tuple[int, T]] = deque()
        self._bytes = 0
        self._budget = 0.0
        self._at = now

    def _rate(self) -> float:
        return max(FACTOR * self.bps, 8 * self._bytes / MOST_S)

    def put(self, size: int, item: T) -> None:
        """Takes an item of ``size`` bytes."""
        self._queue.append((size, item))
        self._bytes += size

    def due(self, now: float) -> list[T]:
        """Returns what may leave now, in the order it came."""
        rate = self._rate() / 8
        self._budget = min(self._budget + rate * (now - self._at), rate * _BURST_S)
        self._at = now
        found: list[T] = []
        while self._queue and self._budget > 0:
            size, item = self._queue.popleft()
            self._bytes -= size
            self._budget -= size
            found.append(item)
        return found
