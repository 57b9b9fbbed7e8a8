"""Two servers on one Redis and one PostgreSQL: one owns the evening, and the other when that one
is killed."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hosting.desk_page import DeskPage, close_desk_pages, desk_token
from hosting.process import ServerProcess
from light.ports import free_port
from server.roster.databases import postgres
from twinclass_server.adapters.redis_child import RedisChild
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.messages import Authenticate, Command, Goodbye, Welcome
from twinclass_signaling.desk.plan import QuestionId
from twinclass_signaling.desk.view_types import PupilView, TutorView
from twinclass_signaling.messages import Error
from twinclass_signaling.roles import Role

ONE = QuestionId(1)
__all__ = ["postgres"]  # A fixture.


@pytest.fixture
async def nodes(tmp_path: Path, postgres: str) -> AsyncIterator[list[ServerProcess]]:
    redis = RedisChild(tmp_path / "redis")
    await redis.start()
    extra = {
        "TWINCLASS_REDIS__URL": redis.url,
        "TWINCLASS_DATABASE__URL": postgres,
        "TWINCLASS_LESSON__LEASE_S": "1.5",
    }
    found = [ServerProcess(tmp_path / name, free_port(4), extra) for name in ("one", "two")]
    assert found[0].keys, "made when they are read first"
    shutil.copy(tmp_path / "one" / "token-keys.json", tmp_path / "two" / "token-keys.json")
    try:
        # One after the other: the first brings the database up to date.
        for node in found:
            await node.start("--demo")
        yield found
    finally:
        await close_desk_pages()
        for node in found:
            if node.process.returncode is None:
                await node.end()
        await redis.stop()


async def enter(nodes: list[ServerProcess], token: str) -> DeskPage:
    """Comes in as a page does behind a balancer: told that another server has the evening, or that
    one is away, it tries again and gets to the next. Returns it where it was let in."""
    async with asyncio.timeout(20):
        while True:
            for node in nodes:
                try:
                    page = await DeskPage.open(node.port)
                except OSError:
                    continue
                page.token = token
                await page.send(Authenticate(token))
                first = await first_of(page)
                if isinstance(first, Welcome):
                    return page
                if isinstance(first, Goodbye):
                    assert first.reason == "moved"
                    assert first.reconnect_after_s is not None
            await asyncio.sleep(0.2)


async def first_of(page: DeskPage) -> object:
    while not page.seen and not page.is_closed:
        await asyncio.sleep(0.01)
    return page.seen[0] if page.seen else None


async def test_everybody_comes_to_the_owner_and_what_was_asked_outlives_it(
    nodes: list[ServerProcess],
) -> None:
    owner, other = nodes
    keys = owner.keys
    pupil = await enter([owner], desk_token(keys, Role.PUPIL, "pupil-1"))
    guardian_token = desk_token(keys, Role.GUARDIAN, "guardian-1", children=("pupil-1",))
    tutor_token = desk_token(keys, Role.TUTOR, "demo-tutor", name="答疑老师（演示）")
    tutor = await enter([other, owner], tutor_token)
    assert (pupil.port, tutor.port) == (owner.port, owner.port), "the other one sent her on"
    await tutor.do(c.StartDuty())
    content = await pupil.store("先移项还是先去括号？")
    await pupil.do(c.AskQuestion("maths", content, wish="written"))
    await tutor.see(TutorView, lambda view: view.offer is not None)
    # A guardian's word is said to the other server, and her child's page is told.
    guardian = await enter([owner], guardian_token)
    guardian.port = other.port
    word = {"child": "pupil-1", "purpose": "photo", "given": False}
    assert (await guardian.http("POST", "consents", json=word)).is_success
    await pupil.see(PupilView, lambda view: not view.may_send_media)

    owner.signal(signal.SIGKILL)
    await owner.wait()
    tutor = await enter(nodes, tutor_token)
    pupil = await enter(nodes, desk_token(keys, Role.PUPIL, "pupil-1"))
    assert (tutor.port, pupil.port) == (other.port, other.port)
    offered = await tutor.see(TutorView, lambda view: view.offer is not None)
    assert offered.offer is not None
    assert (offered.offer.question, offered.offer.content) == (ONE, content)
    assert isinstance(pupil.view, PupilView)
    assert not pupil.view.may_send_media
    given = await tutor.http("GET", f"contents/{content}?question=1")
    assert given.json()["text"] == "先移项还是先去括号？"
    await tutor.do(c.AcceptOffer(ONE))
    answer = await tutor.store("先去括号")
    await tutor.do(c.AnswerQuestion(ONE, answer))
    done = await pupil.see(PupilView, lambda view: bool(view.done))
    assert (done.done[0].answer, done.done[0].state) == (answer, "answered_async")
    read = await pupil.http("GET", f"contents/{answer}?question=1")
    assert read.json()["text"] == "先去括号"

    # The one that was killed comes back, and sends everybody on.
    await owner.start("--demo")
    third = await enter([owner, other], desk_token(keys, Role.PUPIL, "pupil-2"))
    assert third.port == other.port


async def test_an_owner_that_slept_acknowledges_nothing_more(
    nodes: list[ServerProcess],
) -> None:
    owner, other = nodes
    keys = owner.keys
    token = desk_token(keys, Role.PUPIL, "pupil-1")
    pupil = await enter([owner], token)
    content = await pupil.store("第一步怎么来的")
    owner.signal(signal.SIGSTOP)
    again = await enter([other], token)
    await again.do(c.AskQuestion("maths", content))
    # What lies in the socket of the owner that sleeps is refused, not done twice.
    await pupil.send(Command(1, c.WithdrawQuestion(ONE)))
    owner.signal(signal.SIGCONT)
    assert (await pupil.wait_for(Goodbye)).reason == "moved"
    assert not any(isinstance(one, Error) and one.fatal for one in again.seen)
    view = await again.see(PupilView, lambda view: view.question is not None)
    assert view.question is not None
    assert view.question.question == ONE
