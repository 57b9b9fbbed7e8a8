"""Sound that the browser holds back: told, marked at the lead's, and opened by any key.

Chromium plays sound on a page that captures a camera or microphone without asking for a key; it
is the big screen without devices of its own that stays silent.
"""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from e2e.conftest import Browsers, Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]


async def test_a_room_that_comes_back_without_a_key_press_is_marked_until_one(
    server: Server, browsers: Browsers
) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    await lead.get_by_test_id("join").click(timeout=40_000)
    room = await browsers.page(links["room"][0], size=(1280, 720), grant=False, fake_ui=False)
    await room.get_by_test_id("join").click(timeout=40_000)
    tile = lead.get_by_test_id("wall-tile-room-1")
    await expect(tile).to_have_attribute("data-state", "never", timeout=40_000)

    # The screen was switched off and on: a new page, the check remembered, nobody there.
    # Nothing may be asked of the new page yet: the driver's questions count as key presses.
    context = room.context
    await room.close()
    room = await context.new_page()
    await room.goto(links["room"][0])
    await expect(tile).to_have_attribute("data-state", "soundBlocked", timeout=40_000)
    await expect(lead.get_by_test_id("attention")).to_contain_text("大屏要按一次任意键")
    gate = room.get_by_test_id("sound-unblock")
    await expect(gate).to_contain_text("按任意键开启声音")
    await asyncio.sleep(0.5)
    await expect(gate).to_be_visible()

    await room.keyboard.press("x")
    await expect(gate).to_be_hidden()
    await expect(tile).to_have_attribute("data-state", "never", timeout=40_000)
    await expect(lead.get_by_test_id("attention")).to_contain_text("一切正常")
