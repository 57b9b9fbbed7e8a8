"""A room joins and sees the lead through a network that loses packets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import Browsers, Server, frames, wait_until
from hosting.relay import RelayProcess
from light.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.full, pytest.mark.timeout(360)]


@pytest.fixture
async def relay() -> AsyncIterator[RelayProcess]:
    port = free_port()
    async with RelayProcess.started(
        *("--profile", "loss-5", "--seed", "6"),
        *("--listen-udp", f"127.0.0.1:{port}", "--listen-tcp", f"127.0.0.1:{port}"),
        *("--to", f"127.0.0.1:{free_port()}"),
    ) as relay:
        yield relay


@pytest.fixture
async def behind(tmp_path: Path, relay: RelayProcess) -> AsyncIterator[Server]:
    """A server whose media is announced as the relay's."""
    server = Server(tmp_path / "data", environment={"TWINCLASS_MEDIA__ANNOUNCE": relay.udp})
    server.media_port = relay.target_port
    server.start()
    await server.wait_ready()
    yield server
    server.stop()


async def test_a_room_decodes_frames_through_five_percent_loss(
    behind: Server, relay: RelayProcess, browsers: Browsers
) -> None:
    links = behind.links()
    lead = await browsers.page(links["lead"][0])
    room = await browsers.page(links["room"][0])
    for page in (lead, room):
        await page.get_by_test_id("join").click(timeout=40_000)

    async def sees() -> bool:
        first = await frames(room)
        await asyncio.sleep(1.0)
        return (await frames(room)) - first >= 10

    await wait_until(sees, 30, "ten frames a second in the room")
    remote: list[dict[str, Any]] = await room.evaluate(
        """async () => (await window.__twinclass.stats()).downlink
            .filter(s => s.type === 'remote-candidate')"""
    )
    ports = {candidate["port"] for candidate in remote}
    assert ports == {relay.udp_port}, "nobody goes past the relay"

    async def down() -> dict[str, Any] | None:
        """What went to the pages, once it is enough to tell a share."""
        stats = (await relay.ask(stats=True))["stats"]
        assert stats["udp_clients"] >= 2
        found: dict[str, Any] = stats["links"]["down"]
        return found if found["sent"] >= 2000 else None

    found = await wait_until(down, 60, "2,000 packets to the pages")
    assert found is not None
    # Four standard deviations of 2,000 draws are 2 %.
    assert 0.03 < found["dropped"]["loss"] / found["sent"] < 0.07
