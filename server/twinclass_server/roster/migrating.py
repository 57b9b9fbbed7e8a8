"""Brings tables up to date with Alembic; loaded only when something is to be done."""

from __future__ import annotations

from collections.abc import Callable

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine

from twinclass_server.roster.database import ROSTER, Schema

__all__ = ["CommandError", "alembic_config", "is_behind", "upgrade"]


def upgrade(engine: Engine, schema: Schema, copy: Callable[[str], None]) -> None:
    """Brings a schema up to date; ``copy`` is called with the revision before it is changed.

    Raises:
        CommandError: it is newer than this program.
        SQLAlchemyError: the database is away or damaged.
    """
    config = alembic_config(schema)
    current = _revision(engine, schema)
    if current == ScriptDirectory.from_config(config).get_current_head():
        return
    if current is not None:
        copy(current)
    with engine.begin() as connection:
        _lock(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_behind(engine: Engine, schema: Schema) -> bool:
    """Tells whether a start would change a schema; raises as ``upgrade``."""
    script = ScriptDirectory.from_config(alembic_config(schema))
    current = _revision(engine, schema)
    if current is not None:
        script.get_revision(current)
    return current != script.get_current_head()


def alembic_config(schema: Schema = ROSTER) -> Config:
    """Returns Alembic's settings; there is no ini file to lose."""
    config = Config()
    config.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    return config


def _revision(engine: Engine, schema: Schema) -> str | None:
    with engine.connect() as connection:
        options = {"version_table": schema.version_table}
        return MigrationContext.configure(connection, opts=options).get_current_revision()


def _lock(connection: Connection) -> None:
    """Two servers that start at once must not both make the tables."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7426001)")
