"""The media of one lesson: who publishes what, who gets it.

Publications and slots meet by (participant, source): a slot that wants a source gets its
producer as soon as there is one, whatever came first (``media_publishing``, ``media_viewing``).
Here are the sessions, their losses, and what the worker says.

All that is published is on the lesson's home worker. Viewers are there too until it is busy;
those placed elsewhere are fed through pipes (``media_context.Fleet``, ``media_pipes``).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from twinclass_media.worker.messages import (
    Echo,
    LinkQuality,
    ProducerId,
    ProducerState,
    RouterId,
    RouterSpec,
    TransportId,
    TransportState,
)
from twinclass_server.adapters.media_context import Fleet, LessonContext, Worker
from twinclass_server.adapters.media_pipes import Pipes
from twinclass_server.adapters.media_quality import quality
from twinclass_server.adapters.media_recording import LessonRecording
from twinclass_server.adapters.media_session import Credentials, Session
from twinclass_server.adapters.media_viewing import PATIENCE_TICKS, Viewing
from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import MediaLost, Quality
from twinclass_signaling.ports import EchoReport, MediaListener

_log = logging.getLogger(__name__)


class LessonMedia:
    """State and rules of one lesson's media; ``publishing`` and ``viewing`` are its halves."""

    def __init__(
        self, lesson: LessonId, home: Worker, listener: MediaListener, fleet: Fleet
    ) -> None:
        self._context = LessonContext(lesson, home, listener, fleet)
        self.pipes = Pipes(self._context)
        self.viewing = Viewing(self._context, self.pipes)
        self.publishing = self.viewing.publishing
        self.recording = LessonRecording(self._context, self.pipes, self.publishing)
        self._speakers: tuple[ParticipantId, ...] = ()

    @property
    def id(self) -> LessonId:
        """The lesson."""
        return self._context.id

    @property
    def router(self) -> RouterId:
        """Its router."""
        return self._context.router

    @property
    def home(self) -> Worker:
        """The worker of all that is published."""
        return self._context.worker

    def move_home(self, home: Worker) -> None:
        """Chooses another home, while nobody is here yet."""
        if not self.sessions:
            self._context.worker = home

    @property
    def sessions(self) -> dict[SessionId, Session]:
        """The sessions that are open."""
        return self._context.sessions

    # ---- sessions

    def session(self, session: SessionId) -> Session:
        """A session that was opened.

        Raises:
            InvalidState: it was not.
        """
        found = self.sessions.get(session)
        if found is None:
            raise InvalidState("unknown_session", "会话不存在", "this media session is not open")
        return found

    def open(
        self, session: SessionId, participant: ParticipantId, video_codecs: Sequence[str]
    ) -> bool:
        """Makes a session known; True when it has live transports."""
        self._context.worker.put(RouterSpec(self.router))
        known = self.sessions.get(session)
        if known is None:
            known = Session(session, self.id, participant)
            self.sessions[session] = known
        known.participant = participant
        known.video_codecs = tuple(video_codecs)
        known.returned = True
        known.claimed = True
        known.patience = 0
        self.publishing.choose_codec()
        return known.uplink is not None or known.downlink is not None

    def adopt(self, found: Session) -> None:
        """Takes over a session found on a worker, with publications and slots; its other
        transport may have been found on another one. It goes on as it is until it is claimed."""
        session = self.sessions.setdefault(found.id, found)
        session.generation = max(session.generation, found.generation)
        session.offers = max(session.offers, found.offers)
        if found.uplink is not None:
            session.uplink = found.uplink
            self._context.owners[found.uplink.transport] = session
            for publication in found.uplink.publications.values():
                self.publishing.add(publication)
        if found.downlink is not None:
            session.downlink = found.downlink
            self.viewing.adopt(session, found.downlink)

    def release_unclaimed(self) -> None:
        """Ends the sessions for which nobody came back."""
        for session in [s.id for s in self.sessions.values() if not s.claimed]:
            self.remove(session)

    def label(self, session: Session, label: bytes) -> None:
        """Notes what the session's owner wants to find again after a restart."""
        session.label = label
        self.publishing.put_uplink(session)
        self.viewing.put_downlink(session)

    def remove(self, session: SessionId) -> None:
        """Ends a session."""
        known = self.sessions.pop(session, None)
        if known is not None:
            self.publishing.drop(known)
            self.viewing.drop(known)
            self.publishing.choose_codec()

    def close(self) -> None:
        """Ends everything; the lesson is over, so no end of a source is told any more."""
        self.publishing.fall_silent()
        for session in list(self.sessions):
            self.remove(session)
        for worker in self._context.fleet:
            worker.remove("router", self.router)

    def restart_ice(self, session: Session, ufrag: str) -> tuple[Worker, Credentials] | None:
        """New credentials of ours when the peer has new ones; None when it has not."""
        uplink, downlink = session.uplink, session.downlink
        if uplink is not None:
            restarted = self.publishing.restart_ice(session, uplink, ufrag)
            return (self.home, uplink.credentials) if restarted else None
        if downlink is not None and self.viewing.restart_ice(session, downlink, ufrag):
            return self._context.fleet[downlink.worker], downlink.credentials
        return None

    def transports_lost(self, lost: Sequence[TransportId]) -> list[SessionId]:
        """Transports that are gone from the worker: their clients make new ones at once.

        Returns the sessions concerned.
        """
        losses: dict[SessionId, tuple[bool, bool]] = {}
        for transport in lost:
            session = self._context.owners.get(transport)
            if session is None:
                continue
            up, down = losses.get(session.id, (False, False))
            if session.uplink is not None and session.uplink.transport == transport:
                self.publishing.drop(session)
                session.uplink_lost = True
                up = True
            elif session.downlink is not None and session.downlink.transport == transport:
                self.viewing.drop(session)
                session.patience = PATIENCE_TICKS
                down = True
            losses[session.id] = (up, down)
        for session_id, (up, down) in losses.items():
            self._context.listener.send(self.id, session_id, MediaLost(up, down))
        return list(losses)

    # ---- what the workers say

    def worker_attached(self, index: int) -> None:
        """Goes on with what waited for a worker."""
        self.pipes.worker_attached(index)
        if index == self.home.index:
            self.recording.worker_attached()
        for session in list(self.sessions.values()):
            self.viewing.advance(session)

    def transport_changed(self, state: TransportState) -> list[SessionId]:
        """Takes a transport's state; returns sessions that lost it."""
        session = self._context.owners.get(state.id)
        if session is None:
            return []
        if state.ice == "closed" or state.dtls in {"failed", "closed"}:
            _log.info("a transport ended: %s", state.reason or state.dtls)
            return self.transports_lost([state.id])
        if state.ice == "disconnected":
            self._context.listener.send(self.id, session.id, Quality("lost", 0.0, 1.0))
        return []

    def producer_changed(self, state: ProducerState, now: float) -> bool:
        """Takes a producer's layers; False when it is not of this lesson."""
        known = self.publishing.producer_changed(state, now)
        if known:
            self.recording.update()
        return known

    def speakers_changed(self, producers: Sequence[ProducerId]) -> None:
        """Who speaks, loudest first, each person once, and only who may be heard."""
        speaking: list[ParticipantId] = []
        for producer in producers:
            publication = self.publishing.get(producer)
            if publication is None or publication.participant in speaking:
                continue
            grant = self.publishing.grant_of(publication)
            if grant is not None and grant.open:
                speaking.append(publication.participant)
        if tuple(speaking) != self._speakers:
            self._speakers = tuple(speaking)
            self._context.listener.speakers_changed(self.id, self._speakers)

    def echo_changed(self, echo: Echo) -> None:
        """Tells the lesson what comes back by a microphone of it."""
        publication = self.publishing.get(echo.producer)
        if publication is None:
            return
        trouble = None if echo.trouble == "none" else echo.trouble
        report = EchoReport(trouble, echo.age_s, echo.lag_s, echo.gain_db)
        self._context.listener.echo_changed(self.id, publication.participant, report)

    def links_measured(self, links: Sequence[LinkQuality]) -> None:
        """Tells each client its own line. Its two transports may be on two workers, which say
        so at different times."""
        seen: dict[SessionId, Session] = {}
        for link in links:
            session = self._context.owners.get(link.id)
            if session is not None:
                session.links[link.id] = link
                seen[session.id] = session
        for session in seen.values():
            session.links = {x: link for x, link in session.links.items() if self.owns(x)}
            own = quality(list(session.links.values()), session.pictures())
            self._context.listener.send(self.id, session.id, own)

    def owns(self, transport: TransportId) -> bool:
        """A transport of this lesson."""
        return transport in self._context.owners

    def tick(self, now: float) -> None:
        """Once a second."""
        self.viewing.tick()
        self.publishing.tick(now)
        self.recording.update()
