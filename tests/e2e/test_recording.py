"""A lesson in real browsers becomes a package that plays."""

from __future__ import annotations

import asyncio
import json
import subprocess
import urllib.request
from pathlib import Path

import pytest

from e2e.conftest import TWINCLASS, Browsers, Server, wait_until
from e2e.test_lesson import _advances
from light.ffmpeg import complaints
from twinclass_recordings import manifest as m

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

#: Done when 1: played ten seconds after the close.
READY_S = 10.0


def close(server: Server, lesson: str = "demo") -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.admin_port}/lessons/{lesson}/close", b"", method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 200


def packages(server: Server) -> list[Path]:
    return sorted((server.data / "recordings").glob("demo-*"))


async def package_of(server: Server) -> tuple[Path, m.Manifest]:
    folder = packages(server)[0]
    await wait_until(lambda: _exists(folder / "manifest.json"), READY_S, "the package")
    return folder, m.decode((folder / "manifest.json").read_bytes())


async def _exists(path: Path) -> bool:
    return path.exists()


def check(folder: Path, made: m.Manifest) -> None:
    """ffmpeg decodes every file without a word."""
    for track in made.tracks:
        for run in track.runs:
            for part in run.parts:
                assert complaints(folder / part.path) == "", part.path


async def test_lead_and_a_room_on_stage_are_in_the_package(
    server: Server, browsers: Browsers
) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    room = await browsers.page(links["room"][0], size=(1920, 1080))
    for page in (lead, room):
        await page.get_by_test_id("join").click(timeout=10_000)
    await wait_until(lambda: _advances(room), 20, "picture")
    await asyncio.sleep(4)
    await lead.get_by_test_id("call-on-room-1").click()
    await asyncio.sleep(6)
    await lead.get_by_test_id("clear-stage").click()
    await asyncio.sleep(2)
    await asyncio.to_thread(close, server)
    folder, made = await package_of(server)
    check(folder, made)
    sources = {(track.participant, track.source) for track in made.tracks}
    assert sources == {
        ("demo-lead", "camera"),
        ("demo-lead", "microphone"),
        ("room-1", "camera"),
        ("room-1", "microphone"),
    }
    for track in made.tracks:
        length = sum(run.duration_s for run in track.runs)
        if track.participant == "demo-lead":
            assert length > 10
        else:
            # While it was on stage, no more.
            assert 4 < length < 8
    stages = [chapter for chapter in made.chapters if chapter.kind == "stage"]
    assert [chapter.participant for chapter in stages] == ["room-1"]
    [camera] = [t for t in made.tracks if (t.participant, t.source) == ("room-1", "camera")]
    assert camera.runs[0].start_s == pytest.approx(stages[0].start_s, abs=1.5)
    assert not (folder / "about.json").exists()


def ask(server: Server, path: str, token: str, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(
        server.base + path, headers={"Authorization": f"Bearer {token}"} | (headers or {})
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        body: bytes = reply.read()
        return body


def staff_token(server: Server, role: str = "operator") -> str:
    done = subprocess.run(
        [TWINCLASS, "token", "--staff", role, "--data", str(server.data)],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return done.stdout.strip().partition("#token=")[2]


async def test_a_latecomer_is_offered_what_was_missed_and_the_library_has_it_after_the_close(
    server: Server, browsers: Browsers
) -> None:
    links = server.links()
    lead = await browsers.page(links["lead"][0], size=(1440, 900))
    await lead.get_by_test_id("join").click(timeout=10_000)
    await asyncio.sleep(14)
    home_link = links["home_learner"][0]
    home = await browsers.page(home_link, size=(360, 640))
    await home.get_by_test_id("join").click(timeout=10_000)
    await wait_until(lambda: _advances(home), 20, "picture")
    token = home_link.partition("#token=")[2]
    told = json.loads(await asyncio.to_thread(ask, server, "/api/catch-up", token))
    [gap] = told["missed"]
    assert gap["start_s"] == 0.0
    assert 10 < gap["end_s"] < told["live_s"]
    base = told["media"]["base"]
    made = m.decode(await asyncio.to_thread(ask, server, base + "manifest.json", token))
    assert made.state == "live"
    for track in made.tracks:
        run = track.runs[0]
        text = (await asyncio.to_thread(ask, server, base + run.playlist, token)).decode()
        assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text
        assert "#EXT-X-ENDLIST" not in text
        part = run.parts[0]
        headers = {"Range": f"bytes=0-{part.header_bytes - 1}"}
        head = await asyncio.to_thread(ask, server, base + part.path, token, headers)
        assert head[4:8] == b"ftyp"
        assert len(head) == part.header_bytes
    await asyncio.to_thread(close, server)
    folder, _ = await package_of(server)
    operator = await asyncio.to_thread(staff_token, server)

    async def listed() -> bool:
        found = json.loads(
            await asyncio.to_thread(
                ask, server, "/api/library/lessons?q=%E4%B9%98%E6%B3%95", operator
            )
        )
        return found["total"] == 1

    await wait_until(listed, READY_S, "the library has it")
    own = json.loads(
        await asyncio.to_thread(ask, server, f"/api/library/lessons/{folder.name}", token)
    )
    assert [round(g["start_s"]) for g in own["missed"]] == [0]
    assert own["may"] == dict.fromkeys(["edit", "cut", "export", "delete", "usage"], False)
