"""A camera with a busy picture gets the bandwidth it needs."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from playwright.async_api import Page

from e2e.conftest import Browsers, Server, require, statistics, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.full, pytest.mark.timeout(360)]


async def sent_bytes(page: Page) -> int:
    streams = (await statistics(page))["uplink"]
    return sum(s["bytesSent"] for s in streams if s["kind"] == "video")


async def test_a_720p_camera_reaches_and_keeps_one_and_a_half_megabits(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    # Chromium's own test pattern is so simple that it never meets a limit.
    noisy = tmp_path / "noisy.y4m"
    subprocess.run(
        [
            *(require("ffmpeg", "ffmpeg"), "-loglevel", "error", "-f", "lavfi", "-i"),
            "testsrc2=size=1280x720:rate=30,noise=alls=14:allf=t+u",
            *("-t", "3", "-pix_fmt", "yuv420p", str(noisy)),
        ],
        check=True,
    )
    links = server.links()
    lead = await browsers.page(
        links["lead"][0],
        size=(1440, 900),
        arguments=(f"--use-file-for-fake-video-capture={noisy}",),
    )
    room = await browsers.page(links["room"][0])
    for page in (lead, room):
        await page.get_by_test_id("join").click(timeout=40_000)
    rates: list[int] = []

    async def fast() -> bool:
        before = await sent_bytes(lead)
        await asyncio.sleep(2.0)
        rates.append((await sent_bytes(lead) - before) * 4)
        return rates[-1] >= 1_500_000

    await wait_until(fast, 40, f"1.5 Mbit/s, came to {rates}")
    for _ in range(5):
        before = await sent_bytes(lead)
        await asyncio.sleep(4.0)
        rates.append((await sent_bytes(lead) - before) * 2)
    print("bit/s in turn:", rates)
    assert sorted(rates[-5:])[2] >= 1_400_000, rates
