"""Paths of a device elsewhere: two interfaces, IPv6 alone, a network that lets only TLS pass."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

import pytest
from playwright.async_api import Page

from conftest import FigureTable
from e2e.conftest import CHROMIUM, TWINCLASS, Browsers, wait_until
from e2e.lines import longest_gap, path_of, wait_moving, watch_line
from hosting.coturn import Certificate, coturn
from hosting.elsewhere import device
from hosting.patience import PATIENCE
from hosting.process import ServerProcess, environment, server_process
from light.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.full, pytest.mark.timeout(420)]

PORT = free_port(4)
RELAY_PORT = free_port()
WHAT = "paths of a device elsewhere, Chromium"
#: The certificates are our own.
TRUSTING = "--ignore-certificate-errors"


async def open_link(browsers: Browsers, site: str, who: str, **options: object) -> Page:
    portal = await browsers.page(site, **options)  # type: ignore[arg-type]
    async with portal.context.expect_page() as opened:
        await portal.get_by_test_id(f"link-{who}").get_by_role("link").click()
    page = await opened.value
    await page.get_by_test_id("join").click(timeout=40_000)
    return page


async def lead_here(browsers: Browsers) -> Page:
    return await open_link(
        browsers, f"https://127.0.0.1:{PORT}/", "demo-lead", arguments=(TRUSTING,)
    )


async def wait_path(page: Page, direction: str) -> dict[str, object]:
    async def found() -> dict[str, object] | None:
        return await path_of(page, direction)

    path = await wait_until(found, 15, f"a path for the {direction}")
    assert path is not None
    return path


def lan_server(data: Path, extra: dict[str, str] | None = None):  # noqa: ANN201 - a context
    return server_process(data, PORT, extra, "--lan", "--demo", scheme="https")


@pytest.mark.parametrize("signalling", ["first", "second"])
async def test_a_room_with_two_interfaces_goes_on_when_the_first_one_dies(
    browsers: Browsers, tmp_path: Path, signalling: str, figures: FigureTable
) -> None:
    """Fibre and 5G: the provider of the first dies, its interface stays up.

    When signalling was on it too nobody can be asked for an ICE restart: the page makes it alone.
    """
    data = tmp_path / "data"
    data.mkdir()
    with device(tmp_path, CHROMIUM, 2) as room_pc:
        first, second = room_pc.lines
        site = first if signalling == "first" else second
        announced = ",".join(f"{line.server}:{PORT + 2}" for line in (first, second))
        announced += f",127.0.0.1:{PORT + 2}"
        extra = {"TWINCLASS_MEDIA__ANNOUNCE": announced}
        async with lan_server(data, extra):
            await lead_here(browsers)
            room = await open_link(
                *(browsers, f"https://{site.server}:{PORT}/", "room-1"),
                arguments=(TRUSTING,),
                executable=room_pc.chromium,
            )
            await wait_moving(room, "the lead in the room")
            path = await wait_path(room, "downlink")
            assert path["own"] == first.device
            dying, living = first, second
            await watch_line(room)
            await asyncio.sleep(3.0)
            since = time.time()
            dying.cut()
            try:

                async def is_back() -> bool:
                    _, until = await longest_gap(room, since, frames=True)
                    now = await path_of(room)
                    return until > since and now is not None and now["own"] == living.device

                await wait_until(is_back, 15, "the lead by the second interface")
                await wait_moving(room, "the lead goes on")
                gap, _ = await longest_gap(room, since)
                shown, _ = await longest_gap(room, since, frames=True)
                case = f"first interface dies, signalling by the {signalling}"
                figures.add(WHAT, f"{case}: without packets, s", f"{gap:.2f}")
                figures.add(WHAT, f"{case}: without frames, s", f"{shown:.2f}", "3")
                assert shown <= 3.0 * PATIENCE
            finally:
                dying.cut(dead=False)


async def test_a_device_with_ipv6_alone_sends_and_receives(
    browsers: Browsers, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with device(tmp_path, CHROMIUM, 0) as pc:
        async with lan_server(data):
            lead = await lead_here(browsers)
            room = await open_link(
                *(browsers, f"https://[{pc.server_v6}]:{PORT}/", "room-1"),
                arguments=(TRUSTING,),
                executable=pc.chromium,
            )
            await wait_moving(room, "the lead in the room")
            for direction in ("uplink", "downlink"):
                path = await wait_path(room, direction)
                assert (path["server"], path["own"]) == (pc.server_v6, pc.device_v6)
                assert path["protocol"] == "udp"
                # What the server told of our address (XOR-MAPPED-ADDRESS) is our own: no
                # candidate was learned from it.
                assert path["kind"] == "host"
            await wait_moving(lead, "the room on the lead's wall")


def write_configuration(server: ServerProcess, extra: dict[str, str], output: Path) -> None:
    """As an operator does."""
    subprocess.run(
        [TWINCLASS, "turn-config", "--data", str(server.folder.path), "--output", str(output)],
        check=True,
        env=environment(extra),
    )


async def test_a_school_that_lets_only_tls_pass_is_in_by_the_relay(
    browsers: Browsers, tmp_path: Path, figures: FigureTable
) -> None:
    """Media is at an address that the device cannot reach; the relay can."""
    data = tmp_path / "data"
    data.mkdir()
    with device(tmp_path, CHROMIUM, 1) as pc:
        line = pc.lines[0]
        certificate = Certificate.made(tmp_path / "tls", line.server)
        extra = {
            "TWINCLASS_MEDIA__ANNOUNCE": f"127.0.0.1:{PORT + 2}",
            "TWINCLASS_TURN__URLS": f"turns:{line.server}:{RELAY_PORT}?transport=tcp",
            "TWINCLASS_TURN__LISTEN": line.server,
            "TWINCLASS_TURN__RELAY_HOST": "127.0.0.1",
            "TWINCLASS_TURN__TLS_CERT": str(certificate.certificate),
            "TWINCLASS_TURN__TLS_KEY": str(certificate.key),
        }
        async with lan_server(data, extra) as server:
            file = tmp_path / "turnserver.conf"
            write_configuration(server, extra, file)
            async with coturn(tmp_path, file, line.server, RELAY_PORT):
                lead = await lead_here(browsers)
                room = await open_link(
                    *(browsers, f"https://{line.server}:{PORT}/", "room-1"),
                    arguments=(TRUSTING, f"{TRUSTING}-spki-list={certificate.spki}"),
                    executable=pc.chromium,
                )
                began = time.time()
                for direction in ("downlink", "uplink"):
                    path = await wait_path(room, direction)
                    assert (path["kind"], path["relay"]) == ("relay", "tls")
                    by_relay_s = time.time() - began
                    name = f"only TLS passes: {direction} by the relay after the click, s"
                    figures.add(WHAT, name, f"{by_relay_s:.2f}", "5")
                await wait_moving(room, "the lead in the room")
                await wait_moving(lead, "the room on the lead's wall")
                await room.locator('[data-testid="room-screen"], main.room').first.wait_for()
                here = await path_of(lead)
                assert here is not None
                assert here["kind"] == "host"
                found = await server.metrics()
                assert 'twinclass_media_routes{direction="downlink",route="relay"} 1.0' in found
