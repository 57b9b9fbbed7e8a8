"""Redis dies in mid-lesson: commands are refused, nothing acknowledged is lost, media goes on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hosting.page import Page, token
from hosting.running import Running, running_server
from light.ports import free_port
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.messages import Ack, CallOn, Error, LeaveStage, OpenLesson, Resume
from twinclass_signaling.roles import Role

PORTS = free_port(18)
#: Redis that is silent for this long is away.
SHORT = {"TWINCLASS_REDIS__TIMEOUT_S": "2"}

ROOM = ParticipantId("room-1")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_server(tmp_path / "data", PORTS, SHORT) as found:
        await found.create_lesson()
        yield found


async def retry(page: Page, command: CallOn | LeaveStage | OpenLesson, number: int) -> Ack:
    async with asyncio.timeout(15):
        while True:
            answer = await page.command(command, number)
            if isinstance(answer, Ack):
                return answer
            assert answer.code == "log_unavailable"
            assert answer.retry_after_s > 0
            await asyncio.sleep(0.2)


async def test_a_killed_redis_comes_back_and_keeps_what_was_acknowledged(server: Running) -> None:
    lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    room, _ = await Page.enter(server.port, token(server.keys, Role.ROOM, "room-1"))
    assert isinstance(await lead.command(OpenLesson()), Ack)
    acknowledged = await lead.command(CallOn(ROOM))
    assert isinstance(acknowledged, Ack)
    os.kill(server.redis_pid(), signal.SIGKILL)
    refused = await lead.command(LeaveStage(ROOM), 50)
    assert isinstance(refused, Error)
    assert refused.code == "log_unavailable"
    assert "画面声音不受影响" in refused.text.zh
    assert not server.media.closed
    assert (await retry(lead, LeaveStage(ROOM), 50)).seq > acknowledged.seq
    assert (await lead.command(LeaveStage(ROOM), 51)) == Error(
        "not_on_stage",
        refused.text.__class__("对方不在台上。", "They are not on stage."),
        id=51,
    )
    assert server.lessons_host().state.phase == "live"
    await lead.close()
    await room.close()


async def test_a_page_that_loses_its_line_meanwhile_resumes_without_the_log(
    server: Running,
) -> None:
    lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    key = token(server.keys, Role.ROOM, "room-1")
    room, welcome = await Page.enter(server.port, key)
    pid = server.redis_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        refused = await lead.command(OpenLesson())
        assert isinstance(refused, Error)
        await room.drop()
        room, back = await Page.enter(server.port, key, Resume(welcome.session, welcome.secret))
        assert back.resumed
    finally:
        os.kill(pid, signal.SIGCONT)
    await retry(lead, CallOn(ROOM), 90)
    seat = server.lessons_host().state.seats[ROOM]
    assert (seat.presence, seat.turns) == ("present", 1)
    await lead.close()
    await room.close()


async def test_a_restarted_server_knows_its_lesson_and_its_sessions(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running_server(data, PORTS + 5, SHORT) as server:
        await server.create_lesson()
        key = token(server.keys, Role.LEAD, "lead", name="示例老师")
        lead, welcome = await Page.enter(server.port, key)
        await Page.enter(server.port, token(server.keys, Role.ROOM, "room-1"))
        acknowledged = await lead.command(OpenLesson(), 3)
        await lead.command(CallOn(ROOM), 4)
    async with running_server(data, PORTS + 5, SHORT) as server:
        lead, back = await Page.enter(server.port, key, Resume(welcome.session, welcome.secret))
        assert back.session == welcome.session
        assert back.lesson.phase == "live"
        assert [place.participant for place in back.lesson.stage] == [ROOM]
        assert await lead.command(OpenLesson(), 3) == acknowledged
        await lead.close()


async def test_snapshots_shorten_the_replay(tmp_path: Path) -> None:
    environment = {"TWINCLASS_LESSON__SNAPSHOT_EVERY": "10"}
    data = tmp_path / "data"
    async with running_server(data, PORTS + 8, environment) as server:
        await server.create_lesson()
        lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
        room, _ = await Page.enter(server.port, token(server.keys, Role.ROOM, "room-1"))
        for _ in range(5):
            await lead.command(CallOn(ROOM))
            await lead.command(LeaveStage(ROOM))
        log = server.lessons_host().log
        assert await log.read_snapshot() is not None
        before = server.lessons_host().state
        await lead.close()
        await room.close()
    async with running_server(data, PORTS + 8, environment) as server:
        async with asyncio.timeout(5):
            while not server.has_host():
                await asyncio.sleep(0.02)
        after = server.lessons_host().state
        assert after.seats[ROOM].turns == before.seats[ROOM].turns == 5
