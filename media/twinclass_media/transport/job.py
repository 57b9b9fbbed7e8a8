"""A burst on its way to its rows."""

from __future__ import annotations

from collections.abc import Sequence

from twinclass_media.forward.producer import Burst
from twinclass_media.forward.red import with_redundancy
from twinclass_media.forward.ring import Entry
from twinclass_media.forward.shape import Shape, abs_send_time
from twinclass_media.forward.template import Template, build_template
from twinclass_media.statistics import Statistics
from twinclass_media.transport.peer import RED

#: Rows between two looks at the clock.
ROWS_PER_LOOK = 8


class Job:
    """One template, and how far its rows are done.

    Attributes:
        at, due: when its first packet came, and when it was to leave.
        position: rows looked at.
        codec: of its packets as they leave.
        sizes: of the protected packets, for lines that are watched.
        prepared: what a send loop keeps of it; its own affair.
    """

    __slots__ = (
        "_entries",
        "at",
        "audio",
        "burst",
        "codec",
        "due",
        "position",
        "prepared",
        "rows",
        "shape",
        "sizes",
        "template",
    )

    def __init__(self, burst: Burst, shape: Shape, at: float, due: float) -> None:
        self.burst = burst
        self.rows = burst.rows
        self.shape = shape
        self.at = at
        self.due = due
        self.audio = burst.audio
        self.position = 0
        self.codec = ""
        self.sizes: list[int] = []
        self.template: Template | None = None
        self.prepared: object = None
        self._entries: Sequence[Entry] | None = None

    @property
    def entries(self) -> Sequence[Entry]:
        """What leaves: sound may bring earlier sound along."""
        if self._entries is None:
            burst, red = self.burst, self.shape.red
            self.codec = RED if red else burst.entries[0].codec
            self._entries = burst.entries
            if red:
                ring, payload_type = burst.layer.ring, self.shape.sound_type
                self._entries = with_redundancy(burst.entries, ring, red, payload_type)
        return self._entries

    def lay_out(self, now: float, *, pad_to: int = 0) -> Template:
        """Returns the template, made at the first call. ``pad_to``: see ``build_template``."""
        template = self.template
        if template is None:
            send_time = abs_send_time(now)
            template = build_template(self.entries, self.shape, send_time, pad_to=pad_to)
            self.template = template
            if template.number_at:
                self.sizes = [packet.size + self.shape.tag for packet in template.packets]
        return template

    def count(self, sent: int, now: float, statistics: Statistics) -> None:
        """Counts that ``sent`` more rows have got it."""
        template = self.template
        if not sent or template is None:
            return
        packets = sent * len(template.packets)
        statistics.packets_out += packets
        statistics.bytes_out += sent * len(template.data)
        delay = statistics.audio_delay if self.audio else statistics.video_delay
        delay.observe(now - self.at, packets)
