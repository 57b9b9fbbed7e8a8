"""Planned lessons become live ones: by hand, and by the clock half an hour before."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from twinclass_server.roster.lessons import LessonDesk
from twinclass_server.roster.slides import SlideShelf
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.errors import Conflict, SignalingError
from twinclass_signaling.ids import LessonId, ParticipantId
from twinclass_signaling.tool_commands import AttachSlides, TurnSlide

logger = logging.getLogger(__name__)

#: Rooms are switched on and tested in the break before.
_AHEAD = timedelta(minutes=30)
_EVERY_S = 10.0


class Opener:
    """Gives planned lessons to the live system."""

    def __init__(self, desk: LessonDesk, lessons: Lessons, shelf: SlideShelf) -> None:
        self._desk = desk
        self._lessons = lessons
        self._shelf = shelf

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
                await self.bring_slides(lesson)
            except Conflict as error:
                # Another process was faster.
                if error.code != "lesson_exists":
                    raise
        await asyncio.to_thread(self._desk.mark_opened, lesson)

    async def bring_slides(self, lesson: str) -> None:
        """Puts documents that were uploaded on the lesson's sheet into the live lesson, where the
        lead finds them. None is shown yet; one that does not fit is left to her."""
        host = self._lessons.hosts.get(LessonId(lesson))
        if host is None:
            return  # Not open, or another process has it: the lead uploads there.
        lead = ParticipantId(await asyncio.to_thread(self._desk.lead, lesson))
        slides = host.state.tools.slides
        shown = TurnSlide(slides.document, max(1, slides.page))
        known = {one.document for one in slides.documents}
        for one in await asyncio.to_thread(self._shelf.of_lesson, lesson):
            if one.document in known:
                continue
            try:
                await host.prepare(
                    AttachSlides(one.document, one.pages, one.sha256, one.title), lead
                )
                # Attaching shows the first page; what everybody sees is the lead's to change.
                await host.prepare(shown, lead)
            except Conflict as error:
                logger.warning("slides not attached to %s: %s", lesson, error.code)

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
