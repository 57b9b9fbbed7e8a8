"""Lines that die: media finds another path, the session comes back, nobody presses anything.

All of it through the test network with Chromium.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Page

from conftest import FigureTable
from e2e.conftest import Browsers, Server, wait_until
from e2e.lines import longest_gap, path_of, wait_moving, watch_line
from hosting.patience import PATIENCE
from hosting.relay import RelayProcess
from light.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.full, pytest.mark.timeout(360)]

#: Design: media is back so long after its path, at a round trip of up to 50 ms.
BACK_S = 3.0
WHAT = "paths, Chromium"


@dataclass
class Lines:
    """A server whose media is reached by several relays, and its signalling by one more."""

    server: Server
    media: list[RelayProcess]
    signal: RelayProcess
    pages: list[Page] = field(default_factory=list[Page])

    def link(self, role: str, index: int = 0) -> str:
        """A link that goes through the signalling's relay."""
        return self.server.links()[role][index].replace(
            f":{self.server.port}/", f":{self.signal.tcp_port}/"
        )

    async def join(self, browsers: Browsers, *roles: str) -> list[Page]:
        for role in roles:
            page = await browsers.page(self.link(role))
            await page.get_by_test_id("join").click(timeout=40_000)
            self.pages.append(page)
        return self.pages

    def metric(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)} ([\d.e+]+)$", self.server.metrics(), re.MULTILINE)
        return float(found[1]) if found else 0.0


@pytest.fixture
async def lines(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Lines]:
    """``request.param``: the profile of each relay for media."""
    profiles: tuple[str, ...] = getattr(request, "param", ("city",))
    server = Server(tmp_path / "data")
    async with AsyncExitStack() as stack:

        async def relay(profile: str, port: int, *kinds: str) -> RelayProcess:
            here = f"127.0.0.1:{free_port()}"
            listen = [part for kind in kinds for part in (f"--listen-{kind}", here)]
            return await stack.enter_async_context(
                RelayProcess.started(
                    *("--profile", profile, "--seed", "7"), *listen, "--to", f"127.0.0.1:{port}"
                )
            )

        media = [await relay(profile, server.media_port, "udp", "tcp") for profile in profiles]
        signal = await relay("city", server.port, "tcp")
        server.environment["TWINCLASS_MEDIA__ANNOUNCE"] = ",".join(one.udp for one in media)
        server.start()
        stack.callback(server.stop)
        await server.wait_ready()
        yield Lines(server, media, signal)


async def wait_back(page: Page, since: float, what: str) -> None:
    """Until a pause has ended that began before, and media moves."""

    async def is_back() -> bool:
        _, until = await longest_gap(page, since, frames=True)
        return until > since

    await wait_until(is_back, 10, what)
    await wait_moving(page, what)


@pytest.mark.parametrize("lines", [("city", "city")], indirect=True)
async def test_media_goes_on_by_the_second_path_when_the_first_one_dies(
    lines: Lines, browsers: Browsers, figures: FigureTable
) -> None:
    """Both ways: the lead's uplink and the room's downlink were on the path that dies."""
    lead, room = await lines.join(browsers, "lead", "room")
    await wait_moving(room, "the lead in the room")
    used = await path_of(room)
    assert used is not None
    assert used["protocol"] == "udp"
    first = next(one for one in lines.media if one.udp_port == used["port"])
    for page in (lead, room):
        await watch_line(page)
    await asyncio.sleep(2.0)

    since = time.time()
    await first.ask(blackhole=True)
    await wait_back(room, since, "the lead in the room again")
    await wait_back(lead, since, "the room on the lead's wall again")

    for page, name in ((room, "room"), (lead, "lead")):
        gap, _ = await longest_gap(page, since)
        shown, _ = await longest_gap(page, since, frames=True)
        figures.add(WHAT, f"server's first path dies: {name} without packets, s", f"{gap:.2f}")
        figures.add(WHAT, "the same: without frames, s", f"{shown:.2f}", "3")
        assert shown <= BACK_S * PATIENCE
        path = await path_of(page)
        assert path is not None
        assert path["port"] != first.udp_port
    assert lines.metric('twinclass_media_lines_total{state="alone"}') >= 2
    assert lines.metric('twinclass_ice_restarts_total{direction="downlink",reason="fresh"}') == 0
    assert await room.evaluate("window.__twinclass.state") == "live"


@pytest.mark.full
async def test_everything_is_back_after_a_cut_of_fifteen_seconds(
    lines: Lines, browsers: Browsers, figures: FigureTable
) -> None:
    lead, home = await lines.join(browsers, "lead", "home_learner")
    await wait_moving(home, "the lead at home")
    await home.get_by_test_id("hand").click()

    async def hands() -> int:
        return int(await lead.evaluate("window.__twinclass.tools.hands.hands.length"))

    await wait_until(hands, 10, "the hand on the lead's screen")
    await watch_line(home)
    await asyncio.sleep(2.0)
    for relay in (*lines.media, lines.signal):
        await relay.ask(blackhole=True)
    await asyncio.sleep(15.0)
    since = time.time()
    for relay in (*lines.media, lines.signal):
        await relay.ask(blackhole=False)

    async def is_live() -> bool:
        return bool(await home.evaluate("window.__twinclass.state === 'live'"))

    await wait_until(is_live, 10, "the session")
    live_s = time.time() - since
    await wait_back(home, since, "the lead at home again")
    _, packets_at = await longest_gap(home, since)
    _, frames_at = await longest_gap(home, since, frames=True)
    figures.add(WHAT, "cut of 15 s: session back after the path, s", f"{live_s:.2f}", "3")
    figures.add(WHAT, "cut of 15 s: packets after the path, s", f"{packets_at - since:.2f}")
    figures.add(WHAT, "cut of 15 s: frames after the path, s", f"{frames_at - since:.2f}", "3")
    assert frames_at - since <= BACK_S * PATIENCE
    assert live_s <= BACK_S * PATIENCE
    await wait_until(hands, 10, "the hand is still up")
    assert await home.evaluate("performance.getEntriesByType('navigation')[0].type") == "navigate"


@pytest.mark.full
async def test_media_follows_a_device_whose_address_changes(
    lines: Lines, browsers: Browsers, figures: FigureTable
) -> None:
    """As a NAT that was restarted: UDP goes on from another address, TCP connections end."""
    _, room = await lines.join(browsers, "lead", "room")
    await wait_moving(room, "the lead in the room")
    await watch_line(room)
    await asyncio.sleep(2.0)
    since = time.time()
    lines.media[0].rebind()
    lines.signal.rebind()
    await asyncio.sleep(4.0)
    await wait_moving(room, "the lead again")
    shown, _ = await longest_gap(room, since, frames=True)
    figures.add(WHAT, "the device's address changes: without frames, s", f"{shown:.2f}", "3")
    assert shown <= BACK_S * PATIENCE


@pytest.mark.parametrize("lines", [("udp-blocked",)], indirect=True)
@pytest.mark.full
async def test_both_directions_go_over_tcp_where_udp_is_blocked(
    lines: Lines, browsers: Browsers, figures: FigureTable
) -> None:
    began = time.time()
    lead, room = await lines.join(browsers, "lead", "room")
    for page in (lead, room):
        for direction in ("uplink", "downlink"):

            async def is_tcp(page: Page = page, direction: str = direction) -> bool:
                path = await path_of(page, direction)
                return path is not None and path["protocol"] == "tcp"

            await wait_until(is_tcp, 10, f"{direction} over TCP")
    # From before the first page is opened: two browsers start within it.
    all_s = time.time() - began
    figures.add(WHAT, "UDP blocked: two browsers started, all four ways by TCP, s", f"{all_s:.1f}")
    await wait_moving(room, "the lead in the room")
    await wait_moving(lead, "the room on the wall")
    await lead.locator('[data-testid="quality"][data-route="tcp"]').wait_for(timeout=40_000)

    async def is_counted() -> bool:
        return lines.metric('twinclass_media_routes{direction="downlink",route="tcp"}') == 2

    await wait_until(is_counted, 10, "the operator's figure")
