"""Reception statistics of one stream, as receiver reports want them.

Spec: RFC 3550 section 6.4.1, appendices A.3 (loss) and A.8 (jitter).
"""

from __future__ import annotations

from twinclass_media.rtp.rtcp import ReportBlock, SenderInfo
from twinclass_media.rtp.sequence import SequenceUnwrapper


class Reception:
    """Counts one SSRC. ``clock_rate`` in Hz."""

    __slots__ = (
        "_base",
        "_clock_rate",
        "_expected_before",
        "_jitter",
        "_last_sr",
        "_last_sr_at",
        "_received_before",
        "_transit",
        "_unwrap",
        "loss",
        "octets",
        "received",
        "sender",
        "sender_at",
    )

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._unwrap = SequenceUnwrapper()
        self._base = -1
        self._expected_before = 0
        self._received_before = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._last_sr = 0
        self._last_sr_at = 0.0
        self.received = 0
        self.octets = 0
        #: Fraction lost in the last report period, 0..1.
        self.loss = 0.0
        self.sender: SenderInfo | None = None
        self.sender_at = 0.0

    def add(self, sequence_number: int, timestamp: int, size: int, now: float) -> None:
        """Counts a packet of ``size`` bytes."""
        extended = self._unwrap.unwrap(sequence_number)
        if self._base < 0:
            self._base = extended
        self.received += 1
        self.octets += size
        transit = now * self._clock_rate - timestamp
        if self._transit is not None:
            d = abs(transit - self._transit)
            if d < self._clock_rate:  # a wrapped timestamp or a pause is no jitter
                self._jitter += (d - self._jitter) / 16
        self._transit = transit

    def add_sender_report(self, info: SenderInfo, now: float) -> None:
        """Notes the sender's clock mapping."""
        self.sender = info
        self.sender_at = now
        self._last_sr = info.ntp >> 16 & 0xFFFFFFFF
        self._last_sr_at = now

    def report(self, ssrc: int, now: float) -> ReportBlock:
        """Returns the block for the period since the last call."""
        highest = self._unwrap.highest
        expected = highest - self._base + 1 if self._base >= 0 else 0
        period = expected - self._expected_before
        lost = max(0, period - (self.received - self._received_before))
        self._expected_before = expected
        self._received_before = self.received
        self.loss = min(1.0, lost / period) if period > 0 else 0.0
        cumulative = max(-0x800000, min(0x7FFFFF, expected - self.received))
        delay = int((now - self._last_sr_at) * 65536) if self._last_sr else 0
        return ReportBlock(
            ssrc,
            min(255, int(self.loss * 256)),
            cumulative,
            # The count starts at one cycle; the wire starts at zero (RFC 3550 A.1).
            max(0, highest - 0x10000) & 0xFFFFFFFF,
            int(self._jitter),
            self._last_sr,
            delay,
        )
