"""Boards of live help in Redis: a list a board, an entry for what was added within a second.

Entries are appended and never rewritten: a board only grows, so writing it anew each second would
cost its whole size each time.
"""

from __future__ import annotations

from redis.asyncio import Redis

from twinclass_server.adapters.redis_connection import as_bytes, mapped_errors
from twinclass_server.desk.board import Boards
from twinclass_signaling.errors import Unavailable

#: A board that nobody has closed: the evening is over by then.
_KEPT_S = 24 * 3600


class BoardLog:
    """The stored boards of one desk's evening; raises ``Unavailable`` while Redis is away.

    ``prefix`` begins the names of its keys; the number of the session follows.
    """

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix

    async def append(self, session: int, updates: list[bytes]) -> None:
        """Adds to a board."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.rpush(self._key(session), *updates)
            pipe.expire(self._key(session), _KEPT_S)
            with mapped_errors():
                await pipe.execute()

    async def load(self, session: int) -> list[bytes]:
        """Returns what ``Boards.restore`` takes; empty when nothing is stored."""
        with mapped_errors():
            found = await self._redis.lrange(self._key(session), 0, -1)
        return [as_bytes(update) for update in found]

    async def drop(self, session: int) -> None:
        """Removes a board."""
        with mapped_errors():
            await self._redis.delete(self._key(session))

    async def save_late(self, boards: Boards, now: float) -> None:
        """Writes what waits, as far as Redis takes it; each board at most once a second."""
        for session, updates in boards.take_unsaved(now).items():
            try:
                await self.append(session, updates)
            except Unavailable:
                boards.put_back(session, updates)

    def _key(self, session: int) -> str:
        return f"{self._prefix}{session}"
