"""One connection to the recorder's control socket: commands out, notifications in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from twinclass_media.errors import RemoteProtocolError
from twinclass_media.worker.frames import FrameReader
from twinclass_recordings.recorder.messages import (
    Attach,
    Attached,
    Command,
    Notification,
    Refused,
)
from twinclass_server.adapters.worker_client import ControlRefused, frame

#: The recorder answers from memory; it never waits for a disk.
REPLY_TIMEOUT_S = 5.0
#: What it may leave unread; its desired state is some KiB a lesson.
MAX_UNSENT_BYTES = 16 * 1024 * 1024


class RecorderAway(Exception):
    """The recorder does not answer; the text says why."""


class RecorderClient:
    """An attached connection; made by ``connect``, pumped by ``run``."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        frames: FrameReader,
        attached: Attached,
        early: list[Notification],
    ) -> None:
        self.attached = attached
        self._reader = reader
        self._writer = writer
        self._frames = frames
        self._early = early
        self._encoder = msgspec.msgpack.Encoder()

    @classmethod
    async def connect(cls, path: Path, *, epoch: int, control: str) -> RecorderClient:
        """Attaches to the recorder that listens on ``path``.

        Raises:
            OSError: nothing listens there.
            ControlRefused: another control plane has a higher epoch.
            RecorderAway: something listens but does not speak.
        """
        reader, writer = await asyncio.open_unix_connection(str(path))
        frames = FrameReader()
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                writer.write(frame(msgspec.msgpack.encode(Attach(epoch, control))))
                while True:
                    messages = await _read(reader, frames)
                    for at, message in enumerate(messages):
                        if isinstance(message, Refused):
                            raise ControlRefused(message.epoch)
                        if isinstance(message, Attached):
                            return cls(reader, writer, frames, message, messages[at + 1 :])
        except BaseException as error:
            writer.close()
            if isinstance(error, TimeoutError | EOFError | ConnectionError | RemoteProtocolError):
                raise RecorderAway("it does not answer") from error
            raise

    def send(self, command: Command) -> None:
        """Sends one command now, without waiting."""
        if self._writer.is_closing():
            return
        self._writer.write(frame(self._encoder.encode(command)))
        if self._writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._writer.transport.abort()

    async def run(self, notify: Callable[[Notification], None]) -> None:
        """Reads until the connection ends, or the recorder says nothing for seconds.

        It reports every second, so silence is a hang.
        """
        for message in self._early:
            notify(message)
        try:
            while True:
                async with asyncio.timeout(REPLY_TIMEOUT_S):
                    messages = await _read(self._reader, self._frames)
                for message in messages:
                    notify(message)
        except TimeoutError as error:
            raise RecorderAway("it says nothing") from error
        except (EOFError, OSError, RemoteProtocolError):
            return
        finally:
            self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._writer.close()


_DECODER: msgspec.msgpack.Decoder[Notification] = msgspec.msgpack.Decoder(Notification)


async def _read(reader: asyncio.StreamReader, frames: FrameReader) -> list[Notification]:
    data = await reader.read(64 * 1024)
    if not data:
        raise EOFError
    try:
        return [_DECODER.decode(body) for body in frames.feed(data)]
    except msgspec.MsgspecError as error:
        raise RemoteProtocolError(str(error)) from error
