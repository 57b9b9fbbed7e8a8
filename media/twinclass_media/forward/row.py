"""One consumer's line in the forwarding table: what differs between two viewers of one packet.

The publisher's numbers are shifted by offsets. An offset changes only at a *cut*: the start of
a keyframe for video, any packet for audio. Between cuts gaps stay gaps, so that a packet that
the uplink mends later still finds its number. Cuts are remembered for retransmission.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from twinclass_media.bandwidth.climb import Climb

if TYPE_CHECKING:
    from twinclass_media.forward.layer import Layer
    from twinclass_media.forward.producer import Producer
    from twinclass_media.forward.ring import Entry

#: Cuts remembered for retransmission; NACKs older than a few cuts are of no use.
MAX_CUTS = 8
#: The newest packets that stand in for padding.
MAX_REPEATED = 32
#: More layers than any camera has.
NO_CEILING = 255


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a row's numbering was set: ``first`` is the extended number that went out first."""

    first: int
    layer: Layer
    sequence_offset: int
    timestamp_offset: int
    picture_id_delta: int
    tl0_delta: int


class Sent(NamedTuple):
    """What went out: counts, the newest packet in the publisher's numbers, when it had come in."""

    packets: int
    octets: int
    at: float
    sequence: int
    timestamp: int
    picture_id: int
    tl0: int


class Mirror(Protocol):
    """A row as the compiled send loop knows it."""

    def show(self, row: Row) -> None:
        """Copies how its packets are to be numbered, and of which layer."""
        ...

    def take(self) -> Sent | None:
        """Returns what went out since the last call; None: nothing."""
        ...


class Row:
    """State of one (consumer, track). Control code edits it; the send loop reads it.

    Attributes:
        producer: the track it is fed from, if any.
        layer: the encoding it is fed from; None while it waits for its first keyframe.
        wanted: the encoding it waits for a keyframe of; None when it has what it wants.
        payload_types: codec name -> (payload type, RTX payload type or None).
        floor: source number of the last cut; older packets of the layer are not for this row.
        began: the layer's ``cuts`` at the last cut. A cut may go back to a keyframe of a while ago:
            bursts that waited meanwhile are of numbers behind ``floor``, but not of this cut.
        priority: who gets room first when there is not enough; lower goes first.
        ceiling: the highest layer that its viewer's line carries; -1: not even the lowest.
        climb: how it went up and down on its viewer's line.
        stalled: its sink takes no video now; it begins again when it can, and asks for
            nothing until then.
        id: the consumer's.
        shape: what its packets look like (``forward.shape.Shape``).
        mirror: itself as the compiled send loop knows it, once that has sent to it. ``show`` after
            a change.
        peer: owner's sending side, opaque here (handle, address, sink).
    """

    __slots__ = (
        "_cuts",
        "_highest",
        "_last",
        "_last_at",
        "_newest",
        "_octets",
        "_packets",
        "_picture_id",
        "_repeated",
        "_timestamp",
        "_tl0",
        "began",
        "ceiling",
        "climb",
        "clock_rate",
        "floor",
        "id",
        "layer",
        "mirror",
        "payload_types",
        "peer",
        "picture_id_delta",
        "priority",
        "producer",
        "resent",
        "rtx_sequence",
        "rtx_ssrc",
        "sequence_offset",
        "shape",
        "ssrc",
        "stalled",
        "started",
        "timestamp_offset",
        "tl0_delta",
        "wanted",
    )

    def __init__(
        self,
        peer: Any,  # noqa: ANN401 - transport.peer.Peer, which this package must not know
        ssrc: int,
        rtx_ssrc: int,
        clock_rate: int,
        payload_types: dict[str, tuple[int, int | None]],
        first_sequence: int,
        first_timestamp: int,
    ) -> None:
        self.peer = peer
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.clock_rate = clock_rate
        self.payload_types = payload_types
        self.id = ""
        self.shape: Any = None
        self.floor = 0
        self.began = 0
        self.producer: Producer | None = None
        self.layer: Layer | None = None
        self.wanted: Layer | None = None
        self.sequence_offset = 0
        self.timestamp_offset = 0
        self.picture_id_delta = 0
        self.tl0_delta = 0
        self.mirror: Mirror | None = None
        self.priority = 100
        self.ceiling = NO_CEILING
        self.climb = Climb()
        self.stalled = False
        self.started = False
        self._packets = self._octets = 0
        self._last_at = 0.0
        #: The newest packet that went out under the present cut, and its source number.
        self._last: Entry | None = None
        self._newest = -1
        self.resent: dict[int, float] = {}
        self.rtx_sequence = first_sequence
        self._cuts: deque[Cut] = deque(maxlen=MAX_CUTS)
        self._highest = 0x10000 + first_sequence
        self._timestamp = first_timestamp
        self._picture_id = self._tl0 = -1
        self._repeated = 0

    @property
    def idle(self) -> bool:
        """Nothing may go out now, so nothing is asked for."""
        return self.stalled or self.ceiling < 0

    def cut(self, layer: Layer, entry: Entry, timestamp: int) -> None:
        """Goes on with ``entry`` of ``layer`` as the next packet, at RTP time ``timestamp``."""
        self._settle()
        following = self._highest + 1
        # Offsets apply to the publisher's extended numbers, so that the order of cuts shows.
        self.sequence_offset = following - entry.sequence
        self.timestamp_offset = timestamp - entry.timestamp
        self.floor = entry.sequence
        layer.cuts += 1
        self.began = layer.cuts
        self._newest = entry.sequence - 1
        self.picture_id_delta = self.tl0_delta = 0
        vp8 = entry.vp8
        if vp8 is not None and vp8.picture_id >= 0 and self._picture_id >= 0:
            self.picture_id_delta = self._picture_id + 1 - vp8.picture_id
            if vp8.tl0_picture_index >= 0:
                self.tl0_delta = self._tl0 + 1 - vp8.tl0_picture_index
        self._cuts.append(
            Cut(
                following,
                layer,
                self.sequence_offset,
                self.timestamp_offset,
                self.picture_id_delta,
                self.tl0_delta,
            )
        )
        self.layer = layer
        self.wanted = None
        self.started = True
        self.show()

    def takes(self, layer: Layer, cuts: int, sequence: int) -> bool:
        """Tells whether a packet of a burst made at ``cuts`` is of the present cut."""
        return self.layer is layer and self.began <= cuts and self.floor <= sequence

    def leave(self) -> None:
        """Is fed from nothing from here on."""
        self.layer = None
        self.show()

    def show(self) -> None:
        """Lets the compiled send loop know what has changed."""
        if self.mirror is not None:
            self.mirror.show(self)

    def went_out(self, packets: int, octets: int, at: float, last: Entry) -> None:
        """Notes what the send loop in Python has sent. ``last``: the newest of the packets."""
        self._packets += packets
        self._octets += octets
        self._last_at = at
        if last.sequence > self._newest:
            self._newest = last.sequence
            self._last = last

    def _settle(self) -> None:
        """Works out where the row stands from the last packet that went out.

        The send loops only remember that packet; all else is put off to when it is needed.
        """
        entry, self._last = self._last, None
        if entry is not None:
            vp8 = entry.vp8
            picture_id, tl0 = (-1, -1) if vp8 is None else (vp8.picture_id, vp8.tl0_picture_index)
            self._goes_on(entry.sequence, entry.timestamp, picture_id, tl0)
        sent = self.mirror.take() if self.mirror is not None else None
        if sent is not None:
            self._packets += sent.packets
            self._octets += sent.octets
            self._last_at = sent.at
            if sent.sequence > self._newest:
                self._newest = sent.sequence
                self._goes_on(sent.sequence, sent.timestamp, sent.picture_id, sent.tl0)

    def _goes_on(self, sequence: int, timestamp: int, picture_id: int, tl0: int) -> None:
        self._highest = max(self._highest, sequence + self.sequence_offset)
        self._timestamp = (timestamp + self.timestamp_offset) & 0xFFFFFFFF
        if picture_id >= 0:
            self._picture_id = (picture_id + self.picture_id_delta) & 0x7FFF
            if tl0 >= 0:
                self._tl0 = (tl0 + self.tl0_delta) & 0xFF

    @property
    def sent(self) -> tuple[int, int, float]:
        """Packets, octets, and when the last packet had come in."""
        self._settle()
        return self._packets, self._octets, self._last_at

    @property
    def octets(self) -> int:
        """Bytes of payload that went out, as sender reports count them."""
        self._settle()
        return self._octets

    @property
    def last_at(self) -> float:
        """When the last packet that went out had come in; 0: none did."""
        self._settle()
        return self._last_at

    @property
    def newest(self) -> int:
        """Source number of the newest packet that went out under the present cut; below ``floor``:
        none did."""
        self._settle()
        return self._newest

    @property
    def last_timestamp(self) -> int:
        """RTP time of the last packet that went out."""
        self._settle()
        return self._timestamp

    def next_timestamp(self, now: float) -> int:
        """RTP time to go on at when the source changes: wall time since the last packet."""
        self._settle()
        if not self._last_at:
            return self._timestamp
        elapsed = max(1, int((now - self._last_at) * self.clock_rate))
        return (self._timestamp + elapsed) & 0xFFFFFFFF

    def is_of_use(self, sequence_number: int) -> bool:
        """Tells whether a viewer can still use the packet behind a number: none of before the last
        cut, which began with a keyframe, and none while it gets nothing."""
        if self.layer is None or not self._cuts:
            return False
        self._settle()
        extended = self._highest + ((sequence_number - self._highest + 0x8000) & 0xFFFF) - 0x8000
        return extended >= self._cuts[-1].first

    def next_to_repeat(self) -> int | None:
        """Returns the number of a packet to send once more where something must be sent that says
        nothing new: the newest ones, each again only after the others. None: nothing is known."""
        self._settle()
        if not self.started or self._newest < self.floor:
            return None
        self._repeated = (self._repeated + 1) % MAX_REPEATED
        return (self._newest - self._repeated + self.sequence_offset) & 0xFFFF

    def find_sent(self, sequence_number: int) -> tuple[Entry, Cut] | None:
        """Returns the entry behind a number that a viewer misses and the cut it went out under,
        or None when it is gone or never was."""
        self._settle()
        highest = self._highest
        extended = highest + ((sequence_number - highest + 0x8000) & 0xFFFF) - 0x8000
        if extended > highest:
            return None
        for cut in reversed(self._cuts):
            if extended >= cut.first:
                entry = cut.layer.ring.get(extended - cut.sequence_offset)
                return None if entry is None else (entry, cut)
        return None
