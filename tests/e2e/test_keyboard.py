"""A whole lesson led by keys alone."""

from __future__ import annotations

import asyncio
import json

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]

LESSON = "keys"


async def focused(page: Page) -> str:
    """What has the focus, by its test id."""
    found: str = await page.evaluate("document.activeElement?.dataset?.testid ?? ''")
    return found


async def tab_to(page: Page, testid: str, most: int = 40) -> None:
    """Presses Tab until something has the focus, and checks that one can see where it is."""
    for _ in range(most):
        if await focused(page) == testid:
            break
        await page.keyboard.press("Tab")
    assert await focused(page) == testid, f"{testid} cannot be reached by Tab"
    outline: str = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", f"the focus on {testid} cannot be seen"


async def test_a_lead_opens_calls_shares_and_closes_by_keys(
    server: Server, browsers: Browsers
) -> None:
    # The demo is open already; this one nobody has opened yet.
    rooms_of_plan = [
        {"id": f"room-{n}", "name": f"七({n})班", "school": f"示例{n}中"} for n in (1, 2)
    ]
    plan = {"title": "有理数的乘法", "rooms": rooms_of_plan, "homes": 0}
    server.create_lesson(LESSON, json.dumps(plan))

    def link(page: str, role: str, room: str = "") -> str:
        return f"{server.base}/{page}#token={server.token(role, room, lesson=LESSON)}"

    lead = await browsers.page(
        link("lead", "lead"),
        size=(1440, 900),
        arguments=("--auto-select-desktop-capture-source=Entire screen",),
    )
    rooms = [
        await browsers.page(link("room", "room", f"room-{n}"), size=(960, 540)) for n in (1, 2)
    ]
    await expect(lead.get_by_test_id("join")).to_be_enabled(timeout=40_000)
    await tab_to(lead, "join")
    await lead.keyboard.press("Enter")
    for room in rooms:
        await room.get_by_test_id("join").click(timeout=40_000)
        await room.get_by_test_id("waiting").wait_for(timeout=40_000)

    await tab_to(lead, "open-lesson")
    await lead.keyboard.press("Enter")
    await rooms[0].get_by_test_id("waiting").wait_for(state="hidden", timeout=40_000)

    # Call on two classes, take the last one off, clear the stage.
    for n in (1, 2):
        await tab_to(lead, f"wall-tile-room-{n}")
        await lead.keyboard.press("Enter")
        await rooms[n - 1].get_by_test_id("on-stage").wait_for(timeout=40_000)
        # The lead presses the next key when she sees the class, not when the class does.
        await lead.get_by_test_id(f"stage-room-{n}").wait_for(timeout=40_000)
    await lead.keyboard.press("o")
    await expect(rooms[1].get_by_test_id("on-stage")).to_be_hidden()
    await expect(rooms[0].get_by_test_id("on-stage")).to_be_visible()
    await tab_to(lead, "wall-tile-room-2")
    await lead.keyboard.press("Enter")
    await rooms[1].get_by_test_id("on-stage").wait_for(timeout=40_000)
    await lead.get_by_test_id("stage-room-2").wait_for(timeout=40_000)
    await lead.keyboard.press("Shift+O")
    for room in rooms:
        await expect(room.get_by_test_id("on-stage")).to_be_hidden()

    # Microphone, camera, screen, devices: one key each, and the button says what is.
    for key, testid in (("v", "microphone"), ("c", "camera"), ("s", "share-screen")):
        button = lead.get_by_test_id(testid)
        before = await button.get_attribute("aria-pressed")
        after = "false" if before == "true" else "true"
        await lead.keyboard.press(key)
        await expect(button).to_have_attribute("aria-pressed", after)
        await lead.keyboard.press(key)
        await expect(button).to_have_attribute("aria-pressed", before or "")
    await lead.keyboard.press("d")
    await lead.get_by_test_id("device-dialog").wait_for()
    await lead.keyboard.press("v")  # A letter in a dialog is not a command.
    await expect(lead.get_by_test_id("microphone")).to_have_attribute("aria-pressed", "true")
    await lead.keyboard.press("Escape")
    await lead.get_by_test_id("device-dialog").wait_for(state="hidden")

    await tab_to(lead, "close-lesson")
    await lead.keyboard.press("Enter")
    await lead.get_by_test_id("confirm-close").wait_for()
    await asyncio.sleep(0.2)
    assert await focused(lead) != "confirm-close", "Enter twice must not end a lesson"
    await tab_to(lead, "confirm-close", most=4)
    await lead.keyboard.press("Enter")
    await rooms[0].get_by_test_id("room-closed").wait_for(timeout=40_000)
