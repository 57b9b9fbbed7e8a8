"""A media worker dies in mid-lesson: only its own clients notice, and they are back at once."""

from __future__ import annotations

import asyncio

import pytest

from e2e.conftest import Server
from faults.conftest import Start
from faults.lesson import LEAD_MEDIA, Figures, LightLesson, kill, worker_pid

pytestmark = pytest.mark.timeout(120)

TWO_WORKERS = {"TWINCLASS_MEDIA__WORKERS": "2"}


async def test_a_killed_worker_is_replaced_and_the_other_lesson_notices_nothing(
    start: Start, figures: Figures
) -> None:
    await lose_a_worker(await start(TWO_WORKERS), figures, rooms=2, homes=1)


@pytest.mark.full
async def test_a_killed_worker_of_a_larger_lesson_is_replaced(
    start: Start, figures: Figures
) -> None:
    await lose_a_worker(await start(TWO_WORKERS), figures, rooms=12, homes=12)


async def lose_a_worker(server: Server, figures: Figures, rooms: int, homes: int) -> None:
    one, two = LightLesson(server, "one", rooms, homes), LightLesson(server, "two", rooms, homes)
    what = f"worker killed, two lessons of {rooms} rooms + {homes} homes"
    try:
        await one.begin()
        await two.begin()
        hit, spared = one.worker_index(one.viewers[0]), two.worker_index(two.viewers[0])
        assert hit != spared
        await asyncio.sleep(0.5)
        two.watch()
        since = kill(worker_pid(server, hit))
        times = await one.back(since, 10)
        await asyncio.sleep(1.0)
        pause_ms = 1000 * two.worst_pause(*LEAD_MEDIA)
        figures.add(what, "picture and sound back at all, s", f"{max(times):.2f}", "3")
        figures.add(what, "packets lost in the other lesson", str(two.lost()), "0")
        figures.add(what, "longest pause in the other lesson, ms", f"{pause_ms:.0f}")
        assert max(times) <= 3.0
        assert two.lost() == 0
        assert pause_ms < 500
        assert not any(client.losses for client in two.clients)
        assert all(client.losses for client in one.clients)
        # The lesson goes on as if nothing had been.
        await one.call_on("room-1", [one.lead, *one.viewers[1:]])
    finally:
        await one.end()
        await two.end()
