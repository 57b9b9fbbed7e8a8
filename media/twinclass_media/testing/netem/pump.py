"""A link on the event loop's clock (shell): what arrives is handed over when it is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from twinclass_media.testing.netem.link import Link, Stream
from twinclass_media.testing.netem.profile import Way
from twinclass_media.testing.netem.record import Record

#: Who takes a packet that has arrived, and the packet.
Parcel = tuple[Callable[[bytes], None], bytes]


class Pump:
    """Owns a link and its timer. Bounds are the link's."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, way: Way, seed: str, record: Record
    ) -> None:
        self._loop = loop
        self.link: Link[Parcel] = Link(way, seed, loop.time(), record)
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[Callable[[], None]] = []

    def send(
        self,
        size_bytes: int,
        deliver: Callable[[bytes], None],
        data: bytes,
        stream: Stream | None = None,
    ) -> None:
        """Sends ``data`` as ``size_bytes`` on the wire; ``deliver`` gets it, or nobody."""
        self.link.send(self._loop.time(), size_bytes, (deliver, data), stream)
        self._arm()

    def wait_room_nowait(self, ready: Callable[[], None]) -> None:
        """Calls ``ready`` once, when the queue may have room again."""
        self._waiting.append(ready)
        self._arm()

    def set_blackhole(self, is_dark: bool) -> None:
        """Makes the link dark, or ends that."""
        self.link.set_blackhole(self._loop.time(), is_dark)
        self._arm()

    def set_way(self, way: Way) -> None:
        """Goes on as another way, from now on."""
        self.link.set_way(self._loop.time(), way)
        self._arm()

    def close(self) -> None:
        """Drops what is inside. Nothing is handed over afterwards."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting.clear()
        self.link.close()

    def _arm(self) -> None:
        """Keeps one timer, not later than the next thing to do."""
        at_s = self.link.next_at()
        if self._waiting:
            room_s = self.link.room_at()
            if room_s is not None:
                at_s = room_s if at_s is None else min(at_s, room_s)
        if at_s is None:
            return
        if self._timer is not None:
            if self._timer.when() <= at_s:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at_s, self._run)

    def _run(self) -> None:
        self._timer = None
        for deliver, data in self.link.due(self._loop.time()):
            deliver(data)
        waiting, self._waiting = self._waiting, []
        for ready in waiting:
            ready()
        self._arm()
