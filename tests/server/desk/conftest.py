"""The demo's desk on a server of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hosting.desk_page import demo_desk_server
from hosting.process import ServerProcess


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Runs for one test."""
    async with demo_desk_server(tmp_path) as running:
        yield running
