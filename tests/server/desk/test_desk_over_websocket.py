"""An evening over real WebSockets, a real Redis and a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hosting.desk_page import DeskPage, close_desk_pages, desk_token
from hosting.process import ServerProcess, server_process
from light.ports import free_port
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.plan import QuestionId, SessionNumber
from twinclass_signaling.desk.view_types import ModeratorView, PupilView, TutorView
from twinclass_signaling.messages import Error, Resume
from twinclass_signaling.roles import Role


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with server_process(tmp_path, free_port(4), None, "--demo") as running:
        yield running
        await close_desk_pages()


async def enter(server: ServerProcess, role: Role, person: str, **more: object) -> DeskPage:
    page, _ = await DeskPage.enter(server.port, desk_token(server.keys, role, person, **more))
    return page


async def test_a_question_goes_from_a_phone_to_a_tutor_and_is_helped_with(
    server: ServerProcess,
) -> None:
    tutor = await enter(server, Role.TUTOR, "demo-tutor", name="答疑老师（演示）")
    await tutor.do(c.StartDuty())
    pupil = await enter(server, Role.PUPIL, "pupil-1")
    await pupil.do(c.AskQuestion("maths", "c-1"))
    offered = await tutor.see(TutorView, lambda view: view.offer is not None)
    assert offered.offer is not None
    assert offered.offer.pupil.class_name == "七(1)班"
    await tutor.do(c.AcceptOffer(QuestionId(1)))
    await tutor.do(c.StartSession(QuestionId(1)))
    helped = await pupil.see(PupilView, lambda view: view.session is not None)
    assert helped.session is not None
    assert helped.session.recorded
    assert helped.session.tutor_name == "答疑老师（演示）"
    await tutor.do(c.EndSession(SessionNumber(1)))
    done = await pupil.see(PupilView, lambda view: bool(view.done))
    assert done.done[0].state == "resolved"
    assert done.done[0].may_rate
    await pupil.do(c.RateQuestion(QuestionId(1), 2, 2, 2))


async def test_nobody_s_page_names_a_pupil_s_id(server: ServerProcess) -> None:
    tutor = await enter(server, Role.TUTOR, "demo-tutor")
    moderator = await enter(server, Role.MODERATOR, "demo-moderator")
    await tutor.do(c.StartDuty())
    pupil = await enter(server, Role.PUPIL, "secret-pupil", name="小明")
    other = await enter(server, Role.PUPIL, "other-pupil", name="小红")
    await pupil.do(c.AskQuestion("maths", "c-1", shared=True))
    await tutor.see(TutorView, lambda view: view.offer is not None)
    await moderator.see(ModeratorView, lambda view: bool(view.queues))
    await other.see(PupilView, lambda view: view.is_open)
    for page in (tutor, other):
        assert "secret-pupil" not in repr(page.seen)
    assert "小明" in repr(tutor.seen)


async def test_a_page_that_comes_back_has_its_place_and_its_command_once(
    server: ServerProcess,
) -> None:
    token = desk_token(server.keys, Role.PUPIL, "pupil-1")
    page, welcome = await DeskPage.enter(server.port, token)
    await page.do(c.AskQuestion("maths", "c-1"))
    await page.close()
    again, second = await DeskPage.enter(
        server.port, token, Resume(welcome.session, welcome.secret)
    )
    assert second.session == welcome.session
    repeated = await again.command(c.AskQuestion("maths", "c-1"), 1)
    assert not isinstance(repeated, Error)
    view = await again.see(PupilView, lambda view: view.question is not None)
    assert view.question is not None
    assert view.question.question == 1


async def test_who_has_no_right_is_told_so(server: ServerProcess) -> None:
    pupil = await enter(server, Role.PUPIL, "pupil-1")
    refused = await pupil.command(c.ApproveQuestion(QuestionId(1)))
    assert isinstance(refused, Error)
    assert refused.code == "forbidden"
    forged, _ = await DeskPage.enter(
        server.port, desk_token(server.keys, Role.TUTOR, "nobody-on-the-roster")
    )
    refused = await forged.command(c.StartDuty())
    assert isinstance(refused, Error)
    stranger = await DeskPage.open(server.port)
    with pytest.raises(AssertionError, match="closed before"):
        token = desk_token(server.keys, Role.PUPIL, "pupil-2", "no-such-desk")
        from twinclass_signaling.desk.messages import Authenticate, Welcome

        await stranger.send(Authenticate(token))
        await stranger.wait_for(Welcome)
    assert any(isinstance(one, Error) and one.code == "desk_unknown" for one in stranger.seen)


async def test_a_killed_server_forgets_nothing_it_acknowledged(
    server: ServerProcess,
) -> None:
    tutor = await enter(server, Role.TUTOR, "demo-tutor")
    await tutor.do(c.StartDuty())
    pupils = [await enter(server, Role.PUPIL, f"pupil-{n}") for n in range(5)]
    await asyncio.gather(*(page.do(c.AskQuestion("maths", "c-1")) for page in pupils))
    server.process.kill()
    await server.wait()
    await server.start("--demo")
    again = await enter(server, Role.TUTOR, "demo-tutor")
    view = await again.see(TutorView, lambda view: view.offer is not None)
    waiting = sum(queue.live for queue in view.queues)
    assert waiting + 1 == 5
