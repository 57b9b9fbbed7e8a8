"""Every page and state in both languages, as pictures in ``screenshots/``.

People and slides are drawn. No page may overflow sideways.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from e2e.conftest import Browsers, Server, frames, statistics, wait_until
from e2e.crowd import Crowd, crowded
from e2e.drawn import SHARES_SLIDE, camera, open_slide
from light.drawings import classroom, learner, teacher

pytestmark = [pytest.mark.browser, pytest.mark.full, pytest.mark.timeout(400)]

PICTURES = Path(__file__).parents[3] / "screenshots"
STUDIO, SCREEN, PHONE, LAPTOP = (1440, 900), (1920, 1080), (360, 640), (1280, 800)


async def keep(page: Page, name: str, *, full_page: bool = False) -> None:
    """Saves the page in both languages and checks that it fits its screen."""
    PICTURES.mkdir(exist_ok=True)
    for language in ("zh-CN", "en"):
        await speak(page, language)
        await page.screenshot(path=PICTURES / f"{name}.{language}.png", full_page=full_page)
        too_wide = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert too_wide <= 0, f"{name} in {language} is {too_wide} px too wide"
    await speak(page, "zh-CN")


async def speak(page: Page, language: str) -> None:
    """Switches the page's language; a big screen has no button for it."""
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


async def is_sharp(page: Page) -> bool:
    """Whether the lead's whole picture has come, not only its smallest layer."""
    streams = (await statistics(page))["downlink"]
    return any((stream.get("frameWidth") or 0) >= 1280 for stream in streams)


async def resize(page: Page, size: tuple[int, int]) -> None:
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await asyncio.sleep(0.3)


class Cast:
    """Opens pages with drawn cameras."""

    def __init__(self, browsers: Browsers, folder: Path) -> None:
        self._browsers, self._folder = browsers, folder

    async def lead(self, link: str) -> Page:
        # The flag that says yes to everything would share Chromium's test picture, not our tab.
        flags = (camera(self._folder, "teacher", teacher, (1280, 720)), SHARES_SLIDE)
        page = await self._browsers.page(link, size=STUDIO, arguments=flags, fake_ui=False)
        await open_slide(page.context)
        await page.bring_to_front()
        return page

    async def room(self, link: str, number: int) -> Page:
        scene = classroom(f"七({number})班", number)
        flag = camera(self._folder, f"room-{number}", scene, (1280, 720))
        return await self._browsers.page(link, size=SCREEN, arguments=(flag,))

    async def home(self, link: str, number: int) -> Page:
        flag = camera(self._folder, f"home-{number}", learner(number), (640, 480))
        return await self._browsers.page(link, size=PHONE, arguments=(flag,))


async def enter(*pages: Page) -> None:
    for page in pages:
        await page.get_by_test_id("join").click(timeout=40_000)


async def test_pages_before_and_around_a_lesson(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    links = server.links()
    cast = Cast(browsers, tmp_path)
    portal = await browsers.page(server.base, size=LAPTOP)
    await portal.get_by_test_id("portal").wait_for()
    await keep(portal, "portal")
    await portal.get_by_test_id("link-demo-lead").get_by_role("button").first.click()
    await portal.get_by_test_id("qr").wait_for()
    await asyncio.sleep(0.3)
    await keep(portal, "portal-qr")
    await portal.keyboard.press("Escape")
    await resize(portal, PHONE)
    await keep(portal, "portal-phone")
    await portal.goto(f"{server.base}/home")
    await keep(portal, "link-incomplete")
    await portal.goto(f"{server.base}/home#token=not.a.token")
    await portal.get_by_test_id("join").click(timeout=40_000)
    await portal.get_by_test_id("full-page").wait_for()
    await keep(portal, "link-invalid")

    check = await cast.lead(links["lead"][0])
    await resize(check, LAPTOP)
    await check.get_by_test_id("join").wait_for()
    await asyncio.sleep(1.5)
    await keep(check, "device-check")
    check = await cast.home(links["home_learner"][0], 1)
    await check.get_by_test_id("join").wait_for()
    await asyncio.sleep(1.5)
    await keep(check, "device-check-phone")
    refused = await browsers.page(links["lead"][0], size=LAPTOP, grant=False, fake_ui=False)
    await refused.get_by_test_id("problem-refused").wait_for(timeout=40_000)
    await keep(refused, "device-check-refused")
    await resize(refused, PHONE)
    await keep(refused, "device-check-refused-phone")


def weaken(route: WebSocketRoute) -> None:
    """Passes everything on, but lets the server call every line weak."""
    server = route.connect_to_server()
    route.on_message(server.send)

    def to_page(message: str | bytes) -> None:
        said = json.loads(message)
        if said["type"] == "quality":
            said.update(level="poor", rtt_ms=640.0, loss=0.12)
        route.send(json.dumps(said))

    server.on_message(to_page)


async def test_pages_of_a_lesson(browsers: Browsers, tmp_path: Path) -> None:
    async with crowded(tmp_path, 12, 6) as (server, crowd):
        links = server.links()
        cast = Cast(browsers, tmp_path)
        await crowd.join(crowd.rooms[:2] + crowd.rooms[3:] + crowd.homes[1:])
        lead = await cast.lead(links["lead"][0])
        room = await cast.room(links["room"][2], 3)
        home = await cast.home(links["home_learner"][0], 1)
        await enter(lead, room, home)
        for page in (lead, room, home):
            await plays(page)
        await wait_until(partial(is_sharp, room), 30, "the lead's whole picture")
        await keep(lead, "lead")
        await keep(room, "room")
        await keep(home, "home-phone")
        await on_stage(lead, room, home)
        await with_slides(lead, room, home)
        await other_pages(links, home)
        await of_single_people(links, cast, browsers, lead, home, crowd)

        await lead.get_by_test_id("close-lesson").click()
        await asyncio.sleep(0.3)
        await keep(lead, "lead-close")
        await lead.get_by_test_id("confirm-close").click()
        await room.get_by_test_id("room-closed").wait_for(timeout=40_000)
        await keep(room, "room-closed")
        await keep(lead, "lead-closed")


async def on_stage(lead: Page, room: Page, home: Page) -> None:
    await lead.get_by_test_id("call-on-room-3").click()
    await room.get_by_test_id("on-stage").wait_for(timeout=40_000)
    await asyncio.sleep(3)
    await keep(lead, "lead-stage")
    await keep(room, "room-on-stage")
    await keep(home, "home-phone-stage")
    await lead.get_by_test_id("call-on-room-8").click()
    await asyncio.sleep(4)
    await keep(lead, "lead-stage-two")
    await keep(home, "home-phone-stage-two")
    await lead.get_by_test_id("clear-stage").click()
    await lead.get_by_test_id("call-on-room-5").click()
    await asyncio.sleep(4)
    await keep(room, "room-stage")
    await lead.get_by_test_id("clear-stage").click()


async def with_slides(lead: Page, room: Page, home: Page) -> None:
    await lead.get_by_test_id("share-screen").click()
    await asyncio.sleep(4)
    await keep(room, "room-slides")
    await keep(home, "home-phone-slides")
    await lead.get_by_test_id("call-on-room-3").click()
    await lead.get_by_test_id("call-on-demo-home-1").click()
    await home.get_by_test_id("on-stage").wait_for(timeout=40_000)
    await asyncio.sleep(4)
    await keep(lead, "lead-sharing")
    await keep(room, "room-on-stage-slides")
    await keep(home, "home-phone-on-stage")
    await resize(home, (640, 360))
    await keep(home, "home-phone-landscape")
    await resize(home, LAPTOP)
    await keep(home, "home-laptop")
    await resize(home, PHONE)
    await home.get_by_test_id("leave-stage").click()
    await home.get_by_test_id("audio-only").click()
    await asyncio.sleep(0.5)
    await keep(home, "home-phone-sound-only")
    await home.get_by_test_id("audio-only").click()


async def other_pages(links: dict[str, list[str]], home: Page) -> None:
    await home.goto("about:blank")
    await home.goto(links["assistant"][0])
    await resize(home, (1024, 768))
    await plays(home)
    await keep(home, "assistant")
    await home.goto("about:blank")
    await home.goto(links["observer"][0])
    await plays(home)
    await asyncio.sleep(1)
    await keep(home, "observe")


async def of_single_people(
    links: dict[str, list[str]],
    cast: Cast,
    browsers: Browsers,
    lead: Page,
    home: Page,
    crowd: Crowd,
) -> None:
    """Weak line, another device, no sound, a camera that went away."""
    await home.goto("about:blank")
    await resize(home, PHONE)
    await home.route_web_socket("**/signal", weaken)
    await home.goto(links["home_learner"][0])
    await enter(home)
    await plays(home)
    await home.get_by_test_id("weak-line").wait_for(timeout=40_000)
    await keep(home, "home-phone-weak-line")

    laptop = await cast.home(links["home_learner"][0], 1)
    await enter(laptop)
    await home.get_by_test_id("use-here").wait_for(timeout=40_000)
    await keep(home, "fenced-phone")
    await resize(home, LAPTOP)
    await keep(home, "fenced")

    # While another device of the room is here a second one would come in without sound.
    other = crowd.rooms.pop(1)
    await other.leave()
    silent = await browsers.page(links["room"][1], size=SCREEN, grant=False, fake_ui=False)
    await enter(silent)
    await asyncio.sleep(1)
    context = silent.context
    await silent.close()
    silent = await context.new_page()
    await resize(silent, SCREEN)
    await silent.goto(links["room"][1])
    # The lead's page is asked: a question to the new page would count as a key press there.
    tile = lead.get_by_test_id("wall-tile-room-2")
    await expect(tile).to_have_attribute("data-state", "soundBlocked", timeout=40_000)
    await keep(silent, "room-sound-gate")

    await lead.get_by_test_id("share-screen").click()
    await lead.get_by_test_id("clear-stage").click()
    await lead.get_by_test_id("own-camera").wait_for()
    await asyncio.sleep(1)
    await lead.evaluate(
        """() => {
            const video = document.querySelector('[data-testid="own-camera"]');
            const track = video.srcObject.getVideoTracks()[0];
            track.stop();
            track.dispatchEvent(new Event('ended'));
        }"""
    )
    await lead.get_by_test_id("device-lost").wait_for()
    await keep(lead, "lead-device-lost")
    await lead.get_by_test_id("camera").click()
    await lead.get_by_test_id("device-lost").wait_for(state="hidden")
    await lead.get_by_test_id("devices").click()
    await asyncio.sleep(1)
    # A fake camera is named after its file, which is nobody's business.
    await lead.evaluate(
        """() => {
            const options = document.querySelectorAll('[data-testid="choose-camera"] option');
            for (const option of options) if (option.value) option.textContent = 'USB Camera';
        }"""
    )
    await keep(lead, "lead-devices")
    await lead.keyboard.press("Escape")


async def test_pages_of_a_full_lesson(browsers: Browsers, tmp_path: Path) -> None:
    async with crowded(tmp_path, 26, 12) as (server, crowd):
        cast = Cast(browsers, tmp_path)
        await crowd.join(crowd.rooms + crowd.homes)
        lead = await cast.lead(server.links()["lead"][0])
        await enter(lead)
        await plays(lead)
        for room in (3, 11, 20):
            await lead.get_by_test_id(f"call-on-room-{room}").click()
            await asyncio.sleep(0.3)
            await lead.keyboard.press("o")
        await lead.get_by_test_id("call-on-room-5").click()
        await lead.get_by_test_id("call-on-demo-home-2").click()
        await lead.mouse.move(700, 880)
        await asyncio.sleep(5)
        await keep(lead, "lead-full-stage")
        await lead.get_by_test_id("share-screen").click()
        await asyncio.sleep(3)
        await keep(lead, "lead-full")
        await go_wrong(crowd)
        await asyncio.sleep(2)
        await keep(lead, "lead-full-attention")


async def go_wrong(crowd: Crowd) -> None:
    """One class without sound, one line lost, one class that goes home."""
    await crowd.rooms[6].send({"type": "report", "sound": "blocked", "camera": "on"})
    lost = crowd.rooms[8]
    await lost.leave()
    crowd.rooms.remove(lost)


async def test_pages_before_the_bell(server: Server, browsers: Browsers, tmp_path: Path) -> None:
    cast = Cast(browsers, tmp_path)
    plan = json.dumps(
        {
            "title": "有理数的乘法",
            "subtitle": "七年级数学 · 演示课",
            "rooms": [
                {"id": f"room-{n}", "name": f"七({n})班", "school": f"示例{digit}中"}
                for n, digit in enumerate("一二三", 1)
            ],
            "homes": 1,
        }
    )
    server.create_lesson("bell", plan)

    def link(page: str, role: str, room: str, name: str) -> str:
        token = server.token(role, room, "--name", name, lesson="bell")
        return f"{server.base}/{page}#token={token}"

    room = await cast.room(link("room", "room", "room-3", "七(3)班"), 3)
    home = await cast.home(link("home", "home_learner", "", "演示学生一"), 1)
    await enter(room, home)
    await room.get_by_test_id("waiting").wait_for(timeout=40_000)
    await asyncio.sleep(1)
    await keep(room, "room-waiting-alone")
    await keep(home, "home-phone-waiting-alone")
    lead = await cast.lead(link("lead", "lead", "", "主讲老师（演示）"))
    await enter(lead)
    for page in (lead, room, home):
        await plays(page)
    await wait_until(partial(is_sharp, room), 30, "the lead's whole picture")
    await keep(lead, "lead-waiting")
    await keep(room, "room-waiting")
    await keep(home, "home-phone-waiting")


async def test_a_lost_line_is_told_and_the_last_picture_stays(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    links = server.links()
    cast = Cast(browsers, tmp_path)
    lead = await cast.lead(links["lead"][0])
    room = await cast.room(links["room"][2], 3)
    home = await cast.home(links["home_learner"][0], 1)
    await enter(lead, room, home)
    for page in (room, home):
        await plays(page)
    await wait_until(partial(is_sharp, room), 30, "the lead's whole picture")
    server.stop()
    for page, name in (
        (room, "room-line-lost"),
        (lead, "lead-line-lost"),
        (home, "home-phone-line-lost"),
    ):
        await page.get_by_test_id("state-band").wait_for(timeout=40_000)
        await keep(page, name)
    # A pixel of the last frame, not a black field: the drawn studio has a bright wall.
    bright = await room.evaluate(
        """() => {
            const video = document.querySelector('[data-testid^="video-lead"]');
            const canvas = document.createElement('canvas');
            canvas.width = canvas.height = 8;
            const still = video.parentElement.querySelector('canvas');
            const shown = still.style.display !== 'none' && still.width > 8 ? still : video;
            const context = canvas.getContext('2d');
            context.drawImage(shown, 0, 0, 8, 8);
            return context.getImageData(4, 0, 1, 1).data[1];
        }"""
    )
    assert bright > 60
