"""A lesson in real browsers, through every plane."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page

from e2e.conftest import Browsers, Server, frames, statistics, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(360)]


async def test_a_lead_reaches_a_room_and_a_home_and_calls_the_room_on(
    server: Server, browsers: Browsers
) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    room = await browsers.page(links["room"][0], size=(1920, 1080))
    home = await browsers.page(links["home_learner"][0], size=(360, 640))
    for page in (lead, room, home):
        await page.get_by_test_id("join").click(timeout=40_000)
    for page in (lead, room, home):
        await wait_until(lambda p=page: _advances(p), 20, "picture")  # type: ignore[misc]
    await lead.get_by_test_id("call-on-room-1").click()
    await wait_until(lambda: _hears(home, 2), 5, "the room is heard at home")
    await wait_until(lambda: _hears(lead, 1), 5, "the room is heard by the lead")
    await lead.get_by_test_id("clear-stage").click()
    before = await _audio_packets(lead)
    await asyncio.sleep(1.0)
    assert await _audio_packets(lead) - before < 40, "an off-stage microphone is closed"


async def _advances(page: Page) -> bool:
    first = await frames(page)
    await asyncio.sleep(0.5)
    return await frames(page) - first >= 2


async def _audio_packets(page: Page) -> int:
    streams = (await statistics(page))["downlink"]
    return sum(s["packetsReceived"] for s in streams if s["kind"] == "audio")


async def _hears(page: Page, voices: int) -> bool:
    streams = (await statistics(page))["downlink"]
    heard = [s for s in streams if s["kind"] == "audio" and s["packetsReceived"] > 20]
    return len(heard) >= voices
