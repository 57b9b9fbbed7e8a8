"""What is sent in one lesson: uplinks, publications, grants, and wishes to publishers.

Effects are desired state for the worker and messages for the listener; nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from twinclass_media.worker.messages import ProducerId, ProducerState
from twinclass_server.adapters.media_context import LessonContext
from twinclass_server.adapters.media_pipes import Pipes
from twinclass_server.adapters.media_publication import Publication
from twinclass_server.adapters.media_session import Credentials, Session, Uplink, draw_u32
from twinclass_server.adapters.media_translate import producer_spec
from twinclass_server.adapters.media_wishes import wishes
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.ports import Grant
from twinclass_signaling.roles import Source
from twinclass_signaling.sdp.description import SessionDescription
from twinclass_signaling.sdp.negotiation import VIDEO_CODECS
from twinclass_signaling.sdp.uplink import UplinkDescription, UplinkTrack, answer_uplink


class Publishing:
    """The publications of a lesson. ``changed(sources, publisher)`` is called when slots that
    want these sources must be fed anew."""

    def __init__(
        self,
        context: LessonContext,
        pipes: Pipes,
        changed: Callable[[set[Source], Session], None],
    ) -> None:
        self._context = context
        self._pipes = pipes
        self._changed = changed
        self._grants: dict[ParticipantId, dict[Source, Grant]] = {}
        self._publications: dict[ProducerId, Publication] = {}
        #: The same by what slots ask for, in the order of publishing.
        self._by_source: dict[tuple[ParticipantId, Source], list[Publication]] = {}
        self._codec = "H264"

    @property
    def has_grants(self) -> bool:
        """The lesson's host has said who may do what."""
        return bool(self._grants)

    @property
    def _preference(self) -> tuple[str, ...]:
        """The codec of the lesson first: a browser that is told of it by a wish only may have sent
        a frame of another by then."""
        return tuple(sorted(VIDEO_CODECS, key=lambda name: name != self._codec))

    def get(self, producer: ProducerId) -> Publication | None:
        """The publication of a producer."""
        return self._publications.get(producer)

    def publish(
        self, session: Session, offer: SessionDescription, sources: dict[str, Source]
    ) -> str:
        """The answer to a client's offer, with its producers put.

        Raises:
            SdpError: the offer asks for what we do not do.
        """
        attached = self._context.attached()
        first = next((m for m in offer.media if m.ice_ufrag and m.fingerprints), None)
        prints = [(f.algorithm, f.value) for f in first.fingerprints] if first else []
        former = session.uplink
        goes_on = former is not None and former.is_continued_by(offer.origin_id, prints)
        if former is not None and goes_on:
            uplink = former
            restarts = first is not None and first.ice_ufrag != former.description.remote.ufrag
            credentials = former.credentials.next() if restarts else former.credentials
            answer, description = answer_uplink(
                offer,
                sources,
                credentials.local(attached),
                origin_id=uplink.origin_id,
                version=uplink.answers + 1,
                video_codecs=self._preference,
            )
            uplink.credentials, uplink.description = credentials, description
        else:
            credentials, origin_id = Credentials.draw(), draw_u32() << 16 | 1
            answer, description = answer_uplink(
                offer,
                sources,
                credentials.local(attached),
                origin_id=origin_id,
                version=1,
                video_codecs=self._preference,
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
                    self._forget(ending)
                    self._context.worker.remove("producer", ending.producer)
            if former is not uplink:
                self._context.owners.pop(former.transport, None)
                self._context.worker.remove("transport", former.transport)
        session.uplink, session.uplink_lost = uplink, False
        self._context.owners[uplink.transport] = session
        self.put_uplink(session)
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
        self._changed({*(p.source for p in uplink.publications.values()), *gone}, session)

    def put_uplink(self, session: Session) -> None:
        """Puts the transport of what a session sends, if there is one."""
        if session.uplink is not None:
            context = self._context
            context.worker.put(session.uplink.spec(session, context.router, context.worker.index))

    def _begin_publication(
        self, session: Session, uplink: Uplink, track: UplinkTrack
    ) -> Publication:
        producer = ProducerId(f"{session.id}:{track.mid}")
        publication = Publication(producer, session.id, session.participant, track)
        uplink.publications[track.mid] = publication
        self.add(publication)
        return publication

    def _is_other(self, publication: Publication, description: UplinkDescription) -> bool:
        track = next(t for t in description.tracks if t.mid == publication.track.mid)
        same_layers = track.encodings == publication.track.encodings
        return track.source != publication.source or not same_layers

    def _put_producer(self, uplink: Uplink, publication: Publication) -> None:
        grant = self.grant_of(publication)
        spec = producer_spec(
            publication.track,
            publication.producer,
            uplink.transport,
            paused=grant is None or not grant.open,
            watch_echo=grant is not None and grant.watch_echo,
        )
        self._context.worker.put(spec)
        self._pipes.published(spec)

    def drop(self, session: Session) -> None:
        """Ends what a session sends."""
        uplink, session.uplink = session.uplink, None
        if uplink is None:
            return
        self._context.owners.pop(uplink.transport, None)
        for publication in uplink.publications.values():
            self._forget(publication)
        self._changed({p.source for p in uplink.publications.values()}, session)
        self._context.worker.remove("transport", uplink.transport)
        for publication in uplink.publications.values():
            self._tell_ended(publication)

    def set_grants(self, participant: ParticipantId, grants: Sequence[Grant]) -> None:
        """Replaces what a participant's sources may do."""
        self._grants[participant] = {grant.source: grant for grant in grants}
        for session in self._context.sessions.values():
            if session.participant == participant and session.uplink is not None:
                for publication in session.uplink.publications.values():
                    self._put_producer(session.uplink, publication)
                self.send_wishes(session)

    def grant_of(self, publication: Publication) -> Grant | None:
        """What a publication may do."""
        return self._grants.get(publication.participant, {}).get(publication.source)

    def send_wishes(self, session: Session, *, again: bool = False) -> None:
        """Tells a publisher how to send, where that has changed."""
        if session.uplink is None:
            return
        for publication in session.uplink.publications.values():
            wish = wishes(
                publication.track, self.grant_of(publication), publication.stopped, self._codec
            )
            if again or wish != publication.sent:
                publication.sent = wish
                self._context.listener.send(self._context.id, session.id, wish)

    def choose_codec(self) -> None:
        """H264 unless somebody here cannot play it; then VP8 for all (design.md 3.1)."""
        codec = "H264" if all(s.decodes("H264") for s in self._context.sessions.values()) else "VP8"
        if codec != self._codec:
            self._codec = codec
            for session in self._context.sessions.values():
                self.send_wishes(session)

    def find(self, participant: ParticipantId, source: Source) -> ProducerId | None:
        """The producer of a source; of two the later."""
        found = self._by_source.get((participant, source))
        return found[-1].producer if found else None

    def add(self, publication: Publication) -> None:
        """Makes a publication known to slots."""
        self._publications[publication.producer] = publication
        key = (publication.participant, publication.source)
        self._by_source.setdefault(key, []).append(publication)

    def _forget(self, publication: Publication) -> None:
        self._publications.pop(publication.producer, None)
        self._pipes.ended(publication.producer)
        key = (publication.participant, publication.source)
        others = [p for p in self._by_source.get(key, ()) if p is not publication]
        if others:
            self._by_source[key] = others
        else:
            self._by_source.pop(key, None)

    def producer_changed(self, state: ProducerState, now: float) -> bool:
        """Takes a producer's layers; False when it is not of this lesson."""
        publication = self._publications.get(state.id)
        if publication is None:
            return False
        publication.layers_changed(state.layers, now)
        if publication.should_start():
            publication.started = True
            self._context.listener.publication_started(
                self._context.id, publication.participant, publication.source
            )
        session = self._context.sessions.get(publication.session)
        if session is not None:
            self.send_wishes(session)
        return True

    def _tell_ended(self, publication: Publication) -> None:
        if publication.started:
            publication.started = False
            self._context.listener.publication_ended(
                self._context.id, publication.participant, publication.source
            )

    def restart_ice(self, session: Session, uplink: Uplink, ufrag: str) -> bool:
        """Takes a peer's new user fragment; False when it is the one we know (WHIP)."""
        remote = uplink.description.remote
        if remote.ufrag == ufrag:
            return False
        remote = msgspec.structs.replace(remote, ufrag=ufrag)
        uplink.description = msgspec.structs.replace(uplink.description, remote=remote)
        uplink.credentials = uplink.credentials.next()
        self.put_uplink(session)
        return True

    def fall_silent(self) -> None:
        """Tells nobody any more that something ended."""
        for publication in self._publications.values():
            publication.started = False

    def tick(self, now: float) -> None:
        """Once a second: sources that fell silent, layers nobody wants."""
        for publication in list(self._publications.values()):
            if publication.silent_since == 0.0:
                publication.silent_since = now  # a replaced connection: its time begins here
            before = publication.stopped
            publication.tick(now)
            if publication.stopped != before:
                self.send_wishes(self._context.sessions[publication.session])
            if publication.should_end(now):
                self._tell_ended(publication)
