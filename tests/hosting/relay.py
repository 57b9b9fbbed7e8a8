"""A network between peers and a server, as a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

_PATIENCE_S = 20.0
#: Statistics with ten minutes of seconds.
_LINE_BYTES = 1024 * 1024


@dataclass
class RelayProcess:
    process: asyncio.subprocess.Process
    udp: str
    tcp: str
    target: str

    @classmethod
    @asynccontextmanager
    async def started(cls, *arguments: str) -> AsyncIterator[RelayProcess]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "twinclass_media.testing.netem", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES,
        )
        relay = cls(process, "", "", "")
        try:
            ready = await relay.read()
            relay.udp, relay.tcp, relay.target = ready["udp"], ready["tcp"], ready["to"]
            yield relay
        finally:
            await relay.end()

    @property
    def udp_port(self) -> int:
        return int(self.udp.rpartition(":")[2])

    @property
    def tcp_port(self) -> int:
        return int(self.tcp.rpartition(":")[2])

    @property
    def target_port(self) -> int:
        return int(self.target.rpartition(":")[2])

    async def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            line = await self.process.stdout.readline()
        found: dict[str, Any] = json.loads(line)
        return found

    async def ask(self, **command: object) -> dict[str, Any]:
        """One control line and its answer."""
        return await self.ask_line(json.dumps(command).encode())

    async def ask_line(self, line: bytes) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()
        return await self.read()

    def rebind(self) -> None:
        """Every client has another address from now on."""
        self.process.send_signal(signal.SIGUSR1)

    async def end(self) -> int:
        """Ends it as an operator would; returns its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(_PATIENCE_S):
            return await self.process.wait()
