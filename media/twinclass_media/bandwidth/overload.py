"""Which layers nobody gets because this worker cannot send them all in time.

Sound goes before pictures, so pictures show first that a core is short. Then the highest layer is
sent to nobody, then the next; the lowest always is. It comes back step by step.
"""

from __future__ import annotations

#: A picture that leaves later than the next one comes: more arrives than can be sent.
LATE_S = 0.033
#: One late look may be a keyframe for everybody, or the machine's doing. Looks are a tenth of a
#: second apart.
LATE_LOOKS = 3
#: A layer that was taken away is tried again after so long without a late look; where that was too
#: much, after twice as long, up to the last.
RECOVER_S, MOST_RECOVER_S = 10.0, 160.0
#: More layers than any camera has.
ALL = 8


class Overload:
    """One worker's. ``most``: the highest layer that anybody gets; ``ALL``: no bound."""

    __slots__ = ("_late", "_raised_at", "_recover_s", "_since", "most")

    def __init__(self) -> None:
        self.most = ALL
        self._late = 0
        self._since = 0.0
        self._raised_at = -1e9
        self._recover_s = RECOVER_S

    def look(self, late_s: float, top: int, now: float) -> bool:
        """Takes how late pictures left at most since the last look; tells whether ``most`` has
        changed. ``top``: the highest layer that any camera has."""
        if late_s > LATE_S:
            self._late += 1
            self._since = now
            given = min(self.most, top)
            if self._late < LATE_LOOKS or given <= 0:
                return False
            self._late = 0
            if now - self._raised_at < self._recover_s:
                self._recover_s = min(MOST_RECOVER_S, 2 * self._recover_s)
            self.most = given - 1
            return True
        self._late = 0
        if self.most == ALL or now - self._since < self._recover_s:
            return False
        self._since = self._raised_at = now
        self.most = self.most + 1 if self.most + 1 < top else ALL
        return True
