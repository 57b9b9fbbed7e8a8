"""Servers whose processes are killed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from e2e.conftest import Server

Start = Callable[[dict[str, str]], Awaitable[Server]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a server with an environment; it ends with the test."""
    async with AsyncExitStack() as stack:

        async def begin(environment: dict[str, str]) -> Server:
            server = Server(tmp_path / "data", environment=environment)
            stack.callback(server.stop)
            server.start()
            await server.wait_ready()
            return server

        yield begin
