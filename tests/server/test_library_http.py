"""The library over HTTP through a running server: clips, packages, attachments, usage, rights."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from PIL import Image

from hosting.running import Running, running_server
from light.ports import free_port
from recordings.test_clips import lesson
from server.roster.desk import Client, pdf, staff_token
from twinclass_recordings import manifest as m
from twinclass_recordings.library.shelf import Change, Recorded, Shelf
from twinclass_recordings.package import Package
from twinclass_server.http import library_making, library_usage
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Person, RecordingConsent
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import ChapterClaims, Claims

PORTS = free_port(10)
LESSON = "/api/library/lessons/lesson-1"
TAUGHT = datetime(2026, 11, 2, tzinfo=UTC)


def entry(identifier: str, lead: str, schools: tuple[str, ...] = ("s",)) -> Recorded:
    return Recorded(
        identifier, identifier, "有理数的乘法", "七年级数学", TAUGHT, 60.0, 1000, lead, "示例老师",
        schools, "示例一中", "数学", "七年级",
    )  # fmt: skip


class Library:
    """A running server whose library has one real recording, and those who use it."""

    def __init__(self, server: Running) -> None:
        self.server = server
        database = Database("", server.folder.path)
        self.shelf = Shelf(database.session)
        with database.session() as session:
            found = session.query(Person).filter(Person.sourced_id.like("demo-t%")).all()
            self.lead, self.other = (
                found[0].id,
                next(p.id for p in found if p.school_id != found[0].school_id),
            )
        self.clients: list[Client] = []

    def staff(self, role: str, sub: str) -> httpx.AsyncClient:
        self.clients.append(Client(self.server, staff_token(self.server, role, sub)))
        return self.clients[-1].http

    def joined(self, role: Role, sub: str, lesson: str = "lesson-1") -> httpx.AsyncClient:
        now = time.time()
        claims = Claims(sub, role, lesson, exp=now + 600, iat=now)
        self.clients.append(Client(self.server, self.server.keys.issue(claims)))
        return self.clients[-1].http


@pytest.fixture
async def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Library]:
    for name in ("COUNT_S", "REFRESH_S"):
        monkeypatch.setattr(f"twinclass_server.library.{name}", 0.2)
    environment = {"TWINCLASS_DEMO__ENABLED": "yes", "TWINCLASS_RECORDING__ENABLED": "yes"}
    async with running_server(tmp_path / "d", PORTS, environment) as server:
        package, manifest = await lesson(server.folder.recordings)
        package.manifest.write_bytes(m.encode(manifest))
        made = Library(server)
        made.shelf.take(entry("lesson-1", made.lead))
        yield made
        for client in made.clients:
            await client.http.aclose()


async def opened(client: httpx.AsyncClient, path: str = LESSON) -> dict[str, Any]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_link_to_one_entry_shows_it_and_nothing_else(library: Library) -> None:
    library.shelf.take(entry("lesson-2", library.lead))
    now = float(int(time.time()))
    claims = ChapterClaims("tutor-1", Role.TUTOR, "lesson-1", now + 600, now)
    library.clients.append(Client(library.server, library.server.keys.issue(claims)))
    client = library.clients[-1].http
    found = await opened(client)
    assert found["title"] == "有理数的乘法"
    assert not any(found["may"].values())
    assert (await client.get(found["media"]["base"] + "manifest.json")).status_code == 200
    hits = (await client.get("/api/library/lessons")).json()["items"]
    assert [one["id"] for one in hits] == ["lesson-1"]
    assert (await client.get("/api/library/lessons/lesson-2")).status_code == 404
    assert (await client.patch(LESSON, json={"title": "x"})).status_code == 403
    assert (await client.delete(LESSON)).status_code == 403
    for path in ("/api/lessons", "/api/desk/bank", "/api/catch-up"):
        assert (await client.get(path)).status_code == 401, path
    over = ChapterClaims("tutor-1", Role.TUTOR, "lesson-1", now - 1, now - 600)
    library.clients.append(Client(library.server, library.server.keys.issue(over)))
    assert (await library.clients[-1].http.get(LESSON)).status_code == 401


async def test_a_clip_is_cut_found_played_and_taken_away(library: Library) -> None:
    lead = library.staff("lead", library.lead)
    answer = await lead.post(
        f"{LESSON}/clips", json={"title": "乘法的意义", "start_s": 2.5, "end_s": 6.5}
    )
    assert answer.status_code == 201, answer.text
    clip = answer.json()["id"]
    found = await opened(lead, f"/api/library/lessons/{clip}")
    assert (found["kind"], found["title"], found["subject"]) == ("clip", "乘法的意义", "数学")
    assert found["duration_s"] == 4.0
    assert found["cover_url"]
    base = found["media"]["base"]
    made = m.decode((await lead.get(base + "manifest.json")).content)
    assert made.cover == "cover.jpg"
    part = made.tracks[0].runs[0].parts[0]
    piece = await lead.get(base + part.path, headers={"Range": "bytes=0-99"})
    assert (piece.status_code, piece.content[4:8]) == (206, b"ftyp")
    assert piece.headers["content-range"] == f"bytes 0-99/{part.bytes}"
    assert "immutable" in piece.headers["cache-control"]
    whole = await lead.get(base + part.path)
    assert (len(whole.content), whole.headers["etag"]) == (part.bytes, piece.headers["etag"])
    known = {"If-None-Match": piece.headers["etag"]}
    assert (await lead.get(base + part.path, headers=known)).status_code == 304
    for span, status in (("bytes=99999999-", 416), ("bytes=5-4", 400), (f"bytes=-{10}", 206)):
        answer = await lead.get(base + part.path, headers={"Range": span})
        assert answer.status_code == status, span
    for name in (
        "recording.jsonl",
        "..%2flesson-1%2fmanifest.json",
        "parts%2f..%2fmanifest.json",
        ".x",
    ):
        assert (await lead.get(f"{base}{name}")).status_code == 404, name
    hits = (await lead.get("/api/library/lessons", params={"q": "意义", "kind": "clip"})).json()
    assert [one["id"] for one in hits["items"]] == [clip]
    assert (await lead.delete(f"/api/library/lessons/{clip}")).status_code == 403
    operator = library.staff("operator", "operator")
    assert (await operator.delete(f"/api/library/lessons/{clip}")).status_code == 204
    assert not (library.server.folder.recordings / clip).exists()
    assert (library.server.folder.proofs / f"{clip}.json").exists()
    assert (await lead.get(f"/api/library/lessons/{clip}")).status_code == 404


async def test_a_clip_that_is_none_is_refused(library: Library) -> None:
    lead = library.staff("lead", library.lead)
    for wish, status, code in (
        ({"title": "x", "start_s": 1, "end_s": 2}, 409, "clip_length"),
        ({"title": "x", "start_s": 9000, "end_s": 9010}, 409, "clip_length"),
        ({"title": "", "start_s": 1, "end_s": 6}, 400, "body_malformed"),
        ({"title": "x", "start_s": -1, "end_s": 6}, 400, "body_malformed"),
        ({"title": "x", "start_s": 1}, 400, "body_malformed"),
        ({"title": "x", "start_s": 1, "end_s": 6, "path": "../x"}, 400, "body_malformed"),
    ):
        answer = await lead.post(f"{LESSON}/clips", json=wish)
        assert (answer.status_code, answer.json()["code"]) == (status, code), wish
    folders = [p.name for p in library.server.folder.recordings.iterdir() if p.is_dir()]
    assert folders == ["lesson-1"]


async def test_a_clip_is_without_a_child_whose_consent_has_ended(library: Library) -> None:
    database = Database("", library.server.folder.path)
    now = datetime.now(UTC)
    with database.session() as session:
        pupil = session.query(Person.id).filter(Person.sourced_id.not_like("demo-t%")).first()
        assert pupil is not None
        ended = RecordingConsent(
            person_id=pupil.id, given_on=TAUGHT.date(), given_by="示例家长",
            withdrawn_at=TAUGHT.date(), date_last_modified=now,
        )  # fmt: skip
        session.merge(ended)
    database.close()
    path = library.server.folder.recordings / "lesson-1" / "manifest.json"
    made = m.decode(path.read_bytes())
    child = m.Person(pupil.id, "home_learner", m.Text("示例学生", "Pupil"), consent="given")
    voice = msgspec.structs.replace(made.tracks[1], participant=pupil.id)
    changed = msgspec.structs.replace(
        made, tracks=(made.tracks[0], voice), people=(*made.people, child)
    )
    path.write_bytes(m.encode(changed))
    lead = library.staff("lead", library.lead)
    wish = {"title": "x", "start_s": 2, "end_s": 6}
    clip = (await lead.post(f"{LESSON}/clips", json=wish)).json()["id"]
    text = (library.server.folder.recordings / clip / "manifest.json").read_text()
    assert pupil.id not in text
    assert {track.kind for track in m.decode(text.encode()).tracks} == {"video"}


async def test_a_clip_of_a_lesson_that_is_deleted_meanwhile_leaves_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slowly(_: Package) -> bool:
        library.shelf.remove("lesson-1")
        return False

    monkeypatch.setattr(library_making, "draw_cover", slowly)
    lead = library.staff("lead", library.lead)
    wish = {"title": "x", "start_s": 2, "end_s": 6}
    answer = await lead.post(f"{LESSON}/clips", json=wish)
    assert (answer.status_code, answer.json()["code"]) == (404, "lesson_unknown")
    folders = [p.name for p in library.server.folder.recordings.iterdir() if p.is_dir()]
    assert folders == ["lesson-1"]


async def test_others_neither_see_nor_change_a_lesson_that_is_not_theirs(library: Library) -> None:
    other = library.staff("lead", library.other)
    for method, path, body in (
        ("GET", LESSON, None),
        ("GET", f"{LESSON}/usage", None),
        ("POST", f"{LESSON}/clips", {"title": "x", "start_s": 1, "end_s": 6}),
        ("PUT", f"{LESSON}/rating", {"stars": 5}),
        ("POST", f"{LESSON}/plays", {"view": "x", "spans": []}),
        ("DELETE", LESSON, None),
        ("DELETE", f"{LESSON}/attachments/{'0' * 64}", None),
    ):
        answer = await other.request(method, path, json=body)
        assert answer.status_code == 404, (method, path)
    library.shelf.change("lesson-1", Change(visibility="city"))
    pupil = library.joined(Role.HOME_LEARNER, "pupil-1")
    for client in (other, pupil):
        assert (await client.get(LESSON)).status_code == 200
        for path in ("clips", "usage"):
            method = "GET" if path == "usage" else "POST"
            body = {"title": "x", "start_s": 1, "end_s": 6}
            answer = await client.request(method, f"{LESSON}/{path}", json=body)
            assert answer.status_code == 403, path
        assert (await client.get("/api/library/usage?month=2026-11")).status_code == (
            403 if client is pupil else 200
        )
    assert (await pupil.put(f"{LESSON}/rating", json={"stars": 5})).status_code == 403
    assert (await other.put(f"{LESSON}/rating", json={"stars": 5})).status_code == 200
    assert (await other.put(f"{LESSON}/rating", json={"stars": 6})).status_code == 400
    lead = library.staff("lead", library.lead)
    assert (await lead.put(f"{LESSON}/rating", json={"stars": 5})).status_code == 403
    nobody = httpx.AsyncClient(base_url=library.server.public_url, trust_env=False)
    async with nobody:
        assert (await nobody.get(LESSON)).status_code == 401


async def test_what_is_watched_counts_once_a_class_and_day_and_never_more_than_it_can(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A view of twenty minutes ago: nobody waits for a lesson to be watched.
    issued = library_usage.open_view
    monkeypatch.setattr(
        "twinclass_server.http.library.open_view",
        lambda keys, entry, viewer, now, name: issued(keys, entry, viewer, now - 1200, name),
    )
    library.shelf.change("lesson-1", Change(visibility="city"))
    other, room = library.staff("lead", library.other), library.joined(Role.ROOM, "room-9")
    home = library.joined(Role.HOME_LEARNER, "pupil-1")
    seen = await opened(other)
    assert seen["classes"]
    shown_to = seen["classes"][0]["id"]
    spans = [{"from_s": 0, "to_s": 50, "rate": 1.25}]
    for body in (
        {"view": seen["view"], "class_id": shown_to, "spans": spans},
        {"view": seen["view"], "class_id": shown_to, "spans": spans},
        {"view": seen["view"], "spans": [{"from_s": 0, "to_s": 31}]},
    ):
        assert (await other.post(f"{LESSON}/plays", json=body)).status_code == 204
    for client in (room, home):
        body = {"view": (await opened(client))["view"], "spans": spans}
        assert (await client.post(f"{LESSON}/plays", json=body)).status_code == 204

    lead = library.staff("lead", library.lead)
    usage = (await lead.get(f"{LESSON}/usage")).json()
    assert (usage["plays"], usage["classes"], usage["homes"], usage["schools"]) == (4, 2, 1, 1)
    assert usage["completion"] == {"median": pytest.approx(50 / 60, abs=1e-3), "done60": 3}
    # Fifty seconds, twice told by the same page, and half a minute of the teacher alone.
    assert usage["buckets"][0] == 4.0
    assert usage["bucket_s"] == 30.0
    month = datetime.now(UTC).astimezone().strftime("%Y-%m")
    sheet = (await lead.get("/api/library/usage", params={"month": month})).json()
    assert [row["adopting_classes"] for row in sheet["rows"]] == [2]
    assert sheet["weights"]["classes"] == 0.35
    text = (await lead.get("/api/library/usage.csv", params={"month": month})).text
    [row] = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert (row["plays"], row["quiz_gain"], row["title"]) == ("4", "", "有理数的乘法")

    async def shown() -> int:
        found = await lead.get("/api/library/lessons")
        # Right after the start the library may still be loading.
        assert found.status_code in (200, 503)
        return sum(one["plays"] for one in found.json().get("items", ()))

    for _ in range(300):
        if await shown() == 4:
            break
        await asyncio.sleep(0.1)
    assert await shown() == 4


async def test_plays_that_cannot_be_are_refused(library: Library) -> None:
    lead = library.staff("lead", library.lead)
    other = library.staff("lead", library.other)
    view = (await opened(lead))["view"]

    async def tell(**body: object) -> tuple[int, str]:
        answer = await lead.post(f"{LESSON}/plays", json={"view": view, "spans": []} | body)
        return answer.status_code, answer.json()["code"] if answer.content else ""

    long = [{"from_s": 0, "to_s": 60}] * 40
    assert await tell(spans=long) == (409, "watched_too_fast")
    beyond = [{"from_s": 80_000, "to_s": 80_001}]
    assert await tell(spans=[*beyond, *long]) == (409, "watched_too_fast"), "no time is below zero"
    at_once = await asyncio.gather(*(tell(spans=[{"from_s": n, "to_s": n + 15}]) for n in range(9)))
    assert sorted(at_once)[:2] == [(204, ""), (409, "watched_too_fast")]
    assert await tell(spans=[{"from_s": 0, "to_s": 1}] * 51) == (400, "body_malformed")
    assert await tell(spans=[{"from_s": 0, "to_s": 1e12}]) == (400, "body_malformed")
    assert await tell(view="forged.view.x") == (409, "view_expired")
    assert await tell(class_id="no-class-of-hers") == (403, "forbidden")
    library.shelf.change("lesson-1", Change(visibility="city"))
    theirs = await other.post(f"{LESSON}/plays", json={"view": view, "spans": []})
    assert theirs.json()["code"] == "view_expired", "a view is of who opened it"
    assert await tell(spans=[{"from_s": 5, "to_s": 1}]) == (204, "")
    usage = (await lead.get(f"{LESSON}/usage")).json()
    assert usage["plays"] == 0
    for month in ("2026-13", "20２6-11", "2026-11\n"):
        answer = await lead.get("/api/library/usage", params={"month": month})
        assert (answer.status_code, answer.json()["code"]) == (400, "month_malformed"), month


async def test_a_sheet_is_no_program(library: Library) -> None:
    line = library_usage.Line(
        "x", "=HYPERLINK(1)", "@lead", "+school", "-s", "", library_usage.plays.effect(
            [], 60.0, UTC, frozenset(), frozenset(), {}, library_usage.plays.Weights()
        ),
    )  # fmt: skip
    [row] = list(csv.DictReader(io.StringIO(library_usage.to_csv([line])[1:])))
    assert row["title"] == "'=HYPERLINK(1)"
    assert (row["lead"], row["school"], row["subject"]) == ("'@lead", "'+school", "'-s")


def picture(exif: bytes = b"") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (400, 300), "navy").save(data, "JPEG", exif=exif)
    return data.getvalue()


async def attach(
    client: httpx.AsyncClient, data: bytes, media_type: str = "image/jpeg", kind: str = "picture"
) -> httpx.Response:
    return await client.post(
        f"{LESSON}/attachments",
        params={"kind": kind},
        content=data,
        headers={"Content-Type": media_type, "X-File-Name": "%E4%BD%9C%E4%B8%9A%201.jpg"},
    )


async def test_attachments_are_written_anew_and_given_with_the_lesson(library: Library) -> None:
    lead = library.staff("lead", library.lead)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x8825] = {1: "N", 2: (22.0, 32.0, 0.0)}
    data = picture(exif=exif.tobytes()) + b"PK\x03\x04 a second file behind it"
    answer = await attach(lead, data)
    assert answer.status_code == 201, answer.text
    assert answer.json()["title"] == "作业 1"
    assert (await attach(lead, pdf(), "application/pdf", "homework_sample")).status_code == 201
    found = (await opened(lead))["attachments"]
    assert [one["kind"] for one in found] == ["picture", "homework_sample"]
    given = await lead.get(found[0]["url"], headers={"Authorization": ""})
    assert given.headers["content-disposition"].startswith("attachment;")
    assert given.headers["x-content-type-options"] == "nosniff"
    with Image.open(io.BytesIO(given.content)) as clean:
        assert clean.size == (300, 400)
        assert not clean.getexif()
    assert b"second file" not in given.content
    assert (await attach(lead, data)).status_code == 201, "the same again is one"
    assert len((await opened(lead))["attachments"]) == 2
    sha256 = found[0]["sha256"]
    assert (await lead.delete(f"{LESSON}/attachments/{sha256}")).status_code == 204
    assert (await lead.get(found[0]["url"])).status_code == 404
    assert len([p for p in library.server.folder.attachments.rglob("*") if p.is_file()]) == 1
    operator = library.staff("operator", "operator")
    assert (await operator.delete(LESSON)).status_code == 204
    assert not [p for p in library.server.folder.attachments.rglob("*") if p.is_file()]


def bomb() -> bytes:
    """A PNG of 20,000 x 20,000 white pixels in some KiB."""
    data = io.BytesIO()
    Image.new("1", (20_000, 20_000), 1).save(data, "PNG", optimize=True)
    return data.getvalue()


async def test_a_file_that_is_none_is_refused_and_leaves_nothing(library: Library) -> None:
    lead = library.staff("lead", library.lead)
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    for data, media_type, status, code in (
        (b"", "image/jpeg", 422, "image_empty"),
        (b"GIF89a" + bytes(100), "image/jpeg", 422, "image_unknown"),
        (svg, "image/png", 422, "image_unknown"),
        (picture()[:200], "image/jpeg", 422, "image_broken"),
        (bomb(), "image/png", 422, "image_too_many_pixels"),
        (picture(), "application/pdf", 422, "slides_not_pdf"),
        (b"%PDF-1.7 broken", "application/pdf", 422, "slides_broken"),
        (pdf(password="x"), "application/pdf", 422, "slides_encrypted"),
        (b"x", "text/html", 400, "wrong_content_type"),
        (bytes(library_making.MAX_ATTACHMENT_BYTES + 1), "image/jpeg", 413, "file_too_large"),
    ):
        answer = await attach(lead, data, media_type)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["text"].keys() == {"zh", "en"}
    assert not [p for p in library.server.folder.attachments.rglob("*") if p.is_file()]


async def test_who_goes_away_while_sending_leaves_nothing_and_no_error(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    lead = library.staff("lead", library.lead)
    folder = library.server.folder.attachments
    _, writer = await asyncio.open_connection("127.0.0.1", library.server.port)
    head = (
        f"POST {LESSON}/attachments?kind=picture HTTP/1.1", "Host: x", "Content-Type: image/jpeg",
        f"Authorization: {lead.headers['authorization']}", "Content-Length: 100000", "", "half",
    )  # fmt: skip
    writer.write("\r\n".join(head).encode())

    async def until(count: int) -> None:
        async with asyncio.timeout(10):
            while len(list(folder.glob(".*.part"))) != count:
                await asyncio.sleep(0.01)

    await until(1)
    writer.close()
    await until(0)
    assert (await lead.get(LESSON)).status_code == 200
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []


async def test_a_package_shows_of_its_members_what_its_viewer_may_see(library: Library) -> None:
    library.shelf.take(entry("lesson-2", "another-lead"))
    library.shelf.take(entry("lesson-3", library.lead))
    lead, operator = library.staff("lead", library.lead), library.staff("operator", "operator")
    members = ["lesson-3", "lesson-2", "lesson-1", "lesson-3"]
    answer = await lead.post("/api/library/packages", json={"title": "一单元", "members": members})
    assert answer.status_code == 201, answer.text
    package = answer.json()["id"]
    path = f"/api/library/lessons/{package}"
    found = await opened(lead, path)
    assert [one["id"] for one in found["members"]] == ["lesson-3", "lesson-1"]
    assert (found["kind"], found["media"], found["duration_s"]) == ("package", None, 120.0)
    assert (await opened(lead))["in_packages"] == [{"id": package, "title": "一单元"}]
    put = f"/api/library/packages/{package}/members"
    assert (await operator.put(put, json={"members": members[:2]})).status_code == 204
    assert [one["id"] for one in (await opened(operator, path))["members"]] == [
        "lesson-3", "lesson-2",
    ]  # fmt: skip
    assert [one["id"] for one in (await opened(lead, path))["members"]] == ["lesson-3"]
    other = library.staff("lead", library.other)
    assert (await other.put(put, json={"members": []})).status_code == 404
    assert (await lead.put("/api/library/packages/lesson-1/members", json={"members": []})).json()[
        "code"
    ] == "not_a_package"
    pupil = library.joined(Role.HOME_LEARNER, "pupil-1")
    body = {"title": "x", "members": []}
    assert (await pupil.post("/api/library/packages", json=body)).status_code == 403
    too_many = {"title": "x", "members": ["lesson-1"] * 61}
    assert (await lead.post("/api/library/packages", json=too_many)).status_code == 400
    assert (await operator.delete(path)).status_code == 204
    assert (await opened(lead))["in_packages"] == []
