"""A library that has entries is brought up to date, and back, with all that hangs on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from server.roster.databases import postgres
from twinclass_recordings.library.access import Viewer
from twinclass_recordings.library.catalogue import Catalogue
from twinclass_recordings.library.index import Asked
from twinclass_server.roster.database import LIBRARY, Database
from twinclass_server.roster.migrating import alembic_config
from twinclass_signaling.roles import Role

__all__ = ["postgres"]

Step = Callable[..., object]
ENTRY = {
    "key": 1, "id": "'lesson-1-1'", "kind": "'lesson'", "lesson": "'lesson-1'",
    "title": "'勾股定理'",
    "subtitle": "''", "description": "''", "subject": "'数学'", "grade": "''", "edition": "''",
    "points": """'["勾股定理"]'""", "lead_id": "'lead-1'", "lead_name": "''", "school_name": "''",
    "visibility": "'school'", "taught_at": "'2026-09-01 08:00:00'", "duration_s": 60, "bytes": 5,
    "state": "'ready'", "has_cover": "false", "plays": 0, "keep_until": "NULL",
    "created_at": "'2026-09-01 08:00:00'", "updated_at": "'2026-09-01 08:00:00'",
}  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_hangs_on_an_entry_stays_with_it(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres") if kind == "postgresql" else ""
    database = Database(url, tmp_path)

    def go(step: Step, revision: str) -> None:
        config = alembic_config(LIBRARY)
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            step(config, revision)

    def hanging() -> list[object]:
        with database.engine.connect() as connection:
            return [
                connection.execute(text(f"SELECT {what} FROM library_{table}")).scalar()
                for what, table in (("school", "entry_school"), ("position_s", "position"))
            ]

    go(command.upgrade, "0001")
    with database.session() as session:
        names, values = ", ".join(ENTRY), ", ".join(map(str, ENTRY.values()))
        session.execute(text(f"INSERT INTO library_entry ({names}) VALUES ({values})"))
        session.execute(text("INSERT INTO library_entry_school VALUES (1, 'school-1')"))
        session.execute(
            text("INSERT INTO library_position VALUES (1, 'somebody', 3.5, '2026-09-01 08:00:00')")
        )
    database.migrate()
    assert hanging() == ["school-1", 3.5]
    catalogue = Catalogue(database.session)
    catalogue.refresh()
    teacher = Viewer(Role.LEAD, "lead-2", frozenset({"school-1"}))
    found = catalogue.search(teacher, Asked(text="勾股", point="勾股定理"))
    assert [card.id for card in found.cards] == ["lesson-1-1"]
    go(command.downgrade, "0001")
    assert hanging() == ["school-1", 3.5]
    database.migrate()
    assert hanging() == ["school-1", 3.5]
    database.close()
