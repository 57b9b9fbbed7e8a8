"""Who may do what at the desk, and what does not get through it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hosting.running import Running
from server.roster.desk import Client, link_token, pdf, staff_token, upload
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import StaffClaims

ROLES = (
    "lead", "co_lead", "room", "assistant", "home_learner", "home_group", "observer",
)  # fmt: skip


async def plan_with_everybody(staff: Client) -> str:
    teachers = (await staff.get("/api/school"))["teachers"]
    return await staff.plan(co_leads=[teachers[-1]["id"]], assistants=[])


def desk_requests(lesson: str, link: str) -> list[tuple[str, str]]:
    one = f"/api/lessons/{lesson}"
    return [
        ("GET", "/api/school"), ("GET", "/api/lessons"), ("POST", "/api/lessons"), ("GET", one),
        ("PUT", one), ("DELETE", one), ("POST", f"{one}/open"),
        ("POST", f"{one}/links/{link}/revoke"), ("POST", "/api/roster/import"),
        ("POST", "/api/staff-links"), ("DELETE", f"{one}/slides/{'0' * 64}"),
    ]  # fmt: skip


async def test_no_join_link_opens_anything_of_the_desk(staff: Client) -> None:
    lesson = await plan_with_everybody(staff)
    sheet = await staff.sheet(lesson)
    wish = await staff.wish()
    assert {one["role"] for one in sheet["links"]} == set(ROLES)
    for role in (*ROLES, ""):
        token = link_token(sheet, role) if role else "none"
        headers = {"Authorization": f"Bearer {token}"}
        for method, path in desk_requests(lesson, sheet["links"][0]["id"]):
            answer = await staff.http.request(method, path, headers=headers, json=wish)
            assert answer.status_code == 401, (role, method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert set(answer.json()["text"]) == {"zh", "en"}
    assert (await staff.sheet(lesson))["links"] == sheet["links"]


@pytest.mark.parametrize("role", ROLES)
async def test_only_leads_bring_slides_and_only_rooms_show_codes(
    staff: Client,
    role: str,
) -> None:
    lesson = await plan_with_everybody(staff)
    token = link_token(await staff.sheet(lesson), role)
    headers = {"Authorization": f"Bearer {token}"}
    added = await upload(staff.http, lesson, token, pdf())
    assert added.status_code == (201 if role in {"lead", "co_lead"} else 403)
    code = await staff.http.post("/api/pair/code", headers=headers)
    assert code.status_code == (200 if role == "room" else 403)
    # All of the lesson may see what is shown in it; nobody sees another lesson's.
    path = f"/api/lessons/{lesson}/slides"
    assert (await staff.http.get(path, headers=headers)).status_code == 200
    other = f"/api/lessons/{await staff.plan()}/slides"
    assert (await staff.http.get(other, headers=headers)).status_code == 401


async def test_another_leads_staff_link_reaches_no_part_of_a_lesson(
    server: Running,
    staff: Client,
) -> None:
    lesson = await staff.plan()
    sheet = await staff.sheet(lesson)
    added = (await upload(staff.http, lesson, link_token(sheet, "lead"), pdf())).json()
    lead = Client(server, staff_token(server, "lead", "somebody"))
    wish = await lead.wish()
    for method, path in [
        *(one for one in desk_requests(lesson, sheet["links"][0]["id"]) if lesson in one[1]),
        ("GET", f"/api/lessons/{lesson}/slides"),
        ("POST", "/api/roster/import"),
    ]:
        answer = await lead.http.request(method, path, json=wish)
        assert answer.status_code == 403, (method, path)
    path = f"/api/slides/{added['sha256']}"
    assert (await lead.http.get(path)).status_code == 401, "a staff link is not a join link"
    mine = await lead.plan()
    link = sheet["links"][0]["id"]
    answer = await lead.http.post(f"/api/lessons/{mine}/links/{link}/revoke")
    assert answer.json()["code"] == "link_unknown"
    stolen = await lead.http.post("/api/lessons", json=wish | {"lead": "somebody-else"})
    assert stolen.status_code == 403
    await lead.http.aclose()


async def test_a_co_lead_helps_to_plan_and_takes_and_deletes_nothing(
    server: Running,
    staff: Client,
) -> None:
    teachers = (await staff.get("/api/school"))["teachers"]
    lead, colleague = teachers[0]["id"], teachers[1]["id"]
    lesson = await staff.plan(lead=lead, co_leads=[colleague], assistants=[])
    helper = Client(server, staff_token(server, "lead", colleague))
    wish = await helper.wish(lead=lead, co_leads=[colleague], assistants=[], title="改过的课题")
    assert (await helper.http.put(f"/api/lessons/{lesson}", json=wish)).status_code == 200
    assert (await helper.sheet(lesson))["title"] == "改过的课题"
    taken = await helper.http.put(f"/api/lessons/{lesson}", json=wish | {"lead": colleague})
    assert taken.status_code == 403
    assert (await helper.http.delete(f"/api/lessons/{lesson}")).status_code == 403
    await helper.http.aclose()


async def test_assistants_rules_phases_and_cues_stay_as_they_were_chosen(
    staff: Client,
) -> None:
    found = await staff.get("/api/school")
    classes = [one for school in found["schools"] for one in school["classes"]][:2]
    own = classes[0]["teachers"][0]
    other = next(one["id"] for one in found["teachers"] if one["id"] != own)
    room = classes[1]["id"]
    chosen: dict[str, Any] = {
        "assistants": [{"person": other, "class_id": room}],
        "policy": {
            "hands_need_approval": True, "public_chat": True, "stage_limit": 4,
            "hybrid_room": room, "following": other, "record": False,
        },
        "phases": [{"title": "导入", "minutes": 5.0}, {"title": "小组讨论", "minutes": 12.5}],
        "cues": [{"minute": 5.0, "text": "发练习纸", "who": "assistant", "room": room}],
    }  # fmt: skip
    lesson = await staff.plan(**chosen)
    sheet = await staff.sheet(lesson)
    assert {name: sheet[name] for name in chosen} == chosen
    # What the page sends back after a look changes nothing.
    again = await staff.wish(**{name: sheet[name] for name in chosen})
    assert (await staff.http.put(f"/api/lessons/{lesson}", json=again)).status_code == 200
    after = await staff.sheet(lesson)
    assert {name: after[name] for name in chosen} == chosen
    assert [one["id"] for one in after["links"]] == [one["id"] for one in sheet["links"]]


async def test_people_who_cannot_be_in_two_places_are_refused(staff: Client) -> None:
    found = await staff.get("/api/school")
    classes = [one["id"] for school in found["schools"] for one in school["classes"]][:2]
    person = found["teachers"][0]["id"]
    for changes, code in (
        ({"assistants": [{"person": person, "class_id": x} for x in classes]}, "assistant_twice"),
        ({"policy": {"hybrid_room": "elsewhere"}}, "hybrid_elsewhere"),
        ({"policy": {"following": person}, "assistants": []}, "hybrid_elsewhere"),
        ({"policy": {"hybrid_room": classes[0], "following": person}, "assistants": []},
         "hybrid_elsewhere"),
    ):  # fmt: skip
        answer = await staff.http.post("/api/lessons", json=await staff.wish(**changes))
        assert answer.json()["code"] == code


async def test_guardians_and_pupils_are_no_teachers_to_choose(staff: Client) -> None:
    names = {one["name"] for one in (await staff.get("/api/school"))["teachers"]}
    assert names
    assert not any("家长" in name or "学生" in name for name in names), names


async def test_slides_are_served_as_a_file_that_can_do_nothing(staff: Client) -> None:
    lesson = await staff.plan()
    token = link_token(await staff.sheet(lesson), "lead")
    headers = {"Authorization": f"Bearer {token}"}
    added = await staff.http.post(
        f"/api/lessons/{lesson}/slides",
        content=pdf(),
        headers=headers
        | {
            "Content-Type": "application/pdf",
            "X-File-Name": "..%2F%22%0d%0aX-Evil: 1%e2%80%ae.pdf",
        },
    )
    title = added.json()["title"]
    assert not set(title) & set("\r\n\u202e")
    file = await staff.http.get(f"/api/slides/{added.json()['sha256']}", headers=headers)
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["content-disposition"] == 'attachment; filename="slides.pdf"'
    assert "sandbox" in file.headers["content-security-policy"]
    assert "private" in file.headers["cache-control"]
    assert "x-evil" not in file.headers


@pytest.mark.parametrize(
    "name", ["..%2f..%2fkeys.json", "%2e%2e", "a" * 64, "A" * 64, "0" * 63, "0" * 65, "\u0660" * 64]
)
async def test_no_name_leads_out_of_the_file_store(staff: Client, name: str) -> None:
    sheet = await staff.sheet(await staff.plan())
    headers = {"Authorization": f"Bearer {link_token(sheet, 'lead')}"}
    assert (await staff.http.get(f"/api/slides/{name}", headers=headers)).status_code == 404
    answer = await staff.http.delete(f"/api/lessons/{sheet['id']}/slides/{name}")
    assert answer.status_code in {404, 405}


async def test_a_third_upload_at_once_waits_its_turn(staff: Client) -> None:
    lesson = await staff.plan()
    token = link_token(await staff.sheet(lesson), "lead")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/pdf"}
    may_end = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"%PDF-"
        await may_end.wait()
        yield b"nothing"

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                staff.http.post(f"/api/lessons/{lesson}/slides", content=slow(), headers=headers)
            )
            for _ in range(2)
        ]
        await asyncio.sleep(0.5)
        third = await upload(staff.http, lesson, token, pdf())
        assert (third.status_code, third.json()["code"]) == (429, "slides_busy")
        assert int(third.headers["retry-after"]) >= 1
        may_end.set()
    assert [task.result().json()["code"] for task in tasks] == ["slides_broken"] * 2
    assert (await upload(staff.http, lesson, token, pdf())).status_code == 201


async def test_slides_above_the_limit_are_refused_while_they_come(
    server: Running,
    staff: Client,
) -> None:
    lesson = await staff.plan()
    token = link_token(await staff.sheet(lesson), "lead")
    answer = await upload(staff.http, lesson, token, b"%PDF-" + bytes(50 * 1024 * 1024))
    assert (answer.status_code, answer.json()["code"]) == (413, "slides_too_large")
    assert not list((server.folder.path / "files").glob(".*")), "nothing stays behind"


async def test_bodies_have_a_bound(staff: Client) -> None:
    for path in ("/api/lessons", "/api/pair"):
        answer = await staff.http.post(
            path, content=b"[" * 200_000, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        deep = b"[" * 100_000
        answer = await staff.http.post(
            path, content=deep, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400


async def test_a_page_of_another_site_posts_nothing(staff: Client) -> None:
    """Without a preflight a foreign page can send forms and plain text only."""
    wish = await staff.wish()
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        for path in ("/api/lessons", "/api/pair"):
            answer = await staff.http.post(path, json=wish, headers={"Content-Type": kind})
            assert answer.json()["code"] == "json_needed"
            assert "access-control-allow-origin" not in answer.headers


async def test_the_portal_gives_the_operators_link_to_this_machines_browser_only(
    server: Running,
) -> None:
    async with httpx.AsyncClient(trust_env=False, base_url=server.public_url) as client:
        assert (await client.get("/api/portal")).json()["desk"]
        for headers in (
            {"Host": "evil.example"},
            {"X-Forwarded-For": "203.0.113.7"},
            {"Forwarded": "for=203.0.113.7"},
        ):
            answer = await client.get("/api/portal", headers=headers)
            assert answer.json()["desk"] is None


async def test_a_staff_link_with_a_lessons_role_is_none(server: Running) -> None:
    now = time.time()
    for role in set(Role) - {Role.OPERATOR, Role.LEAD}:
        claims = StaffClaims(sub="x", role=role, exp=now + 60, iat=now)
        async with httpx.AsyncClient(trust_env=False, base_url=server.public_url) as client:
            headers = {"Authorization": f"Bearer {server.keys.issue(claims)}"}
            answer = await client.get("/api/lessons", headers=headers)
            # A librarian's link is good, but not for this.
            assert answer.status_code == (403 if role is Role.LIBRARIAN else 401)


async def test_an_operator_gives_teachers_their_links_and_nobody_else(
    server: Running, staff: Client
) -> None:
    teacher = (await staff.get("/api/school"))["teachers"][0]
    answer = await staff.http.post("/api/staff-links", json={"person": teacher["id"]})
    assert answer.status_code == 201
    token = answer.json()["url"].partition("/lessons#token=")[2]
    lead = Client(server, token)
    assert (await lead.get("/api/school"))["me"] == {
        "id": teacher["id"], "name": teacher["name"], "role": "lead",
    }  # fmt: skip
    refused = await lead.http.post("/api/staff-links", json={"person": teacher["id"]})
    assert refused.status_code == 403
    pupil = next(
        one["subject"]
        for one in (await staff.sheet(await staff.plan()))["links"]
        if one["role"] == "home_learner"
    )
    for body, status in (
        ({"person": pupil}, 404),
        ({"person": "nobody"}, 404),
        ({"person": teacher["id"], "days": 31}, 400),
    ):
        assert (await staff.http.post("/api/staff-links", json=body)).status_code == status
    await lead.http.aclose()
