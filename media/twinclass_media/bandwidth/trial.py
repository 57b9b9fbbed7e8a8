"""What a viewer gets that only says what it could take (REMB): less at its word, more by trying.

Such a word follows what arrives (one and a half times that, measured in Chromium), so it can never
prove that the next layer fits. It is tried, ever more seldom when that comes to nothing.

Spec: draft-alvestrand-rmcat-remb-03.
"""

from __future__ import annotations

import math

from twinclass_media.bandwidth.watch import NARROW

_WAIT_S, _MOST_S = 10.0, 80.0
#: A word right after a change is about what was before it.
_STALE_S = 1.0


class Trial:
    """``target_bps``: infinite until the viewer asked for less."""

    __slots__ = ("_since", "_wait_s", "target_bps")

    def __init__(self) -> None:
        self.target_bps = math.inf
        self._since = -math.inf
        self._wait_s = _WAIT_S

    def told(self, could_take_bps: float, sending_bps: float, now: float) -> None:
        """The viewer said what it could take."""
        if could_take_bps >= NARROW * sending_bps or now - self._since < _STALE_S:
            return
        if math.isinf(self.target_bps):
            # It was tried, or had never been needed.
            was_long_ago = now - self._since > 2 * _MOST_S
            self._wait_s = _WAIT_S if was_long_ago else min(_MOST_S, 2 * self._wait_s)
        self.target_bps = could_take_bps
        self._since = now

    def tick(self, now: float) -> None:
        """Looks at the time, once a second."""
        if not math.isinf(self.target_bps) and now - self._since > self._wait_s:
            self.target_bps, self._since = math.inf, now
