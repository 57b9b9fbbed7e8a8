"""What a viewer's line carries, from what was sent and what the viewer says came (RFC 8888's and
the transport-wide feedback's facts: number, sent, arrived).

Spec: draft-ietf-rmcat-gcc-02. Sans-I/O: times are given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from twinclass_media.bandwidth.acknowledged import AcknowledgedRate
from twinclass_media.bandwidth.delay import DelayGradient, Usage
from twinclass_media.bandwidth.loss import LossControl
from twinclass_media.bandwidth.probe import Plan, Probes
from twinclass_media.bandwidth.rate import RateControl
from twinclass_media.bandwidth.sent import Arrived, Sent, SentLog
from twinclass_media.rtp.transport_cc import Report

#: What a line is believed to carry before anything is known: sound, and the smallest picture.
START_BPS = 300_000.0
#: Two voices and nothing else; below it nothing is left to send less of.
FLOOR_BPS = 40_000.0
#: Time from the first packet to its report; without any, the line is thought to be far.
_START_RTT_S = 0.2
#: Reports come every 50 to 250 ms. None for so long while something is in flight: the line is cut,
#: or so full that it is as good as cut.
SILENT_S = 0.75
#: While silent, this share is left each second.
_SILENT_SHARE = 0.5
#: How often more may be tried; doubled as long as it comes to nothing.
_PROBE_S, _PROBE_MOST_S = 2.0, 8.0
#: After a probe that has proven more, the next may come so soon.
_NEXT_S = 0.3
#: A probe that proved less than this share of what it tried has found what the line carries: more
#: is not there now, and the next one would be but a queue. (A line is always cut to less than it
#: carries, so each probe proves a little: measured, one of 300 kbit/s was probed every second, and
#: the queue swung between 0 and 280 ms.)
_ENOUGH = 0.8
#: A probe that was too much leaves a queue, which is gone after so long.
_DRAIN_S = 0.2


class Estimator:
    """One viewer's. ``target_bps`` is what may be sent now."""

    __slots__ = (
        "_acknowledged",
        "_delay",
        "_has_probed",
        "_hole_since",
        "_hole_until",
        "_last_report_at",
        "_last_sent_at",
        "_loss",
        "_own_queue_until",
        "_probe_at",
        "_probe_wait_s",
        "_probed_bps",
        "_probes",
        "_rate",
        "_sent",
        "rtt_s",
    )

    def __init__(self, now: float, start_bps: float = START_BPS) -> None:
        self._sent = SentLog()
        self._delay = DelayGradient()
        self._acknowledged = AcknowledgedRate()
        self._rate = RateControl(start_bps, FLOOR_BPS)
        self._loss = LossControl()
        self._probes = Probes()
        self.rtt_s = _START_RTT_S
        self._last_report_at = now
        self._last_sent_at = -math.inf
        self._hole_since: float | None = None
        #: What was sent before went into a hole: its loss tells nothing of what the line carries.
        self._hole_until = -math.inf
        self._probe_at = now
        self._probe_wait_s = _PROBE_S
        self._probed_bps = 0.0
        self._own_queue_until = -math.inf
        self._has_probed = False

    @property
    def next_number(self) -> int:
        """Returns the transport-wide number that the next packet gets."""
        return self._sent.next_number

    @property
    def is_new(self) -> bool:
        """Tells whether nothing was tried yet, or not since the line was cut."""
        return not self._has_probed

    @property
    def target_bps(self) -> float:
        """Returns what may be sent now, bit/s."""
        return max(FLOOR_BPS, min(self._rate.bps, self._loss.bps))

    @property
    def acknowledged_bps(self) -> float:
        """Returns what arrives, bit/s; 0: not known."""
        return self._acknowledged.bps or 0.0

    @property
    def lost_share(self) -> float:
        """Returns the share of packets that was lost lately."""
        return self._loss.share

    @property
    def line_lost_share(self) -> float:
        """Returns the share that the line lost by itself, without a queue."""
        return self._loss.line_share

    @property
    def is_queued(self) -> bool:
        """Tells whether a queue stands before the viewer now."""
        return self._delay.is_queued

    @property
    def is_crowded(self) -> bool:
        """Tells whether that queue is long: more is sent than the line carries."""
        return self._delay.queue.is_long

    @property
    def is_silent(self) -> bool:
        """Tells whether nothing is heard of what was sent."""
        return self._hole_since is not None

    # ---- what happens

    def resume(self, start_bps: float, now: float) -> None:
        """Begins anew on the same line, after a time in which nothing was numbered.

        Numbers go on: receivers take one below those before for a packet that is late, and say
        nothing of it (Chromium: for seconds). So does the delay of the empty line: a queue that
        already stands would be taken for it, and what the queue loses for loss of the line.
        """
        self._rate = RateControl(start_bps, FLOOR_BPS)
        self._loss = LossControl()
        self._acknowledged = AcknowledgedRate()
        self._probes = Probes()
        self._delay.resume()
        self._last_report_at, self._last_sent_at, self._hole_since = now, -math.inf, None
        self._probe_at, self._probe_wait_s = now, _PROBE_S
        self._own_queue_until, self._has_probed = -math.inf, False

    def moved(self, now: float) -> None:
        """The viewer is on another path: its empty line has another delay, and what is still on its
        way on the one before may be lost. After a silence nothing is known of what it carries."""
        if self.is_silent:
            self.resume(max(START_BPS, self._rate.bps), now)
        self._delay = DelayGradient()
        self._hole_until = now

    def sent(self, size: int, now: float) -> int:
        """Notes a packet of ``size`` bytes on the line; returns its transport-wide number."""
        if now - self._last_sent_at > SILENT_S:
            # Nothing was there to report on.
            self._last_report_at = max(self._last_report_at, now)
        self._last_sent_at = now
        return self._sent.add(now, size, self._probes.label(now))

    def reported(self, reports: Iterable[Report], now: float) -> None:
        """Takes a feedback of the viewer."""
        arrived, lost = self._sent.take(reports)
        if not arrived:
            return
        self._last_report_at = now
        self._measure_rtt(arrived, now)
        if self._hole_since is not None:
            self._come_back(now)
        proven: float | None = None
        was_over = False
        for one in arrived:
            self._acknowledged.add(one)
            was_over = self._delay.add(one) is Usage.OVER or was_over
            proven = self._probes.add(one) or proven
        usage = Usage.OVER if was_over else self._delay.usage
        carried = self._acknowledged.bps
        if usage is Usage.OVER and now < self._own_queue_until:
            usage = Usage.NORMAL  # The probe's own queue; it goes by itself.
        if usage is Usage.OVER:
            # A queue stands: what comes out of it now is what the line carries.
            carried = self._acknowledged.just_now_bps or carried
        self._rate.update(usage, carried, self.rtt_s, now)
        self._loss.add(
            *(len(arrived), self._of_late(lost, now), self.target_bps, self.rtt_s, now),
            queued=self._delay.is_queued,
        )
        if proven is not None:
            self._prove(proven if usage is not Usage.OVER else 0.0, now)

    def tick(self, now: float) -> None:
        """Looks at the time, at least ten times a second while something is sent."""
        is_sending = now - self._last_sent_at < SILENT_S
        if not is_sending or now - self._last_report_at < max(SILENT_S, 3 * self.rtt_s):
            return
        if self._hole_since is None or now - self._hole_since > 1.0:
            self._hole_since = now
            self._rate.set(self._rate.bps * _SILENT_SHARE)

    # ---- probes

    def probe(self, wanted_bps: float, now: float, *, eager: bool = False) -> Plan | None:
        """Returns a probe to send now when ``wanted_bps`` is more than may be sent; None: not now.

        The caller sends it as padding or repairs, beside what media there is. ``eager``: little is
        sent, so much depends on it.
        """
        if wanted_bps <= self.target_bps or self._probes.is_running(now):
            return None
        if now < self._probe_at - (self._probe_wait_s - _PROBE_S if eager else 0.0):
            return None
        if self.is_silent or self._delay.usage is not Usage.NORMAL:
            return None
        if self._loss.bps < wanted_bps and not (eager and self._loss.is_of_queue):
            return None
        self._has_probed = True
        self._probe_at = now + self._probe_wait_s
        plan = self._probes.begin(*(wanted_bps, self.target_bps, self._delay.queue.usual_s, now))
        self._probed_bps = plan.bps
        self._own_queue_until = now + plan.span_s + self.rtt_s + _DRAIN_S
        return plan

    def probe_sent(self) -> None:
        """The last packet of a probe has left."""
        self._probes.end()

    def _prove(self, bps: float, now: float) -> None:
        is_more = bps > self._rate.bps
        if is_more:
            self._rate.set(bps)
            self._loss.forgive_queue()
        if is_more and bps >= _ENOUGH * self._probed_bps:
            self._probe_wait_s = _PROBE_S
            self._probe_at = now + _NEXT_S
        else:
            self._probe_wait_s = min(_PROBE_MOST_S, 2 * self._probe_wait_s)

    # ---- inside

    def _come_back(self, now: float) -> None:
        """The line is there again; it may carry what it did, so that is tried at once."""
        self._hole_since, self._hole_until = None, now
        self._delay = DelayGradient()
        self._acknowledged = AcknowledgedRate()
        self._probe_at, self._probe_wait_s = now, _PROBE_S
        self._has_probed = False

    def _measure_rtt(self, arrived: list[Arrived], now: float) -> None:
        # From the last that came: the viewer held the others until it reported.
        sample = max(0.001, now - max(one.sent.at for one in arrived))
        self.rtt_s = min(2.0, 0.9 * self.rtt_s + 0.1 * sample)

    def _of_late(self, lost: list[Sent], now: float) -> int:
        """Counts the lost, each while it is new: a number is reported as missing only once by
        browsers, but repeated by others."""
        since = max(self._hole_until, now - 1.0 - self.rtt_s)
        return sum(1 for one in lost if one.at > since)
