"""Two servers on one Redis, and one that dies: who may write, and what is left of the lesson."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hosting.page import Page, close_pages, token
from hosting.process import ServerProcess, server_process
from light.ports import free_port
from twinclass_server.adapters.redis_child import RedisChild
from twinclass_server.adapters.redis_connection import connect, lesson_key, lesson_scope
from twinclass_server.adapters.redis_lease import Lease, LeaseLost
from twinclass_server.adapters.redis_log import Acknowledgement, Fenced
from twinclass_server.signal.lesson_journal import LessonLog
from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId, SessionId
from twinclass_signaling.lesson.events import LessonClosed, StageEntered, StageLeft
from twinclass_signaling.messages import (
    Ack,
    Authenticate,
    CallOn,
    CloseLesson,
    Command,
    Error,
    Event,
    Goodbye,
    LeaveStage,
    OpenLesson,
    Resume,
    Welcome,
)
from twinclass_signaling.roles import Role

PORTS = free_port(46)

LESSON = LessonId("algebra")
SCOPE = lesson_scope(LESSON)
ROOM = ParticipantId("room-1")


@pytest.fixture
async def redis_url(tmp_path: Path) -> AsyncIterator[str]:
    child = RedisChild(tmp_path / "redis")
    await child.start()
    try:
        yield child.url
    finally:
        await close_pages()
        await child.stop()


async def test_only_the_holder_of_the_lease_writes(redis_url: str) -> None:
    redis = connect(redis_url, 2)
    first, second = (
        Lease(redis, SCOPE, "one", 0.15),
        Lease(redis, SCOPE, "two", 5),
    )
    await first.acquire()
    log = LessonLog(redis, SCOPE, first, Event)
    ack = Acknowledgement(SessionId("s"), 4, EventSeq(1))
    event = b'{"type":"event","seq":1,"at":1.0,"event":{"type":"lesson_opened","actor":"lead"}}'
    await log.append(1, [event], [ack])
    assert await log.acknowledged(SessionId("s")) == {4: 1}
    with pytest.raises(LeaseLost):
        await second.acquire()
    await asyncio.sleep(0.2)
    await second.acquire()
    assert second.epoch == first.epoch + 1
    with pytest.raises(Fenced):
        await log.append(2, [event], [])
    with pytest.raises(Fenced):
        await log.write_snapshot(b"x")
    assert not await first.renew()
    with pytest.raises(LeaseLost):
        await first.ensure()
    assert await log.last() == 1
    with pytest.raises(InvalidState):
        await LessonLog(redis, SCOPE, second, Event).append(5, [event], [])
    await redis.aclose()


async def test_a_lease_that_ran_out_unnoticed_is_taken_again(redis_url: str) -> None:
    redis = connect(redis_url, 2)
    lease = Lease(redis, SCOPE, "one", 0.1)
    await lease.acquire()
    await asyncio.sleep(0.15)
    await lease.ensure()
    assert lease.epoch == 2
    other = Lease(redis, SCOPE, "two", 0.1)
    await asyncio.sleep(0.15)
    await other.acquire()
    await other.release()
    with pytest.raises(LeaseLost):
        await lease.ensure()
    await redis.aclose()


async def test_a_lease_is_ours_although_the_answer_to_an_acquisition_was_lost(
    redis_url: str,
) -> None:
    redis = connect(redis_url, 2)
    lease = Lease(redis, SCOPE, "one", 0.1)
    await lease.acquire()
    await asyncio.sleep(0.15)
    # What a call did whose answer came too late, and the keeper beside a journal that recovers.
    await Lease(redis, SCOPE, "one", 0.1).acquire()
    await asyncio.gather(lease.ensure(), lease.ensure())
    assert await lease.renew()
    await asyncio.sleep(0.15)
    other = Lease(redis, SCOPE, "two", 0.1)
    await other.acquire()
    await other.release()
    await Lease(redis, SCOPE, "one", 0.1).acquire()
    with pytest.raises(LeaseLost):
        await lease.ensure()
    await redis.aclose()


async def enter_at_last(
    server: ServerProcess, key: str, resume: Resume | None
) -> tuple[Page, Welcome]:
    """Comes in as a page does: told to come again while another server owns the lesson."""
    async with asyncio.timeout(15):
        while True:
            page = await Page.open(server.port)
            await page.send(Authenticate(key, resume=resume))
            first = await page.receive()
            if isinstance(first, Welcome):
                return page, first
            assert isinstance(first, Goodbye)
            assert first.reason == "moved"
            await page.wait_closed()
            await asyncio.sleep(0.2)


async def test_a_frozen_owner_is_replaced_and_its_next_write_refused(
    tmp_path: Path, redis_url: str
) -> None:
    extra = {"TWINCLASS_REDIS__URL": redis_url, "TWINCLASS_LESSON__LEASE_S": "1.5"}
    one, two = (
        ServerProcess(tmp_path / "one", PORTS, extra),
        ServerProcess(tmp_path / "two", PORTS + 4, extra),
    )
    keys = one.keys
    shutil.copy(tmp_path / "one" / "token-keys.json", tmp_path / "two" / "token-keys.json")
    try:
        await one.start()
        await one.create_lesson()
        await two.start()
        lead_key = token(keys, Role.LEAD, "lead")
        lead, welcome = await Page.enter(one.port, lead_key)
        await Page.enter(one.port, token(keys, Role.ROOM, "room-1"))
        await lead.command(OpenLesson(), 1)
        acknowledged = await lead.command(CallOn(ROOM), 2)
        assert isinstance(acknowledged, Ack)
        one.signal(signal.SIGSTOP)
        resume = Resume(welcome.session, welcome.secret)
        page, at_two = await enter_at_last(two, lead_key, resume)
        assert at_two.lesson.phase == "live"
        assert [place.participant for place in at_two.lesson.stage] == [ROOM]
        assert at_two.lesson.seq >= acknowledged.seq
        assert isinstance(await page.command(LeaveStage(ROOM), 3), Ack)
        one.signal(signal.SIGCONT)
        assert (await lead.wait_for(Goodbye)).reason == "moved"
        events = [entry for entry in one.log_lines() if "another process owns" in str(entry)]
        assert events
        again = await page.command(LeaveStage(ROOM), 3)
        assert isinstance(again, Ack)
    finally:
        await close_pages()
        await one.end()
        await two.end()


async def test_the_first_write_of_an_owner_that_slept_is_refused_and_nothing_acknowledged_is_lost(
    tmp_path: Path, redis_url: str
) -> None:
    # The lease is so long that waking up the owner does not renew it at once: what it learns it
    # learns from its write.
    extra = {"TWINCLASS_REDIS__URL": redis_url, "TWINCLASS_LESSON__LEASE_S": "60"}
    one, two = (
        ServerProcess(tmp_path / "one", free_port(4), extra),
        ServerProcess(tmp_path / "two", free_port(4), extra),
    )
    keys = one.keys
    shutil.copy(tmp_path / "one" / "token-keys.json", tmp_path / "two" / "token-keys.json")
    redis = connect(redis_url, 2)
    try:
        await one.start()
        await one.create_lesson()
        await two.start()
        lead_key = token(keys, Role.LEAD, "lead")
        lead, welcome = await Page.enter(one.port, lead_key)
        await Page.enter(one.port, token(keys, Role.ROOM, "room-1"))
        acks = [await lead.command(OpenLesson(), 1), await lead.command(CallOn(ROOM), 2)]
        one.signal(signal.SIGSTOP)
        await redis.pexpire(lesson_key(LESSON, "lease"), 1)  # as if it had slept for longer
        page, _ = await enter_at_last(two, lead_key, Resume(welcome.session, welcome.secret))
        acks.append(await page.command(LeaveStage(ROOM), 3))
        # This lies in the socket of the owner that sleeps.
        await lead.send(Command(4, CloseLesson()))
        one.signal(signal.SIGCONT)
        refused = await lead.wait_for(Error)
        assert (refused.id, refused.code) == (4, "log_unavailable")
        assert (await lead.wait_for(Goodbye)).reason == "moved"
        assert any(entry.get("text") == "append failed: fenced" for entry in one.log_lines())
        # All that was acknowledged is in the log, in order; what was refused is not.
        await Page.enter(two.port, token(keys, Role.ROOM, "room-1"))
        acks.append(await page.command(CallOn(ROOM), 5))
        assert all(isinstance(ack, Ack) for ack in acks)
        log = LessonLog(redis, SCOPE, Lease(redis, SCOPE, "reader", 1), Event)
        events = [event async for event, _ in log.read(EventSeq(0))]
        seqs = [ack.seq for ack in acks if isinstance(ack, Ack)]
        assert seqs == sorted(seqs)
        assert seqs[-1] <= events[-1].seq
        kinds = [type(event.event) for event in events]
        assert kinds.count(StageEntered) == 2
        assert StageLeft in kinds
        assert LessonClosed not in kinds
    finally:
        await redis.aclose()
        await close_pages()
        await one.end()
        await two.end()


async def test_a_killed_server_comes_back_to_its_workers_and_its_lesson(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", PORTS + 8)
    try:
        await server.start()
        await server.create_lesson()
        key = token(server.keys, Role.LEAD, "lead")
        lead, welcome = await Page.enter(server.port, key)
        acknowledged = await lead.command(OpenLesson(), 1)
        assert isinstance(acknowledged, Ack)
        workers = worker_pids(server)
        assert workers
        server.signal(signal.SIGKILL)
        await server.wait()
        await close_pages()
        await server.start()
        assert worker_pids(server) == workers
        page, back = await Page.enter(server.port, key, Resume(welcome.session, welcome.secret))
        assert back.session == welcome.session
        assert back.lesson.phase == "live"
        assert await page.command(OpenLesson(), 1) == acknowledged
    finally:
        await close_pages()
        await server.end()
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def worker_pids(server: ServerProcess) -> list[int]:
    """The last start's workers, from what it logged."""
    starts = re.findall(r"worker \d+ attached, pid (\d+)", server.log_text())
    return [int(starts[-1])] if starts else []


async def test_a_drain_says_goodbye_and_a_second_server_is_told_who_holds_the_folder(
    tmp_path: Path,
) -> None:
    async with server_process(tmp_path / "data", PORTS + 12) as server:
        await server.create_lesson()
        page, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
        second = ServerProcess(tmp_path / "data", PORTS + 16)
        with pytest.raises(
            AssertionError, match=f"process {server.process.pid}, http port {PORTS + 12}"
        ):
            await second.start()
        server.signal(signal.SIGTERM)
        goodbye = await page.wait_for(Goodbye)
        assert goodbye.reason == "drain"
        assert goodbye.reconnect_after_s is not None
        assert await server.wait() == 0
        await close_pages()


async def test_a_second_signal_does_not_wait_for_clients_that_do_not_listen(
    tmp_path: Path,
) -> None:
    async with server_process(tmp_path / "data", PORTS + 36) as server:
        await server.create_lesson()
        deaf, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
        deaf.socket.transport.pause_reading()
        server.signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        server.signal(signal.SIGTERM)
        async with asyncio.timeout(3):
            assert await server.wait() == 1
        await close_pages()
