"""The inner loop of sending in Python: where no compiler was, and for streams (ICE-TCP)."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import NamedTuple

from twinclass_media.forward.row import Row
from twinclass_media.forward.template import Template
from twinclass_media.statistics import Statistics
from twinclass_media.transport.arena import Arena, Slot
from twinclass_media.transport.deferred import Deferred
from twinclass_media.transport.job import ROWS_PER_LOOK, Job
from twinclass_media.transport.outlet import Outlet
from twinclass_media.transport.peer import Peer

#: Linux: setsockopt/cmsg level and type of UDP segmentation (uapi/linux/udp.h).
SOL_UDP = 17
UDP_SEGMENT = 103

Ancillary = list[tuple[int, int, bytes]]

_now = time.monotonic


class _Prepared(NamedTuple):
    """A template as the arena takes it. ``runs``: (start, end, segment, ancillary, view)."""

    lines: list[Slot]
    lengths: bytes
    runs: list[tuple[int, int, int, Ancillary, memoryview]]


class PythonLoop:
    """Numbers, protects and sends a job for one row after the other."""

    def __init__(
        self,
        arena: Arena,
        outlet: Outlet,
        statistics: Statistics,
        blocked: Callable[[Row], None],
    ) -> None:
        """``blocked(row)``: a stream cannot take video, the row must begin again."""
        self._arena = arena
        self._outlet = outlet
        self._statistics = statistics
        self._blocked = blocked
        self._ancillaries: dict[int, Ancillary] = {}

    def send(self, job: Job, template: Template, deadline: float) -> int:
        """Returns how many rows got the burst."""
        prepared = job.prepared
        if not isinstance(prepared, _Prepared):
            prepared = job.prepared = self._prepare(template)
        send = self._send_stream if job.shape.stream else self._send_datagrams
        rows = job.rows
        layer, cuts = job.burst.layer, job.burst.cuts
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
            if not peer.ready or not row.takes(layer, cuts, first):
                continue
            types = row.payload_types.get(codec)
            if types is None:
                self._statistics.drops["codec_not_negotiated"] += count
                continue
            sent_at = _now() if job.sizes else 0.0
            if send(row, peer, types[0], job, template, prepared):
                row.went_out(count, octets, at, last)
                line = peer.numbering
                if job.sizes and line is not None:
                    line.sent(job.sizes, sent_at)
                sent += 1
            if self._outlet.is_stuck:
                break
            if position % ROWS_PER_LOOK == 0 and _now() >= deadline:
                break
        job.position = position
        return sent

    def _prepare(self, template: Template) -> _Prepared:
        lines, lengths = self._arena.lines(template)
        view = self._arena.view
        runs = [
            (start, end, segment, self._ancillary(segment), view[start:end])
            for start, end, segment in template.runs
        ]
        return _Prepared(lines, lengths, runs)

    def _ancillary(self, segment: int) -> Ancillary:
        if not segment:
            return []
        ancillary = self._ancillaries.get(segment)
        if ancillary is None:
            ancillary = [(SOL_UDP, UDP_SEGMENT, struct.pack("=H", segment))]
            self._ancillaries[segment] = ancillary
        return ancillary

    def _send_datagrams(
        self,
        row: Row,
        peer: Peer,
        payload_type: int,
        _: Job,
        template: Template,
        prepared: _Prepared,
    ) -> bool:
        outlet = self._outlet
        if not self._arena.number(
            row, peer, payload_type, template, prepared.lines, prepared.lengths
        ):
            return False
        for i, (start, end, segment, ancillary, view) in enumerate(prepared.runs):
            at = end
            try:
                if segment:
                    if peer.segmentation:
                        if peer.packet_info:
                            ancillary = ancillary + peer.packet_info  # noqa: PLW2901
                        peer.sendmsg((view,), ancillary, 0, peer.address)
                    else:
                        at = outlet.send_singly(peer, start, end, segment)
                elif peer.packet_info:
                    peer.sendmsg((view,), peer.packet_info, 0, peer.address)
                else:
                    peer.sendto(view, peer.address)
            except BlockingIOError:
                at = start
            except OSError as error:
                at = outlet.refused(peer, start, end, segment, error.errno or 0)
            if at < end:
                outlet.stick(peer, [(at, end, segment), *template.runs[i + 1 :]])
                return True
        return True

    def _send_stream(
        self,
        row: Row,
        peer: Peer,
        payload_type: int,
        job: Job,
        template: Template,
        prepared: _Prepared,
    ) -> bool:
        stream = peer.stream
        if stream is None:
            return False
        packets = template.packets
        if stream.blocked:
            if job.audio:
                # As they came: what they bring along (RED) is decided when they leave.
                for entry in job.burst.entries:
                    stream.defer(Deferred(row, job.burst.layer, job.burst.cuts, entry))
            else:
                self._blocked(row)
            return False
        if not self._arena.number(
            row, peer, payload_type, template, prepared.lines, prepared.lengths
        ):
            return False
        tag = job.shape.tag
        view = self._arena.view
        for p in packets:
            stream.send(bytes(view[p.offset : p.offset + p.size + tag]))
        return True
