"""VP8 recordings become H264 one after another, each in a niced process of its own (shell)."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from twinclass_recordings.package import Package

logger = logging.getLogger(__name__)

#: A lesson in progress must not notice: the lowest priority there is.
_NICE = 19
#: A machine that cannot do it in a day will not do it at all.
MAX_S = 24 * 3600.0
MAX_ATTEMPTS = 3
#: Lessons of a day; more are found again at the next start.
MAX_WAITING = 500

Done = Callable[[str, bool], Awaitable[None]]


class _Line(Struct, frozen=True):
    progress: float | None = None
    done: bool = False
    error: str = ""


class Transcoder:
    """``done(recording, succeeded)`` is called at each end. Progress is in ``shares``."""

    def __init__(self, root: Path, jobs: int, done: Done) -> None:
        self.shares: dict[str, float] = {}
        self._root = root
        self._jobs = max(1, jobs)
        self._done = done
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)

    def add(self, recording: str) -> None:
        """Begins as soon as it is its turn; twice is once."""
        if recording in self.shares or self._waiting.full():
            return
        self.shares[recording] = 0.0
        self._waiting.put_nowait(recording)

    async def run(self) -> None:
        """Works for ever."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._jobs):
                group.create_task(self._work(), name=f"transcoder {number}")

    async def _work(self) -> None:
        while True:
            recording = await self._waiting.get()
            succeeded = False
            for _ in range(MAX_ATTEMPTS):
                succeeded = await self._transcode(recording)
                if succeeded:
                    break
            else:
                logger.error("recording %s stays as it is: it cannot be transcoded", recording)
            del self.shares[recording]
            await self._done(recording, succeeded)

    async def _transcode(self, recording: str) -> bool:
        folder = Package.of(self._root, recording).folder
        process = await asyncio.create_subprocess_exec(
            *("nice", "-n", str(_NICE), sys.executable),
            *("-m", "twinclass_recordings.jobs.transcode", str(folder)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(MAX_S):
                async for raw in process.stdout:
                    line = _read(raw)
                    if line.progress is not None:
                        self.shares[recording] = line.progress
                    if line.error:
                        logger.warning("recording %s: %s", recording, line.error)
                return await process.wait() == 0
        except TimeoutError:
            return False
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _read(raw: bytes) -> _Line:
    try:
        return msgspec.json.decode(raw, type=_Line)
    except msgspec.MsgspecError:
        return _Line()
