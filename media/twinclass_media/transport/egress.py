"""The send loop: bursts times viewers into datagrams.

Pure Python at about 1.7 µs a packet when a frame goes out as one GSO run (packet-cost: the
kernel's per-datagram path is the cost). Per burst and shape the packets are laid out once; per
row they are copied into an arena, numbered, protected in place by libsrtp, and each run leaves
with one ``sendmsg``.

Jobs are worked off in quanta of at most 1 ms, audio before video, so that a keyframe for
hundreds of viewers delays neither sound nor reception. Nothing in here awaits, logs or blocks.
"""

from __future__ import annotations

import contextlib
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from twinclass_media.forward.producer import Burst
from twinclass_media.forward.ring import Entry
from twinclass_media.forward.row import Row
from twinclass_media.forward.shape import Shape, abs_send_time
from twinclass_media.forward.template import Template, build_template
from twinclass_media.statistics import Statistics
from twinclass_media.transport.peer import Peer
from twinclass_media.transport.srtp import FFI, SRTP_PROTECT

#: Linux: setsockopt/cmsg level and type of UDP segmentation (uapi/linux/udp.h).
SOL_UDP = 17
UDP_SEGMENT = 103

QUANTUM_S = 0.001
#: Rows between two looks at the clock.
ROWS_PER_LOOK = 8
#: Packets per job: what the arena holds and one GSO call takes.
MAX_BURST = 48
#: 48 packets of 1,400 bytes.
ARENA_BYTES = 72 * 1024
#: Jobs waiting. At 200 viewers a job takes a millisecond or two: this is seconds of work, and
#: what comes above it is video that nobody could use any more.
MAX_JOBS = 2000
#: While the socket's buffer is full, look again after this long.
BLOCKED_RETRY_S = 0.001

_pack_header = struct.Struct("!BBHII").pack_into
_pack_number = struct.Struct("!H").pack_into
_copy_lengths = FFI.memmove
_now = time.monotonic


class _Job:
    """One template, and how far its rows are done."""

    __slots__ = (
        "at",
        "audio",
        "burst",
        "lengths",
        "lines",
        "position",
        "rows",
        "runs",
        "shape",
        "template",
    )

    def __init__(self, burst: Burst, rows: list[Row], shape: Shape, at: float) -> None:
        self.burst = burst
        self.rows = rows
        self.shape = shape
        self.at = at
        self.audio = burst.audio
        self.position = 0
        self.template: Template | None = None
        #: (offset, first byte, marker bit, sequence, timestamp, packet, length) per packet.
        self.lines: list[tuple[int, int, int, int, int, Any, Any]] = []
        self.lengths = b""
        #: (start, end, segment, ancillary, view) per run.
        self.runs: list[tuple[int, int, int, list[tuple[int, int, bytes]], memoryview]] = []


class Egress:
    """The queue of jobs and the loop that empties it."""

    def __init__(
        self, statistics: Statistics, blocked: Callable[[Row], None], now_offset: float = 0.0
    ) -> None:
        """``blocked(row)``: a stream sink cannot take video, the row must begin again."""
        self._statistics = statistics
        self._blocked = blocked
        self._now_offset = now_offset
        self._audio: deque[_Job] = deque()
        self._video: deque[_Job] = deque()
        self._arena = bytearray(ARENA_BYTES)
        self._view = memoryview(self._arena)
        self._pinned: Any = FFI.from_buffer(self._arena)
        self._base = int(FFI.cast("uintptr_t", self._pinned))
        self._pointers: dict[int, Any] = {}
        #: In and out of ``protect``: a packet's length, one place for each packet of a burst.
        self._lengths: Any = FFI.new("int[]", MAX_BURST)
        self._length_pointers: list[Any] = [self._lengths + i for i in range(MAX_BURST)]
        self._segment_ancillary: dict[int, list[tuple[int, int, bytes]]] = {}
        #: Datagrams whose numbers are spent but that the full socket did not take.
        self._stuck: tuple[Peer, list[tuple[bytes, int]]] | None = None
        self.retry_at: float | None = None

    @property
    def busy(self) -> bool:
        """There is work left."""
        return bool(self._audio or self._video or self._stuck)

    def add(self, burst: Burst, at: float) -> None:
        """Queues a burst. ``at``: arrival of its first packet, for the delay histogram."""
        if not burst.rows or not burst.entries:
            return
        queue = self._audio if burst.audio else self._video
        if len(queue) >= MAX_JOBS:
            self._statistics.drops["egress_overload"] += len(burst.rows) * len(burst.entries)
            return
        shape: Shape = burst.rows[0].shape
        rows = list(burst.rows)
        for first in range(0, len(burst.entries), MAX_BURST):
            part = Burst(
                burst.layer, burst.entries[first : first + MAX_BURST], burst.rows, burst.audio
            )
            queue.append(_Job(part, rows, shape, at))

    def run(self) -> bool:
        """Works for one quantum. True when work is left."""
        self.retry_at = None
        deadline = _now() + QUANTUM_S
        if self._stuck is not None and not self._unstick():
            return False
        while self._audio or self._video:
            queue = self._audio or self._video
            job = queue[0]
            finished = self._run_job(job, deadline)
            if finished:
                queue.popleft()
            elif self._stuck is not None:
                return False
            if _now() >= deadline:
                break
        return self.busy

    def _run_job(self, job: _Job, deadline: float) -> bool:
        """Sends to the job's rows until done (True), out of time, or blocked."""
        template = job.template
        if template is None:
            send_time = abs_send_time(_now() + self._now_offset)
            template = job.template = build_template(job.burst.entries, job.shape, send_time)
            job.lines = [
                (
                    p.offset,
                    p.first_byte,
                    p.marker_bit,
                    p.sequence,
                    p.timestamp,
                    self._pointer(p.offset),
                    self._length_pointers[i],
                )
                for i, p in enumerate(template.packets)
            ]
            job.lengths = struct.pack(
                f"={len(template.packets)}i", *(p.size for p in template.packets)
            )
            job.runs = [
                (start, end, segment, self._ancillary(segment), self._view[start:end])
                for start, end, segment in template.runs
            ]
        send = self._send_stream if job.shape.stream else self._send_datagrams
        rows = job.rows
        layer = job.burst.layer
        first = job.burst.entries[0].sequence
        codec = job.burst.entries[0].codec
        entries = job.burst.entries
        count = len(entries)
        octets = template.octets
        at = job.at
        last = entries[-1]
        newest = last.sequence
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
            if send(row, peer, types[0], job):
                row.packets += count
                row.octets += octets
                row.last_at = at
                if newest > row.last_source:
                    row.last_source = newest
                    row.last_entry = last
                sent += 1
            if self._stuck is not None:
                break
            if position % ROWS_PER_LOOK == 0 and _now() >= deadline:
                break
        job.position = position
        statistics = self._statistics
        if sent:
            statistics.packets_out += sent * count
            statistics.bytes_out += sent * len(template.data)
            delay = statistics.audio_delay if job.audio else statistics.video_delay
            delay.observe(_now() - at, sent * count)
            for start, end, segment in template.runs:
                statistics.segments.observe(-(-(end - start) // segment) if segment else 1, sent)
        return position >= total

    def _pointer(self, offset: int) -> Any:  # noqa: ANN401 - cffi has no types
        pointer = self._pointers.get(offset)
        if pointer is None:
            pointer = self._pointers[offset] = FFI.cast("void *", self._base + offset)
        return pointer

    def _ancillary(self, segment: int) -> list[tuple[int, int, bytes]]:
        if not segment:
            return []
        ancillary = self._segment_ancillary.get(segment)
        if ancillary is None:
            ancillary = [(SOL_UDP, UDP_SEGMENT, struct.pack("=H", segment))]
            self._segment_ancillary[segment] = ancillary
        return ancillary

    # ---- datagrams

    def _send_datagrams(self, row: Row, peer: Peer, payload_type: int, job: _Job) -> bool:
        self._number(row, peer, payload_type, job)
        runs = job.runs
        for i, (start, end, segment, ancillary, view) in enumerate(runs):
            try:
                if segment:
                    if peer.segmentation:
                        if peer.packet_info:
                            ancillary = ancillary + peer.packet_info  # noqa: PLW2901
                        peer.sendmsg((view,), ancillary, 0, peer.address)
                    else:
                        self._send_singly(peer, start, end, segment)
                elif peer.packet_info:
                    peer.sendmsg((view,), peer.packet_info, 0, peer.address)
                else:
                    peer.sendto(view, peer.address)
            except BlockingIOError:
                self._statistics.drops["socket_full"] += 1
                rest = [(bytes(r[4]), r[2]) for r in runs[i:]]
                self._stuck = (peer, rest)
                self.retry_at = _now() + BLOCKED_RETRY_S
                return True
            except OSError:
                self._refused(peer, start, end, segment)
        return True

    def _refused(self, peer: Peer, start: int, end: int, segment: int) -> None:
        """The kernel did not take a run. EIO, EINVAL, EMSGSIZE: this way has no segmentation."""
        if segment and peer.segmentation:
            peer.segmentation = False
            self._statistics.drops["segmentation_refused"] += 1
            with contextlib.suppress(OSError):
                self._send_singly(peer, start, end, segment)
                return
        self._statistics.drops["send_failed"] += 1

    def _send_singly(self, peer: Peer, start: int, end: int, segment: int) -> None:
        for position in range(start, end, segment):
            piece = self._view[position : min(end, position + segment)]
            peer.sendmsg((piece,), peer.packet_info, 0, peer.address)

    def _unstick(self) -> bool:
        assert self._stuck is not None
        peer, rest = self._stuck
        while rest:
            data, segment = rest[0]
            size = segment or len(data)
            try:
                for position in range(0, len(data), size):
                    piece = data[position : position + size]
                    peer.sendmsg((piece,), peer.packet_info, 0, peer.address)
            except BlockingIOError:
                self.retry_at = _now() + BLOCKED_RETRY_S
                return False
            except OSError:
                self._statistics.drops["send_failed"] += 1
            rest.pop(0)
        self._stuck = None
        return True

    def _number(self, row: Row, peer: Peer, payload_type: int, job: _Job) -> None:
        """Copies the template into the arena, writes a row's headers and protects in place.

        The hottest lines of the project: once per packet and viewer.
        """
        template = job.template
        assert template is not None
        arena = self._arena
        data = template.data
        arena[: len(data)] = data
        if template.number_at or row.picture_id_delta or row.tl0_delta:
            self._patch(row, peer, template)
        _copy_lengths(self._lengths, job.lengths, len(job.lengths))
        protect = SRTP_PROTECT
        pack = _pack_header
        handle = peer.handle
        sequence_offset = row.sequence_offset
        timestamp_offset = row.timestamp_offset
        ssrc = row.ssrc
        for offset, first_byte, marker_bit, sequence, timestamp, pointer, length in job.lines:
            pack(
                arena,
                offset,
                first_byte,
                marker_bit | payload_type,
                (sequence + sequence_offset) & 0xFFFF,
                (timestamp + timestamp_offset) & 0xFFFFFFFF,
                ssrc,
            )
            if protect(handle, pointer, length):
                self._statistics.drops["protect_failed"] += 1

    def _patch(self, row: Row, peer: Peer, template: Template) -> None:
        """Writes what only some rows need, before protection."""
        arena = self._arena
        number_at = template.number_at
        for p in template.packets:
            if number_at:
                _pack_number(arena, p.offset + number_at, peer.next_transport_number())
            if row.picture_id_delta or row.tl0_delta:
                _patch_payload(arena, p.payload_at, p.entry, row.picture_id_delta, row.tl0_delta)

    # ---- streams (ICE-TCP)

    def _send_stream(self, row: Row, peer: Peer, payload_type: int, job: _Job) -> bool:
        stream = peer.stream
        t = job.template
        if stream is None or t is None:
            return False
        if stream.blocked:
            if t.packets[0].entry.codec == "opus":
                for p in t.packets:
                    stream.defer(row, p.entry)
            else:
                self._blocked(row)
            return False
        self._number(row, peer, payload_type, job)
        tag: int = row.shape.tag
        for p in t.packets:
            stream.send(bytes(self._view[p.offset : p.offset + p.size + tag]))
        return True

    # ---- single packets

    def send_entry(self, row: Row, entry: Entry) -> None:
        """Sends one deferred packet now (audio of a stream that can be written again)."""
        if row.layer is not None:
            burst = Burst(row.layer, (entry,), (row,), True)
            self._audio.append(_Job(burst, [row], row.shape, _now()))

    def resend(self, row: Row, sequence_number: int, now: float) -> bool:
        """Answers a NACK with RTX (RFC 4588 section 4). False: the packet is gone."""
        peer: Peer = row.peer
        found = row.find_sent(sequence_number)
        if found is None or not peer.ready or not row.rtx_ssrc:
            return False
        entry, cut = found
        types = row.payload_types.get(entry.codec)
        if types is None or types[1] is None:
            return False
        row.rtx_sequence = (row.rtx_sequence + 1) & 0xFFFF
        header = struct.pack(
            "!BBHIIH",
            0x80,
            entry.marker << 7 | types[1],
            row.rtx_sequence,
            (entry.timestamp + cut.timestamp_offset) & 0xFFFFFFFF,
            row.rtx_ssrc,
            sequence_number,
        )
        payload = entry.payload
        if entry.vp8 is not None and (cut.picture_id_delta or cut.tl0_delta):
            patched = bytearray(payload)
            _patch_payload(patched, 0, entry, cut.picture_id_delta, cut.tl0_delta)
            payload = bytes(patched)
        row.resent[sequence_number] = now
        peer.send_rtp(header + payload)
        self._statistics.retransmitted += 1
        return True


def _patch_payload(
    buffer: bytearray, start: int, entry: Entry, picture_id_delta: int, tl0_delta: int
) -> None:
    """Shifts pictureId and tl0PicIdx (RFC 7741 section 4.2), so that they go on without a jump
    when a row's source changes."""
    vp8 = entry.vp8
    if vp8 is None:
        return
    if vp8.picture_id_bits == 15:
        value = (vp8.picture_id + picture_id_delta) & 0x7FFF
        _pack_number(buffer, start + vp8.picture_id_offset, 0x8000 | value)
    elif vp8.picture_id_bits == 7:
        buffer[start + vp8.picture_id_offset] = (vp8.picture_id + picture_id_delta) & 0x7F
    if vp8.tl0_offset:
        buffer[start + vp8.tl0_offset] = (vp8.tl0_picture_index + tl0_delta) & 0xFF
