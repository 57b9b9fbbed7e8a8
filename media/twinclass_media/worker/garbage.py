"""When a worker looks for garbage.

Python's collector now and then looks at every object that there is: with a thousand viewers of a
wall that holds up everybody's sound for 70 to 140 ms (measured). Peers and rows are free of cycles
once they are removed (a test holds them to it), so nothing waits for that pass but what exceptions
and tasks leave behind. Young objects are looked at every second, the old ones while nobody sends.
"""

from __future__ import annotations

import gc

YOUNG_S = 1.0
#: Nothing was sent for so long: between lessons.
REST_S = 10.0
#: Two whole passes are so far apart at least.
WHOLE_S = 60.0


class Garbage:
    """Takes the collector's place in this process."""

    def __init__(self, now: float) -> None:
        self._young_at = now + YOUNG_S
        self._whole_at = now + WHOLE_S
        self._packets = 0
        self._moved_at = now

    def begin(self) -> None:
        """What start-up made stays."""
        gc.collect()
        gc.freeze()
        gc.disable()

    def tick(self, packets_out: int, now: float) -> None:
        """Looks, when it is time. ``packets_out``: sent so far."""
        if packets_out != self._packets:
            self._packets, self._moved_at = packets_out, now
        if now - self._moved_at > REST_S and now >= self._whole_at:
            self._young_at, self._whole_at = now + YOUNG_S, now + WHOLE_S
            gc.collect()
        elif now >= self._young_at:
            self._young_at = now + YOUNG_S
            gc.collect(1)
