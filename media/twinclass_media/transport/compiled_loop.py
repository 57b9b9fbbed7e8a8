"""The inner loop of sending, compiled: jobs in, and what Python keeps account of."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any

from twinclass_media.forward.layer import Layer
from twinclass_media.forward.template import MAX_PADDING_BYTES, Template, packet_sizes
from twinclass_media.statistics import Statistics
from twinclass_media.transport.arena import MAX_BURST, Arena
from twinclass_media.transport.job import Job
from twinclass_media.transport.native.burst import (
    MAX_NUMBERED,
    Layout,
    NativeBurst,
    Progress,
    Status,
)
from twinclass_media.transport.outlet import Outlet, Run
from twinclass_media.transport.peer import Peer
from twinclass_media.transport.train import LEAST_ROWS, MAX_BURSTS, Seatings, Train

#: Of what waits, when a train is made: with many lessons most of it is for others.
MAX_LOOKED_AT = 64

_now = time.monotonic


class CompiledLoop:
    """Hands jobs to the library: one by one, or sound that waits together as a train."""

    def __init__(
        self,
        library: Any,  # noqa: ANN401 - cffi has no types
        arena: Arena,
        outlet: Outlet,
        statistics: Statistics,
    ) -> None:
        self._native = NativeBurst(library, arena)
        self._outlet = outlet
        self._statistics = statistics
        self._seatings = Seatings(self._native.place)

    def forget(self, router: str) -> None:
        """Somebody has left a lesson."""
        self._seatings.forget(router)

    # ---- one job

    def send(self, job: Job, template: Template, deadline: float) -> int:
        """Returns how many rows got the burst."""
        native = self._native
        layout = self._layout(job, template)
        position = job.position
        count = len(job.rows) - position
        is_numbered = template.number_at > 0
        if is_numbered:
            count = min(count, MAX_NUMBERED)
            for row in job.rows[position : position + count]:
                line = row.peer.numbering
                row.peer.way.number(0 if line is None else line.next_number)
        # Before, not after: what is held up in between must not look as if it had been fast.
        sent_at = _now()
        done = native.send(layout, native.places(job.rows), position, count, deadline)
        job.position = position + done.rows
        if is_numbered:
            taken = native.taken(done.rows)
            for row, is_taken in zip(job.rows[position : job.position], taken, strict=True):
                line = row.peer.numbering
                if is_taken and line is not None:
                    line.sent(job.sizes, sent_at)
        self._count(done)
        if done.status in (Status.BLOCKED, Status.REFUSED):
            peer = job.rows[job.position - 1].peer
            segment = template.runs[done.run][2]
            rest = (done.position, done.end, segment)
            self._go_on(done, peer, [rest, *template.runs[done.run + 1 :]])
        elif done.status == Status.INVALID:
            self._statistics.drops["burst_invalid"] += count * len(template.packets)
            job.position = len(job.rows)
        for start, end, segment in template.runs:
            size = -(-(end - start) // segment) if segment else 1
            self._statistics.segments.observe(size, done.sent)
        return done.sent

    def _layout(self, job: Job, template: Template) -> Layout:
        layout = job.prepared
        if not isinstance(layout, Layout):
            layout = job.prepared = self._native.layout(
                template, job.burst, job.codec, job.shape.tag, job.at
            )
        return layout

    def _count(self, done: Progress) -> None:
        drops = self._statistics.drops
        if done.protect_failed:
            drops["protect_failed"] += done.protect_failed
        if done.unreadable:
            drops["codec_not_negotiated"] += done.unreadable

    def _go_on(self, done: Progress, peer: Peer, rest: Sequence[Run]) -> None:
        if done.status == Status.BLOCKED:
            self._outlet.stick(peer, rest)
        else:
            self._outlet.go_on_refused(peer, rest, done.error)

    # ---- trains

    def couple(self, waiting: deque[Job]) -> Train | None:
        """Takes jobs that can leave as one run for each viewer out of ``waiting``: not begun, of
        one lesson, without numbers of the viewer's own. None: there are not two."""
        first = waiting[0]
        if not _fits(first):
            return None
        router = first.rows[0].peer.router
        #: What stays behind must not be overtaken by what follows it.
        staying: set[Layer] = set()
        chosen: list[Job] = []
        low, high, packets = 1 << 16, 0, 0
        for job in islice(waiting, MAX_LOOKED_AT):
            layer = job.burst.layer
            fits = layer not in staying and _fits(job) and job.shape.tag == first.shape.tag
            if not fits or job.rows[0].peer.router != router:
                staying.add(layer)
                continue
            sizes = packet_sizes(job.entries, job.shape)
            new_low, new_high = min(low, *sizes), max(high, *sizes)
            if new_high - new_low > MAX_PADDING_BYTES or packets + len(sizes) > MAX_BURST:
                staying.add(layer)
                continue
            low, high = new_low, new_high
            packets += len(sizes)
            chosen.append(job)
            if len(chosen) == MAX_BURSTS:
                break
        if len(chosen) < 2:
            return None
        for job in chosen:
            waiting.remove(job)
        now = _now()
        layouts = [self._layout(job, job.lay_out(now, pad_to=high)) for job in chosen]
        seating = self._seatings.of(router, [job.rows for job in chosen])
        return Train(chosen, layouts, seating, high + first.shape.tag)

    def send_train(self, train: Train, deadline: float) -> bool:
        """Sends until done (True), out of time, or blocked."""
        seating = train.seating
        done, sent = self._native.send_train(
            train.layouts, seating, train.columns, train.position, deadline
        )
        train.position += done.rows
        self._count(done)
        now = _now()
        for job, rows in zip(train.jobs, sent, strict=True):
            job.count(rows, now, self._statistics)
        if done.sent:
            self._statistics.segments.observe(max(1, round(sum(sent) / done.sent)), done.sent)
        if done.status in (Status.BLOCKED, Status.REFUSED):
            segment = train.segment if done.end > train.segment else 0
            peer = seating.peers[train.position - 1]
            self._go_on(done, peer, [(done.position, done.end, segment)])
        elif done.status == Status.INVALID:
            self._statistics.drops["burst_invalid"] += len(seating.peers)
            train.position = len(seating.peers)
        return train.position >= len(seating.peers)


def _fits(job: Job) -> bool:
    return (
        job.position == 0
        and job.template is None
        and not job.shape.stream
        and not job.shape.transport_cc
        and len(job.rows) >= LEAST_ROWS
    )
