"""A packet that leaves later than the rest of its burst: its viewer's line has no room now."""

from __future__ import annotations

from typing import NamedTuple

from twinclass_media.forward.layer import Layer
from twinclass_media.forward.ring import Entry
from twinclass_media.forward.row import Row


class Deferred(NamedTuple):
    """``cuts``: the layer's when its burst was made."""

    row: Row
    layer: Layer
    cuts: int
    entry: Entry

    @property
    def is_current(self) -> bool:
        """Its row is still where it was then. Else its number would be another packet's."""
        return self.row.takes(self.layer, self.cuts, self.entry.sequence)
