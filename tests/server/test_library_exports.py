"""Exports over HTTP: who may, how many, what is left after a cancel, a restart, a day."""

from __future__ import annotations

import asyncio
import subprocess
import time
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import psutil
import pytest
from starlette.applications import Starlette

from light.ffmpeg import complaints
from recordings.lessons import two_rooms
from twinclass_recordings.library.attachments import Attachments
from twinclass_recordings.library.models import Entry
from twinclass_recordings.library.shelf import Recorded, Shelf
from twinclass_recordings.manifest import decode
from twinclass_recordings.package import Package
from twinclass_recordings.store import FolderPackages
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.http.library_door import LibraryDoor
from twinclass_server.http.library_exports import LibraryExports
from twinclass_server.recording.exporting import KEEP_S, MAX_OF_PERSON, MAX_WAITING, Exporter
from twinclass_server.roster.database import Database
from twinclass_server.roster.file_store import FolderStore
from twinclass_server.roster.schools import Schools
from twinclass_signaling.ids import LessonId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims, StaffClaims

PATH = "/api/library/lessons/lesson-1/exports"


@dataclass
class Desk:
    """The exports of one data folder; ``now`` is added to the real time."""

    data: Path
    now: float = 0.0
    #: Whose consent has ended.
    hidden: frozenset[str] = frozenset()
    exporter: Exporter = field(init=False)
    database: Database = field(init=False)

    def clock(self) -> float:
        return time.time() + self.now

    @property
    def folder(self) -> Path:
        return self.data / "exports"

    def token(self, role: Role, subject: str) -> dict[str, str]:
        now = time.time()
        claims = StaffClaims(subject, role, exp=now + 3600, iat=now)
        return {"authorization": f"Bearer {DataFolder(self.data).read_keys().issue(claims)}"}

    @property
    def lead(self) -> dict[str, str]:
        return self.token(Role.LEAD, "lead-1")

    @property
    def operator(self) -> dict[str, str]:
        return self.token(Role.OPERATOR, "operator")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[httpx.AsyncClient]:
        """Serves as a server does from its start to its end."""
        keys = DataFolder(self.data).read_keys
        self.database = Database("", self.data)
        self.database.migrate()
        root, files = self.data / "recordings", self.data / "files"
        self.exporter = Exporter(self.folder, root, files, 1, lambda _: self.hidden, self.clock)
        sessions = self.database.session
        routes = LibraryExports(
            LibraryDoor(Shelf(sessions), keys, Schools(self.database)),
            self.exporter,
            Attachments(sessions),
            FolderPackages(root),
            FolderStore(files).path,
            keys,
            self.clock,
        ).routes()
        running = asyncio.create_task(self.exporter.run())
        transport = httpx.ASGITransport(Starlette(routes=routes))
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
                yield client
        finally:
            running.cancel()
            await asyncio.wait([running])
            self.database.close()

    def take(self, identifier: str, kind: str = "lesson", title: str = "有理数的乘法") -> None:
        Shelf(self.database.session).take(
            Recorded(
                identifier, identifier, title, "", datetime(2026, 11, 2, tzinfo=UTC), 10.0, 1000,
                "lead-1", "示例老师", ("school-1",), "示例一中", "数学", "七年级",
            )
        )  # fmt: skip
        with self.database.session() as session:
            entry = session.query(Entry).filter(Entry.id == identifier).one()
            entry.kind, entry.visibility = kind, "city"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return asyncio.run(two_rooms(tmp_path_factory.mktemp("recorded")))


@pytest.fixture
def desk(recorded: Package, tmp_path: Path) -> Desk:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "files").mkdir()
    subprocess.run(
        ["cp", "-r", str(recorded.folder), str(tmp_path / "recordings" / "lesson-1")], check=True
    )
    return Desk(tmp_path)


async def until(told: Callable[[], Awaitable[bool]], what: str, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await told():
            await asyncio.sleep(0.05)
    assert what


async def ask(client: httpx.AsyncClient, who: dict[str, str], **wish: str) -> dict[str, Any]:
    answer = await client.post(PATH, json=wish, headers=who)
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def state(client: httpx.AsyncClient, who: dict[str, str], export: str) -> dict[str, Any]:
    answer = await client.get(PATH, headers=who)
    assert answer.status_code == 200, answer.text
    return next(one for one in answer.json()["exports"] if one["id"] == export)


async def done(client: httpx.AsyncClient, who: dict[str, str], export: str) -> dict[str, Any]:
    async def is_over() -> bool:
        return (await state(client, who, export))["state"] not in {"waiting", "running"}

    await until(is_over, "the export ends")
    return await state(client, who, export)


def children(word: str) -> list[psutil.Process]:
    found = []
    for one in psutil.Process().children(recursive=True):
        try:
            if any(word in argument for argument in one.cmdline()):
                found.append(one)
        except psutil.Error:
            continue
    return found


async def test_a_lead_exports_her_lesson_and_fetches_it_by_its_link(
    desk: Desk, tmp_path: Path
) -> None:
    async with desk.serving() as client:
        desk.take("lesson-1", title='有理数/的 "乘法"')
        made = await ask(client, desk.lead, kind="mp4", layout="side")
        assert (made["state"], made["url"], made["text"]) == ("waiting", None, None)
        archive = await ask(client, desk.lead, kind="zip")
        shown = await done(client, desk.lead, made["id"])
        assert (shown["state"], shown["progress"], shown["layout"]) == ("done", 1.0, "side")
        answer = await client.get(shown["url"])
        assert answer.status_code == 200
        assert len(answer.content) == shown["bytes"]
        kind = answer.headers["content-disposition"]
        assert kind.startswith("attachment; filename*=utf-8''")
        assert unquote(kind.partition("''")[2]) == "有理数_的 _乘法.mp4"
        assert answer.headers["content-type"] == "video/mp4"
        (tmp_path / "got.mp4").write_bytes(answer.content)
        assert complaints(tmp_path / "got.mp4") == ""
        part = await client.get(shown["url"], headers={"range": "bytes=4-7"})
        assert (part.status_code, part.content) == (206, b"ftyp")
        packed = await done(client, desk.lead, archive["id"])
        assert (packed["state"], packed["layout"]) == ("done", None)
        (tmp_path / "got.zip").write_bytes((await client.get(packed["url"])).content)
        with zipfile.ZipFile(tmp_path / "got.zip") as found:
            assert "示例老师" in found.read("lesson.json").decode()
            everybody = decode(found.read("manifest.json"))
        # Whose consent has ended is not in what is made from then on.
        desk.hidden = frozenset({everybody.tracks[-1].participant})
        again = await done(client, desk.lead, (await ask(client, desk.lead, kind="zip"))["id"])
        (tmp_path / "got.zip").write_bytes((await client.get(again["url"])).content)
        with zipfile.ZipFile(tmp_path / "got.zip") as found:
            left = decode(found.read("manifest.json"))
            parts = {name for name in found.namelist() if name.startswith("parts/")}
        assert {track.participant for track in left.tracks} == (
            {track.participant for track in everybody.tracks} - desk.hidden
        )
        assert parts == {part.path for t in left.tracks for run in t.runs for part in run.parts}
        # A link opens its own file only.
        ticket = shown["url"].split("/")[3]
        other = packed["url"].split("/")[4]
        assert (await client.get(f"/library/exports/{ticket}/{other}/x")).status_code == 401
        assert (await client.get(f"/library/exports/{ticket}x/{made['id']}/x")).status_code == 401
        assert not list(desk.folder.glob("*.about"))


async def test_only_who_may_exports_and_only_who_may_sees_it(desk: Desk) -> None:
    async with desk.serving() as client:
        desk.take("lesson-1")
        made = await ask(client, desk.lead, kind="zip")
        colleague = desk.token(Role.LEAD, "lead-2")
        refused = await client.post(PATH, json={"kind": "zip"}, headers=colleague)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        now = time.time()
        claims = Claims(
            "room-1", Role.ROOM, LessonId("lesson-1"), exp=now + 60, iat=now, room="room-1"
        )
        room = {"authorization": f"Bearer {DataFolder(desk.data).read_keys().issue(claims)}"}
        assert (await client.get(PATH, headers=room)).status_code == 403
        assert (await client.get(PATH)).status_code == 401
        one = f"/api/library/exports/{made['id']}"
        assert (await client.delete(one, headers=colleague)).status_code == 404
        assert (await client.delete(one, headers=room)).status_code == 404
        for role in (Role.OPERATOR, Role.LIBRARIAN):
            seen = (await client.get(PATH, headers=desk.token(role, "staff"))).json()["exports"]
            assert [export["id"] for export in seen] == [made["id"]]
        theirs = await ask(client, desk.operator, kind="zip")
        own = (await client.get(PATH, headers=desk.lead)).json()["exports"]
        assert [export["id"] for export in own] == [made["id"]]
        assert (await client.delete(one, headers=desk.operator)).status_code == 204
        await done(client, desk.operator, theirs["id"])


async def test_what_has_no_media_or_is_not_over_says_so(desk: Desk) -> None:
    async with desk.serving() as client:
        desk.take("lesson-1")
        desk.take("unit-1", kind="package", title="第一单元")
        desk.take("live-1")
        for entry, wish, status, code in (
            ("unit-1", {"kind": "mp4"}, 409, "export_no_media"),
            ("live-1", {"kind": "mp4"}, 409, "export_not_ready"),
            ("none", {"kind": "mp4"}, 404, "lesson_unknown"),
            ("lesson-1", {"kind": "avi"}, 400, "body_malformed"),
            ("lesson-1", {"kind": "mp4", "layout": "none"}, 400, "body_malformed"),
        ):
            answer = await client.post(
                f"/api/library/lessons/{entry}/exports", json=wish, headers=desk.operator
            )
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert set(answer.json()["text"]) == {"zh", "en"}
        path = "/api/library/lessons/unit-1/exports"
        answer = await client.post(path, json={"kind": "zip"}, headers=desk.operator)
        assert answer.status_code == 202


async def test_a_cancel_kills_the_job_and_leaves_nothing(desk: Desk) -> None:
    async with desk.serving() as client:
        desk.take("lesson-1")
        made = await ask(client, desk.lead, kind="mp4")
        waiting = await ask(client, desk.lead, kind="mp4")

        async def is_writing() -> bool:
            return bool(list(desk.folder.glob(f"{made['id']}.mp4.part")))

        await until(is_writing, "the job writes")
        [job] = children(made["id"])
        assert job.nice() == 19
        for one in (waiting, made):
            path = f"/api/library/exports/{one['id']}"
            assert (await client.delete(path, headers=desk.lead)).status_code == 204
            assert (await state(client, desk.lead, one["id"]))["state"] == "cancelled"
        assert not job.is_running()
        assert [one.suffix for one in desk.folder.iterdir()] == [".json", ".json"]
        again = await ask(client, desk.lead, kind="zip")
        assert (await done(client, desk.lead, again["id"]))["state"] == "done"
        # What is over is forgotten.
        await client.delete(f"/api/library/exports/{made['id']}", headers=desk.lead)
        left = (await client.get(PATH, headers=desk.lead)).json()["exports"]
        assert [one["id"] for one in left] == [again["id"], waiting["id"]]


async def test_a_person_has_three_and_fifty_wait_in_all(desk: Desk) -> None:
    async with desk.serving() as client:
        desk.take("lesson-1")
        for _ in range(MAX_OF_PERSON):
            await ask(client, desk.lead, kind="mp4")
        refused = await client.post(PATH, json={"kind": "mp4"}, headers=desk.lead)
        assert (refused.status_code, refused.json()["code"]) == (429, "exports_of_person")
        number = 0
        while True:
            who = desk.token(Role.OPERATOR, f"operator-{number // 3}")
            answer = await client.post(PATH, json={"kind": "mp4"}, headers=who)
            if answer.status_code != 202:
                break
            number += 1
        assert answer.json()["code"] == "exports_full"
        assert int(answer.headers["retry-after"]) > 0
        # One of the three is being made.
        assert number + MAX_OF_PERSON == MAX_WAITING + 1


async def test_a_restart_finds_what_is_done_and_removes_what_is_half(desk: Desk) -> None:
    async with desk.serving() as client:
        desk.take("lesson-1")
        ready = await ask(client, desk.lead, kind="zip")
        await done(client, desk.lead, ready["id"])
        half = await ask(client, desk.lead, kind="mp4")

        async def is_writing() -> bool:
            return bool(list(desk.folder.glob("*.part")))

        await until(is_writing, "the job writes")
        [job] = children(half["id"])
    assert not job.is_running()
    (desk.folder / "0123.mp4.part").write_bytes(b"half")
    (desk.folder / "9999.json").write_bytes(b"{")
    async with desk.serving() as client:
        # Asked for before anything was looked for: it is not taken for what was left behind.
        fresh = await ask(client, desk.operator, kind="zip")
        await done(client, desk.operator, fresh["id"])
        await client.delete(f"/api/library/exports/{fresh['id']}", headers=desk.operator)

        async def is_restored() -> bool:
            return len((await client.get(PATH, headers=desk.lead)).json()["exports"]) == 2

        await until(is_restored, "they are found again")
        shown = await state(client, desk.lead, ready["id"])
        assert shown["state"] == "done"
        assert (await client.get(shown["url"])).status_code == 200
        told = await state(client, desk.lead, half["id"])
        assert told["state"] == "failed"
        assert "重启" in told["text"]["zh"]
        assert sorted(one.suffix for one in desk.folder.iterdir()) == [".json", ".json", ".zip"]


async def test_a_file_is_there_for_a_day_and_goes_with_its_lesson(desk: Desk) -> None:
    async with desk.serving() as client:
        desk.take("lesson-1")
        made = await ask(client, desk.lead, kind="zip")
        shown = await done(client, desk.lead, made["id"])
        assert shown["expires_at"] == pytest.approx(time.time() + KEEP_S, abs=30)
        desk.now = KEEP_S + 1
        assert (await client.get(PATH, headers=desk.lead)).json()["exports"] == []
        fresh = (await ask(client, desk.lead, kind="zip"))["id"]
        await done(client, desk.lead, fresh)
        await desk.exporter.sweep()
        assert {one.stem for one in desk.folder.iterdir()} == {fresh}
        going = await ask(client, desk.lead, kind="mp4")
        await desk.exporter.forget_entry("lesson-1")
        assert desk.exporter.get(going["id"]) is None
        assert not list(desk.folder.iterdir())


async def test_a_lesson_that_cannot_be_read_fails_and_is_told(desk: Desk) -> None:
    async with desk.serving() as client:
        desk.take("lesson-1")
        manifest = desk.data / "recordings" / "lesson-1" / "manifest.json"
        manifest.write_bytes(b"{}")
        made = await ask(client, desk.lead, kind="mp4")
        shown = await done(client, desk.lead, made["id"])
        assert (shown["state"], shown["url"]) == ("failed", None)
        assert shown["text"]["en"]
