"""How loud a track was over the last seconds, in bins of 40 ms.

Two packets of 20 ms a bin; what is looked for (the rise and fall of syllables) is 100 to 300 ms
long. A level's place is its packet's RTP time, put on our clock by the packets that came fastest:
lines that jitter would smear the rhythm.
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
#: RTP clock of Opus (RFC 7587 section 4.1), Hz; other sound is not negotiated.
_CLOCK_HZ = 48_000
#: A packet by so much later than the fastest, s: the sender's clock began anew.
_JUMP_S = 2.0
#: How far the two clocks are moved towards each other with each packet, as a part of how late it
#: is: quartzes differ by 100 ppm, and a line may have become longer for good.
_CREEP = 0.002
#: A line that jitters leaves bins empty: so many are as loud as the one before. A microphone that
#: sends nothing for longer is silent (Opus DTX sends one packet in 400 ms).
_HELD_BINS = 3


class Envelope:
    """The loudest level of each bin, a ring. Levels are -dBov: 0 loudest, 127 silence.

    Attributes:
        at: number of the newest bin, ``int(now * BINS_PER_S)``; -1 before the first packet.
        since: number of the first bin.
    """

    __slots__ = ("_media_s", "_offset_s", "_ring", "_timestamp", "at", "since")

    def __init__(self) -> None:
        self._ring = [SILENCE] * BINS
        self.at = -1
        self.since = -1
        self._timestamp = 0
        self._media_s = 0.0
        self._offset_s = 0.0

    def add(self, level: int, now: float, timestamp: int) -> None:
        """Takes the level (0..127) of a packet of RTP time ``timestamp`` that came at ``now``."""
        step = (timestamp - self._timestamp) & 0xFFFFFFFF
        self._timestamp = timestamp
        self._media_s += (step if step < 0x80000000 else step - 0x100000000) / _CLOCK_HZ
        late_s = now - self._media_s - self._offset_s
        if self.at < 0 or late_s < 0.0 or late_s > _JUMP_S:
            self._offset_s += late_s
        else:
            self._offset_s += late_s * _CREEP
        at = int((self._media_s + self._offset_s) * BINS_PER_S)
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
