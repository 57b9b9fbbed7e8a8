"""Floods and forgeries at a desk's real WebSocket: clear errors, and nobody else pays for them."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest

from hosting.desk import duty
from hosting.desk_page import DeskPage, enter
from hosting.process import ServerProcess
from server.desk.content.kept import bomb, picture
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.commands import DeskCommand
from twinclass_signaling.desk.messages import Command
from twinclass_signaling.desk.plan import CaseNumber, QuestionId, SessionNumber
from twinclass_signaling.desk.view_types import PupilView, TutorView
from twinclass_signaling.messages import Ack, Error
from twinclass_signaling.roles import Role

ONE = QuestionId(1)
BURST = 150
CROWD = 200
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)> 3 < 5 && x > 2"


async def answers(page: DeskPage, many: int) -> list[Ack | Error]:
    """Waits for so many answers to commands."""
    async with asyncio.timeout(20):
        while True:
            found = [one for one in page.seen if isinstance(one, Ack | Error)]
            if len(found) >= many or page.is_closed:
                return found
            await asyncio.sleep(0.02)


async def test_a_flood_of_one_pupil_is_refused_and_the_others_are_answered(
    server: ServerProcess,
) -> None:
    flooder = await enter(server, Role.PUPIL, "flooder")
    others = [await enter(server, Role.PUPIL, f"pupil-{n}") for n in range(5)]

    async def flood() -> None:
        for number in range(1, BURST + 1):
            await flooder.send(Command(number, c.WithdrawQuestion(QuestionId(99))))

    await asyncio.gather(flood(), *(page.ask() for page in others))
    told = await answers(flooder, BURST)
    codes = Counter(one.code for one in told if isinstance(one, Error))
    assert len(told) == BURST, "each command has its answer"
    assert set(codes) == {"question_unknown", "rate_limited"}
    assert codes["rate_limited"] > codes["question_unknown"]
    limited = next(one for one in told if isinstance(one, Error) and one.code == "rate_limited")
    assert limited.retry_after_s is not None
    assert limited.text.zh
    assert not flooder.is_closed
    # Who does not stop is put out, with the reason; her place is kept.
    for number in range(BURST + 1, BURST + CROWD):
        await flooder.send(Command(number, c.WithdrawQuestion(QuestionId(99))))
        if flooder.is_closed:
            break
    last = (await answers(flooder, BURST + CROWD))[-1]
    assert isinstance(last, Error)
    assert (last.code, last.fatal) == ("rate_limited", True)
    await others[0].see(PupilView, lambda view: view.question is not None)


@pytest.mark.parametrize(
    "size", [CROWD, pytest.param(1000, marks=[pytest.mark.full, pytest.mark.timeout(300)])]
)
async def test_a_crowd_that_asks_at_once_is_answered_and_a_tutor_gets_her_offer(
    server: ServerProcess, size: int
) -> None:
    tutor = await enter(server, Role.TUTOR, "demo-tutor")
    await tutor.do(c.StartDuty())
    crowd = await asyncio.gather(*(enter(server, Role.PUPIL, f"crowd-{n}") for n in range(size)))
    gate = asyncio.Semaphore(50)

    async def store(page: DeskPage) -> str:
        async with gate:
            return await page.store("这道题的第二步是怎么来的？")

    contents = await asyncio.gather(*map(store, crowd))
    told = await asyncio.gather(
        *(
            page.command(c.AskQuestion("maths", content))
            for page, content in zip(crowd, contents, strict=True)
        )
    )
    assert Counter(type(one) for one in told) == {Ack: size}
    await tutor.see(TutorView, lambda view: view.offer is not None)
    await tutor.see(TutorView, lambda view: sum(one.live for one in view.queues) == size - 1)


FORGED: tuple[DeskCommand, ...] = (
    c.StartDuty(),
    c.AcceptOffer(ONE),
    c.ClaimQuestion(ONE),
    c.AnswerQuestion(ONE, "c-1"),
    c.StartSession(ONE),
    c.OpenSession("maths", 9),
    c.ExtendSession(SessionNumber(1)),
    c.EndSession(SessionNumber(1)),
    c.ApproveQuestion(ONE),
    c.RejectQuestion(ONE),
    c.MergeQuestions(ONE, QuestionId(2)),
    c.EnterSession(SessionNumber(1)),
    c.TakeCase(CaseNumber(1)),
    c.CloseCase(CaseNumber(1), "unfounded"),
    c.SetDuty(duty("demo-tutor", grades=(9,))),
    c.RemoveDuty("demo-tutor"),  # type: ignore[arg-type]
)
#: (method, path, body) of what only staff may ask for.
STAFF: tuple[tuple[str, str, object], ...] = (
    ("GET", "tally", None),
    ("GET", "flags", None),
    ("POST", "flags/1", None),
    ("GET", "ratings/held", None),
    ("POST", "ratings/1", {"publish": True}),
    ("GET", "cases", None),
    ("POST", "cases/1/approve", {"reason": "我想看看录像"}),
    ("GET", "cases/1/recording", None),
    ("GET", "consents", None),
    ("POST", "consents", {"child": "pupil-1", "purpose": "desk", "given": True}),
    ("GET", "sessions", None),
)


def _told(view: PupilView) -> tuple[object, ...]:
    question = view.question
    assert question is not None
    return (question.question, question.state, question.content, question.picked, view.session)


async def test_a_pupil_s_link_does_nothing_that_is_a_tutor_s_or_anybody_else_s(
    server: ServerProcess,
) -> None:
    tutor = await enter(server, Role.TUTOR, "demo-tutor")
    await tutor.do(c.StartDuty())
    victim, forger = [await enter(server, Role.PUPIL, f"pupil-{n}") for n in (1, 2)]
    await victim.ask()
    offered = await tutor.see(TutorView, lambda view: view.offer is not None)
    before = await victim.see(
        PupilView, lambda view: view.question is not None and view.question.state == "offered"
    )
    for command in FORGED:
        if isinstance(command, c.AnswerQuestion):
            command = c.AnswerQuestion(ONE, await forger.store("我来答"))  # noqa: PLW2901
        refused = await forger.command(command)
        assert isinstance(refused, Error), command
        assert (refused.code, bool(refused.text.zh)) == ("forbidden", True), command
    for method, path, body in STAFF:
        answer = await forger.http(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    # What is another pupil's is as if it were not there.
    for own in (c.WithdrawQuestion(ONE), c.PickTutor(ONE), c.ResolveQuestion(ONE)):
        refused = await forger.command(own)
        assert isinstance(refused, Error)
        assert refused.code == "question_unknown"
    await tutor.do(c.PauseDuty(on=False))
    assert isinstance(tutor.view, TutorView)
    assert tutor.view.offer == offered.offer
    # Waits may have been told afresh; what is hers has not changed.
    assert isinstance(victim.view, PupilView)
    assert _told(victim.view) == _told(before)
    await tutor.do(c.AcceptOffer(ONE))
    await tutor.do(c.StartSession(ONE))
    refused = await forger.command(c.ExtendSession(SessionNumber(1)))
    assert isinstance(refused, Error)
    assert refused.code == "forbidden"
    await victim.see(PupilView, lambda view: view.session is not None)


async def test_a_script_in_a_question_is_text_and_the_page_runs_none(
    server: ServerProcess,
) -> None:
    tutor = await enter(server, Role.TUTOR, "demo-tutor")
    await tutor.do(c.StartDuty())
    pupil = await enter(server, Role.PUPIL, "pupil-1")
    content = await pupil.store(SCRIPT)
    await pupil.do(c.AskQuestion("maths", content))
    await tutor.see(TutorView, lambda view: view.offer is not None)
    given = await tutor.http("GET", f"contents/{content}?question=1")
    assert given.json()["text"] == SCRIPT
    assert given.headers["content-type"].startswith("application/json")
    assert given.headers["x-content-type-options"] == "nosniff"
    async with httpx.AsyncClient(trust_env=False) as client:
        page = await client.get(f"http://127.0.0.1:{server.port}/desk")
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in page.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'self'" or policy["script-src"].startswith("'self'")
    scripts = policy.get("script-src", policy["default-src"])
    assert "unsafe-inline" not in scripts
    assert "unsafe-eval" not in scripts.replace("wasm-unsafe-eval", "")


MALFORMED = (
    '{"type":"command","id":1,"command":{"type":"question_ask","subject":"maths","content":["x"]}}',
    '{"type":"command","id":1,"command":{"type":"operator_shutdown"}}',
    '{"type":"command","id":-1,"command":{"type":"duty_start"}}',
    '{"type":"command","id":1,"command":{"type":"question_withdraw","question":1e99}}',
    '{"type":"command","id":1,"command":{"type":"question_withdraw","question":1,"as":"x"}}',
    '{"type":"command","id":1,"command":' + "[" * 20_000,
)


async def test_what_is_no_message_is_said_to_be_none(server: ServerProcess) -> None:
    for number, text in enumerate(MALFORMED):
        page = await enter(server, Role.PUPIL, f"pupil-{number}")
        await page.socket.send(text)
        error = await page.wait_for(Error)
        assert (error.code, error.fatal) == ("message_malformed", False), text[:80]
        await page.ask()


def peak_bytes(server: ServerProcess) -> int:
    """Returns the most memory that the server has had."""
    status = Path(f"/proc/{server.process.pid}/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


async def test_pictures_that_are_none_cost_the_server_no_memory(server: ServerProcess) -> None:
    pages = [await enter(server, Role.PUPIL, f"pupil-{n}") for n in range(6)]
    jpeg = {"Content-Type": "image/jpeg"}
    assert (await pages[0].http("POST", "photos", content=picture(), headers=jpeg)).is_success
    before = peak_bytes(server)
    sent = {
        "photo_too_large": b"\xff\xd8" + b"x" * 10 * 1024 * 1024,
        "image_too_many_pixels": bomb(),
        "image_broken": picture()[:4000],
        "image_unknown": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }
    for code, data in sent.items():
        told = await asyncio.gather(
            *(page.http("POST", "photos", content=data, headers=jpeg) for page in pages)
        )
        assert {one.json()["code"] for one in told} == {code}
    # Pixels of one bomb would be 10 GB; six large photos, read whole, 60 MB.
    assert peak_bytes(server) - before < 40 * 1024 * 1024
    await pages[0].ask()
