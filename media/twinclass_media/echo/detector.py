"""Recognises echo and howl of open microphones in one router, five times a second.

What a room is sent is what the others say: the loudest of all other open microphones in each bin.
What comes back is its own microphone. They are compared (``likeness``) at all lags; when one of
them is suspected evidence is gathered for it alone: a strong likeness needs two looks, a weak one
four, and a look that says otherwise takes it back. A real way has one length; what agrees by chance
at one lag does not go on to do so.

Costs: while no microphone is watched nothing is kept at all. Memory is one ring of 64 small
numbers an open microphone. While nothing is suspected every other look is left out, as looking at
all lags is nearly all the work (``benchmarks/echo.py``).

Not handled: an echo under a class that talks at the same time as the lead (double talk). The
class is what is heard then, and the echo is found when the class pauses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from twinclass_media.echo import howl
from twinclass_media.echo.envelope import BINS, BINS_PER_S, SILENCE, Envelope
from twinclass_media.echo.likeness import AUDIBLE_DB, MAX_LAG, STEP, WINDOW, Likeness, compare

Trouble = Literal["echo", "howl"]

#: Levels that are less alike than this are no echo, whatever their rises are.
MIN_LEVELS = 0.7
#: A look counts by how much its rises are more alike than this ...
_NEUTRAL = 0.5
#: ... and this much is enough: two looks at 0.9, four at 0.7, where the levels agree.
_ENOUGH = 0.65
#: Where what comes back varies by this much, dB, a look counts in full, and by this much it does
#: not count at all.
_EVEN_DB, _UNEVEN_DB = 2.25, 4.25
#: No single look is worth more: one perfect second by chance is not to be enough.
_MOST = 0.42
#: The way of an echo is not longer by more than this from look to look, bins: it jitters.
_SAME_LAG = 1
#: An echo is over when the others spoke for so long without it ...
_CLEAN_S = 0.5
#: ... or were silent for so long: nobody can tell.
_UNKNOWN_S = 4.0
#: A howl is over after so long without one.
_HOWL_OVER_S = 0.6


class Finding(NamedTuple):
    """Something about a microphone that has changed. ``trouble`` None: it is over."""

    key: str
    trouble: Trouble | None
    #: Seconds since it began, as far as levels tell.
    age_s: float = 0.0
    #: Seconds from loudspeaker to here and back; 0 for a howl.
    lag_s: float = 0.0
    #: Normalised correlation of the rises, 0..1; 0 for a howl.
    likeness: float = 0.0
    #: How much louder (mostly negative: quieter) it comes back, dB; of a howl its level in dBov.
    gain_db: float = 0.0


@dataclass(slots=True)
class _Watch:
    """What is known of one microphone."""

    lag: int = -1
    #: Nothing is suspected and the last look was at all lags: the next one is left out.
    rests: bool = False
    evidence: float = 0.0
    trouble: Trouble | None = None
    #: Of the present trouble.
    since: float = 0.0
    #: When the present evidence began.
    first_at: float = 0.0
    #: Seconds that others spoke and nothing came back, since it last did.
    clean_s: float = 0.0
    last_at: float = 0.0


@dataclass(slots=True)
class EchoDetector:
    """Microphones of one router; keys are producer ids."""

    _envelopes: dict[str, Envelope] = field(default_factory=dict[str, Envelope])
    _watched: dict[str, _Watch] = field(default_factory=dict[str, _Watch])
    _looked_at: float = 0.0

    def __bool__(self) -> bool:
        """Some microphone is watched: levels are wanted."""
        return bool(self._watched)

    def heard(self, key: str, level: int, now: float, timestamp: int) -> None:
        """Notes one packet's level (RFC 6464: 0..127, in -dBov), at its RTP time (48 kHz)."""
        envelope = self._envelopes.get(key)
        if envelope is None:
            envelope = self._envelopes[key] = Envelope()
        envelope.add(level, now, timestamp)

    def watch(self, key: str) -> None:
        """Looks for what comes back from a microphone that was opened."""
        self._watched.setdefault(key, _Watch())

    def remove(self, key: str) -> Finding | None:
        """Forgets a microphone that was closed or is gone; tells when that ends its trouble."""
        self._envelopes.pop(key, None)
        watch = self._watched.pop(key, None)
        if not self._watched:
            self._envelopes.clear()
        return None if watch is None or watch.trouble is None else Finding(key, None)

    def look(self, now: float) -> list[Finding]:
        """Returns what has changed. To be called about every 0.2 s."""
        passed = min(1.0, now - self._looked_at)
        self._looked_at = now
        # The present bin is not complete, and neither is what the others' lines hold back.
        end = int(now * BINS_PER_S) - 1
        findings: list[Finding] = []
        for key, watch in self._watched.items():
            envelope = self._envelopes.get(key)
            if envelope is None:
                continue
            found = self._judge(key, watch, envelope, end, now, passed)
            if found is not None:
                findings.append(found)
        return findings

    def _judge(
        self, key: str, watch: _Watch, own: Envelope, end: int, now: float, passed: float
    ) -> Finding | None:
        levels = own.last(BINS - 2, end)
        if howl.is_howl(levels):
            watch.last_at = now
            if watch.trouble == "howl":
                return None
            age = howl.PLATEAU / BINS_PER_S
            watch.trouble, watch.since = "howl", now - age
            return Finding(key, "howl", age, gain_db=-float(levels[-1]))
        if watch.trouble == "howl":
            return self._end(key, watch) if now - watch.last_at > _HOWL_OVER_S else None
        if watch.trouble is None and watch.evidence <= 0.0:
            watch.rests = not watch.rests
            if watch.rests:
                return None
        likeness = self._compare(key, watch, own, levels, end)
        if watch.trouble == "echo":
            return self._follow(key, watch, likeness, now, passed)
        return self._gather(key, watch, likeness, now)

    def _compare(
        self, key: str, watch: _Watch, own: Envelope, levels: list[int], end: int
    ) -> Likeness | None:
        """None: nothing can be said."""
        if end - own.since < WINDOW + STEP:
            return None
        reference = self._sent_to(key, end)
        if reference is None:
            return None
        heard = levels[-WINDOW - STEP :]
        if watch.evidence > 0.0:
            first, last = watch.lag - _SAME_LAG, watch.lag + _SAME_LAG
            return compare(reference, heard, max(0, first), min(MAX_LAG, last))
        return compare(reference, heard)

    def _sent_to(self, key: str, end: int) -> list[int] | None:
        """The loudest of the others, as far back as an echo may be late."""
        count = WINDOW + STEP + MAX_LAG
        others: list[list[int]] = []
        for other, envelope in self._envelopes.items():
            if other != key and end - envelope.at < WINDOW:
                levels = envelope.last(count, end)
                others.append(levels)
        if not others:
            return None
        sent = others[0] if len(others) == 1 else list(map(min, *others))
        return None if min(sent) == SILENCE else sent

    def _gather(
        self, key: str, watch: _Watch, likeness: Likeness | None, now: float
    ) -> Finding | None:
        if likeness is None:
            watch.evidence = max(0.0, watch.evidence - 0.1)
            return None
        is_echo = likeness.levels >= MIN_LEVELS and likeness.gain_db > -AUDIBLE_DB
        worth = _worth(likeness) if is_echo else -_NEUTRAL
        if watch.evidence <= 0.0:
            watch.first_at = now
        watch.evidence = max(0.0, watch.evidence + worth)
        watch.lag = likeness.lag
        if watch.evidence < _ENOUGH:
            return None
        # The first look that counted had a second of it before it.
        watch.trouble = "echo"
        watch.since = watch.first_at - WINDOW / BINS_PER_S
        watch.last_at, watch.clean_s = now, 0.0
        return Finding(
            key,
            "echo",
            now - watch.since,
            likeness.lag / BINS_PER_S,
            likeness.rises,
            likeness.gain_db,
        )

    def _follow(
        self, key: str, watch: _Watch, likeness: Likeness | None, now: float, passed: float
    ) -> Finding | None:
        """Whether an echo that was found goes on."""
        if likeness is None:
            return self._end(key, watch) if now - watch.last_at > _UNKNOWN_S else None
        if likeness.rises >= _NEUTRAL and likeness.gain_db > -AUDIBLE_DB:
            watch.last_at, watch.clean_s, watch.lag = now, 0.0, likeness.lag
            return None
        watch.clean_s += passed
        return self._end(key, watch) if watch.clean_s > _CLEAN_S else None

    def _end(self, key: str, watch: _Watch) -> Finding:
        watch.trouble, watch.evidence, watch.lag = None, 0.0, -1
        return Finding(key, None)


def _worth(likeness: Likeness) -> float:
    """What one look adds to the evidence."""
    even = min(1.0, (_UNEVEN_DB - likeness.scatter_db) / (_UNEVEN_DB - _EVEN_DB))
    alike = min(_MOST, likeness.rises - _NEUTRAL)
    return alike * even if even > 0.0 and alike > 0.0 else min(0.0, alike) + min(0.0, even) * 0.5
