"""Alembic's way in: always over the connection that ``Database.migrate`` gives."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from twinclass_server.roster.models import Base


def include_name(name: str | None, kind: str, _: object) -> bool:
    """The library's and the desk's tables stand in the same database and are not ours."""
    return kind != "table" or not (name or "").startswith(("library_", "desk_", "alembic_"))


def run() -> None:
    """Runs the migrations."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include_name,
        # SQLite cannot alter a column in place.
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
