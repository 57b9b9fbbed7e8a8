"""A media worker dies in mid-lesson: only its own clients notice, and they are back at once."""

from __future__ import annotations

import asyncio

import pytest

from e2e.conftest import Server
from faults.conftest import Start
from faults.lesson import LEAD_MEDIA, Figures, LightLesson, kill, until, worker_pid
from light.lasting import LastingClient

pytestmark = pytest.mark.timeout(360)

#: What was under way when a process died has come by then.
SETTLED_S = 0.05
TWO_WORKERS = {"TWINCLASS_MEDIA__WORKERS": "2"}
SPREAD = TWO_WORKERS | {"TWINCLASS_MEDIA__SPREAD_LOAD": "0", "TWINCLASS_MEDIA__SPREAD_ABOVE": "3"}


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
        assert pause_ms < 1000
        assert not any(client.losses for client in two.clients)
        assert all(client.losses for client in one.clients)
        # The lesson goes on as if nothing had been.
        await one.call_on("room-1", [one.lead, *one.viewers[1:]])
    finally:
        await one.end()
        await two.end()


async def test_of_a_lesson_on_two_workers_only_the_viewers_of_the_killed_one_are_lost(
    start: Start, figures: Figures
) -> None:
    server = await start(SPREAD)
    lesson = LightLesson(server, "one", rooms=2, homes=4)
    what = "worker of viewers only killed, 2 rooms + 4 homes"
    try:
        await lesson.begin()
        far = [c for c in lesson.viewers if lesson.worker_index(c) == 1]
        near = [c for c in lesson.viewers if lesson.worker_index(c) == 0]
        assert far
        assert near
        lesson.watch()
        since = kill(worker_pid(server, 1))
        back_s = await until(lambda: all(has_media(c, since) for c in far), 10, "back")
        await asyncio.sleep(1.0)
        figures.add(what, "picture and sound back at its viewers, s", f"{back_s:.2f}", "3")
        figures.add(what, "packets lost by the others", str(sum(c.lost() for c in near)), "0")
        assert back_s <= 3.0
        assert sum(c.lost() for c in near) == 0
        assert not any(c.losses for c in [lesson.lead, *near])
        assert [[m["uplink"], m["downlink"]] for c in far for _, m in c.losses] == [
            [False, True] for _ in far
        ]
        await lesson.call_on("room-1", [lesson.lead, *lesson.viewers[1:]])
    finally:
        await lesson.end()


async def test_of_a_lesson_on_two_workers_the_one_of_its_publishers_may_die(
    start: Start, figures: Figures
) -> None:
    server = await start(SPREAD)
    lesson = LightLesson(server, "one", rooms=2, homes=4)
    what = "worker of the publishers killed, 2 rooms + 4 homes"
    try:
        await lesson.begin()
        far = [c for c in lesson.viewers if lesson.worker_index(c) == 1]
        before = [c.downlink for c in far]
        since = kill(worker_pid(server, 0))
        back_s = await until(lambda: all(has_media(c, since) for c in lesson.viewers), 10, "back")
        figures.add(what, "picture and sound back at all, s", f"{back_s:.2f}", "3")
        assert back_s <= 3.0
        # Viewers elsewhere publish too (their cameras are lost), but they receive as before.
        assert [c.downlink for c in far] == before
        assert [[m["uplink"], m["downlink"]] for c in far for _, m in c.losses] == [
            [True, False] for _ in far
        ]
        await lesson.call_on("home-4", [lesson.lead, *lesson.viewers[:-1]])
    finally:
        await lesson.end()


def has_media(client: LastingClient, since: float) -> bool:
    """Picture and sound of the lead came after the first pause that followed ``since``."""
    started = since + SETTLED_S
    return all(client.latest.get(kind, 0.0) > started for kind in LEAD_MEDIA)
