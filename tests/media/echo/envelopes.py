"""What classrooms sound like to a level meter: seeded envelopes in dBov, one value every 20 ms.

Speech is syllables (lognormal, 190 ms), phrases and pauses; a chorus is children who each are a
little early or late; an echo is another envelope later, quieter and smeared by a room.
"""

from __future__ import annotations

import math
import random
from itertools import pairwise

from twinclass_media.echo import EchoDetector, Finding

STEP_S = 0.02
LOOK_S = 0.2

Envelope = list[float]
#: Start s, length s, peak dBov.
Syllable = tuple[float, float, float]


def _power(db: float) -> float:
    return float(10 ** (db / 10))


def _db(power: float) -> float:
    return 10 * math.log10(max(power, 1e-13))


def syllables(rng: random.Random, seconds: float, level: float = -22.0) -> list[Syllable]:
    found: list[Syllable] = []
    at = rng.uniform(0, 0.8)
    while at < seconds:
        for _ in range(rng.randint(4, 16)):
            length = min(0.5, rng.lognormvariate(math.log(0.19), 0.35))
            found.append((at, length, level + rng.gauss(0, 4)))
            at += length + (rng.uniform(0.05, 0.2) if rng.random() < 0.12 else 0)
        at += rng.uniform(0.25, 0.6) if rng.random() < 0.75 else rng.uniform(0.6, 2.0)
    return found


def render(
    rng: random.Random, parts: list[Syllable], seconds: float, floor: float = -60.0
) -> Envelope:
    powers = [_power(floor + rng.gauss(0, 1.5)) for _ in range(round(seconds / STEP_S))]
    for start, length, peak in parts:
        first = max(0, int(start / STEP_S))
        for index in range(first, min(len(powers), int((start + length) / STEP_S) + 1)):
            place = (index * STEP_S - start) / length
            if 0 <= place <= 1:
                powers[index] += _power(peak - 14 * abs(2 * place - 0.8) ** 1.5 + rng.gauss(0, 1.5))
    return [_db(power) for power in powers]


def speech(
    rng: random.Random, seconds: float, level: float = -22.0, floor: float = -60.0
) -> Envelope:
    return render(rng, syllables(rng, seconds, level), seconds, floor)


def chorus(
    rng: random.Random, said: list[Syllable], seconds: float, late_s: float, children: int = 20
) -> Envelope:
    """A class that says what was said, together: each child 80 ms off, some not at all."""
    parts: list[Syllable] = []
    for start, length, _ in said:
        together = start + late_s + rng.gauss(0, 0.04)
        for _ in range(children):
            if rng.random() < 0.8:
                own = length * rng.uniform(0.9, 1.5)
                parts.append((together + rng.gauss(0, 0.08), own, -30 + rng.gauss(0, 3)))
    return render(rng, parts, seconds, -55)


def music(rng: random.Random, seconds: float, beats_a_minute: float) -> Envelope:
    notes: list[Syllable] = []
    at = rng.uniform(0, 0.5)
    while at < seconds:
        length = 60 / beats_a_minute * rng.choice([0.5, 1, 1, 2])
        notes.append((at, length * 1.1, -18 + rng.gauss(0, 2)))
        at += length
    return render(rng, notes, seconds, -55)


def murmur(rng: random.Random, seconds: float, level: float = -40.0) -> Envelope:
    """A class that works in groups: no single voice."""
    return [level + rng.gauss(0, 3) for _ in range(round(seconds / STEP_S))]


def mixed(*parts: Envelope) -> Envelope:
    return [_db(sum(_power(one) for one in values)) for values in zip(*parts, strict=True)]


def echo(sent: Envelope, late_s: float, gain_db: float, reverberation_s: float = 0.4) -> Envelope:
    """What of ``sent`` comes back: 60 % straight, the rest by a room that rings (RT60)."""
    whole, part = int(late_s / STEP_S), late_s / STEP_S % 1
    decay = _power(-60 * STEP_S / reverberation_s)
    quiet = [-100.0] * (whole + 1)
    later = [*quiet, *sent][: len(sent) + 1]
    found: Envelope = []
    tail = 0.0
    for before, now in pairwise(later):
        direct = part * _power(before) + (1 - part) * _power(now)
        tail = tail * decay + direct * (1 - decay)
        found.append(_db(0.6 * direct + 0.4 * tail) + gain_db)
    return found


def howl(seconds: float, starts_s: float, *, step_db: float = 5, round_s: float = 0.22) -> Envelope:
    """A loop from the room's noise up to the limiter at -6 dBov: louder with each time round."""
    found: Envelope = []
    for index in range(round(seconds / STEP_S)):
        rounds = int((index * STEP_S - starts_s) / round_s)
        found.append(-58.0 if rounds < 0 else min(-6.0, -58.0 + step_db * rounds))
    return found


def listen(
    sent: Envelope, heard: Envelope, rng: random.Random | None = None, jitter_s: float = 0.008
) -> list[tuple[float, Finding]]:
    """What a detector finds and when, with packets that come late by ``jitter_s`` (a half normal).
    Time 0 is the first value's."""
    chance = rng or random.Random(1)
    detector = EchoDetector()
    detector.watch("room")
    base = 5.0
    packets: list[tuple[float, str, float, int]] = []
    for key, levels in (("lead", sent), ("room", heard)):
        for index, level in enumerate(levels):
            late = abs(chance.gauss(0, jitter_s))
            timestamp = (4_294_900_000 + index * 960) & 0xFFFFFFFF
            packets.append((base + index * STEP_S + late, key, level, timestamp))
    # No line changes the order of one track's packets here: it holds all of them up.
    packets.sort()
    found: list[tuple[float, Finding]] = []
    look_at = base + LOOK_S
    for at, key, level, timestamp in packets:
        while at >= look_at:
            found += [(look_at - base, one) for one in detector.look(look_at)]
            look_at += LOOK_S
        detector.heard(key, max(0, min(127, round(-level))), at, timestamp)
    return found
