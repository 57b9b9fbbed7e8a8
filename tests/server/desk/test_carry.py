"""From a lesson to the desk over real HTTP and WebSockets: who may, what comes, who sees it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hosting.desk_page import DeskPage, desk_token
from hosting.process import ServerProcess, server_process
from light.ports import free_port
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.plan import QuestionId
from twinclass_signaling.desk.view_types import PupilView, TutorView
from twinclass_signaling.messages import Error
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims, DeskClaims, SigningKey, TokenKeys

STRANGERS = TokenKeys([SigningKey("k1", b"s" * 32)])


def join_token(
    keys: TokenKeys, role: Role = Role.HOME_LEARNER, lesson: str = "demo", **more: object
) -> str:
    now = time.time()
    about = {"name": "张小雨", "school": "示例一中", "room": "room-1"} | more
    claims = Claims("demo-home-1", role, lesson, now + 600, now, **about)  # type: ignore[arg-type]
    return keys.issue(claims)


async def carry(server: ServerProcess, token: str, **body: object) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(
            f"http://127.0.0.1:{server.port}/api/desk/carry",
            json={"t": None} | body,
            headers={"Authorization": f"Bearer {token}"},
        )


def brought(answer: httpx.Response) -> tuple[str, str]:
    """The token and the origin of a link to the desk."""
    assert answer.status_code == 200, answer.text
    parts = parse_qs(urlsplit(answer.json()["url"]).fragment)
    assert parts["subject"] == ["maths"]
    return parts["token"][0], parts["origin"][0]


async def on_duty(server: ServerProcess) -> DeskPage:
    tutor, _ = await DeskPage.enter(server.port, desk_token(server.keys, Role.TUTOR, "demo-tutor"))
    await tutor.do(c.StartDuty())
    return tutor


async def origin(page: DeskPage, name: str, question: int | None = None) -> httpx.Response:
    asked = {} if question is None else {"question": question}
    return await page.http("GET", f"origins/{name}", params=asked)


async def test_a_tutor_sees_from_which_moment_of_a_lesson_a_question_comes(
    server: ServerProcess,
) -> None:
    answer = await carry(server, join_token(server.keys, lnk="link-1"), t=400.7)
    token, name = brought(answer)
    desk = answer.json()["desk"]
    assert (desk["id"], desk["is_open"], desk["closes"] - desk["opens"]) == (
        "demo-desk", True, 86_400,
    )  # fmt: skip
    claims = server.keys.verify_desk(token, time.time())
    assert (claims.sub, claims.role, claims.name) == ("demo-home-1", Role.PUPIL, "小雨")
    assert (claims.grade, claims.class_name, claims.school) == (7, "七(1)班", "示例一中")
    # A lesson's link that is withdrawn takes the desk's with it.
    assert claims.lnk == "link-1"
    assert claims.exp > time.time() + 3600

    pupil, _ = await DeskPage.enter(server.port, token)
    before: dict[str, Any] = (await origin(pupil, name)).json()
    assert (before["title"], before["t"]) == ("有理数的乘法", 400)
    tutor = await on_duty(server)
    await pupil.ask(origin=name)
    seen = await tutor.see(TutorView, lambda view: view.offer is not None)
    assert seen.offer is not None
    assert seen.offer.origin == name
    told = (await origin(tutor, name, 1)).json()
    assert (told["title"], told["t"]) == ("有理数的乘法", 400)
    own = await pupil.see(PupilView, lambda view: view.question is not None)
    assert own.question is not None
    assert own.question.origin == name
    # Only through the question that comes from there.
    assert (await origin(tutor, name)).status_code == 404
    assert (await origin(tutor, name, 2)).status_code == 404
    other, _ = await DeskPage.enter(server.port, desk_token(server.keys, Role.PUPIL, "pupil-2"))
    assert (await origin(other, name, 1)).status_code == 404
    elsewhere = desk_token(server.keys, Role.TUTOR, "demo-tutor", "another-desk")
    tutor.token = elsewhere
    assert (await origin(tutor, name, 1)).status_code == 404


async def test_a_question_about_the_whole_lesson_has_no_second(server: ServerProcess) -> None:
    token, name = brought(await carry(server, join_token(server.keys)))
    pupil, _ = await DeskPage.enter(server.port, token)
    told = (await origin(pupil, name)).json()
    assert (told["title"], told["t"], told["phase"]) == ("有理数的乘法", None, None)


async def test_nobody_makes_an_origin_up(server: ServerProcess) -> None:
    token, name = brought(await carry(server, join_token(server.keys), t=10))
    pupil, _ = await DeskPage.enter(server.port, token)
    content = await pupil.store("别的课的问题")
    for forged in ("lesson.10.another", name.replace("lesson.10.", "lesson.11."), "chapter-7"):
        refused = await pupil.command(c.AskQuestion("maths", content, origin=forged))
        assert isinstance(refused, Error)
        assert refused.code == "origin_unknown"
        assert (await origin(pupil, forged)).status_code == 404
    await pupil.do(c.AskQuestion("maths", content, origin=name))


@pytest.mark.parametrize("role", [Role.ROOM, Role.HOME_GROUP, Role.LEAD, Role.OBSERVER])
async def test_only_a_learner_at_home_goes_to_the_desk(server: ServerProcess, role: Role) -> None:
    answer = await carry(server, join_token(server.keys, role))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert set(answer.json()["text"]) == {"zh", "en"}


async def test_links_of_others_and_links_of_the_desk_are_none(server: ServerProcess) -> None:
    now = time.time()
    desk = DeskClaims("demo-home-1", Role.PUPIL, "demo-desk", now + 600, now, grade=7)
    for token in (join_token(STRANGERS), server.keys.issue(desk), "no-token"):
        answer = await carry(server, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


async def test_a_lesson_without_a_desk_is_told_so(server: ServerProcess) -> None:
    await server.create_lesson("algebra")
    for lesson in ("algebra", "unknown"):
        answer = await carry(server, join_token(server.keys, lesson=lesson))
        assert (answer.status_code, answer.json()["code"]) == (404, "desk_none")
        assert all(answer.json()["text"].values())


@pytest.mark.parametrize("body", [{"t": -1}, {"t": "now"}, {"t": 90_000}, {"u": 1}])
async def test_what_is_no_second_of_a_lesson_is_refused(
    server: ServerProcess, body: dict[str, object]
) -> None:
    answer = await carry(server, join_token(server.keys), **body)
    assert (answer.status_code, answer.json()["code"]) == (400, "body_malformed")
    another = await carry(server, join_token(server.keys), t=1, entry="entry-of-nobody")
    assert (another.status_code, another.json()["code"]) == (404, "lesson_unknown")


async def test_me_too_hears_the_written_answer(server: ServerProcess) -> None:
    tutor = await on_duty(server)
    pupils = [
        (await DeskPage.enter(server.port, desk_token(server.keys, Role.PUPIL, f"pupil-{n}")))[0]
        for n in (1, 2, 3)
    ]
    asked, follower, stranger = pupils
    await tutor.do(c.PauseDuty())
    await asked.ask(shared=True)
    await follower.see(PupilView, lambda view: bool(view.shared))
    await follower.do(c.FollowQuestion(QuestionId(1)))
    await tutor.do(c.PauseDuty(on=False))
    await tutor.see(TutorView, lambda view: view.offer is not None)
    await tutor.do(c.AcceptOffer(QuestionId(1)))
    answer = await tutor.store("同号得正。")
    await tutor.do(c.AnswerQuestion(QuestionId(1), answer))
    view = await follower.see(PupilView, lambda view: bool(view.done))
    assert (view.done[0].answer, view.done[0].is_own, view.question) == (answer, False, None)
    path = f"contents/{answer}?question=1"
    assert (await follower.http("GET", path)).json()["text"] == "同号得正。"
    assert (await stranger.http("GET", path)).status_code == 404


def desk_file(name: str, weekdays: list[int], grades: list[int]) -> str:
    hours = "".join(
        f"[[hours]]\nweekday = {day}\ngrades = {grades}\nopens = 0\ncloses = 1440\n"
        for day in weekdays
    )
    return f'id = "{name}"\ntitle = "{name}"\nsubjects = ["maths"]\ngrades = {grades}\n{hours}'


async def test_of_several_desks_the_one_that_is_open_tonight_is_chosen(tmp_path: Path) -> None:
    folder = tmp_path / "desks"
    folder.mkdir()
    never = [(datetime.now(UTC).weekday() + 3) % 7]
    for name, weekdays, grades in (
        ("a-closed", never, [7]), ("b-grade-8", [*range(7)], [8]), ("c-open", [*range(7)], [7]),
        ("d-open", [*range(7)], [7]),
    ):  # fmt: skip
        (folder / f"{name}.toml").write_text(desk_file(name, weekdays, grades))
    async with server_process(tmp_path, free_port(4), None, "--demo") as server:
        answer = await carry(server, join_token(server.keys))
        assert answer.json()["desk"]["id"] == "c-open"
    for name in ("c-open", "d-open"):
        (folder / f"{name}.toml").write_text(desk_file(name, never, [7]))
    # One that is closed tonight is still told of, with no hours: a page does not offer it.
    plan = {"title": "示例课", "subject": "maths", "grade": 7}
    async with server_process(tmp_path, free_port(4)) as server:
        async with httpx.AsyncClient(trust_env=False) as client:
            made = await client.post(
                f"{server.admin_url}/lessons", json={"id": "algebra", "plan": plan}
            )
        assert made.status_code == 201, made.text
        desk = (await carry(server, join_token(server.keys, lesson="algebra"))).json()["desk"]
    assert (desk["id"], desk["opens"], desk["closes"], desk["is_open"]) == (
        "a-closed", None, None, False,
    )  # fmt: skip


async def test_a_script_that_carries_without_end_is_stopped(server: ServerProcess) -> None:
    token = join_token(server.keys)
    answers = [await carry(server, token) for _ in range(61)]
    assert {one.status_code for one in answers[:60]} == {200}
    assert (answers[60].status_code, answers[60].json()["code"]) == (429, "rate_limited")
    assert int(answers[60].headers["retry-after"]) > 0
