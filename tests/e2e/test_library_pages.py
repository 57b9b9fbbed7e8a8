"""A recorded lesson in the library: cut, watched, rated, kept with files, packed, counted."""

from __future__ import annotations

import asyncio
import io
import json
import math
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server, wait_until
from e2e.pages.test_accessibility import barriers
from e2e.test_lesson import _advances
from e2e.test_recording import ask, close, package_of, staff_token

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]

CLIP = "符号怎么定"
PACKAGE = "有理数乘法资源包"
WORDS = "WEBVTT\n\n00:00.500 --> 00:20.000\n负负得正\n"


async def record(server: Server, browsers: Browsers) -> tuple[str, int]:
    """Returns (the library's id of a lesson, the first full second of which all is there)."""
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    room = await browsers.page(links["room"][0], size=(1920, 1080))
    for page in (lead, room):
        await page.get_by_test_id("join").click(timeout=40_000)
    await wait_until(lambda: _advances(room), 20, "picture")

    async def writing() -> bool:
        state = await lead.get_by_test_id("recording").get_attribute("data-state")
        return state == "writing"

    await wait_until(writing, 15, "bytes are on disk")
    await asyncio.sleep(9)
    await asyncio.to_thread(close, server)
    folder, made = await package_of(server)
    await lead.close()
    await room.close()
    return folder.name, math.ceil(max(track.runs[0].start_s for track in made.tracks)) + 1


def jpeg() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (640, 480), "#f7f5ee").save(target, "JPEG")
    return target.getvalue()


def pdf() -> bytes:
    target = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page(page_size=(400, 300))
        made.save(target)
    return target.getvalue()


async def cut(page: Page, first: int) -> str:
    """Cuts a clip of four seconds, by fields and by keys. Returns its id."""
    await page.get_by_test_id("open-cut").click()
    panel = page.get_by_test_id("cut-panel")
    start = panel.get_by_test_id("cut-start-time")
    await start.fill("x")
    await start.press("Enter")
    await panel.get_by_role("alert").wait_for()
    for field, at in (("start", first), ("end", first + 4.5)):
        await panel.get_by_test_id(f"cut-{field}-time").fill(f"{at}")
        await panel.get_by_test_id(f"cut-{field}-time").press("Enter")
    await page.get_by_test_id("cut-end").press("ArrowLeft")
    assert await panel.get_by_test_id("cut-end-time").input_value() == f"0:{first + 4:02}.0"
    await panel.get_by_test_id("cut-preview").click()

    async def stopped() -> bool:
        at: float = await page.evaluate("() => __player.time()")
        return abs(at - first - 4) < 0.4

    await wait_until(stopped, 20, "the preview stops where the stretch ends")
    await asyncio.sleep(0.5)
    assert await stopped()
    await panel.get_by_test_id("cut-title").fill(CLIP)
    assert await barriers(page, "cut") == []
    async with page.expect_response(lambda answer: answer.url.endswith("/clips")) as made:
        await panel.get_by_test_id("cut-save").click()
    answer = await made.value
    assert answer.status == 201, await answer.text()
    await page.get_by_test_id("message").wait_for(timeout=40_000)
    await page.get_by_role("heading", name=CLIP).wait_for()
    return page.url.rpartition("/")[2].partition("?")[0]


async def play_to_the_end(page: Page) -> None:
    """From its first moment, which is not the file's, and tells the server."""
    async with page.expect_response(
        lambda answer: answer.url.endswith("/plays"), timeout=40_000
    ) as told:
        await page.get_by_test_id("begin").click(timeout=40_000)
    assert (await told.value).status == 204
    assert await page.evaluate("() => __player.time()") == pytest.approx(4.0, abs=0.2)


async def a_colleague_watches(server: Server, browsers: Browsers, clip: str) -> None:
    """Another school's teacher plays and rates it, and changes nothing."""
    token = await asyncio.to_thread(staff_token, server, "lead", "--sub", "colleague")
    url = f"{server.base}/library/lesson/{clip}#token={token}"
    page = await browsers.page(url, size=(360, 640))
    await play_to_the_end(page)
    rated = page.expect_response(lambda answer: answer.url.endswith("/rating"))
    async with rated as answer:
        await page.get_by_test_id("star-3").focus()
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowLeft")
    rating = (await (await answer.value).json())["rating"]
    assert (rating["mine"], rating["mean"], rating["raters"]) == (3, None, 1)
    for refused in ("edit", "open-cut", "open-usage", "delete"):
        await expect(page.get_by_test_id(refused)).to_have_count(0)
    assert await barriers(page, "clip on a phone") == []
    await page.close()


async def attach(page: Page) -> None:
    files = page.get_by_test_id("attachments")
    for kind, name, media_type, data in (
        ("homework_sample", "作业 1.jpg", "image/jpeg", jpeg()),
        ("paper", "试卷.pdf", "application/pdf", pdf()),
    ):
        await files.get_by_test_id("attach-kind").select_option(kind)
        await files.get_by_test_id("attach-file").set_input_files(
            {"name": name, "mimeType": media_type, "buffer": data}
        )
        await files.locator("li", has_text=name.partition(".")[0]).wait_for(timeout=40_000)
    drawn = "e => e.complete && e.naturalWidth === 640"
    assert await files.locator("li img").evaluate(
        f"async e => {{ await e.decode(); return ({drawn})(e) }}"
    )
    await files.get_by_test_id("attach-file").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no"}
    )
    await files.get_by_role("alert").filter(has_text="notes.txt").wait_for()
    await files.locator("li", has_text="试卷").get_by_role("button").click()
    await page.get_by_test_id("confirm-yes").click()
    await expect(files.locator("li")).to_have_count(1)


async def read_captions(page: Page, server: Server, clip: str) -> None:
    """Captions that came into the package are shown, and stay on."""
    folder = server.data / "recordings" / clip
    (folder / "captions").mkdir(exist_ok=True)
    (folder / "captions" / "zh.vtt").write_text(WORDS, encoding="utf-8")
    await page.reload()
    await page.get_by_test_id("captions").wait_for()
    await page.keyboard.press("c")
    await page.evaluate("() => __player.seek(2)")
    await expect(page.get_by_test_id("caption")).to_have_text("负负得正")
    await page.reload()
    await expect(page.get_by_test_id("captions")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("c")


async def pack(page: Page, lesson: str, clip: str) -> str:
    await page.get_by_test_id("open-pack").click()
    panel = page.get_by_test_id("pack-panel")
    await panel.get_by_test_id("pack-title").fill(PACKAGE)
    await panel.get_by_test_id("pack-find").fill("乘法")
    await panel.get_by_test_id(f"add-{lesson}").click(timeout=40_000)
    await panel.get_by_test_id(f"member-{lesson}").press("Alt+ArrowUp")
    assert await panel.locator("ol li").first.get_attribute("data-id") == lesson
    assert await barriers(page, "pack") == []
    await panel.get_by_test_id("pack-save").click()
    await page.get_by_role("heading", name=PACKAGE).wait_for(timeout=40_000)
    members = page.get_by_test_id("members").locator("a")
    await expect(members).to_have_count(2)
    assert await members.first.get_attribute("data-testid") == f"entry-{lesson}"
    assert await barriers(page, "package") == []
    await page.get_by_test_id(f"entry-{clip}").click()
    await page.get_by_test_id("in-packages").get_by_role("link", name=PACKAGE).wait_for()
    return PACKAGE


async def see_usage(page: Page, clip: str, tmp_path: Path) -> None:
    """One play of the clip, on its page, in the month's table and in the file."""
    await page.get_by_test_id("open-usage").click()
    await expect(page.get_by_test_id("usage-plays").locator("dd")).to_have_text("1")
    await page.get_by_test_id("usage-map").wait_for()
    assert await barriers(page, "usage of a lesson") == []
    await page.get_by_test_id("to-usage").click()
    row = page.get_by_test_id(f"row-{clip}")
    await row.wait_for(timeout=40_000)
    await page.get_by_test_id("effect-chart").locator("svg").wait_for(timeout=40_000)
    assert CLIP in await row.inner_text()
    await page.get_by_test_id("sort-title").press("Enter")
    await expect(page.locator("th[aria-sort=ascending]")).to_have_count(1)
    assert await barriers(page, "usage") == []
    async with page.expect_download() as saving:
        await page.get_by_test_id("csv").click()
    await (await saving.value).save_as(tmp_path / "usage.csv")
    assert CLIP in (tmp_path / "usage.csv").read_text(encoding="utf-8-sig")


async def test_a_lesson_is_cut_watched_rated_packed_and_counted(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    lesson, first = await record(server, browsers)
    token = await asyncio.to_thread(staff_token, server)
    url = f"{server.base}/library/lesson/{lesson}#token={token}"
    page = await browsers.page(url, size=(1440, 900))
    await page.get_by_test_id("begin").wait_for(timeout=40_000)
    clip = await cut(page, first)
    await page.get_by_test_id("edit").click()
    form = page.get_by_test_id("lesson-form")
    await form.locator("select").select_option("city")
    await form.locator("button[type=submit]").click()
    await form.wait_for(state="detached")
    await a_colleague_watches(server, browsers, clip)
    await attach(page)
    await read_captions(page, server, clip)
    assert await barriers(page, "clip") == []
    await pack(page, lesson, clip)
    await see_usage(page, clip, tmp_path)
    await delete(page, server, clip, token)
    assert browsers.problems == []


async def delete(page: Page, server: Server, clip: str, token: str) -> None:
    """What goes is named before; then it is gone, also from the disk."""
    await page.get_by_test_id(f"row-{clip}").get_by_role("link").click()
    await page.get_by_test_id("delete").click()
    dialog = page.get_by_role("alertdialog")
    await expect(dialog.locator("li")).to_have_count(5)
    await dialog.get_by_test_id("confirm-no").click()
    await page.get_by_test_id("delete").click()
    await page.get_by_test_id("confirm-yes").click()
    await page.get_by_test_id("message").wait_for(timeout=40_000)
    await page.get_by_test_id("search").wait_for()
    assert not (server.data / "recordings" / clip / "manifest.json").exists()
    found = json.loads(await asyncio.to_thread(ask, server, "/api/library/lessons", token))
    assert clip not in [one["id"] for one in found["items"]]
