"""The rate that arrived at a viewer: over windows, weighed by how sure each is, and just now."""

from __future__ import annotations

from collections import deque

from twinclass_media.bandwidth.sent import Arrived

#: The first window is longer: nothing is known yet to weigh it by.
_FIRST_S, _WINDOW_S = 0.5, 0.15
#: Nothing for so long: what was known is of another time.
_SILENT_S = 1.0
#: How far a window may be from the estimate before it counts little; kbit/s of variance a window.
_DOUBT, _DRIFT = 10.0, 5.0
#: What "just now" is: packets enough to say something, few enough to be of one moment.
_NOW_S, _LEAST_PACKETS = 0.2, 8


class AcknowledgedRate:
    """``bps`` is None until the first window is full."""

    __slots__ = ("_bytes", "_last_at", "_late", "_since", "_variance", "bps")

    def __init__(self) -> None:
        self.bps: float | None = None
        self._variance = 50.0
        self._bytes = 0
        self._since: float | None = None
        self._last_at = 0.0
        self._late: deque[tuple[float, int]] = deque()

    def add(self, one: Arrived) -> None:
        """Notes an arrival, in the order of arrival."""
        at, size = one.at, one.sent.size
        if self._since is None or at - self._last_at > _SILENT_S or at < self._since:
            self._since, self._bytes = at, 0
            self._late.clear()
        span = at - self._since
        if span >= (_FIRST_S if self.bps is None else _WINDOW_S):
            self._weigh(8 * self._bytes / span)
            self._since, self._bytes = at, 0
        self._bytes += size
        self._last_at = at
        self._late.append((at, size))
        while at - self._late[0][0] > _NOW_S:
            self._late.popleft()

    @property
    def just_now_bps(self) -> float | None:
        """Returns the rate of the last moment; while a queue stands before the viewer, that is what
        the line carries. None: too few packets."""
        if len(self._late) < _LEAST_PACKETS:
            return None
        span = self._late[-1][0] - self._late[0][0]
        size = sum(one for _, one in self._late) - self._late[0][1]
        return 8 * size / span if span > 0.02 else None

    def _weigh(self, sample: float) -> None:
        if self.bps is None:
            self.bps = sample
            return
        doubt = _DOUBT * abs(self.bps - sample) / max(1.0, self.bps + min(sample, 25_000))
        spread, known = doubt * doubt, self._variance + _DRIFT
        self.bps = max(0.0, (spread * self.bps + known * sample) / (spread + known))
        self._variance = spread * known / (spread + known)
