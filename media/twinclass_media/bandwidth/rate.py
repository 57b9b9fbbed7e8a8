"""The rate that delay allows: raised while the line is free, cut when a queue grows.

Spec: draft-ietf-rmcat-gcc-02 section 5.5.
"""

from __future__ import annotations

import math
from enum import Enum

from twinclass_media.bandwidth.delay import Usage

#: Of what arrived, kept at a cut: enough below that the queue drains.
BETA = 0.85
#: A second, while far from where it was cut last.
_GROWTH = 1.08
#: Not more than was shown to pass: nothing is known of what was not tried.
_BEYOND, _BEYOND_BPS = 1.5, 10_000.0
_PACKET_BITS = 1_200 * 8
#: Of the average of cuts: a rate within so many deviations of it is near the limit.
_NEAR = 3.0
_LEAST_STEP_BPS = 4_000.0


class _State(Enum):
    HOLD = "hold"
    INCREASE = "increase"


class RateControl:
    """``bps`` is what delay allows. Times are seconds of our monotonic clock."""

    __slots__ = ("_at", "_cut_at", "_limit", "_limit_deviation", "_state", "bps", "floor_bps")

    def __init__(self, start_bps: float, floor_bps: float) -> None:
        self.bps = start_bps
        self.floor_bps = floor_bps
        self._state = _State.HOLD
        self._at: float | None = None
        self._cut_at = -math.inf
        #: Average of what arrived at cuts, kbit/s, and the square of its deviation over it.
        self._limit: float | None = None
        self._limit_deviation = 0.4

    def set(self, bps: float) -> None:
        """Takes what a probe has proven, or what is left of a line that is silent."""
        self.bps = max(self.floor_bps, bps)
        if self._is_past(bps):
            self._limit = None

    def update(self, usage: Usage, arrived_bps: float | None, rtt_s: float, now: float) -> None:
        """Changes ``bps`` by how the line is used. ``arrived_bps``: None: not known yet."""
        span = 0.0 if self._at is None else min(1.0, now - self._at)
        self._at = now
        if usage is Usage.OVER:
            self._cut(arrived_bps, rtt_s, now)
            self._state = _State.HOLD
        elif usage is Usage.UNDER:
            # The queue drains: wait until it is empty.
            self._state = _State.HOLD
        elif self._state is _State.HOLD:
            self._state = _State.INCREASE
        else:
            self._increase(arrived_bps, rtt_s, span)

    def _cut(self, arrived_bps: float | None, rtt_s: float, now: float) -> None:
        arrived = self.bps if arrived_bps is None else arrived_bps
        is_early = now - self._cut_at < min(0.2, max(0.01, rtt_s))
        if is_early and arrived > self.bps / 2:
            return
        wanted = BETA * arrived
        if wanted > self.bps:
            # We send less than the line has; the queue is of somebody else, or of a moment ago.
            if self._is_past(arrived):
                self._limit = None
            wanted = BETA * (self._limit * 1000 if self._limit is not None else self.bps)
        self.bps = max(self.floor_bps, min(self.bps, wanted))
        self._cut_at = now
        self._learn(arrived / 1000)

    def _learn(self, kbps: float) -> None:
        if self._limit is not None and kbps < self._limit - _NEAR * self._deviation():
            self._limit = None
        if self._limit is None:
            self._limit, self._limit_deviation = kbps, 0.4
            return
        self._limit = 0.95 * self._limit + 0.05 * kbps
        square = (self._limit - kbps) ** 2 / max(self._limit, 1.0)
        self._limit_deviation = min(2.5, max(0.4, 0.95 * self._limit_deviation + 0.05 * square))

    def _deviation(self) -> float:
        return math.sqrt(self._limit_deviation * (self._limit or 0.0))

    def _is_past(self, bps: float) -> bool:
        """Tells whether the line carries more than where it was cut."""
        limit = self._limit
        return limit is not None and bps / 1000 > limit + _NEAR * self._deviation()

    def _increase(self, arrived_bps: float | None, rtt_s: float, span: float) -> None:
        if arrived_bps is not None and self._is_past(arrived_bps):
            self._limit = None
        if self._limit is None:
            step = self.bps * (_GROWTH**span - 1)
        else:
            # About one packet more in a time of response.
            frame_bits = self.bps / 30
            packets = max(1.0, math.ceil(frame_bits / _PACKET_BITS))
            step = max(_LEAST_STEP_BPS, frame_bits / packets / (rtt_s + 0.1)) * span
        wanted = self.bps + step
        if arrived_bps is not None:
            wanted = min(wanted, max(self.bps, _BEYOND * arrived_bps + _BEYOND_BPS))
        self.bps = max(self.floor_bps, wanted)
