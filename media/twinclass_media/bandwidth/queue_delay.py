"""How long a queue stands before a viewer: delay above that of the empty line.

Clocks need not agree: only differences count.
"""

from __future__ import annotations

import math
from collections import deque

#: The least delay is that of the empty line; it is looked for anew, as clocks drift and routes
#: change.
_BASE_S = 10.0
#: A queue delays everything; what jitter delays, others pass. So the least of a moment counts.
_MOMENT_S = 0.25
#: Radio delays in bursts, and what comes behind keeps its order: its delay swings as if a queue
#: came and went. That is learned over some seconds, up to a bound: a queue that never empties must
#: not become usual.
_USUAL_S, _USUAL_MOST_S = 5.0, 0.060
#: A queue that stands for so long is too much, though it does not grow.
_STANDING_S, _STANDING_FOR_S = 0.100, 0.3
#: Each time one is found standing, less is sent. If so many times did not shorten it to this share,
#: it is not ours: the route is longer now, or the shortest delay was mistaken.
_OURS_TIMES, _OURS_SHARE = 4, 0.85


class QueueDelay:
    """``queue_s``: now; ``usual_s``: most of the time."""

    __slots__ = (
        "_base",
        "_base_before",
        "_base_since",
        "_moment",
        "_stands_at_first_s",
        "_stands_since",
        "_stands_times",
        "_usual_at",
        "queue_s",
        "usual_s",
    )

    def __init__(self, empty_delay: float = math.inf) -> None:
        """``empty_delay``: of the empty line, where it was seen before."""
        self.queue_s = self.usual_s = 0.0
        self._base, self._base_before = math.inf, empty_delay
        self._base_since: float | None = None
        #: (arrival, delay) of the moment, each less than those after it.
        self._moment: deque[tuple[float, float]] = deque()
        self._usual_at = 0.0
        self._stands_since: float | None = None
        self._stands_times = 0
        self._stands_at_first_s = 0.0

    @property
    def empty_delay(self) -> float:
        """Returns the one-way delay of the empty line, by clocks that do not agree."""
        return min(self._base, self._base_before)

    @property
    def is_long(self) -> bool:
        """Tells whether a queue stands that is too long, whatever is usual."""
        return self.queue_s >= _STANDING_S

    def add(self, at: float, delay: float) -> None:
        """Notes the one-way delay of what arrived at ``at``."""
        if self._base_since is None:
            self._base_since = self._usual_at = at
        if at - self._base_since > _BASE_S:
            self._base_since, self._base_before, self._base = at, self._base, math.inf
        self._base = min(self._base, delay)
        moment = self._moment
        while moment and moment[-1][1] >= delay:
            moment.pop()
        moment.append((at, delay))
        while at - moment[0][0] > _MOMENT_S:
            moment.popleft()
        self.queue_s = moment[0][1] - self.empty_delay
        share = min(1.0, (at - self._usual_at) / _USUAL_S)
        self.usual_s += share * (min(self.queue_s, _USUAL_MOST_S) - self.usual_s)
        self._usual_at = at
        if not self.is_long:
            self._stands_since, self._stands_times = None, 0
        elif self._stands_since is None:
            self._stands_since = at

    def stands(self, at: float) -> bool:
        """Tells, once each ``_STANDING_FOR_S``, whether a queue stands without growing."""
        since = self._stands_since
        if since is None or at - since <= _STANDING_FOR_S:
            return False
        self._stands_since = at
        if self._stands_times == 0:
            self._stands_at_first_s = self.queue_s
        self._stands_times += 1
        if self._stands_times > _OURS_TIMES:
            self._stands_times = 0
            if self.queue_s > _OURS_SHARE * self._stands_at_first_s:
                self._base = self._base_before = self._moment[0][1]
                self._base_since, self.queue_s, self._stands_since = at, 0.0, None
                return False
        return True
