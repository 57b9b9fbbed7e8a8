"""Where UDP is blocked: a page of another origin publishes by WHIP and watches by WHEP on TCP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from playwright.async_api import Page

from e2e.conftest import Browsers, Server, browsers, wait_until
from faults.conftest import Start, start
from faults.lesson import Figures

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.timeout(360)]
__all__ = ["browsers", "start"]

#: A page as somebody else would write it. UDP candidates are turned to a socket that is silent,
#: as behind a firewall that drops: the browser tries them first and must find TCP by itself.
PAGE = """<!doctype html><title>elsewhere</title><video autoplay muted></video><script>
async function post(base, path, token, connection, deadPort) {
  await connection.setLocalDescription()
  const answer = await fetch(base + path, {
    method: 'POST', body: connection.localDescription.sdp,
    headers: {Authorization: 'Bearer ' + token, 'Content-Type': 'application/sdp'},
  })
  if (answer.status !== 201) throw new Error(await answer.text())
  if (!answer.headers.get('Location')) throw new Error('Location is not shown to us')
  const sdp = (await answer.text()).replace(
    /^(a=candidate:\\S+ 1 udp \\d+ \\S+) \\d+/gim, '$1 ' + deadPort)
  await connection.setRemoteDescription({type: 'answer', sdp})
  return base + answer.headers.get('Location')
}
async function publish(base, token, deadPort) {
  window.up = new RTCPeerConnection()
  const media = await navigator.mediaDevices.getUserMedia({video: true, audio: true})
  for (const track of media.getTracks()) up.addTransceiver(track, {direction: 'sendonly'})
  return post(base, '/whip/demo', token, up, deadPort)
}
async function watch(base, token, deadPort) {
  window.down = new RTCPeerConnection()
  const stream = new MediaStream()
  down.ontrack = event => {
    stream.addTrack(event.track)
    document.querySelector('video').srcObject = stream
  }
  for (const kind of ['audio', 'video']) down.addTransceiver(kind, {direction: 'recvonly'})
  return post(base, '/whep/demo', token, down, deadPort)
}
async function look(connection) {
  const seen = {state: connection.connectionState, inbound: [], outbound: [], protocol: ''}
  const all = await connection.getStats()
  all.forEach(s => {
    if (s.type === 'inbound-rtp') seen.inbound.push(s)
    if (s.type === 'outbound-rtp') seen.outbound.push(s)
    if (s.type === 'transport' && s.selectedCandidatePairId) {
      const pair = all.get(s.selectedCandidatePairId)
      seen.protocol = all.get(pair.remoteCandidateId).protocol
    }
  })
  return seen
}
</script>"""


@pytest.fixture
async def elsewhere() -> AsyncIterator[str]:
    """Another origin that serves the page."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = PAGE.encode()
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode())
        writer.write(body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.fixture
def dead_port() -> Iterator[int]:
    """Where nothing ever answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield int(silent.getsockname()[1])


async def look(page: Page, connection: str) -> dict[str, Any]:
    seen: dict[str, Any] = await page.evaluate(f"look(window.{connection})")
    return seen


async def decoded(page: Page) -> int:
    return sum(s.get("framesDecoded") or 0 for s in (await look(page, "down"))["inbound"])


async def test_chromium_publishes_and_watches_on_tcp_where_udp_is_blocked(
    start: Start, browsers: Browsers, elsewhere: str, dead_port: int, figures: Figures
) -> None:
    server: Server = await start({})
    page = await browsers.page(elsewhere)
    lead, observer = server.token("lead", "x"), server.token("observer", "x")
    await page.evaluate("([b, t, d]) => publish(b, t, d)", [server.base, lead, dead_port])
    begun = asyncio.get_running_loop().time()
    location = await page.evaluate(
        "([b, t, d]) => watch(b, t, d)", [server.base, observer, dead_port]
    )

    async def plays() -> bool:
        return await decoded(page) > 0

    await wait_until(plays, 15, "the first frame over TCP")
    first_s = asyncio.get_running_loop().time() - begun
    await asyncio.sleep(2.0)
    before = await decoded(page)
    await asyncio.sleep(2.0)
    up, down = await look(page, "up"), await look(page, "down")
    assert (up["protocol"], down["protocol"]) == ("tcp", "tcp")
    assert await decoded(page) - before >= 10
    assert {s["kind"] for s in down["inbound"] if s["packetsReceived"] > 50} == {"audio", "video"}
    lost = sum(s["packetsLost"] for s in down["inbound"])
    what = "WHIP and WHEP in Chromium of another origin, TCP only"
    figures.add(what, "first frame after, s", f"{first_s:.2f}")
    figures.add(what, "packets lost", str(lost), "0")
    assert lost == 0
    gone = await page.evaluate(
        """async ([location, token]) => (await fetch(location, {
            method: 'DELETE', headers: {Authorization: 'Bearer ' + token}})).status""",
        [location, observer],
    )
    assert gone == 200
