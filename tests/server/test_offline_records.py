"""Records taken without a line, through the front door: once in the log, errors counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hosting.page import Page, token
from hosting.running import Running, running_server
from hosting.tools import plan_with
from light.ports import free_port
from twinclass_signaling.ids import LessonId, PersonId
from twinclass_signaling.lesson.tool_events import OfflineRecorded
from twinclass_signaling.messages import Ack, Error, OpenLesson, Resume
from twinclass_signaling.offline_records import OfflineHands, OfflineRoll
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import RecordOffline

PORTS = free_port(13)
KEY = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    environment = {"TWINCLASS_LESSON__SEAT_KEEP_S": "1"}
    async with running_server(tmp_path / "data", PORTS, environment) as found:
        assert found.server.lessons is not None
        await found.server.lessons.create(LessonId("algebra"), plan_with())
        lead, _ = await Page.enter(found.port, token(found.keys, Role.LEAD, "lead"))
        assert isinstance(await lead.command(OpenLesson()), Ack)
        yield found


async def recorded(server: Running) -> Counter[str]:
    assert server.server.lessons is not None
    host = await server.server.lessons.host(LessonId("algebra"))
    facts = [event.event for event in await host.events()]
    return Counter(fact.key for fact in facts if isinstance(fact, OfflineRecorded))


async def refusals(server: Running, code: str) -> float:
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{server.admin_url}/metrics")).text
    name = f'twinclass_commands_refused_total{{code="{code}",kind="offline_record"}} '
    return sum(float(line.removeprefix(name)) for line in text.splitlines() if name in line)


async def sent(page: Page, key: str) -> str:
    answer = await page.command(RecordOffline(key, time.time(), OfflineHands(2)))
    return answer.code if isinstance(answer, Error) else ""


async def test_a_record_is_in_the_log_once_whatever_is_lost_on_the_way(server: Running) -> None:
    link = token(server.keys, Role.ASSISTANT, "helper", room="room-1")
    record = RecordOffline(KEY, time.time(), OfflineRoll((PersonId("pupil-1"),)))
    page, welcome = await Page.enter(server.port, link)
    assert isinstance(await page.command(record, 1), Ack)
    # The acknowledgement is lost, the line as well; within the time of the seat, then after it.
    await page.drop()
    page, welcome = await Page.enter(server.port, link, Resume(welcome.session, welcome.secret))
    assert welcome.resumed
    assert [one.key for one in welcome.lesson.tools.offline.records] == [KEY]
    assert isinstance(await page.command(record, 2), Ack)
    await page.close()
    page, welcome = await Page.enter(server.port, link)
    assert not welcome.resumed
    assert isinstance(await page.command(record, 1), Ack)
    assert await recorded(server) == {KEY: 1}


async def test_forged_and_late_and_too_many_are_refused_and_counted(server: Running) -> None:
    link = token(server.keys, Role.ASSISTANT, "helper", room="room-1")
    page, _ = await Page.enter(server.port, link)
    hands = OfflineHands(2)
    assert isinstance(await page.command(RecordOffline(KEY, time.time(), hands)), Ack)
    wrong = [
        (RecordOffline(KEY, time.time(), OfflineHands(3)), "offline_key_reused"),
        (RecordOffline("another-key", time.time() - 3600, hands), "offline_time"),
        (RecordOffline("another-key", time.time() + 3600, hands), "offline_time"),
        (RecordOffline("another-key", time.time(), OfflineHands(900)), "count_out_of_range"),
    ]
    for command, code in wrong:
        answer = await page.command(command)
        assert isinstance(answer, Error)
        assert (answer.code, answer.fatal) == (code, False)
        assert answer.text.zh
        assert answer.text.en
    assert await refusals(server, "offline_time") == 2
    assert await refusals(server, "offline_key_reused") == 1
    # A broken key is a broken message; the line stays.
    await page.send_text(
        '{"type":"command","id":90,"command":{"type":"offline_record","key":"../../etc",'
        '"taken_at":1,"record":{"type":"hands","count":1}}}'
    )
    assert (await page.wait_for(Error)).code == "message_malformed"
    # Twenty come at once, further ones as fast as they are logged; to hurry loses none of them.
    codes = [await sent(page, f"record-{number:04d}") for number in range(20)]
    assert "" in codes
    assert set(codes) <= {"", "rate_limited"}
    assert (await recorded(server))["record-0000"] == 1
