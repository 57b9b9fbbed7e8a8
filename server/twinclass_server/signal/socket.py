"""The WebSocket ``/signal``: reads, checks and limits what a client sends; writes what waits.

Whatever a client does wrong costs itself: a clear error, a counter, at last the connection.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from twinclass_server.adapters.redis_lease import LeaseLost
from twinclass_server.errors import (
    CLOSE_NORMAL,
    CLOSE_POLICY,
    CLOSE_RESTART,
    close_code,
    to_message,
)
from twinclass_server.metrics import Counters
from twinclass_server.signal.client import Client
from twinclass_server.signal.connection import Connection
from twinclass_server.signal.host import LessonHost
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.errors import (
    Forbidden,
    InvalidState,
    LimitExceeded,
    RemoteProtocolError,
    SignalingError,
)
from twinclass_signaling.ids import LessonId
from twinclass_signaling.ink_messages import Ink
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.messages import (
    MAX_MESSAGE_BYTES,
    SUBPROTOCOL,
    Authenticate,
    ClientMessage,
    Command,
    Goodbye,
    Ping,
    Pong,
    PublishAnswer,
    PublishOffer,
    Report,
    RestartDownlink,
    SubscribeAnswer,
    SubscribeRefused,
    Text,
    View,
)
from twinclass_signaling.permissions import allowed
from twinclass_signaling.rate import MessageRates
from twinclass_signaling.tokens import TokenKeys

logger = logging.getLogger(__name__)

#: Protocol errors of one connection before it is closed; a page of ours makes none.
MAX_PROTOCOL_ERRORS = 5
#: Messages above the rate of one connection before it is closed: a second of a flood.
MAX_RATE_ERRORS = 200

#: Name of the callable in the connection's state that drops it without a word.
ABORT = "twinclass.abort"
#: A client that has not taken our close by then is dropped.
_CLOSE_S = 1.0

_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)


@dataclass(slots=True)
class SignalParts:
    """What the endpoint needs."""

    lessons: Lessons
    keys: Callable[[], TokenKeys]
    counters: Counters
    authenticate_s: float
    send_queue: int
    max_connections: int
    connections: int = 0


class SignalSocket:
    """One WebSocket from accept to close."""

    def __init__(self, socket: WebSocket, parts: SignalParts) -> None:
        self._socket = socket
        self._parts = parts
        self._connection = Connection(parts.send_queue)
        self._rates = MessageRates()
        self._protocol_errors = 0
        self._rate_errors = 0
        self._rate_error_told_at = -1.0
        self._host: LessonHost | None = None
        self._client: Client | None = None

    async def run(self) -> None:
        """Serves the connection; returns when it is over."""
        if SUBPROTOCOL not in self._socket.scope.get("subprotocols", []):
            await self._socket.close(CLOSE_POLICY, f"subprotocol {SUBPROTOCOL} is needed")
            return
        if self._parts.connections >= self._parts.max_connections:
            await self._socket.close(1013, "too many connections")
            return
        self._parts.connections += 1
        try:
            await self._socket.accept(subprotocol=SUBPROTOCOL)
            await self._pump()
        finally:
            self._parts.connections -= 1
            if self._host is not None and self._client is not None:
                self._host.seats.leave(self._client, self._connection)

    async def _pump(self) -> None:
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._read(), name="signal reader")
            writer = group.create_task(self._write(), name="signal writer")
            stuck = group.create_task(self._connection.wait_stuck(), name="signal watch")
            await asyncio.wait({writer, stuck}, return_when=asyncio.FIRST_COMPLETED)
            for task in (reader, writer, stuck):
                task.cancel()
        if stuck.done() and not stuck.cancelled():
            self._parts.counters.closed("slow_client")
            await self._close(stuck.result())

    async def _write(self) -> None:
        """Sends until the connection's end, which it also says to the client."""
        try:
            while True:
                frame = await self._connection.next_frame()
                if isinstance(frame, int):
                    await self._close(frame)
                    return
                await self._socket.send_text(frame)
        except (WebSocketDisconnect, OSError):
            return

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
                while not self._connection.is_closing:
                    await self._receive_one()
        except WebSocketDisconnect:
            pass
        self._connection.close(CLOSE_NORMAL)

    # ---- authentication --------------------------------------------------------------------

    async def _authenticate(self) -> bool:
        try:
            # Only the client's own time is short: log and media have limits of their own.
            async with asyncio.timeout(self._parts.authenticate_s):
                text = await self._receive_text()
            message = self._decode(text)
            if not isinstance(message, Authenticate):
                raise RemoteProtocolError(
                    "not_authenticated",
                    "请先验证身份。",
                    "The first message must be authenticate.",
                )
            await self._enter(message)
        except TimeoutError:
            self._fatal(
                RemoteProtocolError("authenticate_timeout", "连接超时。", "Nobody authenticated.")
            )
            return False
        except LeaseLost as error:
            self._connection.send(Goodbye("moved", Text(error.zh, error.en), 1.0))
            self._connection.close(CLOSE_RESTART)
            return False
        except SignalingError as error:
            self._fatal(error)
            return False
        return True

    async def _enter(self, message: Authenticate) -> None:
        claims = self._parts.keys().verify(message.token, time.time())
        host = await self._parts.lessons.host(LessonId(claims.lesson))
        self._client = await host.seats.enter(claims, message, self._connection)
        self._host = host

    # ---- messages --------------------------------------------------------------------------

    async def _receive_text(self) -> str:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1006))
        text = received.get("text")
        if not isinstance(text, str):
            raise RemoteProtocolError("not_text", "消息有误。", "Messages are JSON text frames.")
        return text

    def _decode(self, text: str) -> ClientMessage:
        data = text.encode()
        if len(data) > MAX_MESSAGE_BYTES:
            raise RemoteProtocolError(
                "message_too_large", "消息太大。", f"More than {MAX_MESSAGE_BYTES} bytes."
            )
        try:
            return _decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise RemoteProtocolError(
                "message_malformed", "消息有误。", f"Not a message of {SUBPROTOCOL}."
            ) from error

    async def _receive_one(self) -> None:
        try:
            message = self._decode(await self._receive_text())
            self._check_rate(message)
            await self._handle(message)
        except RemoteProtocolError as error:
            self._parts.counters.protocol_error(error.code)
            self._protocol_errors += 1
            if self._protocol_errors >= MAX_PROTOCOL_ERRORS or error.code == "message_too_large":
                self._fatal(error)
            else:
                self._connection.send(to_message(error))
        except _RateExceeded as error:
            self._handle_flood(error)
        except InvalidState as error:
            logger.exception("message not handled")
            self._connection.send(to_message(error))
        except SignalingError as error:
            self._connection.send(to_message(error))

    def _check_rate(self, message: ClientMessage) -> None:
        kind = str(type(message).__struct_config__.tag)
        wait_s = self._rates.take(kind, time.monotonic())
        if wait_s == 0 and isinstance(message, Command):
            command = str(type(message.command).__struct_config__.tag)
            wait_s = self._rates.take_command(command, time.monotonic())
        if wait_s > 0:
            number = message.id if isinstance(message, Command) else None
            raise _RateExceeded(number, wait_s)

    def _handle_flood(self, error: _RateExceeded) -> None:
        self._parts.counters.protocol_error(error.code)
        self._rate_errors += 1
        now = time.monotonic()
        if self._rate_errors >= MAX_RATE_ERRORS:
            self._fatal(error)
        elif error.command is not None or now - self._rate_error_told_at >= 1:
            # One answer a second is enough for a flood; a command always gets its own.
            self._rate_error_told_at = now
            self._connection.send(to_message(error, command=error.command))

    async def _handle(self, message: ClientMessage) -> None:
        host, client = self._host, self._client
        if host is None or client is None:
            raise InvalidState("no_session", "请重新进入。", "no session after authenticate")
        lesson, session, media = host.lesson, client.session, host.media
        match message:
            case Authenticate():
                raise RemoteProtocolError(
                    "already_authenticated", "已经验证过身份。", "Authenticate comes once."
                )
            case Command():
                self._parts.counters.command(str(type(message.command).__struct_config__.tag))
                host.command(client, message)
            case PublishOffer(n, sdp, tracks):
                self._check_sources(client.actor, message, host)
                answer = await media.publish(lesson, session, sdp, tracks)
                self._connection.send(PublishAnswer(n, answer))
            case SubscribeAnswer(n, sdp):
                media.subscribe_answered(lesson, session, n, sdp)
            case SubscribeRefused(n, _):
                media.subscribe_refused(lesson, session, n)
            case RestartDownlink(fresh):
                media.restart_downlink(lesson, session, fresh)
            case View():
                host.view(client, message)
            case Report():
                host.report(client, message)
            case Ink():
                host.ink.draw(client, message)
            case Ping(sent_ms):
                self._connection.send(Pong(sent_ms, time.time()))

    @staticmethod
    def _check_sources(actor: Actor, message: PublishOffer, host: LessonHost) -> None:
        for track in message.tracks:
            if not allowed(actor, track.source, host.state):
                raise Forbidden(
                    "forbidden", "您没有这个权限。", f"Your role may not publish {track.source}."
                )

    def _fatal(self, error: SignalingError) -> None:
        self._parts.counters.closed(error.code)
        self._connection.send(to_message(error, fatal=True))
        self._connection.close(close_code(error))


class _RateExceeded(LimitExceeded):
    def __init__(self, command: int | None, wait_s: float) -> None:
        super().__init__(
            "rate_limited", "操作太频繁，请稍等。", "Too many messages.", retry_after_s=wait_s
        )
        self.command = command
