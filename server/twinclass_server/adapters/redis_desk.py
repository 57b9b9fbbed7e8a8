"""What stands beside the log of an evening: its plan, names, sessions; and the list of evenings."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from twinclass_server.adapters.redis_connection import as_bytes, mapped_errors, scoped_key
from twinclass_signaling.desk.directory import Known
from twinclass_signaling.desk.plan import Desk, DeskId
from twinclass_signaling.ids import PersonId
from twinclass_signaling.session import SessionRecord

#: Evenings that are not put away, as "desk/2026-11-25".
EVENINGS_KEY = "twinclass:evenings"

_plan_decoder = msgspec.json.Decoder(Desk)
_known_decoder = msgspec.json.Decoder(Known)
_session_decoder = msgspec.json.Decoder(SessionRecord)


class EveningId(Struct, frozen=True):
    """One evening of one desk. ``day``: its local date, as ISO 8601 has it."""

    desk: DeskId
    day: str

    @property
    def scope(self) -> str:
        """Returns what its keys in Redis begin with."""
        return f"desk:{self.desk}:{self.day}"

    @property
    def name(self) -> str:
        """Returns how files of it are called."""
        return f"{self.desk}-{self.day}"


class EveningRecords:
    """One evening's records; each method raises ``Unavailable`` while Redis is away."""

    def __init__(self, redis: Redis, evening: EveningId) -> None:
        self._redis = redis
        self._evening = evening

    def _key(self, name: str) -> str:
        return scoped_key(self._evening.scope, name)

    async def plan(self, plan: Desk) -> Desk:
        """Keeps the plan of an evening that begins; returns the one it began with, if it has."""
        with mapped_errors():
            await self._redis.sadd(EVENINGS_KEY, f"{self._evening.desk}/{self._evening.day}")
            await self._redis.setnx(self._key("plan"), msgspec.json.encode(plan))
            data = await self._redis.get(self._key("plan"))
        return plan if data is None else _plan_decoder.decode(data)

    async def people(self) -> dict[PersonId, Known]:
        """Returns the names of those who were here."""
        with mapped_errors():
            found = await self._redis.hgetall(self._key("people"))
        return {
            PersonId(as_bytes(person).decode()): _known_decoder.decode(data)
            for person, data in found.items()
        }

    async def sessions(self) -> list[SessionRecord]:
        """Returns the sessions of those who were here."""
        with mapped_errors():
            found = await self._redis.hvals(self._key("sessions"))
        return [_session_decoder.decode(data) for data in found]

    async def put(
        self, sessions: Mapping[str, SessionRecord | None], people: Mapping[PersonId, Known]
    ) -> None:
        """Remembers sessions (None: forgets) by whose they are, and names."""
        kept = {who: msgspec.json.encode(one) for who, one in sessions.items() if one is not None}
        gone = [who for who, one in sessions.items() if one is None]
        with mapped_errors():
            pipe = self._redis.pipeline(transaction=False)
            if kept:
                pipe.hset(self._key("sessions"), mapping=kept)  # type: ignore[arg-type, unused-ignore]
            if gone:
                pipe.hdel(self._key("sessions"), *gone)
            if people:
                names = {str(who): msgspec.json.encode(one) for who, one in people.items()}
                pipe.hset(self._key("people"), mapping=names)  # type: ignore[arg-type, unused-ignore]
            await pipe.execute()

    async def retire(self) -> None:
        """Removes an evening whose log has been archived."""
        names = ("plan", "log", "snapshot", "people", "sessions", "boards")
        with mapped_errors():
            await self._redis.srem(EVENINGS_KEY, f"{self._evening.desk}/{self._evening.day}")
            await self._redis.delete(*(self._key(name) for name in names))


async def evenings(redis: Redis) -> list[EveningId]:
    """Returns the evenings that are not put away, in order; raises ``Unavailable``."""
    with mapped_errors():
        found = await redis.smembers(EVENINGS_KEY)
    parts = sorted(as_bytes(one).decode().partition("/") for one in found)
    return [EveningId(DeskId(desk), day) for desk, _, day in parts]
