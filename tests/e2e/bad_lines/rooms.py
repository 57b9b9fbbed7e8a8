"""A lesson of Twinclass of which one room sits behind a relay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page

from e2e.bad_lines.measure import REMEMBER
from e2e.conftest import Browsers, Server
from hosting.relay import RelayProcess
from light.client import LAYERS, LightClient
from light.clip import DrawnCamera
from light.drawings import teacher
from light.peer import Identity
from light.ports import free_port

#: The lead goes past the relay: his candidates lead to the worker itself.
PAST = """
const original = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (description) {
  const sdp = description.sdp.replaceAll(' %(relay)d typ', ' %(worker)d typ');
  return original.call(this, { type: description.type, sdp });
};
"""


@asynccontextmanager
async def rooms(
    folder: Path, browsers: Browsers, devices: tuple[str, ...], seed: int, count: int = 1
) -> AsyncIterator[tuple[RelayProcess, list[Page]]]:
    """(The relay, without a profile yet; pages of rooms that have not joined.)

    ``devices``: of the lead's browser; without any a light lead with a drawn camera teaches, who
    leaves the processor to the rooms.
    """
    here = f"127.0.0.1:{free_port()}"
    light_lead: LightClient | None = None
    async with RelayProcess.started(
        *("--profile", "city", "--seed", str(seed)),
        *("--listen-udp", here, "--listen-tcp", here, "--to", f"127.0.0.1:{free_port()}"),
    ) as relay:
        server = Server(folder / "data", environment={"TWINCLASS_MEDIA__ANNOUNCE": relay.udp})
        server.media_port = relay.target_port
        server.start()
        try:
            await server.wait_ready()
            links = server.links()
            if devices:
                lead = await browsers.page(links["lead"][0], arguments=devices)
                await lead.add_init_script(
                    PAST % {"relay": relay.udp_port, "worker": relay.target_port}
                )
                await lead.reload()
                await lead.get_by_test_id("join").click(timeout=40_000)
                await lead.wait_for_timeout(6_000)  # Until its encoder is where it wants to be.
            else:
                light_lead = await _light_lead(server)
            found: list[Page] = []
            for link in links["room"][:count]:
                page = await browsers.page(link)
                await page.add_init_script(REMEMBER)
                await page.reload()
                found.append(page)
            yield relay, found
        finally:
            if light_lead is not None:
                await light_lead.leave()
            server.stop()


async def _light_lead(server: Server) -> LightClient:
    camera = DrawnCamera(teacher)
    for layer in LAYERS:
        camera.prepare(layer)
    token = server.links()["lead"][0].partition("token=")[2]
    lead = LightClient(server.base, token, Identity(), drawn=camera)
    # Past the relay, as above.
    lead.media_address = ("127.0.0.1", server.media_port)
    await lead.join()
    return lead


async def join(page: Page) -> None:
    """Sits down in the lesson."""
    await page.get_by_test_id("join").click(timeout=40_000)
