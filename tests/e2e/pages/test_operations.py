"""The operator's page: calm, then red when a classroom's line is lost, and honest about its age."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import TWINCLASS, Browsers, Server
from e2e.crowd import crowded
from e2e.pages.test_accessibility import barriers

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]

PICTURES = Path(__file__).parents[3] / "screenshots"
DESKTOP, PHONE = (1440, 900), (360, 740)


def staff_link(server: Server, page: str, role: str = "operator") -> str:
    arguments = [TWINCLASS, "token", "--staff", role, "--sub", "somebody"]
    done = subprocess.run(
        [*arguments, "--data", str(server.data)], capture_output=True, check=True, text=True
    )
    return f"{server.base}/{page}#{done.stdout.strip().partition('#')[2]}"


async def speak(page: Page, language: str, size: tuple[int, int]) -> None:
    await page.evaluate("language => window.__twinclass.setLanguage(language)", language)
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await page.set_viewport_size({"width": size[0], "height": size[1]})


async def pictures(page: Page, name: str) -> None:
    """Both languages at both sizes; nothing may overflow."""
    PICTURES.mkdir(exist_ok=True)
    for language in ("zh-CN", "en"):
        for size, kind in ((DESKTOP, ""), (PHONE, "-phone")):
            await speak(page, language, size)
            path = PICTURES / f"operations-{name}{kind}.{language}.png"
            await page.screenshot(path=path, full_page=True)
            too_wide = await page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert too_wide <= 0, f"{name}{kind} in {language}"
    await speak(page, "zh-CN", DESKTOP)


@pytest.mark.full
async def test_a_classroom_that_is_closed_turns_red_and_comes_back(
    browsers: Browsers, tmp_path: Path
) -> None:
    environment = {"TWINCLASS_DEMO__ROOMS": "1", "TWINCLASS_RECORDING__ENABLED": "false"}
    server = Server(tmp_path / "data", environment=environment)
    server.start()
    try:
        await server.wait_ready()
        link = server.links()["room"][0]
        room = await browsers.page(link, size=(1280, 720))
        await room.get_by_test_id("join").click(timeout=40_000)
        page = await browsers.page(staff_link(server, "lessons"), size=DESKTOP)
        await page.get_by_test_id("to-operations").click()
        glance = page.get_by_test_id("glance")
        await expect(glance).to_have_attribute("data-state", "green", timeout=40_000)
        await expect(glance).to_contain_text("一切正常")
        assert "token" not in page.url
        found = await barriers(page, "all is well")

        again = await room.context.new_page()
        await room.close()
        light = page.get_by_test_id("light-room-1")
        await expect(light).to_have_attribute("data-state", "red", timeout=40_000)
        await expect(light).to_contain_text("断线，正在重连")
        await expect(page.get_by_test_id("need-lost")).to_contain_text("七(1)班")
        await expect(glance).to_have_attribute("data-state", "red")
        await speak(page, "en", PHONE)
        found += await barriers(page, "a lost room, on a phone, in English")
        await again.goto(link)
        await expect(light).to_have_attribute("data-state", "green", timeout=40_000)

        server.stop()
        await expect(page.get_by_test_id("age")).to_be_visible(timeout=40_000)
        await expect(glance).to_have_attribute("data-state", "stale")
        await expect(light).to_be_visible()
        assert not found, "\n".join(found)
    finally:
        server.stop()


async def test_who_may_not_look_is_told_what_to_do(server: Server, browsers: Browsers) -> None:
    page = await browsers.page(f"{server.base}/operations", size=DESKTOP)
    await expect(page.get_by_test_id("full-page")).to_contain_text("需要管理员的链接")
    await page.goto("about:blank")
    await page.goto(staff_link(server, "operations", "lead"))
    await expect(page.get_by_test_id("full-page")).to_contain_text("这个页面只给管理员")
    found = await barriers(page, "not allowed")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="去我的课")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.get_by_test_id("my-lessons").wait_for()
    await expect(page.get_by_test_id("to-operations")).to_be_hidden()
    await page.goto("about:blank")
    await page.route("**/api/operations", lambda route: route.abort())
    await page.goto(staff_link(server, "operations"))
    await expect(page.get_by_test_id("full-page")).to_contain_text("服务器没有回应")
    await page.unroute("**/api/operations")
    await page.get_by_role("button", name="现在再试").click()
    await page.get_by_test_id("glance").wait_for()
    assert not found, "\n".join(found)


@pytest.mark.full
async def test_pictures_of_the_operator_s_page(browsers: Browsers, tmp_path: Path) -> None:
    async with crowded(tmp_path, 12, 6) as (server, crowd):
        page = await browsers.page(staff_link(server, "operations"), size=DESKTOP)
        await page.get_by_test_id("glance").wait_for()
        await pictures(page, "before")
        await crowd.join(crowd.rooms + crowd.homes)
        devices = {"type": "report", "sound": "playing", "camera": "on", "microphone": "on"}
        for room in crowd.rooms:
            await room.send(devices)
        glance = page.get_by_test_id("glance")
        await expect(page.locator(".rooms li.green")).to_have_count(12, timeout=40_000)
        await pictures(page, "rooms")
        for room in (crowd.rooms[3], crowd.rooms[7]):
            await room.leave()
        await crowd.rooms[5].send(devices | {"sound": "blocked"})
        await expect(page.locator(".rooms li.amber")).to_have_count(1, timeout=40_000)
        await expect(page.locator(".rooms li.red")).to_have_count(2, timeout=40_000)
        await pictures(page, "trouble")
        del crowd.rooms[7], crowd.rooms[3]
        server.stop()
        await expect(glance).to_have_attribute("data-state", "stale", timeout=40_000)
        await pictures(page, "stale")
