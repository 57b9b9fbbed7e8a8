"""A whole light participant: WebSocket signalling and two light transports, no codecs.

It plays a lead, a room or a home learner by the protocol alone, obeys the server's wishes about
what to send, and notes when what came first.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import struct
import time
from collections import Counter
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from light.clip import FPS, ClipSource, DrawnCamera
from light.peer import Identity, LightPeer, Received
from light.source import AudioSource, VideoSource

LAYERS = ("q", "h", "f")
KBPS = {"q": 150, "h": 500, "f": 1500}
#: What a camera that sees a quiet classroom sends as the wall's picture.
WALL_KBPS, WALL_FPS = 60, 5
MID_ID, RID_ID, LEVEL_ID, TCC_ID = 4, 10, 1, 3


def _extensions(*elements: tuple[int, bytes]) -> bytes:
    data = b"".join(bytes((i << 4 | len(v) - 1,)) + v for i, v in elements)
    data += b"\0" * (-len(data) % 4)
    return struct.pack("!HH", 0xBEDE, len(data) // 4) + data


def publish_offer(peer: LightPeer, *, video: bool, simulcast: bool) -> tuple[str, list[Any]]:
    """Returns (SDP as a browser would offer it, tracks)."""
    mids = ["0", "1"] if video else ["1"]
    lines = [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(mids),
        "a=extmap-allow-mixed",
    ]
    transport = [
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=ice-ufrag:{peer.ufrag}",
        f"a=ice-pwd:{peer.password}",
        f"a=fingerprint:sha-256 {peer.identity.fingerprint}",
        "a=setup:actpass",
        "a=rtcp-mux",
        "a=sendonly",
    ]
    tracks = []
    if video:
        lines += [
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
            *transport,
            "a=mid:0",
            "a=msid:light camera",
            "a=rtpmap:96 VP8/90000",
            "a=rtcp-fb:96 goog-remb",
            "a=rtcp-fb:96 nack",
            "a=rtcp-fb:96 nack pli",
            "a=rtpmap:97 rtx/90000",
            "a=fmtp:97 apt=96",
            f"a=extmap:{MID_ID} urn:ietf:params:rtp-hdrext:sdes:mid",
            f"a=extmap:{RID_ID} urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
        ]
        if simulcast:
            lines += [f"a=rid:{rid} send" for rid in LAYERS]
            lines.append("a=simulcast:send " + ";".join(LAYERS))
        tracks.append({"mid": "0", "source": "camera"})
    lines += [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        *transport,
        "a=mid:1",
        "a=msid:light microphone",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        f"a=extmap:{MID_ID} urn:ietf:params:rtp-hdrext:sdes:mid",
        f"a=extmap:{LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    ]
    tracks.append({"mid": "1", "source": "microphone"})
    return "\r\n".join(lines) + "\r\n", tracks


def subscribe_answer(offer: str, peer: LightPeer) -> str:
    """Answers a pool offer, taking everything."""
    out = []
    section = False
    for line in offer.splitlines():
        if line.startswith("m="):
            section = True
            out += [
                line,
                "c=IN IP4 0.0.0.0",
                f"a=ice-ufrag:{peer.ufrag}",
                f"a=ice-pwd:{peer.password}",
                f"a=fingerprint:sha-256 {peer.identity.fingerprint}",
                "a=setup:active",
                "a=rtcp-mux",
                "a=recvonly",
            ]
        elif line.startswith(("a=mid:", "a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "a=extmap:")) or (
            not section and line.startswith(("v=", "o=", "s=", "t=", "a=group:"))
        ):
            out.append(line)
    return "\r\n".join(out) + "\r\n"


def attribute(sdp: str, name: str) -> str:
    """First value of an attribute."""
    start = sdp.index(f"a={name}:") + len(name) + 3
    return sdp[start : sdp.index("\n", start)].strip()


def udp_candidate(sdp: str) -> tuple[str, int]:
    """First IPv4 UDP candidate."""
    for line in sdp.splitlines():
        words = line.split()
        if line.startswith("a=candidate:") and words[2].lower() == "udp" and ":" not in words[4]:
            return words[4], int(words[5])
    raise ValueError("no UDP candidate")


class LightClient:
    """One participant. ``times`` holds seconds since ``join`` was called, by milestone.

    With ``drawn`` its camera sends a picture that decodes, else noise of the right size.
    """

    def __init__(
        self,
        base: str,
        token: str,
        identity: Identity,
        *,
        publishes: bool = True,
        drawn: DrawnCamera | None = None,
    ) -> None:
        self._url = base.replace("http", "ws", 1) + "/signal"
        self._token = token
        self._identity = identity
        self._publishes = publishes
        self._drawn = drawn
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._answer: asyncio.Future[dict[str, Any]] | None = None
        self._ids = 0
        self._acks: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._first_ssrc_of_mid: dict[str, int] = {}
        self.uplink: LightPeer | None = None
        self.downlink: LightPeer | None = None
        self.welcome: dict[str, Any] = {}
        self.slots: list[dict[str, Any]] = []
        self.events: list[tuple[float, dict[str, Any]]] = []
        self.received: Counter[str] = Counter()
        self.bytes_received = 0
        self.times: dict[str, float] = {}
        self.errors: list[dict[str, Any]] = []
        self.wishes: dict[str, dict[str, Any]] = {}
        self.cameras: dict[str, VideoSource | ClipSource] = {}
        self.voice: AudioSource | None = None
        self.joined_at = 0.0
        self.participant = ""
        #: Where media goes instead of where the server says.
        self.media_address: tuple[str, int] | None = None

    # ---- signalling

    async def join(self) -> None:
        """Connects, authenticates, publishes; media follows by itself."""
        self.joined_at = time.monotonic()
        self._socket = await connect(self._url, subprotocols=["twinclass.v1"], max_size=2**20)  # type: ignore[list-item]
        await self.send(
            {
                "type": "authenticate",
                "token": self._token,
                "client": {"video_codecs": ["H264", "VP8"], "user_agent": "light"},
            }
        )
        self.welcome = await self._receive()
        if self.welcome["type"] != "welcome":
            raise RuntimeError(f"not welcome: {self.welcome}")
        self.participant = self.welcome["participant"]
        self._mark("welcome")
        self._tasks.append(asyncio.create_task(self._read()))
        if self._publishes:
            await self._publish()

    async def send(self, message: dict[str, Any]) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps(message))

    async def _receive(self) -> dict[str, Any]:
        assert self._socket is not None
        text = await self._socket.recv()
        self.bytes_received += len(text)
        message: dict[str, Any] = json.loads(text)
        self.received[message["type"]] += 1
        return message

    async def command(self, kind: str, /, **fields: object) -> dict[str, Any]:
        """Sends a command and returns its ack or error."""
        self._ids += 1
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._acks[self._ids] = future
        await self.send({"type": "command", "id": self._ids, "command": {"type": kind, **fields}})
        return await asyncio.wait_for(future, 40)

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            kind = message["type"]
            if kind == "subscribe_offer":
                await self._subscribe(message)
            elif kind == "slots":
                self.slots = message["slots"]
            elif kind == "publish_answer" and self._answer is not None:
                self._answer.set_result(message)
            elif kind == "publish_wishes":
                self.wishes[message["source"]] = message
            elif kind == "event":
                self.events.append((time.monotonic(), message["event"]))
            elif kind in ("ack", "error"):
                if kind == "error":
                    self.errors.append(message)
                future = self._acks.pop(message.get("id") or -1, None)
                if future is not None:
                    future.set_result(message)

    def _mark(self, milestone: str) -> None:
        self.times.setdefault(milestone, time.monotonic() - self.joined_at)

    # ---- media

    async def _publish(self) -> None:
        peer = self.uplink = LightPeer(self._identity)
        sdp, tracks = publish_offer(peer, video=True, simulcast=True)
        self._answer = asyncio.get_running_loop().create_future()
        await self.send({"type": "publish_offer", "n": 1, "sdp": sdp, "tracks": tracks})
        answer = (await asyncio.wait_for(self._answer, 40))["sdp"]
        peer.start(
            self.media_address or udp_candidate(answer),
            attribute(answer, "ice-ufrag"),
            attribute(answer, "ice-pwd"),
        )
        peer.on_keyframe_request = self._keyframe
        await asyncio.wait_for(peer.connected.wait(), 40)
        self._mark("uplink")
        ids = {
            name: _extension_id(answer, uri)
            for name, uri in (
                ("mid", "sdes:mid"),
                ("rid", "rtp-stream-id"),
                ("level", "audio-level"),
            )
        }
        for rid in LAYERS:
            extensions = _extensions((ids["mid"], b"0"), (ids["rid"], rid.encode()))
            self.cameras[rid] = self._camera(peer, rid, extensions)
        self.voice = AudioSource(
            peer, secrets.randbits(31), level_id=ids["level"], extra=_extensions((ids["mid"], b"1"))
        )
        self._tasks.append(asyncio.create_task(self._send_camera()))
        self._tasks.append(asyncio.create_task(self._send_voice()))

    def _camera(self, peer: LightPeer, rid: str, extensions: bytes) -> VideoSource | ClipSource:
        ssrc = secrets.randbits(31)
        if self._drawn is not None:
            return ClipSource(peer, ssrc, 96, self._drawn, rid, extensions=extensions)
        scale = 1 << LAYERS.index(rid)
        return VideoSource(
            peer,
            ssrc,
            96,
            kbps=KBPS[rid],
            width=320 * scale,
            height=180 * scale,
            extensions=extensions,
        )

    def _keyframe(self, ssrc: int) -> None:
        for camera in self.cameras.values():
            if camera.ssrc == ssrc:
                camera.keyframe_wanted = True

    async def _send_camera(self) -> None:
        """Sends the encodings that are wished for, as large as wished."""
        await asyncio.sleep(random.random() / 30)
        due = {rid: time.monotonic() for rid in LAYERS}
        while True:
            now = time.monotonic()
            wake = now + 0.03
            wish = self.wishes.get("camera")
            if wish is not None and wish["open"]:
                for encoding in wish["encodings"]:
                    rid = encoding["rid"]
                    if not encoding["active"] or rid not in due:
                        continue
                    if now < due[rid]:
                        wake = min(wake, due[rid])
                        continue
                    top = 30 if self._drawn is None else FPS
                    fps = min(top, encoding.get("max_framerate") or top)
                    rate = min(KBPS[rid], (encoding.get("max_bitrate") or 10**9) // 1000)
                    camera = self.cameras[rid]
                    camera.fps, camera.bytes_per_frame = fps, rate * 125 // fps
                    for packet in camera.frame():
                        camera.peer.send_rtp(packet)
                    camera.history.clear()
                    due[rid] = max(due[rid] + 1 / fps, now - 0.1)
                    wake = min(wake, due[rid])
            await asyncio.sleep(max(0.001, wake - time.monotonic()))

    async def _send_voice(self) -> None:
        voice = self.voice
        assert voice is not None
        next_at = time.monotonic()
        while True:
            wish = self.wishes.get("microphone")
            if wish is not None and wish["open"] and not voice.muted:
                voice.peer.send_rtp(voice.packet())
            next_at = max(next_at + 0.02, time.monotonic() - 0.1)
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))

    async def _subscribe(self, message: dict[str, Any]) -> None:
        self.slots = message["slots"]
        offer = message["sdp"]
        peer = self.downlink
        fresh = peer is None or message.get("fresh")
        if fresh:
            if peer is not None:
                peer.close()
            peer = self.downlink = LightPeer(self._identity)
            peer.on_rtp = self._first_packets
            peer.report_arrivals(_extension_id(offer, "transport-wide-cc-extensions-01"))
        assert peer is not None
        self._first_ssrc_of_mid = _ssrcs(offer)
        await self.send(
            {"type": "subscribe_answer", "n": message["n"], "sdp": subscribe_answer(offer, peer)}
        )
        if fresh:
            peer.start(
                self.media_address or udp_candidate(offer),
                attribute(offer, "ice-ufrag"),
                attribute(offer, "ice-pwd"),
            )

    def _first_packets(self, ssrc: int, _: bytes, __: float) -> None:
        if "video" in self.times and "audio" in self.times:
            return
        for slot in self.slots:
            if self._first_ssrc_of_mid.get(slot["mid"]) == ssrc:
                self._mark(slot["kind"])

    def stream(self, use: str, kind: str, participant: str) -> Received | None:
        """What came on the slot that holds a participant now; None when there is none."""
        for slot in self.slots:
            if (slot["use"], slot["kind"], slot.get("participant")) == (use, kind, participant):
                ssrc = self._first_ssrc_of_mid.get(slot["mid"], 0)
                return self.downlink.streams.get(ssrc) if self.downlink is not None else None
        return None

    def lost(self) -> int:
        """Packets lost on all streams of the downlink."""
        return sum(s.lost for s in self.downlink.streams.values()) if self.downlink else 0

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for peer in (self.uplink, self.downlink):
            if peer is not None:
                peer.close()
        if self._socket is not None:
            await self._socket.close()


def _extension_id(sdp: str, uri: str) -> int:
    for line in sdp.splitlines():
        if line.startswith("a=extmap:") and line.endswith(uri):
            return int(line[9:].split()[0].split("/")[0])
    return 0


def _ssrcs(offer: str) -> dict[str, int]:
    """Media SSRC of each m-line."""
    found: dict[str, int] = {}
    mid = ""
    pending: int | None = None
    for line in offer.splitlines():
        if line.startswith("m="):
            mid, pending = "", None
        elif line.startswith("a=mid:"):
            mid = line[6:]
            if pending is not None:
                found.setdefault(mid, pending)
        elif line.startswith("a=ssrc:"):
            pending = int(line[7:].split()[0]) if pending is None else pending
            if mid:
                found.setdefault(mid, pending)
    return found
