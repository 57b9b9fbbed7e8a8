"""The desk's stores on SQLite, and on both databases: each brought up to date once, then copied."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from server.desk.content.kept import Kept
from server.roster.databases import Cluster
from twinclass_server.roster.database import Database

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that is up to date."""
    folder = tmp_path_factory.mktemp("migrated")
    database = Database("", folder)
    database.migrate()
    database.close()
    return folder / "school.sqlite3"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL whose database ``postgres`` is up to date."""
    # Not below tmp_path: an unprivileged user may not go in there.
    with tempfile.TemporaryDirectory(prefix="tc-pg-") as folder:
        found = Cluster(Path(folder))
        try:
            found.start()
            database = Database(found.url, Path(folder))
            database.migrate()
            database.close()
            yield found
        finally:
            found.stop()


@pytest.fixture
def sqlite(tmp_path: Path, migrated: Path) -> Iterator[Database]:
    shutil.copy(migrated, tmp_path)
    database = Database("", tmp_path)
    yield database
    database.close()


@pytest.fixture
def postgres(tmp_path: Path, cluster: Cluster) -> Iterator[Database]:
    name = f"copy_{next(_numbers)}"
    url = cluster.url.removesuffix("/postgres").replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(f"{url}/template1", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE postgres"))
    engine.dispose()
    database = Database(f"{url}/{name}", tmp_path)
    yield database
    database.close()


@pytest.fixture
def databases(sqlite: Database, postgres: Database) -> list[Database]:
    return [sqlite, postgres]


@pytest.fixture
async def kept(sqlite: Database, tmp_path: Path) -> AsyncIterator[Kept]:
    found = Kept(sqlite, tmp_path)
    yield found
    await found.http.aclose()


@pytest.fixture
async def both(databases: list[Database], tmp_path: Path) -> AsyncIterator[list[Kept]]:
    found = [Kept(one, tmp_path / str(n)) for n, one in enumerate(databases)]
    yield found
    for one in found:
        await one.http.aclose()
