"""Runs a real media worker process and speaks its control socket."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Self

from light.peer import Identity, LightPeer
from twinclass_media.worker import messages as m
from twinclass_media.worker.frames import FrameReader, decode_notification, encode

VP8 = m.Codec("VP8", 96, 90000, 97)
H264 = m.Codec("H264", 102, 90000, 103)
OPUS = m.Codec("opus", 111, 48000)
NO_EXTENSIONS = m.HeaderExtensions()


class WorkerUnderTest:
    """One worker process, attached."""

    def __init__(
        self, run_dir: Path, port: int, *arguments: str, index: int = 0, bind: str = "127.0.0.1"
    ) -> None:
        # The worker adds its index to the port of worker 0.
        self.run_dir, self.port, self.index, self.bind = run_dir, port, index, bind
        self._arguments = arguments
        self.notifications: list[m.Notification] = []
        self._request = 0
        self._waiting: dict[int, asyncio.Future[m.Notification]] = {}
        self._versions = 0

    async def __aenter__(self) -> Self:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "twinclass_media.worker",
                "--run-dir",
                str(self.run_dir),
                "--index",
                str(self.index),
                "--port",
                str(self.port - self.index),
                "--bind",
                self.bind,
                *self._arguments,
            ]
        )
        await self.attach(1)
        return self

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        path = self.run_dir / f"worker-{self.index}.sock"
        for _ in range(400):
            try:
                return await asyncio.open_unix_connection(str(path))
            except (FileNotFoundError, ConnectionRefusedError):
                await asyncio.sleep(0.02)
        raise TimeoutError(f"no worker at {path}")

    async def attach(self, epoch: int) -> None:
        self._reader, self._writer = await self._open()
        self._writer.write(encode(m.Attach(epoch, "test")))
        frames = FrameReader()
        self.attached: m.Attached | None = None
        while self.attached is None:
            for body in frames.feed(await self._reader.read(65536)):
                message = decode_notification(body)
                assert isinstance(message, m.Attached), message
                self.attached = message
        self._task = asyncio.create_task(self._read(frames))

    async def greet(self, epoch: int) -> m.Notification:
        """Tries to attach beside the present connection and returns the answer."""
        reader, writer = await self._open()
        writer.write(encode(m.Attach(epoch, "other")))
        body = next(FrameReader().feed(await reader.read(65536)))
        writer.close()
        return decode_notification(body)

    async def detach(self) -> None:
        """Drops the connection, as a killed control plane does."""
        self._writer.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self, frames: FrameReader) -> None:
        while data := await self._reader.read(65536):
            for body in frames.feed(data):
                message = decode_notification(body)
                request = getattr(message, "request", None)
                if request is not None and request in self._waiting:
                    self._waiting.pop(request).set_result(message)
                else:
                    self.notifications.append(message)

    async def ask(self, command: m.Apply | m.Dump | m.ReadStatistics) -> m.Notification:
        future: asyncio.Future[m.Notification] = asyncio.get_running_loop().create_future()
        self._waiting[command.request] = future
        self._writer.write(encode(command))
        return await asyncio.wait_for(future, 40)

    def next_request(self) -> int:
        self._request += 1
        return self._request

    async def put(self, *specs: m.Spec) -> m.Applied:
        reply = await self.ask(m.Apply(self.next_request(), specs))
        assert isinstance(reply, m.Applied)
        return reply

    async def remove(self, kind: m.ObjectKind, identifier: str) -> None:
        await self.ask(m.Apply(self.next_request(), (), (m.Remove(kind, identifier),)))

    async def statistics(self) -> m.WorkerStatistics:
        reply = await self.ask(m.ReadStatistics(self.next_request()))
        assert isinstance(reply, m.WorkerStatistics)
        return reply

    async def dump(self) -> m.Dumped:
        reply = await self.ask(m.Dump(self.next_request()))
        assert isinstance(reply, m.Dumped)
        return reply

    def send(self, command: m.Command) -> None:
        self._writer.write(encode(command))

    async def connect(
        self,
        identity: Identity,
        name: str,
        *,
        router: str = "r",
        extensions: m.HeaderExtensions = NO_EXTENSIONS,
        twcc: bool = False,
        profiles: bytes | None = None,
        cap: int = 0,
        peer: LightPeer | None = None,
        host: str = "127.0.0.1",
    ) -> LightPeer:
        """Makes a transport and a peer that connects to it."""
        peer = peer or LightPeer(identity, profiles)
        ufrag, password = secrets.token_hex(4), secrets.token_hex(12)
        applied = await self.put(
            m.RouterSpec(m.RouterId(router)),
            m.TransportSpec(
                m.TransportId(name),
                m.RouterId(router),
                1,
                ufrag,
                password,
                (m.Fingerprint("sha-256", identity.fingerprint),),
                extensions,
                transport_cc_feedback=twcc,
                max_receive_bps=cap,
            ),
        )
        assert not applied.problems, applied
        peer.start((host, self.port), ufrag, password)
        await asyncio.wait_for(peer.connected.wait(), 40)
        return peer

    async def __aexit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        await self.detach()
