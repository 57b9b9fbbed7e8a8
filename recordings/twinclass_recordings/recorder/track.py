"""One track: packets of a worker's pipe in, files out. Core.

Of a source with several encodings the highest that arrives is written; it changes at a keyframe.
A file goes on as long as the sampling clock and the picture's size do; then the next one begins.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from twinclass_media.errors import MalformedPacket
from twinclass_media.rtp.packet import RtpPacket
from twinclass_recordings.manifest import Codec
from twinclass_recordings.recorder.frames import Assembler, Frame, H264Frames, Vp8Frames
from twinclass_recordings.recorder.journal import EndCause
from twinclass_recordings.recorder.messages import TrackSpec
from twinclass_recordings.recorder.part import Part
from twinclass_recordings.recorder.reorder import Gap, Reorder
from twinclass_recordings.recorder.timeline import Timeline

#: An encoding silent for this long has stopped (a still screen sends once a second and more).
LAYER_SILENT_S = 1.2
#: Nothing for this long: the file ends, and what comes later is a new one after a gap.
SILENT_S = 2.5
#: Between two samples of sound: more than lost packets are, so the file would have a hole.
AUDIO_HOLE_S = 0.5
#: Players seek to keyframes and segments begin with them; browsers send none unasked.
KEYFRAME_S = 3.0
#: While nothing can be written without one.
KEYFRAME_URGENT_S = 0.5
#: After a disk refused, another file is tried this much later.
DISK_RETRY_S = 2.0
#: A publisher that changes its picture all the time fills a folder: so many files a track.
MAX_PARTS = 5000

_CODECS: dict[str, Codec] = {"H264": "h264", "VP8": "vp8", "opus": "opus"}


class Sink(Protocol):
    """Where a track's files go."""

    def next_number(self) -> int:
        """Returns the number of the next file."""
        ...

    def begin(self, track: Track, part: Part) -> None:
        """A file begins."""
        ...

    def append(self, part: Part, data: bytes) -> bool:
        """A piece of it; False: the disk is too far behind."""
        ...

    def correct(self, part: Part) -> None:
        """Its start stands elsewhere."""
        ...

    def end(self, part: Part, cause: EndCause) -> None:
        """It is complete."""
        ...


class _Packet(NamedTuple):
    codec: str
    timestamp: int
    marker: int
    payload: bytes
    arrived_unix: float


class _Layer:
    """One encoding as it arrives."""

    def __init__(self, clock_rate: int, origin_unix: float) -> None:
        self.reorder: Reorder[_Packet] = Reorder()
        self.timeline = Timeline(clock_rate, origin_unix)
        self.assembler: Assembler | None = None
        self.codec = ""
        self.last_at = -1e9

    def forget(self) -> None:
        """Begins anew with whatever comes next: what came was not looked at for a while."""
        self.reorder = Reorder()
        self.assembler = None
        self.timeline.reset()


class Track:
    """State of one track's recording.

    Attributes:
        lost_s: what the disk did not take, seconds.
        last_write: when a piece was last handed to the disk (monotonic).
    """

    def __init__(self, spec: TrackSpec, origin_unix: float, sink: Sink, now: float) -> None:
        self.spec = spec
        self.malformed = 0
        self.lost_s = 0.0
        self.last_write = -1e9
        self._sink = sink
        self._codecs = {c.payload_type: c.name for c in spec.codecs}
        rate = spec.codecs[0].clock_rate if spec.codecs else 90_000
        self._rate = rate
        self._layers = [_Layer(rate, origin_unix) for _ in range(max(1, spec.layers))]
        self._current = -1
        self._part: Part | None = None
        #: Files whose start is known by arrival alone, the present one the last.
        self._unreported: list[Part] = []
        self._last_time = 0
        self._parts = 0
        self._last_frame_at = -1e9
        self._keyframe_at = -1e9
        self._asked_at = now - KEYFRAME_S
        self._retry_at = -1e9
        self._began_at = now

    @property
    def part(self) -> Part | None:
        """Returns the file that is being written."""
        return self._part

    # ---- packets

    def packet(self, layer: int, body: bytes, now: float, unix: float) -> None:
        """Takes a datagram of the pipe."""
        try:
            found = RtpPacket(body)
        except MalformedPacket:
            self.malformed += 1
            return
        codec = self._codecs.get(found.payload_type)
        if codec is None or layer >= len(self._layers):
            self.malformed += 1
            return
        source = self._layers[layer]
        source.last_at = now
        if layer < self._current:
            return
        item = _Packet(codec, found.timestamp, found.marker, found.payload, unix)
        for one in source.reorder.push(found.sequence_number, item, now):
            self._take(layer, one, now)

    def report(self, layer: int, timestamp: int, unix: float) -> None:
        """Takes a sender report: ``timestamp`` was at ``unix`` on our clock."""
        if layer >= len(self._layers):
            return
        change = self._layers[layer].timeline.report(timestamp, unix)
        if change is None or layer != self._current:
            return
        # Those that ended meanwhile came as late: of another encoding or size, by the same way.
        for part in self._unreported:
            part.start_s += change
            self._sink.correct(part)
        self._unreported.clear()

    def _take(self, layer: int, one: _Packet | Gap, now: float) -> None:
        source = self._layers[layer]
        if isinstance(one, Gap):
            if source.assembler is not None:
                source.assembler.gap()
            return
        if self.spec.kind == "audio":
            if one.payload:
                frame = Frame(one.timestamp, one.payload, True)
                self._frame(layer, one.codec, frame, one.arrived_unix, now)
            return
        if source.codec != one.codec or source.assembler is None:
            source.codec = one.codec
            source.assembler = Vp8Frames() if one.codec == "VP8" else H264Frames()
        frame_made = source.assembler.push(one.timestamp, one.marker, one.payload)
        if frame_made is not None:
            self._frame(layer, one.codec, frame_made, one.arrived_unix, now)

    def _frame(
        self, layer: int, codec_name: str, frame: Frame, arrived_unix: float, now: float
    ) -> None:
        if layer != self._current:
            if not frame.keyframe:
                return  # It begins with its next keyframe.
            self._switch(layer, now)
        codec = _CODECS.get(codec_name)
        if codec is None:
            self.malformed += 1
            return
        if frame.keyframe:
            self._keyframe_at = now
        timeline = self._layers[layer].timeline
        extended = timeline.extend(frame.timestamp, arrived_unix)
        if extended is None:
            self._end("changed", now)
            self._unreported.clear()
            extended = timeline.extend(frame.timestamp, arrived_unix)
            if extended is None:
                return
        part = self._part
        if part is not None and (part.codec != codec or not part.fits(frame)):
            self._end("changed", now)
            part = None
        if part is not None and self.spec.kind == "audio":
            hole = timeline.part_time(extended) - self._last_time
            if hole > AUDIO_HOLE_S * self._rate:
                self._end("silent", now)
                part = None
        if part is None:
            part = self._begin(codec, frame, timeline, extended, now)
            if part is None:
                return
        time = timeline.part_time(extended)
        self._last_time = max(self._last_time, time)
        self._last_frame_at = now
        self._write(part, part.add(time, frame), now)

    def _begin(
        self, codec: Codec, frame: Frame, timeline: Timeline, extended: int, now: float
    ) -> Part | None:
        if not frame.keyframe or now < self._retry_at or self._parts >= MAX_PARTS:
            return None
        start_s = timeline.begin_part(extended)
        if start_s < 0:
            return None  # From before the bell.
        self._parts += 1
        self._last_time = 0
        part = self._part = Part(self._sink.next_number(), codec, frame, start_s)
        if not timeline.is_reported:
            self._unreported.append(part)
        self._sink.begin(self, part)
        self._write(part, part.header(), now)
        return part

    def _write(self, part: Part, data: bytes, now: float) -> None:
        if not data:
            return
        if self._sink.append(part, data):
            self.last_write = now
        else:
            self.lost_s += 0.5
            self.disk_failed(part, now)

    def _switch(self, layer: int, now: float) -> None:
        if self._part is not None:
            self._end("changed", now)
        self._current = layer
        for lower in self._layers[:layer]:
            lower.forget()

    def _end(self, cause: EndCause, now: float) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        data = part.finish()
        if data and not self._sink.append(part, data):
            self.lost_s += 0.5
        elif data:
            self.last_write = now
        self._sink.end(part, cause)

    def disk_failed(self, part: Part, now: float) -> None:
        """The disk did not take all of a part: it ends where it is, and another is tried later."""
        if part is not self._part:
            return
        self._part = None
        self._retry_at = now + DISK_RETRY_S
        self.lost_s += DISK_RETRY_S
        self._sink.end(part, "disk")

    def finish(self, cause: EndCause, now: float) -> None:
        """Ends the track: what is waited for is given up."""
        for index, source in enumerate(self._layers):
            if index == self._current:
                for one in source.reorder.due(now + 1e6):
                    self._take(index, one, now)
        self._end(cause, now)

    # ---- time

    def tick(self, now: float) -> None:
        """Ten times a second: what does not come, what has ended."""
        for index, layer in enumerate(self._layers):
            if index >= self._current:
                for one in layer.reorder.due(now):
                    self._take(index, one, now)
        current = self._current
        if current >= 0:
            source = self._layers[current]
            if now - source.last_at > LAYER_SILENT_S:
                lower = [i for i, x in enumerate(self._layers) if now - x.last_at < LAYER_SILENT_S]
                if lower:
                    # Its next keyframe makes it the current one.
                    self._current = -1
        part = self._part
        if part is None:
            return
        passed = int((now - self._last_frame_at) * self._rate)
        if now - self._last_frame_at > SILENT_S:
            self._end("silent", now)
        elif self.spec.kind == "video":
            self._write(part, part.late(self._last_time + passed), now)

    def wants_keyframe(self, now: float) -> int | None:
        """Returns the encoding that should send a keyframe now, and notes that it was asked."""
        if self.spec.kind == "audio":
            return None
        layer = self._best(now)
        source = self._layers[layer]
        is_urgent = (
            layer != self._current
            or self._part is None
            or (source.assembler is not None and source.assembler.needs_keyframe)
        )
        since = now - max(self._asked_at, -1e9 if is_urgent else self._keyframe_at)
        if now < self._retry_at or since < (KEYFRAME_URGENT_S if is_urgent else KEYFRAME_S):
            return None
        self._asked_at = now
        return layer

    def wanted_layers(self, now: float) -> tuple[int, int]:
        """Returns (highest, lowest) encoding to be sent: while one is written, nothing below."""
        top = len(self._layers) - 1
        is_steady = self._current >= 0 and now - self._layers[self._current].last_at < 0.6
        return top, self._current if is_steady else 0

    def missing(self, now: float) -> list[tuple[int, list[int]]]:
        """Returns (encoding, numbers) to ask for again."""
        found: list[tuple[int, list[int]]] = []
        for index, source in enumerate(self._layers):
            if index < self._current or not source.reorder.loss.waiting:
                continue
            numbers = source.reorder.missing(now)
            if numbers:
                found.append((index, numbers))
        return found

    def _best(self, now: float) -> int:
        alive = [i for i, x in enumerate(self._layers) if now - x.last_at < LAYER_SILENT_S]
        return max(alive, default=len(self._layers) - 1)
