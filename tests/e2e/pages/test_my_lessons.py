"""My lessons: from an empty list to a lesson with links, in a real browser."""

from __future__ import annotations

import io
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pikepdf
import pytest
from playwright.async_api import Locator, Page

from e2e.conftest import TWINCLASS, Browsers, Server
from e2e.pages.test_accessibility import barriers

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]

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


async def fill_plan(form: Locator) -> None:
    """Two phases and a cue of the assistants."""
    await form.get_by_test_id("add-phase").click()
    await form.get_by_test_id("add-phase").click()
    names = form.get_by_test_id("plan").locator(".phase input:not([type=number])")
    await names.nth(0).fill("导入")
    await names.nth(1).fill("小组讨论")
    await form.get_by_test_id("add-cue").click()
    cue = form.get_by_test_id("plan").locator(".cue")
    await cue.locator("select").first.select_option("assistant")
    await cue.locator("input:not([type=number])").fill("发练习纸")


def document(*, password: str = "") -> bytes:
    target = io.BytesIO()
    with pikepdf.new() as made:
        for _ in range(3):
            made.add_blank_page(page_size=(400, 300))
        if password:
            made.save(target, encryption=pikepdf.Encryption(owner="o", user=password))
        else:
            made.save(target)
    return target.getvalue()


async def look_again(page: Page) -> None:
    """What was chosen is there when the lesson is changed, and still there after it."""
    assistants = (
        await page.get_by_test_id("sheet").get_by_test_id("link-assistant").all_inner_texts()
    )
    for remove_one in (True, False):
        await page.get_by_test_id("edit").click()
        form = page.get_by_test_id("lesson-form")
        assert await form.get_by_test_id("co-leads").locator(".person").count() == 1
        assert await form.get_by_test_id("plan").locator(".phase").count() == 2
        cue = form.get_by_test_id("plan").locator(".cue input:not([type=number])")
        assert await cue.input_value() == "发练习纸"
        people = form.locator(".assist .person")
        if remove_one:
            assert await people.count() == len(assistants)
            await people.first.get_by_role("button").click()
        assert await people.count() == len(assistants) - 1
        await form.locator("button[type=submit]").click()
        await page.get_by_test_id("sheet").wait_for()


async def bring_slides(page: Page, tongue: str, found: list[str]) -> None:
    """Every refusal says why in the page's language; a good one is ready."""
    slides = page.get_by_test_id("slides")
    for number, (data, zh, en) in enumerate(
        (
            (document(password="geheim"), "密码", "password"),
            (b"%PDF-1.7 nothing more", "损坏", "damaged"),
            (b"GIF89a", "PDF", "PDF"),
            (b"%PDF-" + bytes(50 * 1024 * 1024), "50 MB", "50 MB"),
        )
    ):
        # Playwright passes no buffers of this size.
        file = PICTURES / f".refused-{number}.pdf"
        file.write_bytes(data)
        await slides.get_by_test_id("slides-file").set_input_files(file)
        words = zh if tongue == "zh" else en
        await slides.get_by_role("alert").filter(has_text=words).wait_for()
        if number == 0:
            await picture(page, f"{tongue}-slides-refused", found)
        file.unlink()
    good = {"name": "第三课.pdf", "mimeType": "application/pdf", "buffer": document()}
    await slides.get_by_test_id("slides-file").set_input_files(good)  # type: ignore[arg-type]
    await slides.locator("li").wait_for()
    assert "第三课" in await slides.inner_text()
    await slides.locator("li button").click()
    await slides.locator("li").wait_for(state="detached")
    await slides.get_by_test_id("slides-file").set_input_files(good)  # type: ignore[arg-type]
    await slides.locator("li").wait_for()
    await picture(page, f"{tongue}-slides", found)


async def look_on_a_phone(page: Page, server: Server, tongue: str, found: list[str]) -> None:
    """Every view in the width of a phone, and what is said when the server is away."""
    phone = await page.context.new_page()
    await phone.set_viewport_size({"width": 390, "height": 844})
    await phone.goto(desk_link(server))
    await phone.get_by_test_id("staff-links").locator("select").select_option(index=1)
    link = phone.get_by_test_id("staff-copy")
    await link.wait_for()
    assert "/lessons#token=" in (await link.get_attribute("data-link") or "")
    await picture(phone, f"{tongue}-phone", found)
    await phone.locator("li button").first.click()
    await phone.get_by_test_id("sheet").wait_for()
    await picture(phone, f"{tongue}-phone-sheet", found)
    await phone.get_by_test_id("revoke-room").first.click()
    await phone.get_by_test_id("confirm").wait_for()
    await picture(phone, f"{tongue}-phone-withdraw", found)
    await phone.keyboard.press("Escape")
    await phone.get_by_test_id("sheet").get_by_role("button").first.click()
    await phone.get_by_test_id("create").click()
    form = phone.get_by_test_id("lesson-form")
    for box in await form.locator("fieldset input[type=checkbox]").all():
        await box.check()
    await fill_plan(form)
    await picture(phone, f"{tongue}-phone-form", found)
    await phone.reload()
    await phone.get_by_test_id("import").click()
    await phone.get_by_test_id("roster").wait_for()
    await picture(phone, f"{tongue}-phone-import", found)
    server.stop()
    await phone.get_by_test_id("roster-file").set_input_files(
        {"name": "x.csv", "mimeType": "text/csv", "buffer": b"x"}
    )
    await phone.get_by_test_id("roster-check").click()
    await phone.get_by_role("alert").wait_for()
    await phone.get_by_test_id("roster-close").click()
    await phone.get_by_test_id("full-page").wait_for()
    await picture(phone, f"{tongue}-phone-away", found)


@pytest.mark.parametrize("locale", ["zh-CN", pytest.param("en-US", marks=pytest.mark.full)])
async def test_a_lesson_is_planned_and_opened_without_a_terminal(
    server: Server, browsers: Browsers, locale: str
) -> None:
    found: list[str] = []
    tongue = locale[:2]
    page = await browsers.page(f"{server.base}/lessons", size=(1280, 800), locale=locale)
    await page.get_by_test_id("full-page").wait_for()
    await picture(page, f"{tongue}-without-a-link", found)
    await page.goto(server.base)
    await page.get_by_test_id("desk").click()
    await page.get_by_test_id("empty").wait_for()
    assert "token" not in page.url
    await picture(page, f"{tongue}-empty", found)

    await page.get_by_test_id("create").click()
    form = page.get_by_test_id("lesson-form")
    await form.locator("[name=title]").fill("有理数的乘法")
    await form.locator("[name=subject]").fill("七年级数学")
    # Tomorrow: a lesson of the next half hour opens by itself in the middle of the test.
    starts = datetime.now().astimezone() + timedelta(days=1)
    await form.locator("[name=starts_at]").fill(starts.strftime("%Y-%m-%dT08:00"))
    await form.locator("[name=lead]").select_option(index=1)
    await form.locator("button[type=submit]").click()
    await form.get_by_role("alert").wait_for()
    for box in await form.locator("fieldset input[type=checkbox]").all():
        await box.check()
    await form.get_by_test_id("co-leads").locator("select").select_option(index=1)
    await fill_plan(form)
    await picture(page, f"{tongue}-form", found)
    await form.locator("button[type=submit]").click()

    sheet = page.get_by_test_id("sheet")
    await sheet.wait_for()
    await picture(page, f"{tongue}-sheet", found)
    await bring_slides(page, tongue, found)
    await look_again(page)
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

    await look_on_a_phone(page, server, tongue, found)
    assert not found, "\n".join(found)
