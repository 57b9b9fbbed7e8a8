"""The rate that arrived at a viewer: windows of 150 ms, weighed by how sure each is."""

from __future__ import annotations

from twinclass_media.bandwidth.sent import Arrived

#: The first window is longer: nothing is known yet to weigh it by.
_FIRST_S, _WINDOW_S = 0.5, 0.15
#: Nothing for so long: what was known is of another time.
_SILENT_S = 1.0
#: How far a window may be from the estimate before it counts little; kbit/s of variance a window.
_DOUBT, _DRIFT = 10.0, 5.0


class AcknowledgedRate:
    """``bps`` is None until the first window is full."""

    __slots__ = ("_bytes", "_last_at", "_since", "_variance", "bps")

    def __init__(self) -> None:
        self.bps: float | None = None
        self._variance = 50.0
        self._bytes = 0
        self._since: float | None = None
        self._last_at = 0.0

    def add(self, one: Arrived) -> None:
        """Notes an arrival, in the order of arrival."""
        if self._since is None or one.at - self._last_at > _SILENT_S or one.at < self._since:
            self._since, self._bytes = one.at, 0
        span = one.at - self._since
        if span >= (_FIRST_S if self.bps is None else _WINDOW_S):
            self._weigh(8 * self._bytes / span)
            self._since, self._bytes = one.at, 0
        self._bytes += one.sent.size
        self._last_at = one.at

    def _weigh(self, sample: float) -> None:
        if self.bps is None:
            self.bps = sample
            return
        doubt = _DOUBT * abs(self.bps - sample) / max(1.0, self.bps + min(sample, 25_000))
        spread, known = doubt * doubt, self._variance + _DRIFT
        self.bps = max(0.0, (spread * self.bps + known * sample) / (spread + known))
        self._variance = spread * known / (spread + known)
