"""Strokes on slides in Redis: a hash a lesson, a field a page."""

from __future__ import annotations

from redis.asyncio import Redis

from twinclass_server.adapters.redis_connection import as_bytes, lesson_key, mapped_errors
from twinclass_signaling.ids import LessonId
from twinclass_signaling.lesson.ink import Page


class InkPages:
    """The stored pages of one lesson; raises ``Unavailable`` while Redis is away."""

    def __init__(self, redis: Redis, lesson: LessonId) -> None:
        self._redis = redis
        self._key = lesson_key(lesson, "ink")

    async def put(self, page: Page, data: bytes) -> None:
        """Stores a page."""
        with mapped_errors():
            await self._redis.hset(self._key, _field(page), data)

    async def drop(self, page: Page) -> None:
        """Removes a page."""
        with mapped_errors():
            await self._redis.hdel(self._key, _field(page))

    async def load(self) -> dict[Page, bytes]:
        """Returns all pages."""
        with mapped_errors():
            found = await self._redis.hgetall(self._key)
        return {_page(as_bytes(name).decode()): as_bytes(data) for name, data in found.items()}


def _field(page: Page) -> str:
    return f"{page[0]}:{page[1]}"


def _page(name: str) -> Page:
    document, _, number = name.rpartition(":")
    return document, int(number)
