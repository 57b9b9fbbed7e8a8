"""The lesson's tools in both languages, as pictures in ``screenshots/``.

What is shown is caused: assistants, homes and observers act by the protocol, the lead by her page.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server
from e2e.crowd import Crowd, crowded
from e2e.drawn import camera
from e2e.pages.test_page_pictures import LAPTOP, SCREEN, STUDIO, Cast, enter, keep, plays
from e2e.papers import TITLE, slides_pdf
from e2e.staff import assistants, people
from light.client import LightClient
from light.drawings import learner

pytestmark = [pytest.mark.browser, pytest.mark.full, pytest.mark.timeout(400)]

ROOMS, HOMES = 12, 6


async def bring_slides(lead: Page, folder: Path) -> None:
    """Uploads the drawn slides by the page and closes the panel."""
    await lead.keyboard.press("l")
    await lead.get_by_test_id("slides-file").set_input_files(await slides_pdf(folder))
    await expect(lead.get_by_test_id("slides")).to_have_attribute("data-page", "1", timeout=40_000)
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
            await lead.get_by_test_id("spotlight-room-8").click()
            await lead.get_by_test_id("mute-demo-home-2").click()
            await lead.get_by_test_id("stage-demo-home-2").hover()
            await asyncio.sleep(0.5)
            await keep(lead, "lead-stage-tools")
            await lead.keyboard.press("x")
            await lead.get_by_test_id("chat-on").click()
            await crowd.homes[2].command("chat_say", text="老师，第 2 题我会！")
            await lead.get_by_test_id("chat-panel").get_by_text("第 2 题").wait_for(timeout=40_000)
            await keep(lead, "lead-chat")
            await lead.keyboard.press("Escape")
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
    await room.get_by_test_id("quiz-card").wait_for(timeout=40_000)
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
    await room.get_by_test_id("quiz-result").wait_for(timeout=40_000)
    await asyncio.sleep(0.5)
    await keep(lead, "lead-quiz-released")
    await keep(room, "room-quiz-result")
    await lead.keyboard.press("Escape")


async def work(lead: Page, room: Page, staff: list[LightClient]) -> None:
    await lead.keyboard.press("t")
    await lead.get_by_test_id("timer-text").fill("独立思考")
    await lead.get_by_test_id("timer-90").click()
    await room.get_by_test_id("countdown").wait_for(timeout=40_000)
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
    await room.get_by_test_id("group-work").wait_for(timeout=40_000)
    await staff[2].command("pulse_send", kind="done")
    await lead.get_by_test_id("wall-tile-room-5").click()
    await expect(lead.get_by_test_id("listen-room-5")).to_have_attribute("aria-pressed", "true")
    await asyncio.sleep(1)
    await keep(lead, "lead-groups")
    await keep(room, "room-groups")
    await lead.get_by_test_id("group-end").click()
    await lead.keyboard.press("Escape")
    assert TITLE in await lead.get_by_test_id("slide-bar").inner_text()


async def test_pictures_of_sound_check_and_handing_over(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    rooms = [
        {"id": f"room-{n}", "name": f"七({n})班", "school": f"示例{digit}中"}
        for n, digit in enumerate("一二三", 1)
    ]
    plan = {"title": TITLE, "subtitle": "七年级数学 · 演示课", "rooms": rooms, "homes": 0}
    server.create_lesson("bell", json.dumps(plan))

    def link(page: str, role: str, room: str, name: str, sub: str) -> str:
        extra = ("--name", name) if role == "room" else ("--name", name, "--sub", sub)
        token = server.token(role, room, *extra, lesson="bell")
        return f"{server.base}/{page}#token={token}"

    cast = Cast(browsers, tmp_path)
    lead = await cast.lead(link("lead", "lead", "", "主讲老师（演示）", "lead"))
    screens = [
        await cast.room(link("room", "room", f"room-{n}", f"七({n})班", ""), n) for n in (1, 3)
    ]
    await enter(lead, *screens)
    for page in (lead, *screens):
        await plays(page)
    await screens[0].get_by_test_id("pairing-code").wait_for(timeout=40_000)
    await keep(screens[0], "room-pairing")
    second = await screens[0].context.new_page()
    await second.set_viewport_size({"width": SCREEN[0], "height": SCREEN[1]})
    await second.goto(link("room", "room", "room-1", "七(1)班", ""))
    await second.locator('[data-companion="true"]').wait_for(timeout=40_000)
    await keep(second, "room-companion-waiting")

    await lead.keyboard.press("k")
    await lead.get_by_test_id("sound-start").click()
    await screens[0].get_by_test_id("sound-turn").wait_for(timeout=40_000)
    await asyncio.sleep(0.8)
    await keep(lead, "lead-sound-check")
    # Five seconds a room: the next class has its turn as soon as this one was heard.
    await lead.keyboard.press("y")
    await expect(lead.get_by_test_id("sound-room-1")).to_contain_text("听到了")
    await keep(screens[1], "room-sound-turn")
    await expect(lead.get_by_test_id("sound-now")).to_be_hidden(timeout=40_000)
    await keep(lead, "lead-sound-checked")
    await lead.keyboard.press("Escape")
    await lead.get_by_test_id("open-lesson").click()
    await lead.get_by_test_id("call-on-room-1").click()
    await second.get_by_test_id("on-stage").wait_for(timeout=40_000)
    await asyncio.sleep(2)
    await keep(second, "room-companion-on-stage")
    await lead.get_by_test_id("clear-stage").click()

    flag = camera(tmp_path, "co-lead", learner(4), (640, 480))
    other = await browsers.page(
        link("lead", "co_lead", "", "协同主讲（演示）", "co-lead"),
        size=STUDIO,
        arguments=(flag,),
    )
    await enter(other)
    await plays(other)
    await bring_slides(lead, tmp_path)
    await keep(other, "co-lead")
    await lead.keyboard.press("h")
    await lead.get_by_test_id("offer-co-lead").click()
    await other.get_by_test_id("take-over").wait_for(timeout=40_000)
    await keep(lead, "lead-offered")
    await keep(other, "co-lead-offered")
    await lead.close()
    await screens[1].get_by_test_id("moment").wait_for(timeout=40_000)
    await keep(screens[1], "room-one-moment")
    await expect(other.get_by_test_id("teaching")).to_have_attribute("data-state", "needed")
    await keep(other, "co-lead-needed")
    await other.get_by_test_id("take-over").click()
    await expect(screens[1].get_by_test_id("moment")).to_be_hidden()
    await asyncio.sleep(2)
    await keep(other, "co-lead-teaching")
    await keep(screens[1], "room-co-lead")


async def test_pictures_of_an_observer(browsers: Browsers, tmp_path: Path) -> None:
    async with crowded(tmp_path, ROOMS, HOMES) as (server, crowd):
        links = server.links()
        cast = Cast(browsers, tmp_path)
        await crowd.join(crowd.rooms + crowd.homes[1:])
        lead = await cast.lead(links["lead"][0])
        await enter(lead)
        await plays(lead)
        await bring_slides(lead, tmp_path)
        await lead.get_by_test_id("call-on-room-8").click()
        observer = await browsers.page(links["observer"][0], size=LAPTOP)
        await expect(observer.get_by_test_id("slides")).to_have_attribute(
            "data-page", "1", timeout=40_000
        )
        await plays(observer)
        await asyncio.sleep(2)
        await keep(observer, "observe-slides")
