"""Chromium joins and sees the lead through networks that lose, block and change addresses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from e2e.conftest import Browsers, Server, frames, wait_until
from hosting.relay import RelayProcess
from light.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.full, pytest.mark.timeout(360)]


@pytest.fixture
async def relay(request: pytest.FixtureRequest) -> AsyncIterator[RelayProcess]:
    """A relay with the profile of the test, on the port that the server will announce."""
    here = f"127.0.0.1:{free_port()}"
    async with RelayProcess.started(
        *("--profile", request.param, "--seed", "6"),
        *("--listen-udp", here, "--listen-tcp", here, "--to", f"127.0.0.1:{free_port()}"),
    ) as relay:
        yield relay


@pytest.fixture
async def server(tmp_path: Path, relay: RelayProcess) -> AsyncIterator[Server]:
    """Its media is the relay's."""
    server = Server(tmp_path / "data", environment={"TWINCLASS_MEDIA__ANNOUNCE": relay.udp})
    server.media_port = relay.target_port
    server.start()
    try:
        await server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture
async def pages(server: Server, browsers: Browsers) -> tuple[Page, Page]:
    """A lead and a room that have pressed join."""
    links = server.links()
    lead = await browsers.page(links["lead"][0])
    room = await browsers.page(links["room"][0])
    for page in (lead, room):
        await page.get_by_test_id("join").click(timeout=40_000)
    return lead, room


async def wait_picture(page: Page, what: str) -> None:
    async def sees() -> bool:
        first = await frames(page)
        await asyncio.sleep(1.0)
        return (await frames(page)) - first >= 10

    await wait_until(sees, 30, what)


async def ports_of_candidates(page: Page) -> set[int]:
    """Where the page was told that the server is."""
    found: list[dict[str, Any]] = await page.evaluate(
        """async () => (await window.__twinclass.stats()).downlink
            .filter(s => s.type === 'remote-candidate')"""
    )
    return {candidate["port"] for candidate in found}


async def statistics_of(relay: RelayProcess) -> dict[str, Any]:
    found: dict[str, Any] = (await relay.ask(stats=True))["stats"]
    return found


def alone_of(metrics: str) -> float:
    """How many pages restarted ICE alone."""
    name = 'twinclass_media_lines_total{state="alone"} '
    found = (float(one.removeprefix(name)) for one in metrics.splitlines() if one.startswith(name))
    return next(found, 0.0)


@pytest.mark.parametrize("relay", ["loss-5"], indirect=True)
async def test_a_room_decodes_frames_through_five_percent_loss(
    relay: RelayProcess, pages: tuple[Page, Page]
) -> None:
    _, room = pages
    await wait_picture(room, "ten frames a second in the room")
    assert await ports_of_candidates(room) == {relay.udp_port}, "nobody goes past the relay"

    async def down() -> dict[str, Any] | None:
        """What went to the pages, once it is enough to tell a share."""
        stats = await statistics_of(relay)
        assert stats["udp_clients"] >= 2
        found: dict[str, Any] = stats["links"]["down"]
        return found if found["sent"] >= 2000 else None

    found = await wait_until(down, 60, "2,000 packets to the pages")
    assert found is not None
    # Four standard deviations of 2,000 draws are 2 %.
    assert 0.03 < found["dropped"]["loss"] / found["sent"] < 0.07


@pytest.mark.parametrize("relay", ["udp-blocked"], indirect=True)
async def test_a_room_sees_the_lead_where_udp_is_blocked(
    relay: RelayProcess, pages: tuple[Page, Page]
) -> None:
    _, room = pages
    await wait_picture(room, "frames over TCP")
    stats = await statistics_of(relay)
    assert stats["drops"]["udp_blocked"] > 0
    assert stats["udp_clients"] == 0
    assert stats["tcp_connections"] >= 2


@pytest.mark.parametrize("relay", ["city"], indirect=True)
async def test_frames_go_on_after_the_address_of_everybody_has_changed(
    server: Server, relay: RelayProcess, pages: tuple[Page, Page]
) -> None:
    _, room = pages
    await wait_picture(room, "the lead")
    before = await statistics_of(relay)
    relay.rebind()

    async def is_done() -> bool:
        return bool((await statistics_of(relay))["rebindings"] == 1)

    await wait_until(is_done, what="the rebinding")
    await wait_picture(room, "the lead again")
    after = await statistics_of(relay)
    # One that was silent for long enough meanwhile restarts ICE by itself, from new sockets.
    if alone_of(server.metrics()) == 0:
        assert after["udp_clients"] == before["udp_clients"], "the pages have kept their sockets"
