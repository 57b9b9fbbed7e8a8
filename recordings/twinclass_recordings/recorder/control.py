"""The recorder's control socket (shell): one control plane at a time, the highest epoch wins."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from twinclass_media.errors import RemoteProtocolError
from twinclass_media.worker.frames import FrameReader
from twinclass_recordings.recorder import messages as m

log = logging.getLogger(__name__)

#: Status messages a slow control plane may leave unread.
MAX_UNREAD_BYTES = 4 * 1024 * 1024

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[m.Command] = msgspec.msgpack.Decoder(m.Command)


def encode(message: m.Command | m.Notification) -> bytes:
    """Returns the frame of a message."""
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


class ControlServer:
    """Accepts control planes and hands their commands on. ``epoch``: the highest obeyed so far,
    also by a recorder before this one."""

    def __init__(
        self,
        path: Path,
        handle: Callable[[m.Command], None],
        attached: Callable[[int], m.Attached],
        alone: Callable[[bool], None],
        epoch: int,
    ) -> None:
        self.epoch = epoch
        self._path = path
        self._handle = handle
        self._attached = attached
        self._alone = alone
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
        """Tells the control plane, if there is one."""
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
        is_greeted = False
        task = asyncio.current_task()
        if task is not None:
            self._serving[task] = writer
        try:
            while data := await reader.read(64 * 1024):
                for body in frames.feed(data):
                    command = _decode(body)
                    if not is_greeted:
                        is_greeted = self._greet(command, writer)
                        if not is_greeted:
                            return
                    elif writer is self._current:
                        self._handle(command)
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
        if command.epoch < self.epoch:
            writer.write(encode(m.Refused(self.epoch)))
            return False
        self.epoch = command.epoch
        former, self._current = self._current, writer
        if former is not None:
            former.close()
        log.info("control plane %s attached, epoch %d", command.control, command.epoch)
        writer.write(encode(self._attached(command.epoch)))
        self._alone(False)
        return True


def _decode(body: bytes) -> m.Command:
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise RemoteProtocolError(str(error)) from error
