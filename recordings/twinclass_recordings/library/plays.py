"""What was watched, counted: pure functions of the log of plays, and of nothing else.

The same rows give the same figures whatever their order and however often one of them was told,
so a sheet that was paid by can be made again to the unit. Definitions:

* a *play*: a class, or a person, watched at least ``PLAY_S`` (half of what is shorter) of an entry
  on one local day. However often it did so that day, it is one.
* *completion* of a class or person: the share of the entry that it saw at least once.
* an *adopting class*: one of another school than the lead's, whose completion is at least
  ``ADOPTED``.
* *re-use*: of those who showed it to a class in the term before, the share that did so again.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Literal, NamedTuple

from msgspec import Struct

#: Looking whether it is the right one is not watching it.
PLAY_S = 30.0
#: Of domain practice: who saw less has not used the lesson.
ADOPTED = 0.6
#: A stretch of the re-watch map.
BUCKET_S = 30.0
#: Fewer voices say more about the voices than about the lesson.
MIN_RATERS = 20
#: So many adopting classes are full marks.
MANY_CLASSES = 20

Watcher = Literal["class", "home", "staff"]


class Watched(NamedTuple):
    """A stretch that somebody watched; ``group`` counts as one a day."""

    view: str
    group: str
    viewer: str
    school: str
    kind: Watcher
    at: datetime
    from_s: float
    to_s: float


class Weights(Struct, frozen=True):
    """How much each figure says in ``effect``; published beside it. Quiz gain is not measured yet:
    its weight goes to the others in proportion, as does any other that is missing."""

    classes: float = 0.35
    completion: float = 0.25
    reuse: float = 0.15
    quiz_gain: float = 0.15
    rating: float = 0.1


class Completion(Struct, frozen=True):
    """``median``: of all who watched; None when nobody did. ``done60``: how many saw 60 %."""

    median: float | None
    done60: int


class Day(Struct, frozen=True):
    """Plays of one day (ISO date, local)."""

    day: str
    plays: int


class Usage(Struct, frozen=True):
    """How one entry was watched. ``buckets``: how often each ``bucket_s`` of it was, on average of
    its seconds."""

    plays: int
    classes: int
    homes: int
    schools: int
    completion: Completion
    days: tuple[Day, ...]
    buckets: tuple[float, ...]
    bucket_s: float = BUCKET_S


class Effect(Struct, frozen=True):
    """One line of the pay-by-effect sheet. ``effect``: 0 to 100."""

    adopting_classes: int
    plays: int
    home_pupils: int
    completion: float | None
    reuse: float | None
    rating: float | None
    raters: int
    quiz_gain: float | None
    effect: float


def once(rows: Iterable[Watched]) -> list[Watched]:
    """Returns the rows without repetitions: what a page told twice happened once."""
    seen: dict[tuple[str, str, float, float], Watched] = {}
    for row in rows:
        key = (row.view, row.group, row.from_s, row.to_s)
        known = seen.get(key)
        # Told again later: the first time it was told is when it happened.
        if known is None or (row.at, row) < (known.at, known):
            seen[key] = row
    return sorted(seen.values(), key=lambda row: (row.at, row.view, row.from_s, row.to_s))


def covered(spans: Iterable[tuple[float, float]], duration_s: float) -> float:
    """Returns how many seconds of 0 to ``duration_s`` lie in at least one span."""
    total, reached = 0.0, 0.0
    for start, end in sorted(spans):
        since, upto = max(start, reached), min(end, duration_s)
        if upto > since:
            total += upto - since
            reached = upto
    return total


def plays(rows: Iterable[Watched], duration_s: float, zone: tzinfo) -> set[tuple[str, date]]:
    """Returns the plays: (group, local day)."""
    watched: dict[tuple[str, date], list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        watched[row.group, row.at.astimezone(zone).date()].append((row.from_s, row.to_s))
    enough = min(PLAY_S, duration_s / 2)
    return {key for key, spans in watched.items() if covered(spans, duration_s) >= enough}


def completions(rows: Iterable[Watched], duration_s: float) -> dict[str, float]:
    """Returns the completion of every group, 0 to 1."""
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        spans[row.group].append((row.from_s, row.to_s))
    if duration_s <= 0:
        return {}
    return {group: covered(found, duration_s) / duration_s for group, found in spans.items()}


def usage(told: Iterable[Watched], duration_s: float, zone: tzinfo) -> Usage:
    """Returns how an entry was watched."""
    rows = once(told)
    found = plays(rows, duration_s, zone)
    done = completions(rows, duration_s)
    days: dict[str, int] = defaultdict(int)
    for _, day in found:
        days[day.isoformat()] += 1
    groups: dict[Watcher, set[str]] = {"class": set(), "home": set(), "staff": set()}
    for row in rows:
        groups[row.kind].add(row.group)
    counted = {group for group, _ in found}
    return Usage(
        plays=len(found),
        classes=len(groups["class"] & counted),
        homes=len(groups["home"] & counted),
        schools=len({row.school for row in rows if row.school and row.group in counted}),
        completion=_completion(done),
        days=tuple(Day(day, days[day]) for day in sorted(days)),
        buckets=_buckets(rows, duration_s),
    )


def times_of(
    buckets: Sequence[float], start_s: float, end_s: float, bucket_s: float = BUCKET_S
) -> float:
    """Returns how often a stretch was watched, on average of its seconds."""
    total = 0.0
    for number, times in enumerate(buckets):
        overlap = min(end_s, (number + 1) * bucket_s) - max(start_s, number * bucket_s)
        total += max(0.0, overlap) * times
    return round(total / (end_s - start_s), 2) if end_s > start_s else 0.0


def effect(
    month: Iterable[Watched],
    duration_s: float,
    zone: tzinfo,
    own_schools: frozenset[str],
    showed_before: frozenset[str],
    stars: Mapping[str, int],
    weights: Weights,
) -> Effect:
    """Returns the line of an entry. ``month``: its plays of the month; ``showed_before``: who
    showed it to a class in the term before; ``stars``: viewer -> stars."""
    rows = once(month)
    found = {group for group, _ in plays(rows, duration_s, zone)}
    done = completions(rows, duration_s)
    outside = {r.group for r in rows if r.kind == "class" and r.school not in own_schools}
    adopting = sum(1 for group in outside if done.get(group, 0.0) >= ADOPTED)
    again = {row.viewer for row in rows if row.kind == "class" and row.group in found}
    reuse = len(again & showed_before) / len(showed_before) if showed_before else None
    rating = sum(stars.values()) / len(stars) if len(stars) >= MIN_RATERS else None
    median = _completion(done).median
    homes = {row.group for row in rows if row.kind == "home"} & found
    shares: list[tuple[float, float | None]] = [
        (weights.classes, min(1.0, adopting / MANY_CLASSES)),
        (weights.completion, median),
        (weights.reuse, reuse),
        (weights.quiz_gain, None),
        (weights.rating, None if rating is None else (rating - 1) / 4),
    ]
    known = [(weight, share) for weight, share in shares if share is not None]
    whole = sum(weight for weight, _ in known)
    score = sum(weight * share for weight, share in known) / whole if whole else 0.0
    return Effect(
        adopting_classes=adopting,
        plays=len(plays(rows, duration_s, zone)),
        home_pupils=len(homes),
        completion=None if median is None else round(median, 4),
        reuse=None if reuse is None else round(reuse, 4),
        rating=None if rating is None else round(rating, 2),
        raters=len(stars),
        quiz_gain=None,
        effect=round(100 * score, 1),
    )


def _completion(done: Mapping[str, float]) -> Completion:
    if not done:
        return Completion(None, 0)
    median = statistics.median(done.values())
    return Completion(round(median, 4), sum(1 for share in done.values() if share >= ADOPTED))


def _buckets(rows: Iterable[Watched], duration_s: float) -> tuple[float, ...]:
    count = max(0, -int(-duration_s // BUCKET_S))
    seconds = [0.0] * count
    for row in rows:
        start, end = max(0.0, row.from_s), min(row.to_s, duration_s)
        at = start
        while at < end:
            number = int(at // BUCKET_S)
            upto = min(end, (number + 1) * BUCKET_S)
            seconds[number] += upto - at
            at = upto
    lengths = [min(BUCKET_S, duration_s - n * BUCKET_S) for n in range(count)]
    return tuple(round(s / length, 3) for s, length in zip(seconds, lengths, strict=True))
