"""How much of its core a media worker uses, as far as placing people goes.

A process that is short of its core shows it in two ways: it uses nearly all of it, or its loop is
late because others take it (steal, neighbours), which its own CPU time does not show.
"""

from __future__ import annotations

#: Half of what is thought comes from the last reading (every two seconds): one hiccup is no load.
KEPT = 0.5
#: A loop that is so late has no time left, whatever its CPU share says; its media is late too, and
#: sound must not wait longer than 10 ms.
LATE_S = 0.05
#: Above it learners at home are not let in any more: what is inside keeps room for a keyframe to
#: everybody, and for lead and rooms who come back.
FULL = 0.85
#: Of a core, more than anybody costs: a publisher takes 3 to 4 %, a viewer much less. What a worker
#: with three people does besides (it has just begun, a keyframe) is not what the fourth will cost.
MOST_EACH = 0.05


class WorkerLoad:
    """One worker's; 0 to 1."""

    __slots__ = ("_cpu_s", "_late", "_measured_at", "_transports", "_used", "cpu_share")

    def __init__(self) -> None:
        #: Share of a core over the last period; None until there were two readings.
        self.cpu_share: float | None = None
        self._used = 0.0
        self._late = 0.0
        self._measured_at = 0.0
        self._cpu_s: float | None = None
        self._transports = 0

    def measured(self, cpu_s: float, lag_s: float, transports: int, now: float) -> None:
        """Takes a reading: CPU seconds since it began, how late its loop was at most since the last
        one, and how many transports it had."""
        former, since = self._cpu_s, now - self._measured_at
        if former is not None and former <= cpu_s and since > 0:
            self.cpu_share = (cpu_s - former) / since
            self._used = KEPT * self._used + (1 - KEPT) * min(self.cpu_share, 1.0)
            self._late = KEPT * self._late + (1 - KEPT) * min(lag_s / LATE_S, 1.0)
        self._cpu_s, self._measured_at, self._transports = cpu_s, now, transports

    def expected(self, transports: int) -> float:
        """Returns what it will use with so many transports: those who came since the last reading
        cost what the others do. Lateness alone places people elsewhere, and turns nobody away:
        where all workers are late, others have the machine, and may be gone in a second."""
        used = self._used
        if transports > self._transports > 0:
            used += (transports - self._transports) * min(used / self._transports, MOST_EACH)
        return max(used, self._late * FULL)
