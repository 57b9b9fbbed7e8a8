"""Jobs on recordings: processes that are niced, listened to, and killed when they are given up."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import psutil

from recordings.lessons import two_rooms
from twinclass_recordings import manifest as m
from twinclass_server.recording.jobs import Ended, run_job
from twinclass_server.recording.transcoding import Transcoder


def no_matter(share: float) -> None:
    del share


async def test_what_takes_too_long_is_killed() -> None:
    ended = await run_job("http.server", ["0", "--bind", "127.0.0.1"], no_matter, 0.5)
    assert ended == Ended(succeeded=False, error="timeout")
    running = [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]
    assert not [one for one in running if "http.server" in one.cmdline()]


async def test_what_says_nothing_of_use_is_told_by_how_it_ends() -> None:
    assert await run_job("this", [], no_matter, 30.0) == Ended(succeeded=True)
    assert await run_job("no_such_module", [], no_matter, 30.0) == Ended(succeeded=False)


async def test_transcodings_are_made_and_told(tmp_path: Path) -> None:
    package = await two_rooms(tmp_path)
    broken = tmp_path / "lesson-2"
    shutil.copytree(package.folder, broken)
    (broken / "manifest.json").write_bytes(b"{")
    told: dict[str, bool] = {}
    both = asyncio.Event()

    async def done(recording: str, succeeded: bool) -> None:
        told[recording] = succeeded
        if len(told) == 2:
            both.set()

    transcoder = Transcoder(tmp_path, 1, done)
    for recording in ("lesson-1", "lesson-2", "lesson-1"):
        transcoder.add(recording)
    running = asyncio.create_task(transcoder.run())
    await asyncio.wait_for(both.wait(), 60)
    running.cancel()
    await asyncio.wait([running])
    assert told == {"lesson-1": True, "lesson-2": False}
    assert transcoder.shares == {}
    made = m.decode(package.manifest.read_bytes())
    runs = [run for track in made.tracks for run in track.runs if run.parts[0].codec == "vp8"]
    assert runs
    assert all(run.transcoded and run.playlist for run in runs)
