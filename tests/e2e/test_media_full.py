"""A server at its limit: who is outside reads why and comes in as soon as there is room."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.full, pytest.mark.timeout(240)]


async def is_live(page: Page) -> bool:
    found: str = await page.evaluate("window.__twinclass.state")
    return found == "live"


async def test_who_finds_a_full_server_reads_why_and_comes_in_when_there_is_room(
    tmp_path: Path, browsers: Browsers
) -> None:
    # Two ways each: a lead and one learner.
    server = Server(tmp_path / "data", environment={"TWINCLASS_MEDIA__MAX_TRANSPORTS": "4"})
    server.start()
    try:
        await server.wait_ready()
        links = server.links()
        lead = await browsers.page(links["lead"][0], size=(1440, 900))
        first, second = [
            await browsers.page(url, size=(360, 640)) for url in links["home_learner"][:2]
        ]
        for page in (lead, first):
            await page.get_by_test_id("join").click(timeout=40_000)
            await wait_until(partial(is_live, page), 20, "inside")
        await second.get_by_test_id("join").click(timeout=40_000)
        full = second.get_by_test_id("full-page")
        await expect(full).to_contain_text("还没能进入课堂")
        await expect(full).to_contain_text("服务器已经满载")
        await expect(full).to_contain_text("会自动再试")
        await second.get_by_test_id("hurry").click()
        await expect(full).to_contain_text("服务器已经满载")
        await first.close()
        await wait_until(partial(is_live, second), 40, "in at last")
        assert 'twinclass_connections_closed_total{reason="media_full"}' in server.metrics()
    finally:
        server.stop()
