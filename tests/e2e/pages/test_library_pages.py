"""A recorded lesson is found in the library and plays, all its tracks together."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page

from e2e.conftest import Browsers, Server, wait_until
from e2e.test_lesson import _advances
from e2e.test_recording import close, package_of, staff_token

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

#: Done when 1: all tracks within 40 ms of each other.
TOGETHER_S = 0.04


async def recorded(server: Server, browsers: Browsers) -> str:
    """A lesson with a room on stage; returns the recording's id."""
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    room = await browsers.page(links["room"][0], size=(1920, 1080))
    for page in (lead, room):
        await page.get_by_test_id("join").click(timeout=10_000)
    await wait_until(lambda: _advances(room), 20, "picture")
    await wait_until(
        lambda: _says(lead, "recording", "录制 0:"), 15, "the lead sees that bytes are on disk"
    )
    await asyncio.sleep(2)
    await lead.get_by_test_id("call-on-room-1").click()
    await asyncio.sleep(9)
    await lead.get_by_test_id("clear-stage").click()
    await asyncio.sleep(3)
    await asyncio.to_thread(close, server)
    folder, _ = await package_of(server)
    for page in (lead, room):
        await page.close()
    return folder.name


async def _says(page: Page, test_id: str, text: str) -> bool:
    return text in (await page.get_by_test_id(test_id).first.inner_text())


async def times(page: Page) -> tuple[float, dict[str, float]]:
    found = await page.evaluate("() => ({ time: __player.time(), times: __player.times() })")
    return found["time"], found["times"]


async def test_a_recorded_lesson_is_found_and_plays_in_step(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    recording = await recorded(server, browsers)
    token = await asyncio.to_thread(staff_token, server)
    page = await browsers.page(f"{server.base}/library#token={token}", size=(1440, 900))
    await page.get_by_test_id("search").fill("乘法")
    await page.get_by_test_id(f"entry-{recording}").click(timeout=10_000)
    await page.get_by_test_id("begin").click(timeout=10_000)

    async def plays() -> bool:
        before, _ = await times(page)
        await asyncio.sleep(0.5)
        return (await times(page))[0] > before + 0.3

    await wait_until(plays, 15, "it plays")
    # Where the room is on stage: two pictures and two voices.
    await page.evaluate("() => __player.seek(8.5)")

    async def all_play() -> bool:
        return len((await times(page))[1]) == 4 and await plays()

    await wait_until(all_play, 15, "four tracks")
    await asyncio.sleep(2)
    spreads: list[float] = []
    for _ in range(20):
        time, found = await times(page)
        if len(found) == 4:
            spreads.append(max(found.values()) - min(found.values()))
            assert all(abs(at - time) < 0.3 for at in found.values())
        await asyncio.sleep(0.1)
    spreads.sort()
    print(f"spread of four tracks: p50 {spreads[len(spreads) // 2] * 1000:.0f} ms,"
          f" max {spreads[-1] * 1000:.0f} ms")  # fmt: skip
    assert spreads[len(spreads) // 2] < TOGETHER_S
    await page.screenshot(path=tmp_path / "player.png")
    assert browsers.problems == []


async def test_a_latecomer_catches_up_until_it_is_live(server: Server, browsers: Browsers) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    await lead.get_by_test_id("join").click(timeout=10_000)
    await asyncio.sleep(13)
    home = await browsers.page(links["home_learner"][0], size=(360, 640))
    await home.get_by_test_id("join").click(timeout=10_000)
    await home.get_by_test_id("catch-up-start").click(timeout=20_000)
    card = home.get_by_test_id("catching-up")
    video = card.locator("video")
    await video.wait_for(timeout=10_000)

    async def plays() -> bool:
        read = "e => [e.currentTime, e.playbackRate]"
        before = await video.evaluate(read)
        await asyncio.sleep(1)
        after = await video.evaluate(read)
        return after[0] - before[0] > 1.0 and abs(after[1] - 1.25) < 0.15

    await wait_until(plays, 15, "it plays faster than it was taught")
    behind = int(await card.get_attribute("data-behind") or 0)
    await asyncio.sleep(6)
    assert int(await card.get_attribute("data-behind") or 0) < behind
    await home.get_by_test_id("catch-up-stop").click()
    await card.wait_for(state="detached", timeout=5_000)
    await asyncio.sleep(3)
    assert await home.get_by_test_id("catch-up").count() == 0, "it is not offered again"
    assert browsers.problems == []
