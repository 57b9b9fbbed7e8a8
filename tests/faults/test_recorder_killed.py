"""The recorder, the server, or both are killed: little is lost, all that was written plays."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path

import pytest

from e2e.conftest import Server
from e2e.test_recording import close
from faults.conftest import Start
from faults.lesson import Figures, LightLesson, kill, recorder_pid, until
from twinclass_recordings import manifest as m
from twinclass_recordings.recorder import journal
from twinclass_recordings.scan import scan

pytestmark = pytest.mark.timeout(360)

#: Done when 2.
MAX_LOSS_S = 2.0


async def kill_and_wait(server: Server, what: str) -> None:
    """Kills it; returns when all is there again."""
    if what in ("recorder", "both"):
        kill(recorder_pid(server))
    if what in ("server", "both"):
        server.stop(signal.SIGKILL)
        server.start()
        await server.wait_ready()
    await until(lambda: _has_recorder(server), 10, "the recorder is back")


def _has_recorder(server: Server) -> bool:
    try:
        return recorder_pid(server) > 0
    except LookupError:
        return False


async def survive(
    server: Server, figures: Figures, name: str, kills: list[str], between_s: tuple[float, float]
) -> None:
    lesson = LightLesson(server, "one", rooms=1, homes=0)
    try:
        await lesson.begin()
        await asyncio.sleep(3)
        for what in kills:
            await kill_and_wait(server, what)
            await asyncio.sleep(random.uniform(*between_s))
        await asyncio.sleep(3)
        await asyncio.to_thread(close, server, "one")
    finally:
        await lesson.end()
    [folder] = (server.data / "recordings").glob("one-*")
    await until((folder / "manifest.json").exists, 20, "the package")
    await until(lambda: not (folder / "about.json").exists(), 20, "the library has it")
    made = m.decode((folder / "manifest.json").read_bytes())
    assert {track.source for track in made.tracks} == {"camera", "microphone"}
    for track in made.tracks:
        lost = [gap.end_s - gap.start_s for gap in track.gaps]
        within = [
            after.start_s - before.start_s - before.duration_s
            for run in track.runs
            for before, after in zip(run.parts, run.parts[1:], strict=False)
        ]
        worst = max([*lost, *within], default=0.0)
        figures.add(name, f"worst loss of {track.kind}, s", f"{worst:.2f}", f"{MAX_LOSS_S:g}")
        assert len(lost) <= len(kills)
        assert worst <= MAX_LOSS_S, (track.source, lost)
    check_files(folder, made)


def check_files(folder: Path, made: m.Manifest) -> None:
    """Every file is named, whole and readable; none is left over."""
    named = {part.path for track in made.tracks for run in track.runs for part in run.parts}
    there = {f"parts/{path.name}" for path in (folder / "parts").iterdir()}
    assert there == named
    for name in named:
        # Light clients send payloads that no decoder knows; tests/recordings decodes real ones.
        found = scan(folder / name)
        assert found.pieces
        assert found.good <= (folder / name).stat().st_size
    lines = journal.decode((folder / "recording.jsonl").read_bytes())
    assert isinstance(lines[-1], journal.Finished)
    assert not list(folder.rglob("*.part"))


@pytest.mark.full
async def test_recorder_server_and_both_are_killed(start: Start, figures: Figures) -> None:
    await survive(
        await start({}), figures, "recorder killed", ["recorder", "server", "both"], (1.5, 2.5)
    )


@pytest.mark.full
@pytest.mark.timeout(600)
async def test_twenty_kills_at_random_moments(start: Start, figures: Figures) -> None:
    kills = [random.choice(["recorder", "server", "both"]) for _ in range(20)]
    await survive(await start({}), figures, "20 kills", kills, (2.0, 6.0))
