"""A lesson in real browsers becomes a package that plays."""

from __future__ import annotations

import asyncio
import subprocess
import urllib.request
from pathlib import Path

import pytest

from e2e.conftest import Browsers, Server, wait_until
from e2e.test_lesson import _advances
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
                done = subprocess.run(
                    ["ffmpeg", "-v", "error", "-xerror", "-i", str(folder / part.path),
                     "-f", "null", "-"],
                    capture_output=True, text=True, timeout=60, check=False,
                )  # fmt: skip
                assert (done.returncode, done.stderr) == (0, ""), part.path


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
