"""My lessons: from an empty list to a lesson with links, in a real browser."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright.async_api import Page

from e2e.conftest import TWINCLASS, Browsers, Server
from e2e.pages.test_accessibility import barriers

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PICTURES = Path(__file__).parents[3] / "screenshots"
ROSTER = "编号,姓名,学校编号,班级编号\nnew-1,示例学生 9-1,demo-s1,demo-c1\nnew-2,示例学生 9-2,x,\n"


def desk_link(server: Server, *extra: str) -> str:
    arguments = [TWINCLASS, "token", "--staff", "operator", "--data", str(server.data), *extra]
    done = subprocess.run(arguments, capture_output=True, check=True, text=True)
    return server.base + done.stdout.strip()


async def picture(page: Page, name: str, found: list[str]) -> None:
    PICTURES.mkdir(exist_ok=True)
    found += await barriers(page, name)
    await page.screenshot(path=PICTURES / f"lessons-{name}.png", full_page=True)


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
async def test_a_lesson_is_planned_and_opened_without_a_terminal(
    server: Server, browsers: Browsers, locale: str
) -> None:
    found: list[str] = []
    tongue = locale[:2]
    page = await browsers.page(f"{server.base}/lessons", size=(1280, 800), locale=locale)
    await page.get_by_test_id("full-page").wait_for()
    await picture(page, f"{tongue}-without-a-link", found)
    await page.goto(desk_link(server))
    await page.get_by_test_id("empty").wait_for()
    assert "token" not in page.url
    await picture(page, f"{tongue}-empty", found)

    await page.get_by_test_id("create").click()
    form = page.get_by_test_id("lesson-form")
    await form.locator("[name=title]").fill("有理数的乘法")
    await form.locator("[name=subject]").fill("七年级数学")
    await form.locator("[name=lead]").select_option(index=1)
    await form.locator("button[type=submit]").click()
    await form.get_by_role("alert").wait_for()
    for box in await form.locator("fieldset input[type=checkbox]").all():
        await box.check()
    await picture(page, f"{tongue}-form", found)
    await form.locator("button[type=submit]").click()

    sheet = page.get_by_test_id("sheet")
    await sheet.wait_for()
    await picture(page, f"{tongue}-sheet", found)
    old = await sheet.get_by_test_id("link-lead").get_by_role("link").get_attribute("href")
    await sheet.get_by_test_id("revoke-lead").click()
    await page.get_by_test_id("confirm").wait_for()
    await picture(page, f"{tongue}-withdraw", found)
    await page.get_by_test_id("confirm").click()
    link = sheet.get_by_test_id("link-lead").get_by_role("link")
    await page.wait_for_function(
        "old => document.querySelector('[data-testid=link-lead] a').href !== old", arg=old
    )
    assert await link.get_attribute("href") != old
    await sheet.get_by_test_id("open").click()
    await sheet.get_by_test_id("enter").wait_for()
    await picture(page, f"{tongue}-open", found)
    await sheet.get_by_role("button").first.click()
    await page.get_by_test_id("create").wait_for()
    await picture(page, f"{tongue}-list", found)

    await page.get_by_test_id("import").click()
    await page.get_by_test_id("roster-file").set_input_files(
        {"name": "人员.csv", "mimeType": "text/csv", "buffer": ROSTER.encode("gbk")}
    )
    await page.get_by_test_id("roster-check").click()
    await page.get_by_test_id("report").wait_for()
    await picture(page, f"{tongue}-import", found)
    await page.get_by_test_id("roster-run").click()
    await page.get_by_test_id("report").wait_for()

    phone = await browsers.page(desk_link(server), size=(390, 844), locale=locale)
    await phone.get_by_test_id("create").wait_for()
    await picture(phone, f"{tongue}-phone", found)
    assert not found, "\n".join(found)
