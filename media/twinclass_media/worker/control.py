"""The worker's control socket (shell): one control plane at a time, the highest epoch wins."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from twinclass_media.errors import RemoteProtocolError
from twinclass_media.worker import messages as m
from twinclass_media.worker.frames import FrameReader, decode_command, encode

log = logging.getLogger(__name__)

#: Notifications a slow control plane may leave unread; then the connection is closed and it
#: reads a dump when it comes back.
MAX_UNREAD_BYTES = 64 * 1024 * 1024


class ControlServer:
    """Accepts control planes and hands their commands on.

    ``handle(command)`` returns the reply, or None; ``attached()`` the greeting for an epoch.
    """

    def __init__(
        self,
        path: Path,
        handle: Callable[[m.Command], m.Notification | None],
        attached: Callable[[int], m.Attached],
        alone: Callable[[bool], None],
    ) -> None:
        self._path = path
        self._handle = handle
        self._attached = attached
        self._alone = alone
        self._epoch = -1
        self._current: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listens on the Unix socket, readable by our user only."""
        self._path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, str(self._path))
        finally:
            os.umask(mask)

    async def aclose(self) -> None:
        """Stops listening and ends the connection."""
        if self._server is not None:
            self._server.close()
        for writer in self._serving.values():
            writer.close()
        await asyncio.gather(*self._serving)
        self._path.unlink(missing_ok=True)

    def notify(self, message: m.Notification) -> None:
        """Tells the control plane, if there is one; otherwise it will read a dump."""
        writer = self._current
        if writer is None or writer.is_closing():
            return
        if writer.transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            log.error("the control plane does not read: closing its connection")
            writer.transport.abort()
            return
        writer.write(encode(message))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = FrameReader()
        greeted = False
        task = asyncio.current_task()
        if task is not None:
            self._serving[task] = writer
        try:
            while data := await reader.read(256 * 1024):
                for body in frames.feed(data):
                    command = decode_command(body)
                    if not greeted:
                        greeted = self._greet(command, writer)
                        if not greeted:
                            return
                    elif writer is self._current:
                        reply = self._handle(command)
                        if reply is not None:
                            writer.write(encode(reply))
        except (RemoteProtocolError, ConnectionError) as error:
            log.warning("control connection ends: %s", error)
        finally:
            writer.close()
            if task is not None:
                del self._serving[task]
            if self._current is writer:
                self._current = None
                self._alone(True)

    def _greet(self, command: m.Command, writer: asyncio.StreamWriter) -> bool:
        if not isinstance(command, m.Attach):
            return False
        if command.epoch < self._epoch:
            writer.write(encode(m.Refused(self._epoch)))
            return False
        self._epoch = command.epoch
        former, self._current = self._current, writer
        if former is not None:
            former.close()
        log.info("control plane %s attached, epoch %d", command.control, command.epoch)
        writer.write(encode(self._attached(command.epoch)))
        self._alone(False)
        return True
