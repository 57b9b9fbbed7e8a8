"""What aiortc's manual says to do to forward: a ``MediaRelay`` in front of each published track.

Requests and replies are lines of JSON on standard input and output; run by ``with_aiortc.py``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aioice.ice
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaRelay

CONFIGURATION = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
#: A description with a candidate each m-line is long.
MAX_LINE_BYTES = 1 << 20


def _loopback_only(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    """aioice leaves loopback out; here nothing else is to be used."""
    del use_ipv6
    return ["127.0.0.1"] if use_ipv4 else []


class Relay:
    """Connections, and published tracks by name and kind."""

    def __init__(self) -> None:
        self._relay = MediaRelay()
        self._connections: list[RTCPeerConnection] = []
        self._tracks: dict[tuple[str, str], MediaStreamTrack] = {}

    async def handle(self, request: dict[str, Any]) -> str:
        """The answer to an offer to publish or to view."""
        connection = RTCPeerConnection(CONFIGURATION)
        self._connections.append(connection)
        if request["do"] == "publish":
            name: str = request["name"]

            def published(track: MediaStreamTrack) -> None:
                self._tracks[name, track.kind] = track

            connection.on("track", published)
        else:
            for publisher, kind in request["tracks"]:
                connection.addTrack(self._relay.subscribe(self._tracks[publisher, kind]))
        await connection.setRemoteDescription(RTCSessionDescription(request["sdp"], "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        text: str = connection.localDescription.sdp
        return text


async def main() -> None:
    """Answers until standard input ends."""
    aioice.ice.get_host_addresses = _loopback_only
    relay = Relay()
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        text = await relay.handle(json.loads(line))
        print(json.dumps({"sdp": text}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
