"""Real browsers behind bad lines: Twinclass beside Janus VideoRoom on the same relay.

    .venv/bin/python benchmarks/lines [--profiles step loss-15 ...] [--systems twinclass janus]
        [--seed 1] [--sharing] [--write docs/lines] [--verbose]

One lead with a busy camera of 720 lines and a voice that never rests, on a good line; one viewer
behind the relay, in a browser of its own, looked at five times a second. ``--sharing``: three rooms
of Twinclass behind one line of 400 kbit/s, with a light lead whose drawn picture takes 200.
``--write`` makes the table and the plots, and keeps the runs; ``--merge`` takes kept runs of other
lines in. Janus needs its Debian package and root (see ``janus.py``).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import janus
import janus_server
import msgspec
import report
from playwright.async_api import async_playwright

from e2e.bad_lines import devices, rooms
from e2e.bad_lines.measure import Watched, watch
from e2e.conftest import Browsers

PROFILES = {"city": 25.0, "county": 40.0, "weak": 40.0, "4g-weak": 60.0, "cut-15s": 60.0,
            "udp-blocked": 25.0, "loss-5": 40.0, "loss-15": 40.0, "rtt-300": 40.0,
            "rate-100k": 40.0, "step": 90.0}  # fmt: skip
SHARING_S = 60.0
SHARED = """summary = "three rooms on one line"
source = "the county's round trip and queue, at 400 kbit/s"

[both]
delay_ms = 30
rate_bps = 400_000
queue_ms = 250
"""


async def run_twinclass(folder: Path, profile: str, seed: int, flags: tuple[str, ...]) -> Watched:
    """One room."""
    found = Watched("twinclass", profile)
    async with async_playwright() as playwright:
        browsers = Browsers(playwright, folder)
        try:
            async with rooms.rooms(folder, browsers, flags, seed) as (relay, (room,)):
                await relay.ask(profile=profile)
                await rooms.join(room)
                await watch(room, found, PROFILES[profile])
                found.relay = (await relay.ask(stats=True))["stats"]
        finally:
            await browsers.aclose()
    return found


async def run_janus(folder: Path, profile: str, seed: int, flags: tuple[str, ...]) -> Watched:
    """One subscriber."""
    found = Watched("janus", profile)
    async with async_playwright() as playwright:
        browsers = Browsers(playwright, folder)
        try:
            with janus_server.link(), janus.client() as pages:
                viewer = janus.subscriber(folder, browsers, pages, flags, profile, seed)
                async with viewer as (relay, page, offer):
                    await relay.ask(profile=profile)
                    await page.evaluate("sdp => { answer(sdp); }", offer)
                    await watch(page, found, PROFILES[profile])
                    found.relay = (await relay.ask(stats=True))["stats"]
        finally:
            await browsers.aclose()
    return found


async def run_sharing(folder: Path, seed: int) -> None:
    """Three rooms on one line; prints how they share it."""
    line = folder / "shared.toml"
    line.write_text(SHARED)
    runs = [Watched("twinclass", "shared") for _ in range(3)]
    async with async_playwright() as playwright:
        browsers = Browsers(playwright, folder)
        try:
            async with rooms.rooms(folder, browsers, (), seed, count=3) as (relay, pages):
                await relay.ask(profile=str(line))
                for page in pages:
                    await rooms.join(page)
                await asyncio.gather(
                    *(watch(page, one, SHARING_S) for page, one in zip(pages, runs, strict=True))
                )
        finally:
            await browsers.aclose()
    rates = [8 * one.samples[-1].video_bytes / SHARING_S / 1000 for one in runs]
    jain = sum(rates) ** 2 / (len(rates) * sum(rate * rate for rate in rates))
    print(
        "three rooms on one line of 400 kbit/s:", ", ".join(f"{rate:.0f} kbit/s" for rate in rates)
    )
    print(f"Jain's index {jain:.3f}")
    for one in runs:
        tell(one)


def tell(found: Watched) -> None:
    """Prints a run in one line."""
    print(report.row(found), flush=True)


def tell_seconds(found: Watched) -> None:
    """Prints a run second by second."""
    last = found.samples[0]
    for sample in found.samples[1:]:
        if sample.at_s - last.at_s < 1:
            continue
        rate = 8 * (sample.video_bytes - last.video_bytes) / 1000
        print(
            f"  {sample.at_s:5.1f} frames {sample.frames} height {sample.height} {rate:.0f} kbit/s"
            f" delay {sample.video_delay_ms:.0f}/{sample.audio_delay_ms:.0f} ms"
            f" made up {sample.concealed}"
        )
        last = sample


async def main(arguments: argparse.Namespace) -> None:
    """Runs what was asked for, one after another."""
    with tempfile.TemporaryDirectory() as base:
        flags = devices.flags(Path(base))
        if arguments.sharing:
            await run_sharing(Path(base), arguments.seed)
            return
        print(report.HEAD, flush=True)
        found: list[Watched] = []
        if arguments.merge is not None:
            kept = msgspec.json.decode(arguments.merge.read_bytes(), type=list[Watched])
            found = [one for one in kept if one.profile not in arguments.profiles]
        for profile in arguments.profiles:
            for system in arguments.systems:
                folder = Path(base) / f"{profile}-{system}"
                folder.mkdir()
                run = run_twinclass if system == "twinclass" else run_janus
                found.append(await run(folder, profile, arguments.seed, flags))
                tell(found[-1])
                if arguments.verbose:
                    tell_seconds(found[-1])
                if arguments.write is not None:  # What was run stays, whatever comes after.
                    arguments.write.mkdir(parents=True, exist_ok=True)
                    (arguments.write / "runs.json").write_bytes(msgspec.json.encode(found))
        if arguments.write is not None:
            plots = report.plots(found, arguments.write)
            pictures = "\n".join(f"![{one.stem}]({one.name})" for one in plots)
            page = f"# Rooms behind poor lines\n\n{report.table(found)}\n{pictures}\n"
            (arguments.write / "table.md").write_text(page)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--profiles", nargs="+", default=list(PROFILES), choices=list(PROFILES))
    parser.add_argument("--systems", nargs="+", default=["twinclass", "janus"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sharing", action="store_true")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--merge", type=Path)
    parser.add_argument("--verbose", action="store_true")
    asyncio.run(main(parser.parse_args()))
