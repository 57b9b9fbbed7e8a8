"""Time from the click on "join" to the picture, in real Chromium on loopback.

    .venv/bin/python benchmarks/join.py [--joins 12]

A lead sends its camera; a home learner's page joins again and again, in a new page each time.
Prints the medians beside the bounds of the design (500 ms to the first frame, 1.5 s to ten).
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from playwright.async_api import async_playwright

from e2e.conftest import Browsers, Server

WATCH = """() => new Promise(resolve => {
    const started = performance.now();
    const times = {};
    document.querySelector('[data-testid=join]').click();
    const look = async () => {
        const all = await window.__twinclass.stats();
        const frames = (all.downlink || [])
            .filter(s => s.type === 'inbound-rtp' && s.kind === 'video')
            .reduce((sum, s) => sum + (s.framesDecoded || 0), 0);
        if (frames >= 1) times.first ??= performance.now() - started;
        if (frames >= 10) { times.ten = performance.now() - started; resolve(times); }
        else if (performance.now() - started > 15000) resolve(times);
        else setTimeout(look, 10);
    };
    look();
})"""


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--joins", type=int, default=12)
    joins = parser.parse_args().joins
    first: list[float] = []
    ten: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder / "data")
        server.start()
        try:
            await server.wait_ready()
            async with async_playwright() as playwright:
                browsers = Browsers(playwright, folder)
                links = server.links()
                lead = await browsers.page(links["lead"][0], size=(1440, 900))
                await lead.get_by_test_id("join").click()
                await asyncio.sleep(3)
                home = await browsers.page(links["home_learner"][0], size=(360, 640))
                for _ in range(joins):
                    await home.goto("about:blank")
                    await home.goto(links["home_learner"][0])
                    await home.evaluate("sessionStorage.clear()")
                    await home.get_by_test_id("join").wait_for()
                    await asyncio.sleep(1)
                    times = await home.evaluate(WATCH)
                    first.append(times.get("first", 15000))
                    ten.append(times.get("ten", 15000))
                await browsers.aclose()
        finally:
            server.stop()
    for label, values, bound in (("first frame", first, 500), ("ten frames", ten, 1500)):
        median = statistics.median(values)
        print(
            f"{label:12} p50 {median:6.0f} ms  max {max(values):6.0f} ms"
            f"  bound {bound} ms  ratio {median / bound:.2f}"
        )


if __name__ == "__main__":
    asyncio.run(main())
