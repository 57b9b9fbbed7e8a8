"""What a WebSocket client may do wrong, and that it costs only itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from hosting.page import Page, token
from hosting.running import Running, running_server
from light.ports import free_port
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.messages import (
    Ack,
    Authenticate,
    CallOn,
    Error,
    OpenLesson,
    Ping,
    Pong,
    PublishAnswer,
    PublishedTrack,
    PublishOffer,
    SubscribeAnswer,
)
from twinclass_signaling.roles import Role

PORTS = free_port(13)

DEEP = '{"type":"ping","sent_ms":' + "[" * 50_000 + "]" * 20_000 + "}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    environment = {"TWINCLASS_LESSON__AUTHENTICATE_S": "0.5"}
    async with running_server(tmp_path / "data", PORTS, environment) as found:
        await found.create_lesson()
        yield found


async def refused(server: Running, text: str) -> tuple[str, int | None]:
    page = await Page.open(server.port)
    await page.send_text(text)
    error = await page.wait_for(Error)
    assert error.fatal
    assert error.text.zh
    assert error.text.en
    return error.code, await page.wait_closed()


@pytest.mark.parametrize(
    ("text", "code", "close_code"),
    [
        ("", "message_malformed", 1008),
        ("null", "message_malformed", 1008),
        ("{", "message_malformed", 1008),
        ('{"type":"nothing"}', "message_malformed", 1008),
        ('{"type":"authenticate"}', "message_malformed", 1008),
        ('{"type":"authenticate","token":"x","extra":1}', "message_malformed", 1008),
        (DEEP, "message_malformed", 1008),
        ('{"type":"ping","sent_ms":1}', "not_authenticated", 1008),
        (json.dumps({"type": "authenticate", "token": "a.b.c"}), "token_invalid", 4401),
        ('{"type":"ping","sent_ms":1,"x":"' + "x" * 100_000 + '"}', "message_too_large", 1008),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_first_message_that_is_wrong_is_answered_and_the_door_closed(
    server: Running, text: str, code: str, close_code: int
) -> None:
    assert await refused(server, text) == (code, close_code)


async def test_tokens_that_do_not_fit_are_told_apart(server: Running) -> None:
    for given, code, close_code in (
        (token(server.keys, Role.LEAD, "lead", ttl_s=-1), "token_expired", 4401),
        (token(server.keys, Role.LEAD, "lead", "nowhere"), "lesson_unknown", 4404),
    ):
        text = json.dumps({"type": "authenticate", "token": given})
        assert await refused(server, text) == (code, close_code)


async def test_silence_is_ended(server: Running) -> None:
    page = await Page.open(server.port)
    assert (await page.wait_for(Error)).code == "authenticate_timeout"
    assert await page.wait_closed() == 1008


async def test_another_protocol_is_not_accepted(server: Running) -> None:
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{server.port}/signal", proxy=None)


async def test_a_frame_that_is_far_too_big_closes_at_once(server: Running) -> None:
    page = await Page.open(server.port)
    await page.send_text("x" * 1_200_000)
    assert await page.wait_closed() == 1009


async def test_some_mistakes_are_forgiven_and_many_are_not(server: Running) -> None:
    page, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    for _ in range(4):
        await page.send_text('{"type":"nothing"}')
        assert not (await page.wait_for(Error)).fatal
    await page.send(Ping(1.0))
    assert (await page.wait_for(Pong)).sent_ms == 1.0
    await page.send(Authenticate(token(server.keys, Role.LEAD, "lead")))
    error = await page.wait_for(Error)
    assert error.fatal
    assert await page.wait_closed() == 1008


async def test_binary_frames_are_no_messages(server: Running) -> None:
    page, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    await page.socket.send(b"\x00" * 10)
    assert (await page.wait_for(Error)).code == "not_text"
    await page.close()


async def test_a_flood_is_slowed_and_then_ended_while_others_go_on(server: Running) -> None:
    lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    flood, _ = await Page.enter(server.port, token(server.keys, Role.ROOM, "room-1"))
    for _ in range(1000):
        await flood.send_text('{"type":"ping","sent_ms":1}')
    codes = []
    while True:
        error = await flood.wait_for(Error)
        codes.append(error.code)
        if error.fatal:
            break
    assert set(codes) == {"rate_limited"}
    assert len(codes) < 10
    assert await flood.wait_closed() == 1013
    assert isinstance(await lead.command(OpenLesson()), Ack)
    async with httpx.AsyncClient(trust_env=False) as client:
        metrics = (await client.get(f"{server.admin_url}/metrics")).text
    assert 'twinclass_protocol_errors_total{code="rate_limited"}' in metrics
    await lead.close()


async def test_commands_above_the_rate_are_each_answered(server: Running) -> None:
    lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    for _ in range(50):
        answer = await lead.command(CallOn(ParticipantId("room-1")))
        assert isinstance(answer, Error)
    assert answer.code == "rate_limited"
    assert answer.retry_after_s > 0
    await lead.close()


async def test_nobody_publishes_a_source_of_another_role(server: Running) -> None:
    room, _ = await Page.enter(server.port, token(server.keys, Role.ROOM, "room-1"))
    await room.send(PublishOffer(1, "v=0", (PublishedTrack("0", "screen"),)))
    assert (await room.wait_for(Error)).code == "forbidden"
    await room.send(PublishOffer(2, "rubbish", (PublishedTrack("0", "camera"),)))
    assert (await room.wait_for(Error)).code == "sdp_malformed"
    await room.send(SubscribeAnswer(9, "v=0"))
    assert (await room.wait_for(Error)).code == "offer_unknown"
    await room.send(PublishOffer(3, "v=0", (PublishedTrack("0", "camera"),)))
    assert (await room.wait_for(PublishAnswer)).n == 3
    await room.close()


async def test_a_client_that_never_reads_is_closed_and_others_go_on(tmp_path: Path) -> None:
    environment = {"TWINCLASS_LESSON__SEND_QUEUE": "20"}
    async with running_server(tmp_path / "slow", PORTS + 3, environment) as server:
        await server.create_lesson()
        lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
        slow, welcome = await Page.enter(server.port, token(server.keys, Role.ROOM, "room-1"))
        slow.socket.transport.pause_reading()
        host = server.lessons_host()
        client = host.seats.clients[welcome.session]
        assert client.connection is not None
        connection = client.connection
        for _ in range(400):
            connection.send_frame('{"type":"pong","sent_ms":1,"server_time":1}' + " " * 50_000)
            await asyncio.sleep(0)
        assert connection.is_closing
        assert isinstance(await lead.command(OpenLesson()), Ack)
        async with asyncio.timeout(5):
            while client.connection is not None:
                await asyncio.sleep(0.02)
        slow.socket.transport.resume_reading()
        assert await slow.wait_closed() in {1006, 1013}
        await lead.close()
