"""The WebSocket ``/desk``: what a desk's messages mean."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from starlette.websockets import WebSocket

from twinclass_server.desk.client import DeskClient
from twinclass_server.desk.desks import Desks
from twinclass_server.desk.host import DeskHost
from twinclass_server.line import Line, Room
from twinclass_server.metrics import Counters
from twinclass_server.turn import Turn
from twinclass_signaling.desk.messages import (
    MAX_MESSAGE_BYTES,
    SUBPROTOCOL,
    Authenticate,
    BoardAsk,
    BoardUpdate,
    ClientMessage,
    Command,
)
from twinclass_signaling.errors import InvalidState
from twinclass_signaling.messages import (
    Ping,
    Pong,
    PublishOffer,
    RelayAsk,
    RestartDownlink,
    SubscribeAnswer,
    SubscribeRefused,
)
from twinclass_signaling.tokens import TokenKeys

_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)


@dataclass(slots=True)
class DeskSocketParts:
    """What the endpoint needs."""

    desks: Desks
    keys: Callable[[], TokenKeys]
    counters: Counters
    authenticate_s: float
    send_queue: int
    room: Room
    turn: Turn


class DeskSocket(Line[ClientMessage, Authenticate]):
    """One page's connection to its desk."""

    def __init__(self, socket: WebSocket, parts: DeskSocketParts) -> None:
        super().__init__(
            socket,
            parts.room,
            parts.counters,
            decoder=_decoder,
            first=Authenticate,
            subprotocol=SUBPROTOCOL,
            max_bytes=MAX_MESSAGE_BYTES,
            send_queue=parts.send_queue,
            authenticate_s=parts.authenticate_s,
        )
        self._parts = parts
        self._host: DeskHost | None = None
        self._client: DeskClient | None = None

    async def authenticate(self, message: Authenticate) -> None:
        """Lets in whoever has a link of the desk."""
        claims = self._parts.keys().verify_desk(message.token, time.time())
        host = await self._parts.desks.host(claims.desk)
        self._client = await host.enter(claims, message, self.connection)
        self._host = host

    def left(self) -> None:
        """Keeps the place for a while."""
        if self._host is not None and self._client is not None:
            self._host.leave(self._client, self.connection)

    def command_of(self, message: ClientMessage) -> tuple[int, str] | None:
        """Returns number and kind of a command."""
        if not isinstance(message, Command):
            return None
        return message.id, str(type(message.command).__struct_config__.tag)

    async def handle(self, message: ClientMessage) -> None:
        """Does what a message asks for."""
        host, client = self._host, self._client
        if host is None or client is None:
            raise InvalidState("no_session", "请重新进入。", "no session after authenticate")
        match message:
            case Authenticate():
                pass  # Never: it comes once, see ``Line``.
            case Command():
                self._parts.counters.command(str(type(message.command).__struct_config__.tag))
                await host.command(client, message)
            case BoardUpdate():
                await host.boards.draw(client, message)
            case BoardAsk():
                self.connection.send(await host.boards.show(client, message))
            case PublishOffer(n, sdp, tracks, restart):
                self._parts.counters.ice_restart("uplink", restart)
                self.connection.send(await host.media.publish(client, n, sdp, tracks))
            case SubscribeAnswer(n, sdp):
                host.media.answered(client, n, sdp)
            case SubscribeRefused(n, _):
                host.media.refused(client, n)
            case RelayAsk():
                self.connection.send(self._parts.turn.servers(client.session, time.time()))
            case RestartDownlink(fresh, reason):
                self._parts.counters.ice_restart("downlink", "fresh" if fresh else reason)
                host.media.restart(client, fresh=fresh)
            case Ping(sent_ms):
                self.connection.send(Pong(sent_ms, time.time()))
