"""A howl from levels alone: very loud, as even as no voice is, and grown by going round.

A loop whose gain is above one rings at one frequency until something limits it. Each time round
it is louder by the same factor, so its level rises in steps over some tenths of a second and then
stays. A voice that shouts is as loud for a syllable, an instrument reaches its loudness with the
stroke; what has stayed so for two seconds without a breath is taken for a howl however it began.

Pure functions of lists of -dBov.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Browsers' gain control brings voices to -18 to -24 dBov; a limiter stops a howl above -10.
_LOUD = 12
#: A voice's levels spread over 10 dB and more within a second.
_SPREAD_DB = 4
#: Bins that it must have stayed so: 0.8 s with growth before it, 2 s without.
PLATEAU = 20
LONG_PLATEAU = 50
#: Growth: at least so much, in not fewer bins than these (160 ms), and so many are looked at.
_GROWTH_DB = 12
_GROWTH_BINS = 4
_GROWTH_LOOK = 40
#: On its way up a howl does not fall back by more than this, dB.
_DIP_DB = 4


def is_howl(levels: Sequence[int]) -> bool:
    """Tells whether the end of these bins (at least ``LONG_PLATEAU``, oldest first) is a howl."""
    # The newest and the middle first: of a voice one of them is nearly always enough.
    if levels[-1] > _LOUD or levels[-PLATEAU // 2] > _LOUD:
        return False
    plateau = _plateau(levels)
    if plateau < PLATEAU:
        return False
    return plateau >= LONG_PLATEAU or _has_grown(levels[: len(levels) - plateau])


def _plateau(levels: Sequence[int]) -> int:
    """How many bins at the end are loud and even."""
    quietest = loudest = levels[-1]
    count = 0
    for level in reversed(levels):
        quietest, loudest = max(quietest, level), min(loudest, level)
        if level > _LOUD or quietest - loudest > _SPREAD_DB:
            break
        count += 1
    return count


def _has_grown(before: Sequence[int]) -> bool:
    """Whether these bins rise to loudness in steps, and not at once."""
    foot = highest = _LOUD
    for count, level in enumerate(reversed(before[-_GROWTH_LOOK:]), 1):
        # Backwards in time a growth gets quieter.
        if level < highest - _DIP_DB:
            break
        highest = max(highest, level)
        foot = max(foot, level)
        if foot - _LOUD >= _GROWTH_DB:
            return count >= _GROWTH_BINS
    return False
