"""How long a wait will be: a range that can be trusted, or nothing.

**The model.** A queue is served by the ``c`` tutors on duty for it, each busy for a mean of ``m``
seconds a question; waiting pupils go elsewhere (withdraw, take a written answer) at a rate
``theta`` each. With ``a`` questions before her and all tutors busy she is reached by the
``a + 1``-th departure. Of these, tutors make ``c / m`` a second and the ``n`` who still wait
``theta * n``; so the mean is ``ln(1 + theta * n * m / c) / theta`` (``n * m / c`` when nobody
leaves), and as a sum of ``n`` exponential gaps the time is near a gamma of shape ``n``: its
quantiles are the range.

**Where the numbers come from.** ``m``: seconds of finished *and running* helps of the subject
tonight, divided by the finished ones. Leaving the running ones out would count only quick helps
early in the evening. Earlier evenings count like at most ``PRIOR_SEEN`` helps. ``theta``: who left,
divided by all seconds waited. Tutors of several queues are shared: of another queue's questions
only so much is before her as its tutors are hers too, and only those of an earlier rank.

**What is not in it**: tutors who come on duty or go, and that a running help is not memoryless.
Therefore the quantiles are wider than four in five would need, and a test holds the range against
simulated evenings. Less than ``MIN_SEEN`` helps: nothing is shown.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from twinclass_signaling.desk.plan import queue_key
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.standing import is_free
from twinclass_signaling.desk.state import DeskState, Entry
from twinclass_signaling.ids import PersonId

MIN_SEEN = 5
PRIOR_SEEN = 20
#: Standard normal quantiles of 5 % and 95 %.
Z_RANGE = 1.645
#: Who leaves is counted as if somebody had once waited two hours and gone: no rate of nothing.
PRIOR_LEFT, PRIOR_WAITED_S = 1.0, 7200.0
#: A range is told in halves of a minute up to two minutes, then in whole ones.
FINE_S, COARSE_S, FINE_UNTIL_S = 30.0, 60.0, 120.0


class Wait(Struct, frozen=True):
    """``soon``: a tutor is free, the offer is on its way. ``range``: from ``low_s`` to
    ``high_s``. ``unknown``: it cannot be known yet."""

    kind: Literal["soon", "range", "unknown"]
    low_s: float = 0.0
    high_s: float = 0.0


UNKNOWN, SOON = Wait("unknown"), Wait("soon")


def gamma_quantile(shape: float, mean: float, z: float) -> float:
    """Returns a quantile of a gamma distribution by Wilson and Hilferty's cube."""
    root = 1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))
    return mean * max(0.0, root) ** 3


class Estimator:
    """Waits of one moment: made once for a round of views, asked for each question."""

    def __init__(self, state: DeskState, now: float) -> None:
        self._state = state
        self._now = now
        self._rivals: dict[str, list[tuple[str, float]]] = {}
        self._means: dict[str, float | None] = {}

    def wait(self, question: Question) -> Wait:
        """Returns the wait of a question from now on, until a tutor takes it."""
        placed = self._state.index.placed.get(question.id)
        if placed is None or question.wish != "live":
            return UNKNOWN
        lane, entry = placed
        kind, _, key = lane.partition("|")
        if kind == "pick":
            picked = PersonId(key)
            tutors = {picked} if picked in self._state.index.standing else set[PersonId]()
        else:
            key = queue_key(question.subject, question.grade)
            tutors = self._state.index.serving.get(key, set())
        if not tutors:
            return UNKNOWN
        before = self._before(lane, entry, key if kind != "pick" else None)
        if kind == "pick":
            free = int(is_free(self._state, PersonId(key)))
        else:
            free = len(self._state.index.free.get(key, ()))
        if free > before:
            return SOON
        mean_s = self._mean(question.subject)
        if mean_s is None:
            return UNKNOWN
        return self._range(before - free + 1, mean_s / len(tutors), question.subject)

    def _range(self, departures: float, gap_s: float, subject: str) -> Wait:
        seen = self._state.seen.get(subject)
        left = PRIOR_LEFT + (seen.left if seen else 0)
        theta = left / (PRIOR_WAITED_S + (seen.waited_s if seen else 0.0))
        mean = math.log1p(theta * departures * gap_s) / theta
        low = gamma_quantile(departures, mean, -Z_RANGE)
        high = gamma_quantile(departures, mean, Z_RANGE)
        return Wait("range", _rounded(low, math.floor), max(FINE_S, _rounded(high, math.ceil)))

    def _before(self, lane: str, entry: Entry, key: str | None) -> float:
        lanes = self._state.index.lanes
        if key is None:
            return float(bisect_left(lanes[lane], entry))
        total = 0.0
        for rival, weight in self._shared(key):
            total += weight * bisect_left(lanes[rival], entry)
        return total

    def _shared(self, key: str) -> list[tuple[str, float]]:
        """Returns the lanes whose questions may be before one of this queue, with their shares."""
        found = self._rivals.get(key)
        if found is not None:
            return found
        serving = self._state.index.serving
        mine = serving.get(key, set())
        found = []
        for lane in self._state.index.lanes:
            kind, _, other = lane.partition("|")
            if kind == "live":
                theirs = serving.get(other, set())
                share = len(mine & theirs) / len(theirs) if theirs else 0.0
            else:
                share = float(kind == "pick" and PersonId(other) in mine)
            if share:
                found.append((lane, share))
        self._rivals[key] = found
        return found

    def _mean(self, subject: str) -> float | None:
        if subject not in self._means:
            self._means[subject] = mean_s(self._state, subject, self._now)
        return self._means[subject]


def mean_s(state: DeskState, subject: str, now: float) -> float | None:
    """Returns how long a tutor is busy with a question of a subject; None: not known yet."""
    typical = next((one for one in state.plan.typical if one.subject == subject), None)
    seen = state.seen.get(subject)
    count = float(min(typical.seen, PRIOR_SEEN)) if typical else 0.0
    total_s = count * typical.mean_s if typical else 0.0
    if seen is not None:
        count += seen.done
        running_s = seen.running * (now - state.evening.midnight) - seen.starts_s
        total_s += seen.done_s + max(0.0, running_s)
    return total_s / count if count >= MIN_SEEN else None


def _rounded(seconds: float, way: Callable[[float], int]) -> float:
    unit = FINE_S if seconds <= FINE_UNTIL_S else COARSE_S
    return unit * way(seconds / unit)
