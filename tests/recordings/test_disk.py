"""The disk is full, slow or gone: the lesson goes on, what was written plays, staff are told."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recordings.feeding import H264, OPUS, Feeding, Stream, audio_track, probe, video_track
from twinclass_recordings.assemble import look
from twinclass_recordings.recorder import disk as disk_module
from twinclass_recordings.recorder.disk import Disk


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """Every write beyond this size fails, as on a full disk. Python ignores SIGXFSZ."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def streams() -> dict[str, Stream]:
    return {
        "lead-camera": Stream(H264.payload_type, 90_000),
        "lead-microphone": Stream(OPUS.payload_type, 48_000),
    }


async def test_a_full_disk_costs_what_does_not_fit_and_no_more(tmp_path: Path) -> None:
    async with Feeding(tmp_path, video_track(), audio_track()) as feeding:
        sources = streams()
        await feeding.play(4.0, sources)
        await feeding.settle()
        camera = feeding.track("lead-camera").part
        assert camera is not None
        written = (feeding.package.folder / camera.name).stat().st_size
        with files_at_most(written + 1000):
            await feeding.play(3.0, sources)
            await feeding.settle()
            await asyncio.sleep(0)
            assert feeding.lesson.status(feeding.now).problem == "disk_full"
        for _ in range(8):
            await feeding.play(1.0, sources)
            await feeding.settle()
            await asyncio.sleep(0)
        assert feeding.lesson.status(feeding.now).problem == ""
        assert feeding.lesson.status(feeding.now).writing == 2
        assert feeding.lesson.status(feeding.now).lost_s > 0
        await feeding.finish()
    media = look(feeding.package)
    [video] = [track for track in media.tracks if track.kind == "video"]
    assert [gap.cause for gap in video.gaps] == ["disk"]
    # Not longer than it was full, and until the next try and keyframe after it.
    assert video.gaps[0].end_s - video.gaps[0].start_s < 3.0 + 2.0 + 2.5
    assert video.runs[-1].start_s + video.runs[-1].duration_s == pytest.approx(15.0, abs=0.1)
    for track in media.tracks:
        for run in track.runs:
            for part in run.parts:
                probe(feeding.package.folder / part.path)


async def test_a_folder_that_vanishes_and_comes_back(tmp_path: Path) -> None:
    async with Feeding(tmp_path, video_track()) as feeding:
        sources = {"lead-camera": Stream(H264.payload_type, 90_000)}
        await feeding.play(3.0, sources)
        await feeding.settle()
        gone = tmp_path / "elsewhere"
        shutil.move(feeding.package.folder, gone)
        (tmp_path / "lesson-1").write_text("something in its place")
        # Another size: a new file, which cannot be made.
        await feeding.play(3.0, sources, size=(640, 360))
        await feeding.settle()
        await asyncio.sleep(0)
        assert feeding.problems
        (tmp_path / "lesson-1").unlink()
        shutil.move(gone, feeding.package.folder)
        for _ in range(6):
            await feeding.play(1.0, sources, size=(640, 360))
            await feeding.settle()
            await asyncio.sleep(0)
        await feeding.finish()
    runs = look(feeding.package).tracks[0].runs
    assert len(runs) == 2
    assert runs[-1].start_s + runs[-1].duration_s == pytest.approx(12.0, abs=0.1)


async def test_a_disk_that_hangs_delays_nobody_and_its_queue_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_module, "MAX_QUEUED_BYTES", 150_000)
    hangs = threading.Event()
    goes_on = threading.Event()
    real = os.write

    def slow(descriptor: int, data: memoryview) -> int:
        if hangs.is_set():
            goes_on.wait(30)
        return real(descriptor, data)

    monkeypatch.setattr(disk_module.os, "write", slow)
    async with Feeding(tmp_path, video_track(), audio_track()) as feeding:
        sources = streams()
        await feeding.play(3.0, sources)
        await feeding.settle()
        hangs.set()
        await feeding.play(10.0, sources)
        assert feeding.disk.queued <= 150_000
        assert feeding.lesson.status(feeding.now).problem == "disk_slow"
        hangs.clear()
        goes_on.set()
        await feeding.settle()
        for _ in range(6):
            await feeding.play(1.0, sources)
            await feeding.settle()
            await asyncio.sleep(0)
        await feeding.finish()
    media = look(feeding.package)
    for track in media.tracks:
        assert [gap.cause for gap in track.gaps][:1] in (["disk"], [])
        assert track.runs[-1].start_s + track.runs[-1].duration_s == pytest.approx(19.0, abs=0.1)
        for run in track.runs:
            for part in run.parts:
                probe(feeding.package.folder / part.path)


async def test_stopping_does_not_wait_for_ever_for_a_disk_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def stuck(*_: object) -> int:
        goes_on.wait(30)
        return 1

    disk = Disk(lambda *_: None, asyncio.get_running_loop().call_soon_threadsafe)
    monkeypatch.setattr(disk_module.os, "fsync", stuck)
    disk.line(tmp_path / "journal", b"x\n")
    assert not await asyncio.to_thread(disk.stop, 0.3)
    goes_on.set()
    await asyncio.sleep(0.1)
