"""A client of the protocol as tests need it: typed messages over a real WebSocket."""

from __future__ import annotations

import asyncio
import time
from typing import TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from twinclass_signaling.messages import (
    SUBPROTOCOL,
    Ack,
    Authenticate,
    ClientCommand,
    ClientMessage,
    Command,
    Error,
    Event,
    Resume,
    ServerMessage,
    Welcome,
)
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims, TokenKeys

Message = TypeVar("Message")
_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
PATIENCE_S = 30.0


def token(
    keys: TokenKeys,
    role: Role,
    subject: str,
    lesson: str = "algebra",
    *,
    ttl_s: float = 600,
    room: str | None = None,
    name: str = "",
) -> str:
    now = time.time()
    return keys.issue(
        Claims(
            sub=subject,
            role=role,
            lesson=lesson,
            exp=now + ttl_s,
            iat=now,
            room=room or (subject if role is Role.ROOM else None),
            name=name,
        )
    )


_open: list[Page] = []


async def close_pages() -> None:
    """Closes what tests left open."""
    pages = _open[:]
    _open.clear()
    for page in pages:
        page.socket.transport.resume_reading()
        await page.socket.close()


class Page:
    """One WebSocket. Messages that a wait skips stay in ``seen``."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        _open.append(self)
        self.seen: list[ServerMessage] = []
        self._unread: list[ServerMessage] = []
        self._commands = 0

    @classmethod
    async def open(cls, port: int) -> Page:
        socket = await connect(
            f"ws://127.0.0.1:{port}/signal",
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=None,
            compression=None,
            max_queue=None,
            close_timeout=1,
            proxy=None,
        )
        return cls(socket)

    @classmethod
    async def enter(
        cls, port: int, token: str, resume: Resume | None = None, *, use_here: bool = True
    ) -> tuple[Page, Welcome]:
        page = await cls.open(port)
        await page.send(Authenticate(token, resume=resume, use_here=use_here))
        return page, await page.wait_for(Welcome)

    async def send(self, message: ClientMessage) -> None:
        await self.socket.send(msgspec.json.encode(message).decode())

    async def send_text(self, text: str) -> None:
        await self.socket.send(text)

    async def receive(self) -> ServerMessage:
        message = _decoder.decode(await self.socket.recv())
        self.seen.append(message)
        return message

    async def wait_for(self, kind: type[Message], timeout_s: float = PATIENCE_S) -> Message:
        async with asyncio.timeout(timeout_s):
            while True:
                message = await self.receive()
                if isinstance(message, kind):
                    return message

    async def wait_event(self, kind: type[Message]) -> Message:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.receive()
                if isinstance(message, Event) and isinstance(message.event, kind):
                    return message.event

    async def command(self, command: ClientCommand, number: int | None = None) -> Ack | Error:
        if number is None:
            self._commands += 1
            number = self._commands
        await self.send(Command(number, command))
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.receive()
                if isinstance(message, Ack | Error) and message.id == number:
                    return message

    async def wait_closed(self) -> int | None:
        async with asyncio.timeout(PATIENCE_S):
            try:
                while True:
                    await self.receive()
            except Exception:
                await self.socket.wait_closed()
        return self.socket.close_code

    async def drop(self) -> None:
        """Loses the line without a word."""
        self.socket.transport.abort()
        await self.socket.wait_closed()

    async def close(self) -> None:
        await self.socket.close()
