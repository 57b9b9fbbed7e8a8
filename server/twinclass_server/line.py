"""One WebSocket of a page: reads, checks and limits what it sends; writes what waits.

Whatever a client does wrong costs itself: a clear error, a counter, at last the connection. What
the messages mean is the subclass's: a lesson's in ``signal.socket``, a desk's in ``desk.socket``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from twinclass_server.adapters.redis_lease import LeaseLost
from twinclass_server.connection import Connection
from twinclass_server.errors import (
    CLOSE_NORMAL,
    CLOSE_POLICY,
    CLOSE_RESTART,
    close_code,
    to_message,
)
from twinclass_server.metrics import Counters
from twinclass_signaling.errors import (
    InvalidState,
    LimitExceeded,
    RemoteProtocolError,
    SignalingError,
)
from twinclass_signaling.messages import Goodbye, Text
from twinclass_signaling.rate import MessageRates

logger = logging.getLogger(__name__)

#: Protocol errors of one connection before it is closed; a page of ours makes none.
MAX_PROTOCOL_ERRORS = 5
#: Messages above the rate of one connection before it is closed: a second of a flood.
MAX_RATE_ERRORS = 200

#: Name of the callable in the connection's state that drops it without a word.
ABORT = "twinclass.abort"
#: Name of the callable that sends several text frames by one call of the kernel.
SEND_TEXTS = "twinclass.send_texts"
#: A client that has not taken our close by then is dropped.
_CLOSE_S = 1.0

M = TypeVar("M")
A = TypeVar("A")


class Room:
    """How many WebSockets this process has, of both protocols, and how many it may."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0


class Line(ABC, Generic[M, A]):
    """One WebSocket from accept to close. ``first``: what its first message is, and no other."""

    def __init__(
        self,
        socket: WebSocket,
        room: Room,
        counters: Counters,
        *,
        decoder: msgspec.json.Decoder[M],
        first: type[A],
        subprotocol: str,
        max_bytes: int,
        send_queue: int,
        authenticate_s: float,
    ) -> None:
        self._socket = socket
        self._room = room
        self._counters = counters
        self._decoder = decoder
        self._first = first
        self._subprotocol = subprotocol
        self._max_bytes = max_bytes
        self._authenticate_s = authenticate_s
        self.connection = Connection(send_queue)
        self._rates = MessageRates()
        self._protocol_errors = 0
        self._rate_errors = 0
        self._rate_error_told_at = -1.0

    # ---- what the messages mean --------------------------------------------------------------

    @abstractmethod
    async def authenticate(self, message: A) -> None:
        """Takes the first message.

        Raises:
            SignalingError: it does not let its sender in.
        """

    @abstractmethod
    async def handle(self, message: M) -> None:
        """Takes any later message; what it raises is answered."""

    @abstractmethod
    def left(self) -> None:
        """The connection is gone."""

    @abstractmethod
    def command_of(self, message: M) -> tuple[int, str] | None:
        """Returns number and kind of a command; None for other messages."""

    # ---- life ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serves the connection; returns when it is over."""
        if self._subprotocol not in self._socket.scope.get("subprotocols", []):
            await self._socket.close(CLOSE_POLICY, f"subprotocol {self._subprotocol} is needed")
            return
        if self._room.taken >= self._room.most:
            await self._socket.close(1013, "too many connections")
            return
        self._room.taken += 1
        try:
            await self._socket.accept(subprotocol=self._subprotocol)
            await self._pump()
        finally:
            self._room.taken -= 1
            self.left()

    async def _pump(self) -> None:
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._read(), name="signal reader")
            writer = group.create_task(self._write(), name="signal writer")
            stuck = group.create_task(self.connection.wait_stuck(), name="signal watch")
            await asyncio.wait({writer, stuck}, return_when=asyncio.FIRST_COMPLETED)
            for task in (reader, writer, stuck):
                task.cancel()
        if stuck.done() and not stuck.cancelled():
            self._counters.closed("slow_client")
            await self._close(stuck.result())

    async def _write(self) -> None:
        """Sends until the connection's end, which it also says to the client."""
        try:
            while True:
                frames = await self.connection.next_frames()
                if isinstance(frames, int):
                    await self._close(frames)
                    return
                await self._send(frames)
        except (WebSocketDisconnect, OSError):
            return

    async def _send(self, frames: list[str]) -> None:
        send_texts = self._socket.scope.get("state", {}).get(SEND_TEXTS)
        if len(frames) > 1 and send_texts is not None:
            await send_texts(frames)
            return
        for frame in frames:
            await self._socket.send_text(frame)

    async def _close(self, code: int) -> None:
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._socket.close(code)
        except TimeoutError:
            abort = self._socket.scope.get("state", {}).get(ABORT)
            if abort is not None:
                abort()
        except (WebSocketDisconnect, OSError, RuntimeError):
            # Starlette says RuntimeError for a socket that is closed already.
            logger.debug("client was gone before the close")

    async def _read(self) -> None:
        """Receives until the client is gone; never raises what the client caused."""
        try:
            if await self._authenticate():
                while not self.connection.is_closing:
                    await self._receive_one()
        except WebSocketDisconnect:
            pass
        self.connection.close(CLOSE_NORMAL)

    # ---- authentication --------------------------------------------------------------------

    async def _authenticate(self) -> bool:
        try:
            # Only the client's own time is short: log and media have limits of their own.
            async with asyncio.timeout(self._authenticate_s):
                text = await self._receive_text()
            message = self._decode(text)
            if not isinstance(message, self._first):
                raise RemoteProtocolError(
                    "not_authenticated", "请先验证身份。", "The first message must be authenticate."
                )
            await self.authenticate(message)
        except TimeoutError:
            self.fatal(
                # An honest page on a bad line: it may try again.
                RemoteProtocolError(
                    "authenticate_timeout", "连接超时。", "Nobody authenticated.", retry_after_s=1.0
                )
            )
            return False
        except LeaseLost as error:
            self.connection.send(Goodbye("moved", Text(error.zh, error.en), 1.0))
            self.connection.close(CLOSE_RESTART)
            return False
        except SignalingError as error:
            self.fatal(error)
            return False
        return True

    # ---- messages --------------------------------------------------------------------------

    async def _receive_text(self) -> str:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1006))
        text = received.get("text")
        if not isinstance(text, str):
            raise RemoteProtocolError("not_text", "消息有误。", "Messages are JSON text frames.")
        return text

    def _decode(self, text: str) -> M:
        data = text.encode()
        if len(data) > self._max_bytes:
            raise RemoteProtocolError(
                "message_too_large", "消息太大。", f"More than {self._max_bytes} bytes."
            )
        try:
            return self._decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise RemoteProtocolError(
                "message_malformed", "消息有误。", f"Not a message of {self._subprotocol}."
            ) from error

    async def _receive_one(self) -> None:
        try:
            message = self._decode(await self._receive_text())
            self._check_rate(message)
            if isinstance(message, self._first):
                raise RemoteProtocolError(
                    "already_authenticated", "已经验证过身份。", "Authenticate comes once."
                )
            await self.handle(message)
        except RemoteProtocolError as error:
            self._counters.protocol_error(error.code)
            self._protocol_errors += 1
            if self._protocol_errors >= MAX_PROTOCOL_ERRORS or error.code == "message_too_large":
                self.fatal(error)
            else:
                self.connection.send(to_message(error))
        except _RateExceeded as error:
            self._handle_flood(error)
        except InvalidState as error:
            logger.exception("message not handled")
            self.connection.send(to_message(error))
        except SignalingError as error:
            self.connection.send(to_message(error))

    def _check_rate(self, message: M) -> None:
        kind = str(type(message).__struct_config__.tag)  # type: ignore[attr-defined]
        wait_s = self._rates.take(kind, time.monotonic())
        command = self.command_of(message)
        if wait_s == 0 and command is not None:
            wait_s = self._rates.take_command(command[1], time.monotonic())
        if wait_s > 0:
            raise _RateExceeded(None if command is None else command[0], wait_s)

    def _handle_flood(self, error: _RateExceeded) -> None:
        self._counters.protocol_error(error.code)
        self._rate_errors += 1
        now = time.monotonic()
        if self._rate_errors >= MAX_RATE_ERRORS:
            self.fatal(error)
        elif error.command is not None or now - self._rate_error_told_at >= 1:
            # One answer a second is enough for a flood; a command always gets its own.
            self._rate_error_told_at = now
            self.connection.send(to_message(error, command=error.command))

    def fatal(self, error: SignalingError) -> None:
        """Says what is wrong and closes."""
        self._counters.closed(error.code)
        self.connection.send(to_message(error, fatal=True))
        self.connection.close(close_code(error))


class _RateExceeded(LimitExceeded):
    def __init__(self, command: int | None, wait_s: float) -> None:
        super().__init__(
            "rate_limited", "操作太频繁，请稍等。", "Too many messages.", retry_after_s=wait_s
        )
        self.command = command
