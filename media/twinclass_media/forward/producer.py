"""A track that a peer sends, with its layers, and the rows fed from it.

Decides which layer a row is fed from. A row moves to another layer only at a keyframe; until
then it keeps the old one. The decisions return *bursts*: entries that certain rows must get, in
order, which the egress sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple, Protocol

from twinclass_media.forward.group import Rows
from twinclass_media.forward.layer import SILENT_S, Layer
from twinclass_media.forward.ring import Entry
from twinclass_media.forward.row import Row
from twinclass_media.forward.shape import Shape
from twinclass_media.rtp.packet import RtpPacket
from twinclass_media.rtp.sequence import timestamp_delta

_sequence = attrgetter("sequence")


class Burst(NamedTuple):
    """Entries of one layer for rows of one shape, in order. ``cuts``: the layer's when it was made,
    for rows that were cut since are not to get it; ``audio`` goes first; ``live``: all rows of the
    shape get it, as it comes."""

    layer: Layer
    entries: Sequence[Entry]
    rows: Rows
    cuts: int
    audio: bool
    live: bool = False


class Tap(Protocol):
    """Takes every packet of a producer as it comes: a pipe to another worker, a recorder."""

    max_layer: int

    def take(self, layer: Layer, entry: Entry) -> None:
        """Takes one packet; must not block."""
        ...


class Producer:
    """Layers from the lowest to the highest, and every row that is fed or wants to be.

    Attributes:
        max_layers: row -> highest layer wanted (index); its ceiling may be lower.
        taps: who takes packets besides the rows.
        changed: a layer began, ended, or became (un)wanted since this was last cleared.
    """

    __slots__ = (
        "changed",
        "clock_rate",
        "id",
        "layers",
        "max_layers",
        "paused",
        "taps",
        "video",
    )

    def __init__(
        self, identifier: str, video: bool, clock_rate: int, rids: Sequence[str], paused: bool
    ) -> None:
        self.id = identifier
        self.video = video
        self.clock_rate = clock_rate
        self.layers = [Layer(i, rid, video, clock_rate) for i, rid in enumerate(rids)]
        self.max_layers: dict[Row, int] = {}
        self.taps: list[Tap] = []
        self.paused = paused
        self.changed = False

    def wants(self, layer: Layer) -> bool:
        """Some row may be fed from this layer. Lower ones stay wanted too: they are what a row
        falls back to when the publisher's line cannot carry the upper ones. Upper ones stay wanted
        while a viewer's line is narrow: encoders that go on and off with it would unsettle all."""
        return any(max_layer >= layer.index for max_layer in self.max_layers.values()) or any(
            tap.max_layer >= layer.index for tap in self.taps
        )

    # ---- packets in

    def receive(self, layer: Layer, packet: RtpPacket, codec: str, now: float) -> bool:
        """Takes a packet. True: a frame is complete, flush the layer now."""
        if not layer.active:
            layer.active = True
            self.changed = True
            self.select()
        if layer.pending and layer.pending[-1].codec != codec:
            layer.pending = []  # the publisher changed codec within a frame: start clean
        entry = layer.receive(packet, codec, now)
        if entry is None:
            return False
        if self.paused:
            layer.pending = []
            return False
        for tap in self.taps:
            tap.take(layer, entry)
        return not self.video or bool(entry.marker) or len(layer.pending) >= 48

    def flush(self, layer: Layer, now: float) -> list[Burst]:
        """Takes the gathered burst of a layer and says who gets it. Rows that waited for this
        layer's keyframe become live with it."""
        gathered, layer.pending = layer.pending, []
        entries = [entry for entry in gathered if entry.sequence > layer.flushed]
        bursts: list[Burst] = []
        if len(entries) < len(gathered):
            # Mended late: each alone, as some rows began after them and must not get them.
            for entry in gathered:
                if entry.sequence <= layer.flushed:
                    bursts += self._bursts(layer, (entry,))
        if not entries:
            return bursts
        entries.sort(key=_sequence)
        layer.flushed = entries[-1].sequence
        if not self.video:
            self._admit(layer, entries[0], now)
            return bursts + self._bursts(layer, entries)
        for i, entry in enumerate(entries):
            if entry.keyframe:
                if i:
                    bursts += self._bursts(layer, entries[:i])
                self._admit(layer, entry, now)
                return bursts + self._bursts(layer, entries[i:])
        return bursts + self._bursts(layer, entries)

    def _bursts(self, layer: Layer, entries: Sequence[Entry]) -> list[Burst]:
        groups = layer.rows.values()
        audio = not self.video
        cuts = layer.cuts
        return [Burst(layer, entries, group.snapshot(), cuts, audio, live=True) for group in groups]

    def _admit(self, layer: Layer, entry: Entry, now: float) -> None:
        waiting = [row for row in layer.waiting if not row.idle]
        layer.waiting = [row for row in layer.waiting if row.idle]
        for row in waiting:
            old = row.layer
            timestamp = self._timestamp(row, layer, entry, now)
            if old is not None:
                old.detach(row)
                self.changed = True
            row.cut(layer, entry, timestamp)
            layer.attach(row)

    def _timestamp(self, row: Row, layer: Layer, entry: Entry, now: float) -> int:
        """RTP time of ``entry`` for a row that comes from elsewhere.

        Between layers of one source both sender reports give the exact mapping (RFC 3550
        section 6.4.1), which keeps lip sync; otherwise wall time since the last packet.
        """
        if not row.started:
            return row.last_timestamp
        old = row.layer
        if old is layer:
            return (entry.timestamp + row.timestamp_offset) & 0xFFFFFFFF
        if old is not None and old in self.layers:
            before, after = old.reception.sender, layer.reception.sender
            if before is not None and after is not None:
                seconds = (after.ntp - before.ntp) / 4294967296
                since = timestamp_delta(entry.timestamp, after.rtp_timestamp)
                mapped = before.rtp_timestamp + round(seconds * self.clock_rate) + since
                timestamp = (mapped + row.timestamp_offset) & 0xFFFFFFFF
                if timestamp_delta(timestamp, row.last_timestamp) > 0:
                    return timestamp
        return row.next_timestamp(now)

    # ---- rows

    def add(self, row: Row, max_layer: int, now: float) -> list[Burst]:
        """Feeds a row from here on. Returns what it gets at once: the last keyframe, or the newest
        sound."""
        self.max_layers[row] = max_layer
        row.producer = self
        self.changed = True
        target = self._target(row)
        entries, live = self._at_once(row, target, now)
        if entries:
            row.cut(target, entries[0], self._timestamp(row, target, entries[0], now))
        if live:
            target.attach(row)
        else:
            target.waiting.append(row)
            row.wanted = target
            if self.video and not row.idle:
                target.keyframes.wish()
        if not entries:
            return []
        return [Burst(target, entries, Rows((row,)), target.cuts, not self.video)]

    def _at_once(self, row: Row, target: Layer, now: float) -> tuple[list[Entry], bool]:
        """Returns (what a row begins with, it is live afterwards)."""
        if self.paused or row.idle:
            return [], False
        if self.video:
            return target.cached_keyframe(now)
        # What another track left in the browser needs no more ahead of it.
        entries = [] if row.started else target.newest_sound(now)
        return entries, bool(entries)

    def still(self, row: Row, entries: Sequence[Entry], now: float) -> Burst:
        """Returns a whole keyframe of the lowest layer for a row whose line carries no more: single
        pictures. It waits for its line as before."""
        lowest = self.layers[0]
        if row.wanted is not lowest:
            if row.wanted is not None:
                row.wanted.waiting.remove(row)
            lowest.waiting.append(row)
        row.cut(lowest, entries[0], row.next_timestamp(now))
        row.wanted = lowest
        return Burst(lowest, entries, Rows((row,)), lowest.cuts, False)

    def remove(self, row: Row) -> None:
        """Stops feeding a row."""
        self.max_layers.pop(row, None)
        row.producer = None
        for layer in self.layers:
            layer.detach(row)
        self.changed = True

    def set_max_layer(self, row: Row, max_layer: int) -> None:
        """Changes the highest layer a row wants."""
        if self.max_layers.get(row) != max_layer:
            self.max_layers[row] = max_layer
            self.changed = True
            self._steer(row)

    def set_ceiling(self, row: Row, ceiling: int, *, at_once: bool = False) -> None:
        """Changes the highest layer that a row's line carries; -1: nothing goes out.

        ``at_once``: what it gets now is too much to go on until the lower layer's keyframe.
        """
        was_idle = row.idle
        if row.ceiling == ceiling or row not in self.max_layers:
            row.ceiling = ceiling
            return
        row.ceiling = ceiling
        self.changed = True
        if row.idle != was_idle or (at_once and self._target(row) is not row.layer):
            self.restart(row)
        else:
            self._steer(row)

    def _target(self, row: Row) -> Layer:
        """The highest layer that sends, not above what the row wants and its line carries; else
        the lowest one that does; else the one to be hoped for. Chromium never sends the top layer
        of a small picture."""
        max_layer = min(self.max_layers[row], max(0, row.ceiling))
        best: Layer | None = None
        for layer in self.layers:
            if layer.active and (layer.index <= max_layer or best is None):
                best = layer
        return best or self.layers[min(max_layer, len(self.layers) - 1)]

    def select(self) -> None:
        """Moves every row towards the layer it should be fed from."""
        for row in self.max_layers:
            self._steer(row)

    def _steer(self, row: Row) -> None:
        target = self._target(row)
        if row.wanted is target or (row.wanted is None and row.layer is target):
            return
        if row.wanted is not None:
            row.wanted.waiting.remove(row)
            row.wanted = None
            self.changed = True
        if row.layer is target and row in target.rows.get(row.shape, ()):
            return
        target.waiting.append(row)
        row.wanted = target
        self.changed = True
        if self.video and not row.idle:
            target.keyframes.wish()

    def reshape(self, row: Row, shape: Shape) -> None:
        """A row's packets look different from here on."""
        layer = row.layer
        live = layer is not None and layer.withdraw(row)
        row.shape = shape
        if layer is not None and live:
            layer.attach(row)

    def restart(self, row: Row) -> None:
        """A row lost its place: it begins again with a keyframe, which is wished for unless the
        row is idle."""
        if row not in self.max_layers:
            return
        for layer in self.layers:
            layer.detach(row)
        target = self._target(row)
        target.waiting.append(row)
        row.wanted = target
        if self.video and not row.idle:
            target.keyframes.wish()
        self.select()

    # ---- time

    def tick(self, now: float) -> None:
        """Notices layers that went silent and moves their rows down."""
        for layer in self.layers:
            layer.measure(now)
            if layer.active and now - layer.last_at > SILENT_S:
                layer.active = False
                self.changed = True
                self.select()
        for layer in self.layers:
            if self.video and not self.paused and any(not r.idle for r in layer.waiting):
                layer.keyframes.wish()

    def set_paused(self, paused: bool) -> None:
        """Stops or resumes forwarding. Video begins again at a keyframe."""
        if paused == self.paused:
            return
        self.paused = paused
        for layer in self.layers:
            layer.pending = []
            # What came while closed is nobody's to see, also not as a late joiner's keyframe.
            layer.keyframe_first = layer.keyframe_end = -1
            if not self.video:
                layer.ring.clear()
        if paused:
            for row in list(self.max_layers):
                self.restart(row)
        elif self.video:
            for layer in self.layers:
                if layer.waiting:
                    layer.keyframes.wish()
