"""Janus VideoRoom with the same camera, of which one subscriber sits behind the same relay.

ICE-lite there as here: all goes through the relay.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from janus_server import ADDRESS, configure
from playwright.async_api import Error, Page

from e2e.bad_lines.measure import REMEMBER
from e2e.conftest import Browsers, require
from hosting.relay import RelayProcess
from light.ports import free_port

ROOM = 1234
#: As Twinclass asks its lead's page for. Janus takes the first for the highest.
ENCODINGS = """[{rid: 'f', maxBitrate: 1500000},
  {rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500000},
  {rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150000}]"""

CLIENT = """<!doctype html><title>janus</title><video id="v" autoplay playsinline></video><script>
window.start = port => new Promise((ready, failed) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, 'janus-protocol');
  const waiting = new Map(), janus = { session: 0, handle: 0, onevent: () => {} };
  let count = 0;
  janus.ask = (body, wantsEvent) => new Promise((done, broken) => {
    const transaction = `t${count += 1}`;
    waiting.set(transaction, { done, broken, wantsEvent });
    const ids = janus.session ? { session_id: janus.session } : {};
    if (janus.handle) ids.handle_id = janus.handle;
    socket.send(JSON.stringify({ ...body, ...ids, transaction }));
  });
  janus.tell = (body, jsep) =>
    janus.ask({ janus: 'message', body, ...(jsep ? { jsep } : {}) }, true);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data), one = waiting.get(message.transaction);
    if (!one) return;
    if (message.janus === 'error') {
      waiting.delete(message.transaction);
      one.broken(new Error(data));
      return;
    }
    if (message.janus === 'ack' && one.wantsEvent) return;
    waiting.delete(message.transaction);
    one.done(message);
  };
  socket.onerror = failed;
  socket.onopen = async () => {
    janus.session = (await janus.ask({ janus: 'create' })).data.id;
    const attached = await janus.ask({ janus: 'attach', plugin: 'janus.plugin.videoroom' });
    janus.handle = attached.data.id;
    setInterval(() => socket.send(JSON.stringify(
      { janus: 'keepalive', session_id: janus.session, transaction: 'k' })), 20000);
    window.janus = janus;
    ready(true);
  };
});
window.publish = async room => {
  await janus.tell({ request: 'create', room, publishers: 3, videocodec: 'h264,vp8', fir_freq: 0 });
  const joined = await janus.tell({ request: 'join', ptype: 'publisher', room });
  const media = await navigator.mediaDevices.getUserMedia(
    { audio: true, video: { width: 1280, height: 720, frameRate: 30 } });
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  pc.addTrack(media.getAudioTracks()[0], media);
  const video = pc.addTransceiver(media.getVideoTracks()[0],
    { direction: 'sendonly', sendEncodings: %(encodings)s });
  const codecs = RTCRtpReceiver.getCapabilities('video').codecs;
  const wanted = codecs.filter(c => c.mimeType === 'video/H264' && c.sdpFmtpLine.includes('42e01f')
    && c.sdpFmtpLine.includes('packetization-mode=1'));
  const repairs = codecs.filter(c => c.mimeType === 'video/rtx');
  if (wanted.length) video.setCodecPreferences([...wanted, ...repairs]);
  await pc.setLocalDescription();
  const offer = { type: 'offer', sdp: pc.localDescription.sdp };
  const answer = await janus.tell({ request: 'publish' }, offer);
  await pc.setRemoteDescription(answer.jsep);
  return joined.plugindata.data.id;
};
window.subscribe = async (room, feed) => {
  const attached = await janus.tell(
    { request: 'join', ptype: 'subscriber', room, streams: [{ feed }] });
  window.offer = attached.jsep;
  return attached.jsep.sdp;
};
window.answer = async sdp => {
  const pc = new RTCPeerConnection();
  const stream = new MediaStream();
  pc.ontrack = ({ track }) => {
    stream.addTrack(track);
    document.getElementById('v').srcObject = stream;
  };
  await pc.setRemoteDescription({ type: 'offer', sdp });
  await pc.setLocalDescription();
  // A lite agent waits for our checks; what it knows of us it must not use past the relay.
  const own = pc.localDescription.sdp.replace(/a=candidate:.*\\r\\n/g, '');
  await janus.tell({ request: 'start' }, { type: 'answer', sdp: own });
};
</script>""" % {"encodings": ENCODINGS}  # noqa: UP031 - braces are JavaScript's here


class _Client(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = CLIENT.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def client() -> Iterator[int]:
    """Serves the page; a browser lets only a page of this machine speak to Janus. The port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Client)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


async def _page(browsers: Browsers, pages: int, port: int, arguments: tuple[str, ...] = ()) -> Page:
    page = await browsers.page("about:blank", arguments=arguments)
    await page.add_init_script(REMEMBER)
    await page.goto(f"http://127.0.0.1:{pages}/")
    last: Error | None = None
    for _ in range(50):
        try:
            await page.evaluate("port => start(port)", port)
            return page
        except Error as error:  # until it listens
            last = error
            await asyncio.sleep(0.1)
    raise TimeoutError(f"Janus does not answer: {last}")


@asynccontextmanager
async def subscriber(
    folder: Path,
    browsers: Browsers,
    pages: int,
    devices: tuple[str, ...],
    profile: str,
    seed: int,
) -> AsyncIterator[tuple[RelayProcess, Page, str]]:
    """(The relay, whose profile begins now; a page; the offer for it that leads to the relay.)"""
    port = free_port()
    config = folder / "janus"
    configure(config, port, "debug_level = 3")
    janus = subprocess.Popen(
        [shutil.which("janus") or require("janus", "janus"), "-F", str(config)],
        stdout=(folder / "janus.log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        lead = await _page(browsers, pages, port, devices)
        feed = await lead.evaluate("room => publish(room)", ROOM)
        await lead.wait_for_timeout(6_000)
        page = await _page(browsers, pages, port)
        sdp: str = await page.evaluate("([room, feed]) => subscribe(room, feed)", [ROOM, feed])
        target = next(
            x for x in sdp.splitlines() if x.startswith("a=candidate:") and " udp " in x.lower()
        )
        at = target.split()[5]
        here = f"127.0.0.1:{free_port()}"
        async with RelayProcess.started(
            *("--profile", profile, "--seed", str(seed), "--allow-any-address"),
            *("--listen-udp", here, "--listen-tcp", here, "--to", f"{ADDRESS}:{at}"),
        ) as relay:
            yield relay, page, sdp.replace(f"{ADDRESS} {at} typ", f"127.0.0.1 {relay.udp_port} typ")
    finally:
        janus.terminate()
        janus.wait(10)
