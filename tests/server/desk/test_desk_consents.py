"""Consents and like questions over real WebSockets: pages change without being reloaded."""

from __future__ import annotations

from typing import Any

from hosting.desk_page import DeskPage, enter
from hosting.process import ServerProcess
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.plan import QuestionId, SessionNumber
from twinclass_signaling.desk.view_types import GuardianView, ModeratorView, PupilView, TutorView
from twinclass_signaling.messages import Error
from twinclass_signaling.roles import Role

CHILD = "pupil-1"


async def say(guardian: DeskPage, purpose: str, child: str = CHILD, *, given: bool) -> None:
    body = {"child": child, "purpose": purpose, "given": given}
    answer = await guardian.http("POST", "consents", json=body)
    assert answer.status_code == 200, answer.text


async def wait_in_queue(page: DeskPage, text: str, **more: Any) -> QuestionId:  # noqa: ANN401
    """Asks something for which the bank's answers are not good enough."""
    await page.do(c.AskQuestion("maths", await page.store(text), **more))
    seen = await page.see(
        PupilView, lambda view: view.question is not None and view.question.state != "submitted"
    )
    assert seen.question is not None
    if seen.question.state == "bank_matched":
        await page.do(c.BankNotHelpful(seen.question.question))
    return seen.question.question


async def test_a_guardian_s_word_changes_her_child_s_page_at_once(server: ServerProcess) -> None:
    guardian = await enter(server, Role.GUARDIAN, "guardian-1", children=(CHILD,))
    child = await enter(server, Role.PUPIL, CHILD, grade=7)
    assert isinstance(child.view, PupilView)
    assert not child.view.consented
    await say(guardian, "desk", given=True)
    agreed = await child.see(PupilView, lambda view: view.consented and view.may_send_media)
    assert not agreed.may_be_recorded, "that is another word"
    await say(guardian, "recording", given=True)
    await child.see(PupilView, lambda view: view.may_be_recorded)
    await say(guardian, "photo", given=False)
    await child.see(PupilView, lambda view: not view.may_send_media)
    refused = await child.http(
        "POST", "photos", headers={"Content-Type": "image/jpeg"}, content=b""
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "consent_needed")
    await say(guardian, "photo", given=True)
    await child.see(PupilView, lambda view: view.may_send_media)
    await say(guardian, "desk", given=False)
    await child.see(PupilView, lambda view: not view.consented)


async def test_live_help_ends_when_recording_is_not_agreed_to_any_more(
    server: ServerProcess,
) -> None:
    name = "child-2"
    guardian = await enter(server, Role.GUARDIAN, "guardian-2", children=(name,))
    tutor = await enter(server, Role.TUTOR, "demo-tutor", name="答疑老师（演示）")
    await tutor.do(c.StartDuty())
    child = await enter(server, Role.PUPIL, name)
    await child.ask()
    offered = await tutor.see(TutorView, lambda view: view.offer is not None)
    assert offered.offer is not None
    number = offered.offer.question
    await tutor.do(c.AcceptOffer(number))
    await tutor.do(c.StartSession(number))
    helped = await child.see(PupilView, lambda view: view.session is not None)
    assert helped.session is not None
    await say(guardian, "recording", name, given=False)
    after = await child.see(PupilView, lambda view: view.session is None)
    assert not after.may_be_recorded
    assert after.question is not None
    assert after.question.wish == "written"
    shown = await guardian.see(GuardianView, lambda view: view.sessions[0].reason is not None)
    assert shown.sessions[0].reason == "consent"
    # She is free, and offered it as written help.
    again = await tutor.see(TutorView, lambda view: view.offer is not None)
    assert again.offer is not None
    assert (again.offer.question, again.offer.wish) == (number, "written")
    refused = await tutor.command(c.ExtendSession(SessionNumber(helped.session.session)))
    assert isinstance(refused, Error)
    assert refused.code == "session_over"
    await child.do(c.WithdrawQuestion(number))
    live = await child.command(c.AskQuestion("maths", await child.store("还能当面讲吗")))
    assert isinstance(live, Error)
    assert live.code == "recording_refused"
    assert "录音录像" in live.text.zh
    await tutor.do(c.EndDuty())


async def test_like_questions_are_found_offered_and_made_one(server: ServerProcess) -> None:
    moderator = await enter(server, Role.MODERATOR, "demo-moderator")
    first = await enter(server, Role.PUPIL, "like-1", name="小明")
    one = await wait_in_queue(first, "解方程 x^2-5x+6=0，怎么因式分解？", shared=True)
    second = await enter(server, Role.PUPIL, "like-2", name="小红")
    two = await wait_in_queue(second, "老师，x^2-5x+6=0 这个方程怎么解")
    offered = await second.see(
        PupilView, lambda view: view.question is not None and view.question.alike != ()
    )
    assert offered.question is not None
    (alike,) = offered.question.alike
    assert alike.question == one
    assert (await second.http("GET", f"contents/{alike.content}?question={one}")).status_code == 200
    pair = (await moderator.see(ModeratorView, lambda view: bool(view.alike))).alike[0]
    assert (pair.question, pair.like[0].question) == (two, one)
    for reference, of in ((pair.content, two), (pair.like[0].content, one)):
        given = await moderator.http("GET", f"contents/{reference}?question={of}")
        assert "x^2-5x+6=0" in given.json()["text"]
    await second.do(c.FollowQuestion(one))
    joined = await second.see(
        PupilView, lambda view: view.question is not None and view.question.question == one
    )
    assert joined.question is not None
    assert not joined.question.is_own
    await moderator.see(ModeratorView, lambda view: not view.alike)
    tutor = await enter(server, Role.TUTOR, "demo-tutor")
    await tutor.do(c.StartDuty())
    asked_by = await tutor.see(TutorView, lambda view: view.offer is not None)
    assert asked_by.offer is not None
    assert (asked_by.offer.question, asked_by.offer.followers) == (QuestionId(one), 1)
    await tutor.do(c.RefuseOffer(QuestionId(one)))
    await tutor.do(c.EndDuty())
