"""The lead's wall in a real browser: every class decodes, and how soon."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page

from e2e.conftest import Browsers, statistics, wait_until
from e2e.crowd import crowded

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(360)]

#: Design: a wall of at least one picture a second.
LOWEST_FPS = 1.0
SECONDS = 4.0


async def decoded(page: Page) -> dict[str, int]:
    """Frames decoded so far by wall participant."""
    owner: dict[str, str] = await page.evaluate(
        """() => Object.fromEntries(window.__twinclass.slots
            .filter(s => s.use === 'wall' && s.participant).map(s => [s.mid, s.participant]))"""
    )
    return {
        owner[stream["mid"]]: stream.get("framesDecoded") or 0
        for stream in (await statistics(page))["downlink"]
        if stream.get("mid") in owner
    }


async def all_shown(page: Page, rooms: int) -> bool:
    shown: int = await page.locator('[data-testid^="wall-tile-"] .picture.shown').count()
    return shown == rooms


async def check_wall(page: Page, rooms: int) -> float:
    """Every class is decoded, nothing is lost, all are counted. Returns the slowest's fps."""
    before = await decoded(page)
    await asyncio.sleep(SECONDS)
    after = await decoded(page)
    assert len(after) == rooms
    slow = {who: after[who] - before.get(who, 0) for who in after}
    slow = {who: frames for who, frames in slow.items() if frames < LOWEST_FPS * SECONDS}
    assert not slow, f"frames in {SECONDS} s: {slow}"
    counts = page.get_by_test_id("counts")
    assert f"{rooms}/{rooms}" in (await counts.inner_text()).replace(" ", "")
    streams = (await statistics(page))["downlink"]
    lost = {s["mid"]: s["packetsLost"] for s in streams if s.get("packetsLost")}
    assert not lost, f"lost packets: {lost}"
    return min(after[who] - before.get(who, 0) for who in after) / SECONDS


async def wall_of(rooms: int, homes: int, folder: Path, browsers: Browsers) -> dict[str, float]:
    """A lead joins a lesson that is full, then comes back to one that fills; seconds each."""
    figures: dict[str, float] = {}
    async with crowded(folder, rooms, homes) as (server, crowd):
        half = rooms // 2
        await crowd.join(crowd.rooms[:half] + crowd.homes)
        lead = await browsers.page(server.links()["lead"][0], size=(1440, 900))
        join = lead.get_by_test_id("join")
        await join.click(timeout=40_000)
        started = time.monotonic()
        await wait_until(partial(all_shown, lead, half), 20, f"{half} pictures on the wall")
        figures[f"lead joins {half} rooms"] = time.monotonic() - started
        started = time.monotonic()
        await crowd.join(crowd.rooms[half:])
        await wait_until(partial(all_shown, lead, rooms), 20, f"{rooms} pictures on the wall")
        figures[f"{rooms - half} rooms join at once"] = time.monotonic() - started
        await check_wall(lead, rooms)
        await lead.reload()
        started = time.monotonic()
        await wait_until(partial(all_shown, lead, rooms), 20, f"{rooms} pictures after a reload")
        figures[f"lead reloads with {rooms} rooms"] = time.monotonic() - started
        figures["slowest picture, frames a second"] = await check_wall(lead, rooms)
        assert not any(client.errors for client in crowd.rooms + crowd.homes)
    for name, value in figures.items():
        print(f"{name:40} {value:.2f}")
    return figures


@pytest.mark.full
async def test_a_wall_of_eight_rooms_shows_every_class(tmp_path: Path, browsers: Browsers) -> None:
    await wall_of(8, 2, tmp_path, browsers)


@pytest.mark.full
@pytest.mark.parametrize("rooms", [26, 32])
async def test_a_full_wall_shows_every_class(
    rooms: int, tmp_path: Path, browsers: Browsers
) -> None:
    await wall_of(rooms, 8, tmp_path, browsers)
