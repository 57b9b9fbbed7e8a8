"""A class whose network is gone goes on: pages open, slides turn, roll and counts are taken down.

Afterwards the lesson's log is read: nothing lost, nothing twice.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page as BrowserPage
from playwright.async_api import expect

from e2e.conftest import Browsers, Server, wait_until
from e2e.pages.test_page_pictures import keep
from e2e.papers import slides_pdf
from e2e.test_class_tools import Lead
from hosting.gate import Gate
from hosting.page import Page, close_pages
from hosting.relay import RelayProcess
from light.ports import free_port
from twinclass_signaling.ids import PersonId
from twinclass_signaling.messages import Ack, CloseLesson
from twinclass_signaling.tool_commands import (
    AttachSlides,
    CloseQuiz,
    MarkAttendance,
    OpenQuiz,
    TurnSlide,
)
from twinclass_signaling.tool_views import AttendanceView, QuizzesView

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(900)]
SCREEN, CONSOLE = (1920, 1080), (1024, 768)
#: Long enough for what the class does; the seat is kept meanwhile.
SHORT_S = 10.0
#: The requirement: what a school's line may be away for. The session is another one afterwards.
LONG_S = 360.0


@dataclass
class School:
    """A server, and the one line to it of a classroom: pages and media."""

    server: Server
    gate: Gate
    relay: RelayProcess

    def link(self, role: str) -> str:
        url = self.server.links()[role][0]
        return url.replace(f":{self.server.port}/", f":{self.gate.port}/")

    async def cut(self) -> None:
        await self.gate.shut()
        await self.relay.ask(blackhole=True)

    async def mend(self) -> None:
        await self.relay.ask(blackhole=False)
        await self.gate.open()


@pytest.fixture
async def school(tmp_path: Path) -> AsyncIterator[School]:
    here = f"127.0.0.1:{free_port()}"
    async with RelayProcess.started(
        *("--profile", "city", "--listen-udp", here, "--listen-tcp", here),
        *("--to", f"127.0.0.1:{free_port()}"),
    ) as relay:
        server = Server(tmp_path / "data", environment={"TWINCLASS_MEDIA__ANNOUNCE": relay.udp})
        server.media_port = relay.target_port
        server.start()
        try:
            await server.wait_ready()
            async with Gate.opened(server.port) as gate:
                yield School(server, gate, relay)
        finally:
            server.stop()


@pytest.fixture
async def lead(school: School, tmp_path: Path) -> AsyncIterator[Lead]:
    """The lead without a browser, with slides shown."""
    try:
        lead = await Lead.enter(school.server)
        await attach(school.server, lead, await slides_pdf(tmp_path))
        yield lead
    finally:
        await close_pages()


async def attach(server: Server, lead: Lead, file: Path) -> None:
    token = server.links()["lead"][0].split("#token=")[1]
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{server.base}/api/lessons/demo/slides",
            content=file.read_bytes(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/pdf"},
        )
    assert answer.status_code == 201, answer.text
    added = answer.json()
    await lead.ask(AttachSlides(added["document"], added["pages"], added["sha256"], added["title"]))
    await lead.ask(TurnSlide(added["document"], 2))


async def is_kept(page: BrowserPage) -> bool:
    """The shell controls the page, and the slides are on this device."""
    found: bool = await page.evaluate(
        """async () => navigator.serviceWorker.controller !== null
            && (await (await caches.open('twinclass-slides')).keys()).length === 1"""
    )
    return found


async def in_caches(page: BrowserPage) -> str:
    """All addresses, headers and texts that caches of this origin hold, but for slides' bytes."""
    found: str = await page.evaluate(
        """async () => {
            const parts = [];
            for (const name of await caches.keys()) {
                const cache = await caches.open(name);
                for (const request of await cache.keys()) {
                    const answer = await cache.match(request);
                    parts.push(name, request.url, ...request.headers, ...answer.headers);
                    if (name !== 'twinclass-slides') parts.push(await answer.text());
                }
            }
            return parts.join('\\n');
        }"""
    )
    return found


async def shows_page(page: BrowserPage, number: int) -> None:
    slides = page.get_by_test_id("slides")
    await expect(slides).to_have_attribute("data-page", str(number), timeout=40_000)
    await expect(slides).to_have_attribute("data-state", "ready")


async def take_down(console: BrowserPage) -> None:
    """The roll with one absent and one late, a tally, an own question, and hands."""
    seats = console.get_by_test_id("class-seats").locator("li button")
    await seats.nth(0).click()
    await seats.nth(1).click(click_count=2, delay=60)
    await console.get_by_test_id("roll-save").click()
    await expect(console.get_by_test_id("roll-state")).to_contain_text("已记在本机")
    for index, count in enumerate((20, 10, 5, 3)):
        await console.get_by_test_id(f"tally-{index}").fill(str(count))
    await console.get_by_test_id("tally-send").click()
    await expect(console.get_by_test_id("tally-send")).to_contain_text("已记在本机")
    for index, count in enumerate((30, 8)):
        await console.get_by_test_id(f"own-{index}").fill(str(count))
    await console.get_by_test_id("own-take").click()
    for _ in range(3):
        await console.get_by_test_id("own-hand-more").click()
    await console.get_by_test_id("own-hands-take").click()


async def keep_both(room: BrowserPage, console: BrowserPage, name: str) -> None:
    """Pictures of both, for people to look at."""
    await console.locator("main").evaluate("e => e.scrollTo(0, 0)")
    await keep(room, f"room-{name}")
    await keep(console, f"console-{name}")


async def log_of(server: Server) -> list[dict[str, Any]]:
    """The closed lesson's log, as it is kept."""

    async def written() -> Path | None:
        found = list(server.data.rglob("demo-*.jsonl"))
        return found[0] if found else None

    path = await wait_until(written, 20, "the archived log")
    assert path is not None
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("outage_s", [SHORT_S, pytest.param(LONG_S, marks=pytest.mark.full)])
async def test_a_class_goes_on_without_a_line_and_nothing_is_lost_or_twice(
    school: School, lead: Lead, browsers: Browsers, outage_s: float
) -> None:
    server = school.server
    room = await browsers.page(school.link("room"), size=SCREEN)
    await room.get_by_test_id("join").click(timeout=40_000)
    console = await browsers.page(school.link("assistant"), size=CONSOLE)
    await expect(console.get_by_test_id("class-seats")).to_be_visible(timeout=40_000)
    await shows_page(room, 2)
    await lead.ask(OpenQuiz("single", "", ("A", "B", "C", "D"), (0,)))
    await expect(console.get_by_test_id("tally-0")).to_be_visible(timeout=40_000)
    for page in (room, console):
        await wait_until(lambda p=page: is_kept(p), 20, "shell and slides are kept")  # type: ignore[misc]

    # ---- the line is gone
    await school.cut()
    cut_at, cut_wall = time.monotonic(), time.time()
    for page, sign in ((room, "room-outage"), (console, "outage")):
        await expect(page.get_by_test_id(sign)).to_be_visible(timeout=40_000)
    await shows_page(room, 2)
    await room.keyboard.press("PageDown")
    await shows_page(room, 3)
    await room.get_by_test_id("offline-count-3").click()
    await take_down(console)
    await console.get_by_test_id("offline-on").click()
    await shows_page(console, 3)
    if outage_s == LONG_S:
        await keep_both(room, console, "outage")

    # Reloaded without a server, both are where they were.
    await asyncio.sleep(1.5)  # The place is written a second after it changed.
    for page, sign in ((room, "room-outage"), (console, "outage")):
        await page.reload()
        await expect(page.get_by_test_id(sign)).to_be_visible(timeout=40_000)
        await shows_page(page, 3)
    assert await room.get_by_test_id("countdown").count() == 1
    await expect(console.get_by_test_id("offline-queue")).to_have_attribute("data-count", "4")
    roll = console.get_by_test_id("class-seats").locator("li button.absent")
    await expect(roll).to_have_count(1)
    since = await room.get_by_test_id("outage-since").inner_text()
    assert time.strftime("%H:%M", time.localtime(cut_wall)) in since

    # Meanwhile the lesson goes on elsewhere; another device tells that one pupil came after all.
    token = server.token("assistant", "", "--sub", "helper-1b", "--room", "room-1")
    other, _ = await Page.enter(server.port, token)
    pupil = PersonId("demo-pupil-1-1")
    assert isinstance(await other.command(MarkAttendance(pupil, "absent")), Ack)
    assert isinstance(await other.command(MarkAttendance(pupil, "in_room", late=True)), Ack)
    await lead.ask(CloseQuiz())
    await asyncio.sleep(max(0.0, outage_s - (time.monotonic() - cut_at)))

    # ---- and back
    await school.mend()
    report = console.get_by_test_id("merge-report")
    await expect(report).to_be_visible(timeout=40_000)
    await expect(report.locator("li[data-outcome=merged]")).to_have_count(4, timeout=40_000)
    await expect(report).to_contain_text("1 名学生之后另有记录")
    await expect(room.get_by_test_id("room-outage")).to_have_count(0, timeout=40_000)
    await shows_page(room, 2)
    if outage_s == LONG_S:
        await keep_both(room, console, "merged")
    for page in (room, console):
        text = await in_caches(page)
        assert "demo-pupil" not in text
        assert "示例学生" not in text
        assert "eyJ" not in text, "a token begins like that"
    await console.get_by_test_id("merge-read").click()
    await console.reload()
    await expect(console.get_by_test_id("class-seats")).to_be_visible(timeout=40_000)
    await expect(report).to_have_count(0)
    counted = await lead.view(
        AttendanceView, lambda v: any(c.room == "room-1" and c.roll_called_at for c in v.classes)
    )
    ours = next(one for one in counted.classes if one.room == "room-1")
    assert (ours.absent, ours.late) == (0, 2)
    quiz = await lead.view(QuizzesView, lambda v: room_s_counts(v) != ())
    assert room_s_counts(quiz) == (20, 10, 5, 3)

    await lead.ask(CloseLesson())
    check_log(await log_of(server), cut_wall, pupil)
    await wait_until(lambda: is_forgotten(room), 10, "the room has forgotten the lesson")


def room_s_counts(view: QuizzesView) -> tuple[int, ...]:
    bars = () if view.current is None else view.current.bars
    return next((one.counts for one in bars if one.room == "room-1"), ())


def check_log(log: list[dict[str, Any]], cut_wall: float, pupil: str) -> None:
    facts = [one["event"] for one in log]
    records = [one for one in facts if one["type"] == "offline_recorded"]
    assert sorted(one["record"]["type"] for one in records) == ["count", "hands", "roll", "tally"]
    assert set(Counter(one["key"] for one in records).values()) == {1}
    assert [one["kept"] for one in records if one["record"]["type"] == "roll"] == [[pupil]]
    for one in records:
        # Taken within the outage, as the server's clock has it, not when it came in.
        assert cut_wall - 1 <= one["taken_at"] <= cut_wall + 60
    taken = Counter(one["type"] for one in facts if one.get("taken_at") is not None)
    assert taken == {
        "offline_recorded": 4,
        "roll_called": 1,
        "attendance_changed": 1,
        "quiz_tallied": 1,
    }
    assert sum(one["type"] == "roll_called" for one in facts) == 1
    assert sum(one["type"] == "quiz_tallied" for one in facts) == 1


async def is_forgotten(page: BrowserPage) -> bool:
    """Neither place nor slides of the lesson are on the device any more."""
    found: bool = await page.evaluate(
        """async () => {
            const slides = await (await caches.open('twinclass-slides')).keys();
            const database = await new Promise((resolve, reject) => {
                const asked = indexedDB.open('twinclass-offline');
                asked.onsuccess = () => resolve(asked.result);
                asked.onerror = () => reject(asked.error);
            });
            const count = await new Promise(resolve => {
                const asked = database.transaction('places').objectStore('places').count();
                asked.onsuccess = () => resolve(asked.result);
            });
            database.close();
            return slides.length === 0 && count === 0;
        }"""
    )
    return found
