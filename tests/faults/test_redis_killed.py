"""Redis dies in mid-lesson: media goes on, commands are refused clearly, nothing is forgotten."""

from __future__ import annotations

import asyncio
import time

import psutil
import pytest

from e2e.conftest import Server
from faults.conftest import Start
from faults.lesson import LEAD_MEDIA, Figures, LightLesson, kill, until
from twinclass_signaling.roles import Role

pytestmark = pytest.mark.timeout(360)


def redis_pid(server: Server) -> int:
    """The Redis of a data folder."""
    folder = str(server.data / "redis")
    for process in psutil.process_iter(["pid", "cwd", "name"]):
        if process.info["cwd"] == folder:
            return int(process.info["pid"])
    raise LookupError("no redis")


async def test_media_goes_on_without_redis_and_acknowledged_commands_are_kept(
    start: Start, figures: Figures
) -> None:
    server = await start({})
    lesson = LightLesson(server, "one", rooms=2, homes=1)
    what = "redis killed, 2 rooms + 1 home"
    try:
        await lesson.begin()
        await lesson.call_on("room-1", [lesson.lead, *lesson.viewers[1:]])
        await asyncio.sleep(0.3)
        lesson.watch()
        since = kill(redis_pid(server))
        refused = await lesson.lead.command("call_on", participant="room-2")
        figures.add(what, "first refusal after, s", f"{time.monotonic() - since:.2f}")
        assert refused["type"] == "error"
        assert refused["code"] == "log_unavailable"
        assert refused["retry_after_s"] > 0
        assert "画面声音不受影响" in refused["text"]["zh"]
        tries = 1
        while True:
            answer = await lesson.lead.command("call_on", participant="room-2")
            tries += 1
            if answer["type"] == "ack":
                break
            # Refused, or found in the log after all: never anything else.
            assert answer["code"] in {"log_unavailable", "already_on_stage"}, answer
            if answer["code"] == "already_on_stage":
                break
            await asyncio.sleep(0.1)
        figures.add(what, "commands taken again after, s", f"{time.monotonic() - since:.2f}")
        others = [client for client in lesson.clients if client.participant != "room-2"]

        def room_is_heard() -> bool:
            streams = [c.stream("stage", "audio", "room-2") for c in others]
            return all(s is not None and s.last_at > since for s in streams)

        await until(room_is_heard, 5, "room-2 is heard")
        await asyncio.sleep(0.5)
        pause_ms = 1000 * lesson.worst_pause(*LEAD_MEDIA, ("stage", "audio"))
        figures.add(what, "packets lost", str(lesson.lost()), "0")
        figures.add(what, "longest pause of picture or sound, ms", f"{pause_ms:.0f}")
        assert lesson.lost() == 0
        assert pause_ms < 1000
        assert not any(client.losses or client.resumed for client in lesson.clients)
        assert not any(client.gaps for client in lesson.clients)
        await lesson.lead.leave()
        lesson.clients[0] = lesson.client(Role.LEAD, "lead")
        await lesson.lead.join()
        view = lesson.lead.welcome["lesson"]
        assert [place["participant"] for place in view["stage"]] == ["room-1", "room-2"]
    finally:
        await lesson.end()
