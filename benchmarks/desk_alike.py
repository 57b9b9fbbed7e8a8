"""How long it takes to find the like questions of one, by how many are open.

python benchmarks/desk_alike.py
"""

from __future__ import annotations

import random
import statistics
import time

from twinclass_server.desk.alike import OpenTexts
from twinclass_signaling.desk.plan import QuestionId

#: Of a few hundred characters: what homework is written with, so that questions share pairs.
CHARACTERS = "".join(chr(0x4E00 + n * 7) for n in range(300)) + "0123456789xyab+-=()^"
CHARS = 60


def main() -> None:
    """Prints a line for each size."""
    rng = random.Random(1)
    for size in (100, 1_000, 5_000, 20_000):
        found = OpenTexts()
        for number in range(1, size + 1):
            found.put(QuestionId(number), "".join(rng.choices(CHARACTERS, k=CHARS)))
        numbers = [QuestionId(number) for number in range(1, size + 1)]
        taken: list[float] = []
        for number in rng.sample(numbers, 50):
            start = time.perf_counter()
            found.keep(numbers)
            found.like(number)
            taken.append((time.perf_counter() - start) * 1000)
        taken.sort()
        print(
            f"{size:>6} open: median {statistics.median(taken):.2f} ms, "
            f"19 of 20 within {taken[int(len(taken) * 0.95)]:.2f} ms"
        )
    same = OpenTexts()
    page = "".join(rng.choices(CHARACTERS, k=2_000))
    for number in range(1, 1_001):
        same.put(QuestionId(number), page)
    start = time.perf_counter()
    same.like(QuestionId(1))
    print(f"one page sent by 1,000: {(time.perf_counter() - start) * 1000:.2f} ms")


if __name__ == "__main__":
    main()
