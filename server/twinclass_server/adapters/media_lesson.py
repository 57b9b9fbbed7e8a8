"""The media of one lesson on its home worker: who publishes what, who gets it.

Publications and slots meet by (participant, source): a slot that wants a source gets its
producer as soon as there is one, whatever came first. All effects are desired state given to
the worker's link, or messages given to the listener; nothing here waits.

Home worker: all sessions of a lesson are on one worker. With pipes a session may be placed
elsewhere; then only ``_find`` and ``worker`` of the session change (the seam).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import msgspec

from twinclass_media.worker.messages import (
    Attached,
    LinkQuality,
    ObjectKind,
    ProducerId,
    ProducerState,
    RouterId,
    RouterSpec,
    Spec,
    TransportId,
    TransportState,
)
from twinclass_server.adapters.media_publication import Publication
from twinclass_server.adapters.media_quality import quality
from twinclass_server.adapters.media_session import (
    Credentials,
    Downlink,
    Session,
    Uplink,
    draw_u32,
)
from twinclass_server.adapters.media_translate import producer_spec
from twinclass_server.adapters.media_wishes import wishes
from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.messages import MediaLost, Quality, Slots, SubscribeOffer
from twinclass_signaling.ports import Grant, MediaListener, Subscription
from twinclass_signaling.roles import Source
from twinclass_signaling.sdp.description import SessionDescription
from twinclass_signaling.sdp.downlink import DownlinkPool
from twinclass_signaling.sdp.uplink import UplinkDescription, UplinkTrack, answer_uplink
from twinclass_signaling.sdp.viewer import answer_viewer

_log = logging.getLogger(__name__)

#: A page answers ``media_lost`` by asking anew within a round trip; one that does not is
#: offered a new downlink after so many ticks (seconds).
PATIENCE_TICKS = 3


class Worker(Protocol):
    """What a lesson needs of its worker's link."""

    @property
    def attached(self) -> Attached | None:
        """What the worker said of itself; None while it is away."""
        ...

    def put(self, spec: Spec) -> None:
        """Wants an object so."""
        ...

    def remove(self, kind: ObjectKind, identifier: str) -> None:
        """Wants an object gone."""
        ...


class LessonMedia:
    """State and rules of one lesson's media."""

    def __init__(self, lesson: LessonId, worker: Worker, listener: MediaListener) -> None:
        self.id = lesson
        self.router = RouterId(f"lesson/{lesson}")
        self.sessions: dict[SessionId, Session] = {}
        self._worker = worker
        self._listener = listener
        self._grants: dict[ParticipantId, dict[Source, Grant]] = {}
        self._publications: dict[ProducerId, Publication] = {}
        #: The same by what slots ask for, in the order of publishing.
        self._by_source: dict[tuple[ParticipantId, Source], list[Publication]] = {}
        self._owners: dict[TransportId, Session] = {}
        self._codec = "H264"
        self._speakers: tuple[ParticipantId, ...] = ()

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
        self._worker.put(RouterSpec(self.router))
        known = self.sessions.get(session)
        if known is None:
            known = Session(session, self.id, participant)
            self.sessions[session] = known
        known.participant = participant
        known.video_codecs = tuple(video_codecs)
        known.returned = True
        known.patience = 0
        self._choose_codec()
        return known.uplink is not None or known.downlink is not None

    def adopt(self, session: Session) -> None:
        """Takes over a session found on the worker, with publications and slots."""
        self.sessions[session.id] = session
        if session.uplink is not None:
            self._owners[session.uplink.transport] = session
            for publication in session.uplink.publications.values():
                self._add_publication(publication)
        if session.downlink is not None:
            self._owners[session.downlink.transport] = session

    def remove(self, session: SessionId) -> None:
        """Ends a session."""
        known = self.sessions.pop(session, None)
        if known is not None:
            self._drop_uplink(known)
            self._drop_downlink(known)
            self._choose_codec()

    def close(self) -> None:
        """Ends everything."""
        for session in list(self.sessions):
            self.remove(session)
        self._worker.remove("router", self.router)

    # ---- what is sent

    def publish(
        self, session: Session, offer: SessionDescription, sources: dict[str, Source]
    ) -> str:
        """The answer to a client's offer, with its producers put.

        Raises:
            SdpError: the offer asks for what we do not do.
        """
        attached = self._attached()
        first = next((m for m in offer.media if m.ice_ufrag and m.fingerprints), None)
        prints = [(f.algorithm, f.value) for f in first.fingerprints] if first else []
        former = session.uplink
        goes_on = former is not None and former.is_continued_by(offer.origin_id, prints)
        if former is not None and goes_on:
            uplink = former
            restarts = first is not None and first.ice_ufrag != former.description.remote.ufrag
            credentials = Credentials.draw() if restarts else former.credentials
            answer, description = answer_uplink(
                offer,
                sources,
                credentials.local(attached),
                origin_id=uplink.origin_id,
                version=uplink.answers + 1,
            )
            uplink.credentials, uplink.description = credentials, description
        else:
            credentials, origin_id = Credentials.draw(), draw_u32() << 16 | 1
            answer, description = answer_uplink(
                offer, sources, credentials.local(attached), origin_id=origin_id, version=1
            )
            transport, generation = session.next_transport("up")
            uplink = Uplink(transport, credentials, origin_id, description, generation)
        uplink.answers += 1
        self._replace_uplink(session, uplink, description)
        return answer

    def _replace_uplink(
        self, session: Session, uplink: Uplink, description: UplinkDescription
    ) -> None:
        """Puts transport and producers; what the lesson was told of a source goes on."""
        former = session.uplink
        gone: dict[Source, Publication] = {}
        if former is not None:
            keep = {t.mid for t in description.tracks} if former is uplink else set[str]()
            for mid, ending in list(former.publications.items()):
                if mid not in keep or self._is_other(ending, description):
                    gone[ending.source] = former.publications.pop(mid)
                    self._forget_publication(ending)
                    self._worker.remove("producer", ending.producer)
            if former is not uplink:
                self._owners.pop(former.transport, None)
                self._worker.remove("transport", former.transport)
        session.uplink = uplink
        self._owners[uplink.transport] = session
        self._worker.put(uplink.spec(session, self.router))
        for track in description.tracks:
            publication = uplink.publications.get(track.mid)
            if publication is None:
                publication = self._begin_publication(session, uplink, track)
                before = gone.pop(track.source, None)
                if before is not None and before.started:
                    # A new connection for the same source is no end of it, if packets come soon.
                    publication.started = True
                    publication.silent_since = 0.0
            publication.track = track
            self._put_producer(uplink, publication)
        for ending in gone.values():
            self._tell_ended(ending)
        self._connect({*(p.source for p in uplink.publications.values()), *gone}, session)

    def _begin_publication(
        self, session: Session, uplink: Uplink, track: UplinkTrack
    ) -> Publication:
        producer = ProducerId(f"{session.id}:{track.mid}")
        publication = Publication(producer, session.id, session.participant, track)
        uplink.publications[track.mid] = publication
        self._add_publication(publication)
        return publication

    def _is_other(self, publication: Publication, description: UplinkDescription) -> bool:
        track = next(t for t in description.tracks if t.mid == publication.track.mid)
        same_layers = track.encodings == publication.track.encodings
        return track.source != publication.source or not same_layers

    def _put_producer(self, uplink: Uplink, publication: Publication) -> None:
        grant = self._grant(publication)
        spec = producer_spec(
            publication.track,
            publication.producer,
            uplink.transport,
            paused=grant is None or not grant.open,
        )
        self._worker.put(spec)

    def _grant(self, publication: Publication) -> Grant | None:
        return self._grants.get(publication.participant, {}).get(publication.source)

    def set_grants(self, participant: ParticipantId, grants: Sequence[Grant]) -> None:
        """Replaces what a participant's sources may do."""
        self._grants[participant] = {grant.source: grant for grant in grants}
        for session in self.sessions.values():
            if session.participant == participant and session.uplink is not None:
                for publication in session.uplink.publications.values():
                    self._put_producer(session.uplink, publication)
                self.send_wishes(session)

    def send_wishes(self, session: Session, *, again: bool = False) -> None:
        """Tells a publisher how to send, where that has changed."""
        if session.uplink is None:
            return
        for publication in session.uplink.publications.values():
            wish = wishes(
                publication.track, self._grant(publication), publication.stopped, self._codec
            )
            if again or wish != publication.sent:
                publication.sent = wish
                self._listener.send(self.id, session.id, wish)

    def _choose_codec(self) -> None:
        """H264 unless somebody here cannot play it; then VP8 for all (design.md 3.1)."""
        codec = "H264" if all(s.decodes("H264") for s in self.sessions.values()) else "VP8"
        if codec != self._codec:
            self._codec = codec
            for session in self.sessions.values():
                self.send_wishes(session)

    # ---- what is received

    def view(
        self, session: Session, offer: SessionDescription, wanted: Sequence[Subscription]
    ) -> str:
        """The answer to a viewer's own offer (WHEP).

        Raises:
            SdpError: the offer asks for what we do not do.
        """
        credentials = Credentials.draw()
        local = credentials.local(self._attached())
        answer, pool = answer_viewer(offer, wanted, local, draw_u32)
        self._drop_downlink(session)
        transport, generation = session.next_transport("down")
        session.wanted = tuple(wanted)
        session.downlink = Downlink(transport, credentials, pool, generation)
        self._owners[transport] = session
        self._put_downlink(session)
        self._choose_codec()
        return answer

    def set_subscriptions(self, session: Session, wanted: Sequence[Subscription]) -> None:
        """Replaces what a session receives."""
        session.wanted = tuple(wanted)
        downlink = session.downlink
        if session.returned:
            session.returned = False
            self.send_wishes(session, again=True)
            if downlink is not None:
                downlink.pool.lapse()
                downlink.told = ()
        if downlink is not None:
            downlink.pool.want(session.wanted)
        self.advance(session)

    def advance(self, session: Session) -> None:
        """Offers if the pool must grow, tells who is where, feeds the consumers."""
        downlink = session.downlink
        if downlink is None:
            if not session.wanted or session.patience:
                return
            downlink = self._new_downlink(session)
        attached = self._worker.attached
        if attached is not None and downlink.pool.needs_offer():
            self._offer(session, downlink, attached)
        slots = downlink.pool.slots()
        if slots != downlink.told and downlink.placed and not downlink.pool.is_answerer:
            downlink.told = slots
            self._listener.send(self.id, session.id, Slots(slots))
        self._feed(session)

    def _new_downlink(self, session: Session) -> Downlink:
        pool = DownlinkPool.create(draw_u32, session.video_codecs, n=session.offers, fresh=True)
        pool.want(session.wanted)
        transport, generation = session.next_transport("down")
        downlink = Downlink(transport, Credentials.draw(), pool, generation)
        session.downlink = downlink
        self._owners[transport] = session
        return downlink

    def _offer(self, session: Session, downlink: Downlink, attached: Attached) -> None:
        if downlink.pool.restart_wanted and downlink.placed:
            downlink.former, downlink.credentials = downlink.credentials, Credentials.draw()
        offer = downlink.pool.offer(downlink.credentials.local(attached))
        session.offers = offer.n
        downlink.told = offer.slots
        self._put_downlink(session)
        message = SubscribeOffer(offer.n, offer.sdp, offer.slots, offer.fresh)
        self._listener.send(self.id, session.id, message)

    def _put_downlink(self, session: Session) -> None:
        if session.downlink is not None:
            session.downlink.placed = True
            self._worker.put(session.downlink.spec(session, self.router))
            self._feed(session)

    def answered(self, session: Session, n: int, answer: SessionDescription) -> None:
        """Commits an offer.

        Raises:
            SdpError: the answer does not fit the offer.
        """
        downlink = session.downlink
        if downlink is None or not downlink.pool.answered(n, answer):
            return  # a late answer to an offer that is no longer in flight
        downlink.former = None
        self._put_downlink(session)
        self._choose_codec()
        self.advance(session)

    def refused(self, session: Session, n: int) -> None:
        """Rolls an offer back."""
        downlink = session.downlink
        if downlink is None or not downlink.pool.refused(n):
            return
        _log.warning("a page refused downlink offer %d", n)
        if downlink.former is not None:
            downlink.credentials, downlink.former = downlink.former, None
        self._put_downlink(session)
        self.advance(session)

    def restart_downlink(self, session: Session, *, fresh: bool) -> None:
        """Offers again: ICE restart, or for a new peer connection."""
        session.patience = 0
        if fresh or session.downlink is None:
            self._drop_downlink(session)
        else:
            session.downlink.pool.lapse()
            session.downlink.pool.restart()
        self.advance(session)

    def _feed(self, session: Session) -> None:
        """Puts the consumers of committed m-lines, each with its producer."""
        downlink = session.downlink
        if downlink is None or not downlink.placed:
            return
        for section, subscription in downlink.pool.assignments():
            if not section.committed or section.rejected:
                continue
            producer = None
            if subscription is not None and subscription.participant is not None:
                producer = self._find(subscription.participant, subscription.source)
            feed = (producer, subscription, section.codecs)
            # A lesson of 240 asks for 15,000 consumers at each call-on; few of them change.
            if downlink.fed.get(section.mid) != feed:
                downlink.fed[section.mid] = feed
                self._worker.put(downlink.consumer(section, subscription, producer))

    def _find(self, participant: ParticipantId, source: Source) -> ProducerId | None:
        """The producer of a source; of two the later."""
        found = self._by_source.get((participant, source))
        return found[-1].producer if found else None

    def _add_publication(self, publication: Publication) -> None:
        self._publications[publication.producer] = publication
        key = (publication.participant, publication.source)
        self._by_source.setdefault(key, []).append(publication)

    def _forget_publication(self, publication: Publication) -> None:
        self._publications.pop(publication.producer, None)
        key = (publication.participant, publication.source)
        others = [p for p in self._by_source.get(key, ()) if p is not publication]
        if others:
            self._by_source[key] = others
        else:
            self._by_source.pop(key, None)

    def _connect(self, sources: set[Source], publisher: Session) -> None:
        """Feeds every slot that wants one of these sources."""
        for session in self.sessions.values():
            for subscription in session.wanted:
                if (
                    subscription.participant == publisher.participant
                    and subscription.source in sources
                ):
                    self._feed(session)
                    break

    def restart_ice(self, session: Session, ufrag: str) -> Credentials | None:
        """New credentials of ours when the peer has new ones; None when it has not (WHIP)."""
        link = session.uplink or session.downlink
        if isinstance(link, Uplink):
            remote = link.description.remote
            if remote.ufrag == ufrag:
                return None
            link.description = msgspec.structs.replace(
                link.description, remote=msgspec.structs.replace(remote, ufrag=ufrag)
            )
        elif isinstance(link, Downlink):
            if not link.pool.remote_restarted(ufrag):
                return None
        else:
            return None
        link.credentials = Credentials.draw()
        self._worker.put(link.spec(session, self.router))
        return link.credentials

    # ---- ends and losses

    def _drop_uplink(self, session: Session) -> None:
        uplink, session.uplink = session.uplink, None
        if uplink is None:
            return
        self._owners.pop(uplink.transport, None)
        for publication in uplink.publications.values():
            self._forget_publication(publication)
        self._connect({p.source for p in uplink.publications.values()}, session)
        self._worker.remove("transport", uplink.transport)
        for publication in uplink.publications.values():
            self._tell_ended(publication)

    def _drop_downlink(self, session: Session) -> None:
        downlink, session.downlink = session.downlink, None
        if downlink is not None:
            self._owners.pop(downlink.transport, None)
            self._worker.remove("transport", downlink.transport)

    def transports_lost(self, lost: Sequence[TransportId]) -> list[SessionId]:
        """Transports that are gone from the worker: their clients make new ones at once.

        Returns the sessions concerned.
        """
        losses: dict[SessionId, tuple[bool, bool]] = {}
        for transport in lost:
            session = self._owners.get(transport)
            if session is None:
                continue
            up, down = losses.get(session.id, (False, False))
            if session.uplink is not None and session.uplink.transport == transport:
                self._drop_uplink(session)
                up = True
            elif session.downlink is not None and session.downlink.transport == transport:
                self._drop_downlink(session)
                session.patience = PATIENCE_TICKS
                down = True
            losses[session.id] = (up, down)
        for session_id, (up, down) in losses.items():
            self._listener.send(self.id, session_id, MediaLost(up, down))
        return list(losses)

    # ---- what the worker says

    def transport_changed(self, state: TransportState) -> list[SessionId]:
        """Takes a transport's state; returns sessions that lost it."""
        session = self._owners.get(state.id)
        if session is None:
            return []
        if state.ice == "closed" or state.dtls in {"failed", "closed"}:
            _log.info("a transport ended: %s", state.reason or state.dtls)
            return self.transports_lost([state.id])
        if state.ice == "disconnected":
            self._listener.send(self.id, session.id, Quality("lost", 0.0, 1.0))
        return []

    def producer_changed(self, state: ProducerState, now: float) -> None:
        """Takes a producer's layers."""
        publication = self._publications.get(state.id)
        if publication is None:
            return
        publication.layers_changed(state.layers, now)
        if publication.should_start():
            publication.started = True
            self._listener.publication_started(self.id, publication.participant, publication.source)
        session = self.sessions.get(publication.session)
        if session is not None:
            self.send_wishes(session)

    def speakers_changed(self, producers: Sequence[ProducerId]) -> None:
        """Who speaks, loudest first, each person once, and only who may be heard."""
        speaking: list[ParticipantId] = []
        for producer in producers:
            publication = self._publications.get(producer)
            if publication is None or publication.participant in speaking:
                continue
            grant = self._grant(publication)
            if grant is not None and grant.open:
                speaking.append(publication.participant)
        if tuple(speaking) != self._speakers:
            self._speakers = tuple(speaking)
            self._listener.speakers_changed(self.id, self._speakers)

    def links_measured(self, links: Sequence[LinkQuality]) -> None:
        """Tells each client its own line."""
        seen: dict[SessionId, list[LinkQuality]] = {}
        for link in links:
            session = self._owners.get(link.id)
            if session is not None:
                seen.setdefault(session.id, []).append(link)
        for session_id, own in seen.items():
            self._listener.send(self.id, session_id, quality(own))

    def owns(self, transport: TransportId) -> bool:
        """A transport of this lesson."""
        return transport in self._owners

    def has_producer(self, producer: ProducerId) -> bool:
        """A producer of this lesson."""
        return producer in self._publications

    def tick(self, now: float) -> None:
        """Once a second: sources that fell silent, layers nobody wants, pages that wait."""
        for session in self.sessions.values():
            if session.patience:
                session.patience -= 1
                self.advance(session)
        for publication in list(self._publications.values()):
            if publication.silent_since == 0.0:
                publication.silent_since = now  # a replaced connection: its time begins here
            before = publication.stopped
            publication.tick(now)
            if publication.stopped != before:
                self.send_wishes(self.sessions[publication.session])
            if publication.should_end(now):
                self._tell_ended(publication)

    def _tell_ended(self, publication: Publication) -> None:
        if publication.started:
            publication.started = False
            self._listener.publication_ended(self.id, publication.participant, publication.source)

    def _attached(self) -> Attached:
        attached = self._worker.attached
        if attached is None:
            raise InvalidState("no_worker", "内部状态错误", "the worker is away")
        return attached
