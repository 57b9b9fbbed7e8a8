"""The server put together: data folder, Redis, media plane, lessons, listeners, in this order.

Everything is ended in the opposite order, so that clients hear of a stop before media ends and
media before the log.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from redis.asyncio import Redis

from twinclass_config import Settings
from twinclass_media.settings import MediaSettings
from twinclass_media.worker.messages import WorkerStatistics
from twinclass_recordings.manifest import Manifest
from twinclass_recordings.store import FolderPackages
from twinclass_server.adapters.data_folder import DataFolder, KeyFile
from twinclass_server.adapters.media_listeners import MediaListeners
from twinclass_server.adapters.media_probe import ProbeTicket
from twinclass_server.adapters.media_recording import RecorderPort
from twinclass_server.adapters.redis_child import RedisChild
from twinclass_server.adapters.redis_connection import connect
from twinclass_server.adapters.renewal import Renewable, keep_renewed
from twinclass_server.adapters.worker_process import WorkerProcess
from twinclass_server.chosen_settings import recordings_root
from twinclass_server.demo import Demo
from twinclass_server.desk.desks import Desks
from twinclass_server.desk.moments import Moments, MomentsParts
from twinclass_server.desk_parts import DeskParts
from twinclass_server.http.admin import admin_app
from twinclass_server.http.operations import OperationsRoutes
from twinclass_server.http.public import public_app
from twinclass_server.http.whip import DoorMedia, WhipService
from twinclass_server.library import Library
from twinclass_server.line import Room
from twinclass_server.listen import (
    QuietServer,
    check_media_ports,
    private_server,
    public_server,
    take_port,
)
from twinclass_server.metrics import Counters, LessonCollector, MediaCollector, new_registry
from twinclass_server.operations.figures import WorkerFigures
from twinclass_server.operations.look import Looker, LookParts
from twinclass_server.recording.exporting import Exporter
from twinclass_server.recording.recordings import Recordings
from twinclass_server.roster.file_store import FolderStore
from twinclass_server.school import SchoolParts
from twinclass_server.signal.door import HostDoor
from twinclass_server.signal.lessons import Lessons, LessonsParts
from twinclass_server.signal.socket import SignalParts
from twinclass_server.turn import Turn
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import LessonId
from twinclass_signaling.ports import MediaListener
from twinclass_signaling.tokens import TokenKeys

logger = logging.getLogger(__name__)


class RunningMedia(DoorMedia, Protocol):
    """The media plane as this module starts and ends it."""

    shutdown_workers: bool
    recorder: RecorderPort | None

    @property
    def processes(self) -> Sequence[Renewable]:
        """Returns the processes that outlive servers."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def statistics(self) -> Sequence[WorkerStatistics]:
        """Returns the last reading of every worker."""
        ...

    def figures(self) -> Sequence[WorkerFigures]:
        """Returns every worker as it stands."""
        ...

    async def open_probes(self) -> Sequence[ProbeTicket]:
        """Returns what lets the operator's doctor be answered by the media ports."""
        ...


MediaFactory = Callable[[MediaSettings, Path, MediaListener], RunningMedia]


@dataclass(slots=True)
class ServerParts:
    """What a server is made of besides its settings."""

    settings: Settings
    folder: DataFolder
    media: MediaFactory
    #: Directory of the workers' sockets, to see whether workers of before hold the ports.
    worker_sockets: Path
    #: Workers outlive a SIGTERM: for a deploy under a service manager.
    keep_workers: bool = False
    #: A recorder that was started before, in place of one that died.
    recorder: WorkerProcess | None = None


class Server:
    """One server process. ``run`` returns after a drain."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._stop = asyncio.Event()
        self._is_forced = False
        self._task: asyncio.Task[object] | None = None
        #: Set while it runs; for whoever embeds the server.
        self.lessons: Lessons | None = None
        self.redis_child: RedisChild | None = None

    def request_stop(self, *, keep_workers: bool) -> None:
        """Begins the drain; a second call ends it, a third ends the process as it stands."""
        if self._stop.is_set():
            if self._is_forced or self._task is None:
                os._exit(1)
            logger.warning("forced to stop")
            self._is_forced = True
            self._task.cancel()
        self._parts.keep_workers = keep_workers
        self._stop.set()

    async def run(self, started: Callable[[], Awaitable[None]]) -> None:
        """Serves until stopped; ``started`` is called when clients may come.

        Raises:
            DataFolderHeld, PortBusy, RedisMissing: what keeps it from starting.
            CancelledError: it was forced to stop.
        """
        self._task = asyncio.current_task()
        http, folder = self._settings.http, self._parts.folder
        folder.lock(f"http port {http.port}, media port {self._settings.media.port}")
        async with AsyncExitStack() as stack:
            stack.callback(folder.unlock)
            public = stack.enter_context(take_port(http.host, http.port, "--port"))
            private = stack.enter_context(
                take_port(http.admin_host, http.admin_port, "--admin-port")
            )
            media = self._settings.media
            check_media_ports(media.bind, media.port, media.workers, self._parts.worker_sockets)
            keys = KeyFile(folder)
            child = await self._start_redis(stack)
            url = self._settings.redis.url or (child.url if child is not None else "")
            redis = connect(url, self._settings.redis.timeout_s)
            stack.push_async_callback(redis.aclose)
            await self._serve(stack, redis, child, keys, (public, private), started)

    async def _start_redis(self, stack: AsyncExitStack) -> RedisChild | None:
        if self._settings.redis.url:
            return None
        child = self.redis_child = RedisChild(self._parts.folder.redis)
        stack.push_async_callback(child.stop)
        await child.start()
        return child

    async def _serve(
        self,
        stack: AsyncExitStack,
        redis: Redis,
        child: RedisChild | None,
        keys: KeyFile,
        sockets: tuple[socket.socket, socket.socket],
        started: Callable[[], Awaitable[None]],
    ) -> None:
        settings = self._settings
        parts = LessonsParts(
            redis=redis,
            settings=settings.lesson,
            owner=self._parts.folder.node_id(),
            archive_dir=self._parts.folder.lessons,
            wall_clock=time.time,
            replicas=settings.redis.replicas,
        )
        lessons = self.lessons = Lessons(parts)
        desk = DeskParts(settings, self._parts.folder, redis)
        recordings = self._recordings(lessons)
        parts.keeper = recordings
        hears = MediaListeners(lessons, desk.desks)
        media = self._parts.media(settings.media, self._parts.folder.run, hears)
        await stack.enter_async_context(media)
        stack.callback(self._decide_workers, media)
        lessons.attach_media(media)
        if recordings is not None:
            media.recorder = recordings.link
        school = await self._open_school(stack, lessons, keys)
        exporter = self._exporter(recordings, school)
        library = self._library(school, recordings, lessons, exporter)
        registry = new_registry()
        registry.register(LessonCollector(lessons))
        registry.register(MediaCollector(media.statistics))
        counters, room = Counters(registry), Room(settings.http.max_connections)
        moments = self._moments(lessons, school, recordings)
        turn = self._turn()
        desk.attach(
            *(media, school.database, school.keys, counters, room, recordings),
            *(moments, library, turn),
        )
        await desk.prepare()
        school.on_withdrawn(desk.withdrawn)
        signal_parts = SignalParts(
            lessons=lessons,
            keys=school.keys,
            counters=counters,
            authenticate_s=settings.lesson.authenticate_s,
            send_queue=settings.lesson.send_queue,
            room=room,
            turn=turn,
        )
        demo = Demo(lessons, settings.demo) if settings.demo.enabled else None
        whip = self._whip(lessons, media, school.keys)
        school.on_withdrawn(whip.withdraw)
        looker = self._looker(lessons, media, redis, school, recordings)
        # What is asked for most comes first: routes are tried one after the other.
        routes = [
            *(library.routes() if library else ()),
            *school.routes(),
            *desk.routes(),
            *whip.routes(),
            *OperationsRoutes(looker, school.keys).routes(),
        ]
        # Names of pupils are behind it: only a demo that nobody else can reach shows it.
        shows_desk = settings.http.host in {"127.0.0.1", "::1"} and not settings.http.public_url
        app = public_app(
            signal_parts, demo, routes, shows_desk=shows_desk, desk_links=desk.demo_links
        )
        public = public_server(app, settings.http)
        private = private_server(admin_app(lessons, registry, media.open_probes))
        try:
            async with asyncio.TaskGroup() as group:
                background = []
                if child is not None:
                    background.append(group.create_task(child.watch(), name="redis"))
                if recordings is not None:
                    background.append(group.create_task(recordings.run(), name="recordings"))
                renewed = [*media.processes, *([recordings.link] if recordings is not None else [])]
                background.append(group.create_task(keep_renewed(renewed), name="renewal"))
                if exporter is not None:
                    background.append(group.create_task(exporter.run(), name="exports"))
                if library is not None:
                    background.append(group.create_task(library.retain(), name="retention"))
                    background.append(group.create_task(library.keep_found(), name="index"))
                    background.append(group.create_task(library.count(), name="count plays"))
                is_up = asyncio.Event()
                background.append(group.create_task(lessons.run(is_up.set), name="lessons"))
                await is_up.wait()
                background.append(group.create_task(whip.restore(), name="whip restore"))
                background += [
                    group.create_task(keep(), name="school") for keep in school.background()
                ]
                background += [
                    group.create_task(keep(), name="desks") for keep in desk.background()
                ]
                if demo is not None:
                    await self._open_demo(demo)
                    background.append(group.create_task(demo.keep(), name="demo"))
                listeners = [
                    group.create_task(public.serve([sockets[0]]), name="public listener"),
                    group.create_task(private.serve([sockets[1]]), name="private listener"),
                ]
                await self._wait_listening(public, private)
                await started()
                await self._stop.wait()
                await self._drain(lessons, desk.desks, whip, (public, private))
                await asyncio.wait(listeners)
                if recordings is not None:
                    recordings.link.shutdown = not self._parts.keep_workers
                for task in background:
                    task.cancel()
        finally:
            self._decide_workers(media)

    def _turn(self) -> Turn:
        turn = self._settings.turn
        if not turn.urls:
            return Turn()
        return Turn(turn.urls, turn.secret or self._parts.folder.turn_secret(), turn.ttl_s)

    def _recordings(self, lessons: Lessons) -> Recordings | None:
        settings, folder = self._settings.recording, self._parts.folder
        if not settings.enabled:
            return None
        root = recordings_root(self._settings, folder)
        return Recordings(
            folder.run,
            root,
            folder.lessons,
            lessons.recorder_says,
            settings.keep_days,
            settings.jobs,
            self._parts.recorder,
        )

    def _exporter(self, recordings: Recordings | None, school: SchoolParts) -> Exporter | None:
        if recordings is None:
            return None
        folder, jobs = self._parts.folder, self._settings.recording.jobs
        files, left_out = folder.path / "files", school.consents.left_out
        return Exporter(folder.exports, recordings.root, files, jobs, left_out)

    def _library(
        self,
        school: SchoolParts,
        recordings: Recordings | None,
        lessons: Lessons,
        exporter: Exporter | None,
    ) -> Library | None:
        if recordings is None or exporter is None:
            return None

        async def live(recording: str, name: str) -> bytes | None:
            for host in lessons.hosts.values():
                if host.recording == recording:
                    return await recordings.live_file(host, name)
            return None

        def live_lesson(recording: str) -> str | None:
            return next(
                (h.lesson for h in lessons.hosts.values() if h.recording == recording), None
            )

        library = Library(
            school.database,
            FolderPackages(recordings.root),
            school.keys,
            live,
            partial(_live_manifest, lessons, recordings),
            school.find_slides,
            live_lesson,
            self._parts.folder.proofs,
            self._settings.recording.keep_days,
            exporter,
            FolderStore(self._parts.folder.attachments),
            self._settings.library,
            recordings.transcoder.shares.get,
            school.consents.left_out,
        )
        recordings.library = library
        return library

    def _moments(
        self, lessons: Lessons, school: SchoolParts, recordings: Recordings | None
    ) -> Moments:
        packages = None if recordings is None else FolderPackages(recordings.root)
        live = partial(_live_manifest, lessons, recordings)
        return Moments(
            MomentsParts(lessons.hosts, lessons.records.plan, school.plan_of, live, packages)
        )

    def _looker(
        self,
        lessons: Lessons,
        media: RunningMedia,
        redis: Redis,
        school: SchoolParts,
        recordings: Recordings | None,
    ) -> Looker:
        certificate = self._settings.http.tls_cert
        return Looker(
            LookParts(
                lessons=lessons,
                redis=redis,
                redis_is_ours=not self._settings.redis.url,
                database=school.database,
                workers=media.figures,
                recordings=recordings,
                disk=self._parts.folder.path if recordings is None else recordings.root,
                certificate=Path(certificate) if certificate else None,
            )
        )

    def _whip(
        self, lessons: Lessons, media: RunningMedia, keys: Callable[[], TokenKeys]
    ) -> WhipService:
        origins = self._settings.http.cors_origins
        return WhipService(
            HostDoor(lessons, keys),
            media,
            allow_origin=origins[0] if origins else "null",
            max_viewers=self._settings.lesson.max_viewers_per_token,
        )

    async def _open_school(
        self, stack: AsyncExitStack, lessons: Lessons, keys: KeyFile
    ) -> SchoolParts:
        settings = self._settings
        school = SchoolParts(self._parts.folder, settings, lessons, keys.current)
        stack.callback(school.close)
        await school.start()
        return school

    async def _open_demo(self, demo: Demo) -> None:
        try:
            await demo.ensure()
        except SignalingError as error:
            # Redis may be late; ``Demo.keep`` goes on trying.
            logger.warning("demo lesson not opened yet: %s", error)

    async def _wait_listening(self, *servers: QuietServer) -> None:
        # uvicorn offers no event; it takes a few milliseconds once.
        while not all(server.started for server in servers):  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    async def _drain(
        self, lessons: Lessons, desks: Desks, whip: WhipService, servers: tuple[QuietServer, ...]
    ) -> None:
        logger.info("draining")
        await asyncio.gather(lessons.drain(), desks.drain())
        if not self._parts.keep_workers:
            whip.close()
        for server in servers:
            server.should_exit = True

    def _decide_workers(self, media: RunningMedia) -> None:
        media.shutdown_workers = not self._parts.keep_workers


async def _live_manifest(
    lessons: Lessons, recordings: Recordings | None, lesson: LessonId
) -> Manifest | None:
    """The recording so far of a lesson that runs here."""
    host = lessons.hosts.get(lesson)
    if host is None or recordings is None or not host.recording:
        return None
    return await recordings.live(host)


def install_signals(server: Server, *, keep_workers: bool) -> None:
    """SIGTERM and SIGINT drain; Ctrl-C always ends the workers as well."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, lambda: server.request_stop(keep_workers=keep_workers))
    loop.add_signal_handler(signal.SIGINT, lambda: server.request_stop(keep_workers=False))
