"""The control plane dies and comes back: media goes on, clients resume, tracks can be added."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from e2e.conftest import Server
from faults.conftest import Start
from faults.lesson import LEAD_MEDIA, Figures, LightLesson, until, worker_pid
from light.lasting import LastingClient

pytestmark = pytest.mark.timeout(360)

#: Viewers are spread over both workers from the fourth transport on.
SPREAD = {
    "TWINCLASS_MEDIA__WORKERS": "2",
    "TWINCLASS_MEDIA__SPREAD_LOAD": "0",
    "TWINCLASS_MEDIA__SPREAD_ABOVE": "3",
}


async def test_media_goes_on_without_a_control_plane(start: Start, figures: Figures) -> None:
    await lose_the_control_plane(await start({}), figures, "1 worker", rooms=2, homes=1)


async def test_media_goes_on_through_pipes_without_a_control_plane(
    start: Start, figures: Figures
) -> None:
    await lose_the_control_plane(
        await start(SPREAD), figures, "2 workers with pipes", rooms=2, homes=2
    )


@pytest.mark.full
async def test_a_larger_lesson_goes_on_without_a_control_plane(
    start: Start, figures: Figures
) -> None:
    await lose_the_control_plane(
        await start(SPREAD), figures, "2 workers with pipes", rooms=12, homes=12
    )


async def lose_the_control_plane(
    server: Server, figures: Figures, name: str, rooms: int, homes: int
) -> None:
    lesson = LightLesson(server, "one", rooms, homes)
    what = f"control plane killed, {rooms} rooms + {homes} homes, {name}"
    try:
        await lesson.begin()
        await lesson.call_on("room-2", others(lesson, "room-2"))
        workers = {lesson.worker_index(c) for c in lesson.viewers}
        pids = [worker_pid(server, index) for index in sorted(workers)]
        peers = [(c.uplink, c.downlink) for c in lesson.clients]
        assert all(uplink is not None and downlink is not None for uplink, downlink in peers)
        await asyncio.sleep(0.5)
        lesson.watch()
        acknowledged = max(client.last_seq for client in lesson.clients)
        since = time.monotonic()
        server.stop(signal.SIGKILL)
        await asyncio.sleep(0.5)
        server.start()
        await until(lambda: all(c.resumed for c in lesson.clients), 20, "all are back")
        back_s = time.monotonic() - since
        await asyncio.sleep(2.0)
        pause_ms = 1000 * lesson.worst_pause(*LEAD_MEDIA, ("stage", "audio"))
        figures.add(what, "all clients resumed, s", f"{back_s:.2f}")
        figures.add(what, "packets lost", str(lesson.lost()), "0")
        figures.add(what, "longest pause of picture or sound, ms", f"{pause_ms:.0f}")
        assert [worker_pid(server, index) for index in sorted(workers)] == pids
        assert lesson.lost() == 0
        assert pause_ms < 1000
        assert all(client.resumed == [True] for client in lesson.clients)
        assert not any(client.losses for client in lesson.clients)
        assert [(c.uplink, c.downlink) for c in lesson.clients] == peers
        # Nothing acknowledged is gone.
        view = lesson.lead.welcome["lesson"]
        assert view["seq"] >= acknowledged
        assert view["phase"] == "live"
        assert [place["participant"] for place in view["stage"]] == ["room-2"]
        # A further track reaches everybody, on connections of before.
        heard_s = await lesson.call_on("home-1", others(lesson, "home-1"))
        figures.add(what, "a call-on afterwards is heard after, s", f"{heard_s:.2f}", "2")
        assert [(c.uplink, c.downlink) for c in lesson.clients] == peers
        assert lesson.lost() == 0
    finally:
        await lesson.end()


def others(lesson: LightLesson, participant: str) -> list[LastingClient]:
    return [client for client in lesson.clients if client.participant != participant]
