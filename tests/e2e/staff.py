"""Assistants, observers and homes by the protocol alone: they cause what pages show."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from e2e.conftest import Server
from light.client import LightClient
from light.peer import Identity


@asynccontextmanager
async def people(server: Server, links: Iterable[str]) -> AsyncGenerator[list[LightClient]]:
    """Joins who has these links, without camera and microphone."""
    identity = Identity()
    found = [
        LightClient(server.base, link.split("#token=")[1], identity, publishes=False)
        for link in links
    ]
    try:
        for one in found:
            await one.join()
        yield found
    finally:
        for one in found:
            await one.leave()


def assistants(server: Server, rooms: Iterable[int]) -> list[str]:
    """Links of an assistant for each of these rooms of the demo."""
    return [
        f"{server.base}/assistant#token="
        + server.token(
            *("assistant", "", "--sub", f"helper-{room}"),
            *("--room", f"room-{room}", "--name", f"辅讲老师 {room}"),
        )
        for room in rooms
    ]
