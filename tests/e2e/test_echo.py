"""A loudspeaker in its own room's microphone, in real browsers: ducked, muted, told, undone."""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from conftest import FigureTable
from e2e.conftest import Browsers, Server, statistics, wait_until
from e2e.staff import assistants
from light.loudspeaker import script, write_voice

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.full, pytest.mark.timeout(360)]

LATE_S = 0.12


async def enter(page: Page) -> None:
    await page.get_by_test_id("join").click(timeout=40_000)


async def heard(lead: Page) -> tuple[float, float]:
    """Energy and seconds of sound that the lead's page has played of others so far."""
    streams = (await statistics(lead))["downlink"]
    sound = [one for one in streams if one["kind"] == "audio"]
    energy = sum(float(one.get("totalAudioEnergy") or 0) for one in sound)
    return energy, max((float(one.get("totalSamplesDuration") or 0) for one in sound), default=0)


async def loudness_db(lead: Page, seconds: float) -> float:
    before, start = await heard(lead)
    await asyncio.sleep(seconds)
    after, end = await heard(lead)
    return 10 * math.log10(max(after - before, 1e-12) / max(0.1, end - start))


async def log_of(room: Page) -> list[tuple[float, Any]]:
    found: list[tuple[float, Any]] = await room.evaluate("() => window.__log")
    return found


def events(log: list[tuple[float, Any]], kind: str) -> list[tuple[float, float]]:
    """Milliseconds of the page and Unix second of the log, of each event of a kind."""
    return [
        (at, said["at"])
        for at, said in log
        if isinstance(said, dict) and said["type"] == "event" and said["event"]["type"] == kind
    ]


async def test_an_echo_is_ducked_then_muted_and_undone_by_one_tap(
    listening_server: Server, browsers: Browsers, tmp_path: Path, figures: FigureTable
) -> None:
    links = listening_server.links()
    voice = tmp_path / "lead.wav"
    write_voice(voice)
    lead = await browsers.page(
        links["lead"][0],
        size=(1440, 900),
        arguments=(f"--use-file-for-fake-audio-capture={voice}",),
    )
    await enter(lead)
    room = await browsers.page(
        "about:blank", arguments=("--autoplay-policy=no-user-gesture-required",)
    )
    await room.context.add_init_script(script(LATE_S))
    await room.goto(links["room"][0])
    await enter(room)
    helper = await browsers.page(assistants(listening_server, [1])[0], size=(1180, 820))
    tile = lead.get_by_test_id("wall-tile-room-1")
    await expect(tile).to_have_attribute("data-state", "never", timeout=40_000)
    await tile.dblclick()
    await expect(room.locator("main.room")).to_have_attribute("data-on-stage", "true")

    async def hears_lead() -> bool:
        levels = [float(s.get("audioLevel") or 0) for s in (await statistics(room))["downlink"]]
        return max(levels, default=0) > 0.02

    await wait_until(hears_lead, 20, "the room hears the lead")
    await asyncio.sleep(2.5)
    assert events(await log_of(room), "echo_found") == [], "a quiet room has no echo"

    # Somebody turns a loudspeaker to the microphone while the lead speaks.
    await wait_until(hears_lead, 20, "the lead speaks")
    began = time.time()
    await room.evaluate("() => { window.__loudspeaker.gain.value = 0.5 }")
    banner = room.get_by_test_id("echo")
    await expect(banner).to_be_visible(timeout=40_000)
    while_it_goes_on = await loudness_db(lead, 0.3)

    async def is_muted() -> bool:
        return bool(events(await log_of(room), "echo_muted"))

    await wait_until(is_muted, 20, "it is muted")
    log = await log_of(room)
    [(found_ms, found_at), *_] = events(log, "echo_found")
    [(_, muted_at), *_] = events(log, "echo_muted")
    # From "closed" on nothing louder leaves; the quieter track takes over with "replaced".
    ducked = min(at for at, said in log if said == "closed" and at >= found_ms)
    replaced = min(at for at, said in log if said == "replaced" and at >= found_ms)
    await expect(banner).to_have_attribute("data-state", "muted")
    await expect(banner).to_contain_text("话筒已关")
    await asyncio.sleep(0.6)  # What the lead's page has buffered.
    after = await loudness_db(lead, 1.5)
    took = f"{ducked - found_ms:.0f} ms (another track {replaced - found_ms:.0f} ms)"
    print(
        f"echo recognised after {found_at - began:.2f} s, muted after {muted_at - began:.2f} s;"
        f" ducked {took} after the word; lead hears {while_it_goes_on:.0f} dB while it goes on,"
        f" {after:.0f} dB after"
    )
    what = "echo of a browser's room"
    figures.add(what, "recognised after", f"{found_at - began:.2f} s", "2 s")
    figures.add(what, "muted after", f"{muted_at - began:.2f} s", "3 s")
    figures.add(what, "ducked after the word", f"{ducked - found_ms:.0f} ms", "200 ms")
    figures.add(what, "quieter after the mute", f"{while_it_goes_on - after:.0f} dB", "30 dB")
    assert ducked - found_ms <= 200
    assert after < while_it_goes_on - 30

    # Lead and assistant read why, and the assistant opens it again when the cause is gone.
    await expect(lead.get_by_test_id("echo-of-room-1")).to_contain_text("回声")
    await expect(lead.get_by_test_id("attention-echo")).to_contain_text("话筒已关")
    desk = helper.get_by_test_id("echo")
    await expect(desk).to_have_attribute("data-state", "muted")
    await expect(desk).to_contain_text("请把音箱调小")
    await room.evaluate("() => { window.__loudspeaker.gain.value = 0 }")
    await desk.get_by_test_id("echo-again").click()
    for page in (room, helper):
        await expect(page.get_by_test_id("echo")).to_be_hidden()
    await expect(lead.get_by_test_id("echo-of-room-1")).to_be_hidden()
