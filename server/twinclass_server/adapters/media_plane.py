"""The media plane over worker processes: ``ports.MediaPlane`` for the lesson's host.

Two callers meet here: the host, with what the lesson wants, and the workers, with what happens.
Each lesson has a home worker, the least loaded when its first session comes; the rules of a
lesson's media are in ``media_lesson``, what a dead control plane left behind is found by
``media_recovery`` and goes on as it is until its clients are back. This module finds the lesson
and the worker, waits where waiting is due, and turns refusals into errors.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from twinclass_media.settings import MediaSettings
from twinclass_media.worker.messages import (
    Dumped,
    Echo,
    Notification,
    ProducerState,
    Qualities,
    Speakers,
    TransportId,
    TransportState,
    WorkerStatistics,
)
from twinclass_server.adapters.media_context import Fleet, burden
from twinclass_server.adapters.media_lesson import LessonMedia
from twinclass_server.adapters.media_probe import MediaProbe, ProbeTicket
from twinclass_server.adapters.media_recording import RecorderPort
from twinclass_server.adapters.media_recovery import CLAIM_S, find_sessions
from twinclass_server.adapters.renewal import Renewable
from twinclass_server.adapters.worker_client import full, unavailable
from twinclass_server.adapters.worker_link import WorkerLink
from twinclass_server.adapters.worker_load import FULL
from twinclass_server.adapters.worker_supervisor import WorkerSupervisor
from twinclass_server.operations.figures import WorkerFigures
from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import PublishedTrack
from twinclass_signaling.ports import Grant, MediaListener, RecordingWish, Subscription
from twinclass_signaling.sdp.parser import parse, parse_fragment

_log = logging.getLogger(__name__)

#: A client that comes while its worker restarts waits this long before it is told to retry.
WORKER_WAIT_S = 5.0
TICK_S = 1.0


class WorkerMediaPlane:
    """``ports.MediaPlane``; an async context manager that owns the workers' links.

    ``shutdown_workers``: whether leaving ends the workers, or lets their lessons go on for the
    control plane that comes next.
    """

    def __init__(self, settings: MediaSettings, run_dir: Path, listener: MediaListener) -> None:
        self.shutdown_workers = False
        #: Where recordings go; None: nothing is recorded.
        self.recorder: RecorderPort | None = None
        self._settings = settings
        self._listener = listener
        self._supervisor = WorkerSupervisor(settings, run_dir, self)
        self._fleet = Fleet(self._supervisor.links, settings.spread_load, settings.spread_above)
        self._probe = MediaProbe(self._supervisor.links, settings.port)
        self._lessons: dict[LessonId, LessonMedia] = {}
        #: Workers whose dump was searched for what a control plane before us left behind.
        self._searched: set[int] = set()
        #: Lessons found so, and until when their clients may come back.
        self._found: dict[LessonId, float] = {}
        self._watchers: dict[tuple[LessonId, SessionId], Callable[[], None]] = {}
        self._tasks = asyncio.TaskGroup()
        self._ticking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._supervisor.__aenter__()
        await self._tasks.__aenter__()
        self._ticking = self._tasks.create_task(self._tick_for_ever(), name="media-plane-tick")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        self._supervisor.shutdown_workers = self.shutdown_workers
        try:
            await self._tasks.__aexit__(None, None, None)
        finally:
            await self._supervisor.__aexit__(kind, error, traceback)

    def statistics(self) -> list[WorkerStatistics]:
        """The latest counters of each worker that answers, at most some seconds old."""
        return [link.statistics for link in self._supervisor.links if link.statistics is not None]

    @property
    def processes(self) -> Sequence[Renewable]:
        """The workers, which outlive servers."""
        return self._supervisor.links

    def figures(self) -> list[WorkerFigures]:
        """Every worker as it stands, those that are away too."""
        return [
            WorkerFigures(
                link.index,
                link.attached is not None,
                link.cpu_share,
                0 if link.statistics is None else link.statistics.transports,
                0 if link.statistics is None else link.statistics.rss_bytes,
                link.trouble,
                link.is_outdated,
            )
            for link in self._supervisor.links
        ]

    async def open_probes(self) -> list[ProbeTicket]:
        """See ``media_probe``; returns when the workers know them.

        Raises:
            Unavailable: a worker was lost meanwhile.
        """
        tickets = self._probe.mint(asyncio.get_running_loop().time())
        for ticket in tickets:
            problems = await self._supervisor.links[ticket.worker].settle()
            refused = next((p for p in problems if p.id.startswith("probe/")), None)
            if refused is not None:
                raise unavailable(refused.text or refused.code)
        return tickets

    # ---- ports.MediaPlane

    async def open_session(
        self,
        lesson: LessonId,
        session: SessionId,
        participant: ParticipantId,
        video_codecs: Sequence[str],
        *,
        needed: bool = True,
    ) -> bool:
        """See ``ports.MediaPlane``."""
        media = await self._lesson_for(lesson, session, needed=needed)
        return media.open(session, participant, video_codecs)

    async def publish(
        self,
        lesson: LessonId,
        session: SessionId,
        sdp: str,
        tracks: Sequence[PublishedTrack],
    ) -> str:
        """See ``ports.MediaPlane``."""
        offer = parse(sdp)
        media = await self._ready(lesson)
        known = media.session(session)
        answer = media.publishing.publish(known, offer, {t.mid: t.source for t in tracks})
        if known.uplink is not None:
            refused = await self._refusal(media.home.index, known.uplink.transport)
            if refused:
                media.publishing.drop(known)
                raise unavailable(refused)
        # After the caller has passed the answer on: wishes name codecs that it brings.
        asyncio.get_running_loop().call_soon(self._send_wishes, lesson, session)
        return answer

    async def view(
        self, lesson: LessonId, session: SessionId, sdp: str, wanted: Sequence[Subscription]
    ) -> str:
        """See ``ports.MediaPlane``."""
        offer = parse(sdp)
        media = await self._ready(lesson)
        known = media.session(session)
        answer = media.viewing.view(known, offer, wanted)
        if known.downlink is not None:
            refused = await self._refusal(known.downlink.worker, known.downlink.transport)
            if refused:
                media.viewing.drop(known)
                raise unavailable(refused)
        return answer

    def subscribe_answered(self, lesson: LessonId, session: SessionId, n: int, sdp: str) -> None:
        """See ``ports.MediaPlane``."""
        answer = parse(sdp)
        media = self._known(lesson)
        media.viewing.answered(media.session(session), n, answer)

    def subscribe_refused(self, lesson: LessonId, session: SessionId, n: int) -> None:
        """See ``ports.MediaPlane``."""
        media = self._known(lesson)
        media.viewing.refused(media.session(session), n)

    def restart_downlink(self, lesson: LessonId, session: SessionId, fresh: bool) -> None:
        """See ``ports.MediaPlane``."""
        media = self._known(lesson)
        media.viewing.restart_downlink(media.session(session), fresh=fresh)

    def set_grants(
        self, lesson: LessonId, participant: ParticipantId, grants: Sequence[Grant]
    ) -> None:
        """See ``ports.MediaPlane``. May come before the first session of the lesson."""
        media = self._lessons.get(lesson)
        if media is None:
            # No worker may be there yet; the first session chooses again.
            media = self._make_lesson(lesson, self._least_loaded() or self._supervisor.links[0])
        media.publishing.set_grants(participant, grants)

    def set_subscriptions(
        self, lesson: LessonId, session: SessionId, wanted: Sequence[Subscription]
    ) -> None:
        """See ``ports.MediaPlane``."""
        media = self._known(lesson)
        media.viewing.set_subscriptions(media.session(session), wanted)

    def set_recording(self, lesson: LessonId, wish: RecordingWish) -> None:
        """See ``ports.MediaPlane``. Nothing is recorded where there is no recorder."""
        media = self._lessons.get(lesson)
        if media is None:
            media = self._make_lesson(lesson, self._least_loaded() or self._supervisor.links[0])
        if self.recorder is not None:
            media.recording.want(self.recorder, wish)

    def remove_session(self, lesson: LessonId, session: SessionId) -> None:
        """See ``ports.MediaPlane``."""
        media = self._lessons.get(lesson)
        if media is not None:
            media.remove(session)
        self._tell_watchers(lesson, (session,))

    def close_lesson(self, lesson: LessonId) -> None:
        """See ``ports.MediaPlane``."""
        media = self._lessons.pop(lesson, None)
        if media is not None:
            media.close()
        self._tell_watchers(lesson, [session for one, session in self._watchers if one == lesson])

    # ---- for WHIP and WHEP

    def restart_ice(self, lesson: LessonId, session: SessionId, fragment: str) -> str:
        """Takes an SDP fragment: new credentials restart ICE, ours come back; else empty.

        Raises:
            SdpError: malformed.
        """
        wanted = parse_fragment(fragment)
        media = self._known(lesson)
        known = media.session(session)
        if not wanted.ice_ufrag:
            return ""
        restarted = media.restart_ice(known, wanted.ice_ufrag)
        if restarted is None:
            return ""
        worker, credentials = restarted
        attached = worker.attached
        if attached is None:
            return ""  # it is lost, and its client hears so
        lines = [
            "a=ice-lite",
            f"a=ice-ufrag:{credentials.ufrag}",
            f"a=ice-pwd:{credentials.pwd}",
            *credentials.candidates(attached),
            "a=end-of-candidates",
        ]
        return "\r\n".join(lines) + "\r\n"

    def watch_session(self, lesson: LessonId, session: SessionId, lost: Callable[[], None]) -> None:
        """Calls ``lost`` once when the session has ended, by itself or by others."""
        self._watchers[lesson, session] = lost

    def set_label(self, lesson: LessonId, session: SessionId, label: bytes) -> None:
        """Keeps ``label`` where the session's media is, as long as it is there."""
        media = self._known(lesson)
        media.label(media.session(session), label)

    def labels(self) -> list[tuple[LessonId, SessionId, bytes]]:
        """The labels of sessions found on workers that nobody has claimed yet."""
        return [
            (media.id, session.id, session.label)
            for media in self._lessons.values()
            for session in media.sessions.values()
            if session.label and not session.claimed
        ]

    # ---- worker_link.WorkerHandler

    def worker_attached(self, index: int, dumped: Dumped, lost: Sequence[TransportId]) -> None:
        """Takes over what is there, and goes on with what waited for the worker."""
        self._transports_lost(lost)
        if index not in self._searched:
            self._searched.add(index)
            self._take_over(index, dumped)
        for media in self._lessons.values():
            media.worker_attached(index)

    def _take_over(self, index: int, dumped: Dumped) -> None:
        """Adopts what a control plane before us left on a worker."""
        link, now = self._supervisor.links[index], asyncio.get_running_loop().time()
        found = find_sessions(index, dumped, now)
        for transport in found.useless:
            link.remove("transport", transport)
        links = self._supervisor.links
        for lesson, home in found.lessons.items():
            self._found[lesson] = now + CLAIM_S
            if lesson not in self._lessons:
                # With fewer workers than before the home may not be among them.
                self._make_lesson(lesson, links[home] if home < len(links) else link)
        for (lesson, _), session in found.sessions.items():
            self._lessons[lesson].adopt(session)
        for router in found.empty_routers:
            link.remove("router", router)
        if found.sessions:
            _log.info("worker %d holds %d sessions of before", index, len(found.sessions))

    def worker_died(self, index: int, lost: Sequence[TransportId]) -> None:
        """Tells the clients of that worker, and only them."""
        self._searched.add(index)
        self._transports_lost(lost)

    def worker_notified(self, index: int, notification: Notification) -> None:
        """Finds the lesson that a notification concerns."""
        now = asyncio.get_running_loop().time()
        # Names are unique over all workers; what is said of the far ends of pipes is passed over.
        match notification:
            case TransportState():
                for media in self._lessons.values():
                    if media.owns(notification.id):
                        self._tell_watchers(media.id, media.transport_changed(notification))
                        return
                if notification.ice == "closed":
                    self._supervisor.links[index].remove("transport", notification.id)
            case ProducerState():
                for media in self._lessons.values():
                    if media.producer_changed(notification, now):
                        return
            case Speakers():
                for media in self._lessons.values():
                    if media.router == notification.router and media.home.index == index:
                        media.speakers_changed([p for p, _ in notification.producers])
            case Echo():
                for media in self._lessons.values():
                    media.echo_changed(notification)
            case Qualities():
                for media in self._lessons.values():
                    media.links_measured(notification.links)
            case _:
                return

    # ---- inside

    async def _lesson_for(
        self, lesson: LessonId, session: SessionId, *, needed: bool = True
    ) -> LessonMedia:
        """The lesson's media, made on its home worker where it is not known yet.

        Raises:
            Unavailable: no worker, or it is full.
        """
        media = self._lessons.get(lesson)
        home = self._home(media) if media is not None and media.sessions else self._least_loaded()
        if home is None:
            home = self._supervisor.links[0]
        await home.wait_attached(WORKER_WAIT_S)
        media = self._lessons.get(lesson)
        if media is None:
            media = self._make_lesson(lesson, home)
        media.move_home(home)
        # Two transports a session; the worker would refuse the second one later.
        viewers = self._fleet.place(media.home)
        room = self._settings.max_transports
        is_full = media.home.transports >= room or (
            viewers.transports >= room - (viewers is media.home)
        )
        if session not in media.sessions and (is_full or (not needed and viewers.load > FULL)):
            raise full()
        return media

    def _make_lesson(self, lesson: LessonId, home: WorkerLink) -> LessonMedia:
        media = self._lessons[lesson] = LessonMedia(lesson, home, self._listener, self._fleet)
        return media

    def _home(self, media: LessonMedia) -> WorkerLink:
        return self._supervisor.links[media.home.index]

    def _least_loaded(self) -> WorkerLink | None:
        """The worker for a lesson; of two with the same load that with fewer lessons, as several
        may begin at once and nobody has a transport yet."""
        lessons = Counter(media.home.index for media in self._lessons.values() if media.sessions)
        links = [link for link in self._supervisor.links if link.attached is not None]
        return min(links, key=lambda x: (*burden(x), lessons[x.index]), default=None)

    def _known(self, lesson: LessonId) -> LessonMedia:
        media = self._lessons.get(lesson)
        if media is None:
            raise InvalidState("unknown_lesson", "课堂不存在", "no media of this lesson")
        return media

    async def _ready(self, lesson: LessonId) -> LessonMedia:
        media = self._known(lesson)
        await self._home(media).wait_attached(WORKER_WAIT_S)
        return media

    async def _refusal(self, worker: int, transport: TransportId) -> str:
        """Waits until the worker has done all; why it refuses a transport, empty if it takes it.

        Raises:
            Unavailable: the worker was lost meanwhile.
        """
        problems = await self._supervisor.links[worker].settle()
        return next((p.text or p.code for p in problems if p.id == transport), "")

    def _send_wishes(self, lesson: LessonId, session: SessionId) -> None:
        media = self._lessons.get(lesson)
        known = media.sessions.get(session) if media is not None else None
        if media is not None and known is not None:
            media.publishing.send_wishes(known, again=True)

    def _transports_lost(self, lost: Sequence[TransportId]) -> None:
        for media in list(self._lessons.values()):
            self._tell_watchers(media.id, media.transports_lost(lost))

    def _tell_watchers(self, lesson: LessonId, sessions: Sequence[SessionId]) -> None:
        for session in sessions:
            watcher = self._watchers.pop((lesson, session), None)
            if watcher is not None:
                watcher()

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = asyncio.get_running_loop().time()
            self._probe.tick(now)
            for media in list(self._lessons.values()):
                media.tick(now)
            for lesson in [lesson for lesson, until in self._found.items() if now >= until]:
                del self._found[lesson]
                self._release(lesson)

    def _release(self, lesson: LessonId) -> None:
        """Ends what nobody came back for."""
        media = self._lessons.get(lesson)
        if media is None:
            return
        media.release_unclaimed()
        if not media.sessions and not media.publishing.has_grants:
            self.close_lesson(lesson)  # its host has not come either
