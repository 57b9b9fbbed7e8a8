"""Asks a source for keyframes, but never often.

All who need one (viewers, late joiners, switches, the recorder) merge into one wish per layer;
a bucket lets two pass at once and one a second on average. A source that does not answer is
asked again when the bucket allows, which is the patience it deserves.
"""

from __future__ import annotations

#: Requests in a burst, and per second on average (design bound: 1/s over 10 s, bursts of 2).
BURST = 2.0
RATE_PER_S = 1.0
#: No second request within this time of the last one, wished or not: the first is on its way.
MIN_GAP_S = 0.3


class KeyframeThrottle:
    """The wish and the bucket of one layer."""

    __slots__ = ("_asked_at", "_filled_at", "_tokens", "wished")

    def __init__(self) -> None:
        self.wished = False
        self._tokens = BURST
        self._filled_at = 0.0
        self._asked_at = -1e9

    def wish(self) -> None:
        """Somebody needs a keyframe."""
        self.wished = True

    def arrived(self) -> None:
        """A keyframe came: whoever wished for it has it."""
        self.wished = False

    def take(self, now: float) -> bool:
        """True when a request is to be sent now; the wish stays until a keyframe arrives."""
        if not self.wished:
            return False
        self._tokens = min(BURST, self._tokens + (now - self._filled_at) * RATE_PER_S)
        self._filled_at = now
        if self._tokens < 1.0 or now - self._asked_at < MIN_GAP_S:
            return False
        self._tokens -= 1.0
        self._asked_at = now
        return True
