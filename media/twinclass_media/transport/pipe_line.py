"""The way to one other worker's pipe socket: datagrams in order, none lost to a short queue.

Linux queues only ten datagrams at a Unix socket (``net.unix.max_dgram_qlen``), fewer than a
frame has. What it does not take at once waits here. Only a *connected* socket is told when the
other side has read, so there is one for each other worker.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque

from twinclass_media.statistics import Statistics

#: At 2,000 packets a second half a second: what comes later than that is not worth sending.
MAX_WAITING = 1000
#: What the kernel may hold for us, headers counted.
BUFFER_BYTES = 4 * 1024 * 1024


class PipeLine:
    """What goes to one other worker (shell). When it is full it drops the newest, which the far
    end sees as a gap and asks for again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, to: str, statistics: Statistics) -> None:
        self._loop = loop
        self._to = to
        self._statistics = statistics
        self._waiting: deque[bytes] = deque()
        self._sock: socket.socket | None = None

    def send(self, data: bytes) -> None:
        """Sends now, or as soon as the other worker has read what is before it."""
        if not self._waiting and self._try(data):
            return
        if len(self._waiting) >= MAX_WAITING:
            self._statistics.drops["pipe_full"] += 1
            return
        self._waiting.append(data)
        if len(self._waiting) == 1 and self._sock is not None:
            self._loop.add_writer(self._sock.fileno(), self._go_on)

    def close(self) -> None:
        """Ends the connection; what waits is dropped."""
        self._waiting.clear()
        sock, self._sock = self._sock, None
        if sock is not None:
            self._loop.remove_writer(sock.fileno())
            sock.close()

    def _try(self, data: bytes) -> bool:
        """True when it was sent, or cannot be; False when it must wait."""
        # Twice: a worker that died has a successor under the same name, to be connected anew.
        for _ in range(2):
            try:
                self._connected().send(data)
            except BlockingIOError:
                return False
            except OSError:
                self._statistics.drops["pipe_away"] += len(self._waiting)
                self.close()
            else:
                return True
        self._statistics.drops["pipe_away"] += 1
        return True

    def _connected(self) -> socket.socket:
        if self._sock is None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
            try:
                sock.connect(self._to)
            except OSError:
                sock.close()
                raise
            self._sock = sock
        return self._sock

    def _go_on(self) -> None:
        while self._waiting:
            if not self._try(self._waiting[0]):
                return
            if self._waiting:  # else the other worker is gone, and all that waited with it
                self._waiting.popleft()
        if self._sock is not None:
            self._loop.remove_writer(self._sock.fileno())
