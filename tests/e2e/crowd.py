"""A class behind every seat: light clients with drawn cameras, for pages that show many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from e2e.conftest import Server
from light.client import LightClient
from light.clip import DrawnCamera
from light.drawings import Draw, classroom, learner
from light.peer import Identity


class Crowd:
    """Light rooms and homes of the demo lesson, all drawn before anybody joins."""

    def __init__(self, server: Server, rooms: int, homes: int) -> None:
        self._base = server.base
        self._identity = Identity()
        links = server.links()
        self.rooms = [
            self._client(link, classroom(f"七({number})班", number))
            for number, link in enumerate(links["room"][:rooms], 1)
        ]
        self.homes = [
            self._client(link, learner(number))
            for number, link in enumerate(links["home_learner"][:homes], 1)
        ]

    def _client(self, link: str, scene: Draw) -> LightClient:
        drawn = DrawnCamera(scene)
        drawn.prepare("q")
        return LightClient(self._base, link.split("#token=")[1], self._identity, drawn=drawn)

    async def join(self, clients: list[LightClient]) -> None:
        """All at once."""
        await asyncio.gather(*(client.join() for client in clients))

    async def leave(self) -> None:
        """Everybody who came."""
        await asyncio.gather(*(one.leave() for one in self.rooms + self.homes))


@asynccontextmanager
async def crowded(folder: Path, rooms: int, homes: int) -> AsyncIterator[tuple[Server, Crowd]]:
    """A server with a demo lesson of that size, and its people, who have not joined yet."""
    environment = {"TWINCLASS_DEMO__ROOMS": str(rooms), "TWINCLASS_DEMO__HOMES": str(homes)}
    server = Server(folder / "data", environment=environment)
    server.start()
    try:
        await server.wait_ready()
        crowd = Crowd(server, rooms, homes)
        try:
            yield server, crowd
        finally:
            await crowd.leave()
    finally:
        server.stop()
