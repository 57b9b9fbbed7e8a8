"""An event log: a Redis stream whose ids are the events' numbers.

An entry holds the JSON of an event with its number and time; of a lesson the same bytes that
clients receive. All writes go
through scripts that compare the lease, so a former owner is refused (FENCED) whatever it
believes. Effects of a script enter the append-only file as one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from twinclass_server.adapters.redis_connection import (
    as_bytes,
    log_unavailable,
    mapped_errors,
    scoped_key,
)
from twinclass_server.adapters.redis_lease import Lease
from twinclass_signaling.errors import Conflict, InvalidState
from twinclass_signaling.ids import EventSeq, SessionId

_PAGE = 1000
#: A repeat of a command comes within a reconnect; a day is more than any lesson lasts.
_ACKS_KEPT_S = 86400

_APPEND = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('FENCED') end
local first, count, at = tonumber(ARGV[2]), tonumber(ARGV[3]), 5
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
local length = 0
if #last > 0 then length = tonumber(string.match(last[1][1], '^(%d+)')) end
if count > 0 and length ~= first - 1 then return redis.error_reply('ORDER') end
for i = 0, count - 1 do
  redis.call('XADD', KEYS[2], (first + i) .. '-0', 'e', ARGV[at])
  at = at + 1
end
for key = 3, #KEYS do
  redis.call('HSET', KEYS[key], ARGV[at], ARGV[at + 1])
  redis.call('EXPIRE', KEYS[key], ARGV[4])
  at = at + 2
end
return 'OK'
"""
_SNAPSHOT = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('FENCED') end
return redis.call('SET', KEYS[2], ARGV[2])
"""


class Logged(Protocol):
    """What a log holds."""

    @property
    def seq(self) -> EventSeq:
        """Its number, from 1."""
        ...

    @property
    def at(self) -> float:
        """Its Unix second."""
        ...


E = TypeVar("E", bound=Logged)


class Fenced(Conflict):
    """A write was refused because the lease is not ours."""

    def __init__(self) -> None:
        super().__init__("fenced", "写入被拒绝。", "The lease is not held by this process.")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Command ``command`` of a session is in the log up to ``seq``."""

    session: SessionId
    command: int
    seq: EventSeq


class EventLog(Generic[E]):
    """One log as the owner of its scope uses it. ``kind``: what its entries are decoded to."""

    def __init__(
        self, redis: Redis, scope: str, lease: Lease, kind: type[E], replicas: int = 0
    ) -> None:
        self._redis = redis
        self._scope = scope
        self._lease = lease
        self._replicas = replicas
        self._lease_key = scoped_key(scope, "lease")
        self._key = scoped_key(scope, "log")
        self._decoder: msgspec.json.Decoder[E] = msgspec.json.Decoder(kind)

    async def append(
        self, first: int, payloads: Sequence[bytes], acks: Sequence[Acknowledgement]
    ) -> None:
        """Appends events ``first``... and notes which commands they answer, as one.

        Raises:
            Fenced: this process does not own the scope (any more).
            Unavailable: Redis is away; whether it was appended is not known.
            InvalidState: the log does not end at ``first - 1``.
        """
        keys = [self._lease_key, self._key, *(self._acks_key(ack.session) for ack in acks)]
        arguments: list[str | bytes] = [
            self._lease.holder,
            str(first),
            str(len(payloads)),
            str(_ACKS_KEPT_S),
            *payloads,
        ]
        for ack in acks:
            arguments += [str(ack.command), str(ack.seq)]
        try:
            with mapped_errors():
                await self._redis.eval(_APPEND, len(keys), *keys, *arguments)
                if self._replicas and await self._redis.wait(self._replicas, 1000) < self._replicas:
                    raise log_unavailable()
        except ResponseError as error:
            raise self._refusal(error) from error

    async def read(self, after: EventSeq) -> AsyncIterator[tuple[E, bytes]]:
        """Yields the events after a number, in order, with their bytes.

        Raises:
            Unavailable: Redis is away.
            InvalidState: a gap: Redis has lost what was acknowledged, or an entry is damaged.
        """
        seq = after
        while True:
            with mapped_errors():
                page = await self._redis.xrange(self._key, min=f"{seq + 1}-0", count=_PAGE)
            for _, fields in page or ():
                payload = as_bytes((fields or {}).get(b"e", b""))
                try:
                    event = self._decoder.decode(payload)
                except msgspec.MsgspecError as error:
                    raise InvalidState("log_entry", "记录有误。", str(error)) from error
                if event.seq != seq + 1:
                    raise InvalidState("log_gap", "记录有缺失。", f"{event.seq} after {seq}")
                seq = event.seq
                yield event, payload
            if not page or len(page) < _PAGE:
                return

    async def last(self) -> EventSeq:
        """Returns the number of the last event; 0 in an empty log."""
        with mapped_errors():
            found = await self._redis.xrevrange(self._key, count=1)
        if not found or found[0][0] is None:
            return EventSeq(0)
        return EventSeq(int(as_bytes(found[0][0]).partition(b"-")[0]))

    async def acknowledged(self, session: SessionId) -> dict[int, EventSeq]:
        """Returns the commands of a session that are in the log."""
        with mapped_errors():
            found = await self._redis.hgetall(self._acks_key(session))
        return {int(command): EventSeq(int(seq)) for command, seq in found.items()}

    async def write_snapshot(self, data: bytes) -> None:
        """Replaces the snapshot.

        Raises:
            Fenced: this process does not own the scope.
            Unavailable: Redis is away.
        """
        try:
            with mapped_errors():
                await self._redis.eval(
                    _SNAPSHOT,
                    2,
                    self._lease_key,
                    scoped_key(self._scope, "snapshot"),
                    self._lease.holder,
                    data,
                )
        except ResponseError as error:
            raise self._refusal(error) from error

    async def read_snapshot(self) -> bytes | None:
        """Returns the last snapshot, if any."""
        with mapped_errors():
            data = await self._redis.get(scoped_key(self._scope, "snapshot"))
        return None if data is None else as_bytes(data)

    def _acks_key(self, session: SessionId) -> str:
        return scoped_key(self._scope, f"acks:{session}")

    @staticmethod
    def _refusal(error: ResponseError) -> Fenced | InvalidState:
        if str(error).startswith("FENCED"):
            return Fenced()
        return InvalidState("log_order", "记录顺序有误。", "the log does not end where we think")
