"""One consumer's line in the forwarding table: what differs between two viewers of one packet.

The publisher's numbers are shifted by offsets. An offset changes only at a *cut*: the start of
a keyframe for video, any packet for audio. Between cuts gaps stay gaps, so that a packet that
the uplink mends later still finds its number. Cuts are remembered for retransmission.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


class Row:
    """State of one (consumer, track). Control code edits it; the send loop reads it.

    Attributes:
        producer: the track it is fed from, if any.
        layer: the encoding it is fed from; None while it waits for its first keyframe.
        wanted: the encoding it waits for a keyframe of; None when it has what it wants.
        payload_types: codec name -> (payload type, RTX payload type or None).
        last_source, last_entry: the newest packet that went out under the present cut.
        floor: source number of the last cut; older packets of the layer are not for this row.
        priority: who gets room first when there is not enough; lower goes first.
        ceiling: the highest layer that its viewer's line carries; -1: not even the lowest.
        climb: how it went up and down on its viewer's line.
        stalled: its sink takes no video now; it begins again when it can, and asks for
            nothing until then.
        id: the consumer's.
        shape: what its packets look like (``forward.shape.Shape``).
        peer: owner's sending side, opaque here (handle, address, sink).
    """

    __slots__ = (
        "_cuts",
        "_highest",
        "_picture_id",
        "_repeated",
        "_timestamp",
        "_tl0",
        "ceiling",
        "climb",
        "clock_rate",
        "floor",
        "id",
        "last_at",
        "last_entry",
        "last_source",
        "layer",
        "octets",
        "packets",
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
        self.producer: Producer | None = None
        self.layer: Layer | None = None
        self.wanted: Layer | None = None
        self.sequence_offset = 0
        self.timestamp_offset = 0
        self.picture_id_delta = 0
        self.tl0_delta = 0
        self.last_source = -1
        self.last_entry: Entry | None = None
        self.last_at = 0.0
        self.priority = 100
        self.ceiling = NO_CEILING
        self.climb = Climb()
        self.stalled = False
        self.started = False
        self.packets = 0
        self.octets = 0
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
        self.last_source = entry.sequence - 1
        self.last_entry = None
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

    def _settle(self) -> None:
        """Works out where the row stands from the last packet that went out.

        The send loop only remembers that packet; all else is put off to when it is needed.
        """
        entry = self.last_entry
        if entry is None:
            return
        self._highest = max(self._highest, entry.sequence + self.sequence_offset)
        self._timestamp = (entry.timestamp + self.timestamp_offset) & 0xFFFFFFFF
        vp8 = entry.vp8
        if vp8 is not None and vp8.picture_id >= 0:
            self._picture_id = vp8.picture_id + self.picture_id_delta
            if vp8.tl0_picture_index >= 0:
                self._tl0 = vp8.tl0_picture_index + self.tl0_delta

    @property
    def last_timestamp(self) -> int:
        """RTP time of the last packet that went out."""
        self._settle()
        return self._timestamp

    def next_timestamp(self, now: float) -> int:
        """RTP time to go on at when the source changes: wall time since the last packet."""
        if not self.last_at:
            return self.last_timestamp
        elapsed = max(1, int((now - self.last_at) * self.clock_rate))
        return (self.last_timestamp + elapsed) & 0xFFFFFFFF

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
        entry = self.last_entry
        if entry is None:
            return None
        self._repeated = (self._repeated + 1) % MAX_REPEATED
        return (entry.sequence - self._repeated + self.sequence_offset) & 0xFFFF

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
