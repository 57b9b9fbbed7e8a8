"""An evening over real WebSockets, a real Redis and a real database."""

from __future__ import annotations

import asyncio

import pytest

from hosting.desk_page import DeskPage, desk_token, enter
from hosting.process import ServerProcess
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.messages import Authenticate, Welcome
from twinclass_signaling.desk.plan import QuestionId, SessionNumber
from twinclass_signaling.desk.view_types import ModeratorView, PupilView, TutorView
from twinclass_signaling.messages import Error, Fenced, Resume
from twinclass_signaling.roles import Role


async def test_a_question_goes_from_a_phone_to_a_tutor_and_is_helped_with(
    server: ServerProcess,
) -> None:
    tutor = await enter(server, Role.TUTOR, "demo-tutor", name="答疑老师（演示）")
    await tutor.do(c.StartDuty())
    pupil = await enter(server, Role.PUPIL, "pupil-1")
    await pupil.ask()
    offered = await tutor.see(TutorView, lambda view: view.offer is not None)
    assert offered.offer is not None
    assert offered.offer.pupil.class_name == "九(1)班"
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
    await pupil.ask(shared=True)
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
    content = await page.store("再问一次")
    await page.do(c.AskQuestion("maths", content))
    await page.close()
    again, second = await DeskPage.enter(
        server.port, token, Resume(welcome.session, welcome.secret)
    )
    assert second.session == welcome.session
    repeated = await again.command(c.AskQuestion("maths", content), 1)
    assert not isinstance(repeated, Error)
    view = await again.see(PupilView, lambda view: view.question is not None)
    assert view.question is not None
    assert view.question.question == 1


async def test_a_page_whose_place_another_device_resumes_is_told_and_stays_away(
    server: ServerProcess,
) -> None:
    token = desk_token(server.keys, Role.PUPIL, "pupil-1")
    first, welcome = await DeskPage.enter(server.port, token)
    second, taken = await DeskPage.enter(
        server.port, token, Resume(welcome.session, welcome.secret)
    )
    assert taken.session == welcome.session
    told = await first.wait_for(Error)
    # As in a lesson; a page does not come back by itself after this.
    assert (told.code, told.fatal) == ("superseded", True)
    await first.socket.wait_closed()
    assert first.socket.close_code == 4000
    await second.ask()
    assert not any(isinstance(one, Error | Fenced) for one in second.seen)


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
    token = desk_token(server.keys, Role.PUPIL, "pupil-2", "no-such-desk")
    await stranger.send(Authenticate(token))
    with pytest.raises(AssertionError, match="closed before"):
        await stranger.wait_for(Welcome)
    assert any(isinstance(one, Error) and one.code == "desk_unknown" for one in stranger.seen)


def _questions(view: TutorView) -> int:
    return sum(queue.live for queue in view.queues) + (view.offer is not None)


async def test_a_killed_server_forgets_nothing_it_acknowledged(
    server: ServerProcess,
) -> None:
    tutor = await enter(server, Role.TUTOR, "demo-tutor")
    await tutor.do(c.StartDuty())
    pupils = [await enter(server, Role.PUPIL, f"pupil-{n}") for n in range(5)]
    await asyncio.gather(*(page.ask() for page in pupils))
    server.process.kill()
    await server.wait()
    await server.start("--demo")
    again = await enter(server, Role.TUTOR, "demo-tutor")
    # One is offered to her, the others wait; those the bank was being searched for a little later.
    await again.see(TutorView, lambda view: _questions(view) == 5)


async def test_what_another_has_written_cannot_be_sent(server: ServerProcess) -> None:
    first, second = [await enter(server, Role.PUPIL, f"pupil-{n}") for n in (1, 2)]
    content = await first.store("我的问题")
    refused = await second.command(c.AskQuestion("maths", content))
    assert isinstance(refused, Error)
    assert refused.code == "content_unknown"
    assert (await second.http("GET", f"contents/{content}?question=1")).status_code == 404


async def test_without_her_guardian_a_child_cannot_ask(server: ServerProcess) -> None:
    page = await enter(server, Role.PUPIL, "pupil-1", grade=7)
    assert isinstance(page.view, PupilView)
    assert not page.view.consented
    refused = await page.command(c.AskQuestion("maths", await page.store("能问吗？")))
    assert isinstance(refused, Error)
    assert refused.code == "consent_needed"
    again = await enter(server, Role.PUPIL, "demo-pupil-1", grade=7)
    await again.ask()


def _answers(view: PupilView) -> list[str | None]:
    return [one.answer for one in (view.question, *view.done) if one is not None]


async def test_a_tutor_s_evening_is_written_down(server: ServerProcess) -> None:
    tutor = await enter(server, Role.TUTOR, "demo-tutor")
    await tutor.do(c.StartDuty())
    pupil = await enter(server, Role.PUPIL, "pupil-1")
    await pupil.ask(wish="written")
    await tutor.see(TutorView, lambda view: view.offer is not None)
    await tutor.do(c.AcceptOffer(QuestionId(1)))
    answer = await tutor.store("先移项：$x = 3$")
    await tutor.do(c.AnswerQuestion(QuestionId(1), answer))
    await pupil.see(PupilView, lambda view: answer in _answers(view))
    given = (await pupil.http("GET", f"contents/{answer}?question=1")).json()
    assert given["text"] == "先移项：$x = 3$"
    await pupil.do(c.ResolveQuestion(QuestionId(1)))
    await pupil.do(c.RateQuestion(QuestionId(1), 2, 2, 1))
    async with asyncio.timeout(5):
        while (tally := (await tutor.http("GET", "tally")).json())["points_term"] == 0:
            await asyncio.sleep(0.1)
    assert tally["yuan"] == 10 * tally["points_term"]


async def test_who_asks_nothing_is_shown_what_others_share(server: ServerProcess) -> None:
    idle = await enter(server, Role.PUPIL, "pupil-1")
    await idle.see(PupilView, lambda view: not view.shared)
    other = await enter(server, Role.PUPIL, "pupil-2")
    await other.ask(shared=True)
    seen = await idle.see(PupilView, lambda view: bool(view.shared))
    await idle.do(c.FollowQuestion(seen.shared[0].question))
    followed = await idle.see(PupilView, lambda view: view.question is not None)
    assert followed.question is not None
    assert not followed.question.is_own
