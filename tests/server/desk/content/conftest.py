"""The desk's stores on SQLite, and on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.desk.content.kept import Kept
from server.roster.databases import databases, postgres
from twinclass_server.roster.database import Database

__all__ = ["both", "databases", "kept", "postgres"]


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    database = Database("", tmp_path)
    database.migrate()
    found = Kept(database, tmp_path)
    yield found
    await found.http.aclose()
    database.close()


@pytest.fixture
async def both(databases: list[Database], tmp_path: Path) -> AsyncIterator[list[Kept]]:
    found = [Kept(one, tmp_path / str(n)) for n, one in enumerate(databases)]
    yield found
    for one in found:
        await one.http.aclose()
