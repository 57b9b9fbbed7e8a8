"""When a sample was taken, on the lesson's clock. Core.

A publisher's sender reports say which RTP time was which moment on *its* clock; the worker adds how
far that clock is from ours. Until the first report (Chromium sends the first of a microphone after
2.5 s) arrival has to do: it is some milliseconds late. Afterwards reports also show how fast the
sampling clock really runs: two devices differ by up to 100 ppm, 0.3 s in an hour.

A file's own times follow the sampling clock from its first sample, bent so slowly towards the
reports that nobody hears it. Where the first sample stands on the lesson's clock is kept beside
the file and corrected when the first report is there.
"""

from __future__ import annotations

from twinclass_media.rtp.sequence import timestamp_delta

#: 500 ppm: more than devices differ, less than a semitone's hundredth.
MAX_SLEW = 0.0005
#: Reports jitter by about a millisecond: a tenth of each is believed.
REPORT_WEIGHT = 0.1
#: A jump of the RTP clock by more than this against arrival is a new clock, not a late packet.
MAX_JUMP_S = 5.0


class Timeline:
    """RTP time of one stream -> seconds. ``origin_unix``: lesson time 0."""

    def __init__(self, clock_rate: int, origin_unix: float) -> None:
        self._rate = clock_rate
        self._origin = origin_unix
        self._last = -1
        self._extended = 0
        #: Lesson time of extended RTP time 0, as arrival or reports say.
        self._offset: float | None = None
        self.is_reported = False
        self._part_first = 0
        self._part_offset = 0.0
        #: What the file's times are bent by so far, and when that was worked out.
        self._bend = 0.0
        self._bent_at = 0

    def extend(self, timestamp: int, arrived_unix: float) -> int | None:
        """Returns a timestamp without wraps; None when the clock has jumped: begin a new part."""
        if self._last >= 0:
            extended = self._extended + timestamp_delta(timestamp, self._last & 0xFFFFFFFF)
            if self._offset is not None:
                expected = arrived_unix - self._origin - self._offset
                if abs(extended / self._rate - expected) > MAX_JUMP_S:
                    self.reset()
                    return None
        else:
            extended = timestamp
        if self._last < 0 or extended > self._extended:
            self._extended, self._last = extended, timestamp
        if self._offset is None:
            self._offset = arrived_unix - self._origin - extended / self._rate
        return extended

    def reset(self) -> None:
        """Forgets the clock."""
        self._last = -1
        self._offset = None
        self.is_reported = False

    def report(self, timestamp: int, unix: float) -> float | None:
        """Takes a sender report: ``timestamp`` was at ``unix`` on our clock.

        Returns by how much the starts of the parts so far are to be corrected, when this is the
        first report; else None.
        """
        if self._last < 0 or self._offset is None:
            return None
        extended = self._extended + timestamp_delta(timestamp, self._last & 0xFFFFFFFF)
        offset = unix - self._origin - extended / self._rate
        change = offset - self._offset
        if abs(change) > MAX_JUMP_S:
            return None  # a clock that was set, or nonsense: arrival is better
        if not self.is_reported:
            self.is_reported = True
            self._offset = offset
            self._part_offset += change
            return change
        self._offset += change * REPORT_WEIGHT
        return None

    def begin_part(self, extended: int) -> float:
        """Begins a file with this sample; returns its lesson time."""
        assert self._offset is not None
        self._part_first = self._bent_at = extended
        self._part_offset = self._offset
        self._bend = 0.0
        return extended / self._rate + self._offset

    def part_time(self, extended: int) -> int:
        """Returns a sample's time in the present file, in units of the clock rate."""
        offset = self._offset if self._offset is not None else self._part_offset
        wanted = offset - self._part_offset - self._bend
        passed = max(0, extended - self._bent_at) / self._rate
        limit = passed * MAX_SLEW
        self._bend += min(max(wanted, -limit), limit)
        self._bent_at = max(self._bent_at, extended)
        return extended - self._part_first + round(self._bend * self._rate)

    def lesson_time(self, extended: int) -> float:
        """Returns when a sample was taken, as is known now."""
        return extended / self._rate + (self._offset or 0.0)
