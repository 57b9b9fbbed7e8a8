"""How many of the packets of sound before it each packet of sound brings along (RFC 2198).

One lost packet in a thousand is a click every twenty seconds, and 24 kbit/s are nothing where there
is room. Where there is none, the smallest picture comes first; and what a full line loses is not
mended by sending more.
"""

from __future__ import annotations

import math

#: One is brought along until a line has lost nothing, less than the first, for the second.
LOSS, QUIET_S = 0.003, 60.0
#: Where the smallest picture needs the room: only while so much is lost.
NARROW_LOSS = 0.02
#: Two, while so much is lost, and for so long after it.
HEAVY_LOSS, HEAVY_S = 0.06, 10.0


class Repetition:
    """Decides it for one viewer. ``packets``: how many now."""

    __slots__ = ("_heavily_lost_at", "_lost_at", "packets")

    def __init__(self) -> None:
        self.packets = 0
        self._lost_at = self._heavily_lost_at = -math.inf

    def begin(self, now: float) -> None:
        """Sound is about to be sent on a line of which nothing is known."""
        self._lost_at, self.packets = now, 1

    def lost(self, share: float, now: float) -> None:
        """Notes a share of packets lost, 0 to 1."""
        if share > LOSS:
            self._lost_at = now
        if share > HEAVY_LOSS:
            self._heavily_lost_at = now

    def look(self, share: float, now: float, *, is_full: bool, is_narrow: bool) -> bool:
        """Decides by the share of packets lost now; tells whether ``packets`` has changed.

        Args:
            share: of the packets, 0 to 1.
            now: any clock, in seconds.
            is_full: more is sent than the line carries.
            is_narrow: a better picture is wanted than the line carries.
        """
        before = self.packets
        if is_full:
            self.packets = 0 if is_narrow else before
            return self.packets != before
        self.lost(share, now)
        if now - self._heavily_lost_at < HEAVY_S:
            self.packets = 2
        elif is_narrow:
            self.packets = int(share > NARROW_LOSS)
        else:
            self.packets = int(now - self._lost_at < QUIET_S)
        return self.packets != before
