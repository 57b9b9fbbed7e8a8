"""The recorder as the control plane sees it: found or started, told what to record, kept alive.

A recorder that still runs from a control plane before us is attached to: it has gone on recording.
One that died is started again at once; it finds by itself what it was recording.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from twinclass_recordings.recorder.messages import (
    Command,
    Finish,
    Finished,
    Notification,
    Record,
    Shutdown,
    Status,
)
from twinclass_recordings.release import RELEASE
from twinclass_server.adapters import recorder_start
from twinclass_server.adapters.recorder_client import RecorderAway, RecorderClient
from twinclass_server.adapters.worker_client import ControlRefused
from twinclass_server.adapters.worker_process import WorkerProcess, socket_directory
from twinclass_server.adapters.worker_supervisor import next_epoch

_log = logging.getLogger(__name__)

START_TIMEOUT_S = 20.0
FIRST_BACKOFF_S = 0.2
LAST_BACKOFF_S = 5.0
STEADY_S = 30.0
#: All of a lesson is on disk within a second unless the disk hangs.
FINISH_TIMEOUT_S = 20.0


class RecorderLink:
    """Desired state and connection of the recorder; ``run`` keeps it alive.

    ``says`` is called once a second with the recorder's status, and with None when it is away.
    ``started``: the process that was started before us (``recorder_start``), if any.
    """

    def __init__(
        self,
        run_dir: Path,
        root: Path,
        says: Callable[[Status | None], None],
        started: WorkerProcess | None = None,
    ) -> None:
        self.shutdown = False
        self.status: Status | None = None
        #: Why it cannot be had; empty while all is well.
        self.trouble = ""
        self._directory = socket_directory(run_dir)
        self._epoch = next_epoch(run_dir / "recorder-epoch")
        self._root = root
        self._says = says
        self._wanted: dict[str, Record] = {}
        self._versions: dict[str, int] = {}
        self._finishing: dict[str, asyncio.Future[None]] = {}
        self._client: RecorderClient | None = None
        self._process = started
        self._is_coming = started is not None
        self._pid = 0
        self._closing = False
        self._is_renewing = False

    @property
    def pipe_socket(self) -> str:
        """Where workers send what is to be recorded; the same for every recorder after this."""
        return str(self._directory / "recorder.pipe")

    @property
    def is_up(self) -> bool:
        """Tells whether it answers."""
        return self._client is not None

    @property
    def is_outdated(self) -> bool:
        """See ``renewal.Renewable``; one that we started has the code that is installed now."""
        client = self._client
        return client is not None and self._process is None and client.attached.release != RELEASE

    @property
    def is_idle(self) -> bool:
        """See ``renewal.Renewable``."""
        wanted = self._wanted or self._finishing
        return not wanted and self.status is not None and not self.status.lessons

    def renew(self) -> None:
        """See ``renewal.Renewable``."""
        if self._is_renewing:
            return
        _log.info("recorder, pid %d, is of before the update: renewed", self._pid)
        self._is_renewing = True
        self._send(Shutdown())

    @property
    def pid(self) -> int:
        """Returns its process, 0 while there is none."""
        return self._pid

    def record(self, wish: Record) -> None:
        """Wants a lesson recorded so. The version is given here."""
        former = self._wanted.get(wish.lesson)
        if former is not None and replace(former, version=wish.version) == wish:
            return
        # Versions go on after a restart of ours, whatever the recorder has seen.
        version = max(self._versions.get(wish.lesson, 0) + 1, self._epoch * 1_000_000)
        self._versions[wish.lesson] = version
        self._wanted[wish.lesson] = replace(wish, version=version)
        self._send(self._wanted[wish.lesson])

    def forget(self, recording: str) -> None:
        """Ends a recording of which nothing is on disk."""
        if self._wanted.pop(recording, None) is not None:
            self._versions.pop(recording, None)
            self._send(Finish(recording))

    async def finish(self, recording: str) -> bool:
        """Ends a lesson's recording; True when all of it is on disk."""
        self._wanted.pop(recording, None)
        future = self._finishing.get(recording)
        if future is None:
            future = self._finishing[recording] = asyncio.get_running_loop().create_future()
            self._send(Finish(recording))
        try:
            async with asyncio.timeout(FINISH_TIMEOUT_S):
                await asyncio.shield(future)
        except TimeoutError:
            return False
        finally:
            self._finishing.pop(recording, None)
            self._versions.pop(recording, None)
        return True

    async def run(self) -> None:
        """Keeps the recorder alive and attached, for ever."""
        backoff_s = 0.0
        loop = asyncio.get_running_loop()
        try:
            while not self._closing:
                started = loop.time()
                try:
                    await self._serve(await self._reach())
                    if self._is_renewing:
                        # Its sockets are free when it is gone.
                        await self._wait_gone()
                        self._pid = 0
                except ControlRefused as error:
                    self.trouble = f"another server controls it (epoch {error.epoch})"
                    _log.error("recorder: %s", self.trouble)
                    return
                except RecorderAway as error:
                    self.trouble = str(error)
                    _log.error("recorder: %s", error)
                    self._kill()
                self._is_renewing = False
                if loop.time() - started > STEADY_S:
                    backoff_s = 0.0
                await self._wait(backoff_s)
                backoff_s = min(max(backoff_s * 2, FIRST_BACKOFF_S), LAST_BACKOFF_S)
        finally:
            await self._end()

    # ---- inside

    async def _wait(self, seconds: float) -> None:
        """Waits, and says every second that nothing is recorded: lessons begin meanwhile."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            self._says(None)
            left = until - loop.time()
            await asyncio.sleep(max(0.0, min(1.0, left)))
            if left <= 1.0:
                return

    def _send(self, command: Command) -> None:
        if self._client is not None:
            self._client.send(command)

    async def _serve(self, client: RecorderClient) -> None:
        self._client, self._pid, self.trouble = client, client.attached.pid, ""
        older = ", of before an update: renewed when all is idle" if self.is_outdated else ""
        _log.info("recorder attached, pid %d%s", self._pid, older)
        try:
            for wish in self._wanted.values():
                client.send(wish)
            for recording in self._finishing:
                client.send(Finish(recording))
            await client.run(self._notified)
        finally:
            self._client = None
            self.status = None
            client.close()
        self._says(None)

    def _notified(self, message: Notification) -> None:
        if isinstance(message, Status):
            self.status = message
            self._says(message)
        elif isinstance(message, Finished):
            future = self._finishing.get(message.lesson)
            if future is not None and not future.done():
                future.set_result(None)

    async def _reach(self) -> RecorderClient:
        """A connection to the recorder: the one that runs, else one we start.

        Raises:
            ControlRefused: it obeys another control plane.
            RecorderAway: it could not be started.
        """
        with contextlib.suppress(OSError):
            return await self._connect()
        process = self._process
        if process is None or not self._is_coming:
            if process is not None:
                process.kill()
                await process.wait(1.0)
            try:
                process = self._process = recorder_start.start(self._directory, self._root)
            except OSError as error:
                raise RecorderAway(f"it cannot be started: {error}") from error
        self._is_coming = False
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
        while not process.has_exited():
            with contextlib.suppress(OSError):
                return await self._connect()
            if asyncio.get_running_loop().time() > deadline:
                raise RecorderAway("it did not open its socket in time")
            await asyncio.sleep(0.02)
        raise RecorderAway(f"it ended at its start: {process.last_words()}")

    async def _connect(self) -> RecorderClient:
        path = self._directory / recorder_start.SOCKET
        return await RecorderClient.connect(path, epoch=self._epoch, control=f"pid-{os.getpid()}")

    async def _end(self) -> None:
        """Leaves the recorder to whoever comes next, or ends it."""
        self._closing = True
        client, self._client = self._client, None
        if self.shutdown:
            # The connection may just have been closed by the cancellation: say it anew.
            with contextlib.suppress(OSError, RecorderAway, ControlRefused):
                client = await self._connect()
                client.send(Shutdown())
            await self._wait_gone()
        if client is not None:
            client.close()

    async def _wait_gone(self, timeout_s: float = 5.0) -> None:
        deadline = asyncio.get_running_loop().time() + timeout_s
        while self._pid and asyncio.get_running_loop().time() < deadline:
            if self._process is not None:
                if self._process.has_exited():
                    return
            else:
                try:
                    os.kill(self._pid, 0)
                except ProcessLookupError:
                    return
            await asyncio.sleep(0.02)
        self._kill()

    def _kill(self) -> None:
        """Ends the recorder's process, ours or inherited, by its pid."""
        if self._process is not None:
            self._process.kill()
        elif self._pid:
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGKILL)
