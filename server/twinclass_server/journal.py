"""The order of a lesson or a desk: decide at once, append to the log, then let effects out.

Two states are held. ``head`` has every accepted command applied, so that the next is decided on
it; ``committed`` has only what the log holds, and everything that leaves this process (events,
acknowledgements, media) is made from it. When an append fails nobody knows whether it was
written: the batch and all behind it are answered with an error, the log is read from
``committed`` on, and ``head`` starts again from there.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import msgspec

from twinclass_server.adapters.redis_connection import log_unavailable
from twinclass_server.adapters.redis_lease import Lease
from twinclass_server.adapters.redis_log import Acknowledgement, EventLog, Fenced, Logged
from twinclass_signaling.errors import InvalidState, LimitExceeded, SignalingError, Unavailable
from twinclass_signaling.ids import EventSeq, SessionId

logger = logging.getLogger(__name__)

#: Events of one append: one fsync serves them all, and a lost one asks few people to repeat.
MAX_BATCH = 64
#: Commands that may wait for the log; two seconds of the worst legal rate of a full lesson,
#: a second of a desk with 10,000 pupils that comes back after a restart.
MAX_QUEUE = 10_000
_RETRY_S = 0.3

_encoder = msgspec.json.Encoder()


class _Numbered(Protocol):
    @property
    def seq(self) -> EventSeq:
        """Number of the last event that is in it."""
        ...


S = TypeVar("S", bound=_Numbered)
C = TypeVar("C")
A = TypeVar("A")
E = TypeVar("E", bound=Logged)
C_contra = TypeVar("C_contra", contravariant=True)
A_contra = TypeVar("A_contra", contravariant=True)
E_contra = TypeVar("E_contra", bound=Logged, contravariant=True)


class Core(Protocol[S, C_contra, A_contra, E]):
    """The deterministic core that a journal drives."""

    def decide(self, state: S, command: C_contra, actor: A_contra, now: float) -> list[E]:
        """Returns what happens by a command, and has applied it to ``state``.

        Raises:
            UserError: it is refused; the state is as before.
        """
        ...

    def apply(self, state: S, event: E) -> None:
        """Changes the state by one event of the log.

        Raises:
            InvalidState: it does not follow from the state.
        """
        ...

    def copy(self, state: S) -> S:
        """Returns a state that shares nothing changeable with ``state``."""
        ...

    def encode(self, state: S) -> bytes:
        """Returns a snapshot."""
        ...


class JournalListener(Protocol[E_contra]):
    """Who is told in log order."""

    def event_released(self, event: E_contra, payload: bytes) -> None:
        """An event is in the log and in ``committed``."""
        ...

    def batch_released(self) -> None:
        """The events of one append have been told."""
        ...

    def log_down(self) -> None:
        """Commands are refused from here on."""
        ...

    async def log_read(self) -> None:
        """The log has been read; commands are still refused. May raise ``Unavailable``."""
        ...

    def log_up(self) -> None:
        """The log is back; facts of the meantime may be submitted."""
        ...


@dataclass(slots=True)
class _Pending(Generic[E]):
    events: list[tuple[E, bytes]]
    seq: EventSeq
    done: Callable[[EventSeq], None] | None
    failed: Callable[[SignalingError], None] | None
    ack: tuple[SessionId, int] | None


@dataclass(slots=True)
class JournalStatistics:
    """Counters of one journal."""

    appends: int = 0
    events: int = 0
    failures: int = 0
    batch_max: int = field(default=0)


class Journal(Generic[S, C, A, E]):
    """Owns both states. ``run`` must run while it is used."""

    def __init__(
        self,
        core: Core[S, C, A, E],
        state: S,
        log: EventLog[E],
        lease: Lease,
        listener: JournalListener[E],
        *,
        append_s: float,
        snapshot_every: int,
    ) -> None:
        self.committed = state
        self.head = core.copy(state)
        self.is_up = True
        self.statistics = JournalStatistics()
        self._core = core
        self._log = log
        self._lease = lease
        self._listener = listener
        self._append_s = append_s
        self._snapshot_every = snapshot_every
        self._snapshot_seq = state.seq
        self._queue: deque[_Pending[E]] = deque()
        self._wake = asyncio.Event()

    def submit(
        self,
        command: C,
        actor: A,
        now: float,
        *,
        done: Callable[[EventSeq], None] | None = None,
        failed: Callable[[SignalingError], None] | None = None,
        ack: tuple[SessionId, int] | None = None,
    ) -> None:
        """Decides a command; ``done`` or ``failed`` follows, always later and in order.

        Raises:
            UserError: the core refuses it.
            Unavailable: the log is down.
            LimitExceeded: too many wait.
        """
        if not self.is_up:
            raise log_unavailable()
        if len(self._queue) >= MAX_QUEUE:
            raise LimitExceeded("busy", "系统繁忙，请稍后再试。", "Too busy; try again.")
        decided = self._core.decide(self.head, command, actor, now)
        events = [(event, _encoder.encode(event)) for event in decided]
        self._queue.append(_Pending(events, self.head.seq, done, failed, ack))
        self._wake.set()

    async def commit(self, command: C, actor: A, now: float) -> EventSeq:
        """Submits and waits until it is in the log; raises as ``submit`` does."""
        result: asyncio.Future[EventSeq] = asyncio.get_running_loop().create_future()

        def done(seq: EventSeq) -> None:
            if not result.done():
                result.set_result(seq)

        def failed(error: SignalingError) -> None:
            if not result.done():
                result.set_exception(error)

        self.submit(command, actor, now, done=done, failed=failed)
        return await result

    async def run(self) -> None:
        """Appends for ever.

        Raises:
            LeaseLost: another process owns it.
            InvalidState: the log has lost what was acknowledged.
        """
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                if sum(len(pending.events) for pending in self._queue) < MAX_BATCH:
                    await asyncio.sleep(self._append_s)
                while self._queue:
                    await self._append(self._take())
        finally:
            self.is_up = False
            self._fail(list(self._queue), log_unavailable())
            self._queue.clear()

    def _take(self) -> list[_Pending[E]]:
        batch = [self._queue.popleft()]
        size = len(batch[0].events)
        while self._queue and size + len(self._queue[0].events) <= MAX_BATCH:
            batch.append(self._queue.popleft())
            size += len(batch[-1].events)
        return batch

    async def _append(self, batch: list[_Pending[E]]) -> None:
        payloads = [payload for pending in batch for _, payload in pending.events]
        acks = [
            Acknowledgement(pending.ack[0], pending.ack[1], pending.seq)
            for pending in batch
            if pending.ack is not None
        ]
        try:
            if payloads or acks:
                await self._log.append(self.committed.seq + 1, payloads, acks)
        except (Unavailable, Fenced, InvalidState) as error:
            self.statistics.failures += 1
            logger.warning("append failed: %s", error.code)
            self.is_up = False
            # Behind a failed one nothing holds: it was decided on a state that may not be.
            self._fail([*batch, *self._queue], log_unavailable())
            self._queue.clear()
            await self._recover()
            return
        except asyncio.CancelledError:
            self._fail(batch, log_unavailable())
            raise
        self.statistics.appends += 1
        self.statistics.events += len(payloads)
        self.statistics.batch_max = max(self.statistics.batch_max, len(payloads))
        for pending in batch:
            for event, payload in pending.events:
                self._release(event, payload)
            if pending.done is not None:
                pending.done(pending.seq)
        self._listener.batch_released()
        await self._write_snapshot()

    def _release(self, event: E, payload: bytes) -> None:
        self._core.apply(self.committed, event)
        self._listener.event_released(event, payload)

    @staticmethod
    def _fail(batch: list[_Pending[E]], error: SignalingError) -> None:
        for pending in batch:
            if pending.failed is not None:
                pending.failed(error)

    async def _recover(self) -> None:
        self._listener.log_down()
        while True:
            try:
                await self._lease.ensure()
                if await self._log.last() < self.committed.seq:
                    raise InvalidState("log_lost", "记录有缺失。", "acknowledged events are gone")
                async for event, payload in self._log.read(self.committed.seq):
                    self._release(event, payload)
                await self._listener.log_read()
                break
            except Unavailable:
                await asyncio.sleep(_RETRY_S)
        self._listener.batch_released()
        self.head = self._core.copy(self.committed)
        self.is_up = True
        logger.info("log is back at event %d", self.committed.seq)
        self._listener.log_up()

    async def _write_snapshot(self) -> None:
        if self.committed.seq - self._snapshot_seq < self._snapshot_every:
            return
        self._snapshot_seq = self.committed.seq
        try:
            await self._log.write_snapshot(self._core.encode(self.committed))
        except (Unavailable, Fenced) as error:
            # The next append finds out what is wrong; a snapshot only saves replay time.
            logger.warning("snapshot not written: %s", error.code)
