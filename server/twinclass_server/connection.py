"""One client's WebSocket as the host sees it: a bounded way out, and how it ends."""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec
from msgspec import Struct

from twinclass_server.errors import CLOSE_TRY_LATER

#: A Welcome of a full lesson is about 60 KiB, an offer with 32 wall slots about 30 KiB.
MAX_QUEUED_CHARS = 4 * 1024 * 1024
#: Frames that go to the kernel as one. More would leave the queue, which is bounded, for the
#: transport's buffer, which holds as much before it says that the client is slow.
MAX_WRITE_CHARS = 64 * 1024

_encoder = msgspec.json.Encoder()


def encode(message: Struct) -> str:
    """Returns the text frame of a message."""
    return _encoder.encode(message).decode()


class Connection:
    """Frames that wait to be sent. When more wait than a client of this world needs, the
    connection is closed: control messages cannot be dropped singly, and a page that comes back
    gets the whole lesson anew."""

    def __init__(self, max_frames: int) -> None:
        self._max_frames = max_frames
        self._frames: deque[str] = deque()
        self._chars = 0
        self._wake = asyncio.Event()
        self._stuck = asyncio.Event()
        self._close_code: int | None = None

    @property
    def is_closing(self) -> bool:
        """Tells whether nothing more will be taken."""
        return self._close_code is not None

    def send(self, message: Struct) -> None:
        """Queues a message."""
        self.send_frame(encode(message))

    def send_frame(self, frame: str) -> None:
        """Queues a frame that was encoded once for many."""
        if self.is_closing:
            return
        if len(self._frames) >= self._max_frames or self._chars + len(frame) > MAX_QUEUED_CHARS:
            self._close_code = CLOSE_TRY_LATER
            self._stuck.set()
            return
        self._frames.append(frame)
        self._chars += len(frame)
        self._wake.set()

    def close(self, code: int) -> None:
        """Closes after what is queued."""
        if not self.is_closing:
            self._close_code = code
            self._wake.set()

    async def next_frames(self) -> list[str] | int:
        """Returns the next frames to send as one, or the close code when all are sent."""
        while True:
            if self._frames:
                return self._take()
            if self._close_code is not None:
                return self._close_code
            self._wake.clear()
            await self._wake.wait()

    def _take(self) -> list[str]:
        taken: list[str] = []
        size = 0
        while self._frames and (not taken or size + len(self._frames[0]) <= MAX_WRITE_CHARS):
            taken.append(self._frames.popleft())
            size += len(taken[-1])
        self._chars -= size
        return taken

    async def wait_stuck(self) -> int:
        """Returns the close code once the client has proved too slow."""
        await self._stuck.wait()
        return CLOSE_TRY_LATER
