"""Who may look, what is seen, and how often a look is really taken."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from hosting.page import Page, token
from hosting.running import Running, running_server
from light.ports import free_port
from twinclass_server.operations.status import Operations
from twinclass_server.school import staff_path
from twinclass_signaling.roles import Role

PORTS = free_port(3)
PATH = "/api/operations"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_server(tmp_path / "d", PORTS) as found:
        yield found


@pytest.fixture
async def http(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, base_url=server.public_url) as client:
        yield client


def staff(server: Running, role: str = "operator") -> dict[str, str]:
    path = staff_path(server.keys, role, "somebody", "", 600)
    return {"Authorization": f"Bearer {path.partition('token=')[2]}"}


async def look(http: httpx.AsyncClient, server: Running) -> Operations:
    answer = await http.get(PATH, headers=staff(server))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return msgspec.json.decode(answer.content, type=Operations)


async def test_only_an_operator_may_look(server: Running, http: httpx.AsyncClient) -> None:
    await server.create_lesson()
    assert (await http.get(PATH)).status_code == 401
    seat = {"Authorization": f"Bearer {token(server.keys, Role.LEAD, 'lead')}"}
    assert (await http.get(PATH, headers=seat)).status_code == 401
    for role in ("lead", "librarian"):
        refused = await http.get(PATH, headers=staff(server, role))
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert "algebra" not in refused.text
    assert (await http.get(PATH, headers=staff(server))).status_code == 200
    assert (await http.post(PATH, headers=staff(server))).status_code == 405


async def test_a_lesson_is_seen_with_its_rooms_and_without_a_child_s_name(
    server: Running, http: httpx.AsyncClient
) -> None:
    await server.create_lesson()
    key = token(server.keys, Role.ROOM, "room-1")
    room, _ = await Page.enter(server.port, key)
    child = token(server.keys, Role.HOME_LEARNER, "home-1", name="示例学生小名")
    await Page.enter(server.port, child)
    found = await look(http, server)
    assert found.redis.is_up
    assert found.redis.memory_bytes
    assert found.database.is_up
    assert found.disk.free_bytes
    lesson = found.lessons[0]
    assert (lesson.phase, lesson.rooms_present, lesson.rooms_expected) == ("pre_class", 1, 2)
    assert (lesson.homes_present, lesson.homes_expected) == (1, 2)
    lights = {room.id: (room.state, room.code) for room in lesson.rooms}
    assert lights == {"room-1": ("amber", "no_media"), "room-2": ("grey", "waiting")}
    assert "示例学生小名" not in msgspec.json.encode(found).decode()
    await room.drop()
    await asyncio.sleep(1.05)  # A look is good for a second.
    lost = (await look(http, server)).lessons[0].rooms[0]
    assert (lost.id, lost.state, lost.code) == ("room-1", "red", "lost")


async def test_many_who_look_at_once_cost_one_look(
    server: Running, http: httpx.AsyncClient
) -> None:
    answers = await asyncio.gather(*(http.get(PATH, headers=staff(server)) for _ in range(30)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) <= 2


async def test_redis_that_hangs_is_told_and_the_page_still_answers(
    tmp_path: Path,
) -> None:
    async with (
        running_server(tmp_path / "d", PORTS, {"TWINCLASS_REDIS__TIMEOUT_S": "0.5"}) as server,
        httpx.AsyncClient(trust_env=False, base_url=server.public_url) as http,
    ):
        os.kill(server.redis_pid(), signal.SIGSTOP)
        try:
            found = await look(http, server)
        finally:
            os.kill(server.redis_pid(), signal.SIGCONT)
        assert not found.redis.is_up
        assert found.needs[0].code == "redis_away"
