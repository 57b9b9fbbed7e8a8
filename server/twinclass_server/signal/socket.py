"""The WebSocket ``/signal``: what a lesson's messages mean."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec
from starlette.websockets import WebSocket

from twinclass_server.line import Line, Room
from twinclass_server.metrics import Counters
from twinclass_server.signal.client import Client
from twinclass_server.signal.host import LessonHost
from twinclass_server.signal.lessons import Lessons
from twinclass_server.turn import Turn
from twinclass_signaling.errors import Forbidden, InvalidState
from twinclass_signaling.ids import LessonId
from twinclass_signaling.ink_messages import Ink
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.messages import (
    MAX_MESSAGE_BYTES,
    SUBPROTOCOL,
    Authenticate,
    ClientMessage,
    Command,
    Ping,
    Pong,
    PublishAnswer,
    PublishOffer,
    RelayAsk,
    Report,
    RestartDownlink,
    Routes,
    SubscribeAnswer,
    SubscribeRefused,
    View,
)
from twinclass_signaling.permissions import allowed
from twinclass_signaling.tokens import TokenKeys

_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)


@dataclass(slots=True)
class SignalParts:
    """What the endpoint needs."""

    lessons: Lessons
    keys: Callable[[], TokenKeys]
    counters: Counters
    authenticate_s: float
    send_queue: int
    room: Room
    turn: Turn


class SignalSocket(Line[ClientMessage, Authenticate]):
    """One page's connection to its lesson."""

    def __init__(self, socket: WebSocket, parts: SignalParts) -> None:
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
        self._host: LessonHost | None = None
        self._client: Client | None = None
        self._routes = Routes()

    async def authenticate(self, message: Authenticate) -> None:
        """Gives a seat to whoever has a link of the lesson."""
        claims = self._parts.keys().verify(message.token, time.time())
        host = await self._parts.lessons.host(LessonId(claims.lesson))
        self._client = await host.seats.enter(claims, message, self.connection)
        self._host = host

    def left(self) -> None:
        """Keeps the seat for a while."""
        self._note_routes(Routes())
        if self._host is not None and self._client is not None:
            self._host.seats.leave(self._client, self.connection)

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
        lesson, session, media = host.lesson, client.session, host.media
        match message:
            case Authenticate():
                pass  # Never: it comes once, see ``Line``.
            case Command():
                kind = str(type(message.command).__struct_config__.tag)
                self._parts.counters.command(kind)
                host.command(client, message, partial(self._parts.counters.command_refused, kind))
            case PublishOffer(n, sdp, tracks, restart):
                self._check_sources(client.actor, message, host)
                self._parts.counters.ice_restart("uplink", restart)
                answer = await media.publish(lesson, session, sdp, tracks)
                self.connection.send(PublishAnswer(n, answer))
            case SubscribeAnswer(n, sdp):
                media.subscribe_answered(lesson, session, n, sdp)
            case SubscribeRefused(n, _):
                media.subscribe_refused(lesson, session, n)
            case RestartDownlink(fresh, reason):
                self._parts.counters.ice_restart("downlink", "fresh" if fresh else reason)
                media.restart_downlink(lesson, session, fresh)
            case RelayAsk():
                self.connection.send(self._parts.turn.servers(session, time.time()))
            case Routes():
                self._note_routes(message)
            case View():
                host.view(client, message)
            case Report():
                host.report(client, message)
            case Ink():
                host.ink.draw(client, message)
            case Ping(sent_ms):
                self.connection.send(Pong(sent_ms, time.time()))

    def _note_routes(self, now: Routes) -> None:
        before, self._routes = self._routes, now
        self._parts.counters.route("uplink", before.uplink, now.uplink)
        self._parts.counters.route("downlink", before.downlink, now.downlink)

    @staticmethod
    def _check_sources(actor: Actor, message: PublishOffer, host: LessonHost) -> None:
        for track in message.tracks:
            if not allowed(actor, track.source, host.state):
                raise Forbidden(
                    "forbidden", "您没有这个权限。", f"Your role may not publish {track.source}."
                )
