"""Whether one envelope is another one, later and quieter: a normalised correlation.

Correlating the levels themselves is not enough. Any two people who speak have phrases and pauses,
and some lag at which a second of the one looks like a second of the other: of two who speak at the
same time 22 % of the windows are above 0.6 (simulated). So the *rises* of the levels are correlated
(how they change from bin to bin, the rhythm of the syllables; 4 %), and the levels must agree at
that lag as well. What is left is what agrees for a moment by chance; ``detector`` wants it to agree
for longer, at the same lag.

Pure functions of lists of -dBov.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from operator import mul, sub
from typing import NamedTuple

#: A second: what is compared at once.
WINDOW = 25
#: Longest way there and back, in bins: 680 ms. Two lines of 100 ms, two jitter buffers at their
#: worst, a loudspeaker behind Bluetooth.
MAX_LAG = 17
#: Rises are from bin to bin, 40 ms. Over two bins an echo is found as surely, but music of the same
#: beat four times as often taken for one.
STEP = 1
#: What the reference must have: speech is at -20 to -45 dBov, an empty room below -50.
MIN_REFERENCE_DBOV = -45
#: Variance of rises below which there is no rhythm to recognise, dB²: fans, hum, a held tone.
_MIN_VARIANCE = 6.0
#: Of an echo of which no more than this comes back nobody is disturbed, dB below what was sent.
AUDIBLE_DB = 30
#: Of rises less alike than this nothing more is worked out (levels, gain and scatter are 0).
WORTH_A_LOOK = 0.4
#: What is further below the loudest of the window does not count, nor what is below this, -dBov.
_DYNAMIC_DB = 30
_FLOOR = 62


class Likeness(NamedTuple):
    """How alike two envelopes are at the lag at which they are most so."""

    #: Normalised correlation of the rises, -1..1.
    rises: float
    #: The same of the levels.
    levels: float
    #: Bins by which the microphone is later.
    lag: int
    #: dB of the microphone above what was sent, where that was loud. An echo is mostly below 0.
    gain_db: float
    #: How much that varies (standard deviation), dB. Of an echo it is the room's ring, 1 to 3; of a
    #: class that reads along, each syllable is as loud as it likes: 4 and more.
    scatter_db: float


def compare(
    reference: Sequence[int], microphone: Sequence[int], first_lag: int = 0, last_lag: int = MAX_LAG
) -> Likeness | None:
    """Returns the best likeness of the lags, None when there is nothing to compare.

    Args:
        reference: ``WINDOW + STEP + MAX_LAG`` bins of what was sent to the room, oldest first.
        microphone: ``WINDOW + STEP`` bins of what came from it, ending with the same bin.
        first_lag: shortest lag that is looked at, bins.
        last_lag: longest one.
    """
    loudest = min(reference)
    if loudest > -MIN_REFERENCE_DBOV:
        return None
    heard = _clipped(microphone)
    rises = list(map(sub, heard[STEP:], heard))
    mean = sum(rises) / WINDOW
    variance = sum(map(mul, rises, rises)) / WINDOW - mean * mean
    if variance < _MIN_VARIANCE:
        return None
    sent = _clipped(reference)
    best, lag = _best(rises, list(map(sub, sent[STEP:], sent)), range(first_lag, last_lag + 1))
    best /= math.sqrt(variance)
    if best < WORTH_A_LOOK:
        return None if lag < 0 else Likeness(best, 0.0, lag, 0.0, 0.0)
    start = MAX_LAG - lag + STEP
    then, now = sent[start : start + WINDOW], heard[STEP:]
    return Likeness(best, _correlation(then, now), lag, *_gain(then, now))


def _best(rises: list[int], others: list[int], lags: range) -> tuple[float, int]:
    """Returns the highest covariance by the other's deviation, and its lag; lag -1: none has any.

    This is nearly all the work, so means and variances come from running sums.
    """
    sums = [0, *accumulate(others)]
    squares = [0, *accumulate(map(mul, others, others))]
    mean = sum(rises) / WINDOW
    best, best_lag = 0.0, -1
    for lag in lags:
        start = MAX_LAG - lag
        stop = start + WINDOW
        its_mean = (sums[stop] - sums[start]) / WINDOW
        its_variance = (squares[stop] - squares[start]) / WINDOW - its_mean * its_mean
        if its_variance < _MIN_VARIANCE:
            continue
        together = sum(map(mul, rises, others[start:stop])) / WINDOW - mean * its_mean
        if best_lag < 0 or together > best * math.sqrt(its_variance):
            best, best_lag = together / math.sqrt(its_variance), lag
    return best, best_lag


def _clipped(levels: Sequence[int]) -> list[int]:
    floor = min(min(levels) + _DYNAMIC_DB, _FLOOR)
    return [level if level < floor else floor for level in levels]


def _correlation(a: Sequence[int], b: Sequence[int]) -> float:
    mean_a, mean_b = sum(a) / WINDOW, sum(b) / WINDOW
    variance_a = sum(map(mul, a, a)) / WINDOW - mean_a * mean_a
    variance_b = sum(map(mul, b, b)) / WINDOW - mean_b * mean_b
    if variance_a <= 0.0 or variance_b <= 0.0:
        return 0.0
    together = sum(map(mul, a, b)) / WINDOW - mean_a * mean_b
    return float(together / math.sqrt(variance_a * variance_b))


def _gain(sent: Sequence[int], heard: Sequence[int]) -> tuple[float, float]:
    """dB by which the louder half of what was sent came back louder (negative: quieter), and the
    standard deviation of that."""
    middle = sorted(sent)[WINDOW // 2]
    gains = [a - b for a, b in zip(sent, heard, strict=True) if a <= middle]
    mean = sum(gains) / len(gains)
    return mean, max(0.0, sum(map(mul, gains, gains)) / len(gains) - mean * mean) ** 0.5
