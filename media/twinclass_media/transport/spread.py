"""Large pictures leave a part at a time, so that they do not overrun their viewers' lines.

A keyframe of slides is a hundred packets and more. Sent at once to a class with a line of 10 Mbit/s
it would stand before the sound of a tenth of a second, or be lost to a short queue. Lines that are
watched have a pacer each (``bandwidth.pacer``); for all others this is one for all viewers of a
picture, which costs nothing per viewer.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from twinclass_media.forward.layer import PACKET_OVERHEAD_BYTES, Layer
from twinclass_media.forward.producer import Burst
from twinclass_media.forward.shape import Shape

#: A little more than the line of 10 Mbit/s that a school has at least; a layer that takes more than
#: half of it is sent at twice its own rate.
RATE_BPS, LEAST_HEADROOM = 12_000_000.0, 2.0
#: So much leaves at once: 30 KB, which is four ordinary frames.
FREE_S = 0.02
#: Packets of a part. Segmentation gains little beyond.
PART_PACKETS = 12
#: Nothing waits longer than this, whatever its size: a decoder waits for all of a picture.
MOST_S = 0.25


class Waiting(NamedTuple):
    """A burst that leaves later. ``due``: when; ``at``: arrival of its first packet."""

    due: float
    burst: Burst
    shape: Shape
    at: float


@dataclass(slots=True)
class _Lane:
    """What goes to the viewers of one shape. ``until``: when a line of the rate is through."""

    until: float = 0.0
    waiting: deque[Waiting] = field(default_factory=deque[Waiting])


class Spread:
    """Live bursts of all pictures. Not for what single viewers get beside them."""

    def __init__(self) -> None:
        self._lanes: dict[Layer, dict[Shape, _Lane]] = {}
        self._waiting: set[Layer] = set()

    @property
    def is_empty(self) -> bool:
        """Nothing waits."""
        return not self._waiting

    def put(self, burst: Burst, shape: Shape, at: float, now: float) -> Burst | None:
        """Takes a burst; returns what of it leaves now."""
        layer = burst.layer
        lanes = self._lanes.get(layer)
        if lanes is None:
            lanes = self._lanes[layer] = {}
        lane = lanes.get(shape)
        if lane is None:
            lane = lanes[shape] = _Lane()
        byte_s = 8 / max(RATE_BPS, LEAST_HEADROOM * layer.rate_bps)
        lane.until = max(lane.until, now)
        entries = burst.entries
        size = sum(len(entry.payload) for entry in entries) + PACKET_OVERHEAD_BYTES * len(entries)
        if not lane.waiting and lane.until - now + size * byte_s <= FREE_S:
            lane.until += size * byte_s
            return burst
        ready = 0
        for first in range(0, len(entries), PART_PACKETS):
            part = entries[first : first + PART_PACKETS]
            due = min(lane.until - FREE_S, now + MOST_S)
            if due <= now and not lane.waiting:
                ready = first + len(part)
            else:
                lane.waiting.append(Waiting(due, burst._replace(entries=part), shape, at))
            lane.until += byte_s * sum(len(e.payload) + PACKET_OVERHEAD_BYTES for e in part)
        if lane.waiting:
            self._waiting.add(layer)
        return burst._replace(entries=entries[:ready]) if ready else None

    def due(self, now: float) -> list[Waiting]:
        """Returns what leaves now, in order."""
        found: list[Waiting] = []
        for layer in list(self._waiting):
            is_left = False
            for lane in self._lanes[layer].values():
                while lane.waiting and lane.waiting[0].due <= now:
                    found.append(lane.waiting.popleft())
                is_left = is_left or bool(lane.waiting)
            if not is_left:
                self._waiting.discard(layer)
        return found

    def forget(self, layer: Layer) -> None:
        """A picture has ended."""
        self._lanes.pop(layer, None)
        self._waiting.discard(layer)
