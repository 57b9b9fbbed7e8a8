"""Lead, two rooms, two homes in real Chromium: everybody is seen and heard by whom they should."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page

from e2e.conftest import Browsers, Server, frames, statistics, wait_until
from e2e.marks import device_arguments, hears, sees, slot

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(360)]

PEOPLE = ("demo-lead", "room-1", "room-2", "demo-home-1", "demo-home-2")


async def open_lesson(server: Server, browsers: Browsers, folder: Path) -> dict[str, Page]:
    links = server.links()
    urls = [links["lead"][0], *links["room"][:2], *links["home_learner"][:2]]
    pages: dict[str, Page] = {}
    for who, url in zip(PEOPLE, urls, strict=True):
        size = "1280x720" if who == "demo-lead" else "640x360"
        arguments = device_arguments(folder, who, size)
        if who == "demo-lead":
            arguments += ("--auto-select-desktop-capture-source=Entire screen",)
        viewport = {"demo-lead": (1440, 900), "room-1": (1280, 720), "room-2": (1280, 720)}
        pages[who] = await browsers.page(
            url, size=viewport.get(who, (360, 640)), arguments=arguments
        )
        await pages[who].get_by_test_id("join").click(timeout=40_000)
    return pages


async def advances(page: Page, use: str) -> bool:
    found = await slot(page, use, "video")
    if found is None or found["participant"] is None:
        return False
    first = await frames(page, found["mid"])
    await asyncio.sleep(0.5)
    return await frames(page, found["mid"]) >= first + 2


async def packets(page: Page, use: str, kind: str) -> int:
    found = await slot(page, use, kind)
    if found is None:
        return 0
    streams = (await statistics(page))["downlink"]
    return sum(s["packetsReceived"] for s in streams if s.get("mid") == found["mid"])


async def is_what(check: object, expected: str) -> bool:
    return await check() == expected  # type: ignore[operator]


async def seen_by(pages: dict[str, Page], who: str, use: str, but: tuple[str, ...] = ()) -> None:
    for name, page in pages.items():
        if name != who and name not in but:
            await wait_until(
                partial(is_what, partial(sees, page, use), who), 15, f"{name} sees {who} ({use})"
            )


async def heard_by(pages: dict[str, Page], who: str, use: str, what: str) -> None:
    for name, page in pages.items():
        if name != who:
            await wait_until(
                partial(is_what, partial(hears, page, use), what), 15, f"{name} hears {who}"
            )


@pytest.mark.full
async def test_everybody_sees_and_hears_whom_they_should(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    pages = await open_lesson(server, browsers, tmp_path)
    lead = pages["demo-lead"]
    # The lead reaches all; both rooms are on the lead's wall.
    await seen_by(pages, "demo-lead", "lead")
    await heard_by(pages, "demo-lead", "lead", "speech")
    wall = {await sees(lead, "wall", i) for i in range(2)}
    assert wall == {"room-1", "room-2"}
    # The screen reaches all.
    await lead.get_by_test_id("share-screen").click()
    for name, page in pages.items():
        if name != "demo-lead":
            await wait_until(partial(advances, page, "screen"), 15, f"{name} gets the screen")
            assert await advances(page, "lead"), "the lead stays visible beside the screen"
    # A room, then a home, are called on: all others see and hear them, and nobody else.
    for who in ("room-1", "demo-home-1"):
        await lead.get_by_test_id(f"call-on-{who}").click()
        await seen_by(pages, who, "stage")
        await heard_by(pages, who, "stage", who)
        own = await slot(pages[who], "stage", "audio")
        assert own is None or own["participant"] is None, "nobody hears themselves"
        await lead.get_by_test_id("clear-stage").click()
        for name, page in pages.items():
            await wait_until(partial(stage_is_empty, page), 5, f"{name}: the stage is empty")
    # Off stage nothing of a microphone arrives anywhere.
    before = {name: await packets(page, "stage", "audio") for name, page in pages.items()}
    await asyncio.sleep(1.0)
    for name, page in pages.items():
        assert await packets(page, "stage", "audio") - before[name] <= 2
    for name, page in pages.items():
        for stream in (await statistics(page))["downlink"]:
            assert stream.get("packetsLost", 0) == 0, (name, stream.get("mid"))


async def stage_is_empty(page: Page) -> bool:
    found = await slot(page, "stage", "audio")
    return found is None or found["participant"] is None


async def width(page: Page) -> int:
    found = await slot(page, "lead", "video")
    streams = (await statistics(page))["downlink"]
    return max(
        (s.get("frameWidth") or 0 for s in streams if found and s.get("mid") == found["mid"]),
        default=0,
    )


async def is_width(page: Page, expected: int) -> bool:
    return await width(page) == expected


@pytest.mark.full
async def test_layers_follow_what_a_viewer_wants_and_unwatched_ones_stop(
    tmp_path: Path, browsers: Browsers
) -> None:
    # A recorder watches the top layer always.
    server = Server(tmp_path / "data", environment={"TWINCLASS_RECORDING__ENABLED": "false"})
    server.start()
    try:
        await server.wait_ready()
        await layers_follow(server, browsers, tmp_path)
    finally:
        server.stop()


async def layers_follow(server: Server, browsers: Browsers, tmp_path: Path) -> None:
    links = server.links()
    lead = await browsers.page(
        links["lead"][0],
        size=(1440, 900),
        arguments=device_arguments(tmp_path, "demo-lead", "1280x720"),
    )
    home = await browsers.page(links["home_learner"][0], size=(360, 640))
    for page in (lead, home):
        await page.get_by_test_id("join").click(timeout=40_000)
    await wait_until(partial(is_width, home, 1280), 30, "the top layer")
    await home.get_by_test_id("data-saver").click()
    await wait_until(partial(is_width, home, 640), 15, "the middle layer")
    await wait_until(partial(stopped, lead, "f"), 20, "the unwatched layer stops at its source")
    await home.get_by_test_id("data-saver").click()
    await wait_until(partial(is_width, home, 1280), 20, "the top layer again")
    stream = next(s for s in (await statistics(home))["downlink"] if s.get("frameWidth") == 1280)
    assert stream["packetsLost"] == 0
    # One each for coming in, down and up again: a machine that runs all else beside this test
    # is late with frames around a keyframe.
    assert stream["freezeCount"] <= 3


async def stopped(page: Page, rid: str) -> bool:
    streams = (await statistics(page))["uplink"]
    return any(s.get("rid") == rid and s.get("active") is False for s in streams)
