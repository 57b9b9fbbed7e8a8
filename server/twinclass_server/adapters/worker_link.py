"""One worker as the control plane sees it: found or started, attached, kept alive.

    attach to the socket -> dump -> reconcile -> serve until the connection ends
      connection ended, socket still answers: attach again (nothing is lost)
      socket dead, process dead or silent:    its transports are lost; start a new one

The owner hears of three things by ``WorkerHandler``; it writes by ``put`` and ``remove``, which
are sent together at the end of the current turn of the loop, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from twinclass_media.release import RELEASE
from twinclass_media.settings import MediaSettings
from twinclass_media.worker.messages import (
    Applied,
    Attached,
    Dumped,
    Notification,
    ObjectKind,
    Problem,
    Shutdown,
    Spec,
    TransportId,
    WorkerStatistics,
)
from twinclass_server.adapters.worker_client import (
    REPLY_TIMEOUT_S,
    ControlRefused,
    WorkerClient,
    unavailable,
)
from twinclass_server.adapters.worker_load import WorkerLoad
from twinclass_server.adapters.worker_outbox import WorkerOutbox, key_of
from twinclass_server.adapters.worker_process import WorkerProcess, command_line
from twinclass_signaling.errors import Unavailable

_log = logging.getLogger(__name__)

#: Python, OpenSSL and a certificate on a loaded machine.
START_TIMEOUT_S = 20.0
#: The first may meet a worker of before that is just ending and still holds the port.
START_ATTEMPTS = 2
#: A worker that was told to end has ended by then.
END_S = 3.0
#: Counters are read this often; a worker silent for REPLY_TIMEOUT_S is taken for hung.
STATISTICS_PERIOD_S = 2.0
#: Pause before the second and later restarts in a row; doubled up to the last.
FIRST_BACKOFF_S = 0.2
LAST_BACKOFF_S = 5.0
#: A worker that lived this long is restarted without a pause.
STEADY_S = 30.0


class WorkerHandler(Protocol):
    """What the owner of links hears. Called on the loop; must not block."""

    def worker_attached(self, index: int, dumped: Dumped, lost: Sequence[TransportId]) -> None:
        """Attached, reconciled; ``lost`` transports are no longer there."""
        ...

    def worker_died(self, index: int, lost: Sequence[TransportId]) -> None:
        """The process is gone, with all its transports."""
        ...

    def worker_notified(self, index: int, notification: Notification) -> None:
        """The worker says something."""
        ...


class WorkerLink:
    """Desired state and connection of one worker; ``run`` keeps it alive."""

    def __init__(
        self,
        index: int,
        settings: MediaSettings,
        directory: Path,
        epoch: int,
        handler: WorkerHandler,
    ) -> None:
        self.index = index
        self.outbox = WorkerOutbox()
        self.statistics: WorkerStatistics | None = None
        self._load = WorkerLoad()
        self._settings = settings
        self._directory = directory
        self._epoch = epoch
        self._handler = handler
        self._client: WorkerClient | None = None
        self._process: WorkerProcess | None = None
        self._pid = 0
        self._ready = asyncio.Event()
        self._flush_handle: asyncio.Handle | None = None
        self._applying: set[asyncio.Future[Applied]] = set()
        #: Why the worker cannot be had, for people; empty while all is well.
        self.trouble = ""
        #: Failures in a row.
        self.failures = 0
        self._closing = False
        self._is_renewing = False

    @property
    def socket_path(self) -> Path:
        """The worker's control socket."""
        return self._directory / f"worker-{self.index}.sock"

    @property
    def transports(self) -> int:
        """How many transports are wanted on it."""
        return self.outbox.transports

    @property
    def cpu_share(self) -> float | None:
        """Share of a core over the last two seconds; None until there were two readings."""
        return self._load.cpu_share

    @property
    def load(self) -> float:
        """How much of its core it uses with all who are on it now, 0 to 1."""
        return self._load.expected(self.transports)

    @property
    def is_outdated(self) -> bool:
        """See ``renewal.Renewable``; one that we started has the code that is installed now."""
        attached = self.attached
        return attached is not None and self._process is None and attached.release != RELEASE

    @property
    def is_idle(self) -> bool:
        """See ``renewal.Renewable``."""
        return (
            not self.transports and self.statistics is not None and not self.statistics.transports
        )

    def renew(self) -> None:
        """See ``renewal.Renewable``. Who comes meanwhile waits as for any worker that starts."""
        client = self._client
        if client is None or self._is_renewing:
            return
        _log.info("worker %d, pid %d, is of before the update: renewed", self.index, self._pid)
        self._is_renewing = True
        self._ready.clear()
        client.send(Shutdown())

    @property
    def attached(self) -> Attached | None:
        """What the worker said of itself; None while it is away."""
        return self._client.attached if self._client and self._ready.is_set() else None

    async def wait_attached(self, timeout_s: float) -> Attached:
        """What the worker said of itself, as soon as it is there.

        Raises:
            Unavailable: it is not there in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while (attached := self.attached) is None:
                    await self._ready.wait()
                return attached
        except TimeoutError as error:
            raise unavailable(self.trouble or "it is starting") from error

    def put(self, spec: Spec) -> None:
        """Wants an object so."""
        if self.outbox.put(spec):
            self._schedule_flush()

    def remove(self, kind: ObjectKind, identifier: str) -> None:
        """Wants an object gone."""
        if self.outbox.remove(kind, identifier):
            self._schedule_flush()

    def flush(self) -> None:
        """Sends what is queued now instead of at the end of this turn."""
        if self._flush_handle is not None:
            self._flush_handle.cancel()
            self._flush_handle = None
        if self._client is None or not self._ready.is_set():
            return  # reconciled when it is back
        for batch in self.outbox.take():
            future = self._client.apply(tuple(batch.puts), tuple(batch.removes))
            self._applying.add(future)
            future.add_done_callback(self._applied)

    async def settle(self) -> list[Problem]:
        """Sends what is queued and waits until the worker has done all of it.

        Raises:
            Unavailable: the worker was lost meanwhile.
        """
        self.flush()
        if self._client is None or not self._ready.is_set():
            raise unavailable("the connection was lost")
        problems: list[Problem] = []
        waiting = list(self._applying)
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                for future in waiting:
                    problems.extend((await asyncio.shield(future)).problems)
        except TimeoutError as error:
            raise unavailable("it does not answer") from error
        return problems

    async def run(self) -> None:
        """Keeps the worker alive and attached, for ever."""
        backoff_s = 0.0
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                client = await self._reach()
            except ControlRefused as error:
                self.trouble = f"another server controls it (epoch {error.epoch})"
                self.failures = START_ATTEMPTS
                _log.error("worker %d: %s", self.index, self.trouble)
                return
            except Unavailable as error:
                self.trouble = error.en
                self.failures += 1
                _log.error("worker %d: %s", self.index, error.en)
                self._kill()
            else:
                await self._serve(client)
                if self._is_renewing:
                    # Its port and sockets are free when it is gone.
                    await self._end_inherited(END_S)
                    self._is_renewing, self._pid = False, 0
                if self._closing:
                    return
                self._detach()
            if loop.time() - started > STEADY_S:
                backoff_s = 0.0
            await asyncio.sleep(backoff_s)
            backoff_s = min(max(backoff_s * 2, FIRST_BACKOFF_S), LAST_BACKOFF_S)

    def begin_close(self, *, shutdown: bool) -> None:
        """Lets ``run`` end: the worker is left as it is, or told to end."""
        self._closing = True
        self._ready.clear()
        client, self._client = self._client, None
        if client is None:
            return
        if shutdown:
            client.send(Shutdown())  # it closes the connection when it has read this
        else:
            client.close()

    async def finish_close(self, *, shutdown: bool, timeout_s: float = END_S) -> None:
        """Waits for the end of a worker that was told to end; ``run`` has ended before."""
        if not shutdown:
            return
        if self._process is None:
            await self._end_inherited(timeout_s)
        elif not await self._process.wait(timeout_s):
            _log.warning("worker %d did not end; killed", self.index)
            self._process.kill()
            await self._process.wait(1.0)

    async def _end_inherited(self, timeout_s: float) -> None:
        """Waits for a worker that is not our child, then ends it by its pid."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        with contextlib.suppress(ProcessLookupError):
            while self._pid and asyncio.get_running_loop().time() < deadline:
                os.kill(self._pid, 0)
                await asyncio.sleep(0.02)
            self._kill()

    async def _reach(self) -> WorkerClient:
        """A connection to the worker: the one that runs, else one we start.

        Raises:
            ControlRefused: it obeys another control plane.
            Unavailable: it could not be started.
        """
        with contextlib.suppress(OSError):
            return await self._connect()
        # Nothing listens: whatever ran there is dead, and every transport with it.
        lost = self.outbox.drop_transports()
        if self._pid:
            _log.error("worker %d died", self.index)
            self._pid = 0
            self._tell(lambda: self._handler.worker_died(self.index, lost))
        if self._process is not None:
            self._process.kill()
            await self._process.wait(1.0)
        log = self._directory / f"worker-{self.index}.log"
        command = command_line(self._settings, self.index, self._directory)
        try:
            self._process = WorkerProcess.start(command, log)
        except OSError as error:
            raise unavailable(f"it cannot be started: {error}") from error
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
        while not self._process.has_exited():
            with contextlib.suppress(OSError):
                return await self._connect()
            if asyncio.get_running_loop().time() > deadline:
                self._process.kill()
                raise unavailable("it did not open its socket in time")
            await asyncio.sleep(0.02)
        raise unavailable(f"it ended at its start: {self._process.last_words()}")

    async def _connect(self) -> WorkerClient:
        control = f"pid-{os.getpid()}"
        return await WorkerClient.connect(self.socket_path, epoch=self._epoch, control=control)

    async def _serve(self, client: WorkerClient) -> None:
        """Reconciles, then reads until the connection ends or the worker hangs."""
        early: list[Notification] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(
                    client.run(lambda m: self._notify(m, early)), name=f"worker-{self.index}-read"
                )
                dumped = await client.dump()
                self._attach(client, dumped)
                for notification in early:
                    self._notify(notification, early)
                while not reading.done():
                    self._measured(await client.statistics())
                    await asyncio.wait([reading], timeout=STATISTICS_PERIOD_S)
        except* Unavailable:
            if not client.is_lost:
                _log.error("worker %d does not answer; killed", self.index)
                self._kill()  # connected but silent for seconds: everybody on it is frozen
        finally:
            client.close()

    def _measured(self, statistics: WorkerStatistics) -> None:
        now = asyncio.get_running_loop().time()
        self.statistics = statistics
        self._load.measured(statistics.cpu_s, statistics.loop_lag_s, statistics.transports, now)

    def _notify(self, notification: Notification, early: list[Notification]) -> None:
        # Before the dump is compared the owner does not know what it would hear about.
        if not self._ready.is_set():
            early.append(notification)
        else:
            self._tell(lambda: self._handler.worker_notified(self.index, notification))

    def _tell(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            # Our bug with one message must not take the link, and all lessons, down.
            _log.exception("worker %d: what it said was not handled", self.index)

    def _attach(self, client: WorkerClient, dumped: Dumped) -> None:
        first = not self._pid
        self._pid = client.attached.pid
        self._client = client
        self.trouble, self.failures = "", 0
        if first and self.outbox.transports == 0:
            self.outbox.adopt(
                spec for spec in dumped.specs if self.outbox.get(*key_of(spec)) is None
            )
        lost = self.outbox.reconcile(dumped.specs)
        self._ready.set()
        self.flush()
        older = ", of before an update: renewed when all is idle" if self.is_outdated else ""
        _log.info("worker %d attached, pid %d%s", self.index, self._pid, older)
        self._tell(lambda: self._handler.worker_attached(self.index, dumped, lost))

    def _detach(self) -> None:
        self._client = None
        self._ready.clear()
        self._applying.clear()

    def _applied(self, future: asyncio.Future[Applied]) -> None:
        self._applying.discard(future)
        if future.cancelled() or future.exception() is not None:
            return
        for problem in future.result().problems:
            _log.warning("worker %d: %s: %s", self.index, problem.code, problem.text)

    def _schedule_flush(self) -> None:
        if self._flush_handle is None:
            self._flush_handle = asyncio.get_running_loop().call_soon(self._flush_soon)

    def _flush_soon(self) -> None:
        self._flush_handle = None
        self.flush()

    def _kill(self) -> None:
        """Ends the worker's process, ours or inherited, by its pid."""
        if self._process is not None:
            self._process.kill()
        elif self._pid:
            with contextlib.suppress(OSError):
                os.kill(self._pid, signal.SIGKILL)
