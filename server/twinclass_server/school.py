"""Roster, planned lessons and slides put together, for the server to start and end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from twinclass_config import Settings
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.http.pair import PairRoutes
from twinclass_server.http.school import SchoolRoutes
from twinclass_server.http.slides import SlideRoutes
from twinclass_server.roster.consents import Consents
from twinclass_server.roster.csv_bundle import SAMPLE, from_folder
from twinclass_server.roster.csv_import import import_bundle
from twinclass_server.roster.database import Database
from twinclass_server.roster.file_store import FolderStore
from twinclass_server.roster.lessons import LessonDesk
from twinclass_server.roster.live import Opener
from twinclass_server.roster.revoked import RevokedLinks
from twinclass_server.roster.slides import SlideShelf
from twinclass_server.roster.staff_links import staff_path
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.lesson.plan import Plan
from twinclass_signaling.tokens import TokenKeys

__all__ = ["DESK_TTL_S", "SchoolParts", "staff_path"]

logger = logging.getLogger(__name__)

#: The demo's link to "My lessons"; the next start prints a new one.
DESK_TTL_S = 24 * 3600.0


class SchoolParts:
    """What stands beside the live lessons. ``keys`` refuse links that were withdrawn."""

    def __init__(
        self,
        folder: DataFolder,
        settings: Settings,
        lessons: Lessons,
        keys: Callable[[], TokenKeys],
    ) -> None:
        self._settings = settings
        self.database = Database(settings.database.url, folder.path)
        self._desk = LessonDesk(self.database)
        self._revoked = RevokedLinks(self._desk)
        self._lessons = lessons
        self._revoked.listeners.append(self._end_sessions)
        self._shelf = SlideShelf(self.database, FolderStore(folder.path / "files"))
        self._opener = Opener(self._desk, lessons, self._shelf)
        self.consents = Consents(self.database, lessons)
        lessons.attach_consents(self.consents.withdrawn)
        self.keys = self._revoked.guard(keys)

    async def start(self) -> None:
        """Brings the tables up to date.

        Raises:
            DatabaseUnusable: it cannot be used as it is.
            Unavailable: it is away.
        """
        await asyncio.to_thread(self.database.migrate)
        await self._revoked.refresh()
        if self._settings.demo.enabled and await asyncio.to_thread(self._desk.is_empty):
            await asyncio.to_thread(import_bundle, self.database, from_folder(SAMPLE))

    def routes(self) -> list[BaseRoute]:
        """Returns the routes of the public listener."""
        school = SchoolRoutes(
            self.database,
            self._desk,
            self._opener,
            self._revoked,
            self._shelf,
            self.keys,
            self._settings.http.public_url,
        )
        return [
            *SlideRoutes(self._shelf, self._desk, self._opener, self.keys).routes(),
            *PairRoutes(school, self._desk, self.keys).routes(),
            *school.routes(),
        ]

    def plan_of(self, lesson: str) -> Plan:
        """Returns the plan of a planned lesson; blocks.

        Raises:
            Conflict: ``lesson_unknown``.
        """
        return self._desk.plan(lesson)

    def find_slides(self, lesson: str, sha256: str) -> Path | None:
        """Returns a lesson's slide document; blocks."""
        return self._shelf.find(lesson, sha256)

    def on_withdrawn(self, listener: Callable[[Callable[[str], bool]], None]) -> None:
        """Tells ``listener`` of withdrawn links too."""
        self._revoked.listeners.append(listener)

    def _end_sessions(self, is_revoked: Callable[[str], bool]) -> None:
        for host in list(self._lessons.hosts.values()):
            host.withdraw(is_revoked)

    def background(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """Returns what runs as long as the server does."""
        return [self._revoked.keep, self._opener.keep, self.consents.keep]

    def close(self) -> None:
        """Closes the database."""
        self.database.close()
