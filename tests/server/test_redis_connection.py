"""What comes out of a call to Redis: an answer, ``Unavailable``, or a cancellation."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from twinclass_server.adapters.redis_connection import connect, is_up, mapped_errors
from twinclass_signaling.errors import Unavailable


async def test_nobody_at_home_is_unavailable(tmp_path: Path) -> None:
    redis = connect(f"unix://{tmp_path / 'nobody.sock'}", 0.5)
    assert not await is_up(redis)
    with pytest.raises(Unavailable) as caught, mapped_errors():
        await redis.get("x")
    assert caught.value.code == "log_unavailable"
    await redis.aclose()


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError(), ResponseError("OOM")])
def test_every_failure_is_unavailable(error: Exception) -> None:
    async def fail() -> None:
        with mapped_errors():
            raise error

    with pytest.raises(Unavailable):
        asyncio.run(fail())


async def test_a_scripts_own_refusal_stays() -> None:
    with pytest.raises(ResponseError), mapped_errors():
        raise ResponseError("FENCED")


async def test_a_cancellation_that_the_library_swallows_is_not_lost() -> None:
    waiting = asyncio.Event()

    async def swallowing() -> str:
        with mapped_errors():
            try:
                waiting.set()
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                pass  # As wait_for does when the answer comes at the same moment.
        return "went on"

    async with asyncio.TaskGroup() as group:
        task = group.create_task(swallowing())
        await waiting.wait()
        task.cancel()
    assert task.cancelled()
