"""Every page in both languages, as pictures in ``screenshots/``; none may overflow sideways."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page

from e2e.conftest import Browsers, Server, frames, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PICTURES = Path(__file__).parents[3] / "screenshots"


async def keep(page: Page, name: str) -> None:
    """Saves the page in both languages and checks that it fits its screen."""
    PICTURES.mkdir(exist_ok=True)
    for language in ("zh-CN", "en"):
        await speak(page, language)
        await page.screenshot(path=PICTURES / f"{name}.{language}.png")
        too_wide = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert too_wide <= 0, f"{name} in {language} is {too_wide} px too wide"
    await speak(page, "zh-CN")


async def speak(page: Page, language: str) -> None:
    """Switches the page's language: by its button, else (a big screen has none) by its link."""
    if await page.evaluate("document.documentElement.lang") == language:
        return
    await page.evaluate("language => window.__twinclass.setLanguage(language)", language)
    await page.wait_for_function("l => document.documentElement.lang === l", arg=language)
    await asyncio.sleep(0.3)


async def plays(page: Page) -> None:
    """Waits until pictures arrive."""

    async def advances() -> bool:
        first = await frames(page)
        await asyncio.sleep(0.3)
        return await frames(page) > first

    await wait_until(advances, 20, "pictures")


async def test_pages_before_and_around_a_lesson(server: Server, browsers: Browsers) -> None:
    links = server.links()
    portal = await browsers.page(server.base, size=(1280, 800))
    await portal.get_by_test_id("portal").wait_for()
    await keep(portal, "portal")
    await portal.set_viewport_size({"width": 360, "height": 640})
    await keep(portal, "portal-phone")
    await portal.goto(f"{server.base}/home")
    await keep(portal, "link-incomplete")
    await portal.goto(f"{server.base}/home#token=not.a.token")
    await portal.get_by_test_id("join").click(timeout=10_000)
    await portal.get_by_test_id("full-page").wait_for()
    await keep(portal, "link-invalid")

    check = await browsers.page(links["lead"][0], size=(1280, 800))
    await check.get_by_test_id("join").wait_for()
    await asyncio.sleep(1.5)
    await keep(check, "device-check")
    refused = await browsers.page(
        links["home_learner"][0], size=(360, 640), grant=False, fake_ui=False
    )
    await refused.get_by_test_id("problem-refused").wait_for(timeout=10_000)
    await keep(refused, "device-check-refused-phone")


async def test_pages_of_a_lesson(server: Server, browsers: Browsers) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    await lead.get_by_test_id("join").click(timeout=10_000)
    room = await browsers.page(links["room"][0], size=(1920, 1080))
    await room.get_by_test_id("join").click(timeout=10_000)
    home = await browsers.page(links["home_learner"][0], size=(360, 640))
    await home.get_by_test_id("join").click(timeout=10_000)
    for page in (lead, room, home):
        await plays(page)
    await keep(lead, "lead")
    await keep(room, "room")
    await keep(home, "home-phone")

    await lead.get_by_test_id("call-on-room-1").click()
    await room.get_by_test_id("on-stage").wait_for(timeout=5_000)
    await asyncio.sleep(2)
    await keep(lead, "lead-stage")
    await keep(room, "room-on-stage")
    await keep(home, "home-phone-stage")
    await lead.get_by_test_id("share-screen").click()
    await lead.get_by_test_id("call-on-demo-home-1").click()
    await home.get_by_test_id("on-stage").wait_for(timeout=5_000)
    await asyncio.sleep(4)
    await keep(lead, "lead-sharing")
    await keep(room, "room-on-stage-slides")
    await keep(home, "home-phone-on-stage")
    await home.set_viewport_size({"width": 640, "height": 360})
    await keep(home, "home-phone-landscape")
    await home.set_viewport_size({"width": 1280, "height": 800})
    await keep(home, "home-laptop")

    await home.goto("about:blank")
    await home.goto(links["assistant"][0])
    await home.set_viewport_size({"width": 1024, "height": 768})
    await plays(home)
    await keep(home, "assistant")
    await home.goto("about:blank")
    await home.goto(links["observer"][0])
    await plays(home)
    await keep(home, "observe")

    await lead.get_by_test_id("close-lesson").click()
    await asyncio.sleep(0.3)
    await keep(lead, "lead-close")
    await lead.get_by_test_id("confirm-close").click()
    await room.get_by_test_id("room-closed").wait_for(timeout=5_000)
    await keep(room, "room-closed")
    await keep(lead, "lead-closed")


async def test_a_lost_line_is_told_and_the_last_picture_stays(
    server: Server, browsers: Browsers
) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    await lead.get_by_test_id("join").click(timeout=10_000)
    room = await browsers.page(links["room"][0], size=(1920, 1080))
    await room.get_by_test_id("join").click(timeout=10_000)
    await plays(room)
    server.stop()
    for page, name in ((room, "room-line-lost"), (lead, "lead-line-lost")):
        await page.get_by_test_id("state-band").wait_for(timeout=5_000)
        await keep(page, name)
    # Pixels of the last frame, not a black field: the fake camera is green.
    green = await room.evaluate(
        """() => {
            const video = document.querySelector('[data-testid^="video-lead"]');
            const canvas = document.createElement('canvas');
            canvas.width = canvas.height = 8;
            const still = video.parentElement.querySelector('canvas');
            const shown = still.style.display !== 'none' && still.width > 8 ? still : video;
            const context = canvas.getContext('2d');
            context.drawImage(shown, 0, 0, 8, 8);
            return context.getImageData(4, 1, 1, 1).data[1];
        }"""
    )
    assert green > 60
