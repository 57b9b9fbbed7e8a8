"""What the desk does to a lesson that runs: withdrawn links, slides, paired tablets."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

from hosting.page import Page
from hosting.running import Running
from server.roster.desk import Client, link_token, pdf, upload
from twinclass_signaling.ids import LessonId
from twinclass_signaling.messages import Authenticate, Error, Goodbye
from twinclass_signaling.roles import Role


async def revoke(staff: Client, sheet: dict[str, Any], role: str) -> str:
    """Withdraws the first link of a role; returns whose it was."""
    link = next(one for one in sheet["links"] if one["role"] == role)
    done = await staff.http.post(f"/api/lessons/{sheet['id']}/links/{link['id']}/revoke")
    assert done.status_code == 204
    return str(link["subject"])


async def opened(staff: Client) -> dict[str, Any]:
    lesson = await staff.plan()
    assert (await staff.http.post(f"/api/lessons/{lesson}/open")).status_code == 200
    return await staff.sheet(lesson)


async def test_whoever_is_inside_with_a_withdrawn_link_is_sent_out_and_no_one_else(
    server: Running,
    staff: Client,
) -> None:
    sheet = await opened(staff)
    page, _ = await Page.enter(server.port, link_token(sheet, "home_learner"))
    room, _ = await Page.enter(server.port, link_token(sheet, "room"))
    subject = await revoke(staff, sheet, "home_learner")
    goodbye = await page.wait_for(Goodbye)
    assert goodbye.reason == "removed"
    assert "停用" in goodbye.text.zh
    await page.socket.wait_closed()

    def presence() -> list[str]:
        seats = server.lessons_host(sheet["id"]).state.seats
        return [seat.presence for who, seat in seats.items() if who == subject]

    # It is noted in the log, which may take a moment, before it is so.
    async with asyncio.timeout(10):
        while presence() != ["left"]:
            await asyncio.sleep(0.02)
    assert room.socket.close_code is None
    # The new link of the same person lets in at once.
    fresh = link_token(await staff.sheet(sheet["id"]), "home_learner")
    _, welcome = await Page.enter(server.port, fresh)
    assert welcome.participant == subject


async def test_a_withdrawn_link_does_not_open_the_signal(
    server: Running,
    staff: Client,
) -> None:
    sheet = await opened(staff)
    token = link_token(sheet, "room")
    await revoke(staff, sheet, "room")
    page = await Page.open(server.port)
    await page.send(Authenticate(token))
    error = await page.wait_for(Error)
    assert (error.code, error.fatal) == ("token_revoked", True)
    await page.socket.wait_closed()
    assert page.socket.close_code == 4401


async def test_slides_of_the_sheet_wait_in_the_lesson_and_are_not_shown(
    server: Running,
    staff: Client,
) -> None:
    lesson = await staff.plan()
    token = staff.http.headers["Authorization"].partition(" ")[2]
    first = (await upload(staff.http, lesson, token, pdf(3))).json()
    (await upload(staff.http, lesson, token, pdf(4))).json()
    await staff.http.post(f"/api/lessons/{lesson}/open")
    slides = server.lessons_host(lesson).state.tools.slides
    assert [one.pages for one in slides.documents] == [3, 4]
    assert slides.documents[0].document == first["document"]
    assert slides.document is None
    # One more while it is open is there too; the ones there stay.
    assert (await upload(staff.http, lesson, token, pdf(5))).status_code == 201
    slides = server.lessons_host(lesson).state.tools.slides
    assert [one.pages for one in slides.documents] == [3, 4, 5]
    assert slides.document is None
    gone = await staff.http.delete(f"/api/lessons/{lesson}/slides/{first['sha256']}")
    assert (gone.status_code, gone.json()["code"]) == (409, "lesson_open")


async def test_slides_are_taken_away_with_their_file(
    server: Running,
    staff: Client,
) -> None:
    token = staff.http.headers["Authorization"].partition(" ")[2]
    one, other = await staff.plan(), await staff.plan()
    added = (await upload(staff.http, one, token, pdf(2))).json()
    await upload(staff.http, other, token, pdf(2))
    files = server.folder.path / "files"
    path = f"/api/lessons/{one}/slides/{added['sha256']}"
    assert (await staff.http.delete(path)).status_code == 204
    assert (await staff.http.delete(path)).status_code == 404
    assert len(list(files.glob("*/*"))) == 1, "the other lesson has it still"
    assert (await staff.http.delete(f"/api/lessons/{other}")).status_code == 204
    assert not list(files.glob("*/*"))


async def test_a_tablet_paired_after_a_withdrawal_gets_the_new_link(
    server: Running,
    staff: Client,
) -> None:
    sheet = await opened(staff)
    await revoke(staff, sheet, "assistant")
    room = {"Authorization": f"Bearer {link_token(sheet, 'room')}"}
    code = (await staff.http.post("/api/pair/code", headers=room)).json()["code"]
    paired = await staff.http.post("/api/pair", json={"code": code})
    token = urlsplit(paired.json()["url"]).fragment.removeprefix("token=")
    claims = server.keys.verify(token, time.time(), LessonId(sheet["id"]))
    assert claims.role is Role.ASSISTANT
    links = (await staff.sheet(sheet["id"]))["links"]
    assert claims.lnk in {one["id"] for one in links}, "it can be withdrawn too"


async def test_an_encoder_with_a_withdrawn_link_is_ended_too(
    server: Running, staff: Client
) -> None:
    sheet = await opened(staff)
    headers = {"Authorization": f"Bearer {link_token(sheet, 'lead')}"}
    answer = await staff.http.post(
        f"/whip/{sheet['id']}",
        content="v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
        headers=headers | {"Content-Type": "application/sdp"},
    )
    assert answer.status_code == 201, answer.text
    host = server.lessons_host(sheet["id"])
    assert len(host.seats.guests) == 1
    await revoke(staff, sheet, "lead")
    assert not host.seats.guests
    gone = await staff.http.delete(answer.headers["location"], headers=headers)
    assert gone.status_code == 404
