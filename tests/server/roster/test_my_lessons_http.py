"""The desk over HTTP, through a running server."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hosting.running import Running, running_server
from light.ports import free_port
from server.roster.desk import Client, link_token, pdf, staff_token, upload
from twinclass_signaling.ids import LessonId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims, SigningKey, StaffClaims, TokenKeys


async def test_a_lesson_is_planned_changed_opened_and_has_a_link_for_everybody(
    server: Running, staff: Client
) -> None:
    lesson = await staff.plan()
    sheet = await staff.sheet(lesson)
    roles = [link["role"] for link in sheet["links"]]
    assert roles.count("room") == 2
    assert roles.count("assistant") == 2
    assert roles.count("home_learner") == 2
    assert roles.count("home_group") == 1
    assert {"lead", "observer"} <= set(roles)
    assert (await staff.sheet(lesson))["links"] == sheet["links"], "links stay the same"

    wish = await staff.wish(title="新课题", classes=sheet["classes"][:1])
    changed = await staff.http.put(f"/api/lessons/{lesson}", json=wish)
    assert changed.status_code == 200, changed.text
    assert len([1 for x in (await staff.sheet(lesson))["links"] if x["role"] == "room"]) == 1

    assert (await staff.http.post(f"/api/lessons/{lesson}/open")).status_code == 200
    assert server.server.lessons is not None
    plan = server.server.lessons.hosts[LessonId(lesson)].state.plan
    assert plan.title == "新课题"
    assert len(plan.rooms[0].pupils) == 12
    lists = await staff.get("/api/lessons")
    assert [one["id"] for one in lists["live"]] == [lesson]
    assert (await staff.http.put(f"/api/lessons/{lesson}", json=wish)).status_code == 409
    assert (await staff.http.delete(f"/api/lessons/{lesson}")).status_code == 409


async def test_subjects_of_tokens_are_people_and_not_names(server: Running, staff: Client) -> None:
    sheet = await staff.sheet(await staff.plan())
    for link in sheet["links"]:
        token = urlsplit(link["url"]).fragment.removeprefix("token=")
        claims = server.keys.verify(token, time.time(), LessonId(sheet["id"]))
        assert claims.sub == link["subject"]
        assert claims.lnk == link["id"]
        assert "demo-p" not in claims.sub


async def test_a_lesson_that_is_due_opens_by_itself(server: Running, staff: Client) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    lesson = await staff.plan(starts_at=soon)
    async with asyncio.timeout(15):
        while not server.has_host(lesson):
            await asyncio.sleep(0.1)


async def test_a_withdrawn_link_is_refused_and_replaced(server: Running, staff: Client) -> None:
    lesson = await staff.plan()
    await staff.http.post(f"/api/lessons/{lesson}/open")
    before = await staff.sheet(lesson)
    link = next(one for one in before["links"] if one["role"] == "lead")
    token = link_token(before, "lead")
    slides = f"/api/lessons/{lesson}/slides"
    whip = f"/whip/{lesson}"
    headers = {"Authorization": f"Bearer {token}"}
    offer = headers | {"Content-Type": "application/sdp"}
    assert (await staff.http.get(slides, headers=headers)).status_code == 200
    assert (await staff.http.post(whip, headers=offer, content="v=0")).status_code != 401
    done = await staff.http.post(f"/api/lessons/{lesson}/links/{link['id']}/revoke")
    assert done.status_code == 204
    for answer in (
        await staff.http.get(slides, headers=headers),
        await staff.http.post(whip, headers=offer, content="v=0"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")
    fresh = link_token(await staff.sheet(lesson), "lead")
    assert fresh != token
    renewed = {"Authorization": f"Bearer {fresh}"}
    assert (await staff.http.get(slides, headers=renewed)).status_code == 200


async def test_a_deleted_lessons_links_are_refused(staff: Client) -> None:
    lesson = await staff.plan()
    token = link_token(await staff.sheet(lesson), "lead")
    assert (await staff.http.delete(f"/api/lessons/{lesson}")).status_code == 204
    answer = await staff.http.get(
        f"/api/lessons/{lesson}/slides", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.json()["code"] == "token_revoked"
    assert (await staff.http.get(f"/api/lessons/{lesson}")).status_code == 404


async def test_forged_expired_and_other_tokens_open_nothing(server: Running, staff: Client) -> None:
    now = time.time()
    join = Claims("operator", Role.LEAD, "demo", exp=now + 60, iat=now)
    forged = TokenKeys([SigningKey("x", b"x" * 32)])
    good = StaffClaims("operator", Role.OPERATOR, exp=now + 60, iat=now)
    old = StaffClaims("operator", Role.OPERATOR, exp=now - 1, iat=now - 60)
    pupil = StaffClaims("p", Role.ROOM, exp=now + 60, iat=now)
    for token in (
        "x",
        "x.y.z",
        forged.issue(good),
        server.keys.issue(old),
        server.keys.issue(pupil),
        server.keys.issue(join),
    ):
        answer = await staff.http.get("/api/lessons", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert set(answer.json()["text"]) == {"zh", "en"}


async def test_a_lead_sees_and_changes_her_own_lessons_only(server: Running, staff: Client) -> None:
    lesson = await staff.plan()
    lead = Client(server, staff_token(server, "lead", "somebody"))
    lists = await lead.get("/api/lessons")
    assert lists == {"live": [], "upcoming": [], "past": []}
    for answer in (
        await lead.http.get(f"/api/lessons/{lesson}"),
        await lead.http.put(f"/api/lessons/{lesson}", json=await staff.wish()),
        await lead.http.delete(f"/api/lessons/{lesson}"),
        await lead.http.post(f"/api/lessons/{lesson}/open"),
        await lead.http.post("/api/roster/import", content=b"x"),
    ):
        assert answer.status_code == 403
    mine = await lead.plan()
    assert [one["id"] for one in (await lead.get("/api/lessons"))["upcoming"]] == [mine]
    await lead.http.aclose()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"title": ""}, 400, "body_malformed"),
        ({"title": "长" * 10_000}, 400, "body_malformed"),
        ({"title": "a\x00b"}, 400, "body_malformed"),
        ({"classes": []}, 400, "body_malformed"),
        ({"classes": ["nowhere"]}, 404, "class_unknown"),
        ({"lead": "nobody"}, 404, "person_unknown"),
        ({"co_leads": ["nobody"]}, 404, "person_unknown"),
        ({"starts_at": "2026-09-01T08:00:00"}, 400, "body_malformed"),
        ({"more": 1}, 400, "body_malformed"),
    ],
)
async def test_wishes_that_cannot_be_are_refused(
    staff: Client, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = await staff.http.post("/api/lessons", json=await staff.wish(**changes))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_markup_in_a_title_stays_text(staff: Client) -> None:
    title = "<img src=x onerror=alert(1)>'; DROP TABLE lesson"
    sheet = await staff.sheet(await staff.plan(title=title))
    assert sheet["title"] == title


async def test_a_roster_is_imported_with_a_report(staff: Client) -> None:
    data = "编号,姓名\nz1,示例己\nz1,示例庚\n".encode("gbk")
    headers = {"X-File-Name": "%E4%BA%BA%E5%91%98.csv"}
    answer = await staff.http.post("/api/roster/import", content=data, headers=headers)
    assert answer.status_code == 200
    report = json.loads(answer.text.splitlines()[-1])["report"]
    assert report["files"][0] | {"read": 2, "created": 1, "errors": 1} == report["files"][0]
    assert report["errors"][0]["line"] == 3
    broken = await staff.http.post("/api/roster/import", content=b"PK\x03\x04nonsense")
    assert broken.json()["code"] == "zip_broken"


async def test_slides_are_checked_cleaned_and_given_to_the_lesson_only(
    server: Running, staff: Client
) -> None:
    lesson = await staff.plan()
    sheet = await staff.sheet(lesson)
    lead, room = link_token(sheet, "lead"), link_token(sheet, "room")
    answer = await upload(staff.http, lesson, lead, pdf(3, script=True) + b"PK\x03\x04 a zip too")
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert found["pages"] == 3
    path = f"/api/slides/{found['sha256']}"
    as_room = {"Authorization": f"Bearer {room}"}
    file = await staff.http.get(path, headers=as_room)
    assert file.status_code == 200
    assert b"JavaScript" not in file.content
    assert b"a zip too" not in file.content
    assert "immutable" in file.headers["cache-control"]
    part = await staff.http.get(path, headers=as_room | {"Range": "bytes=0-4"})
    assert (part.status_code, part.content) == (206, b"%PDF-")
    same = await staff.http.get(path, headers=as_room | {"If-None-Match": file.headers["etag"]})
    assert same.status_code == 304
    assert (await upload(staff.http, lesson, room, pdf())).status_code == 403
    other = link_token(await staff.sheet(await staff.plan()), "lead")
    foreign = {"Authorization": f"Bearer {other}"}
    assert (await staff.http.get(path, headers=foreign)).status_code == 404
    assert (await upload(staff.http, lesson, other, pdf())).status_code == 401
    assert (await staff.http.get("/api/slides/..%2f..%2fx", headers=as_room)).status_code == 404


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "slides_empty"),
        (b"GIF89a" + pdf(), "slides_not_pdf"),
        (b"<html>", "slides_not_pdf"),
        (b"%PDF-1.7 nothing more", "slides_broken"),
        (pdf(password="geheim"), "slides_encrypted"),
    ],
)
async def test_files_that_are_no_slides_say_why(staff: Client, data: bytes, code: str) -> None:
    lesson = await staff.plan()
    lead = link_token(await staff.sheet(lesson), "lead")
    answer = await upload(staff.http, lesson, lead, data)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_tablet_is_paired_by_the_code_on_the_rooms_screen(
    server: Running, staff: Client
) -> None:
    lesson = await staff.plan()
    sheet = await staff.sheet(lesson)
    room = {"Authorization": f"Bearer {link_token(sheet, 'room')}"}
    offered = (await staff.http.post("/api/pair/code", headers=room)).json()
    paired = await staff.http.post("/api/pair", json={"code": offered["code"]})
    token = urlsplit(paired.json()["url"]).fragment.removeprefix("token=")
    claims = server.keys.verify(token, time.time(), LessonId(lesson))
    assert (claims.role, claims.room) == (Role.ASSISTANT, sheet["rooms"][0]["id"])
    again = await staff.http.post("/api/pair", json={"code": offered["code"]})
    assert again.status_code == 404, "a code works once"
    codes = [
        (await staff.http.post("/api/pair", json={"code": "no"})).status_code for _ in range(9)
    ]
    assert codes[-1] == 429


async def test_it_works_on_postgresql(tmp_path: Path, postgres: str) -> None:
    settings = {"TWINCLASS_DEMO__ENABLED": "yes", "TWINCLASS_DATABASE__URL": postgres}
    async with running_server(tmp_path / "p", free_port(3), settings) as server:
        client = Client(server, staff_token(server))
        lesson = await client.plan()
        assert len((await client.sheet(lesson))["links"]) > 8
        assert (await client.http.post(f"/api/lessons/{lesson}/open")).status_code == 200
        assert (await client.http.delete(f"/api/lessons/{await client.plan()}")).status_code == 204
        await client.http.aclose()
