"""A server in a process of its own, started as an operator would."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from twinclass_server.adapters.data_folder import DataFolder
from twinclass_signaling.tokens import TokenKeys

_PATIENCE_S = 20.0


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Ours without settings that the caller's shell may have."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TWINCLASS_")}
    return kept | (extra or {})


def twinclass(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "twinclass_server.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(),
        check=False,
    )


class ServerProcess:
    """``twinclass serve`` on three ports from ``first_port`` on."""

    def __init__(
        self, data: Path, first_port: int, extra: dict[str, str] | None = None, scheme: str = "http"
    ) -> None:
        self._scheme = scheme
        self.folder = DataFolder(data)
        self.port = first_port
        self.admin_url = f"http://127.0.0.1:{first_port + 1}"
        self._media_port = first_port + 2
        self._extra = extra
        self._process: asyncio.subprocess.Process | None = None
        self._log = data / "server.log"

    @property
    def keys(self) -> TokenKeys:
        return self.folder.read_keys()

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    def log_text(self) -> str:
        return self._log.read_text("utf-8")

    async def start(self, *flags: str) -> None:
        arguments = ["-m", "twinclass_server.cli", "serve", "--data", str(self.folder.path)]
        arguments += ["--port", str(self.port), "--admin-port", str(self.port + 1)]
        arguments += ["--media-port", str(self._media_port), *flags]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, stdout=log, stderr=log, env=environment(self._extra)
            )
        async with (
            asyncio.timeout(_PATIENCE_S),
            httpx.AsyncClient(trust_env=False, verify=False) as client,
        ):
            while True:
                assert self.process.returncode is None, self.log_text()
                try:
                    answer = await client.get(f"{self._scheme}://127.0.0.1:{self.port}/readyz")
                    if answer.status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def wait(self) -> int:
        async with asyncio.timeout(_PATIENCE_S):
            return await self.process.wait()

    async def create_lesson(self, lesson: str = "algebra") -> None:
        rooms = [{"id": f"room-{n}", "name": f"七({n})班"} for n in (1, 2)]
        body = {"id": lesson, "plan": {"title": "示例课", "rooms": rooms, "homes": 1}}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{self.admin_url}/lessons", json=body)
        assert answer.status_code == 201, answer.text

    async def metrics(self) -> str:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"{self.admin_url}/metrics")).text

    async def end(self) -> None:
        """Ends it and all it started, whatever state it is in."""
        if self._process is None:
            return
        if self.process.returncode is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGINT)
            await self.wait()

    def log_lines(self) -> list[dict[str, object]]:
        found = [line for line in self.log_text().splitlines() if line.startswith("{")]
        return [json.loads(line) for line in found]


@asynccontextmanager
async def server_process(
    data: Path,
    first_port: int,
    extra: dict[str, str] | None = None,
    *flags: str,
    scheme: str = "http",
) -> AsyncIterator[ServerProcess]:
    server = ServerProcess(data, first_port, extra, scheme)
    try:
        await server.start(*flags)
        yield server
    finally:
        await server.end()
