"""Planned lessons become live ones: by hand, and by the clock half an hour before."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from twinclass_server.roster.lessons import LessonDesk
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.errors import Conflict, SignalingError
from twinclass_signaling.ids import LessonId

logger = logging.getLogger(__name__)

#: Rooms are switched on and tested in the break before.
_AHEAD = timedelta(minutes=30)
_EVERY_S = 10.0


class Opener:
    """Gives planned lessons to the live system."""

    def __init__(self, desk: LessonDesk, lessons: Lessons) -> None:
        self._desk = desk
        self._lessons = lessons

    async def open(self, lesson: str) -> None:
        """Makes a lesson enterable; nothing changes when it is.

        Raises:
            SignalingError: unknown, too large, over, or a part we need is away.
        """
        identifier = LessonId(lesson)
        if await self._lessons.records.is_closed(identifier):
            raise Conflict("lesson_closed", "这节课已经结束。", "This lesson is over.")
        if identifier not in await self._lessons.records.lessons():
            plan = await asyncio.to_thread(self._desk.plan, lesson)
            try:
                await self._lessons.create(identifier, plan)
            except Conflict as error:
                # Another process was faster.
                if error.code != "lesson_exists":
                    raise
        await asyncio.to_thread(self._desk.mark_opened, lesson)

    async def phases(self) -> dict[str, str]:
        """Returns the phase of every lesson the live system has."""
        found: dict[str, str] = {}
        for lesson in await self._lessons.records.lessons():
            host = self._lessons.hosts.get(lesson)
            found[lesson] = "live" if host is None else host.state.phase
        return found

    async def keep(self) -> None:
        """Opens what is due, for ever."""
        while True:
            try:
                for lesson in await asyncio.to_thread(self._desk.due, datetime.now(UTC), _AHEAD):
                    await self.open(lesson)
            except SignalingError as error:
                logger.warning("planned lesson not opened: %s", error)
            await asyncio.sleep(_EVERY_S)
