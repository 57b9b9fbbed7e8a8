"""The send loop: bursts times viewers into datagrams.

A frame goes out as one GSO run, as the kernel's per-datagram path is the cost. Per burst and
shape the packets are laid out once; per row they are copied into the arena, numbered, protected
in place by libsrtp, and each run leaves with one ``sendmsg``. That inner loop is there twice:
compiled (``native``) and, where no compiler was, in Python; streams always take the latter.

Jobs are worked off in quanta of at most 1 ms, audio before video, so that a keyframe for
hundreds of viewers delays neither sound nor reception. Nothing in here awaits, logs or blocks.
"""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from twinclass_media.forward.group import Rows
from twinclass_media.forward.layer import PACKET_OVERHEAD_BYTES, Layer
from twinclass_media.forward.producer import Burst
from twinclass_media.forward.red import with_redundancy
from twinclass_media.forward.ring import Entry
from twinclass_media.forward.row import Row
from twinclass_media.forward.shape import Shape, abs_send_time
from twinclass_media.forward.template import Template, build_template
from twinclass_media.statistics import Statistics
from twinclass_media.transport.arena import MAX_BURST, Arena, Slot
from twinclass_media.transport.line import Line
from twinclass_media.transport.native.burst import MAX_NUMBERED, Layout, NativeBurst, Status
from twinclass_media.transport.peer import RED, Peer
from twinclass_media.transport.retransmission import pad
from twinclass_media.transport.spread import Spread

#: Linux: setsockopt/cmsg level and type of UDP segmentation (uapi/linux/udp.h).
SOL_UDP = 17
UDP_SEGMENT = 103

QUANTUM_S = 0.001
#: Rows between two looks at the clock.
ROWS_PER_LOOK = 8
#: Jobs waiting. At 200 viewers a job takes a millisecond or two: this is seconds of work, and
#: what comes above it is video that nobody could use any more.
MAX_JOBS = 2000
#: How often lines that are watched are looked at while something waits for them.
PACE_S = 0.004
#: While the socket's buffer is full, look again after this long.
BLOCKED_RETRY_S = 0.001

_now = time.monotonic


class _Job:
    """One template, and how far its rows are done."""

    __slots__ = (
        "at",
        "audio",
        "burst",
        "codec",
        "due",
        "layout",
        "lengths",
        "lines",
        "position",
        "rows",
        "runs",
        "shape",
        "sizes",
        "template",
    )

    def __init__(self, burst: Burst, shape: Shape, at: float, due: float) -> None:
        self.burst = burst
        self.rows = burst.rows
        self.shape = shape
        #: Of the protected packets, for lines that are watched.
        self.sizes: list[int] = []
        self.at = at
        #: When it was to leave.
        self.due = due
        self.audio = burst.audio
        self.position = 0
        self.codec = ""
        self.template: Template | None = None
        #: For the compiled loop.
        self.layout: Layout | None = None
        #: For the loop in Python.
        self.lines: list[Slot] = []
        self.lengths = b""
        #: (start, end, segment, ancillary, view) per run.
        self.runs: list[tuple[int, int, int, list[tuple[int, int, bytes]], memoryview]] = []


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
        self._blocked = blocked
        self._audio: deque[_Job] = deque()
        self._video: deque[_Job] = deque()
        self._arena = Arena(statistics)
        self._native = None if library is None else NativeBurst(library, self._arena)
        self._segment_ancillary: dict[int, list[tuple[int, int, bytes]]] = {}
        #: Datagrams whose numbers are spent but that the full socket did not take.
        self._stuck: tuple[Peer, list[tuple[bytes, int]]] | None = None
        self.retry_at: float | None = None
        self._late_s = 0.0
        #: Peers whose lines have something to be sent later.
        self.pacing: set[Peer] = set()
        self._spread = Spread()

    @property
    def busy(self) -> bool:
        """There is work left."""
        return bool(self._audio or self._video or self._stuck)

    @property
    def paces(self) -> bool:
        """Something is to be sent later: ``pace`` must be called."""
        return bool(self.pacing) or not self._spread.is_empty

    def forget(self, layer: Layer) -> None:
        """A picture has ended: nothing of it waits any more."""
        self._spread.forget(layer)

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
    def _append(queue: deque[_Job], burst: Burst, shape: Shape, at: float, due: float) -> None:
        if not burst.rows:
            return
        for first in range(0, len(burst.entries), MAX_BURST):
            part = burst._replace(entries=burst.entries[first : first + MAX_BURST])
            queue.append(_Job(part, shape, at, due))

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
            if line is None or line.pacer.passes(size, now):
                passing.append(row)
                continue
            for entry in burst.entries:
                size_of_one = len(entry.payload) + PACKET_OVERHEAD_BYTES
                line.pacer.put(size_of_one, (row, burst.layer, entry))
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

    def _hand_on(self, waited: Sequence[tuple[Row, Layer, Entry]], now: float) -> None:
        """Sends what has waited, unless its row has gone on at another place meanwhile: a burst
        that began before a cut would be dropped whole, and what is after the cut with it."""
        useful = (
            one for one in waited if one[0].layer is one[1] and one[2].sequence >= one[0].floor
        )
        for (row, layer), group in groupby(useful, key=itemgetter(0, 1)):
            burst = Burst(layer, [entry for _, _, entry in group], Rows((row,)), False)
            self._append(self._video, burst, row.shape, now, now)

    def run(self) -> bool:
        """Works for one quantum. True when work is left; not before ``retry_at``, if it is set."""
        self.retry_at = None
        deadline = _now() + QUANTUM_S
        if self._stuck is not None and not self._unstick():
            return True
        while self._audio or self._video:
            queue = self._audio or self._video
            job = queue[0]
            finished = self._run_job(job, deadline)
            if finished:
                queue.popleft()
            if self._stuck is not None:
                return True
            if _now() >= deadline:
                break
        return self.busy

    def _run_job(self, job: _Job, deadline: float) -> bool:
        """Sends to the job's rows until done (True), out of time, or blocked."""
        template = job.template
        if template is None:
            send_time = abs_send_time(_now())
            entries = job.burst.entries
            if job.shape.red:
                ring = job.burst.layer.ring
                entries = with_redundancy(entries, ring, job.shape.red, job.shape.sound_type)
            job.codec = RED if job.shape.red else entries[0].codec
            template = job.template = build_template(entries, job.shape, send_time)
            if template.number_at:
                job.sizes = [packet.size + job.shape.tag for packet in template.packets]
        native = self._native
        if native is not None and not job.shape.stream:
            sent = self._send_rows_native(native, job, template, deadline)
        else:
            sent = self._send_rows(job, template, deadline)
        if sent:
            statistics = self._statistics
            packets = sent * len(template.packets)
            statistics.packets_out += packets
            statistics.bytes_out += sent * len(template.data)
            delay = statistics.audio_delay if job.audio else statistics.video_delay
            now = _now()
            delay.observe(now - job.at, packets)
            if now - job.due > self._late_s and not job.audio:
                self._late_s = now - job.due
            for start, end, segment in template.runs:
                statistics.segments.observe(-(-(end - start) // segment) if segment else 1, sent)
        return job.position >= len(job.rows)

    # ---- the compiled loop

    def _send_rows_native(
        self, native: NativeBurst, job: _Job, template: Template, deadline: float
    ) -> int:
        """Returns how many rows got the burst."""
        layout = job.layout
        if layout is None:
            layout = job.layout = native.layout(
                template, job.burst.layer, job.burst.entries, job.codec, job.shape.tag, job.at
            )
        position = job.position
        count = len(job.rows) - position
        is_numbered = template.number_at > 0
        if is_numbered:
            count = min(count, MAX_NUMBERED)
            for row in job.rows[position : position + count]:
                line = row.peer.line
                row.peer.way.number(0 if line is None else line.next_number)
        # Before, not after: what is held up in between must not look as if it had been fast.
        sent_at = _now()
        done = native.send(layout, native.places(job.rows), position, count, deadline)
        job.position = position + done.rows
        if is_numbered:
            taken = native.taken(done.rows)
            for row, is_taken in zip(job.rows[position : job.position], taken, strict=True):
                if is_taken and row.peer.line is not None:
                    row.peer.line.sent(job.sizes, sent_at)
        drops = self._statistics.drops
        if done.protect_failed:
            drops["protect_failed"] += done.protect_failed
        if done.unreadable:
            drops["codec_not_negotiated"] += done.unreadable * len(template.packets)
        if done.status in (Status.BLOCKED, Status.REFUSED):
            peer = job.rows[job.position - 1].peer
            _, end, segment = template.runs[done.run]
            rest = [(done.position, end, segment), *template.runs[done.run + 1 :]]
            if done.status == Status.BLOCKED:
                self._stick(peer, rest)
            else:
                self._go_on_refused(peer, rest)
        elif done.status == Status.INVALID:
            drops["burst_invalid"] += count * len(template.packets)
            job.position = len(job.rows)
        return done.sent

    def _stick(self, peer: Peer, runs: Sequence[tuple[int, int, int]]) -> None:
        """The socket is full: what is numbered must go out before anything else."""
        self._statistics.drops["socket_full"] += 1
        view = self._arena.view
        self._stuck = (peer, [(bytes(view[start:end]), segment) for start, end, segment in runs])
        self.retry_at = _now() + BLOCKED_RETRY_S

    def _go_on_refused(self, peer: Peer, runs: Sequence[tuple[int, int, int]]) -> None:
        """The kernel did not take the first of ``runs``."""
        for i, (start, end, segment) in enumerate(runs):
            if i == 0:
                at = self._refused(peer, start, end, segment)
            else:
                at = self._send_singly(peer, start, end, segment or end - start)
            if at < end:
                self._stick(peer, [(at, end, segment), *runs[i + 1 :]])
                return

    # ---- the loop in Python

    def _send_rows(self, job: _Job, template: Template, deadline: float) -> int:
        """Returns how many rows got the burst."""
        if not job.lines:
            job.lines, job.lengths = self._arena.lines(template)
            view = self._arena.view
            job.runs = [
                (start, end, segment, self._ancillary(segment), view[start:end])
                for start, end, segment in template.runs
            ]
        send = self._send_stream if job.shape.stream else self._send_datagrams
        rows = job.rows
        layer = job.burst.layer
        entries = job.burst.entries
        first, last = entries[0].sequence, entries[-1]
        codec = job.codec
        count = len(entries)
        octets = template.octets
        at = job.at
        position = job.position
        total = len(rows)
        sent = 0
        while position < total:
            row = rows[position]
            position += 1
            peer: Peer = row.peer
            # The row may have moved on since the job was queued.
            if row.layer is not layer or row.floor > first or not peer.ready:
                continue
            types = row.payload_types.get(codec)
            if types is None:
                self._statistics.drops["codec_not_negotiated"] += count
                continue
            sent_at = _now() if job.sizes else 0.0
            if send(row, peer, types[0], job, template):
                row.went_out(count, octets, at, last)
                if job.sizes and peer.line is not None:
                    peer.line.sent(job.sizes, sent_at)
                sent += 1
            if self._stuck is not None:
                break
            if position % ROWS_PER_LOOK == 0 and _now() >= deadline:
                break
        job.position = position
        return sent

    def _ancillary(self, segment: int) -> list[tuple[int, int, bytes]]:
        if not segment:
            return []
        ancillary = self._segment_ancillary.get(segment)
        if ancillary is None:
            ancillary = [(SOL_UDP, UDP_SEGMENT, struct.pack("=H", segment))]
            self._segment_ancillary[segment] = ancillary
        return ancillary

    def _send_datagrams(
        self, row: Row, peer: Peer, payload_type: int, job: _Job, template: Template
    ) -> bool:
        if not self._arena.number(row, peer, payload_type, template, job.lines, job.lengths):
            return False
        for i, (start, end, segment, ancillary, view) in enumerate(job.runs):
            at = end
            try:
                if segment:
                    if peer.segmentation:
                        if peer.packet_info:
                            ancillary = ancillary + peer.packet_info  # noqa: PLW2901
                        peer.sendmsg((view,), ancillary, 0, peer.address)
                    else:
                        at = self._send_singly(peer, start, end, segment)
                elif peer.packet_info:
                    peer.sendmsg((view,), peer.packet_info, 0, peer.address)
                else:
                    peer.sendto(view, peer.address)
            except BlockingIOError:
                at = start
            except OSError:
                at = self._refused(peer, start, end, segment)
            if at < end:
                self._stick(peer, [(at, end, segment), *template.runs[i + 1 :]])
                return True
        return True

    def _refused(self, peer: Peer, start: int, end: int, segment: int) -> int:
        """The kernel did not take a run. EIO, EINVAL, EMSGSIZE: this way has no segmentation.
        Returns where the socket became full, else ``end``."""
        if segment and peer.segmentation:
            peer.segment(False)
            self._statistics.drops["segmentation_refused"] += 1
            return self._send_singly(peer, start, end, segment)
        self._statistics.drops["send_failed"] += 1
        return end

    def _send_singly(self, peer: Peer, start: int, end: int, segment: int) -> int:
        """Sends a run's packets one by one. Returns where the socket became full, else
        ``end``."""
        for position in range(start, end, segment):
            piece = self._arena.view[position : min(end, position + segment)]
            try:
                peer.sendmsg((piece,), peer.packet_info, 0, peer.address)
            except BlockingIOError:
                return position
            except OSError:
                self._statistics.drops["send_failed"] += 1
        return end

    def _unstick(self) -> bool:
        assert self._stuck is not None
        peer, rest = self._stuck
        while rest:
            data, segment = rest[0]
            size = segment or len(data)
            try:
                peer.sendmsg((data[:size],), peer.packet_info, 0, peer.address)
            except BlockingIOError:
                self.retry_at = _now() + BLOCKED_RETRY_S
                return False
            except OSError:
                self._statistics.drops["send_failed"] += 1
            if len(data) > size:
                rest[0] = (data[size:], segment)
            else:
                rest.pop(0)
        self._stuck = None
        return True

    # ---- streams (ICE-TCP)

    def _send_stream(
        self, row: Row, peer: Peer, payload_type: int, job: _Job, template: Template
    ) -> bool:
        stream = peer.stream
        if stream is None:
            return False
        packets = template.packets
        if stream.blocked:
            if job.audio:
                for p in packets:
                    stream.defer(row, p.entry)
            else:
                self._blocked(row)
            return False
        if not self._arena.number(row, peer, payload_type, template, job.lines, job.lengths):
            return False
        tag = job.shape.tag
        view = self._arena.view
        for p in packets:
            stream.send(bytes(view[p.offset : p.offset + p.size + tag]))
        return True

    # ---- single packets

    def send_entry(self, row: Row, entry: Entry) -> None:
        """Sends one deferred packet now (audio of a stream that can be written again)."""
        if row.layer is not None:
            burst = Burst(row.layer, (entry,), Rows((row,)), True)
            now = _now()
            self._audio.append(_Job(burst, row.shape, now, now))
