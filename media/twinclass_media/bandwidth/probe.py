"""Probes: short bursts at a rate that is hoped for, so that it is proven before media needs it.

Five packets and 15 ms are what peers use; shorter ones measure a queue, not a line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinclass_media.bandwidth.sent import Arrived

LEAST_PACKETS = 5
_PACKET_BYTES = 1_150
SPAN_S = 0.015
_FAR = 3.0
_SWINGS, _MOST_SPAN_S = 4.0, 0.12
#: If the line carries no more than is known, and that is used by media, a probe leaves no longer
#: queue than this: a fifth of a second is what a voice may be late.
_MOST_QUEUE_S = 0.1
#: Of its packets, so many must have come.
_LEAST_SHARE = 0.8
#: Faster than it was sent by so much: it waited in a queue and came in one go.
_MOST_RATIO = 2.0
#: It took longer to come than to send, by more than timers and interrupts make of it: then the line
#: is full at this, and a little is left free.
_TIMERS_S, _FREE = 0.003, 0.95
#: Reports of a probe come within so long of each other.
_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A probe to be sent: so many packets of ``size`` bytes, evenly over ``span_s``."""

    number: int
    bps: float
    packets: int
    size: int
    span_s: float


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

    __slots__ = ("_came", "_count", "_is_sending", "_sent", "_since", "plan")

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self._count = 0
        self._sent = 0
        self._came: _Came | None = None
        self._is_sending = False
        self._since = -math.inf

    def begin(self, bps: float, known_bps: float, swing_s: float, now: float) -> Plan:
        """Returns the probe to send now; a former one is given up.

        ``known_bps``: what the line is known to carry. Much more is tried for a moment only, as
        it may fill a queue; a little more for longer, as it is to be told from what is there.
        ``swing_s``: how much the line's delay swings by itself; a probe must be longer, or it
        measures that.
        """
        self._count += 1
        span = SPAN_S if bps > _FAR * known_bps else 2 * SPAN_S
        longest = _MOST_QUEUE_S * known_bps / bps
        span = max(SPAN_S, min(_MOST_SPAN_S, span + _SWINGS * swing_s, longest))
        total = bps * span / 8
        packets = max(LEAST_PACKETS, math.ceil(total / _PACKET_BYTES))
        self.plan = Plan(self._count, bps, packets, max(60, math.ceil(total / packets)), span)
        self._came = None
        self._sent = 0
        self._is_sending = True
        self._since = now
        return self.plan

    def end(self) -> None:
        """The last packet of the plan has left; timers may have made it take longer."""
        self._is_sending = False

    def is_running(self, now: float) -> bool:
        """Tells whether an answer may still come."""
        return self.plan is not None and now - self._since < _PATIENCE_S

    def label(self, now: float) -> int:
        """Returns the number of the probe that is being sent, 0: none. All that leaves meanwhile is
        part of it: what the line carries, it carries of media and padding together."""
        plan = self.plan
        if plan is None or not self._is_sending or now - self._since > _PATIENCE_S:
            return 0
        self._sent += 1
        return plan.number

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
        if came.packets < max(LEAST_PACKETS - 1, _LEAST_SHARE * self._sent):
            return None
        return self._result(came)

    def _result(self, came: _Came) -> float | None:
        sent_s = came.last_sent_at - came.first_sent_at
        came_s = came.last_at - came.first_at
        if sent_s <= 0 or came_s <= 0 or sent_s > 1 or came_s > 1:
            return None
        self.plan = None
        # The last packet's time is not in what it took to send, the first one's not in its arrival.
        # What was lost in the middle was sent all the same, and did not hold up the others.
        whole = self._sent / came.packets
        sent_bps = 8 * whole * (came.size - came.last_sent_size) / sent_s
        came_bps = 8 * whole * (came.size - came.first_size) / came_s
        if came_bps > _MOST_RATIO * sent_bps:
            return None
        if came_s > sent_s + _TIMERS_S:
            return _FREE * min(sent_bps, came_bps)
        return sent_bps
