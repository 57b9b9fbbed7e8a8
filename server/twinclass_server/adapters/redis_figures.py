"""How Redis does: one question timed, and its memory."""

from __future__ import annotations

import time

from redis.asyncio import Redis

from twinclass_server.adapters.redis_connection import mapped_errors
from twinclass_server.operations.figures import StoreFigures
from twinclass_signaling.errors import Unavailable


async def redis_figures(redis: Redis, *, is_ours: bool) -> StoreFigures:
    """Returns them; an answer that does not come counts as Redis being away."""
    try:
        with mapped_errors():
            began = time.perf_counter()
            await redis.ping()
            latency_ms = (time.perf_counter() - began) * 1000
            told = await redis.info("memory")
    except Unavailable:
        return StoreFigures(is_up=False, is_ours=is_ours)
    memory = told.get("used_memory")
    return StoreFigures(
        is_up=True,
        latency_ms=round(latency_ms, 2),
        memory_bytes=int(memory) if memory is not None else None,
        is_ours=is_ours,
    )
