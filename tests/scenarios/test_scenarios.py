"""Acceptance scenarios 1 and 2 (media part) with light clients, at small and at full size."""

from __future__ import annotations

import pytest

from conftest import FigureTable
from e2e.conftest import Server, server
from scenarios.lesson_of_light_clients import Figures, run_lesson

__all__ = ["server"]


def note(figures: FigureTable, what: str, measured: Figures) -> None:
    bounds = {
        "room: picture and sound after, s": "10 (scenario 1), 15 (scenario 2)",
        "home: picture and sound after, s": "5",
        "call to stage, first sound at all others, s": "2",
        "failed joins": "0",
    }
    for name, value in measured.rows():
        figures.add(what, name, value, bounds.get(name, ""))


@pytest.mark.timeout(120)
async def test_a_small_lesson_runs_and_loses_nothing(server: Server) -> None:
    measured = await run_lesson(server, 3, 4, within_s=2, calls=3, seconds=2)
    assert not measured.failures
    assert measured.lost == 0
    assert len(measured.room_media) == 3
    assert len(measured.home_media) == 4


@pytest.mark.full
@pytest.mark.timeout(400)
async def test_scenario_1_twelve_rooms_and_thirty_three_homes(
    server: Server, figures: FigureTable
) -> None:
    measured = await run_lesson(server, 12, 33, within_s=60, calls=12, seconds=30)
    note(figures, "scenario 1: 12 rooms + 33 homes", measured)
    assert not measured.failures
    assert measured.lost == 0


@pytest.mark.full
@pytest.mark.timeout(400)
async def test_scenario_2_twenty_six_rooms_within_a_minute(
    server: Server, figures: FigureTable
) -> None:
    measured = await run_lesson(server, 26, 0, within_s=60, calls=26, seconds=20)
    note(figures, "scenario 2: 26 rooms", measured)
    assert not measured.failures
    assert measured.lost == 0
