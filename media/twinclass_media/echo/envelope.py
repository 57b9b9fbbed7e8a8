"""How loud a track was over the last seconds, in bins of 40 ms.

Two packets of 20 ms a bin: arrival times jitter by about one packet, and what is looked for (the
rise and fall of syllables) is 100 to 300 ms long.
"""

from __future__ import annotations

#: Bins a second.
BINS_PER_S = 25
#: 2.56 s: a window of a second, the longest way of an echo, and the growth of a howl before it.
#: A power of two, so that a bin's place is a mask.
BINS = 64
_MASK = BINS - 1
#: -dBov of digital silence (RFC 6464 section 3).
SILENCE = 127
#: A line that jitters leaves bins empty: so many are as loud as the one before. A microphone that
#: sends nothing for longer is silent (Opus DTX sends one packet in 400 ms).
_HELD_BINS = 3


class Envelope:
    """The loudest level of each bin, a ring. Levels are -dBov: 0 loudest, 127 silence.

    Attributes:
        at: number of the newest bin, ``int(now * BINS_PER_S)``; -1 before the first packet.
        since: number of the first bin.
    """

    __slots__ = ("_ring", "at", "since")

    def __init__(self) -> None:
        self._ring = [SILENCE] * BINS
        self.at = -1
        self.since = -1

    def add(self, level: int, now: float) -> None:
        """Takes the level (0..127) of a packet that came at ``now``."""
        at = int(now * BINS_PER_S)
        if at == self.at:
            place = at & _MASK
            self._ring[place] = min(self._ring[place], level)
        elif at > self.at:
            self._advance(at, level)

    def _advance(self, at: int, level: int) -> None:
        if self.at < 0:
            self.since = at
        else:
            missing = at - self.at - 1
            filling = self._ring[self.at & _MASK] if missing <= _HELD_BINS else SILENCE
            for skipped in range(max(self.at + 1, at - BINS), at):
                self._ring[skipped & _MASK] = filling
        self._ring[at & _MASK] = level
        self.at = at

    def last(self, count: int, end: int) -> list[int]:
        """Returns the ``count`` bins before bin ``end`` (not included), oldest first.

        ``count`` is at most ``BINS``. Bins before the first packet are silent. Bins after the
        newest packet are as loud as it where that is a moment ago, else silent.
        """
        if self.at < 0 or end - self.at > BINS:
            return [SILENCE] * count
        late = max(0, end - 1 - self.at)
        kept = max(0, min(count - late, BINS))
        newest = min(self.at + 1, end)
        start = newest - kept
        first, stop = start & _MASK, newest & _MASK
        ring = self._ring
        if kept == 0:
            found: list[int] = []
        elif first < stop:
            found = ring[first:stop]
        else:
            found = ring[first:] + ring[:stop]
        if late == 0:
            return found
        filling = ring[self.at & _MASK] if late <= _HELD_BINS else SILENCE
        return found + [filling] * (count - kept)
