"""Percentiles, and how long a watcher's picture stood."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from peers import Arrival

NS_PER_S = 1_000_000_000


def quantile(values: Sequence[float], q: float) -> float:
    """The value below which a share ``q`` lies; NaN of nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def frozen_s(arrivals: Sequence[Arrival]) -> float:
    """Seconds for which a picture stood.

    As browsers count them (webrtc-stats, totalFreezesDuration): pauses over max(3δ, δ + 150 ms), δ
    being the mean time between frames. A frame is shown when its last packet is there; after a
    gap in the numbers nothing is shown until a keyframe has begun.
    """
    shown_ns: list[int] = []
    broken = False
    previous: int | None = None
    for one in arrivals:
        if previous is not None and one.sequence_number != previous + 1 & 0xFFFF:
            broken = True
        if one.keyframe:
            broken = False
        if one.marker and not broken:
            shown_ns.append(one.at_ns)
        previous = one.sequence_number
    gaps = [(after - before) / NS_PER_S for before, after in zip(shown_ns, shown_ns[1:])]  # noqa: B905, RUF007
    if not gaps:
        return 0.0
    usual = statistics.fmean(gaps)
    limit = max(3 * usual, usual + 0.150)
    return sum(gap for gap in gaps if gap > limit)
