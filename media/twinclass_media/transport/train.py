"""Sound of several speakers to one viewer in one system call.

The kernel's way per datagram is the cost, and sound is a small datagram per speaker and viewer.
What waits at the same time and is for the same people is made equal in size by padding and leaves
as one run (UDP_SEGMENT). Nothing is held up for it: under load more of it coincides by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from twinclass_media.forward.group import Rows
from twinclass_media.forward.row import Row
from twinclass_media.transport.job import Job
from twinclass_media.transport.native.library import ffi
from twinclass_media.transport.peer import Peer

if TYPE_CHECKING:
    from twinclass_media.transport.native.burst import Layout

#: Bursts of one train; each is a packet of a speaker as a rule.
MAX_BURSTS = 16
#: Speakers and shapes of one lesson that are seated; others leave by themselves.
MAX_COLUMNS = 64
#: A burst for fewer is not worth a column.
LEAST_ROWS = 2


class Seating:
    """The rows of a lesson's viewers, a line for each viewer and a column for each snapshot.

    Attributes:
        columns: by the snapshot's id.
        peers: in the order of the lines.
        seats: the lines, as the library reads them.
    """

    __slots__ = ("columns", "peers", "seats", "snapshots", "width")

    def __init__(self, snapshots: Sequence[Rows], place: Callable[[Row], int]) -> None:
        self.snapshots = list(snapshots)
        self.width = len(snapshots)
        self.columns = {id(rows): column for column, rows in enumerate(snapshots)}
        lines: dict[Peer, list[int]] = {}
        for column, rows in enumerate(snapshots):
            for row in rows:
                line = lines.get(row.peer)
                if line is None:
                    line = lines[row.peer] = [0] * self.width
                line[column] = place(row)
        self.peers = list(lines)
        self.seats: Any = ffi.new("uint64_t[]", [one for line in lines.values() for one in line])


class Seatings:
    """One for each lesson, made anew when somebody came or went."""

    def __init__(self, place: Callable[[Row], int]) -> None:
        """``place(row)``: where the library finds it."""
        self._place = place
        self._by_router: dict[str, Seating] = {}

    def of(self, router: str, snapshots: Sequence[Rows]) -> Seating:
        """Returns one that has a column for each of ``snapshots``."""
        seating = self._by_router.get(router)
        if seating is None or any(id(rows) not in seating.columns for rows in snapshots):
            wanted = {id(rows): rows for rows in snapshots}
            for rows in seating.snapshots if seating is not None else ():
                if rows.is_current and len(wanted) < MAX_COLUMNS:
                    wanted[id(rows)] = rows
            seating = self._by_router[router] = Seating(list(wanted.values()), self._place)
        return seating

    def forget(self, router: str) -> None:
        """Somebody has left: nothing keeps them."""
        self._by_router.pop(router, None)


class Train:
    """Bursts of several tracks that leave together, and how far their viewers are done."""

    __slots__ = ("columns", "jobs", "layouts", "position", "seating", "segment")

    def __init__(
        self, jobs: Sequence[Job], layouts: Sequence[Layout], seating: Seating, segment: int
    ) -> None:
        """``segment``: bytes of each packet, protected."""
        self.jobs = jobs
        self.layouts = layouts
        self.seating = seating
        self.columns = [seating.columns[id(job.rows)] for job in jobs]
        self.segment = segment
        self.position = 0
