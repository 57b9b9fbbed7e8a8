"""Scenario 9: a classroom loses its line for 15 s, and again for longer than its seat is kept.

What the lead sees meanwhile, how soon the class is back, and what the lesson lost by it.
"""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from playwright.async_api import Page, expect

from conftest import FigureTable
from e2e.bad_lines.rooms import PAST
from e2e.conftest import Browsers, frames, wait_until
from e2e.pages.test_page_pictures import enter, keep
from e2e.test_recording import close, package_of
from e2e.test_room_without_a_line import School, log_of, school
from hosting.patience import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.full, pytest.mark.timeout(420)]
__all__ = ["school"]

SHORT_S = 15.0
#: Longer than the 60 s for which a seat is kept: the session is another one afterwards.
LONG_S = 80.0
BACK_S = 10.0


async def moves(page: Page) -> bool:
    first = await frames(page)
    await asyncio.sleep(0.5)
    return (await frames(page)) - first >= 3


async def back_after(school: School, room: Page) -> float:
    """Mends the line; returns how soon the class sees the lead again, in seconds."""
    await school.mend()
    since = time.monotonic()
    await wait_until(lambda: moves(room), 40, "the lead in the room again")
    await expect(room.get_by_test_id("room-outage")).to_have_count(0, timeout=40_000)
    return time.monotonic() - since


async def test_the_lead_sees_a_class_go_on_alone_and_what_it_cost(
    school: School, browsers: Browsers, figures: FigureTable
) -> None:
    server = school.server
    lead = await browsers.page(server.links()["lead"][0], size=(1440, 900))
    relay = school.relay
    await lead.add_init_script(PAST % {"relay": relay.udp_port, "worker": relay.target_port})
    await lead.reload()
    await enter(lead)
    room = await browsers.page(school.link("room"), size=(1920, 1080))
    await enter(room)
    console = await browsers.page(server.links()["assistant"][0], size=(1024, 768))
    await expect(console.get_by_test_id("class-seats")).to_be_visible(timeout=40_000)
    await console.get_by_test_id("class-seats").locator("li button").nth(0).click()
    await console.get_by_test_id("roll-save").click()
    await wait_until(lambda: moves(room), 40, "the lead in the room")
    tile, chip = lead.get_by_test_id("wall-tile-room-1"), lead.get_by_test_id("counts-local")
    heads = await tile.locator(".heads").inner_text(timeout=40_000)

    await school.cut()
    began = time.monotonic()
    await expect(tile).to_have_attribute("data-state", "lost", timeout=40_000)
    seen_s = time.monotonic() - began
    await asyncio.sleep(max(0.0, SHORT_S - (time.monotonic() - began)))
    back = [await back_after(school, room)]
    await expect(chip).to_have_count(0)

    await school.cut()
    began = time.monotonic()
    await expect(tile).to_have_attribute("data-state", "local", timeout=90_000)
    await expect(chip).to_contain_text("1")
    await expect(lead.get_by_test_id("attention")).to_contain_text("已缓存的课件")
    await keep(lead, "lead-local")
    await asyncio.sleep(max(0.0, LONG_S - (time.monotonic() - began)))
    back.append(await back_after(school, room))
    await expect(chip).to_have_count(0, timeout=10_000)
    await expect(tile.locator(".heads")).to_have_text(heads)
    await room.get_by_test_id("room-catch-up").wait_for(timeout=40_000)
    for seconds, away in zip(back, (SHORT_S, LONG_S), strict=True):
        row = f"room without a line for {away:.0f} s"
        figures.add(row, "back after the line, s", f"{seconds:.1f}", f"{BACK_S:.0f}")
        assert seconds <= BACK_S * PATIENCE
    figures.add("room without a line", "the lead sees it after, s", f"{seen_s:.1f}", "–")

    await asyncio.to_thread(close, server)
    _, made = await package_of(server)
    facts = [one["event"] for one in await log_of(server)]
    [roll] = [one for one in facts if one["type"] == "roll_called"]
    first_loss = [one["type"] for one in facts].index("participant_lost")
    assert not any(one["type"] == "attendance_changed" for one in facts[first_loss:])
    [lost] = made.losses.rooms
    print(f"learner-minutes lost: {json.dumps([made.losses.lost, made.losses.taught])}, {lost}")
    assert lost.participant == "room-1"
    assert lost.seconds == pytest.approx(SHORT_S + LONG_S + sum(back), abs=12)
    assert lost.learner_minutes == pytest.approx(lost.seconds * roll["present"] / 60, abs=0.2)
    assert made.losses.lost == lost.learner_minutes
