"""A lead makes a file of her lesson on its page, watches it being made, and downloads it."""

from __future__ import annotations

import asyncio
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server
from e2e.pages.test_accessibility import barriers
from e2e.test_recording import staff_token
from light.ffmpeg import complaints
from recordings.lessons import two_rooms
from twinclass_recordings.library.shelf import Recorded, Shelf
from twinclass_server.roster.database import Database

PICTURES = Path(__file__).parents[3] / "screenshots"
pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]


async def put_lesson(server: Server, folder: Path) -> None:
    """Puts a recorded lesson into a running server's library."""
    package = await two_rooms(folder)
    root = server.data / "recordings"
    root.mkdir(exist_ok=True)
    shutil.copytree(package.folder, root / "lesson-1")
    database = Database("", server.data)
    Shelf(database.session).take(
        Recorded(
            "lesson-1", "lesson-1", "有理数的乘法", "", datetime(2026, 11, 2, tzinfo=UTC), 10.0,
            1000, "lead-1", "示例老师", ("school-1",), "示例一中", "数学", "七年级",
        )
    )  # fmt: skip
    database.close()


async def open_panel(page: Page) -> None:
    panel = page.get_by_test_id("export-panel")
    await page.get_by_test_id("open-export").click(timeout=40_000)
    await expect(panel).to_be_visible()


async def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    await page.get_by_test_id("export-panel").screenshot(path=PICTURES / f"{name}.png")


@pytest.mark.full
async def test_a_lead_exports_her_lesson_on_its_page(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    await put_lesson(server, tmp_path / "recorded")
    token = await asyncio.to_thread(staff_token, server)
    url = f"{server.base}/library/lesson/lesson-1#token={token}"
    page = await browsers.page(url, size=(1280, 900))
    await open_panel(page)
    await expect(page.get_by_test_id("export-empty")).to_be_visible()
    assert await barriers(page, "export-empty") == []
    await picture(page, "export-empty")
    await page.get_by_test_id("export-side").click()
    await page.get_by_test_id("export-start").click()
    await expect(page.locator("progress")).to_be_visible(timeout=40_000)
    await picture(page, "export-running")
    await page.get_by_test_id("export-zip").click()
    await page.get_by_test_id("export-start").click()
    links = page.get_by_test_id("export-download")
    await expect(links).to_have_count(2, timeout=60_000)
    assert await barriers(page, "export-done") == []
    await picture(page, "export-done")
    kept: list[Path] = []
    for number, name in enumerate(("有理数的乘法.zip", "有理数的乘法.mp4")):
        async with page.expect_download() as coming:
            await links.nth(number).click()
        download = await coming.value
        assert download.suggested_filename == name
        kept.append(tmp_path / f"got{number}{Path(name).suffix}")
        await download.save_as(kept[-1])
    with zipfile.ZipFile(kept[0]) as found:
        assert "manifest.json" in found.namelist()
    assert complaints(kept[1]) == ""
    # Given up while it is made, and told in English on a phone.
    phone = await browsers.page(url, size=(360, 740), locale="en")
    await open_panel(phone)
    await expect(phone.get_by_test_id("export-download")).to_have_count(2)
    await phone.get_by_test_id("export-start").click()
    await phone.get_by_test_id("export-cancel").click(timeout=40_000)
    cancelled = phone.locator('[data-state="cancelled"]')
    await expect(cancelled).to_contain_text("Cancelled")
    assert await phone.evaluate("document.documentElement.scrollWidth") <= 360
    await picture(phone, "export-phone-en")
    await cancelled.get_by_test_id("export-dismiss").click()
    await expect(cancelled).to_have_count(0)
    (server.data / "recordings" / "lesson-1" / "manifest.json").write_bytes(b"{}")
    await phone.get_by_test_id("export-zip").click()
    await phone.get_by_test_id("export-start").click()
    failed = phone.locator('[data-state="failed"]')
    await expect(failed).to_contain_text("did not succeed", timeout=40_000)
    await picture(phone, "export-failed-en")
    assert browsers.problems == []
