"""What holds on a way at one moment: its timetable, its wandering rate, its dice (core)."""

from __future__ import annotations

import math
import random

from msgspec import UNSET

from twinclass_media.testing.netem.profile import Bursts, Change, Way

#: How long a jitter lasts: its correlation falls to 1/e. A cell's scheduler and cross traffic
#: change over tens to hundreds of ms; independent draws would be a jitter no network has, and
#: with order kept they would all come out near the upper end.
JITTER_MEMORY_S = 0.1
#: A step of a wandering rate is at most this factor.
WANDER_STEP = 1.2


class Jitter:
    """Normal, cut at two standard deviations, with memory (AR(1) over time); -1 to 1."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._value = dice.gauss(0, 1)
        self._at_s = -math.inf

    def at(self, now_s: float) -> float:
        """Returns the deviation at ``now_s`` as a share of the jitter."""
        kept = math.exp((self._at_s - now_s) / JITTER_MEMORY_S)
        self._value = kept * self._value + math.sqrt(1 - kept * kept) * self._dice.gauss(0, 1)
        self._at_s = now_s
        return min(1.0, max(-1.0, self._value / 2))


class BurstLoss:
    """The chain of ``Bursts``."""

    def __init__(self, bursts: Bursts, dice: random.Random) -> None:
        self._bursts, self._dice = bursts, dice
        self._is_bad = False

    def loses(self) -> bool:
        """Goes one step and says whether this packet is lost."""
        chance = self._bursts.leave if self._is_bad else self._bursts.enter
        if self._dice.random() < chance:
            self._is_bad = not self._is_bad
        share = self._bursts.bad_loss if self._is_bad else self._bursts.good_loss
        return share > 0 and self._dice.random() < share


class Conditions:
    """A way's state between two changes. Read it freely; ``change`` goes to the next.

    Each cause has dice of its own, made of the seed and its name: a profile that also jitters
    loses the same packets.
    """

    def __init__(self, way: Way, seed: str, start_s: float) -> None:
        self.way = way
        self._seed = seed
        self._cycle_s = start_s
        self._next = 0
        self.rate_bps: float | None
        self._reset()
        self.loss_dice = self._dice("loss")
        self.reordering_dice = self._dice("reordering")
        self.duplication_dice = self._dice("duplication")
        self.jitter = Jitter(self._dice("jitter"))
        self.bursts = BurstLoss(way.bursts, self._dice("bursts")) if way.bursts else None
        self._wander_dice = self._dice("wander")
        self._step_s = math.inf
        if way.wander is not None:
            low, high = math.log(way.wander.low_bps), math.log(way.wander.high_bps)
            self.rate_bps = math.exp(self._wander_dice.uniform(low, high))
            self._step_s = start_s + way.wander.every_ms / 1000

    def _dice(self, cause: str) -> random.Random:
        return random.Random(f"{self._seed}/{cause}")

    def _reset(self) -> None:
        way = self.way
        if way.wander is None:
            self.rate_bps = way.rate_bps
        self.delay_s = way.delay_ms / 1000
        self.jitter_s = way.jitter_ms / 1000
        self.loss = way.loss
        self.blackhole = way.blackhole

    @property
    def _entry_s(self) -> float:
        way = self.way
        if self._next < len(way.timetable):
            return self._cycle_s + way.timetable[self._next].at_s
        return math.inf if way.repeat_s is None else self._cycle_s + way.repeat_s

    @property
    def next_change_s(self) -> float:
        """When ``change`` is due; infinite if never."""
        return min(self._entry_s, self._step_s)

    def change(self) -> None:
        """Goes to the state after ``next_change_s``."""
        if self._step_s < self._entry_s:
            self._wander()
        elif self._next < len(self.way.timetable):
            self._apply(self.way.timetable[self._next])
            self._next += 1
        else:
            self._cycle_s += self.way.repeat_s or math.inf
            self._next = 0
            self._reset()

    def _wander(self) -> None:
        wander = self.way.wander
        if wander is None or self.rate_bps is None:
            return
        step = math.log(WANDER_STEP)
        rate = self.rate_bps * math.exp(self._wander_dice.uniform(-step, step))
        # Turned back at the bounds: a clamp would stay there too often.
        if rate > wander.high_bps:
            rate = wander.high_bps**2 / rate
        elif rate < wander.low_bps:
            rate = wander.low_bps**2 / rate
        self.rate_bps = min(float(wander.high_bps), max(float(wander.low_bps), rate))
        self._step_s += wander.every_ms / 1000

    def _apply(self, entry: Change) -> None:
        if entry.rate_bps is not UNSET:
            self.rate_bps = entry.rate_bps
        if entry.delay_ms is not UNSET:
            self.delay_s = entry.delay_ms / 1000
        if entry.jitter_ms is not UNSET:
            self.jitter_s = entry.jitter_ms / 1000
        if entry.loss is not UNSET:
            self.loss = entry.loss
        if entry.blackhole is not UNSET:
            self.blackhole = entry.blackhole

    def loses(self) -> bool:
        """Says whether the packet that leaves the bottleneck now is lost."""
        is_lost = self.loss > 0 and self.loss_dice.random() < self.loss
        return (self.bursts is not None and self.bursts.loses()) or is_lost

    def delay_at(self, now_s: float) -> float:
        """Returns the propagation delay in seconds of what leaves the bottleneck at ``now_s``."""
        if self.jitter_s == 0:
            return self.delay_s
        return max(0.0, self.delay_s + self.jitter_s * self.jitter.at(now_s))
