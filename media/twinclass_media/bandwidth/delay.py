"""Whether a queue grows before a viewer: the slope of one-way delay against time.

Spec: draft-ietf-rmcat-gcc-02 section 5.2 to 5.4, with a line fitted to the delay (Carlucci et al.,
"Congestion Control for Web Real-Time Communication", IEEE/ACM ToN 2017) instead of a Kalman filter:
fewer parameters, and no worse.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

from twinclass_media.bandwidth.queue_delay import QueueDelay
from twinclass_media.bandwidth.sent import Arrived

#: Packets that left within this belong together: senders send frames in bursts.
BURST_S = 0.005
#: Groups that the line is fitted to: about two thirds of a second at 30 frames a second.
WINDOW = 20
_SMOOTHING = 0.9
#: The slope counts the more, the more groups it was seen over; beyond this it is certain.
_MAX_COUNT = 60
_GAIN = 4.0
#: How the threshold follows the slope, per ms (section 5.4); in ms.
_FALL, _RISE = 0.039, 0.0087
_LEAST, _MOST, _START = 6.0, 600.0, 12.5
#: A slope so far above the threshold is a route change, and nothing to grow used to.
_JUMP = 15.0
#: A queue grows for so long before it is believed.
_OVERUSE_S = 0.010
#: A queue shorter than this is the frames' own: a large one takes as long to pass as it differs
#: from a small one. A slope without a queue is not believed (measured: without this, five cuts a
#: minute on a line that is a quarter full), nor one of what is usual on this line.
_LEAST_QUEUE_S, _USUAL_TIMES = 0.020, 1.5
#: The clocks have jumped, or the viewer has slept: begin anew.
_MAX_GAP_S = 3.0


class Usage(Enum):
    """How the line is used, as its delay shows."""

    NORMAL = "normal"
    OVER = "over"
    UNDER = "under"


class _Group:
    __slots__ = ("arrived_at", "first_sent_at", "sent_at")

    def __init__(self, one: Arrived) -> None:
        self.first_sent_at = self.sent_at = one.sent.at
        self.arrived_at = one.at


class DelayGradient:
    """Says after each arrival how the line is used."""

    __slots__ = (
        "_before",
        "_count",
        "_delay",
        "_first_at",
        "_group",
        "_over_s",
        "_overs",
        "_points",
        "_slope",
        "_smoothed",
        "_threshold",
        "_threshold_at",
        "queue",
        "usage",
    )

    def __init__(self) -> None:
        self._threshold = _START
        self._reset()

    def _reset(self) -> None:
        self.usage = Usage.NORMAL
        self._group: _Group | None = None
        self._before: _Group | None = None
        self._points: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self._first_at: float | None = None
        self._delay = self._smoothed = self._slope = 0.0
        self._count = 0
        self._over_s = -1.0
        self._overs = 0
        self._threshold_at = -1.0
        self.queue = QueueDelay()

    def resume(self) -> None:
        """Begins anew, but for what is known of the empty line."""
        empty = self.queue.empty_delay
        self._reset()
        self.queue = QueueDelay(empty)

    def add(self, one: Arrived) -> Usage:
        """Notes an arrival, in the order of arrival."""
        group = self._group
        if group is None:
            self._group = _Group(one)
            return self.usage
        if one.sent.at < group.first_sent_at:
            return self.usage  # Out of order: it says nothing of the queue.
        if _belongs(group, one):
            group.sent_at = max(group.sent_at, one.sent.at)
            group.arrived_at = max(group.arrived_at, one.at)
            return self.usage
        before, self._before, self._group = self._before, group, _Group(one)
        if before is not None:
            sent_s = group.sent_at - before.sent_at
            arrived_s = group.arrived_at - before.arrived_at
            if arrived_s < 0 or arrived_s > _MAX_GAP_S or sent_s > _MAX_GAP_S:
                self._reset()
            else:
                self.queue.add(group.arrived_at, group.arrived_at - group.sent_at)
                self._take(sent_s, arrived_s, group.arrived_at)
        return self.usage

    def _take(self, sent_s: float, arrived_s: float, at: float) -> None:
        if self._first_at is None:
            self._first_at = at
        self._count += 1
        self._delay += 1000 * (arrived_s - sent_s)
        self._smoothed = _SMOOTHING * self._smoothed + (1 - _SMOOTHING) * self._delay
        self._points.append((1000 * (at - self._first_at), self._smoothed))
        slope = self._slope
        if len(self._points) == WINDOW:
            slope = _fit(self._points) or slope
        self._detect(slope, sent_s, at)

    def _detect(self, slope: float, sent_s: float, at: float) -> None:
        trend = min(self._count, _MAX_COUNT) * slope * _GAIN
        if trend > self._threshold:
            self._over_s = sent_s / 2 if self._over_s < 0 else self._over_s + sent_s
            self._overs += 1
            is_believed = self._over_s > _OVERUSE_S and self._overs > 1 and slope >= self._slope
            if is_believed and self.is_queued:
                self._over_s, self._overs = 0.0, 0
                self.usage = Usage.OVER
        else:
            self._over_s, self._overs = -1.0, 0
            self.usage = Usage.UNDER if trend < -self._threshold else Usage.NORMAL
            if self.usage is Usage.NORMAL and self.queue.stands(at):
                self.usage = Usage.OVER
        self._slope = slope
        self._follow(abs(trend), 1000 * at)

    @property
    def is_queued(self) -> bool:
        """Tells whether a queue stands before the viewer, longer than is usual."""
        return self.queue.queue_s > self._least_queue_s

    @property
    def _least_queue_s(self) -> float:
        return _LEAST_QUEUE_S + _USUAL_TIMES * self.queue.usual_s

    def _follow(self, trend: float, at_ms: float) -> None:
        if self._threshold_at < 0:
            self._threshold_at = at_ms
        if trend <= self._threshold + _JUMP:
            speed = _FALL if trend < self._threshold else _RISE
            span = min(at_ms - self._threshold_at, 100.0)
            self._threshold += speed * (trend - self._threshold) * span
            self._threshold = min(_MOST, max(_LEAST, self._threshold))
        self._threshold_at = at_ms


def _belongs(group: _Group, one: Arrived) -> bool:
    if one.sent.at - group.first_sent_at <= BURST_S:
        return True
    # A queue that empties in one go says nothing of the line's speed.
    arrived_s, sent_s = one.at - group.arrived_at, one.sent.at - group.sent_at
    return arrived_s - sent_s < 0 and arrived_s <= BURST_S and one.at - group.arrived_at < 0.1


def _fit(points: deque[tuple[float, float]]) -> float | None:
    """Returns the slope of the least squares' line; None: all at one moment."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    over = sum((x - mean_x) * (y - mean_y) for x, y in points)
    under = sum((x - mean_x) ** 2 for x, _ in points)
    return over / under if under > 0 else None
