"""Stock aiortc with ``MediaRelay``, in a process of its own (``relay_process.py``).

It decodes what comes and encodes it anew for every viewer: ten viewers are a fair fight, more not.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sdp
from peers import Peer, Viewer
from tracks import Kind, PublisherPlan, Track

from light.peer import Identity

#: All that the relay's process uses.
ADDRESS = "127.0.0.1"
#: Descriptions with many codecs are long lines.
MAX_LINE_BYTES = 1 << 20


class Aiortc:
    """The relay's process; one request at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()
        self.pids = (process.pid,)

    async def _ask(self, **request: object) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            reply: dict[str, Any] = json.loads(await self._process.stdout.readline())
        text: str = reply["sdp"]
        return text

    async def publish(self, room: str, plan: PublisherPlan, peer: Peer) -> dict[Kind, int]:
        peer.bind(ADDRESS)
        text = sdp.offer(peer, plan.tracks, bound=True)
        reply = await self._ask(do="publish", name=f"{room}/{plan.name}", sdp=text)
        remote = sdp.parse(reply)
        peer.start(remote.address, remote.ufrag, remote.password)
        return sdp.PAYLOAD_TYPES

    async def view(
        self, room: str, name: str, wanted: Sequence[tuple[str, Track]], viewer: Viewer
    ) -> None:
        del name  # Nothing is asked of a viewer again.
        viewer.bind(ADDRESS)
        text = sdp.offer(viewer, [track for _, track in wanted], "recvonly", bound=True)
        tracks = [(f"{room}/{publisher}", track.kind) for publisher, track in wanted]
        remote = sdp.parse(await self._ask(do="view", tracks=tracks, sdp=text))
        received: list[tuple[Kind, int]] = [(one.kind, one.ssrc) for one in remote.sections]
        viewer.begin(remote.address, remote.ufrag, remote.password, received)


@asynccontextmanager
async def started(folder: Path, identity: Identity, host: str) -> AsyncGenerator[Aiortc]:
    """Runs one."""
    del identity, host  # The first is in each description, the second its own affair.
    with (folder / "aiortc.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("relay_process.py")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            limit=MAX_LINE_BYTES,
        )
        try:
            yield Aiortc(process)
        finally:
            process.terminate()
            await process.wait()
