"""A client of the desk as tests need it: typed messages over a real WebSocket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from hosting.process import ServerProcess, server_process
from light.ports import free_port
from twinclass_signaling.desk.commands import AskQuestion, DeskCommand
from twinclass_signaling.desk.messages import (
    SUBPROTOCOL,
    Authenticate,
    ClientMessage,
    Command,
    ServerMessage,
    ViewChanged,
    Welcome,
)
from twinclass_signaling.desk.view_types import DeskView
from twinclass_signaling.messages import Ack, Error, Resume
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import DeskClaims, TokenKeys

Message = TypeVar("Message")
View = TypeVar("View", bound=DeskView)
_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
PATIENCE_S = 30.0


def desk_token(
    keys: TokenKeys, role: Role, person: str, desk: str = "demo-desk", **more: object
) -> str:
    now = time.time()
    if role is Role.PUPIL:
        # Old enough to ask without her guardian.
        more = {"grade": 9, "class_name": "九(1)班", "name": person, **more}
    claims = DeskClaims(person, role, desk, now + 600, now, **more)  # type: ignore[arg-type]
    return keys.issue(claims)


_open: list[DeskPage] = []


async def close_desk_pages() -> None:
    """Closes what tests left open."""
    pages, _open[:] = _open[:], []
    for page in pages:
        page.reading.cancel()
        await page.socket.close()


class DeskPage:
    """One WebSocket. ``view`` is what the page shows; everything else waits to be read."""

    def __init__(self, socket: ClientConnection, port: int) -> None:
        self.socket = socket
        self.port = port
        self.token = ""
        self.view: DeskView | None = None
        self.seen: list[ServerMessage] = []
        self._unread: list[ServerMessage] = []
        self._news = asyncio.Condition()
        self._commands = 0
        self.is_closed = False
        self.reading = asyncio.create_task(self._read())
        _open.append(self)

    @classmethod
    async def open(cls, port: int) -> DeskPage:
        return cls(
            await connect(
                f"ws://127.0.0.1:{port}/desk",
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                max_size=None,
                compression=None,
                close_timeout=1,
                proxy=None,
            ),
            port,
        )

    @classmethod
    async def enter(
        cls, port: int, token: str, resume: Resume | None = None
    ) -> tuple[DeskPage, Welcome]:
        page = await cls.open(port)
        page.token = token
        await page.send(Authenticate(token, resume=resume))
        return page, await page.wait_for(Welcome)

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                message = _decoder.decode(text)
                async with self._news:
                    self.seen.append(message)
                    if isinstance(message, ViewChanged | Welcome):
                        self.view = message.view
                    if not isinstance(message, ViewChanged):
                        self._unread.append(message)
                    self._news.notify_all()
        finally:
            self.is_closed = True
            async with self._news:
                self._news.notify_all()

    async def send(self, message: ClientMessage) -> None:
        await self.socket.send(msgspec.json.encode(message).decode())

    async def wait_for(self, kind: type[Message], timeout_s: float = PATIENCE_S) -> Message:
        def found() -> bool:
            return self.is_closed or any(isinstance(one, kind) for one in self._unread)

        async with asyncio.timeout(timeout_s), self._news:
            await self._news.wait_for(found)
            for index, one in enumerate(self._unread):
                if isinstance(one, kind):
                    del self._unread[: index + 1]
                    return one
        raise AssertionError(f"closed before {kind.__name__}: {self._unread}")

    async def see(
        self, kind: type[View], shows: Callable[[View], bool], timeout_s: float = PATIENCE_S
    ) -> View:
        """Waits until the page shows something."""

        def found() -> bool:
            return isinstance(self.view, kind) and shows(self.view)

        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(found)
        except TimeoutError:
            raise AssertionError(f"never shown; the last was {self.view}") from None
        assert isinstance(self.view, kind)
        return self.view

    async def command(self, command: DeskCommand, number: int | None = None) -> Ack | Error:
        """Sends a command and waits for its answer."""
        if number is None:
            self._commands += 1
            number = self._commands
        await self.send(Command(number, command))

        def mine(one: ServerMessage) -> bool:
            return isinstance(one, Ack | Error) and one.id == number

        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: self.is_closed or any(map(mine, self._unread)))
            answer = next((one for one in self._unread if mine(one)), None)
            assert isinstance(answer, Ack | Error), "closed before the answer"
            self._unread.remove(answer)
            return answer

    async def do(self, command: DeskCommand) -> None:
        """Sends a command that must be taken."""
        answer = await self.command(command)
        assert isinstance(answer, Ack), answer

    async def store(self, text: str, photos: tuple[str, ...] = ()) -> str:
        """Stores a text and returns its reference."""
        body = {"text": text, "photos": photos, "voice": None}
        answer = await self.http("POST", "contents", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["content"])

    async def ask(self, subject: str = "maths", **more: Any) -> None:  # noqa: ANN401
        """Asks something that is stored first."""
        content = await self.store("这道题的第二步是怎么来的？")
        await self.do(AskQuestion(subject, content, **more))

    async def http(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401
        """Asks what the desk keeps."""
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://127.0.0.1:{self.port}/api/desk/{path}"
            return await client.request(method, url, headers=headers, **more)

    async def close(self) -> None:
        await self.socket.close()


@asynccontextmanager
async def demo_desk_server(data: Path) -> AsyncIterator[ServerProcess]:
    """A server with the demo's desk; closes what pages tests left open."""
    async with server_process(data, free_port(4), None, "--demo") as running:
        yield running
        await close_desk_pages()


async def enter(server: ServerProcess, role: Role, person: str, **more: object) -> DeskPage:
    """Comes in with a link of the demo's desk. ``more``: of its claims."""
    page, _ = await DeskPage.enter(server.port, desk_token(server.keys, role, person, **more))
    return page
