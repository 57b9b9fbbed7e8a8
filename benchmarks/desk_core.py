"""What the evening desk's core costs: commands a second, and microseconds for each kind.

    .venv/bin/python benchmarks/desk_core.py [--pupils 10000] [--per-minute 1000] [--minutes 10]

One desk with as many pupils present, asking as many questions a minute, tutors for most of them
and a queue of the rest; no I/O. Each command is timed with what follows from it (events applied,
deadlines, offers), in processor time, so that a busy machine matters little. Then: what a
snapshot, a replay and a round of everybody's views cost.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from hosting.desk import EVENING, OPENS, duty, plan
from hosting.desk_evening import Behaviour, Simulation, arrivals, exponential
from twinclass_signaling.desk import snapshot
from twinclass_signaling.desk.commands import SYSTEM, Actor, AnyCommand, PupilHere
from twinclass_signaling.desk.core import apply
from twinclass_signaling.desk.events import DeskEvent
from twinclass_signaling.desk.plan import Desk, Typical
from twinclass_signaling.desk.state import planned
from twinclass_signaling.desk.timers import next_deadline
from twinclass_signaling.desk.views import views
from twinclass_signaling.ids import EventSeq, PersonId
from twinclass_signaling.roles import Role

SUBJECTS = ("chinese", "maths", "english", "physics", "chemistry", "biology")
GRADES = (7, 8, 9)


def desk_of(tutors: int) -> Desk:
    """Tutors of one subject each, for all grades."""
    return plan(
        [duty(f"tutor-{n}", (SUBJECTS[n % len(SUBJECTS)],), GRADES) for n in range(1, tutors + 1)],
        subjects=SUBJECTS,
        grades=GRADES,
        typical=tuple(Typical(subject, 480, 50) for subject in SUBJECTS),
    )


class Timed(Simulation):
    """Measures every command together with the look at the next deadline."""

    def measure(self) -> dict[str, list[float]]:
        times: dict[str, list[float]] = defaultdict(list)
        give = self.desk.give

        def timed(command: AnyCommand, actor: Actor = SYSTEM
                  ) -> list[DeskEvent]:  # fmt: skip
            began = time.process_time()
            try:
                return give(command, actor)
            finally:
                next_deadline(self.desk.state)
                times[type(command).__name__].append(time.process_time() - began)

        self.desk.give = timed  # type: ignore[method-assign]
        return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=10_000)
    parser.add_argument("--per-minute", type=int, default=1_000)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--tutors", type=int, default=500)
    asked = parser.parse_args()

    run = Timed(desk_of(asked.tutors), Behaviour(exponential(480), bank=0.6, written=0.4), 1)
    run.on_duty(asked.tutors)
    began = time.process_time()
    for n in range(1, asked.pupils + 1):
        run.desk.give(PupilHere(PersonId(f"pupil-{n}"), GRADES[n % 3]))
    print(
        f"{asked.pupils} arrivals: {(time.process_time() - began) / asked.pupils * 1e6:.0f} µs each"
    )
    seconds = asked.minutes * 60
    for k, at in enumerate(arrivals(run.rng, asked.per_minute * 60, OPENS, seconds)):
        n = k % asked.pupils + 1
        run.asks(at, n, SUBJECTS[k % len(SUBJECTS)], GRADES[n % 3])
    times = run.measure()
    run.run(OPENS + seconds)

    state = run.desk.state
    everything = [one for found in times.values() for one in found]
    print(f"{len(state.questions)} questions, {len(run.desk.log)} events,"
          f" {sum(map(len, state.index.lanes.values()))} waiting at the end")  # fmt: skip
    print(f"{len(everything) / sum(everything):,.0f} commands/s")
    print(f"{'command':18} {'count':>8} {'mean µs':>9} {'p99 µs':>9} {'max µs':>9}")
    for name, found in sorted(times.items(), key=lambda item: -sum(item[1])):
        found.sort()
        print(
            f"{name:18} {len(found):8} {statistics.mean(found) * 1e6:9.1f}"
            f" {found[int(len(found) * 0.99)] * 1e6:9.1f} {found[-1] * 1e6:9.1f}"
        )

    began = time.process_time()
    data = snapshot.encode(state)
    encoded = time.process_time()
    snapshot.decode(state.plan, data)
    print(f"snapshot: {len(data) / 1024:,.0f} KiB, {(encoded - began) * 1e3:.0f} ms,"
          f" back in {(time.process_time() - encoded) * 1e3:.0f} ms")  # fmt: skip

    again = planned(state.plan, EVENING)
    began = time.process_time()
    for number, (event, at) in enumerate(run.desk.log, 1):
        apply(again, event, at, EventSeq(number))
    print(f"replay: {(time.process_time() - began) / len(run.desk.log) * 1e6:.1f} µs an event")

    everybody = [Actor(PersonId(f"pupil-{n}"), Role.PUPIL) for n in range(1, asked.pupils + 1)]
    everybody += [Actor(PersonId(f"tutor-{n}"), Role.TUTOR) for n in range(1, asked.tutors + 1)]
    began = time.process_time()
    views(state, everybody, {}, run.desk.now)
    print(f"views of everybody: {(time.process_time() - began) / len(everybody) * 1e6:.0f} µs each")


if __name__ == "__main__":
    main()
