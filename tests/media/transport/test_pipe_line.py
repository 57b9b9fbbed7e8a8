"""The way to another worker: in order, nothing lost to a short queue, a successor found."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinclass_media.statistics import Statistics
from twinclass_media.transport.pipe_line import MAX_WAITING, PipeLine

BURST = 200


def bound(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(str(path))
    return sock


def number(value: int) -> bytes:
    return value.to_bytes(4, "big") * 300


@pytest.fixture
def far(tmp_path: Path) -> Iterator[socket.socket]:
    with bound(tmp_path / "far") as sock:
        yield sock


@pytest.fixture
async def line(tmp_path: Path) -> PipeLine:
    return PipeLine(asyncio.get_running_loop(), str(tmp_path / "far"), Statistics())


async def receive(sock: socket.socket, count: int) -> list[int]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5):
        return [int.from_bytes((await loop.sock_recv(sock, 2000))[:4], "big") for _ in range(count)]


async def test_a_burst_longer_than_the_kernels_queue_arrives_in_order(
    far: socket.socket, line: PipeLine
) -> None:
    for n in range(BURST):
        line.send(number(n))
    assert await receive(far, BURST) == list(range(BURST))
    line.send(number(BURST))
    assert await receive(far, 1) == [BURST]
    assert not line._statistics.drops
    line.close()


async def test_a_worker_that_does_not_read_costs_a_bounded_queue(
    far: socket.socket, line: PipeLine
) -> None:
    for n in range(MAX_WAITING + BURST):
        line.send(number(n))
    assert 0 < line._statistics.drops["pipe_full"] <= BURST
    taken = MAX_WAITING + BURST - line._statistics.drops["pipe_full"]
    assert await receive(far, taken) == list(range(taken))
    line.close()


async def test_a_dead_worker_is_counted_and_its_successor_found(
    tmp_path: Path, far: socket.socket, line: PipeLine
) -> None:
    for n in range(BURST):
        line.send(number(n))
    far.close()
    async with asyncio.timeout(5):
        while not line._statistics.drops["pipe_away"]:
            await asyncio.sleep(0.01)
    line.send(number(1))
    with bound(tmp_path / "far") as successor:
        line.send(number(2))
        assert await receive(successor, 1) == [2]
    line.close()


async def test_nobody_there_is_counted(line: PipeLine) -> None:
    line.send(b"x")
    line.send(b"y")
    assert line._statistics.drops["pipe_away"] == 2
    line.close()
