"""Which packets of a received stream are missing, and when to ask for them again.

A gap is asked for at once, then again each round trip (at least every 20 ms), at most ten
times, for at most half a second: later the frame is not waited for any more and a keyframe is
the cheaper cure.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinclass_media.rtp.sequence import SequenceUnwrapper

#: A larger gap is a new start or a long outage; a keyframe mends that, not 300 NACKs.
MAX_GAP = 300
#: Missing packets remembered at once: half a second of a 1,000 packets/s stream.
MAX_MISSING = 500
MAX_REQUESTS = 10
MAX_AGE_S = 0.5
MIN_INTERVAL_S = 0.02
#: Reordering of one or two packets is usual; waiting this long avoids asking in vain.
REORDER_S = 0.005


@dataclass(slots=True)
class _Missing:
    since: float
    next_at: float
    requests: int = 0


class LossTracker:
    """Loss and recovery of one stream, by extended sequence number."""

    __slots__ = ("_missing", "_unwrap", "lost_for_good", "recovered")

    def __init__(self) -> None:
        self._unwrap = SequenceUnwrapper()
        self._missing: dict[int, _Missing] = {}
        self.recovered = 0
        self.lost_for_good = 0

    @property
    def waiting(self) -> bool:
        """True while something is missing."""
        return bool(self._missing)

    def received(self, sequence_number: int, now: float) -> bool:
        """Notes a packet. Returns False when the gap before it is too large to mend: the
        caller asks for a keyframe."""
        highest = self._unwrap.highest
        extended = self._unwrap.unwrap(sequence_number)
        if highest < 0 or extended <= highest:
            if self._missing.pop(extended, None) is not None:
                self.recovered += 1
            return True
        gap = extended - highest - 1
        if gap == 0:
            return True
        if gap > MAX_GAP or gap + len(self._missing) > MAX_MISSING:
            self.lost_for_good += gap + len(self._missing)
            self._missing.clear()
            return False
        for number in range(highest + 1, extended):
            self._missing[number] = _Missing(now, now + REORDER_S)
        return True

    def due(self, now: float, rtt_s: float) -> tuple[list[int], bool]:
        """Returns (16-bit numbers to ask for now, something was given up since)."""
        ask: list[int] = []
        gave_up: list[int] = []
        interval = max(MIN_INTERVAL_S, rtt_s)
        for number, missing in self._missing.items():
            if missing.requests >= MAX_REQUESTS or now - missing.since > MAX_AGE_S:
                gave_up.append(number)
            elif now >= missing.next_at:
                missing.requests += 1
                missing.next_at = now + interval
                ask.append(number & 0xFFFF)
        for number in gave_up:
            del self._missing[number]
        self.lost_for_good += len(gave_up)
        return ask, bool(gave_up)
