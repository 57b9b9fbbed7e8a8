"""No page has a serious barrier (axe-core, both themes) or overflows sideways."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from e2e.conftest import Browsers, Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]

AXE = Path(__file__).parents[3] / "client-web/node_modules/axe-core/axe.min.js"
BARRIERS = ("serious", "critical")


async def barriers(page: Page, name: str) -> list[str]:
    """What axe finds on a page as it is now, in both themes; one line each."""
    if not AXE.exists():
        pytest.fail("axe-core is missing: npm ci in client-web")
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    # Colours that fade over would be read half-way.
    await page.emulate_media(reduced_motion="reduce")
    found: list[str] = []
    too_wide: int = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    if too_wide > 0:
        found.append(f"{name}: {too_wide} px too wide")
    before = await page.evaluate("document.documentElement.dataset.theme")
    for theme in ("stage", "console"):
        await page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        await asyncio.sleep(0.2)
        result: list[dict[str, Any]] = await page.evaluate(
            "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
        )
        for violation in result:
            if violation["impact"] in BARRIERS:
                for node in violation["nodes"]:
                    target = " ".join(map(str, node["target"]))
                    why = node["failureSummary"].replace("\n", " ")
                    found.append(f"{name} ({theme}): {violation['id']}: {target}: {why}")
    await page.evaluate("theme => { document.documentElement.dataset.theme = theme }", before)
    return found


async def test_pages_before_a_lesson_have_no_barriers(server: Server, browsers: Browsers) -> None:
    links = server.links()
    found: list[str] = []
    page = await browsers.page(server.base, size=(1280, 800))
    await page.get_by_test_id("portal").wait_for()
    found += await barriers(page, "portal")
    await page.get_by_test_id("link-demo-lead").get_by_role("button").first.click()
    await page.get_by_test_id("qr").wait_for()
    found += await barriers(page, "QR code")
    await page.goto(f"{server.base}/home")
    found += await barriers(page, "incomplete link")
    await page.goto(links["lead"][0])
    await page.get_by_test_id("join").wait_for()
    await asyncio.sleep(1)
    found += await barriers(page, "device check")
    refused = await browsers.page(
        links["home_learner"][0], size=(360, 640), grant=False, fake_ui=False
    )
    await refused.get_by_test_id("problem-refused").wait_for(timeout=40_000)
    found += await barriers(refused, "refused devices")
    assert not found, "\n".join(found)


@pytest.mark.full
async def test_pages_of_a_lesson_have_no_barriers(server: Server, browsers: Browsers) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    room = await browsers.page(links["room"][0], size=(1920, 1080))
    home = await browsers.page(links["home_learner"][0], size=(360, 640))
    pages = {"lead": lead, "room": room, "home": home}
    for page in pages.values():
        await page.get_by_test_id("join").click(timeout=40_000)
    found: list[str] = []
    await lead.get_by_test_id("call-on-room-1").wait_for()
    for name, page in pages.items():
        found += await barriers(page, name)
    await lead.get_by_test_id("call-on-room-1").click()
    await lead.get_by_test_id("call-on-demo-home-1").click()
    await home.get_by_test_id("on-stage").wait_for(timeout=40_000)
    await asyncio.sleep(1)
    for name, page in pages.items():
        found += await barriers(page, f"{name}, with a stage")
    await lead.get_by_test_id("share-screen").click()
    await asyncio.sleep(2)
    for name, page in pages.items():
        found += await barriers(page, f"{name}, sharing")
    await home.get_by_test_id("leave-stage").click()
    await home.get_by_test_id("audio-only").click()
    found += await barriers(home, "home, sound only")

    for role, sign in (("assistant", "room-state"), ("observer", "counts")):
        await home.goto("about:blank")
        await home.goto(links[role][0])
        await home.get_by_test_id(sign).wait_for()
        await asyncio.sleep(1)
        found += await barriers(home, role)
    await lead.get_by_test_id("close-lesson").click()
    await asyncio.sleep(0.3)
    found += await barriers(lead, "lead, closing")
    server.stop()
    for name in ("room", "lead"):
        await pages[name].get_by_test_id("state-band").wait_for(timeout=40_000)
        found += await barriers(pages[name], f"{name}, line lost")
    assert not found, "\n".join(found)
