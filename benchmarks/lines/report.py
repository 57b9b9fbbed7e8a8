"""The matrix as a table and, drawn by the client's own chart library, as pictures."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from e2e.bad_lines.measure import Watched

ROOT = Path(__file__).resolve().parents[2]
HEAD = (
    "| line | system | first picture, s | frozen, s (longest) | frames/s | lines | sound made up |"
    " held by the browser, picture / sound, ms | queue before it, p95, ms |"
)
NAMES = {"twinclass": "Twinclass", "janus": "Janus"}
#: When the line of ``step`` falls and rises again.
DOWN_S, UP_S = 25.0, 50.0


def row(one: Watched) -> str:
    """A line of the table."""
    frozen, longest = one.frozen()
    first = one.first_picture_s
    queue = one.relay.get("links", {}).get("down", {}).get("queue_p95_ms", 0.0)
    return (
        f"| {one.profile} | {NAMES[one.system]} | {'–' if first is None else f'{first:.1f}'} |"
        f" {frozen:.1f} ({longest:.1f}) | {one.fps:.1f} | {one.mean_height:.0f} |"
        f" {100 * one.concealed:.2f} % | {one.mean_delay_ms('video'):.0f} /"
        f" {one.mean_delay_ms('audio'):.0f} | {queue:.0f} |"
    )


def steps(one: Watched) -> str:
    """What became of a picture when its line fell and rose."""
    down = one.when_height(lambda height: height <= 180, DOWN_S)
    middle = one.when_height(lambda height: height >= 360, UP_S + 0.5)
    top = one.when_height(lambda height: height >= 720, UP_S + 0.5)
    told = [("a smaller picture after the fall", down), ("the middle layer after the rise", middle),
            ("the top layer after it", top)]  # fmt: skip
    words = [f"{what}: {'not in this run' if at is None else f'{at:.1f} s'}" for what, at in told]
    return f"{NAMES[one.system]}: {', '.join(words)}."


def table(found: Sequence[Watched]) -> str:
    """The whole table, and what the step was like."""
    lines = [HEAD, "|---|---|---|---|---|---|---|---|---|", *(row(one) for one in found)]
    fallen = [steps(one) for one in found if one.profile == "step"]
    return "\n".join([*lines, "", *fallen, ""])


def plots(found: Sequence[Watched], folder: Path) -> list[Path]:
    """Draws one picture a profile: lines of the picture, frames and sound over time."""
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    for profile in dict.fromkeys(one.profile for one in found):
        curves = [
            {
                "name": NAMES[one.system],
                "height": _over_time(one, "height"),
                "fps": _over_time(one, "fps"),
            }
            for one in found
            if one.profile == profile
        ]
        path = folder.resolve() / f"{profile}.svg"
        subprocess.run(
            ["node", str(Path(__file__).with_name("plot.mjs")), str(path)],
            input=json.dumps({"title": profile, "curves": curves}).encode(),
            cwd=ROOT / "client-web",
            check=True,
            timeout=60,
        )
        made.append(path)
    return made


def _over_time(one: Watched, what: str) -> list[tuple[float, float]]:
    """A point each second; a picture that stands has no height."""
    points: list[tuple[float, float]] = []
    before = one.samples[0]
    for sample in one.samples[1:]:
        span = sample.at_s - before.at_s
        if span < 1.0:
            continue
        frames = max(0, sample.frames - before.frames)
        value = frames / span if what == "fps" else float(sample.height if frames else 0)
        points.append((round(sample.at_s, 1), round(value, 1)))
        before = sample
    return points
