"""A recorded lesson in which much changes: a shared window and its size, slides, the stage."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from websockets.exceptions import ConnectionClosed

from e2e.conftest import Browsers, Server, wait_until
from e2e.drawn import SLIDE_TITLE
from e2e.pages.test_page_pictures import Cast, enter
from e2e.papers import slides_pdf
from e2e.test_lesson import _advances
from e2e.test_recording import (
    READY_S,
    TOGETHER_S,
    ask,
    close,
    package_of,
    staff_token,
    times,
)
from faults.lesson import Figures
from hosting.page import Page as Socket
from light.ffmpeg import complaints
from twinclass_recordings import manifest as m
from twinclass_signaling.lesson.events import StageEntered, StageLeft
from twinclass_signaling.lesson.talk_events import SlideTurned
from twinclass_signaling.messages import Authenticate, ClientInfo, Event, Welcome

#: A minute each; that a lesson is recorded and plays is in the short run (``test_recording``).
pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.full, pytest.mark.timeout(360)]

#: Where chapters and seeks may be beside what happened.
CHAPTER_S, SEEK_S = 1.0, 0.5
SEEKS = 10
CAPTIONS = "WEBVTT\n\n00:00.000 --> 01:30:00.000\n<v 示例老师>两个负数相乘得正数\n"


@dataclass
class Taught:
    """When what happened: Unix seconds, as somebody was told who has nothing else to do."""

    stage: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    slides: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])


@asynccontextmanager
async def told(server: Server, *, plays_h264: bool) -> AsyncGenerator[Taught]:
    """Notes down what happens. While somebody without H264 is there, the whole lesson is VP8."""
    # Before the socket: it is to say who it is within seconds.
    token = await asyncio.to_thread(server.token, "room", "room-2")
    page = await Socket.open(server.port)
    codecs = ("H264", "VP8") if plays_h264 else ("VP8",)
    await page.send(Authenticate(token, ClientInfo(codecs, "")))
    await page.wait_for(Welcome)
    found = Taught()

    async def listen() -> None:
        began = 0.0
        while True:
            event = (await page.wait_for(Event, timeout_s=120)).event
            match event:
                case StageEntered():
                    began = time.time()
                case StageLeft():
                    found.stage.append((began, time.time()))
                case SlideTurned(_, number):
                    found.slides.append((time.time(), number))
                case _:
                    pass

    listening = asyncio.create_task(listen(), name="note down")
    try:
        yield found
    finally:
        listening.cancel()
        # The lesson's end may have closed its line before.
        with suppress(asyncio.CancelledError, ConnectionClosed):
            await listening


async def teach(server: Server, browsers: Browsers, folder: Path) -> list[Page]:
    """Teaches with a shared window that changes its size, slides, and two stage changes."""
    links = server.links()
    drawing = asyncio.create_task(slides_pdf(folder), name="slides")
    cast = Cast(browsers, folder)
    lead = await cast.lead(links["lead"][0])
    room = await cast.room(links["room"][0], 1)
    await enter(lead, room)
    await wait_until(lambda: _advances(room), 20, "picture")

    async def on_stage(seconds: float) -> None:
        await lead.get_by_test_id("call-on-room-1").click()
        await room.get_by_test_id("on-stage").wait_for(timeout=40_000)
        await asyncio.sleep(seconds)
        await lead.get_by_test_id("clear-stage").click()
        await room.get_by_test_id("on-stage").wait_for(state="detached", timeout=40_000)

    await on_stage(1)
    await lead.get_by_test_id("share-screen").click()
    await room.get_by_test_id("video-screen-0").wait_for(timeout=40_000)
    await on_stage(5.5)
    # The window that is shared gets another size.
    [window] = [page for page in lead.context.pages if await page.title() == SLIDE_TITLE]
    await window.set_viewport_size({"width": 800, "height": 600})
    await asyncio.sleep(2.5)
    await lead.get_by_test_id("share-screen").click()
    await lead.keyboard.press("l")
    await lead.get_by_test_id("slides-file").set_input_files(await drawing)
    number = lead.get_by_test_id("page-number").locator("b")
    await expect(number).to_have_text("1", timeout=40_000)
    await lead.keyboard.press("Escape")
    for page in (2, 3):
        await asyncio.sleep(1.2)
        await lead.get_by_test_id("page-on").click()
        await expect(number).to_have_text(str(page), timeout=40_000)
    await asyncio.sleep(1)
    return [lead, room]


def files(made: m.Manifest) -> Iterable[m.Part]:
    for track in made.tracks:
        for run in track.runs:
            yield from run.parts
            yield from run.transcoded


def check_chapters(made: m.Manifest, taught: Taught) -> None:
    def at(moment: float) -> float:
        return moment - made.origin_unix

    stage = sorted(c.start_s for c in made.chapters if c.kind == "stage")
    slides = sorted((c.start_s, c.page) for c in made.chapters if c.kind == "slide")
    ends = sorted(c.end_s for c in made.chapters if c.kind == "stage")
    assert len(stage) == 2
    assert len(slides) == 3
    assert stage == pytest.approx([at(began) for began, _ in taught.stage], abs=CHAPTER_S)
    assert ends == pytest.approx([at(ended) for _, ended in taught.stage], abs=CHAPTER_S)
    assert [page for _, page in slides] == [page for _, page in taught.slides]
    assert [start for start, _ in slides] == pytest.approx(
        [at(moment) for moment, _ in taught.slides], abs=CHAPTER_S
    )


def check_files(folder: Path, made: m.Manifest, codec: str) -> None:
    """Every file decodes; the change of size made another file of the same run."""
    for part in files(made):
        assert complaints(folder / part.path) == "", part.path
    [screen] = [track for track in made.tracks if track.source == "screen"]
    shapes = [(part.width, part.height) for run in screen.runs for part in run.parts]
    assert len({round(width / height, 1) for width, height in shapes}) > 1, shapes
    assert {part.codec for run in screen.runs for part in run.parts} == {codec}


def active(made: m.Manifest, at: float) -> int:
    """How many tracks have something at a moment."""
    return sum(
        run.start_s <= at < run.start_s + run.duration_s
        for track in made.tracks
        for run in track.runs
    )


def places(made: m.Manifest) -> list[float]:
    """Random moments, none within a second of where a file begins or ends."""
    edges = [0.0, made.duration_s]
    for part in files(made):
        edges += [part.start_s, part.start_s + part.duration_s]
    chance = random.Random(4)
    found: list[float] = []
    while len(found) < SEEKS:
        at = chance.uniform(0, made.duration_s)
        if active(made, at) > 1 and min(abs(at - edge) for edge in edges) > 1:
            found.append(at)
    return found


async def seek_everywhere(page: Page, made: m.Manifest, name: str, figures: Figures) -> None:
    waits: list[float] = []
    for place in places(made):
        began = time.monotonic()
        await page.evaluate("at => __player.seek(at)", place)

        async def landed(place: float = place) -> bool:
            time_, found = await times(page)
            spread = max(found.values()) - min(found.values()) if found else 1.0
            assert -0.05 < time_ - place < SEEK_S + (time.monotonic() - began)  # noqa: B023
            is_there = all(abs(one - time_) < SEEK_S for one in found.values())
            return is_there and len(found) == active(made, time_) and spread < TOGETHER_S

        await wait_until(landed, 8, f"all tracks at {place:.1f} s")
        waits.append(time.monotonic() - began)
    waits.sort()
    figures.add(name, "seek until all tracks are together, p50, ms", f"{waits[5] * 1000:.0f}")
    figures.add(name, "until all are together, max, ms", f"{waits[-1] * 1000:.0f}")


async def check_spread(page: Page, made: m.Manifest, name: str, figures: Figures) -> None:
    """While the second class is on stage beside a shared window: all tracks of both."""
    stage = [chapter for chapter in made.chapters if chapter.kind == "stage"][-1]
    await page.evaluate("at => __player.seek(at)", stage.start_s + 1.2)
    most = active(made, stage.start_s + 2)
    assert most >= 5
    spreads: list[float] = []

    async def measured() -> bool:
        _, found = await times(page)
        if len(found) == most:
            spreads.append(max(found.values()) - min(found.values()))
        return len(spreads) > 15

    # A difference is made up for by playing 8 % faster or slower: the largest takes three seconds.
    await asyncio.sleep(3)
    await wait_until(measured, 15, "all tracks play")
    spreads.sort()
    middle = spreads[len(spreads) // 2]
    figures.add(name, f"spread of {most} tracks, p50, ms", f"{middle * 1000:.0f}", "40")
    figures.add(name, "the same, max, ms", f"{spreads[-1] * 1000:.0f}")
    assert middle < TOGETHER_S


async def check_captions(page: Page) -> None:
    caption = page.get_by_test_id("caption")
    assert await caption.count() == 0
    await page.keyboard.press("c")
    await expect(caption).to_contain_text("两个负数相乘得正数", timeout=40_000)
    await page.keyboard.press("c")
    await expect(caption).to_have_count(0)


async def plays(page: Page, url: str) -> None:
    await page.goto("about:blank")
    await page.goto(url)
    await page.get_by_test_id("begin").click(timeout=40_000)

    async def moves() -> bool:
        before, _ = await times(page)
        await asyncio.sleep(0.3)
        now, found = await times(page)
        return now > before + 0.2 and len(found) > 0

    await wait_until(moves, READY_S, "it plays")


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_what_changes_in_a_lesson_is_in_its_recording(
    server: Server, browsers: Browsers, tmp_path: Path, figures: Figures, codec: str
) -> None:
    name = f"recorded changes, {codec}"
    async with told(server, plays_h264=codec == "h264") as taught:
        pages = await teach(server, browsers, tmp_path)
        page = await browsers.page("about:blank", size=(1280, 800))
        closed = time.monotonic()
        await asyncio.to_thread(close, server)
    folder, made = await package_of(server)
    (folder / "captions").mkdir(exist_ok=True)
    (folder / "captions/zh.vtt").write_text(CAPTIONS, encoding="utf-8")
    token = await asyncio.to_thread(staff_token, server)
    url = f"{server.base}/library/lesson/{folder.name}#token={token}"
    await plays(page, url)
    took = time.monotonic() - closed
    figures.add(name, "from the close until it plays, s", f"{took:.1f}", f"{READY_S:.0f}")
    assert took < READY_S
    for one in pages:
        await one.close()
    await asyncio.to_thread(check_files, folder, made, codec)
    check_chapters(made, taught)
    await check_captions(page)
    await check_spread(page, made, name, figures)
    await seek_everywhere(page, made, name, figures)
    if codec == "vp8":
        await becomes_h264(server, folder, token)
        again = m.decode((folder / "manifest.json").read_bytes())
        await plays(page, url)
        await asyncio.to_thread(check_files, folder, again, codec)
        await seek_everywhere(page, again, f"{name}, then h264", figures)
    assert browsers.problems == []


async def becomes_h264(server: Server, folder: Path, token: str) -> None:
    async def is_ready() -> bool:
        path = f"/api/library/lessons/{folder.name}"
        found = json.loads(await asyncio.to_thread(ask, server, path, token))
        return bool(found["state"] == "ready")

    await wait_until(is_ready, 120, "it is H264 now")
