"""A lesson in real browsers is recorded, caught up with, made a package of, found, and watched."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.async_api import Page

from e2e.conftest import TWINCLASS, Browsers, Server, wait_until
from e2e.pages.test_accessibility import barriers
from e2e.test_lesson import _advances
from faults.lesson import Figures
from hosting.page import Page as Socket
from light.ffmpeg import complaints
from twinclass_recordings import manifest as m
from twinclass_signaling.messages import Authenticate, ClientInfo, Welcome

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(360)]

#: Done when 1: played ten seconds after the close, all tracks within 40 ms of each other.
READY_S = 10.0
TOGETHER_S = 0.04


def close(server: Server, lesson: str = "demo") -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.admin_port}/lessons/{lesson}/close", b"", method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 200


def ask(server: Server, path: str, token: str, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(
        server.base + path, headers={"Authorization": f"Bearer {token}"} | (headers or {})
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        body: bytes = reply.read()
        return body


def staff_token(server: Server, role: str = "operator", *extra: str) -> str:
    done = subprocess.run(
        [TWINCLASS, "token", "--staff", role, "--data", str(server.data), *extra],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return done.stdout.strip().partition("#token=")[2]


async def package_of(server: Server) -> tuple[Path, m.Manifest]:
    [folder] = (server.data / "recordings").glob("demo-*")

    async def is_there() -> bool:
        return (folder / "manifest.json").exists()

    await wait_until(is_there, READY_S, "the package")
    return folder, m.decode((folder / "manifest.json").read_bytes())


async def test_a_lesson_is_recorded_caught_up_with_and_watched(
    server: Server, browsers: Browsers, tmp_path: Path, figures: Figures
) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    room = await browsers.page(links["room"][0], size=(1920, 1080))
    for page in (lead, room):
        await page.get_by_test_id("join").click(timeout=40_000)
    await wait_until(lambda: _advances(room), 20, "picture")

    async def writing() -> bool:
        return await lead.get_by_test_id("recording").get_attribute("data-state") == "writing"

    await wait_until(writing, 15, "the lead sees that bytes are on disk")
    await lead.get_by_test_id("call-on-room-1").click()
    await asyncio.sleep(8)
    home_link = links["home_learner"][0]
    home = await browsers.page(home_link, size=(360, 640))
    await home.get_by_test_id("join").click(timeout=40_000)
    token = home_link.partition("#token=")[2]
    await catch_up(server, home, token)
    await lead.get_by_test_id("clear-stage").click()
    await asyncio.sleep(2)
    token_of_staff = await asyncio.to_thread(staff_token, server)
    await asyncio.to_thread(close, server)
    closed = time.monotonic()
    # As a lead does: to the library at once, where the lesson appears by itself.
    page = await browsers.page(f"{server.base}/library#token={token_of_staff}", size=(1440, 900))
    folder, made = await package_of(server)
    await page.get_by_test_id(f"entry-{folder.name}").wait_for(timeout=40_000)
    found_s = time.monotonic() - closed
    figures.add("recorded lesson", "in the library after the close, s", f"{found_s:.1f}", "10")
    for one in (lead, room, home):
        await one.close()
    check_package(folder, made)
    await watch(server, page, folder.name, tmp_path, figures)
    path = f"/api/library/lessons/{folder.name}"
    own = json.loads(await asyncio.to_thread(ask, server, path, token))
    assert [round(gap["start_s"]) for gap in own["missed"]] == [0]
    assert not any(own["may"].values())
    assert browsers.problems == []


async def catch_up(server: Server, home: Page, token: str) -> None:
    """Who came late is offered what was missed, and gets nearer to the lesson at 1.25×."""
    await home.get_by_test_id("catch-up-start").click(timeout=40_000)
    told = json.loads(await asyncio.to_thread(ask, server, "/api/catch-up", token))
    [gap] = told["missed"]
    assert gap["start_s"] == 0.0
    assert 8 < gap["end_s"] < told["live_s"]
    base = told["media"]["base"]
    made = m.decode(await asyncio.to_thread(ask, server, base + "manifest.json", token))
    assert made.state == "live"
    [camera] = [
        track
        for track in made.tracks
        if (track.participant, track.source) == ("demo-lead", "camera")
    ]
    # An earlier run ends where a slow browser began anew.
    run = camera.runs[-1]
    text = (await asyncio.to_thread(ask, server, base + run.playlist, token)).decode()
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text
    assert "#EXT-X-ENDLIST" not in text
    part = run.parts[0]
    headers = {"Range": f"bytes=0-{part.header_bytes - 1}"}
    head = await asyncio.to_thread(ask, server, base + part.path, token, headers)
    assert (head[4:8], len(head)) == (b"ftyp", part.header_bytes)
    card = home.get_by_test_id("catching-up")
    video = card.locator("video")
    await video.wait_for(timeout=40_000)

    async def plays() -> bool:
        before = await video.evaluate("e => e.currentTime")
        await asyncio.sleep(1)
        return bool(await video.evaluate("e => e.currentTime") - before > 1.0)

    await wait_until(plays, 15, "it plays faster than it was taught")
    behind = int(await card.get_attribute("data-behind") or 0)

    async def nearer() -> bool:
        return int(await card.get_attribute("data-behind") or 0) <= behind - 2

    await wait_until(nearer, 12, "it gets nearer to the lesson, a second in six at least")
    await home.get_by_test_id("catch-up-stop").click()
    await card.wait_for(state="detached", timeout=40_000)


def check_package(folder: Path, made: m.Manifest) -> None:
    sources = {(track.participant, track.source) for track in made.tracks}
    people = ("demo-lead", "room-1")
    assert sources == {(who, what) for who in people for what in ("camera", "microphone")}
    [stage] = [chapter for chapter in made.chapters if chapter.kind == "stage"]
    assert stage.participant == "room-1"
    for track in made.tracks:
        for run in track.runs:
            for part in run.parts:
                assert complaints(folder / part.path) == "", part.path
        if track.participant == "room-1":
            # While it was on stage, and not a moment more.
            assert track.runs[0].start_s == pytest.approx(stage.start_s, abs=1.5)
            end = track.runs[-1].start_s + track.runs[-1].duration_s
            assert end == pytest.approx(stage.end_s, abs=1.5)
    assert (folder / "cover.jpg").read_bytes()[:2] == b"\xff\xd8"


async def times(page: Page) -> tuple[float, dict[str, float]]:
    found = await page.evaluate("() => ({ time: __player.time(), times: __player.times() })")
    return found["time"], found["times"]


async def watch(
    server: Server, page: Page, recording: str, tmp_path: Path, figures: Figures
) -> None:
    entry = page.get_by_test_id(f"entry-{recording}")
    await page.get_by_test_id("search").fill("乘法")
    assert await barriers(page, "library") == []
    await page.screenshot(path=tmp_path / "library.png")
    await entry.click()
    await page.get_by_test_id("begin").click(timeout=40_000)

    async def plays() -> bool:
        before, _ = await times(page)
        await asyncio.sleep(0.5)
        return (await times(page))[0] > before + 0.3

    await wait_until(plays, 15, "it plays")
    assert await barriers(page, "player") == []
    _, made = await package_of(server)
    [stage] = [chapter for chapter in made.chapters if chapter.kind == "stage"]
    await page.evaluate("at => __player.seek(at)", stage.start_s + 2)

    async def all_play() -> bool:
        return len((await times(page))[1]) == 4 and await plays()

    await wait_until(all_play, 15, "four tracks")
    await asyncio.sleep(2)
    spreads: list[float] = []
    for _ in range(20):
        at_s, found = await times(page)
        if len(found) == 4:
            spreads.append(max(found.values()) - min(found.values()))
            assert all(abs(at - at_s) < 0.3 for at in found.values())
        await asyncio.sleep(0.1)
    spreads.sort()
    middle = spreads[len(spreads) // 2]
    figures.add("recorded lesson", "spread of four tracks, p50, ms", f"{middle * 1000:.0f}", "40")
    figures.add("recorded lesson", "the same, max, ms", f"{spreads[-1] * 1000:.0f}")
    assert middle < TOGETHER_S
    await page.screenshot(path=tmp_path / "player.png")


@pytest.mark.full
async def test_a_vp8_lesson_plays_from_webm_and_then_from_hls(
    server: Server, browsers: Browsers
) -> None:
    """A room cannot play H264, so the whole lesson is VP8."""
    token = server.token("room", "room-1")  # First: the socket is to say who it is within seconds.
    room = await Socket.open(server.port)
    await room.send(Authenticate(token, ClientInfo(("VP8",), "no H264")))
    await room.wait_for(Welcome)
    lead = await browsers.page(server.links()["lead"][0], size=(1440, 900))
    await lead.get_by_test_id("join").click(timeout=40_000)
    await asyncio.sleep(12)
    await asyncio.to_thread(close, server)
    folder, made = await package_of(server)
    [camera] = [track for track in made.tracks if track.source == "camera"]
    assert {part.codec for run in camera.runs for part in run.parts} == {"vp8"}
    token = await asyncio.to_thread(staff_token, server)
    url = f"{server.base}/library/lesson/{folder.name}#token={token}"

    async def plays_to_the_end(page: Page) -> None:
        await page.get_by_test_id("begin").click(timeout=40_000)
        await page.evaluate("at => __player.seek(at)", camera.runs[0].start_s + 4)

        async def both() -> bool:
            before, _ = await times(page)
            await asyncio.sleep(0.7)
            now, found = await times(page)
            return len(found) == 2 and now > before + 0.4

        await wait_until(both, 15, "picture and sound play")

    await plays_to_the_end(await browsers.page(url, size=(1280, 800)))

    async def is_ready() -> bool:
        path = f"/api/library/lessons/{folder.name}"
        found = json.loads(await asyncio.to_thread(ask, server, path, token))
        return bool(found["state"] == "ready")

    await wait_until(is_ready, 60, "it is H264 now")
    after = m.decode((folder / "manifest.json").read_bytes())
    [camera] = [track for track in after.tracks if track.source == "camera"]
    assert all(run.playlist for run in camera.runs)
    for run in camera.runs:
        for part in run.transcoded:
            assert complaints(folder / part.path) == ""
    await plays_to_the_end(await browsers.page(url, size=(1280, 800)))
    assert browsers.problems == []
