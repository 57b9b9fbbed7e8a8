"""A class whose line was away watches what it missed on its own screen, by its assistant's tap."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from e2e.conftest import Browsers, Server, wait_until
from e2e.pages.test_accessibility import barriers
from e2e.pages.test_page_pictures import SCREEN, Cast, enter, keep
from e2e.test_lesson import _advances
from e2e.test_recording import ask

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(360)]

CONSOLE = (1024, 768)
#: How long the line is away; what is offered begins at ten seconds.
AWAY_S, AWAY_SHORT_S = 18, 12
#: Remembers every element that was told to play: sound has no place in the page.
LISTEN = """
window.__played = new Set();
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
    window.__played.add(this);
    return play.call(this);
};
"""
LIVE_SOUND = """() => [...window.__played].filter(one => one.srcObject instanceof MediaStream
    && one.srcObject.getAudioTracks().length > 0 && !one.muted).length"""


@dataclass
class Class:
    """Who is there."""

    lead: Page
    room: Page
    console: Page


async def came_back(server: Server, browsers: Browsers, folder: Path, away_s: float) -> Class:
    """A recorded lesson that shares a slide; a room came late, was away, and is back."""
    links = server.links()
    cast = Cast(browsers, folder)
    lead = await cast.lead(links["lead"][0])
    await enter(lead)
    await lead.get_by_test_id("share-screen").click()
    # The room comes late, so there is more to watch than its loss alone.
    room = await cast.room(links["room"][0], 1)
    await room.add_init_script(LISTEN)
    console = await browsers.page(links["assistant"][0], size=CONSOLE)
    await enter(room)
    await wait_until(lambda: _advances(room), 20, "picture")
    await room.get_by_test_id("video-screen-0").wait_for(timeout=40_000)
    await room.goto("about:blank")
    await asyncio.sleep(away_s)
    await room.goto(links["room"][0])  # A big screen enters by itself the second time.
    await wait_until(lambda: _advances(room), 20, "picture again")
    await room.keyboard.press("Shift")
    return Class(lead, room, console)


def missed_by(server: Server) -> list[list[dict[str, float]]]:
    """What the room, its assistant, and the assistant of a class that never came are told."""
    links = server.links()
    other = server.token("assistant", "", "--sub", "helper-2", "--room", "room-2")
    tokens = [links[role][0].partition("#token=")[2] for role in ("room", "assistant")]
    return [json.loads(ask(server, "/api/catch-up", token))["missed"] for token in (*tokens, other)]


async def at(room: Page) -> float:
    text = await room.get_by_test_id("room-catching-up").get_attribute("data-at")
    return float(text or 0)


@pytest.mark.full
async def test_the_assistant_s_tap_plays_it_on_the_screen_and_the_lead_s_call_ends_it(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    here = await came_back(server, browsers, tmp_path, AWAY_S)
    lead, room, console = here.lead, here.room, here.console
    await console.get_by_test_id("catch-up-offer").wait_for(timeout=40_000)
    card = room.get_by_test_id("room-catch-up")
    await card.wait_for(timeout=40_000)
    assert await room.evaluate(LIVE_SOUND) > 0
    assert await barriers(room, "the room's card") == []
    assert await barriers(console, "the console's banner") == []
    await keep(room, "room-missed")
    await keep(console, "console-missed")

    of_room, of_assistant, of_other = await asyncio.to_thread(missed_by, server)
    assert len(of_room) == 2  # Before it came, and while it was away.
    assert of_assistant == of_room
    assert of_other == []

    await console.get_by_test_id("catch-up-play").click()
    playing = room.get_by_test_id("room-catching-up")
    await playing.locator(".big video").wait_for(timeout=40_000)

    async def runs() -> bool:
        before = await at(room)
        await asyncio.sleep(2)
        return await at(room) - before > 2.2

    await wait_until(runs, 20, "it plays faster than it was taught")
    assert await card.count() == 0
    assert await room.evaluate(LIVE_SOUND) == 0
    await room.get_by_test_id("video-live-corner").wait_for(timeout=40_000)
    size = await room.get_by_test_id("room-catch-up-says").evaluate(
        "e => parseFloat(getComputedStyle(e).fontSize)"
    )
    assert size >= SCREEN[1] / 24
    tile = lead.get_by_test_id("wall-tile-room-1")
    await expect(tile).to_have_attribute("data-state", "catchingUp", timeout=40_000)
    await console.get_by_test_id("catch-up-now").wait_for(timeout=40_000)
    await keep(room, "room-catching-up")
    assert await barriers(room, "the room catches up") == []
    await keep(console, "console-catching-up")

    await lead.get_by_test_id("call-on-room-1").click()
    await playing.wait_for(state="detached", timeout=40_000)
    await room.get_by_test_id("on-stage").wait_for(timeout=40_000)
    assert await room.evaluate(LIVE_SOUND) > 0
    await expect(tile).to_have_attribute("data-state", "onStage", timeout=40_000)

    # Live came first; what is left is offered again, and a key at the room's computer is enough.
    await lead.get_by_test_id("clear-stage").click()
    await card.wait_for(timeout=40_000)
    await room.keyboard.press("b")
    await playing.locator(".big video").wait_for(timeout=40_000)
    await console.get_by_test_id("catch-up-back").click()
    await playing.wait_for(state="detached", timeout=40_000)
    assert browsers.problems == []


@pytest.mark.full
async def test_it_ends_by_itself_when_it_is_live_again(
    server: Server, browsers: Browsers, tmp_path: Path
) -> None:
    here = await came_back(server, browsers, tmp_path, AWAY_SHORT_S)
    await here.room.get_by_test_id("room-catch-up-start").click(timeout=40_000)
    playing = here.room.get_by_test_id("room-catching-up")
    await playing.wait_for(timeout=40_000)
    await playing.wait_for(state="detached", timeout=150_000)
    tile = here.lead.get_by_test_id("wall-tile-room-1")
    await expect(tile).not_to_have_attribute("data-state", "catchingUp", timeout=40_000)
    # It has seen all: nothing is offered again.
    await asyncio.sleep(3)
    assert await here.room.get_by_test_id("room-catch-up").count() == 0
    assert await here.console.get_by_test_id("catch-up-offer").count() == 0
