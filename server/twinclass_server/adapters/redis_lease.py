"""Who owns a lesson or an evening of a desk: a key that expires, held as ``epoch:owner``.

The epoch counts up with every acquisition, so a process that slept through the end of its
lease can never write again: the append script compares the whole value. A new process on the
same data folder has the same owner name (the folder's lock makes sure there is only one), so
after a crash it takes what was its own over at once instead of waiting for the lease to run out.

Beside it stands the *series*: ``first:owner``, the epoch with which the present run of
acquisitions by one owner began. A lease that ran out is taken again with a higher epoch, and
only the series tells whether somebody else was there in between: a call that timed out here may
still have been executed there (Redis that stood still works off what waits), so epochs are
skipped without anybody else.
"""

from __future__ import annotations

import asyncio
import logging

from redis.asyncio import Redis

from twinclass_server.adapters.redis_connection import mapped_errors, scoped_key
from twinclass_signaling.errors import Conflict, Unavailable

logger = logging.getLogger(__name__)

_ACQUIRE = """
local value = redis.call('GET', KEYS[1])
if value and string.match(value, ':(.*)$') ~= ARGV[1] then return {0, 0} end
local epoch = redis.call('INCR', KEYS[2])
local first = epoch
local series = redis.call('GET', KEYS[3])
if series then
  local began, owner = string.match(series, '^(%d+):(.*)$')
  if owner == ARGV[1] then first = tonumber(began) end
end
redis.call('SET', KEYS[3], first .. ':' .. ARGV[1])
redis.call('SET', KEYS[1], epoch .. ':' .. ARGV[1], 'PX', ARGV[2])
return {epoch, first}
"""
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class LeaseLost(Conflict):
    """Another process owns it now."""

    def __init__(self, scope: str) -> None:
        super().__init__(
            "lesson_moved",
            "已由另一台服务器接管，正在重新连接。",
            f"Another server has taken over ({scope}); reconnecting.",
        )


class Lease:
    """One process's ownership of one scope (``redis_connection.scoped_key``)."""

    def __init__(self, redis: Redis, scope: str, owner: str, lease_s: float) -> None:
        self._redis = redis
        self._scope = scope
        self._owner = owner
        self._lease_s = lease_s
        self._keys = (
            scoped_key(scope, "lease"),
            scoped_key(scope, "epoch"),
            scoped_key(scope, "series"),
        )
        self._epoch = 0
        # The keeper and a journal that recovers may both find the lease gone.
        self._ensuring = asyncio.Lock()

    @property
    def epoch(self) -> int:
        """Returns the epoch of this ownership; 0 before the first."""
        return self._epoch

    @property
    def holder(self) -> str:
        """Returns what the lease key must hold for a write to be taken."""
        return f"{self._epoch}:{self._owner}"

    async def acquire(self) -> None:
        """Takes it.

        Raises:
            LeaseLost: another process has it.
            Unavailable: Redis is away.
        """
        await self._acquire()

    async def _acquire(self) -> int:
        """Takes it; returns the epoch with which our series began."""
        with mapped_errors():
            epoch, first = await self._redis.eval(
                _ACQUIRE, 3, *self._keys, self._owner, str(int(self._lease_s * 1000))
            )
        if int(epoch) == 0:
            raise LeaseLost(self._scope)
        self._epoch = int(epoch)
        return int(first)

    async def renew(self) -> bool:
        """Prolongs the lease; False when it is no longer ours."""
        with mapped_errors():
            return bool(
                await self._redis.eval(
                    _RENEW, 1, self._keys[0], self.holder, str(int(self._lease_s * 1000))
                )
            )

    async def ensure(self) -> None:
        """Renews, or takes again a lease that ran out unnoticed by anybody.

        Raises:
            LeaseLost: somebody else owned it in between, even if no longer: what this
                process remembers of it is old.
            Unavailable: Redis is away.
        """
        async with self._ensuring:
            if await self.renew():
                return
            before = self._epoch
            if await self._acquire() > before:
                await self.release()
                raise LeaseLost(self._scope)

    async def release(self) -> None:
        """Gives it up, if it is still ours and Redis is there."""
        try:
            with mapped_errors():
                await self._redis.eval(_RELEASE, 1, self._keys[0], self.holder)
        except Unavailable:
            logger.info("lease of %s not released: redis is away", self._scope)

    async def keep(self) -> None:
        """Renews for ever.

        Raises:
            LeaseLost: another process owns it.
        """
        while True:
            await asyncio.sleep(self._lease_s / 3)
            try:
                await self.ensure()
            except Unavailable:
                # Nobody can take it either; the journal says so to people.
                logger.debug("lease of %s not renewed: redis is away", self._scope)
