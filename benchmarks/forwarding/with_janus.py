"""Janus VideoRoom (``janus_server``) at its best setting, over its WebSocket API.

``event_loops = 1``: one thread sends for all viewers, which costs it less than a thread each.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sdp
from janus_server import configure, link
from peers import Peer, Viewer
from tracks import Kind, PublisherPlan, Track
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from light.peer import Identity
from light.ports import free_port

#: Janus ends a session that is silent for 60 s.
KEEPALIVE_S = 20.0
REPLY_TIMEOUT_S = 15.0
MAX_PUBLISHERS = 100

Json = dict[str, Any]


class JanusError(ConnectionError):
    """Janus refused a request."""


class Api:
    """Requests on one session; as many handles as wanted."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._count = 0
        self.session = 0

    async def read(self) -> None:
        """Hands replies to who waits; runs until cancelled."""
        async for text in self._socket:
            message: Json = json.loads(text)
            future = self._waiting.get(message.get("transaction", ""))
            if future is None or future.done() or message["janus"] == "ack":
                continue
            future.set_result(message)

    async def keep_alive(self) -> None:
        """Runs until cancelled."""
        while True:
            await asyncio.sleep(KEEPALIVE_S)
            await self.ask({"janus": "keepalive"}, wait=False)

    async def ask(self, body: Json, handle: int = 0, *, wait: bool = True) -> Json:
        """The reply; of asynchronous requests the event that follows.

        Raises:
            JanusError: it says no.
        """
        self._count += 1
        transaction = f"t{self._count}"
        message = {**body, "transaction": transaction}
        if self.session:
            message["session_id"] = self.session
        if handle:
            message["handle_id"] = handle
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        if wait:
            self._waiting[transaction] = future
        await self._socket.send(json.dumps(message))
        if not wait:
            return {}
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                reply = await future
        finally:
            del self._waiting[transaction]
        problem = reply.get("error") or reply.get("plugindata", {}).get("data", {}).get("error")
        if problem:
            raise JanusError(json.dumps(reply))
        return reply

    async def attach(self) -> int:
        """A new handle of the VideoRoom plugin."""
        reply = await self.ask({"janus": "attach", "plugin": "janus.plugin.videoroom"})
        handle: int = reply["data"]["id"]
        return handle

    async def tell(self, handle: int, body: Json, kind: str = "", text: str = "") -> Json:
        """A message to the plugin, with a description if there is one."""
        message: Json = {"janus": "message", "body": body}
        if kind:
            message["jsep"] = {"type": kind, "sdp": text}
        return await self.ask(message, handle)


class Janus:
    """One Janus."""

    def __init__(self, api: Api, pid: int) -> None:
        self._api = api
        self.pids = (pid,)
        self._rooms: dict[str, int] = {}
        self._feeds: dict[tuple[str, str], int] = {}
        #: The m-line of each track of a feed.
        self._mids: dict[tuple[str, str, Kind], str] = {}

    async def publish(self, room: str, plan: PublisherPlan, peer: Peer) -> dict[Kind, int]:
        handle = await self._api.attach()
        if room not in self._rooms:
            self._rooms[room] = 1000 + len(self._rooms)
            await self._api.tell(
                handle,
                {"request": "create", "room": self._rooms[room], "publishers": MAX_PUBLISHERS,
                 "videocodec": "vp8", "audiocodec": "opus", "fir_freq": 0},
            )  # fmt: skip
        joined = await self._api.tell(
            handle, {"request": "join", "ptype": "publisher", "room": self._rooms[room]}
        )
        self._feeds[room, plan.name] = joined["plugindata"]["data"]["id"]
        for mid, track in enumerate(plan.tracks):
            self._mids[room, plan.name, track.kind] = str(mid)
        reply = await self._api.tell(
            handle, {"request": "publish"}, "offer", sdp.offer(peer, plan.tracks)
        )
        remote = sdp.parse(reply["jsep"]["sdp"])
        peer.start(remote.address, remote.ufrag, remote.password)
        return sdp.PAYLOAD_TYPES

    async def view(
        self, room: str, name: str, wanted: Sequence[tuple[str, Track]], viewer: Viewer
    ) -> None:
        del name  # Janus numbers its subscribers by itself.
        handle = await self._api.attach()
        streams = [
            {
                "feed": self._feeds[room, publisher],
                "mid": self._mids[room, publisher, track.kind],
            }
            for publisher, track in wanted
        ]
        reply = await self._api.tell(
            handle,
            {"request": "join", "ptype": "subscriber", "room": self._rooms[room],
             "streams": streams},
        )  # fmt: skip
        remote = sdp.parse(reply["jsep"]["sdp"])
        # The answer first: until then Janus does not know the credentials of the checks.
        await self._api.tell(handle, {"request": "start"}, "answer", sdp.answer(viewer, remote))
        received: list[tuple[Kind, int]] = [(one.kind, one.ssrc) for one in remote.sections]
        viewer.begin(remote.address, remote.ufrag, remote.password, received)


async def _connect(port: int) -> ClientConnection:
    for _ in range(50):
        with contextlib.suppress(OSError):
            return await connect(
                f"ws://127.0.0.1:{port}", subprotocols=[Subprotocol("janus-protocol")]
            )
        await asyncio.sleep(0.1)
    raise TimeoutError("Janus does not listen")


@asynccontextmanager
async def started(folder: Path, identity: Identity, host: str) -> AsyncGenerator[Janus]:
    """Runs one."""
    del identity, host  # The first is in each description, the second its own affair.
    program = shutil.which("janus")
    if program is None:
        raise FileNotFoundError("janus: apt-get install janus")
    port = free_port()
    configure(folder / "janus", port, "debug_level = 2 event_loops = 1")
    with link(), (folder / "janus.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-F", str(folder / "janus")], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            async with await _connect(port) as socket, asyncio.TaskGroup() as group:
                api = Api(socket)
                tasks = [group.create_task(api.read())]
                api.session = (await api.ask({"janus": "create"}))["data"]["id"]
                tasks.append(group.create_task(api.keep_alive()))
                try:
                    yield Janus(api, process.pid)
                finally:
                    for task in tasks:
                        task.cancel()
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
