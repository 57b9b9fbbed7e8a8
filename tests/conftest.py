"""Settings for all tests, and the table of figures.

``TWINCLASS_FUZZ=long .venv/bin/pytest tests/fuzz tests/signaling`` fuzzes for about an hour.
"""

from __future__ import annotations

import datetime
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("short", max_examples=60, deadline=None)
settings.register_profile(
    "long", max_examples=200_000, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("TWINCLASS_FUZZ", "short"))

ROOT = Path(__file__).resolve().parents[1]


#: What is killed and measured there has the machine for itself; see ``./test``.
ALONE = (
    "faults",
    "media/bandwidth/test_simulated.py",
    "media/testing/netem/test_relay.py",
    "media/transport",
    "media/worker",
    "scenarios",
    "whip",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests that must not run beside others."""
    for item in items:
        if any(item.path.is_relative_to(ROOT / "tests" / one) for one in ALONE):
            item.add_marker("alone")


class FigureTable:
    """What tests measured. Nothing is judged here: bounds stand beside for the reader."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []

    def add(self, what: str, name: str, value: str, bound: str = "") -> None:
        """Adds a row: scenario or test, figure, measured, bound of the design if there is one."""
        self.rows.append((what, name, value, bound))


@pytest.fixture(scope="session")
def figures() -> Iterator[FigureTable]:
    """Collects figures; at the end they are in ``test-results/figures.md``."""
    table = FigureTable()
    yield table
    if not table.rows:
        return
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    lines = [
        "# Figures",
        "",
        f"Measured by `./test --full` at commit {commit} on {today}, {os.cpu_count()} cores, all"
        " processes (server, browsers, light peers) on one machine.",
        "",
        "| test | figure | measured | bound |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in table.rows),
        "",
    ]
    folder = ROOT / "test-results"
    folder.mkdir(exist_ok=True)
    (folder / "figures.md").write_text("\n".join(lines), encoding="utf-8")
