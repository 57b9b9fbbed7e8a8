"""A viewer's line while it is watched: what went out under which number, and what waits.

Numbers count over all tracks of a transport (transport-wide); sound passes what waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from twinclass_media.bandwidth.estimator import Estimator
from twinclass_media.bandwidth.pacer import Pacer
from twinclass_media.bandwidth.probe import Plan
from twinclass_media.bandwidth.watch import Watch
from twinclass_media.transport.deferred import Deferred

#: IPv4 and UDP headers; SRTP's tag is in the packet.
IP_BYTES = 28
#: Below it spreading would hold up what is there to be sent: a small picture.
LEAST_PACE_BPS = 60_000.0
#: Of what a line carries, for repairs: enough for 15 % loss and what is lost of the repairs.
REPAIR_SHARE, REPAIR_BURST_S = 0.25, 0.2


class Line:
    """One viewer's, from when watching begins until it ends."""

    __slots__ = (
        "_repairs",
        "_repairs_at",
        "_watch",
        "estimator",
        "look_at",
        "needed_bps",
        "pacer",
        "probe",
        "still_at",
        "still_first",
    )

    def __init__(self, watch: Watch, now: float) -> None:
        self._watch = watch
        self.estimator = Estimator(now, watch.start_bps)
        self.pacer: Pacer[Deferred] = Pacer(watch.start_bps, now)
        #: (when, bytes) of the packets of a probe that are still to be sent.
        #: When it is looked at next, and what is sent over it.
        self.look_at = now
        self.needed_bps = 0.0
        #: When the next single picture is due, and the number that the last one began with.
        self.still_at = now
        self.still_first = -1
        self._repairs = 0.0
        self._repairs_at = now
        self.probe: deque[tuple[float, int]] = deque()

    def resume(self, now: float) -> None:
        """It is watched again."""
        self.estimator.resume(self._watch.start_bps, now)
        self.pacer = Pacer(self._watch.start_bps, now)
        self.probe.clear()
        self.look_at = self.still_at = now
        self.needed_bps = 0.0

    @property
    def next_number(self) -> int:
        """Returns the transport-wide number of the packet that is sent next."""
        return self.estimator.next_number

    @property
    def is_waiting(self) -> bool:
        """Tells whether something is to be sent later."""
        return bool(self.probe) or not self.pacer.is_empty

    def sent(self, sizes: Iterable[int], now: float) -> None:
        """Notes packets of these bytes (protected), in the order of their numbers."""
        count = 0
        for size in sizes:
            self.estimator.sent(size + IP_BYTES, now)
            count += 1
        self._watch.numbered(count)

    def may_repair(self, size: int, now: float) -> bool:
        """Tells whether a packet of ``size`` bytes may go out once more.

        What a full line loses is not mended by sending more of it (measured: repairs alone kept a
        queue full for five seconds after the picture had been taken away).
        """
        rate = REPAIR_SHARE * self.estimator.target_bps / 8
        room = self._repairs + rate * (now - self._repairs_at)
        self._repairs, self._repairs_at = min(room, rate * REPAIR_BURST_S), now
        if self._repairs <= 0:
            return False
        self._repairs -= size
        return True

    def begin_probe(self, plan: Plan, now: float) -> None:
        """Plans the packets of a probe."""
        gap = plan.span_s / plan.packets
        self.probe = deque((now + n * gap, plan.size - IP_BYTES) for n in range(plan.packets))
