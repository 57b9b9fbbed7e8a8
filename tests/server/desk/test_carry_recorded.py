"""A question about a lesson that is over: its chapter, and the way to watch it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from hosting.desk_page import DeskPage, close_desk_pages, desk_token
from hosting.running import Running, running_server
from light.ports import free_port
from recordings.test_clips import lesson
from twinclass_recordings import manifest as m
from twinclass_recordings.library.shelf import Change, Recorded, Shelf
from twinclass_recordings.package import Package
from twinclass_server.recording import about
from twinclass_server.roster.database import Database
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.view_types import TutorView
from twinclass_signaling.ids import LessonId, RoomId
from twinclass_signaling.lesson.plan import Plan, PlannedRoom
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims

RECORDING = "algebra-100"
PLAN = Plan("有理数的乘法", rooms=(PlannedRoom(RoomId("r1"), "七(1)班"),), subject="maths", grade=7)


@dataclass
class Past:
    """A server on which the lesson ``algebra`` was recorded, and its library."""

    server: Running
    shelf: Shelf

    async def carry(self, lesson: str = "algebra", **body: object) -> httpx.Response:
        now = time.time()
        claims = Claims(
            "demo-home-1", Role.HOME_LEARNER, lesson, now + 600, now, room="r1", name="张小雨"
        )
        headers = {"Authorization": f"Bearer {self.server.keys.issue(claims)}"}
        async with httpx.AsyncClient(trust_env=False, base_url=self.server.public_url) as client:
            return await client.post("/api/desk/carry", json=body, headers=headers)

    async def opens(self, url: str) -> bool:
        """Tells whether a link into the library shows its entry."""
        parts = urlsplit(url)
        token = parse_qs(parts.fragment)["token"][0]
        async with httpx.AsyncClient(trust_env=False, base_url=self.server.public_url) as client:
            answer = await client.get(
                f"/api/library/lessons/{parts.path.rpartition('/')[2]}",
                headers={"Authorization": f"Bearer {token}"},
            )
        return answer.status_code == 200


@pytest.fixture
async def past(tmp_path: Path) -> AsyncIterator[Past]:
    environment = {"TWINCLASS_DEMO__ENABLED": "yes", "TWINCLASS_RECORDING__ENABLED": "yes"}
    async with running_server(tmp_path / "d", free_port(10), environment) as server:
        root = server.folder.recordings
        made, manifest = await lesson(root)
        made.folder.rename(root / RECORDING)
        package = Package.of(root, RECORDING)
        package.manifest.write_bytes(m.encode(replace(manifest, lesson=RECORDING)))
        kept = about.About(RECORDING, LessonId("algebra"), PLAN, {}, 100.0, 119.0, None, "log")
        about.write(package, kept)
        shelf = Shelf(Database("", server.folder.path).session)
        taught = datetime(2026, 11, 2, tzinfo=UTC)
        shelf.take(
            Recorded(
                RECORDING, "algebra", "有理数的乘法", "", taught, 19.0, 1000, "lead", "示例老师"
            )
        )
        yield Past(server, shelf)
        await close_desk_pages()


async def test_a_moment_of_a_lesson_that_is_over_is_named_and_watched_by_whom_it_concerns(
    past: Past,
) -> None:
    answer = await past.carry(t=7)
    assert answer.status_code == 200, answer.text
    parts = parse_qs(urlsplit(answer.json()["url"]).fragment)
    origin = parts["origin"][0]
    assert origin == f"lesson.7.{RECORDING}"
    pupil, _ = await DeskPage.enter(past.server.port, parts["token"][0])
    told = (await pupil.http("GET", f"origins/{origin}")).json()
    assert told["phase"] == {"zh": "新课", "en": "New"}
    assert (told["lesson"], told["t"], told["page"]) == (RECORDING, 7, None)
    assert told["url"].startswith(f"/library/lesson/{RECORDING}?t=7#token=")
    assert await past.opens(told["url"])
    tutor, _ = await DeskPage.enter(
        past.server.port, desk_token(past.server.keys, Role.TUTOR, "demo-tutor")
    )
    await tutor.do(c.StartDuty())
    await pupil.ask(origin=origin)
    await tutor.see(TutorView, lambda view: view.offer is not None)
    # A lesson that is not open to her as a teacher is named, and no more.
    seen = (await tutor.http("GET", f"origins/{origin}?question=1")).json()
    assert (seen["title"], seen["url"]) == ("有理数的乘法", None)
    past.shelf.change(RECORDING, Change(visibility="city"))
    seen = (await tutor.http("GET", f"origins/{origin}?question=1")).json()
    assert await past.opens(seen["url"])


async def test_the_second_of_a_clip_is_the_clip_s_own(past: Past) -> None:
    answer = await past.carry(t=3, entry=RECORDING)
    assert answer.status_code == 200, answer.text
    assert f"&origin=lesson.3.{RECORDING}&" in answer.json()["url"]
    # An entry of another lesson is not hers to ask about.
    taught = datetime(2026, 11, 2, tzinfo=UTC)
    past.shelf.take(Recorded("other-1", "other", "别的课", "", taught, 19.0, 1000, "l", "示例"))
    refused = await past.carry(t=3, entry="other-1")
    assert (refused.status_code, refused.json()["code"]) == (404, "lesson_unknown")
