"""Percentiles, and how long a watcher's picture stood."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence

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


def recognised_ms(arrivals: Sequence[Arrival], sent_ns: Mapping[int, int]) -> list[float]:
    """Delays of frames, from when they left (RTP timestamp -> ns) to their first packet here.

    A system that encodes anew keeps the distances between timestamps and begins with a number of
    its own (RFC 3550 section 5.1). The source's distances are irregular; the beginning that fits
    most frames is the right one. Empty when none fits half of them.
    """
    first_ns: dict[int, int] = {}
    for one in arrivals:
        first_ns.setdefault(one.timestamp, one.at_ns)
    votes = Counter((here - there) & 0xFFFFFFFF for here in first_ns for there in sent_ns)
    if not votes:
        return []
    beginning, count = votes.most_common(1)[0]
    if count < len(first_ns) / 2:
        return []
    return [
        (at_ns - left_ns) / 1e6
        for here, at_ns in first_ns.items()
        if (left_ns := sent_ns.get((here - beginning) & 0xFFFFFFFF)) is not None
    ]
