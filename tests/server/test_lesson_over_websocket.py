"""A lesson through the front door: real WebSockets, real Redis, no media."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hosting.page import Page, token
from hosting.running import Running, running_server
from light.ports import free_port
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.events import StageEntered, StageLeft
from twinclass_signaling.messages import (
    Ack,
    CallOn,
    CloseLesson,
    Error,
    Fenced,
    Goodbye,
    OpenLesson,
    Presence,
    PublishAnswer,
    PublishedTrack,
    PublishOffer,
    Resume,
)
from twinclass_signaling.roles import Role

PORTS = free_port(10)

ROOM = ParticipantId("room-1")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_server(tmp_path / "data", PORTS) as found:
        await found.create_lesson()
        yield found


async def test_a_room_that_is_called_on_is_seen_and_heard(server: Running) -> None:
    lead, welcome = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    assert welcome.lesson.phase == "pre_class"
    assert welcome.lesson.counts.rooms_expected == 2
    room, at_room = await Page.enter(server.port, token(server.keys, Role.ROOM, "room-1"))
    home, at_home = await Page.enter(
        server.port, token(server.keys, Role.HOME_LEARNER, "home-1", name="示例学生")
    )
    assert at_room.name == "七(1)班"
    await room.send(PublishOffer(1, "v=0", (PublishedTrack("0", "camera"),)))
    assert (await room.wait_for(PublishAnswer)).n == 1
    assert isinstance(await lead.command(OpenLesson()), Ack)
    assert isinstance(await lead.command(CallOn(ROOM)), Ack)
    assert (await home.wait_event(StageEntered)).participant == ROOM
    grants = {grant.source: grant for grant in server.media.grants[ROOM]}
    assert grants["microphone"].open
    assert grants["camera"].full
    stage = [s for s in server.media.wanted[at_home.session] if s.use == "stage"]
    assert [s.participant for s in stage if s.index == 0] == [ROOM, ROOM]
    assert [s.participant for s in stage if s.index == 1] == [None, None]
    again = await lead.command(CallOn(ROOM))
    assert isinstance(again, Error)
    assert again.code == "already_on_stage"
    refused = await home.command(CallOn(ROOM))
    assert isinstance(refused, Error)
    assert refused.code == "forbidden"
    for page in (lead, room, home):
        await page.close()


async def test_a_repeated_command_is_done_once(server: Running) -> None:
    lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    room, _ = await Page.enter(server.port, token(server.keys, Role.ROOM, "room-1"))
    first = await lead.command(CallOn(ROOM), 7)
    second = await lead.command(CallOn(ROOM), 7)
    assert isinstance(first, Ack)
    assert first == second
    await lead.close()
    await room.close()


async def test_a_lost_room_resumes_its_seat_and_its_place_on_stage(server: Running) -> None:
    lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    key = token(server.keys, Role.ROOM, "room-1")
    room, welcome = await Page.enter(server.port, key)
    await lead.command(CallOn(ROOM))
    await room.drop()
    lost = await lead.wait_for(Presence)
    while not any(view.id == ROOM and view.presence == "lost" for view in lost.participants):
        lost = await lead.wait_for(Presence)
    resume = Resume(welcome.session, welcome.secret)
    room, back = await Page.enter(server.port, key, resume)
    assert back.resumed
    assert back.session == welcome.session
    assert [place.participant for place in back.lesson.stage] == [ROOM]
    other, replayed = await Page.enter(server.port, key, resume)
    assert not replayed.resumed
    assert replayed.session != welcome.session
    await room.wait_for(Fenced)
    assert await room.wait_closed() == 4409
    await lead.close()
    await other.close()


async def test_a_device_that_may_not_take_the_seat_is_told(server: Running) -> None:
    key = token(server.keys, Role.HOME_LEARNER, "home-1")
    first, _ = await Page.enter(server.port, key)
    from twinclass_signaling.messages import Authenticate

    second = await Page.open(server.port)
    await second.send(Authenticate(key, use_here=False))
    error = await second.wait_for(Error)
    assert (error.code, error.fatal) == ("seat_taken", True)
    await first.close()


async def test_names_of_pupils_are_told_to_staff_only_until_they_are_on_stage(
    server: Running,
) -> None:
    lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    home, _ = await Page.enter(
        server.port, token(server.keys, Role.HOME_LEARNER, "home-1", name="示例学生")
    )
    other, at_other = await Page.enter(
        server.port, token(server.keys, Role.HOME_LEARNER, "home-2", name="示例同学")
    )
    seen = {view.id for view in at_other.lesson.participants}
    assert seen == {"lead", "room-1", "room-2", "home-2"}
    await lead.command(CallOn(ParticipantId("home-1")))
    await other.wait_event(StageEntered)
    told = [m for m in other.seen if isinstance(m, Presence)]
    names = {view.id: view.name for message in told for view in message.participants}
    assert names["home-1"] == "示例学生"
    for page in (lead, home, other):
        await page.close()


async def test_the_close_says_goodbye_and_keeps_the_log(server: Running) -> None:
    lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    room, _ = await Page.enter(server.port, token(server.keys, Role.ROOM, "room-1"))
    await lead.command(OpenLesson())
    await lead.command(CallOn(ROOM))
    assert isinstance(await lead.command(CloseLesson()), Ack)
    assert (await room.wait_event(StageLeft)).reason == "lesson_closed"
    assert (await room.wait_for(Goodbye)).reason == "lesson_closed"
    assert await room.wait_closed() == 4410
    late = await Page.open(server.port)
    from twinclass_signaling.messages import Authenticate

    await late.send(Authenticate(token(server.keys, Role.LEAD, "lead")))
    assert (await late.wait_for(Error)).code == "lesson_closed"
    kept = list(server.folder.lessons.glob("algebra-*.jsonl"))
    assert len(kept) == 1
    assert b"lesson_closed" in kept[0].read_bytes()
    assert "algebra" in server.media.closed


async def test_a_lesson_that_found_no_room_for_its_log_is_put_away_by_the_next_server(
    tmp_path: Path,
) -> None:
    async with running_server(tmp_path / "data", PORTS) as server:
        await server.create_lesson()
        lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
        await lead.command(OpenLesson())
        folder = server.folder.lessons
        folder.write_text("as good as a full disk")
        assert isinstance(await lead.command(CloseLesson()), Ack)
        assert (await lead.wait_for(Goodbye)).reason == "lesson_closed"
        await lead.close()
    folder.unlink()
    async with running_server(tmp_path / "data", PORTS):
        async with asyncio.timeout(20):
            while not list(folder.glob("algebra-*.jsonl")):
                await asyncio.sleep(0.05)
    (kept,) = folder.glob("algebra-*.jsonl")
    assert b"lesson_closed" in kept.read_bytes()


async def test_metrics_and_health_answer(server: Running) -> None:
    lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    await lead.command(OpenLesson())
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{server.public_url}/healthz")).text == "ok\n"
        assert (await client.get(f"{server.public_url}/readyz")).json()["ready"]
        metrics = (await client.get(f"{server.admin_url}/metrics")).text
        assert (await client.get(f"{server.public_url}/api/portal")).status_code == 404
        page = await client.get(f"{server.public_url}/lead")
    assert 'twinclass_participants{role="lead"} 1.0' in metrics
    assert "twinclass_live_lessons 1.0" in metrics
    assert "twinclass_redis_up 1.0" in metrics
    assert "twinclass_media_forward_delay_seconds" in metrics
    assert "process_cpu_seconds_total" in metrics
    assert "default-src 'self'" in page.headers["content-security-policy"]
    await lead.close()
