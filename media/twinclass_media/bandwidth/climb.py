"""Layers that a line did not carry: barred for a while, so that a picture does not swing.

Each change of layer needs a keyframe of everybody's publisher.
"""

from __future__ import annotations

import math

#: A layer left within this time of being taken up was too much; it is barred for so long, twice as
#: long each time, up to the last.
SOON_S, BAR_S, MOST_BAR_S = 10.0, 8.0, 64.0


class Climb:
    """How a track went up and down on one viewer's line."""

    __slots__ = ("_bar_s", "_barred_layer", "_barred_until", "_raised_at")

    def __init__(self) -> None:
        self._raised_at = -math.inf
        self._barred_layer = 0
        self._barred_until = -math.inf
        self._bar_s = 0.0

    def moves(self, before: int, after: int, now: float) -> None:
        """Its ceiling goes from a layer to another one; -1: none."""
        if after > before:
            self._raised_at = now
        elif 0 <= after < before and now - self._raised_at < SOON_S:
            self._bar_s = min(MOST_BAR_S, max(BAR_S, 2 * self._bar_s))
            self._barred_layer, self._barred_until = before, now + self._bar_s
            # A line that falls, or falls on, to a layer lower still says nothing of those between.
            self._raised_at = -math.inf
        elif now - self._barred_until > MOST_BAR_S:
            self._bar_s = 0.0

    def is_barred(self, now: float) -> bool:
        """Tells whether any layer is barred."""
        return now < self._barred_until

    def most(self, layer: int, now: float) -> int:
        """Returns the highest layer up to ``layer`` that is not barred."""
        return min(layer, self._barred_layer - 1) if self.is_barred(now) else layer
