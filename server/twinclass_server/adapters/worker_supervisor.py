"""All media workers of this control plane: how many, where, under which epoch.

Workers that still run from a control plane before us are attached to, not replaced: a deploy
does not interrupt a lesson. ``renewal`` ends them when nothing is going on.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from twinclass_media.settings import MediaSettings
from twinclass_server.adapters.worker_client import unavailable
from twinclass_server.adapters.worker_link import (
    START_ATTEMPTS,
    START_TIMEOUT_S,
    WorkerHandler,
    WorkerLink,
)
from twinclass_server.adapters.worker_process import socket_directory


def next_epoch(path: Path) -> int:
    """A number higher than any before it, kept in a file; two callers never get the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read(32).strip()
        epoch = (int(text) if text.isdecimal() else 0) + 1
        file.seek(0)
        file.truncate()
        file.write(f"{epoch}\n")
        file.flush()
        os.fsync(file.fileno())
    return epoch


class WorkerSupervisor:
    """An async context manager that owns the links and their tasks.

    Leaving it detaches; with ``shutdown_workers`` it ends the workers too.
    """

    def __init__(self, settings: MediaSettings, run_dir: Path, handler: WorkerHandler) -> None:
        self.shutdown_workers = False
        self._directory = socket_directory(run_dir)
        epoch = next_epoch(run_dir / "epoch")
        self.links = [
            WorkerLink(index, settings, self._directory, epoch, handler)
            for index in range(settings.workers)
        ]
        self._tasks = asyncio.TaskGroup()
        self._running: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        for link in self.links:
            name = f"worker-{link.index}"
            self._running.append(self._tasks.create_task(link.run(), name=name))
        try:
            for link in self.links:
                await self._wait_started(link)
        except BaseException as error:
            self.shutdown_workers = True
            await self._stop()
            with contextlib.suppress(BaseExceptionGroup):
                await self._tasks.__aexit__(None, None, None)
            raise error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stop()
        # Only a cancellation may be the group's own doing; anything else is the caller's and
        # passes as it is instead of inside an exception group.
        if isinstance(error, asyncio.CancelledError):
            await self._tasks.__aexit__(kind, error, traceback)
        else:
            await self._tasks.__aexit__(None, None, None)

    async def _wait_started(self, link: WorkerLink) -> None:
        """Returns when the worker is attached, raises when it cannot start (a busy port)."""
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
        while link.attached is None:
            if link.failures >= START_ATTEMPTS or asyncio.get_running_loop().time() > deadline:
                raise unavailable(link.trouble or "it did not start")
            await asyncio.sleep(0.01)

    async def _stop(self) -> None:
        for link in self.links:
            link.begin_close(shutdown=self.shutdown_workers)
        if self._running:
            # A link that is starting or pausing has nothing to say goodbye to.
            await asyncio.wait(self._running, timeout=2.0 if self.shutdown_workers else 0.2)
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running)
        closing = [link.finish_close(shutdown=self.shutdown_workers) for link in self.links]
        await asyncio.gather(*closing)
