"""Closed lessons become packages: all on disk, a manifest beside it, an entry in the library.

What a lesson leaves is kept before the live system forgets it (``about``); a package is made from
that and from the files alone, so it is made whatever dies in between.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec.structs import replace

from twinclass_recordings import manifest as m
from twinclass_recordings.assemble import Looking, finish, look, write_durably
from twinclass_recordings.package import Package
from twinclass_recordings.playlists import is_over, playlist
from twinclass_recordings.recorder.messages import Status
from twinclass_server.adapters.recorder_link import RecorderLink
from twinclass_server.adapters.worker_process import WorkerProcess
from twinclass_server.recording import about, help_about
from twinclass_server.recording.about import About
from twinclass_server.recording.manifests import manifest_of, parts_of
from twinclass_server.recording.transcoding import Transcoder
from twinclass_signaling.errors import Unavailable
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tools.recording import recording_id
from twinclass_signaling.lesson.visibility import Person
from twinclass_signaling.messages import Event

logger = logging.getLogger(__name__)

#: A recorder that is just being restarted is waited for; then what is on disk has to do.
FINISH_ATTEMPTS = 3
#: A database that is away is tried again; the package is there already.
RETRY_S = 5.0
#: One frame is decoded; a second is for a busy machine, eight for a damaged file.
COVER_S = 8.0
#: Two hundred homes that come back at once look once.
LOOK_S = 1.0
#: From keyframe to keyframe, which the recorder asks for every three seconds.
LIVE_SEGMENT_S = 3.0


class Library(Protocol):
    """Who is told of packages."""

    async def recorded(self, manifest: m.Manifest, kept: About) -> None:
        """Takes a package in; it may be told of one twice.

        Raises:
            Unavailable: not now.
        """
        ...

    async def transcoded(self, recording: str, succeeded: bool) -> None:
        """Notes that a package's VP8 is H264 now, or will not be."""
        ...

    async def transcoding(self) -> list[str]:
        """Returns the recordings whose VP8 waits to be H264."""
        ...


class Live(Protocol):
    """A lesson that goes on."""

    @property
    def state(self) -> LessonState:
        """Its committed state."""
        ...

    @property
    def people(self) -> dict[ParticipantId, Person]:
        """The names of those who were here."""
        ...

    async def events(self) -> list[Event]:
        """All that happened so far."""
        ...


@dataclass(slots=True)
class _Look:
    """What the last look at a lesson that is recorded found; one look at a time."""

    looking: Looking = field(default_factory=lambda: Looking(segment_s=LIVE_SEGMENT_S))
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    made: m.Manifest | None = None
    at: float = 0.0


class Recordings:
    """Owns the recorder's link and the making of packages."""

    def __init__(
        self,
        run_dir: Path,
        root: Path,
        archive_dir: Path,
        says: Callable[[Status | None], None],
        keep_days: int,
        jobs: int,
        recorder: WorkerProcess | None = None,
    ) -> None:
        self.root = root
        self.link = RecorderLink(run_dir, root, says, recorder)
        #: Set before ``run``; None: packages stay on disk only.
        self.library: Library | None = None
        self.transcoder = Transcoder(root, jobs, self._transcoded)
        self._archive_dir = archive_dir
        self._keep_days = keep_days
        self._ended: asyncio.Queue[Package] = asyncio.Queue()
        self._looks: dict[str, _Look] = {}

    async def run(self) -> None:
        """Keeps the recorder alive and makes packages, for ever."""
        for package in await asyncio.to_thread(self._unfinished):
            self._ended.put_nowait(package)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.link.run(), name="recorder")
            group.create_task(self._make_for_ever(), name="packages")
            group.create_task(self.transcoder.run(), name="transcoder")
            group.create_task(self._find_waiting(), name="find what waits")

    # ---- lessons.LessonKeeper

    async def lesson_ended(
        self, state: LessonState, people: dict[ParticipantId, Person], log: Path
    ) -> None:
        """See ``LessonKeeper``: keeps what a package needs, and begins to make it."""
        if state.opened_at is None:
            return
        package = Package.of(self.root, recording_id(state))
        if not await asyncio.to_thread(package.journal.exists):
            self.link.forget(recording_id(state))  # Nothing was recorded.
            return
        await asyncio.to_thread(about.write, package, about.about(state, people, log))
        self._looks.pop(package.folder.name, None)
        self._ended.put_nowait(package)

    async def help_ended(self, kept: help_about.HelpAbout) -> None:
        """Makes the recording of live help playable; nothing where nothing was recorded.

        It may be told more than once.
        """
        package = Package.of(self.root, kept.recording)
        if await asyncio.to_thread(_keep_help, package, kept):
            self._ended.put_nowait(package)
        else:
            self.link.forget(kept.recording)

    # ---- a lesson that goes on

    async def live(self, host: Live) -> m.Manifest | None:
        """Returns the manifest of a lesson that is recorded now; None while nothing is there."""
        state = host.state
        package = Package.of(self.root, recording_id(state))
        name = package.folder.name
        looked = self._looks.setdefault(name, _Look())
        async with looked.lock:
            now = asyncio.get_running_loop().time()
            if looked.made is not None and now - looked.at < LOOK_S:
                return looked.made
            try:
                media = await asyncio.to_thread(look, package, looked.looking)
            except OSError:
                return None
            opened_at, people = state.opened_at or 0.0, host.people
            kept = About(name, state.id, state.plan, people, opened_at, time.time(), None, "")
            looked.made = manifest_of(kept, media, await host.events(), "live", "")
            looked.at = now
            return looked.made

    async def live_file(self, host: Live, name: str) -> bytes | None:
        """Returns the manifest or a playlist of a lesson that is recorded now."""
        made = await self.live(host)
        if made is None or name == m.FILE_NAME:
            return None if made is None else m.encode(made)
        for track in made.tracks:
            for run in track.runs:
                if name == f"hls/{run.id}.m3u8" and run.parts[0].codec != "vp8":
                    grows = not is_over(run, made.duration_s)
                    text = playlist(run.parts, run.start_s, made.origin_unix, is_live=grows)
                    return text.encode()
        return None

    # ---- packages

    async def _find_waiting(self) -> None:
        """What a server before this one did not finish to transcode."""
        while self.library is not None:
            try:
                for recording in await self.library.transcoding():
                    self.transcoder.add(recording)
            except Unavailable:
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _transcoded(self, recording: str, succeeded: bool) -> None:
        while self.library is not None:
            try:
                await self.library.transcoded(recording, succeeded)
            except Unavailable:
                await asyncio.sleep(RETRY_S)
            else:
                return

    def _unfinished(self) -> list[Package]:
        """Packages that were being made when a server ended."""
        try:
            folders = sorted(self.root.iterdir())
            names = (about.FILE_NAME, help_about.FILE_NAME)
            return [Package(one) for one in folders if any((one / n).exists() for n in names)]
        except FileNotFoundError:
            return []
        except OSError:
            # A disk that is away must not keep lessons from being taught.
            logger.exception("recordings of before cannot be looked for")
            return []

    async def _make_for_ever(self) -> None:
        while True:
            package = await self._ended.get()
            try:
                await self._make(package)
            except Unavailable:
                await asyncio.sleep(RETRY_S)
                self._ended.put_nowait(package)
            except Exception:
                # One package's outermost boundary; what it was made from stays.
                logger.exception("package %s could not be made", package.folder.name)

    async def _make(self, package: Package) -> None:
        helped = await asyncio.to_thread(help_about.read, package.folder)
        if helped is not None:
            await self._make_help(package, helped)
            return
        kept = await asyncio.to_thread(about.read, package)
        if kept is None:
            logger.error("package %s: what was kept of its lesson is damaged", package.folder.name)
            return
        await self._finish(kept.recording)
        events = await asyncio.to_thread(read_events, self._archive_dir / kept.log)
        media = await asyncio.to_thread(finish, package)
        if not media.tracks:
            # Begun, but nothing came: no package of nothing.
            await asyncio.to_thread(shutil.rmtree, package.folder)
            return
        until = datetime.fromtimestamp(kept.closed_at, UTC) + timedelta(days=self._keep_days)
        made = manifest_of(kept, media, events, "closed", until.date().isoformat())
        await asyncio.to_thread(write_durably, package.manifest, m.encode(made))
        if await draw_cover(package):
            made = replace(made, cover="cover.jpg")
            await asyncio.to_thread(write_durably, package.manifest, m.encode(made))
        if self.library is not None:
            await self.library.recorded(made, kept)
        if any(part.codec == "vp8" for part in parts_of(made)):
            self.transcoder.add(kept.recording)
        await asyncio.to_thread((package.folder / about.FILE_NAME).unlink)
        logger.info(
            "package %s: %d tracks, %.0f s, %d bytes",
            kept.recording,
            len(made.tracks),
            made.duration_s,
            media.bytes,
        )

    async def _make_help(self, package: Package, kept: help_about.HelpAbout) -> None:
        await self._finish(kept.recording)
        media = await asyncio.to_thread(finish, package)
        if not media.tracks:
            await asyncio.to_thread(shutil.rmtree, package.folder)
            return
        until = datetime.fromtimestamp(kept.ended_at, UTC) + timedelta(days=kept.keep_days)
        made = m.Manifest(
            lesson=kept.recording,
            title=kept.title,
            origin_unix=media.origin_unix,
            duration_s=round(max(media.duration_s, kept.ended_at - kept.started_at), 3),
            state="closed",
            tracks=media.tracks,
            keep_until=until.date().isoformat(),
        )
        await asyncio.to_thread(write_durably, package.manifest, m.encode(made))
        if any(part.codec == "vp8" for part in parts_of(made)):
            self.transcoder.add(kept.recording)
        await asyncio.to_thread((package.folder / help_about.FILE_NAME).unlink)
        logger.info("recording %s: %.0f s of live help", kept.recording, made.duration_s)

    async def _finish(self, recording: str) -> None:
        for _ in range(FINISH_ATTEMPTS):
            if await self.link.finish(recording):
                return
        logger.error("recording %s: the recorder does not end it", recording)


def _keep_help(package: Package, kept: help_about.HelpAbout) -> bool:
    """Keeps what a recording of live help needs; False: there is none, or it is made."""
    if package.manifest.exists() or not package.journal.exists():
        return False
    help_about.write(package, kept)
    return True


async def draw_cover(package: Package) -> bool:
    """Draws a package's cover in a process of its own; False: it has none."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twinclass_recordings.cover", str(package.folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(COVER_S):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def read_events(path: Path) -> list[Event]:
    """Returns the events of an archived log, as far as they can be read."""
    events: list[Event] = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        logger.exception("the event log of a lesson cannot be read")
        return events
    decoder = msgspec.json.Decoder(Event)
    for line in lines:
        try:
            events.append(decoder.decode(line))
        except msgspec.MsgspecError:
            logger.warning("an event of %s cannot be read", path.name)
    return events
