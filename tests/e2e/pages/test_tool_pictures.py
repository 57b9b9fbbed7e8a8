"""The lesson's tools in both languages, as pictures in ``screenshots/``.

What is shown is caused: assistants, homes and observers act by the protocol, the lead by her page.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Browsers
from e2e.crowd import Crowd, crowded
from e2e.pages.test_page_pictures import Cast, enter, keep, plays
from e2e.papers import TITLE, slides_pdf
from e2e.staff import assistants, people
from light.client import LightClient

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

ROOMS, HOMES = 12, 6


async def bring_slides(lead: Page, folder: Path) -> None:
    """Uploads the drawn slides by the page and closes the panel."""
    await lead.keyboard.press("l")
    await lead.get_by_test_id("slides-file").set_input_files(await slides_pdf(folder))
    await expect(lead.get_by_test_id("slides")).to_have_attribute("data-page", "1", timeout=20_000)
    await lead.keyboard.press("Escape")


async def draw(lead: Page) -> None:
    """A line under the question and a circle around its answer."""
    await lead.keyboard.press("b")
    canvas = lead.get_by_test_id("slides").locator("canvas.ink")
    box = await canvas.bounding_box()
    assert box is not None

    async def stroke(points: list[tuple[float, float]]) -> None:
        for n, (x, y) in enumerate(points):
            await lead.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if n == 0:
                await lead.mouse.down()
        await lead.mouse.up()

    await stroke([(0.07 + n * 0.02, 0.555 + (n % 3) * 0.002) for n in range(26)])
    circle = [(0.0, -1.0), (0.7, -0.7), (1.0, 0.0), (0.7, 0.7), (0.0, 1.0), (-0.7, 0.7)]
    circle += [(-1.0, 0.0), (-0.7, -0.7), (0.1, -1.05)]
    await stroke([(0.585 + x * 0.05, 0.315 + y * 0.07) for x, y in circle])
    await lead.keyboard.press("b")


async def stir(staff: list[LightClient], crowd: Crowd) -> None:
    """Hands, signals, notes and roll calls, as minutes of a lesson bring them."""
    for number, helper in enumerate(staff):
        await helper.command("roll_call", absent=[f"demo-pupil-{number + 4}-2"] * (number % 2))
    await staff[1].command("hand_raise", count=7)
    await crowd.homes[1].command("hand_raise")
    await staff[4].command("hand_raise", count=2)
    for helper in staff[:3]:
        await helper.command("pulse_send", kind="slower")
    await staff[5].command("pulse_send", kind="done")
    await staff[3].command("note_send", text="后排听不清，话筒近一点")
    await staff[0].command("note_send", text="本班第 2 题错得多，可再讲")


@pytest.mark.full
async def test_pictures_of_a_lesson_with_its_tools(browsers: Browsers, tmp_path: Path) -> None:
    async with crowded(tmp_path, ROOMS, HOMES) as (server, crowd):
        links = server.links()
        helpers = assistants(server, range(4, 13))
        async with people(server, [*helpers, links["observer"][0]]) as staff:
            cast = Cast(browsers, tmp_path)
            await crowd.join(crowd.rooms[:2] + crowd.rooms[3:] + crowd.homes)
            lead = await cast.lead(links["lead"][0])
            room = await cast.room(links["room"][2], 3)
            await enter(lead, room)
            for page in (lead, room):
                await plays(page)
            await keep(lead, "lead-quiet")
            await stir(staff[:-1], crowd)
            await bring_slides(lead, tmp_path)
            await lead.keyboard.press("ArrowRight")
            await expect(room.get_by_test_id("slides")).to_have_attribute("data-page", "2")
            await draw(lead)
            await lead.get_by_test_id("call-on-room-8").click()
            await lead.get_by_test_id("call-on-demo-home-2").click()
            await lead.mouse.move(700, 890)
            await asyncio.sleep(4)
            await keep(lead, "lead-tools")
            await keep(room, "room-slides-stage")
            await panels(lead)
            await quiz(lead, room, staff, crowd)
            await work(lead, room, staff)


async def panels(lead: Page) -> None:
    for key, name in (("l", "slides"), ("r", "roll"), ("?", "help"), ("h", "hand-over")):
        await lead.keyboard.press(key)
        await asyncio.sleep(0.3)
        await keep(lead, f"lead-{name}-panel")
        await lead.keyboard.press("Escape")


async def quiz(lead: Page, room: Page, staff: list[LightClient], crowd: Crowd) -> None:
    await lead.get_by_test_id("clear-stage").click()
    await lead.keyboard.press("q")
    await lead.get_by_test_id("quiz-text").fill("(−3) × (−4) = ？")
    for index, text in enumerate(("12", "−12", "7", "−7")):
        await lead.get_by_test_id(f"option-text-{index}").fill(text)
    await lead.get_by_test_id("right-0").click()
    await keep(lead, "lead-quiz-new")
    await lead.get_by_test_id("quiz-send").click()
    await room.get_by_test_id("quiz-card").wait_for(timeout=5_000)
    number = 1
    for index, helper in enumerate(staff[:6]):
        counts = [7 + index % 3, 3 - index % 2, 1, 0]
        await helper.command("quiz_tally", quiz=number, counts=counts)
    for index, home in enumerate(crowd.homes[:4]):
        await home.command("quiz_answer", quiz=number, choices=[0 if index else 1])
    await asyncio.sleep(0.8)
    await keep(lead, "lead-quiz-open")
    await keep(room, "room-quiz")
    await lead.get_by_test_id("quiz-release").click()
    await room.get_by_test_id("quiz-result").wait_for(timeout=5_000)
    await asyncio.sleep(0.5)
    await keep(lead, "lead-quiz-released")
    await keep(room, "room-quiz-result")
    await lead.keyboard.press("Escape")


async def work(lead: Page, room: Page, staff: list[LightClient]) -> None:
    await lead.keyboard.press("t")
    await lead.get_by_test_id("timer-text").fill("独立思考")
    await lead.get_by_test_id("timer-90").click()
    await room.get_by_test_id("countdown").wait_for(timeout=5_000)
    await asyncio.sleep(0.5)
    await keep(lead, "lead-timer")
    await keep(room, "room-countdown")
    await lead.get_by_test_id("timer-cancel").click()
    await lead.keyboard.press("Escape")
    await lead.keyboard.press("g")
    await lead.get_by_test_id("group-task").fill(
        "每组两题，组长记录不同的想法，五分钟后请两个班上台"
    )
    await lead.get_by_test_id("group-start").click()
    await room.get_by_test_id("group-work").wait_for(timeout=5_000)
    await staff[2].command("pulse_send", kind="done")
    await lead.get_by_test_id("wall-tile-room-5").click()
    await expect(lead.get_by_test_id("listen-room-5")).to_have_attribute("aria-pressed", "true")
    await asyncio.sleep(1)
    await keep(lead, "lead-groups")
    await keep(room, "room-groups")
    await lead.get_by_test_id("group-end").click()
    await lead.keyboard.press("Escape")
    assert TITLE in await lead.get_by_test_id("slide-bar").inner_text()
