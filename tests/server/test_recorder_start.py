"""A recorder that died is started before the server is loaded; one that lives is left alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

from twinclass_recordings.recorder import resume
from twinclass_recordings.recorder.messages import Record
from twinclass_server.adapters.recorder_start import start, start_again
from twinclass_server.adapters.worker_process import WorkerProcess, socket_directory


async def is_there(process: WorkerProcess, socket: Path) -> None:
    """Waits until it takes connections; its socket is there a moment before."""
    async with asyncio.timeout(10):
        while True:
            assert not process.has_exited(), process.last_words()
            try:
                _, writer = await asyncio.open_unix_connection(socket)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return


async def test_only_a_recorder_that_was_recording_and_is_gone_is_started(tmp_path: Path) -> None:
    run, root = tmp_path / "run", tmp_path / "recordings"
    root.mkdir()
    assert start_again(run, root) is None, "nothing was being recorded"
    wish = Record("lesson-1", 1, 1_000_000.0, (), paused=False)
    (root / resume.FILE_NAME).write_bytes(resume.encode(resume.Resume((wish,), 1)))
    socket = socket_directory(run) / "recorder.sock"
    alive = start(socket.parent, root)
    try:
        await is_there(alive, socket)
        assert start_again(run, root) is None, "it lives"
    finally:
        alive.kill()
        await alive.wait(5)
    (root / resume.FILE_NAME).write_bytes(resume.encode(resume.Resume((wish,), 1)))
    again = start_again(run, root)
    assert again is not None
    again.kill()
    assert await again.wait(5)
