"""What stands beside the log of a lesson: its plan, names, sessions; and the list of lessons."""

from __future__ import annotations

import msgspec
from redis.asyncio import Redis

from twinclass_server.adapters.redis_connection import (
    LESSONS_KEY,
    as_bytes,
    lesson_key,
    mapped_errors,
)
from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import LessonId, ParticipantId
from twinclass_signaling.lesson.state import Plan
from twinclass_signaling.lesson.views import Person
from twinclass_signaling.session import SessionRecord

#: A link of a lesson that is over says so for a week; then it is unknown.
_CLOSED_KEPT_S = 7 * 86400

_plan_decoder = msgspec.json.Decoder(Plan)
_person_decoder = msgspec.json.Decoder(Person)
_session_decoder = msgspec.json.Decoder(SessionRecord)


class LessonRecords:
    """Plans, names and sessions of lessons. Every method raises ``Unavailable`` when Redis is
    away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def create(self, lesson: LessonId, plan: Plan) -> None:
        """Makes a lesson known.

        Raises:
            Conflict: there is one with this id that is not closed.
        """
        with mapped_errors():
            # SADD is first: it decides who creates when two do at once.
            if not await self._redis.sadd(LESSONS_KEY, lesson):
                raise Conflict(
                    "lesson_exists", "已有同名的课。", f"There is a lesson {lesson} already."
                )
            await self._redis.set(lesson_key(lesson, "plan"), msgspec.json.encode(plan))
            await self._redis.delete(lesson_key(lesson, "closed"))

    async def lessons(self) -> list[LessonId]:
        """Returns the lessons that are not closed, in the order of their ids."""
        with mapped_errors():
            found = await self._redis.smembers(LESSONS_KEY)
        return sorted(LessonId(as_bytes(lesson).decode()) for lesson in found)

    async def plan(self, lesson: LessonId) -> Plan | None:
        """Returns a lesson's plan; None when it is unknown or over."""
        with mapped_errors():
            data = await self._redis.get(lesson_key(lesson, "plan"))
        return None if data is None else _plan_decoder.decode(data)

    async def is_closed(self, lesson: LessonId) -> bool:
        """Tells whether a lesson of the last week is over."""
        with mapped_errors():
            return bool(await self._redis.exists(lesson_key(lesson, "closed")))

    async def retire(self, lesson: LessonId) -> None:
        """Removes a closed lesson from Redis; its log has been archived before."""
        names = ("plan", "log", "snapshot", "names", "sessions", "ink")
        with mapped_errors():
            await self._redis.set(lesson_key(lesson, "closed"), b"1", ex=_CLOSED_KEPT_S)
            await self._redis.srem(LESSONS_KEY, lesson)
            await self._redis.delete(*(lesson_key(lesson, name) for name in names))

    async def put_person(
        self, lesson: LessonId, participant: ParticipantId, person: Person
    ) -> None:
        """Remembers a name."""
        with mapped_errors():
            await self._redis.hset(
                lesson_key(lesson, "names"), participant, msgspec.json.encode(person)
            )

    async def people(self, lesson: LessonId) -> dict[ParticipantId, Person]:
        """Returns the names of a lesson."""
        with mapped_errors():
            found = await self._redis.hgetall(lesson_key(lesson, "names"))
        return {
            ParticipantId(as_bytes(participant).decode()): _person_decoder.decode(data)
            for participant, data in found.items()
        }

    async def put_session(self, lesson: LessonId, record: SessionRecord) -> None:
        """Remembers a session; it replaces the participant's former one."""
        with mapped_errors():
            await self._redis.hset(
                lesson_key(lesson, "sessions"), record.participant, msgspec.json.encode(record)
            )

    async def drop_session(self, lesson: LessonId, participant: ParticipantId) -> None:
        """Forgets a participant's session."""
        with mapped_errors():
            await self._redis.hdel(lesson_key(lesson, "sessions"), participant)

    async def sessions(self, lesson: LessonId) -> list[SessionRecord]:
        """Returns the sessions of a lesson."""
        with mapped_errors():
            found = await self._redis.hvals(lesson_key(lesson, "sessions"))
        return [_session_decoder.decode(data) for data in found]
