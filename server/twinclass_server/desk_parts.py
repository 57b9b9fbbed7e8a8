"""Evening desks as the server starts them: plans, school data, hosts, the WebSocket, routes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from twinclass_config import Settings
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.demo import DemoLink
from twinclass_server.demo_desk import DEMO_DESK, demo_desk, desk_links
from twinclass_server.desk.desks import Desks, DesksParts
from twinclass_server.desk.plans import read_desks
from twinclass_server.desk.school import SqlDeskSchool
from twinclass_server.desk.socket import DeskSocket, DeskSocketParts
from twinclass_server.line import Room
from twinclass_server.metrics import Counters
from twinclass_server.recording.help_about import HelpAbout
from twinclass_server.recording.recordings import Recordings
from twinclass_server.roster.database import Database
from twinclass_signaling.desk.state import Session
from twinclass_signaling.ports import MediaPlane
from twinclass_signaling.tokens import TokenKeys


#: What was recorded of live help is deleted after so long, unless a case holds it (domain rule).
HELP_KEPT_DAYS = 30


class DeskParts:
    """All that belongs to desks. ``attach`` comes before ``run``."""

    def __init__(self, settings: Settings, folder: DataFolder, redis: Redis) -> None:
        """Reads the desks' plans.

        Raises:
            DeskPlanProblem: one of them cannot be used.
        """
        self._settings = settings
        self._folder = folder
        plans = read_desks(folder.path / "desks")
        if settings.demo.enabled:
            plans[DEMO_DESK] = demo_desk()
        self.school = SqlDeskSchool(plans)
        self._ended: asyncio.Queue[HelpAbout] = asyncio.Queue()
        self.desks = Desks(
            DesksParts(
                redis=redis,
                settings=settings.lesson,
                owner=folder.node_id(),
                archive_dir=archive_folder(folder),
                wall_clock=time.time,
                school=self.school,
                recorded=self._recorded,
                replicas=settings.redis.replicas,
            )
        )

    def attach(
        self,
        media: MediaPlane,
        database: Database,
        keys: Callable[[], TokenKeys],
        counters: Counters,
        room: Room,
        recordings: Recordings | None,
    ) -> None:
        """Sets what is made after the media plane, whose listener the desks are."""
        self.desks.attach_media(media)
        self.school.attach(database)
        self._keys = keys
        self._recordings = recordings
        lesson = self._settings.lesson
        self._socket = DeskSocketParts(
            desks=self.desks,
            keys=keys,
            counters=counters,
            authenticate_s=lesson.authenticate_s,
            send_queue=lesson.send_queue,
            room=room,
        )

    def routes(self) -> list[BaseRoute]:
        """Returns the routes of the public listener."""

        async def endpoint(socket: WebSocket) -> None:
            await DeskSocket(socket, self._socket).run()

        return [WebSocketRoute("/desk", endpoint)]

    def withdrawn(self, is_revoked: Callable[[str], bool]) -> None:
        """Ends the sessions that came in with withdrawn links."""
        for host in list(self.desks.hosts.values()):
            host.withdraw(is_revoked)

    def background(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """Returns what runs as long as the server does."""
        return [self.desks.run, self._keep_recordings]

    def _recorded(self, evening: EveningId, session: Session, recording: str) -> None:
        title = f"{evening.desk} {evening.day} #{session.number}"
        ended_at = session.ended_at or session.started_at
        self._ended.put_nowait(
            HelpAbout(recording, title, session.started_at, ended_at, HELP_KEPT_DAYS)
        )

    async def _keep_recordings(self) -> None:
        while True:
            kept = await self._ended.get()
            if self._recordings is not None:
                await self._recordings.help_ended(kept)

    def demo_links(self, keys: TokenKeys, now: float) -> list[DemoLink]:
        """Returns the demo desk's links; none where there is no demo."""
        return desk_links(keys, now) if self._settings.demo.enabled else []


def archive_folder(folder: DataFolder) -> Path:
    """Returns where logs and boards of past evenings are."""
    path = folder.path / "evenings"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path
