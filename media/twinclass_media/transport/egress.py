"""The send loop: bursts times viewers into datagrams.

A frame goes out as one GSO run, as the kernel's per-datagram path is the cost. Per burst and
shape the packets are laid out once; per row they are copied into the arena, numbered, protected
in place by libsrtp, and each run leaves with one ``sendmsg``. That inner loop is there twice:
``compiled_loop`` and, where no compiler was, ``python_loop``; streams always take the latter.

Jobs are worked off in quanta of at most 1 ms, audio before video, so that a keyframe for
hundreds of viewers delays neither sound nor reception. Nothing in here awaits, logs or blocks.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from twinclass_media.forward.group import Rows
from twinclass_media.forward.layer import PACKET_OVERHEAD_BYTES, Layer
from twinclass_media.forward.producer import Burst
from twinclass_media.forward.row import Row
from twinclass_media.forward.shape import Shape
from twinclass_media.statistics import Statistics
from twinclass_media.transport.arena import MAX_BURST, Arena
from twinclass_media.transport.compiled_loop import CompiledLoop
from twinclass_media.transport.deferred import Deferred
from twinclass_media.transport.job import Job
from twinclass_media.transport.line import Line
from twinclass_media.transport.outlet import Outlet
from twinclass_media.transport.peer import Peer
from twinclass_media.transport.python_loop import PythonLoop
from twinclass_media.transport.retransmission import pad
from twinclass_media.transport.spread import Spread
from twinclass_media.transport.train import Train

QUANTUM_S = 0.001
#: Jobs waiting. At 200 viewers a job takes a millisecond or two: this is seconds of work, and
#: what comes above it is video that nobody could use any more.
MAX_JOBS = 2000
#: How often lines that are watched are looked at while something waits for them.
PACE_S = 0.004
_now = time.monotonic


class Egress:
    """The queue of jobs and the loop that empties it."""

    def __init__(
        self,
        statistics: Statistics,
        blocked: Callable[[Row], None],
        library: Any | None = None,  # noqa: ANN401 - cffi has no types
    ) -> None:
        """``blocked(row)``: a stream sink cannot take video, the row must begin again.
        ``library``: the compiled loop, if there is one."""
        self._statistics = statistics
        self._audio: deque[Job] = deque()
        self._video: deque[Job] = deque()
        self._train: Train | None = None
        arena = Arena(statistics)
        self._outlet = Outlet(arena, statistics)
        self._python = PythonLoop(arena, self._outlet, statistics, blocked)
        self._compiled: CompiledLoop | None = None
        if library is not None:
            self._compiled = CompiledLoop(library, arena, self._outlet, statistics)
        self._late_s = 0.0
        #: Peers whose lines have something to be sent later.
        self.pacing: set[Peer] = set()
        self._spread = Spread()

    @property
    def busy(self) -> bool:
        """There is work left."""
        return bool(self._audio or self._video or self._train) or self._outlet.is_stuck

    @property
    def sound_waits(self) -> bool:
        """Sound is still to be sent."""
        return bool(self._audio or self._train)

    @property
    def paces(self) -> bool:
        """Something is to be sent later: ``pace`` must be called."""
        return bool(self.pacing) or not self._spread.is_empty

    def forget(self, layer: Layer) -> None:
        """A picture has ended: nothing of it waits any more."""
        self._spread.forget(layer)

    def forget_peer(self, peer: Peer) -> None:
        """A peer is gone."""
        self.pacing.discard(peer)
        if self._compiled is not None:
            self._compiled.forget(peer.router)

    def take_lateness(self) -> float:
        """Returns how long pictures waited at most before they left, since the last call."""
        late, self._late_s = self._late_s, 0.0
        return late

    def add(self, burst: Burst, at: float) -> None:
        """Queues a burst. ``at``: arrival of its first packet, for the delay histogram."""
        if not burst.rows or not burst.entries:
            return
        queue = self._audio if burst.audio else self._video
        if len(queue) >= MAX_JOBS:
            self._statistics.drops["egress_overload"] += len(burst.rows) * len(burst.entries)
            return
        shape: Shape = burst.rows[0].shape
        if shape.transport_cc and not burst.audio:
            burst = burst._replace(rows=self._without_waiting(burst))
        elif burst.live and not burst.audio:
            ready = self._spread.put(burst, shape, at, _now())
            if ready is None:
                return
            burst = ready
        self._append(queue, burst, shape, at, at)

    @staticmethod
    def _append(queue: deque[Job], burst: Burst, shape: Shape, at: float, due: float) -> None:
        if not burst.rows:
            return
        for first in range(0, len(burst.entries), MAX_BURST):
            part = burst._replace(entries=burst.entries[first : first + MAX_BURST])
            queue.append(Job(part, shape, at, due))

    # ---- lines that are watched

    def _without_waiting(self, burst: Burst) -> Rows:
        """Returns the rows whose lines have room for the burst now; for others it waits."""
        now = _now()
        size = sum(len(entry.payload) for entry in burst.entries)
        size += len(burst.entries) * PACKET_OVERHEAD_BYTES
        passing: list[Row] = []
        for row in burst.rows:
            peer: Peer = row.peer
            line = peer.line
            if not peer.ready:
                continue
            if line is None or line.pacer.passes(size, now):
                passing.append(row)
                continue
            for entry in burst.entries:
                size_of_one = len(entry.payload) + PACKET_OVERHEAD_BYTES
                line.pacer.put(size_of_one, Deferred(row, burst.layer, burst.cuts, entry))
            self.pacing.add(peer)
        return burst.rows if len(passing) == len(burst.rows) else Rows(passing)

    def pace(self, now: float) -> None:
        """Hands on what lines have room for now; called every ``PACE_S`` while it ``paces``."""
        for one in self._spread.due(now):
            self._append(self._video, one.burst, one.shape, one.at, one.due)
        for peer in list(self.pacing):
            line = peer.line
            if line is None or not peer.ready:
                self.pacing.discard(peer)
                if line is not None:
                    line.pacer.all()
                continue
            self._hand_on(line.pacer.due(now), now)
            while line.probe and line.probe[0][0] <= now:
                pad(peer, line.probe.popleft()[1], now, self._statistics)
                if not line.probe:
                    line.estimator.probe_sent()
            if not line.is_waiting:
                self.pacing.discard(peer)

    def release(self, peer: Peer, line: Line, now: float) -> None:
        """A line is not watched any more: what waits goes out."""
        self.pacing.discard(peer)
        self._hand_on(line.pacer.all(), now)

    def _hand_on(self, waited: Sequence[Deferred], now: float) -> None:
        """Sends what has waited, unless its row has gone on at another place meanwhile: a burst
        that began before a cut would be dropped whole, and what is after the cut with it."""
        useful = (one for one in waited if one.is_current)
        for (row, layer, cuts), group in groupby(useful, key=itemgetter(0, 1, 2)):
            burst = Burst(layer, [one.entry for one in group], Rows((row,)), cuts, False)
            self._append(self._video, burst, row.shape, now, now)

    # ---- work

    def run(self) -> bool:
        """Works for one quantum. True when work is left; not before ``retry_at``, if it is set."""
        deadline = _now() + QUANTUM_S
        if not self._outlet.clear():
            return True
        while self._train or self._audio or self._video:
            self._step(deadline)
            if self._outlet.is_stuck:
                return True
            if _now() >= deadline:
                break
        return self.busy

    @property
    def retry_at(self) -> float | None:
        """When to work again, while the socket is full."""
        return self._outlet.retry_at

    def _step(self, deadline: float) -> None:
        """Goes on with a train, sound or pictures, in this order."""
        compiled = self._compiled
        if compiled is not None:
            if self._train is None and len(self._audio) > 1:
                self._train = compiled.couple(self._audio)
            if self._train is not None:
                if compiled.send_train(self._train, deadline):
                    self._train = None
                return
        queue = self._audio or self._video
        if self._run_job(queue[0], deadline):
            queue.popleft()

    def _run_job(self, job: Job, deadline: float) -> bool:
        """Sends to the job's rows until done (True), out of time, or blocked."""
        template = job.lay_out(_now())
        if self._compiled is not None and not job.shape.stream:
            sent = self._compiled.send(job, template, deadline)
        else:
            sent = self._python.send(job, template, deadline)
        now = _now()
        job.count(sent, now, self._statistics)
        if sent and not job.audio and now - job.due > self._late_s:
            self._late_s = now - job.due
        return job.position >= len(job.rows)

    # ---- single packets

    def send_sound(self, one: Deferred) -> None:
        """Sends a deferred packet now (a stream can be written again)."""
        if one.is_current:
            burst = Burst(one.layer, (one.entry,), Rows((one.row,)), one.cuts, True)
            now = _now()
            self._audio.append(Job(burst, one.row.shape, now, now))
