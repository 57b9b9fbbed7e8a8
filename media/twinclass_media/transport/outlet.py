"""What the kernel does not take: full sockets, and ways without segmentation."""

from __future__ import annotations

import errno
import time
from collections.abc import Sequence

from twinclass_media.statistics import Statistics
from twinclass_media.transport.arena import Arena
from twinclass_media.transport.peer import Peer

#: While the socket's buffer is full, look again after this long.
BLOCKED_RETRY_S = 0.001

#: What the kernel says where a way cannot segment: no checksums, a tunnel, a smaller MTU.
NO_SEGMENTATION = frozenset((errno.EIO, errno.EINVAL, errno.EMSGSIZE))

#: (start, end, segment) in the arena; segment 0: one packet.
Run = tuple[int, int, int]

_now = time.monotonic


class Outlet:
    """The rest of a row's burst, which must leave before anything else: its numbers are spent.

    Attributes:
        retry_at: when to try again, while something is stuck.
    """

    def __init__(self, arena: Arena, statistics: Statistics) -> None:
        self._arena = arena
        self._statistics = statistics
        self._stuck: tuple[Peer, list[tuple[bytes, int]]] | None = None
        self.retry_at: float | None = None

    @property
    def is_stuck(self) -> bool:
        """The socket is full."""
        return self._stuck is not None

    def stick(self, peer: Peer, runs: Sequence[Run]) -> None:
        """Keeps what the socket did not take, out of the arena."""
        self._statistics.drops["socket_full"] += 1
        view = self._arena.view
        self._stuck = (peer, [(bytes(view[start:end]), segment) for start, end, segment in runs])
        self.retry_at = _now() + BLOCKED_RETRY_S

    def go_on_refused(self, peer: Peer, runs: Sequence[Run], error: int) -> None:
        """Sends what can be sent of runs of which the kernel did not take the first. ``error``:
        its number."""
        for i, (start, end, segment) in enumerate(runs):
            if i == 0:
                at = self.refused(peer, start, end, segment, error)
            else:
                at = self.send_singly(peer, start, end, segment or end - start)
            if at < end:
                self.stick(peer, [(at, end, segment), *runs[i + 1 :]])
                return

    def refused(self, peer: Peer, start: int, end: int, segment: int, error: int) -> int:
        """The kernel did not take a run, or the next packet of one that is sent singly. Returns
        where the socket became full, else ``end``."""
        if segment and peer.segmentation:
            if error in NO_SEGMENTATION:
                peer.segment(False)
                self._statistics.drops["segmentation_refused"] += 1
                return self.send_singly(peer, start, end, segment)
            # No route for a moment: lost as on any line.
            self._statistics.drops["send_failed"] += -(-(end - start) // segment)
            return end
        self._statistics.drops["send_failed"] += 1
        return self.send_singly(peer, start + segment, end, segment) if segment else end

    def send_singly(self, peer: Peer, start: int, end: int, segment: int) -> int:
        """Sends a run's packets one by one. Returns where the socket became full, else
        ``end``."""
        for position in range(start, end, segment):
            piece = self._arena.view[position : min(end, position + segment)]
            try:
                peer.sendmsg((piece,), peer.packet_info, 0, peer.address)
            except BlockingIOError:
                return position
            except OSError:
                self._statistics.drops["send_failed"] += 1
        return end

    def clear(self) -> bool:
        """Sends what is stuck. False: the socket is full still."""
        self.retry_at = None
        if self._stuck is None:
            return True
        peer, rest = self._stuck
        while rest:
            data, segment = rest[0]
            size = segment or len(data)
            try:
                peer.sendmsg((data[:size],), peer.packet_info, 0, peer.address)
            except BlockingIOError:
                self.retry_at = _now() + BLOCKED_RETRY_S
                return False
            except OSError:
                self._statistics.drops["send_failed"] += 1
            if len(data) > size:
                rest[0] = (data[size:], segment)
            else:
                rest.pop(0)
        self._stuck = None
        return True
