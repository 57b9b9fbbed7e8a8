"""mediasoup (npm's package of that name) with one worker, over ``mediasoup_server.mjs``.

Where it is installed stands in ``TWINCLASS_MEDIASOUP``: a folder with ``node_modules``. Viewers get
what a browser without transport-wide congestion control gets: abs-send-time and REMB, by which its
estimator runs for each of them, and repairs by RTX.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sdp
from peers import Peer, Viewer
from tracks import Kind, PublisherPlan, Track

from light.peer import Identity

FOLDER = "TWINCLASS_MEDIASOUP"
MISSING = f"npm install --prefix DIRECTORY mediasoup@3, then {FOLDER}=DIRECTORY"
REPLY_TIMEOUT_S = 15.0
END_TIMEOUT_S = 10.0
#: A wall has many tracks.
MAX_LINE_BYTES = 1 << 20

Json = dict[str, Any]


class MediasoupError(ConnectionError):
    """mediasoup refused a request."""


class Mediasoup:
    """The server's process; as many requests at a time as wanted."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._count = 0
        #: The worker is its child.
        self.pids = (process.pid,)

    async def read(self) -> None:
        """Hands replies to who waits; runs until cancelled or the process ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            reply: Json = json.loads(line)
            future = self._waiting.get(reply["id"])
            if future is not None and not future.done():
                future.set_result(reply)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(MediasoupError("its process has ended"))

    async def _ask(self, **request: object) -> Json:
        """The reply.

        Raises:
            MediasoupError: it says no.
        """
        assert self._process.stdin is not None
        self._count += 1
        number = self._count
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._process.stdin.write(json.dumps({"id": number, **request}).encode() + b"\n")
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                reply = await future
        finally:
            del self._waiting[number]
        if "error" in reply:
            raise MediasoupError(reply["error"])
        return reply

    async def publish(self, room: str, plan: PublisherPlan, peer: Peer) -> dict[Kind, int]:
        tracks = [
            {
                "kind": track.kind,
                "ssrc": track.ssrc,
                "payloadType": sdp.PAYLOAD_TYPES[track.kind],
            }
            for track in plan.tracks
        ]
        remote = await self._ask(
            do="publish", room=room, name=plan.name, tracks=tracks,
            fingerprint=peer.identity.fingerprint,
        )  # fmt: skip
        peer.start((remote["address"], remote["port"]), remote["ufrag"], remote["password"])
        return sdp.PAYLOAD_TYPES

    async def view(
        self, room: str, name: str, wanted: Sequence[tuple[str, Track]], viewer: Viewer
    ) -> None:
        del name  # Nothing is asked of a viewer again.
        tracks = [{"name": publisher, "kind": track.kind} for publisher, track in wanted]
        remote = await self._ask(
            do="view", room=room, wanted=tracks, fingerprint=viewer.identity.fingerprint
        )
        streams: list[tuple[Kind, int]] = [
            (track.kind, ssrc) for (_, track), ssrc in zip(wanted, remote["ssrcs"], strict=True)
        ]
        address = remote["address"], remote["port"]
        viewer.begin(address, remote["ufrag"], remote["password"], streams)


def package() -> Path | None:
    """The installed package, when there is one."""
    folder = os.environ.get(FOLDER)
    found = Path(folder or ".").resolve() / "node_modules" / "mediasoup"
    return found if folder and found.is_dir() else None


def version() -> str:
    """Of what is installed."""
    found = package()
    if found is None:
        return "not installed"
    said: str = json.loads((found / "package.json").read_text("utf-8"))["version"]
    return said


async def _end(process: asyncio.subprocess.Process) -> None:
    """By the end of its requests: a first SIGTERM ends the worker alone."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(END_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def started(folder: Path, identity: Identity, host: str) -> AsyncGenerator[Mediasoup]:
    """Runs one."""
    del identity, host  # Its fingerprint is in each request; it is on loopback.
    found, node = package(), shutil.which("node")
    if found is None or node is None:
        raise FileNotFoundError(f"mediasoup: {MISSING}")
    with (folder / "mediasoup.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            node,
            str(Path(__file__).with_name("mediasoup_server.mjs")),
            str(found.parents[1]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            limit=MAX_LINE_BYTES,
        )
        try:
            async with asyncio.TaskGroup() as group:
                mediasoup = Mediasoup(process)
                task = group.create_task(mediasoup.read())
                try:
                    yield mediasoup
                finally:
                    task.cancel()
        finally:
            await _end(process)
