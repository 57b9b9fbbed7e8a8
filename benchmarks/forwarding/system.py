"""What a system under comparison must be able to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from peers import Peer, Viewer
from tracks import Kind, PublisherPlan, Track

from light.peer import Identity
from light.source import AudioSource, VideoSource

#: A system that has not let a peer in by then has failed; a storm's p95 is to be 3 s.
CONNECT_TIMEOUT_S = 15.0
#: Sources run until they are cancelled.
FOREVER_S = 1e6


@dataclass
class Published:
    """A publisher that is connected, and what feeds it."""

    peer: Peer
    sources: list[VideoSource | AudioSource]

    @property
    def sent(self) -> int:
        """Packets of all its tracks so far."""
        return sum(one.sent for one in self.sources)


class System(Protocol):
    """A running system. All peers are DTLS clients, ICE-controlling, without transport-cc."""

    #: The roots of the process trees whose CPU and memory count.
    pids: tuple[int, ...]

    async def publish(self, room: str, plan: PublisherPlan, peer: Peer) -> dict[Kind, int]:
        """Begins to connect a publisher; the payload type of each kind."""
        ...

    async def view(
        self, room: str, name: str, wanted: Sequence[tuple[str, Track]], viewer: Viewer
    ) -> None:
        """Begins to connect a viewer (``Viewer.begin``); the order of SSRCs is that of
        ``wanted``."""
        ...


class Starter(Protocol):
    """Runs a system while the context lasts. ``host``: where it listens, on loopback."""

    def __call__(
        self, folder: Path, identity: Identity, host: str
    ) -> AbstractAsyncContextManager[System]: ...


@dataclass(frozen=True)
class Entry:
    """A system by name, and what it can bear."""

    name: str
    start: Starter
    #: It is not asked for more viewers than that.
    most_viewers: int = 100_000
    #: What is published must be real pictures and sound.
    decodes: bool = False


async def connected(peer: Peer) -> None:
    """Waits until DTLS is done.

    Raises:
        TimeoutError: it is not after ``CONNECT_TIMEOUT_S``.
    """
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        await peer.connected.wait()


@asynccontextmanager
async def sending(publishers: Sequence[Published]) -> AsyncGenerator[None]:
    """All sources send while the context lasts; not all frames at the same instant."""

    async def run(source: VideoSource | AudioSource, later_s: float) -> None:
        await asyncio.sleep(later_s)
        await source.run(FOREVER_S)

    sources = [source for one in publishers for source in one.sources]
    # Cameras are not in step: the first frames are spread over one frame interval of 30 fps.
    step_s = 1 / 30 / max(1, len(sources))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(one, n * step_s)) for n, one in enumerate(sources)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
