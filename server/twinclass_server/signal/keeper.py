"""Sessions and names in Redis, so that another process may go on with the lesson.

Written at once where somebody waits for it; what could not be written (Redis is away) or need
not be at once is written by the next tick.
"""

from __future__ import annotations

from collections.abc import Mapping

from twinclass_server.adapters.redis_records import LessonRecords
from twinclass_signaling.errors import Unavailable
from twinclass_signaling.ids import LessonId, ParticipantId
from twinclass_signaling.lesson.views import Person
from twinclass_signaling.session import SessionRecord, Sessions


class RecordKeeper:
    """Keeps one lesson's records as the host holds them."""

    def __init__(
        self,
        lesson: LessonId,
        records: LessonRecords,
        sessions: Sessions,
        people: Mapping[ParticipantId, Person],
    ) -> None:
        self._lesson = lesson
        self._records = records
        self._sessions = sessions
        self._people = people
        self._late: set[ParticipantId] = set()

    def save_later(self, participant: ParticipantId) -> None:
        """Notes that what is known of a participant has changed."""
        self._late.add(participant)

    async def save(self, record: SessionRecord) -> None:
        """Writes a session and its name now, or later when Redis is away."""
        try:
            await self._records.put_session(self._lesson, record)
            await self._put_person(record.participant)
        except Unavailable:
            self._late.add(record.participant)

    async def save_late(self) -> None:
        """Writes what waits, as far as Redis takes it."""
        waiting, self._late = self._late, set()
        for participant in waiting:
            record = self._sessions.of(participant)
            if record is not None:
                await self.save(record)
                continue
            try:
                await self._records.drop_session(self._lesson, participant)
                await self._put_person(participant)
            except Unavailable:
                self._late.add(participant)

    async def _put_person(self, participant: ParticipantId) -> None:
        person = self._people.get(participant)
        if person is not None:
            await self._records.put_person(self._lesson, participant, person)
