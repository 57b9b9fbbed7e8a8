"""The database: SQLite in the data folder or PostgreSQL by URL, brought up to date at start."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, SQLAlchemyError
from sqlalchemy.orm import Session

import twinclass_recordings.library
from twinclass_config import OperatorProblem
from twinclass_recordings.library.models import VERSION_TABLE
from twinclass_server.desk.content.models import VERSION_TABLE as DESK_VERSION_TABLE
from twinclass_signaling.errors import RemoteProtocolError, Unavailable


class Schema(NamedTuple):
    """Tables with a history of their own. ``version_table``: where Alembic notes how far it is."""

    migrations: Path
    version_table: str


ROSTER = Schema(Path(__file__).resolve().parent / "migrations", "alembic_version")
LIBRARY = Schema(
    Path(twinclass_recordings.library.__file__).resolve().parent / "migrations", VERSION_TABLE
)
DESK = Schema(
    Path(__file__).resolve().parents[1] / "desk" / "content" / "migrations", DESK_VERSION_TABLE
)
SCHEMAS = (ROSTER, LIBRARY, DESK)
#: SQLite's name for PostgreSQL's default driver would be psycopg2; ours is psycopg 3.
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
#: How long one writer waits for another; an import of a city takes some seconds.
_BUSY_S = 30


class DatabaseUnusable(OperatorProblem):
    """The database cannot be opened or brought up to date; the text says why."""

    code = "database_unusable"


class Database:
    """An engine and its sessions. Calls block: call it from a thread."""

    def __init__(self, url: str, folder: Path) -> None:
        self._file = folder / "school.sqlite3"
        self._url = _address(url, self._file)
        self.engine = _engine(self._url)

    @property
    def is_sqlite(self) -> bool:
        """Tells whether it is our own file."""
        return self._url.get_backend_name() == "sqlite"

    @contextmanager
    def session(self) -> Generator[Session, None, None]:
        """A transaction: committed at the end, rolled back by any exception.

        Raises:
            Unavailable: the database is away.
            RemoteProtocolError: it cannot hold what was sent (PostgreSQL: no character 0).
        """
        try:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except DataError as error:
            raise RemoteProtocolError(
                "value_malformed",
                "内容里有不能保存的字符，请检查。",
                "What was sent holds characters that cannot be kept.",
            ) from error
        except SQLAlchemyError as error:
            raise Unavailable(
                "database_unavailable",
                "数据库暂时不可用，请稍后再试。",
                f"The database is not available ({type(error).__name__}); try again.",
                retry_after_s=2.0,
            ) from error

    def migrate(self) -> None:
        """Brings the tables up to date; a SQLite file is copied before it is changed.

        Raises:
            DatabaseUnusable: away, damaged, or newer than this program.
        """
        late = [schema for schema in SCHEMAS if not self._is_current(schema)]
        if late:
            # Alembic takes half a second to load, and most starts have no need of it.
            from twinclass_server.roster import migrating  # noqa: PLC0415

            for schema in late:
                try:
                    migrating.upgrade(self.engine, schema, self._copy)
                except (SQLAlchemyError, sqlite3.Error, migrating.CommandError) as error:
                    raise self._unusable(error) from error

    def behind(self) -> list[str]:
        """Returns the version tables of what a start would bring up to date; changes nothing.

        Raises:
            DatabaseUnusable: away, damaged, or newer than this program.
        """
        from twinclass_server.roster import migrating  # noqa: PLC0415 - see ``migrate``

        found: list[str] = []
        for schema in SCHEMAS:
            try:
                if migrating.is_behind(self.engine, schema):
                    found.append(schema.version_table)
            except (SQLAlchemyError, sqlite3.Error, migrating.CommandError) as error:
                raise self._unusable(error) from error
        return found

    def _unusable(self, error: Exception) -> DatabaseUnusable:
        return DatabaseUnusable(
            f"The database {self._url.render_as_string(hide_password=True)} cannot be "
            f"used: {str(error).splitlines()[0]}"
        )

    def _is_current(self, schema: Schema) -> bool:
        """Tells whether tables are as this program wants them; False also when nobody knows."""
        query = text(f"SELECT version_num FROM {schema.version_table}")  # noqa: S608 - a constant
        try:
            with self.engine.connect() as connection:
                return [row[0] for row in connection.execute(query)] == [last_revision(schema)]
        except SQLAlchemyError:
            return False

    def _copy(self, revision: str) -> None:
        """Copies a SQLite file before it is changed; others have backups of their own."""
        if not self.is_sqlite:
            return
        target = self._file.with_name(f"{self._file.name}.before-{revision}")
        with closing(sqlite3.connect(self._file)) as source, closing(sqlite3.connect(target)) as to:
            source.backup(to)

    def close(self) -> None:
        """Closes its connections."""
        self.engine.dispose()


def last_revision(schema: Schema) -> str:
    """Returns the revision that a schema's newest migration makes: files are named by theirs."""
    files = (schema.migrations / "versions").glob("*.py")
    return max(path.name.partition("_")[0] for path in files)


def _address(url: str, file: Path) -> URL:
    if not url:
        return URL.create("sqlite", database=str(file))
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnusable("database.url is not a URL") from error
    return address.set(drivername=_DRIVERS.get(address.drivername, address.drivername))


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        # One that was restarted is found again without an error.
        return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=5)
    engine = create_engine(url, connect_args={"timeout": _BUSY_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA journal_mode=WAL")

    return engine
