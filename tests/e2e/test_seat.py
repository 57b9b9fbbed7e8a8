"""One seat, one page: fenced by a second device, kept over a reload."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server, frames, wait_until
from e2e.marks import slot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]


async def state(page: Page) -> str:
    found: str = await page.evaluate("window.__twinclass.state")
    return found


async def is_live(page: Page) -> bool:
    return await state(page) == "live"


async def advances(page: Page, use: str) -> bool:
    found = await slot(page, use, "video")
    if found is None or found["participant"] is None:
        return False
    first = await frames(page, found["mid"])
    await asyncio.sleep(0.4)
    return await frames(page, found["mid"]) >= first + 1


async def test_a_second_device_takes_the_seat_and_gives_it_back(
    server: Server, browsers: Browsers
) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    phone = await browsers.page(links["home_learner"][0], size=(360, 640))
    for page in (lead, phone):
        await page.get_by_test_id("join").click(timeout=40_000)
    await wait_until(partial(advances, phone, "lead"), 20, "the phone sees the lead")

    laptop = await browsers.page(links["home_learner"][0], size=(1280, 800))
    await laptop.get_by_test_id("join").click(timeout=40_000)
    await wait_until(partial(advances, laptop, "lead"), 20, "the laptop sees the lead")
    await expect(phone.get_by_test_id("full-page")).to_contain_text("已在另一台设备上进入")
    # It has given up: no tug of war about the seat.
    await asyncio.sleep(4)
    assert await state(phone) == "fenced"
    assert await state(laptop) == "live"
    assert await advances(laptop, "lead")

    await phone.get_by_test_id("use-here").click()
    await wait_until(partial(advances, phone, "lead"), 20, "the phone sees the lead again")
    await expect(laptop.get_by_test_id("full-page")).to_be_visible()
    assert await state(laptop) == "fenced"
    counts = await lead.get_by_test_id("counts").inner_text()
    assert "1/3" in counts.replace(" ", ""), "one learner, however many devices"


async def test_a_reload_keeps_seat_and_stage(server: Server, browsers: Browsers) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    room = await browsers.page(links["room"][0], size=(1280, 720))
    home = await browsers.page(links["home_learner"][0], size=(360, 640))
    for page in (lead, room, home):
        await page.get_by_test_id("join").click(timeout=40_000)
    await lead.get_by_test_id("call-on-room-1").click()
    await wait_until(partial(advances, home, "stage"), 20, "the room is seen at home")
    await expect(home.get_by_test_id("stage-names")).to_contain_text("七(1)班")
    # The lead's page notes it if the room ever leaves the stage.
    await lead.evaluate(
        """() => {
            const seat = '[data-testid="stage-room-1"]';
            window.leftStage = false;
            new MutationObserver(() => {
                if (!document.querySelector(seat)) window.leftStage = true;
            }).observe(document.body, {childList: true, subtree: true});
        }"""
    )
    await room.reload()
    started = time.monotonic()
    await room.get_by_test_id("on-stage").wait_for(timeout=40_000)
    await wait_until(partial(advances, home, "stage"), 20, "the room is seen at home again")
    print(f"seen again {time.monotonic() - started:.2f} s after the reload")
    assert not await lead.evaluate("window.leftStage")

    # The same for the lead: the stage stands, nobody has to be called on anew.
    await lead.reload()
    await wait_until(partial(is_live, lead), 10, "the lead is back")
    await lead.get_by_test_id("stage-room-1").wait_for(timeout=40_000)
    await wait_until(partial(advances, home, "lead"), 20, "the lead is seen at home again")
    await expect(room.get_by_test_id("on-stage")).to_be_visible()
