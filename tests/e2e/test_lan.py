"""``./run --lan``: a browser elsewhere in the school's network sends its camera.

"Elsewhere" is a network namespace of its own behind a pair of virtual interfaces: nothing of
the server's loopback is there, and no route but the one to the server's address.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from e2e.conftest import CHROMIUM, Browsers, frames, require, wait_until
from e2e.marks import device_arguments, sees, slot
from hosting.process import server_process
from light.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(360)]

FIRST_PORT = free_port(4)
#: The certificate is our own: a person clicks the warning away once, a test cannot.
TRUSTING = "--ignore-certificate-errors"


@dataclass(frozen=True)
class Elsewhere:
    """A namespace, the server's address as seen from it, its own, and a browser that runs in it."""

    server: str
    address: str
    chromium: Path


def ip(*arguments: str) -> None:
    done = subprocess.run([require("ip", "iproute2"), *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.fail(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    if os.geteuid() != 0:
        pytest.fail("this test makes a network namespace and needs root: sudo ./test")
    number = os.getpid()
    name, here, there = f"twinclass-{number}", f"tch{number}", f"tct{number}"
    # A /30 of its own, so that two runs on one machine do not meet.
    base = number % 60 * 4
    ours, theirs = f"10.231.0.{base + 1}", f"10.231.0.{base + 2}"
    script = tmp_path / "chromium-elsewhere"
    script.write_text(f'#!/bin/sh\nexec ip netns exec {name} {CHROMIUM} "$@"\n')
    script.chmod(0o755)
    try:
        ip("netns", "add", name)
        ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        ip("address", "add", f"{ours}/30", "dev", here)
        ip("link", "set", here, "up")
        ip("-n", name, "address", "add", f"{theirs}/30", "dev", there)
        ip("-n", name, "link", "set", there, "up")
        ip("-n", name, "link", "set", "lo", "up")
        yield Elsewhere(ours, theirs, script)
    finally:
        # Quiet: after a failure half of it may not be there. The pair goes with either end.
        for arguments in (("link", "delete", here), ("netns", "delete", name)):
            subprocess.run(["ip", *arguments], capture_output=True, check=False)


async def open_link(portal: Page, participant: str) -> Page:
    """Clicks a link of the portal, as somebody who typed the server's address does."""
    async with portal.context.expect_page() as opened:
        await portal.get_by_test_id(f"link-{participant}").get_by_role("link").click()
    page = await opened.value
    await page.get_by_test_id("join").click(timeout=40_000)
    return page


async def selected_pair(page: Page) -> dict[str, Any] | None:
    """Both ends of the path that the uplink uses."""
    pair: dict[str, Any] | None = await page.evaluate(
        """async () => {
            const all = (await window.__twinclass.stats()).uplink;
            const by = id => all.find(entry => entry.id === id);
            const transport = all.find(entry => entry.type === 'transport');
            const pair = transport && by(transport.selectedCandidatePairId);
            if (!pair) return null;
            const remote = by(pair.remoteCandidateId), local = by(pair.localCandidateId);
            return {server: remote.address, protocol: remote.protocol, own: local.address};
        }"""
    )
    return pair


async def advances(page: Page, use: str) -> bool:
    found = await slot(page, use, "video")
    if found is None or found["participant"] is None:
        return False
    first = await frames(page, found["mid"])
    await asyncio.sleep(1.0)  # The wall has as little as 1 to 5 frames a second.
    return await frames(page, found["mid"]) >= first + 2


async def is_seen(page: Page, who: str) -> bool:
    return await sees(page, "lead") == who


@pytest.mark.full
async def test_a_lead_elsewhere_in_the_network_sends_a_camera_over_https(
    elsewhere: Elsewhere, browsers: Browsers, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    async with server_process(data, FIRST_PORT, None, "--lan", "--demo", scheme="https") as server:
        site = f"https://{elsewhere.server}:{FIRST_PORT}/"
        assert site in server.log_text(), "the printed links name this network's address"

        portal = await browsers.page(
            site,
            arguments=(TRUSTING, *device_arguments(tmp_path, "demo-lead")),
            executable=elsewhere.chromium,
        )
        lead = await open_link(portal, "demo-lead")
        assert await lead.evaluate("isSecureContext && location.protocol") == "https:"

        here = await browsers.page(f"https://127.0.0.1:{FIRST_PORT}/", arguments=(TRUSTING,))
        room = await open_link(here, "room-1")

        await wait_until(partial(advances, room, "lead"), 20, "the room sees the lead move")
        await wait_until(partial(is_seen, room, "demo-lead"), 10, "it is the lead's picture")
        pair = await selected_pair(lead)
        assert pair == {"server": elsewhere.server, "protocol": "udp", "own": elsewhere.address}
        # And back: a room's picture crosses the same path to the lead's wall.
        await wait_until(partial(advances, lead, "wall"), 20, "the lead sees the room move")
