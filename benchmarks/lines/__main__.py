"""Real browsers behind bad lines: Twinclass beside Janus VideoRoom on the same relay.

.venv/bin/python benchmarks/lines [--profiles step loss-15 ...] [--systems twinclass janus]
    [--seed 1] [--write docs]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

import devices
import janus
import twinclass
from measure import Watched, watch
from playwright.async_api import async_playwright

from e2e.conftest import Browsers

PROFILES = {"city": 25.0, "county": 40.0, "weak": 40.0, "4g-weak": 60.0, "cut-15s": 60.0,
            "udp-blocked": 25.0, "loss-5": 40.0, "loss-15": 40.0, "rtt-300": 40.0,
            "rate-100k": 40.0, "step": 90.0}  # fmt: skip


async def run_twinclass(folder: Path, profile: str, seed: int, flags: tuple[str, ...]) -> Watched:
    found = Watched("twinclass", profile)
    async with async_playwright() as playwright:
        browsers = Browsers(playwright, folder)
        try:
            async with twinclass.rooms(folder, browsers, flags, seed) as (relay, (room,)):
                await relay.ask(profile=profile)
                await twinclass.join(room)
                await watch(room, found, PROFILES[profile])
                found.relay = (await relay.ask(stats=True))["stats"]
        finally:
            await browsers.aclose()
    return found


async def run_janus(folder: Path, profile: str, seed: int, flags: tuple[str, ...]) -> Watched:
    found = Watched("janus", profile)
    async with async_playwright() as playwright:
        browsers = Browsers(playwright, folder)
        try:
            with janus.link(), janus.client() as pages:
                async with janus.subscriber(folder, browsers, pages, flags, profile, seed) as (
                    relay,
                    page,
                    offer,
                ):
                    await relay.ask(profile=profile)
                    await page.evaluate("sdp => { answer(sdp); }", offer)
                    await watch(page, found, PROFILES[profile])
                    found.relay = (await relay.ask(stats=True))["stats"]
        finally:
            await browsers.aclose()
    return found


def tell(found: Watched) -> None:
    frozen, longest = found.frozen()
    print(
        f"{found.system:10} {found.profile:12} first {found.first_picture_s} frozen {frozen:.1f} s"
        f" (longest {longest:.1f}) fps {found.fps:.1f} height {found.mean_height:.0f}"
        f" concealed {100 * found.concealed:.2f} % delay v {found.mean_delay_ms('video'):.0f}"
        f" a {found.mean_delay_ms('audio'):.0f} ms"
    )


async def main(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as base:
        flags = devices.flags(Path(base))
        for number, profile in enumerate(arguments.profiles):
            for system in arguments.systems:
                folder = Path(base) / f"{number}-{system}"
                folder.mkdir()
                run = run_twinclass if system == "twinclass" else run_janus
                found = await run(folder, profile, arguments.seed, flags)
                tell(found)
                if arguments.verbose:
                    last = None
                    for sample in found.samples:
                        if last is None or sample.at_s - last.at_s >= 1:
                            rate = (
                                0
                                if last is None
                                else 8 * (sample.video_bytes - last.video_bytes) / 1000
                            )
                            print(
                                f"  {sample.at_s:5.1f} frames {sample.frames} height {sample.height}"
                                f" {rate:.0f} kbit/s delay {sample.video_delay_ms:.0f}"
                                f"/{sample.audio_delay_ms:.0f} concealed {sample.concealed}"
                            )
                            last = sample
                    print(found.relay)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--profiles", nargs="+", default=list(PROFILES), choices=list(PROFILES))
    parser.add_argument("--systems", nargs="+", default=["twinclass", "janus"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    asyncio.run(main(parser.parse_args()))
