"""The library put together: what comes into it, and its routes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.routing import BaseRoute

from twinclass_config import LibrarySettings
from twinclass_recordings import manifest as m
from twinclass_recordings.clip import sweep
from twinclass_recordings.library import retention
from twinclass_recordings.library.access import Viewer
from twinclass_recordings.library.attachments import Attachments
from twinclass_recordings.library.catalogue import Catalogue
from twinclass_recordings.library.packages import Packages
from twinclass_recordings.library.plays import Weights
from twinclass_recordings.library.shelf import Recorded, Shelf
from twinclass_recordings.library.usage import Plays
from twinclass_recordings.store import FolderPackages
from twinclass_server.http.catch_up import CatchUpRoutes, LiveManifest
from twinclass_server.http.library import LibraryRoutes
from twinclass_server.http.library_door import LibraryDoor
from twinclass_server.http.library_exports import LibraryExports
from twinclass_server.http.library_making import MakingRoutes
from twinclass_server.http.library_media import LibraryMedia, LiveFile, Slides
from twinclass_server.http.library_usage import UsageRoutes
from twinclass_server.recording.about import About
from twinclass_server.recording.exporting import Exporter
from twinclass_server.roster.database import Database
from twinclass_server.roster.file_store import FolderStore
from twinclass_server.roster.schools import Schools
from twinclass_server.roster.subjects import grade_text, subject_text
from twinclass_signaling.errors import Unavailable
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import TokenKeys

logger = logging.getLogger(__name__)

#: A day is over at midnight; an hour later its media is gone.
RETENTION_S = 3600.0
#: What another server changed is found after so long.
REFRESH_S = 2.0
#: The plays beside an entry are that much behind the log,
COUNT_S = 20.0
#: and more where they are many (2 s for 100,000 rows): counting takes a hundredth of the time.
REST = 100.0


class Library:
    """Fills ``recordings.Library``; its packages are ``packages_at``."""

    def __init__(
        self,
        database: Database,
        packages_at: FolderPackages,
        keys: Callable[[], TokenKeys],
        live: LiveFile,
        of_lesson: LiveManifest,
        slides: Slides,
        live_lesson: Callable[[str], str | None],
        proofs: Path,
        keep_days: int,
        exporter: Exporter,
        store: FolderStore,
        settings: LibrarySettings,
        converted: Callable[[str], float | None],
        left_out: Callable[[m.Manifest], frozenset[str]],
    ) -> None:
        self._root = packages_at.root
        sweep(packages_at.root)
        self._exporter = exporter
        self._proofs = proofs
        self.shelf = Shelf(database.session)
        self.catalogue = Catalogue(database.session)
        self._schools = Schools(database)

        async def lesson_of(recording: str) -> str | None:
            live_one = live_lesson(recording)
            return live_one or await asyncio.to_thread(self.shelf.lesson_of, recording)

        door = LibraryDoor(self.shelf, keys, self._schools)
        packages, attachments = Packages(database.session), Attachments(database.session)
        self._log = Plays(database.session, ZoneInfo(settings.time_zone), _weights(settings))
        self._usage = UsageRoutes(self._log, door, packages_at, keys, self._schools.of_staff)
        self._making = MakingRoutes(
            *(self.shelf, self.catalogue, door, packages, attachments),
            *(packages_at, proofs, store, exporter.forget_entry, left_out),
        )

        def attached(entry: str, sha256: str) -> tuple[Path, str, str] | None:
            found, path = attachments.find(entry, sha256), store.path(sha256)
            return None if found is None or path is None else (path, found.title, found.media_type)

        # What is asked for most comes first: routes are tried one after the other.
        self._routes = [
            *LibraryMedia(packages_at, keys, live, slides, lesson_of, attached).routes(),
            *LibraryRoutes(
                self.shelf,
                self.catalogue,
                door,
                database.session,
                packages_at,
                keys,
                keep_days,
                converted,
            ).routes(),
            *self._usage.routes(),
            *self._making.routes(),
            *LibraryExports(door, exporter, attachments, packages_at, store.path, keys).routes(),
            *CatchUpRoutes(of_lesson, keys).routes(),
        ]

    def routes(self) -> Sequence[BaseRoute]:
        """Returns the routes of the public listener."""
        return self._routes

    def lesson_of(self, entry: str) -> str | None:
        """See ``desk.chapters.DeskLibrary``."""
        return self.shelf.lesson_of(entry)

    def may_see(self, teacher: str, entry: str) -> bool:
        """See ``desk.chapters.DeskLibrary``."""
        viewer = Viewer(Role.LEAD, teacher, self._schools.of_staff(teacher))
        return self.shelf.get(viewer, entry) is not None

    async def retain(self) -> None:
        """Deletes what is past its time, once at the start and then every hour, for ever."""
        while True:
            try:
                today = datetime.now(UTC).date()
                gone = await asyncio.to_thread(self._retain, today)
                for recording in gone:
                    await self._exporter.forget_entry(recording)
                if gone:
                    logger.info("retention: %d recordings were deleted", len(gone))
            except Unavailable as error:
                logger.warning("retention waits: %s", error)
            await asyncio.sleep(RETENTION_S)

    def _retain(self, today: date) -> list[str]:
        return retention.run(
            self.shelf, self._root, self._proofs, today, forget=self._making.forget_files
        )

    async def keep_found(self) -> None:
        """Keeps what is found as the database has it, whichever server wrote it, for ever."""
        while True:
            try:
                await asyncio.to_thread(self.catalogue.refresh)
            except Unavailable as error:
                logger.warning("the library's index is as it was: %s", error)
            await asyncio.sleep(REFRESH_S)

    async def count(self) -> None:
        """Brings the plays that are shown with entries up to date, for ever."""
        clock = asyncio.get_running_loop().time
        resting: dict[str, float] = {}
        while True:
            await asyncio.sleep(COUNT_S)
            resting = {entry: until for entry, until in resting.items() if until > clock()}
            waiting = self._usage.take_dirty()
            try:
                for entry in sorted(waiting - resting.keys()):
                    began = clock()
                    await asyncio.to_thread(self._log.count, entry)
                    waiting.remove(entry)
                    resting[entry] = clock() + REST * (clock() - began)
            except Unavailable as error:
                logger.warning("plays are counted later: %s", error)
            self._usage.keep_dirty(waiting)

    async def recorded(self, manifest: m.Manifest, kept: About) -> None:
        """Takes a package in; see ``recordings.Library``."""
        await asyncio.to_thread(self._take, manifest, kept)

    async def transcoded(self, recording: str, succeeded: bool) -> None:
        """See ``recordings.Library``. What cannot be converted is played as it is."""
        del succeeded
        await asyncio.to_thread(self.shelf.set_state, recording, "ready")

    async def transcoding(self) -> list[str]:
        """See ``recordings.Library``."""
        return await asyncio.to_thread(self.shelf.in_state, "transcoding")

    def _take(self, manifest: m.Manifest, kept: About) -> None:
        classes = [room.id for room in kept.plan.rooms]
        schools = self._schools.of_classes(classes)
        subject, grade = self._schools.subject_and_grade(kept.lesson, classes)
        # A lesson that the roster does not know has what its plan says.
        subject = subject or subject_text(kept.plan.subject)
        grade = grade or grade_text(kept.plan.grade)
        lead = kept.people.get(kept.lead) if kept.lead is not None else None
        parts = [part for track in manifest.tracks for run in track.runs for part in run.parts]
        is_vp8 = any(part.codec == "vp8" for part in parts)
        names = list(schools.values()) or [room.school for room in kept.plan.rooms]
        self.shelf.take(
            Recorded(
                id=manifest.lesson,
                lesson=kept.lesson,
                title=manifest.title,
                subtitle=manifest.subtitle,
                taught_at=datetime.fromtimestamp(manifest.origin_unix, UTC),
                duration_s=manifest.duration_s,
                bytes=sum(part.bytes for part in parts),
                lead_id=kept.lead or "",
                lead_name=lead.name if lead is not None else "",
                schools=tuple(schools),
                school_name=(lead.school if lead is not None else "") or (names or [""])[0],
                subject=subject,
                grade=grade,
                state="transcoding" if is_vp8 else "ready",
                has_cover=bool(manifest.cover),
                keep_until=date.fromisoformat(manifest.keep_until) if manifest.keep_until else None,
            )
        )


def _weights(settings: LibrarySettings) -> Weights:
    return Weights(
        settings.weight_classes,
        settings.weight_completion,
        settings.weight_reuse,
        settings.weight_quiz_gain,
        settings.weight_rating,
    )
