"""A door before a server that can be shut: TCP connections end, and nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from light.ports import free_port

_CHUNK_BYTES = 64 * 1024


class Gate:
    """Passes TCP on to ``target`` on this machine while it is open."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def opened(cls, target: int) -> AsyncIterator[Gate]:
        gate = cls(target)
        await gate.open()
        try:
            yield gate
        finally:
            await gate.shut()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)

    async def shut(self) -> None:
        """Ends all connections; from now on they are refused."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for task in list(self._passing):
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_pass(reader, far_writer))
                    group.create_task(_pass(far_reader, writer))
            finally:
                far_writer.transport.abort()
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass  # An end that is gone, or the gate is shut.
        finally:
            writer.transport.abort()
            self._passing.discard(task)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()
