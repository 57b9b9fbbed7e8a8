"""Probes: short bursts at a rate that is hoped for, so that it is proven before media needs it.

Five packets and 15 ms are what peers use; shorter ones measure a queue, not a line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinclass_media.bandwidth.sent import Arrived

LEAST_PACKETS = 5
SPAN_S = 0.015
#: Of its packets, so many must have come.
_LEAST_SHARE = 0.8
#: Faster than it was sent by so much: it waited in a queue and came in one go.
_MOST_RATIO = 2.0
#: It came slower than it was sent: then the line is full at this, and a little is left free.
_FULL, _FREE = 0.9, 0.95
#: Reports of a probe come within so long of each other.
_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A probe to be sent: ``size`` bytes in all, spread over ``SPAN_S``."""

    number: int
    bps: float
    size: int


@dataclass(slots=True)
class _Came:
    first_sent_at: float
    last_sent_at: float
    first_at: float
    last_at: float
    last_sent_size: int
    first_size: int
    size: int
    packets: int


class Probes:
    """Probes of one viewer, one at a time."""

    __slots__ = ("_came", "_count", "_since", "plan")

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self._count = 0
        self._came: _Came | None = None
        self._since = -math.inf

    def begin(self, bps: float, now: float) -> Plan:
        """Returns the probe to send now; a former one is given up."""
        self._count += 1
        size = max(LEAST_PACKETS * 200, round(bps * SPAN_S / 8))
        self.plan = Plan(self._count, bps, size)
        self._came = None
        self._since = now
        return self.plan

    def is_running(self, now: float) -> bool:
        """Tells whether an answer may still come."""
        return self.plan is not None and now - self._since < _PATIENCE_S

    def add(self, one: Arrived) -> float | None:
        """Notes an arrival; returns the bit/s that a probe has proven, once for each."""
        plan = self.plan
        if plan is None or one.sent.probe != plan.number:
            return None
        came, sent = self._came, one.sent
        if came is None:
            self._came = _Came(sent.at, sent.at, one.at, one.at, sent.size, sent.size, sent.size, 1)
            return None
        came.packets += 1
        came.size += sent.size
        came.first_sent_at = min(came.first_sent_at, sent.at)
        if sent.at >= came.last_sent_at:
            came.last_sent_at, came.last_sent_size = sent.at, sent.size
        came.last_at = max(one.at, came.last_at)
        if came.packets < LEAST_PACKETS or came.size < _LEAST_SHARE * plan.size:
            return None
        return self._result(came)

    def _result(self, came: _Came) -> float | None:
        sent_s = came.last_sent_at - came.first_sent_at
        came_s = came.last_at - came.first_at
        if sent_s <= 0 or came_s <= 0 or sent_s > 1 or came_s > 1:
            return None
        self.plan = None
        # The last packet's time is not in what it took to send, the first one's not in its arrival.
        sent_bps = 8 * (came.size - came.last_sent_size) / sent_s
        came_bps = 8 * (came.size - came.first_size) / came_s
        if came_bps > _MOST_RATIO * sent_bps:
            return None
        if came_bps < _FULL * sent_bps:
            return _FREE * came_bps
        return min(sent_bps, came_bps)
