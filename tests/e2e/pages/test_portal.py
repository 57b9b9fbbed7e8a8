"""The portal's links and their QR codes."""

from __future__ import annotations

import re

import pytest

from e2e.conftest import Browsers, Server
from e2e.qr import read

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]

BORDER = 4


def modules(path: str, size: int) -> list[list[bool]]:
    """Dark modules of a path made of runs "M x y h length …", without the border."""
    grid = [[False] * size for _ in range(size)]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1", path):
        for at in range(int(x), int(x) + int(length)):
            grid[int(y) - BORDER][at - BORDER] = True
    return grid


async def test_a_links_qr_code_holds_the_whole_link(server: Server, browsers: Browsers) -> None:
    page = await browsers.page(server.base, size=(1280, 800))
    entry = page.get_by_test_id("link-demo-home-1")
    await entry.get_by_role("button").first.click()
    code = page.get_by_test_id("qr")
    size = int((await code.get_attribute("viewBox") or "").split()[2]) - 2 * BORDER
    path = await code.locator("path").get_attribute("d") or ""
    link = await entry.get_by_role("link").get_attribute("href") or ""
    # The portal makes tokens anew at each look, so only the page knows this one.
    assert link.startswith(f"{server.base}/home#token=ey")
    assert read(modules(path, size)) == link


async def test_a_code_that_works_only_here_says_so(server: Server, browsers: Browsers) -> None:
    page = await browsers.page(server.base, size=(360, 640), locale="en-US")
    await page.get_by_test_id("link-demo-home-1").get_by_role("button").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_text("--lan").wait_for()
    box = await dialog.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="hidden")
