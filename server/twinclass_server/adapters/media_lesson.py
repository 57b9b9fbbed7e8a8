"""The media of one lesson on its home worker: who publishes what, who gets it.

Publications and slots meet by (participant, source): a slot that wants a source gets its
producer as soon as there is one, whatever came first (``media_publishing``, ``media_viewing``).
Here are the sessions, their losses, and what the worker says.

Home worker: all sessions of a lesson are on one worker. With pipes a session may be placed
elsewhere; then ``Publishing.find`` and the session's worker change (the seam).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from twinclass_media.worker.messages import (
    LinkQuality,
    ProducerId,
    ProducerState,
    RouterId,
    RouterSpec,
    TransportId,
    TransportState,
)
from twinclass_server.adapters.media_context import LessonContext, Worker
from twinclass_server.adapters.media_quality import quality
from twinclass_server.adapters.media_session import Credentials, Session
from twinclass_server.adapters.media_viewing import PATIENCE_TICKS, Viewing
from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import MediaLost, Quality
from twinclass_signaling.ports import MediaListener

_log = logging.getLogger(__name__)


class LessonMedia:
    """State and rules of one lesson's media; ``publishing`` and ``viewing`` are its halves."""

    def __init__(self, lesson: LessonId, worker: Worker, listener: MediaListener) -> None:
        self._context = LessonContext(lesson, worker, listener)
        self.viewing = Viewing(self._context)
        self.publishing = self.viewing.publishing
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
        known.patience = 0
        self.publishing.choose_codec()
        return known.uplink is not None or known.downlink is not None

    def adopt(self, session: Session) -> None:
        """Takes over a session found on the worker, with publications and slots."""
        self.sessions[session.id] = session
        if session.uplink is not None:
            self._context.owners[session.uplink.transport] = session
            for publication in session.uplink.publications.values():
                self.publishing.add(publication)
        if session.downlink is not None:
            self._context.owners[session.downlink.transport] = session

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
        self._context.worker.remove("router", self.router)

    def restart_ice(self, session: Session, ufrag: str) -> Credentials | None:
        """New credentials of ours when the peer has new ones; None when it has not."""
        uplink, downlink = session.uplink, session.downlink
        if uplink is not None:
            restarted = self.publishing.restart_ice(session, uplink, ufrag)
            return uplink.credentials if restarted else None
        if downlink is not None and self.viewing.restart_ice(session, downlink, ufrag):
            return downlink.credentials
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

    # ---- what the worker says

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
        return self.publishing.producer_changed(state, now)

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

    def links_measured(self, links: Sequence[LinkQuality]) -> None:
        """Tells each client its own line."""
        seen: dict[SessionId, list[LinkQuality]] = {}
        for link in links:
            session = self._context.owners.get(link.id)
            if session is not None:
                seen.setdefault(session.id, []).append(link)
        for session_id, own in seen.items():
            self._context.listener.send(self.id, session_id, quality(own))

    def owns(self, transport: TransportId) -> bool:
        """A transport of this lesson."""
        return transport in self._context.owners

    def tick(self, now: float) -> None:
        """Once a second."""
        self.viewing.tick()
        self.publishing.tick(now)
