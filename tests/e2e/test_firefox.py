"""The core path in Firefox ESR: it leads, and it watches from home."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page

from e2e.conftest import Browsers, Server, statistics, wait_until
from e2e.firefox import Firefox

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(360)]


def decoded(streams: list[dict[str, object]]) -> int:
    return sum(int(str(s.get("framesDecoded") or 0)) for s in streams if s["kind"] == "video")


@pytest.mark.full
async def test_firefox_leads_and_chromium_watches(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    links = server.links()
    room = await browsers.page(links["room"][0])
    await room.get_by_test_id("join").click(timeout=40_000)
    async with Firefox(tmp_path / "firefox") as lead:
        await lead.goto(links["lead"][0])
        await lead.click("join")

        async def room_watches() -> bool:
            return decoded((await statistics(room))["downlink"]) > 30

        await wait_until(room_watches, 40, "the room sees the lead in Firefox")
        await lead.click("call-on-room-1")

        async def lead_hears_the_room() -> bool:
            streams = (await lead.statistics())["downlink"]
            return any(s["kind"] == "audio" and s["packetsReceived"] > 50 for s in streams)

        await wait_until(lead_hears_the_room, 15, "the lead hears the room in Firefox")
        streams = (await lead.statistics())["uplink"]
        assert {s.get("rid") for s in streams if s["kind"] == "video"} >= {"q", "h"}


async def test_a_home_learner_in_firefox_watches_and_is_called_on(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    links = server.links()
    lead: Page = await browsers.page(links["lead"][0], size=(1440, 900))
    await lead.get_by_test_id("join").click(timeout=40_000)
    async with Firefox(tmp_path / "firefox", (400, 800)) as home:
        await home.goto(links["home_learner"][0])
        await home.click("join")

        async def home_watches() -> bool:
            streams = (await home.statistics())["downlink"]
            heard = any(s["kind"] == "audio" and s["packetsReceived"] > 50 for s in streams)
            return heard and decoded(streams) > 30

        await wait_until(home_watches, 40, "Firefox at home sees and hears the lead")
        await lead.get_by_test_id("call-on-demo-home-1").click()

        async def lead_sees_and_hears_home() -> bool:
            streams = (await statistics(lead))["downlink"]
            heard = any(s["kind"] == "audio" and s["packetsReceived"] > 50 for s in streams)
            return heard and decoded(streams) > 20

        await wait_until(lead_sees_and_hears_home, 15, "the lead sees and hears Firefox at home")
