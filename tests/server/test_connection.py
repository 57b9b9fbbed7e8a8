"""A client's way out: what waits goes together, in order and bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hosting.page import Page, token
from hosting.running import Running, running_server
from light.ports import free_port
from twinclass_server.connection import MAX_WRITE_CHARS, Connection
from twinclass_server.errors import CLOSE_NORMAL, CLOSE_TRY_LATER
from twinclass_signaling.messages import Ping, Pong
from twinclass_signaling.roles import Role

PORTS = free_port(4)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_server(tmp_path / "data", PORTS) as found:
        await found.create_lesson()
        yield found


async def test_what_waits_is_taken_together_and_then_the_close() -> None:
    connection = Connection(10)
    for frame in ("a", "b", "c"):
        connection.send_frame(frame)
    connection.close(CLOSE_NORMAL)
    connection.send_frame("too late")
    assert await connection.next_frames() == ["a", "b", "c"]
    assert await connection.next_frames() == CLOSE_NORMAL


async def test_no_more_is_taken_than_one_write_may_hold() -> None:
    connection = Connection(10)
    large = "x" * (MAX_WRITE_CHARS + 1)
    half = "y" * (MAX_WRITE_CHARS // 2)
    for frame in (large, half, half, half):
        connection.send_frame(frame)
    assert await connection.next_frames() == [large]
    assert await connection.next_frames() == [half, half]
    assert await connection.next_frames() == [half]


async def test_a_client_for_which_too_much_waits_is_stuck() -> None:
    connection = Connection(2)
    for _ in range(3):
        connection.send_frame("a")
    assert connection.is_closing
    assert await connection.wait_stuck() == CLOSE_TRY_LATER


async def test_frames_that_go_together_are_messages_of_their_own(server: Running) -> None:
    page, welcome = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    connection = server.lessons_host().seats.clients[welcome.session].connection
    assert connection is not None
    sent = [float(n) for n in range(50)]
    for sent_ms in sent:
        connection.send(Pong(sent_ms, 1.0))
    found = [(await page.wait_for(Pong)).sent_ms for _ in sent]
    assert found == sent
    await page.send(Ping(99.0))
    assert (await page.wait_for(Pong)).sent_ms == 99.0
