"""Evening desks as the server starts them: plans, school data, hosts, the WebSocket, routes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from twinclass_config import Settings
from twinclass_recordings.manifest import FILE_NAME
from twinclass_recordings.package import Package
from twinclass_server import library_tickets
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.demo import DemoLink
from twinclass_server.demo_desk import DEMO_DESK, demo_children, demo_desk, desk_links
from twinclass_server.desk import references
from twinclass_server.desk.chapters import DeskLibrary
from twinclass_server.desk.consent_watch import ConsentWatch
from twinclass_server.desk.content.audit import Doer
from twinclass_server.desk.content.consents import KINDS
from twinclass_server.desk.content.desk_content import DeskContent
from twinclass_server.desk.content.for_evenings import KeptSchool
from twinclass_server.desk.content.sample import put_sample
from twinclass_server.desk.desks import Desks, DesksParts, day_of
from twinclass_server.desk.help_media import recording_name
from twinclass_server.desk.moments import Moments
from twinclass_server.desk.plans import read_desks
from twinclass_server.desk.recordings import delete_over
from twinclass_server.desk.socket import DeskSocket, DeskSocketParts
from twinclass_server.http.desk_carry import CarryRoutes
from twinclass_server.http.desk_content import DeskContentRoutes
from twinclass_server.http.desk_content import DeskParts as ContentParts
from twinclass_server.http.desk_door import DeskDoor
from twinclass_server.line import Room
from twinclass_server.metrics import Counters
from twinclass_server.recording.help_about import HelpAbout
from twinclass_server.recording.recordings import Recordings
from twinclass_server.roster.database import Database
from twinclass_server.turn import Turn
from twinclass_signaling.desk.commands import Actor
from twinclass_signaling.desk.plan import Desk, DeskId, SessionNumber
from twinclass_signaling.desk.state import Session
from twinclass_signaling.errors import Unavailable
from twinclass_signaling.ids import PersonId
from twinclass_signaling.ports import MediaPlane
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import DeskClaims, TokenKeys

#: What was recorded of live help is deleted after so long, unless a case holds it (domain rule).
HELP_KEPT_DAYS = 30


#: How often recordings that are over are looked for: they are kept for days.
_LOOK_S = 3600.0

logger = logging.getLogger(__name__)


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
        self._plans = plans
        self._ended: asyncio.Queue[HelpAbout] = asyncio.Queue()
        self.desks = Desks(
            DesksParts(
                redis=redis,
                settings=settings.lesson,
                owner=folder.node_id(),
                archive_dir=archive_folder(folder),
                wall_clock=time.time,
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
        moments: Moments,
        library: DeskLibrary | None,
        turn: Turn,
    ) -> None:
        """Sets what is made after the media plane, whose listener the desks are."""
        content = self._content = DeskContent(
            database, self._folder.path / "desk-files", self._folder.proofs
        )
        self.desks.attach(media, KeptSchool(database, content, self._plans))
        self._routes = [
            *DeskContentRoutes(ContentParts(content, keys, self)).routes(),
            *CarryRoutes(
                lambda: [self._plans[name] for name in sorted(self._plans)],
                *(moments, library, DeskDoor(keys, self), self, keys),
            ).routes(),
        ]
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
            turn=turn,
        )

    def routes(self) -> list[BaseRoute]:
        """Returns the routes of the public listener."""

        async def endpoint(socket: WebSocket) -> None:
            await DeskSocket(socket, self._socket).run()

        return [WebSocketRoute("/desk", endpoint), *self._routes]

    # ---- what the routes ask: see ``desk_door.DeskPort``

    def plan(self, desk: str) -> Desk | None:
        """Returns a desk, without tonight's roster."""
        return self._plans.get(DeskId(desk))

    def evening(self, desk: str) -> str:
        """Returns the evening that is on."""
        plan = self.plan(desk)
        return day_of(plan, time.time()) if plan is not None else ""

    def may_see(self, desk: str, claims: DeskClaims, question: int) -> bool:
        """Tells whether somebody may be shown what a question stands for."""
        host = self.desks.find(desk)
        children = tuple(PersonId(child) for child in claims.children)
        actor = Actor(PersonId(claims.sub), claims.role, children)
        return host is not None and references.may_see(host.state, actor, question)

    def contents_of(self, desk: str, question: int) -> Collection[str]:
        """Returns the references of a question."""
        host = self.desks.find(desk)
        return () if host is None else references.contents_of(host.state, question)

    def origin_of(self, desk: str, claims: DeskClaims, question: int) -> str | None:
        """Returns where a question comes from, for whoever may know."""
        host = self.desks.find(desk)
        actor = Actor(PersonId(claims.sub), claims.role)
        return None if host is None else references.origin_of(host.state, actor, question)

    def rates(self, desk: str, claims: DeskClaims, question: int) -> str | None:
        """Returns the tutor whose help a pupil may speak of."""
        host = self.desks.find(desk)
        if host is None:
            return None
        return references.rated_tutor(host.state, PersonId(claims.sub), question)

    def name(self, desk: str, person: str) -> str:
        """Returns how somebody who was here tonight is called by her link."""
        host = self.desks.find(desk)
        known = None if host is None else host.seats.people.get(PersonId(person))
        return "" if known is None else known.name

    def officer(self, desk: str) -> str:
        """Returns whom guardians may turn to."""
        plan = self.plan(desk)
        return "" if plan is None else plan.officer

    def recording_url(self, desk: str, evening: str, session: int, until: float) -> str | None:
        """Returns where a session's recording is played, until a Unix second."""
        name = recording_name(EveningId(DeskId(desk), evening), SessionNumber(session))
        if (
            self._recordings is None
            or not Package.of(self._recordings.root, name).manifest.exists()
        ):
            return None
        ticket = library_tickets.issue_until(self._keys(), name, until)
        return f"/library/media/{ticket}/{name}/{FILE_NAME}"

    # ---- life

    async def prepare(self) -> None:
        """Lets the demo's children in, and gives it a bank.

        Raises:
            Unavailable: the database is away.
        """
        if self._settings.demo.enabled:
            doer = Doer("demo-guardian", Role.GUARDIAN, DEMO_DESK)
            for child in demo_children(self._settings.demo.homes):
                for kind in KINDS:
                    say = partial(self._content.consents.say, doer, child, kind, given=True)
                    await asyncio.to_thread(say)
            evening = self.evening(DEMO_DESK)
            await asyncio.to_thread(put_sample, self._content, DEMO_DESK, evening)

    def withdrawn(self, is_revoked: Callable[[str], bool]) -> None:
        """Ends the sessions that came in with withdrawn links."""
        for host in list(self.desks.hosts.values()):
            host.withdraw(is_revoked)

    def background(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """Returns what runs as long as the server does."""
        return [
            self.desks.run,
            self._keep_recordings,
            self._delete_recordings,
            ConsentWatch(self._content.consents.said, self._consents_said).run,
            *self._content.background(),
        ]

    async def _consents_said(self, child: str) -> None:
        for host in list(self.desks.hosts.values()):
            await host.consents_said(PersonId(child))

    def _recorded(self, evening: EveningId, session: Session, recording: str) -> None:
        title = f"{evening.desk} {evening.day} #{session.number}"
        ended_at = session.ended_at or session.started_at
        self._ended.put_nowait(
            HelpAbout(recording, title, session.started_at, ended_at, HELP_KEPT_DAYS)
        )

    async def _delete_recordings(self) -> None:
        while self._recordings is not None:
            try:
                await asyncio.to_thread(self._delete_over, self._recordings.root)
            except (Unavailable, OSError) as error:
                logger.warning("recordings of live help are not looked through: %s", error)
            await asyncio.sleep(_LOOK_S)

    def _delete_over(self, root: Path) -> None:
        content = self._content
        withdrawn = content.helps.sessions_of(content.consents.withdrawn("recording"))
        delete_over(root, self._folder.proofs, datetime.now(UTC), content.cases.is_held, withdrawn)

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
