"""The Redis of a server that was killed: used again, and never doubled."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from redis.asyncio import Redis

from twinclass_server.adapters.redis_child import RedisChild
from twinclass_server.adapters.redis_connection import connect

#: Longer than a question to Redis is waited for.
STALL_S = 1.5


async def pid_of(url: str) -> int:
    redis: Redis = connect(url, 5.0)
    try:
        return int((await redis.info("server"))["process_id"])
    finally:
        await redis.aclose()


async def test_a_redis_that_stalls_gets_no_second_one_beside_it(tmp_path: Path) -> None:
    killed = RedisChild(tmp_path / "redis")
    await killed.start()
    pid = killed.pid
    assert pid is not None
    after = RedisChild(tmp_path / "redis")
    await after.start()
    watching = asyncio.create_task(after.watch())
    try:
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(STALL_S)
        restarted = RedisChild(tmp_path / "redis")
        starting = asyncio.create_task(restarted.start())
        await asyncio.sleep(STALL_S)
        os.kill(pid, signal.SIGCONT)
        await starting
        assert after.pid is None
        assert restarted.pid is None
        assert await pid_of(after.url) == pid
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        os.kill(pid, signal.SIGCONT)
        await killed.stop()


@pytest.mark.full
@pytest.mark.timeout(60)
async def test_a_redis_that_reads_its_file_for_long_is_waited_for(tmp_path: Path) -> None:
    first = RedisChild(tmp_path / "redis")
    await first.start()
    redis: Redis = connect(first.url, 5.0)
    async with redis.pipeline() as pipeline:
        for number in range(24_000):
            pipeline.set(str(number), "x")
        await pipeline.execute()
    await redis.aclose()
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    slow = tmp_path / "redis-that-reads-slowly"
    slow.write_text('#!/bin/sh\nexec redis-server "$@" --key-load-delay 500\n')
    slow.chmod(0o755)
    second = RedisChild(tmp_path / "redis", str(slow))
    await second.start()
    try:
        assert await pid_of(second.url) == second.pid
    finally:
        await second.stop()


async def test_a_redis_that_was_killed_leaves_its_socket_and_is_started_again(
    tmp_path: Path,
) -> None:
    first = RedisChild(tmp_path / "redis")
    await first.start()
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    await asyncio.sleep(0.1)
    second = RedisChild(tmp_path / "redis")
    await second.start()
    try:
        assert second.pid is not None
    finally:
        await second.stop()
