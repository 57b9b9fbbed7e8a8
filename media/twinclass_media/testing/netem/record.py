"""What was counted on a link: packets by fate, and how long they queued (core)."""

from __future__ import annotations

import bisect
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

Reason = Literal["loss", "queue", "policer", "blackhole", "closed"]
REASONS: tuple[Reason, ...] = ("loss", "queue", "policer", "blackhole", "closed")

#: Upper bounds of delays in ms, a quarter apart: 0.25 ms to 33 s. A percentile read from them is
#: at most a quarter too high.
BOUNDS_MS = tuple(0.25 * 1.25**step for step in range(54))
#: Ten minutes of seconds; older ones are forgotten.
MAX_SECONDS = 600


class Histogram:
    """Delays in ms, in buckets."""

    __slots__ = ("counts", "max_ms", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_MS) + 1)
        self.total = 0
        self.max_ms = 0.0

    def add(self, value_ms: float) -> None:
        """Counts one."""
        self.counts[bisect.bisect_left(BOUNDS_MS, value_ms)] += 1
        self.total += 1
        self.max_ms = max(self.max_ms, value_ms)

    def percentile(self, share: float) -> float:
        """Returns ms that ``share`` (0 to 1) of the values do not exceed; 0 without any."""
        wanted, seen = share * self.total, 0
        for bound, count in zip(BOUNDS_MS, self.counts, strict=False):
            seen += count
            if seen >= wanted:
                return min(bound, self.max_ms)
        return self.max_ms


@dataclass(frozen=True, slots=True)
class DelaySecond:
    """Queue delay of one second of the link's time. ``at_s`` is its beginning."""

    at_s: int
    packets: int
    p50_ms: float
    p95_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class LinkStatistics:
    """A link's counters. ``sent + duplicated == delivered + all dropped + in_flight``.

    Attributes:
        stalled: pieces of streams that would have been lost; they came a round trip later.
        queue_now_ms: how long what is sent now would wait.
        by_second: the last ten minutes, seconds in which nothing left the queue left out.
    """

    sent: int
    sent_bytes: int
    delivered: int
    delivered_bytes: int
    duplicated: int
    stalled: int
    dropped: dict[Reason, int]
    in_flight: int
    queue_bytes: int
    queue_now_ms: float
    queue_max_ms: float
    queue_p50_ms: float
    queue_p95_ms: float
    queue_p99_ms: float
    by_second: tuple[DelaySecond, ...]


@dataclass(slots=True)
class Record:
    """Counters of one link, or of all links of a direction that are given the same one."""

    sent: int = 0
    sent_bytes: int = 0
    delivered: int = 0
    delivered_bytes: int = 0
    duplicated: int = 0
    stalled: int = 0
    dropped: dict[Reason, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))
    delays: Histogram = field(default_factory=Histogram)
    _seconds: deque[tuple[int, Histogram]] = field(
        default_factory=lambda: deque[tuple[int, Histogram]](maxlen=MAX_SECONDS)
    )

    def queued(self, left_s: float, waited_s: float) -> None:
        """Notes that a packet left the queue at ``left_s`` after ``waited_s``."""
        waited_ms = 1000 * waited_s
        self.delays.add(waited_ms)
        second = int(left_s)
        # Links that share a record may be a little behind each other: the newest second takes it.
        if not self._seconds or self._seconds[-1][0] < second:
            self._seconds.append((second, Histogram()))
        self._seconds[-1][1].add(waited_ms)

    def snapshot(self, in_flight: int, queue_bytes: int, queue_now_s: float) -> LinkStatistics:
        """Returns the counters as they are, with what only links know."""
        delays = self.delays
        return LinkStatistics(
            sent=self.sent,
            sent_bytes=self.sent_bytes,
            delivered=self.delivered,
            delivered_bytes=self.delivered_bytes,
            duplicated=self.duplicated,
            stalled=self.stalled,
            dropped=dict(self.dropped),
            in_flight=in_flight,
            queue_bytes=queue_bytes,
            queue_now_ms=round(1000 * queue_now_s, 3),
            queue_max_ms=round(delays.max_ms, 3),
            queue_p50_ms=round(delays.percentile(0.5), 3),
            queue_p95_ms=round(delays.percentile(0.95), 3),
            queue_p99_ms=round(delays.percentile(0.99), 3),
            by_second=tuple(
                DelaySecond(
                    at_s,
                    of.total,
                    round(of.percentile(0.5), 3),
                    round(of.percentile(0.95), 3),
                    round(of.max_ms, 3),
                )
                for at_s, of in self._seconds
            ),
        )
