"""A planned lesson's pupils come over to the evening desk with the links of the roster."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hosting.desk_page import DeskPage, close_desk_pages
from hosting.running import Running
from server.roster.desk import Client, link_token
from twinclass_signaling.desk.messages import Goodbye


async def carry(server: Running, token: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, base_url=server.public_url) as client:
        return await client.post(
            "/api/desk/carry", json={"t": None}, headers={"Authorization": f"Bearer {token}"}
        )


async def test_a_withdrawn_link_takes_the_desk_s_with_it(server: Running, staff: Client) -> None:
    sheet = await staff.sheet(await staff.plan(subject="七年级数学"))
    link = next(one for one in sheet["links"] if one["role"] == "home_learner")
    joined = link_token(sheet, "home_learner")
    answer = await carry(server, joined)
    assert answer.status_code == 200, answer.text
    token = parse_qs(urlsplit(answer.json()["url"]).fragment)["token"][0]
    claims = server.keys.verify_desk(token, time.time())
    assert (claims.sub, claims.grade, claims.desk) == (link["subject"], 7, "demo-desk")
    page, _ = await DeskPage.enter(server.port, token)
    path = f"/api/lessons/{sheet['id']}/links/{link['id']}/revoke"
    assert (await staff.http.post(path)).status_code == 204
    assert (await page.wait_for(Goodbye)).reason == "removed"
    refused = await carry(server, joined)
    assert (refused.status_code, refused.json()["code"]) == (401, "token_revoked")
    assert (await page.http("GET", "bank")).status_code == 401
    await close_desk_pages()


@pytest.mark.parametrize("subject", ["", "体育"])
async def test_a_lesson_of_another_subject_has_no_desk(
    server: Running, staff: Client, subject: str
) -> None:
    sheet = await staff.sheet(await staff.plan(subject=subject))
    answer = await carry(server, link_token(sheet, "home_learner"))
    assert (answer.status_code, answer.json()["code"]) == (404, "desk_none")
