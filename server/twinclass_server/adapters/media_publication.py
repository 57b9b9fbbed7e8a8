"""One published track: whether it sends, and which of its layers are wanted.

Core: ``now`` is a parameter, effects are the return values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from twinclass_media.worker.messages import LayerState, ProducerId
from twinclass_signaling.ids import ParticipantId, SessionId
from twinclass_signaling.messages import PublishWishes
from twinclass_signaling.roles import Source
from twinclass_signaling.sdp.uplink import UplinkTrack

#: A source silent for this long has ended (ports.MediaListener). A lead who can no longer be seen
#: or heard must be replaceable within 5 s, and the worker needs one to notice; even a still screen
#: sends once a second.
SILENT_S = 2.0
#: A layer unwanted for this long is stopped: shorter would stop and start it with every
#: reconnect of a viewer.
UNWANTED_S = 5.0


@dataclass(slots=True)
class Publication:
    """State of a producer; ``started`` is what the lesson was told."""

    producer: ProducerId
    session: SessionId
    participant: ParticipantId
    track: UplinkTrack
    started: bool = False
    #: Since when no layer is active; None while one is.
    silent_since: float | None = None
    active: bool = False
    #: Layers asked to stop.
    stopped: frozenset[int] = frozenset()
    #: The last wish sent.
    sent: PublishWishes | None = None
    _unwanted_since: dict[int, float] = field(default_factory=dict[int, float])

    @property
    def source(self) -> Source:
        """What the track shows."""
        return self.track.source

    def layers_changed(self, layers: Sequence[LayerState], now: float) -> None:
        """Takes the worker's report."""
        by_rid = {encoding.rid: i for i, encoding in enumerate(self.track.encodings)}
        self.active = any(layer.active for layer in layers)
        if self.active:
            self.silent_since = None
        elif self.silent_since is None:
            self.silent_since = now
        for position, layer in enumerate(layers):
            index = by_rid.get(layer.rid, position) if layer.rid else position
            if layer.wanted:
                self._unwanted_since.pop(index, None)
                self.stopped -= {index}
            else:
                self._unwanted_since.setdefault(index, now)

    def tick(self, now: float) -> None:
        """Stops layers that have been unwanted long enough."""
        due = {i for i, since in self._unwanted_since.items() if now - since >= UNWANTED_S}
        if not due <= self.stopped:
            self.stopped |= due

    def should_start(self) -> bool:
        """True when the lesson should hear that it began."""
        return self.active and not self.started

    def should_end(self, now: float) -> bool:
        """True when the lesson should hear that it ended."""
        if not self.started or self.silent_since is None:
            return False
        return now - self.silent_since >= SILENT_S
