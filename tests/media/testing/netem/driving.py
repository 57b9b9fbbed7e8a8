"""Drives a link in virtual time."""

from __future__ import annotations

import math
from collections.abc import Iterable

from twinclass_media.testing.netem import Link, Way

#: Seconds and bytes of one packet; its payload is its place in the list.
Sends = list[tuple[float, int]]


def evenly(count: int, gap_s: float, size_bytes: int = 1000) -> Sends:
    return [(gap_s * index, size_bytes) for index in range(count)]


def take_until(link: Link[int], end_s: float) -> list[tuple[float, int]]:
    """Arrivals until ``end_s`` as a shell sees them that asks when it is told to."""
    found: list[tuple[float, int]] = []
    while (at_s := link.next_at()) is not None and at_s <= end_s:
        found += [(at_s, payload) for payload in link.due(at_s)]
    return found


def run(link: Link[int], sends: Iterable[tuple[float, int]]) -> list[tuple[float, int]]:
    """Sends all and returns all arrivals: seconds, place in the list."""
    found: list[tuple[float, int]] = []
    for index, (at_s, size_bytes) in enumerate(sends):
        found += take_until(link, at_s)
        link.send(at_s, size_bytes, index)
    return found + take_until(link, math.inf)


def arrivals(way: Way, sends: Sends, seed: int = 1) -> list[tuple[float, int]]:
    return run(Link(way, seed), sends)
