"""Counters of a worker. Plain integers, written by the packet loop, read by the control side."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

#: Seconds. The design's bounds (4, 10, 12 ms) are among them.
DELAY_BOUNDS = (0.0005, 0.001, 0.002, 0.003, 0.004, 0.006, 0.008, 0.01, 0.012, 0.02, 0.05, 0.1, 0.5)
SEGMENT_BOUNDS = (1, 2, 4, 8, 16, 32, 48)


class Distribution:
    """A histogram with fixed upper bounds; the last count is above all of them."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Counts ``times`` observations of ``value``."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times

    def quantile(self, q: float) -> float:
        """Upper bound of the bucket that holds quantile ``q``; inf above the last bound."""
        rank = q * sum(self.counts)
        seen = 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            seen += count
            if seen >= rank:
                return bound
        return float("inf")


class Statistics:
    """What a worker counts.

    Attributes:
        drops: reason -> packets. Everything that is not forwarded is in here by name.
        lines: what became of peers' lines -> times (narrow, wide, deaf, alone).
    """

    def __init__(self) -> None:
        self.packets_in = 0
        self.packets_out = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.rtcp_in = 0
        self.rtcp_out = 0
        self.retransmitted = 0
        self.drops: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()
        self.audio_delay = Distribution(DELAY_BOUNDS)
        self.video_delay = Distribution(DELAY_BOUNDS)
        self.segments = Distribution(tuple(float(b) for b in SEGMENT_BOUNDS))
        self.loop_lag_s = 0.0
