"""The rate that loss allows, and how much of the loss is not ours.

Spec: draft-ietf-rmcat-gcc-02 section 6, with one difference. A weak radio loses 3 to 15 % whatever
is sent over it, and a rate that is cut for it is cut to nothing. So a cut is an experiment: what is
lost afterwards all the same is the line's own, and is not held against the rate for a while.
"""

from __future__ import annotations

import math

#: Loss above which the rate is cut, and below which it may grow (of packets).
HIGH, LOW = 0.10, 0.02
#: Packets that a share is made of, and how long they are gathered at least.
_LEAST_PACKETS, _LEAST_S = 20, 0.3
_GROWTH_A_SECOND = 1.08
#: Of the loss before a cut: so much of it left after it was not ours.
_SAME = 0.7
#: How long a line is believed to lose by itself; then it is tried again.
_BELIEVED_S = 30.0


class LossControl:
    """``bps`` is what loss allows; infinite until it was high once."""

    __slots__ = (
        "_at", "_bound_at", "_cut_at", "_cut_loss", "_lost", "_own", "_own_until", "_packets",
        "_since", "bps", "share",
    )  # fmt: skip

    def __init__(self) -> None:
        self.bps = math.inf
        #: Of the last span that was long enough.
        self.share = 0.0
        self._packets = self._lost = 0
        self._since: float | None = None
        self._at = 0.0
        self._cut_at = -math.inf
        self._cut_loss: float | None = None
        self._own = 0.0
        self._own_until = -math.inf

    def add(self, came: int, lost: int, sending_bps: float, rtt_s: float, now: float) -> None:
        """Notes what a report says. ``sending_bps``: what is allowed now."""
        if self._since is None:
            self._since = now
        self._packets += came + lost
        self._lost += lost
        if self._packets < _LEAST_PACKETS or now - self._since < max(_LEAST_S, rtt_s):
            return
        span = now - self._since
        self.share = self._lost / self._packets
        self._packets = self._lost = 0
        self._since = now
        self._judge(sending_bps, rtt_s, span, now)

    def _judge(self, sending_bps: float, rtt_s: float, span: float, now: float) -> None:
        if self._cut_loss is not None and now - self._cut_at > rtt_s + 2 * _LEAST_S:
            if self.share >= _SAME * self._cut_loss:
                self._own, self._own_until = self.share, now + _BELIEVED_S
            self._cut_loss = None
        if now > self._own_until:
            self._own = 0.0
        ours = max(0.0, self.share - self._own)
        if ours > HIGH:
            if now - self._cut_at > rtt_s + _LEAST_S:
                self.bps = min(self.bps, sending_bps) * (1 - 0.5 * ours)
                self._cut_at, self._cut_loss = now, self.share
        elif ours < LOW and not math.isinf(self.bps):
            self.bps *= _GROWTH_A_SECOND**span
            if self.bps > 2 * sending_bps:
                self.bps = math.inf  # Delay is what holds it now.

    @property
    def own_share(self) -> float:
        """Returns the loss that the line has by itself."""
        return self._own
