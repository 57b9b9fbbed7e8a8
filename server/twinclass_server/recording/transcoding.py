"""VP8 recordings become H264 one after another, each in a niced process of its own (shell)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from twinclass_recordings.package import Package
from twinclass_server.recording.jobs import run_job

logger = logging.getLogger(__name__)

_MODULE = "twinclass_recordings.jobs.transcode"
#: A machine that cannot do it in a day will not do it at all.
MAX_S = 24 * 3600.0
MAX_ATTEMPTS = 3
#: Lessons of a day; more are found again at the next start.
MAX_WAITING = 500

Done = Callable[[str, bool], Awaitable[None]]


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
        def told(share: float) -> None:
            self.shares[recording] = share

        folder = Package.of(self._root, recording).folder
        ended = await run_job(_MODULE, [str(folder)], told, MAX_S)
        if ended.error:
            logger.warning("recording %s: %s", recording, ended.error)
        return ended.succeeded
