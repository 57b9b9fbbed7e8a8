"""The lesson's tools have no serious barrier: every panel of the studio, and what rooms show."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from e2e.conftest import Browsers, Server
from e2e.pages.test_accessibility import barriers
from e2e.papers import slides_pdf
from e2e.staff import assistants, people

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]

PANELS = {
    "l": "slides",
    "r": "roll call",
    "q": "quiz",
    "t": "timer",
    "g": "groups",
    "k": "sound check",
    "x": "chat",
    "h": "hand over",
    "?": "help",
}


@pytest.mark.full
async def test_the_tools_have_no_barriers(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    room = await browsers.page(links["room"][0], size=(1920, 1080))
    watcher = await browsers.page(links["observer"][0], size=(1280, 800))
    for page in (lead, room):
        await page.get_by_test_id("join").click(timeout=40_000)
    found: list[str] = []
    async with people(server, assistants(server, [1, 2])) as (one, two):
        await one.command("roll_call")
        await one.command("hand_raise", count=3)
        await two.command("pulse_send", kind="slower")
        await two.command("note_send", text="后排听不清")
        await lead.keyboard.press("l")
        await lead.get_by_test_id("slides-file").set_input_files(await slides_pdf(tmp_path))
        for page in (lead, room, watcher):
            await expect(page.get_by_test_id("slides")).to_have_attribute(
                "data-page", "1", timeout=40_000
            )
        await lead.keyboard.press("Escape")
        await lead.keyboard.press("b")
        found += await barriers(lead, "lead with slides and pen")
        for key, name in PANELS.items():
            await lead.keyboard.press(key)
            found += await barriers(lead, f"lead, {name}")
            await lead.keyboard.press("Escape")
        await lead.keyboard.press("n")
        await lead.keyboard.press("q")
        await lead.get_by_test_id("quiz-text").fill("(−3) × (−4) = ？")
        await lead.get_by_test_id("quiz-send").click()
        await room.get_by_test_id("quiz-card").wait_for(timeout=40_000)
        await one.command("quiz_tally", quiz=1, counts=[8, 2, 1, 0])
        await expect(lead.get_by_test_id("bar-room-1")).to_be_visible()
        found += await barriers(lead, "lead, quiz open")
        found += await barriers(room, "room, quiz")
        await lead.get_by_test_id("quiz-release").click()
        await room.get_by_test_id("quiz-result").wait_for(timeout=40_000)
        found += await barriers(room, "room, result")
        found += await barriers(watcher, "observer")
        await lead.keyboard.press("Escape")
        await lead.keyboard.press("g")
        await lead.get_by_test_id("group-start").click()
        await room.get_by_test_id("group-work").wait_for(timeout=40_000)
        found += await barriers(lead, "lead, group work")
        found += await barriers(room, "room, group work")
    assert not found, "\n".join(found)
