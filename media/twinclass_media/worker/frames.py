"""Frames on the control socket: 4 bytes length (big endian), then msgpack. Sans-I/O."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from twinclass_media.errors import RemoteProtocolError
from twinclass_media.worker.messages import MAX_FRAME_BYTES, Command, Notification

_encoder = msgspec.msgpack.Encoder()
_commands = msgspec.msgpack.Decoder(Command)
_notifications = msgspec.msgpack.Decoder(Notification)


def encode(message: Command | Notification) -> bytes:
    """Returns the frame of a message."""
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


class FrameReader:
    """Cuts a byte stream into message bodies."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields the bodies that are complete now.

        Raises:
            RemoteProtocolError: a frame is too long.
        """
        self._buffer += data
        while len(self._buffer) >= 4:
            size = int.from_bytes(self._buffer[:4], "big")
            if size > MAX_FRAME_BYTES:
                raise RemoteProtocolError("control frame is too long")
            if len(self._buffer) < 4 + size:
                return
            body = bytes(self._buffer[4 : 4 + size])
            del self._buffer[: 4 + size]
            yield body


def decode_command(body: bytes) -> Command:
    """Reads what a control plane says.

    Raises:
        RemoteProtocolError: it is no command.
    """
    try:
        command: Command = _commands.decode(body)
    except msgspec.MsgspecError as error:
        raise RemoteProtocolError(str(error)) from error
    return command


def decode_notification(body: bytes) -> Notification:
    """Reads what a worker says.

    Raises:
        RemoteProtocolError: it is no notification.
    """
    try:
        notification: Notification = _notifications.decode(body)
    except msgspec.MsgspecError as error:
        raise RemoteProtocolError(str(error)) from error
    return notification
