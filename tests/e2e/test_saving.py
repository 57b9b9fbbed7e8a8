"""Sound only and data saver: what is not watched is not sent, by the browser's own counters."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server, statistics, wait_until
from e2e.marks import device_arguments

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(360)]


async def received(page: Page, kind: str, what: str) -> int:
    streams = (await statistics(page))["downlink"]
    return sum(s[what] for s in streams if s["kind"] == kind and s["type"] == "inbound-rtp")


async def kbps(page: Page, seconds: float = 3.0) -> float:
    before = await received(page, "video", "bytesReceived")
    await asyncio.sleep(seconds)
    return (await received(page, "video", "bytesReceived") - before) * 8 / 1000 / seconds


async def width(page: Page) -> int:
    streams = (await statistics(page))["downlink"]
    return max((s.get("frameWidth") or 0 for s in streams if s["kind"] == "video"), default=0)


@pytest.mark.full
async def test_sound_only_stops_every_video_packet_and_data_saver_most(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    links = server.links()
    lead = await browsers.page(
        links["lead"][0],
        size=(1440, 900),
        arguments=device_arguments(tmp_path, "demo-lead", "1280x720"),
    )
    home = await browsers.page(links["home_learner"][0], size=(360, 640))
    for page in (lead, home):
        await page.get_by_test_id("join").click(timeout=40_000)

    async def is_width(expected: int) -> bool:
        return await width(home) == expected

    await wait_until(lambda: is_width(1280), 30, "the full picture")
    full = await kbps(home)

    await home.get_by_test_id("data-saver").click()
    await wait_until(lambda: is_width(640), 15, "the smaller picture")
    saving = await kbps(home)
    print(f"full picture {full:.0f} kbit/s, data saver {saving:.0f} kbit/s")
    assert saving < 0.65 * full

    await home.get_by_test_id("audio-only").click()
    await expect(home.get_by_test_id("audio-only-card")).to_be_visible()
    await asyncio.sleep(1.0)
    video = await received(home, "video", "packetsReceived")
    audio = await received(home, "audio", "packetsReceived")
    await asyncio.sleep(3.0)
    assert await received(home, "video", "packetsReceived") - video == 0
    assert await received(home, "audio", "packetsReceived") - audio > 100, "sound goes on"

    # Remembered: the next visit begins as this one ended.
    await home.reload()
    await expect(home.get_by_test_id("audio-only-card")).to_be_visible(timeout=40_000)
    await asyncio.sleep(1.0)
    assert await received(home, "video", "packetsReceived") == 0
    await home.get_by_test_id("audio-only").click()
    await wait_until(lambda: is_width(640), 15, "the picture is back, still the small one")
