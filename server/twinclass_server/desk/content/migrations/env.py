"""Alembic's way in: always over the connection that ``Database.migrate`` gives."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from twinclass_server.desk.content.models import VERSION_TABLE, Base


def include_name(name: str | None, kind: str, _: object) -> bool:
    """The roster's and the library's tables stand in the same database and are not ours."""
    return kind != "table" or (name or "").startswith("desk_")


def run() -> None:
    """Runs the migrations."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        version_table=VERSION_TABLE,
        include_name=include_name,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
