"""What is done for each peer every so often, a little at a time between sending.

Reports to a tenth of a thousand viewers are six milliseconds of work: in one go they would be six
milliseconds of delay for sound.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection

from twinclass_media.transport.peer import Peer

#: What is asked for while so much waits is left out: the next round is a second away, and a worker
#: that cannot keep up has more work than it can do.
MAX_WAITING = 4000

Errand = Callable[[Peer, float], None]


class Errands:
    """A queue of them, worked off from the front."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: deque[tuple[Errand, Peer]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, errand: Errand, peers: Collection[Peer]) -> None:
        """Asks for one errand for each of ``peers``."""
        room = MAX_WAITING - len(self._waiting)
        self._waiting.extend((errand, peer) for peer, _ in zip(peers, range(room), strict=False))

    def run(self, now: float, deadline: float) -> None:
        """Does at least one, and as many as fit before ``deadline`` (``time.monotonic``)."""
        waiting = self._waiting
        while waiting:
            errand, peer = waiting.popleft()
            errand(peer, now)
            if time.monotonic() >= deadline:
                break
