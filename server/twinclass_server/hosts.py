"""What one process owns, lessons or evenings of a desk: each is loaded once and served by a task of
its own, and all are given up together at a drain."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any, Generic, Protocol, TypeVar

from twinclass_signaling.errors import Unavailable

logger = logging.getLogger(__name__)

#: How long clients get to receive the goodbye at a drain.
DRAIN_S = 2.0


class Host(Protocol):
    """What is owned."""

    @property
    def is_empty(self) -> bool:
        """Tells whether nobody has a line."""
        ...


K = TypeVar("K", bound=Hashable)
H = TypeVar("H", bound=Host)


class Hosts(Generic[K, H]):
    """The hosts of one kind. ``group`` owns their tasks and is set while they may be taken."""

    def __init__(self) -> None:
        self.all: dict[K, H] = {}
        self.is_draining = False
        self.group: asyncio.TaskGroup | None = None
        self._locks: dict[K, asyncio.Lock] = {}
        self._serving: dict[K, asyncio.Task[None]] = {}

    async def take(
        self,
        key: K,
        load: Callable[[K], Awaitable[H]],
        serve: Callable[[H], Coroutine[Any, Any, None]],
    ) -> H:
        """Returns a host, loading it when it is not here; ``serve`` runs as long as it is.

        Raises:
            Unavailable: this process ends; or what ``load`` raises.
        """
        host = self.all.get(key)
        if host is not None:
            return host
        if self.is_draining or self.group is None:
            raise Unavailable("draining", "服务器正在重启。", "Restarting.", retry_after_s=1.0)
        async with self._locks.setdefault(key, asyncio.Lock()):
            host = self.all.get(key)
            if host is None:
                host = await load(key)
                self.all[key] = host
                task = self.group.create_task(self._serve(key, host, serve), name=f"host {key}")
                self._serving[key] = task
        return host

    async def _serve(
        self, key: K, host: H, serve: Callable[[H], Coroutine[Any, Any, None]]
    ) -> None:
        try:
            await serve(host)
        finally:
            self.all.pop(key, None)
            self._serving.pop(key, None)

    async def wait_gone(self, key: K, timeout_s: float) -> None:
        """Waits until a host that is ending has ended, if it does in time."""
        serving = self._serving.get(key)
        if serving is not None:
            await asyncio.wait({serving}, timeout=timeout_s)

    async def drain(self, say_goodbye: Callable[[H], None]) -> None:
        """Says goodbye everywhere, and gives all up when it was heard."""
        self.is_draining = True
        for host in self.all.values():
            say_goodbye(host)
        try:
            async with asyncio.timeout(DRAIN_S):
                # Polled: it happens once in a process's life.
                while not all(host.is_empty for host in self.all.values()):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            logger.warning("some clients did not take the goodbye in time")
        serving = list(self._serving.values())
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving, timeout=DRAIN_S)
