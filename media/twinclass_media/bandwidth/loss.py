"""The rate that loss allows, and how much of the loss is not ours.

Spec: draft-ietf-rmcat-gcc-02 section 6, with one difference. A weak radio loses 3 to 15 % whatever
is sent over it, and a rate that is cut for it is cut to nothing. So a cut without a queue is an
experiment: what is lost afterwards all the same is the line's own, and is not held against the rate
for a while. (A policer has no queue either; there a cut helps.) And what a full queue lost is over
when the queue is: where nothing but sound is sent, a probe may say that more is carried.
"""

from __future__ import annotations

import math

#: Loss above which the rate is cut, and below which it may grow (of packets).
HIGH, LOW = 0.10, 0.02
#: Packets that a share is made of, and how long they are gathered at least.
_LEAST_PACKETS, _LEAST_S = 20, 0.3
#: A share of few packets is uncertain; so many of its standard errors are taken off before a cut.
_ERRORS = 1.5
_GROWTH_A_SECOND = 1.08
#: How long an experiment lasts; both sides of it are seen over about as long.
_EXPERIMENT_S = 2.0
#: How long a line is believed to lose by itself; then it is tried again.
_BELIEVED_S = 30.0


class LossControl:
    """``bps``: what loss allows, infinite until it was high once; ``share``: lost of late;
    ``line_share``: the same of when no queue stood, so what the line loses by itself;
    ``is_of_queue``: the last cut was for what a queue lost."""

    __slots__ = (
        "_after_lost",
        "_after_packets",
        "_before",
        "_cut_at",
        "_hoped",
        "_lost",
        "_mean",
        "_own",
        "_own_until",
        "_packets",
        "_since",
        "_was_queued",
        "bps",
        "is_of_queue",
        "line_share",
        "share",
    )

    def __init__(self) -> None:
        self.bps = math.inf
        self.share = self.line_share = 0.0
        self._was_queued = False
        self.is_of_queue = False
        self._packets = self._lost = 0
        self._since: float | None = None
        self._mean: float | None = None
        self._cut_at = -math.inf
        #: Mean loss before the cut that is being tried.
        self._before: float | None = None
        self._hoped = 0.0
        self._after_packets = self._after_lost = 0
        self._own = 0.0
        self._own_until = -math.inf

    def add(
        self, came: int, lost: int, sending_bps: float, rtt_s: float, now: float, *, queued: bool
    ) -> None:
        """Notes what a report says. ``sending_bps``: what is allowed now.

        ``queued``: a queue stands before the viewer, so what is lost is lost there, and ours.
        """
        if self._since is None:
            self._since = now
        self._packets += came + lost
        self._lost += lost
        self._was_queued = self._was_queued or queued
        span = now - self._since
        if self._packets < _LEAST_PACKETS or span < max(_LEAST_S, rtt_s):
            return
        self.share = self._lost / self._packets
        error = math.sqrt(self.share * (1 - self.share) / self._packets)
        if self._mean is None:
            self._mean = self.share
        self._mean += min(1.0, span / _EXPERIMENT_S) * (self.share - self._mean)
        if self._before is not None and now - span >= self._cut_at + rtt_s:
            self._after_packets += self._packets
            self._after_lost += self._lost
        was_queued, self._was_queued = self._was_queued, False
        if not was_queued:
            self.line_share = self.share
        self._packets = self._lost = 0
        self._since = now
        self._end_experiment(now)
        ours = self.share - self._own
        if ours - _ERRORS * error > HIGH:
            self._cut(ours, sending_bps, rtt_s, now, queued=queued)
        elif ours < LOW and not math.isinf(self.bps):
            self.bps *= _GROWTH_A_SECOND**span
            if self.bps > 2 * sending_bps:
                self.bps = math.inf  # Delay is what holds it now.

    def forgive_queue(self) -> None:
        """A probe has proven more than is sent, so what a queue lost once is no limit any more."""
        if self.is_of_queue:
            self.bps = math.inf

    def _end_experiment(self, now: float) -> None:
        is_over = now - self._cut_at >= _EXPERIMENT_S and self._after_packets >= _LEAST_PACKETS
        if self._before is not None and is_over:
            after = self._after_lost / self._after_packets
            # What a line that is too narrow would lose now, and what one that loses by itself.
            if after > (self._before + self._hoped) / 2:
                self._own, self._own_until = after, now + _BELIEVED_S
                self.bps = math.inf  # The cut was in vain.
            self._before = None
        if now > self._own_until:
            self._own = 0.0

    def _cut(
        self, ours: float, sending_bps: float, rtt_s: float, now: float, *, queued: bool
    ) -> None:
        if now - self._cut_at < (rtt_s + _LEAST_S if queued else _EXPERIMENT_S):
            return
        left = 1 - 0.5 * ours
        self.bps = min(self.bps, sending_bps) * left
        self.is_of_queue = queued
        self._cut_at = now
        self._before = None if queued else self._mean
        if self._before is not None:
            self._hoped = max(0.0, 1 - (1 - self._before) / left)
            self._after_packets = self._after_lost = 0
