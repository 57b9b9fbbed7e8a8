"""What was found as a table and, drawn by the client's own chart library, as a picture."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
import with_mediasoup
from measure import Delays, Found

ROOT = Path(__file__).resolve().parents[2]
HEAD = (
    "| shape | viewers | server | packets out/s | CPU µs a packet (user + system) | to Twinclass |"
    " sound, ms p50 / p95 / p99 | picture, ms | lost | frozen, s | KiB a viewer | joins/s |"
    " join, ms p50 / p95 / p99 (failed) | cores: server + load generator |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)
NAMES = {
    "twinclass": "Twinclass",
    "twinclass-two": "Twinclass, two workers",
    "twinclass-python": "Twinclass, Python only",
    "janus": "Janus",
    "mediasoup": "mediasoup",
    "aiortc": "aiortc MediaRelay",
}
#: What ratios are to.
OURS = "twinclass"


def _delays(found: Delays, digits: int) -> str:
    values = (found.p50, found.p95, found.p99)
    return " / ".join("–" if one is None else f"{one:.{digits}f}" for one in values)


def rows(group: Sequence[Found]) -> list[str]:
    """Lines of the table: systems of one shape and size."""
    ours = next((one.cost_us for one in group if one.system == OURS), None)
    lines: list[str] = []
    for one in group:
        ratio = "–" if not ours else f"{one.cost_us / ours:.2f}"
        lost = "–" if one.loss is None else f"{100 * one.loss:.2f} %"
        failed = f" ({one.failed_joins})" if one.failed_joins else ""
        lines.append(
            f"| {one.shape} | {one.viewers} | {NAMES[one.system]} | {one.packets_per_s:,.0f} |"
            f" {one.cost_us:.2f} ({one.user_us:.2f} + {one.system_us:.2f}) | {ratio} |"
            f" {_delays(one.audio_ms, 1)} | {_delays(one.video_ms, 1)} | {lost} |"
            f" {one.frozen_s:.1f} | {one.kib_per_viewer:.0f} | {one.joins_per_s:.0f} |"
            f" {_delays(one.joins_ms, 0)}{failed} |"
            f" {one.cores:.2f} + {one.generator_cores:.2f} |"
        )
    return lines


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _janus_version() -> str:
    program = shutil.which("janus")
    if program is None:
        return "not installed"
    said = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    for line in (said.stdout + said.stderr).splitlines():
        if line.startswith("Janus version"):
            return line.partition("(")[2].rstrip(")")
    return "unknown"


def _circumstances(arguments: Sequence[str]) -> str:
    """Machine, versions, date and command."""
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("cryptography", "pylibsrtp", "aiortc")
    )
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT, capture_output=True, text=True, timeout=10, check=False,
    ).stdout.strip()  # fmt: skip
    today = datetime.datetime.now(datetime.UTC).date()
    return "\n".join(
        [
            f"* {today}, `.venv/bin/python benchmarks/forwarding {' '.join(arguments)}`",
            f"* {os.cpu_count()} cores {_processor()}, Linux {platform.release()}",
            f"* Twinclass {commit or 'of a release'}, Python {platform.python_version()},"
            f" {versions}, Janus {_janus_version()}, mediasoup {with_mediasoup.version()}",
        ]
    )


def write(found: Sequence[Found], folder: Path, arguments: Sequence[str]) -> None:
    """Writes the runs, the table and the chart."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "runs.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    groups: dict[tuple[str, int], list[Found]] = {}
    for one in found:
        groups.setdefault((one.shape, one.viewers), []).append(one)
    lines = [line for group in groups.values() for line in rows(group)]
    agreed = {NAMES[one.system]: one.srtp_profile for one in found}
    profiles = "; ".join(f"{name}: {profile}" for name, profile in agreed.items())
    pictures = [f"![{one.stem}]({one.name})" for one in charts(found, folder)]
    text = [_circumstances(arguments), f"* SRTP: {profiles}", "", HEAD, *lines, "", *pictures, ""]
    (folder / "table.md").write_text("\n".join(text), "utf-8")


def charts(found: Sequence[Found], folder: Path) -> list[Path]:
    """Draws cost and delay against size, for each shape that was run in several sizes."""
    made: list[Path] = []
    for shape in dict.fromkeys(one.shape for one in found):
        runs = [one for one in found if one.shape == shape]
        if len({one.viewers for one in runs}) < 2:
            continue
        path = folder.resolve() / f"{shape}.svg"
        # A server that encodes anew costs hundreds of times as much: beside it nothing is seen.
        curves = [_curve(name, runs) for name in NAMES if name != "aiortc"]
        subprocess.run(
            ["node", str(Path(__file__).with_name("plot.mjs")), str(path)],
            input=json.dumps(
                {"title": shape, "curves": [one for one in curves if one["cost"]]}
            ).encode(),
            cwd=ROOT / "client-web",
            check=True,
            timeout=60,
        )
        made.append(path)
    return made


def _curve(system: str, runs: Sequence[Found]) -> dict[str, object]:
    own = [one for one in runs if one.system == system]
    return {
        "name": NAMES[system],
        "cost": [(one.viewers, round(one.cost_us, 2)) for one in own],
        "audio": [
            (one.viewers, round(one.audio_ms.p99, 2)) for one in own if one.audio_ms.p99 is not None
        ],
    }
