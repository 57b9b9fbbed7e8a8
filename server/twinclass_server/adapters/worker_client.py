"""One connection to a media worker's control socket.

A thin shell: frames out at once (a call-on must be with the worker within one turn of our
loop), frames in matched to requests by id, everything else handed to the owner. When the
connection ends, whatever waits for a reply fails with ``Unavailable``.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from twinclass_media.worker.messages import (
    MAX_FRAME_BYTES,
    Applied,
    Apply,
    Attach,
    Attached,
    Command,
    Dump,
    Dumped,
    Notification,
    ReadStatistics,
    Refused,
    Remove,
    Spec,
    WorkerStatistics,
)
from twinclass_signaling.errors import Unavailable

_LENGTH = struct.Struct("!I")
#: A worker that takes nothing for this many bytes hangs: its desired state is a few MiB.
MAX_UNSENT_BYTES = 64 * 1024 * 1024
#: The worker answers from memory; a second is for a loaded machine, five for a loaded test.
REPLY_TIMEOUT_S = 5.0

_Reply = TypeVar("_Reply", Applied, Dumped, WorkerStatistics)


class ControlRefused(Exception):
    """The worker obeys a control plane with a higher epoch."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"worker obeys epoch {epoch}")
        self.epoch = epoch


#: Somebody may have left by then.
FULL_RETRY_S = 15.0


def unavailable(reason: str) -> Unavailable:
    """The error for a worker that is away."""
    return Unavailable(
        "media_unavailable",
        "音视频服务暂时不可用，正在恢复。",
        f"The media worker is not available: {reason}.",
        retry_after_s=1.0,
    )


def full() -> Unavailable:
    """The error for a worker that takes nobody more: who is inside must not suffer."""
    return Unavailable(
        "media_full",
        "服务器已经满载。为了不影响已在课堂里的人，现在不能再加入，请稍后再试。",
        "The server is at its limit. So that nobody inside suffers, nobody more can join now; "
        "try again in a while.",
        retry_after_s=FULL_RETRY_S,
    )


class WorkerClient:
    """An attached connection; made by ``connect``, pumped by ``run``."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, attached: Attached
    ) -> None:
        self.attached = attached
        self._reader = reader
        self._writer = writer
        self._encoder = msgspec.msgpack.Encoder()
        self._pending: dict[int, asyncio.Future[Applied | Dumped | WorkerStatistics]] = {}
        self._next_request = 1
        self._lost = False

    @classmethod
    async def connect(cls, path: Path, *, epoch: int, control: str) -> WorkerClient:
        """Attaches to the worker that listens on ``path``.

        Raises:
            OSError: nothing listens there.
            ControlRefused: another control plane has a higher epoch.
            Unavailable: something listens but does not speak.
        """
        reader, writer = await asyncio.open_unix_connection(str(path))
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                writer.write(frame(msgspec.msgpack.encode(Attach(epoch=epoch, control=control))))
                while True:
                    reply = await read_notification(reader)
                    if isinstance(reply, Attached):
                        return cls(reader, writer, reply)
                    if isinstance(reply, Refused):
                        raise ControlRefused(reply.epoch)
        except BaseException as error:
            writer.close()
            if isinstance(error, TimeoutError | EOFError | ConnectionError | msgspec.MsgspecError):
                raise unavailable("it does not answer") from error
            raise

    @property
    def is_lost(self) -> bool:
        """The connection has ended."""
        return self._lost

    def send(self, command: Command) -> None:
        """Sends one command now, without waiting."""
        if self._lost:
            return
        self._writer.write(frame(self._encoder.encode(command)))
        if self._writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.close()

    def apply(
        self, puts: tuple[Spec, ...], removes: tuple[Remove, ...] = ()
    ) -> asyncio.Future[Applied]:
        """Sends puts and removes now; the future is their reply."""
        request, future = self._expect(Applied)
        self.send(Apply(request, puts, removes))
        return future

    async def dump(self) -> Dumped:
        """All that the worker holds.

        Raises:
            Unavailable: the connection was lost, or no reply in time.
        """
        request, future = self._expect(Dumped)
        self.send(Dump(request))
        return await self._reply(request, future)

    async def statistics(self) -> WorkerStatistics:
        """The worker's counters.

        Raises:
            Unavailable: the connection was lost, or no reply in time.
        """
        request, future = self._expect(WorkerStatistics)
        self.send(ReadStatistics(request))
        return await self._reply(request, future)

    async def run(self, notify: Callable[[Notification], None]) -> None:
        """Reads until the connection ends; then fails what is pending."""
        try:
            while True:
                message = await read_notification(self._reader)
                if isinstance(message, Applied | Dumped | WorkerStatistics):
                    future = self._pending.pop(message.request, None)
                    if future is not None and not future.done():
                        future.set_result(message)
                else:
                    notify(message)
        except (EOFError, OSError, msgspec.MsgspecError):
            return
        finally:
            self.close()

    def close(self) -> None:
        """Ends the connection; idempotent."""
        self._lost = True
        self._writer.close()
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                future.set_exception(unavailable("the connection was lost"))
                # Marks it as seen: a caller that was cancelled will never read it.
                future.exception()

    def _expect(self, _kind: type[_Reply]) -> tuple[int, asyncio.Future[_Reply]]:
        request, self._next_request = self._next_request, self._next_request + 1
        future: asyncio.Future[_Reply] = asyncio.get_running_loop().create_future()
        if self._lost:
            future.set_exception(unavailable("the connection was lost"))
            future.exception()
        else:
            self._pending[request] = future  # type: ignore[assignment]  # Future is invariant
        return request, future

    async def _reply(self, request: int, future: asyncio.Future[_Reply]) -> _Reply:
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                return await future
        except TimeoutError as error:
            raise unavailable("it does not answer") from error
        finally:
            self._pending.pop(request, None)


def frame(payload: bytes) -> bytes:
    """A message with its length before it."""
    return _LENGTH.pack(len(payload)) + payload


_DECODER: msgspec.msgpack.Decoder[Notification] = msgspec.msgpack.Decoder(Notification)


async def read_notification(reader: asyncio.StreamReader) -> Notification:
    """The next message of a worker.

    Raises:
        EOFError: the connection ended, or a frame is too large.
        msgspec.MsgspecError: not a message.
    """
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MAX_FRAME_BYTES:
        raise EOFError("frame too large")
    return _DECODER.decode(await reader.readexactly(length))
