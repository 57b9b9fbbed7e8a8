"""A server with the sample roster, and its operator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hosting.running import Running, running_server
from light.ports import free_port
from server.roster.databases import databases, postgres
from server.roster.desk import Client, staff_token

__all__ = ["databases", "postgres", "server", "staff"]

PORTS = free_port(10)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_server(tmp_path / "d", PORTS, {"TWINCLASS_DEMO__ENABLED": "yes"}) as found:
        yield found


@pytest.fixture
async def staff(server: Running) -> AsyncIterator[Client]:
    client = Client(server, staff_token(server))
    yield client
    await client.http.aclose()
