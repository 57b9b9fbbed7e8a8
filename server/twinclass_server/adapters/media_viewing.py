"""What is received in one lesson: downlinks, their offers, and who is in which slot.

Effects are desired state for the worker and messages for the listener; nothing here waits.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from twinclass_media.worker.messages import Attached, RouterSpec
from twinclass_server.adapters.media_context import LessonContext, Worker
from twinclass_server.adapters.media_pipes import Pipes
from twinclass_server.adapters.media_publishing import Publishing
from twinclass_server.adapters.media_session import Credentials, Downlink, Session, draw_u32
from twinclass_signaling.messages import MediaLost, Slots, SubscribeOffer
from twinclass_signaling.ports import Subscription
from twinclass_signaling.roles import Source
from twinclass_signaling.sdp.description import SessionDescription
from twinclass_signaling.sdp.downlink import DownlinkPool
from twinclass_signaling.sdp.viewer import answer_viewer

_log = logging.getLogger(__name__)

#: A page answers ``media_lost`` by asking anew within a round trip; one that does not is
#: offered a new downlink after so many ticks (seconds).
PATIENCE_TICKS = 3


class Viewing:
    """The downlinks of a lesson."""

    def __init__(self, context: LessonContext, pipes: Pipes) -> None:
        self._context = context
        self._pipes = pipes
        self._publishing = Publishing(context, pipes, self.connect)

    @property
    def publishing(self) -> Publishing:
        """The other half, whose changes feed our slots."""
        return self._publishing

    def view(
        self, session: Session, offer: SessionDescription, wanted: Sequence[Subscription]
    ) -> str:
        """The answer to a viewer's own offer (WHEP).

        Raises:
            SdpError: the offer asks for what we do not do.
        """
        credentials = Credentials.draw()
        worker = self._context.fleet.place(self._context.worker)
        local = credentials.local(self._context.attached(worker))
        answer, pool = answer_viewer(offer, wanted, local, draw_u32)
        self.drop(session)
        transport, generation = session.next_transport("down")
        session.wanted = tuple(wanted)
        session.downlink = Downlink(transport, credentials, pool, generation, worker.index)
        self._context.owners[transport] = session
        self.put_downlink(session)
        self._publishing.choose_codec()
        return answer

    def set_subscriptions(self, session: Session, wanted: Sequence[Subscription]) -> None:
        """Replaces what a session receives."""
        session.wanted = tuple(wanted)
        downlink = session.downlink
        if session.returned:
            session.returned = False
            self._publishing.send_wishes(session, again=True)
            if session.uplink_lost:
                lost = MediaLost(uplink=True, downlink=False)
                self._context.listener.send(self._context.id, session.id, lost)
            if downlink is not None:
                downlink.pool.lapse()
                downlink.told = ()
        if downlink is not None:
            downlink.pool.want(session.wanted)
        self.advance(session)

    def advance(self, session: Session) -> None:
        """Offers if the pool must grow, tells who is where, feeds the consumers."""
        downlink = session.downlink
        if not session.claimed:
            return
        if downlink is None:
            if not session.wanted or session.patience:
                return
            downlink = self._new_downlink(session)
        attached = self._worker_of(downlink).attached
        if attached is not None and downlink.pool.needs_offer():
            self._offer(session, downlink, attached)
        slots = downlink.pool.slots()
        if slots != downlink.told and downlink.placed and not downlink.pool.is_answerer:
            downlink.told = slots
            self._context.listener.send(self._context.id, session.id, Slots(slots))
        self._feed(session)

    def _new_downlink(self, session: Session) -> Downlink:
        pool = DownlinkPool.create(draw_u32, session.video_codecs, n=session.offers, fresh=True)
        pool.want(session.wanted)
        transport, generation = session.next_transport("down")
        worker = self._context.fleet.place(self._context.worker)
        downlink = Downlink(transport, Credentials.draw(), pool, generation, worker.index)
        session.downlink = downlink
        self._context.owners[transport] = session
        return downlink

    def _offer(self, session: Session, downlink: Downlink, attached: Attached) -> None:
        if downlink.pool.restart_wanted and downlink.placed:
            former = downlink.credentials
            downlink.former, downlink.credentials = former, former.next()
        offer = downlink.pool.offer(downlink.credentials.local(attached))
        session.offers = offer.n
        downlink.told = offer.slots
        self.put_downlink(session)
        message = SubscribeOffer(offer.n, offer.sdp, offer.slots, offer.fresh)
        self._context.listener.send(self._context.id, session.id, message)

    def put_downlink(self, session: Session) -> None:
        """Puts the transport of what a session receives, if there is one, and its consumers."""
        downlink, context = session.downlink, self._context
        if downlink is not None:
            downlink.placed = True
            worker = self._worker_of(downlink)
            worker.put(RouterSpec(context.router))
            worker.put(downlink.spec(session, context.router, context.worker.index))
            self._feed(session)

    def _worker_of(self, downlink: Downlink) -> Worker:
        return self._context.fleet[downlink.worker]

    def adopt(self, session: Session, downlink: Downlink) -> None:
        """Takes over a downlink found on its worker, with what it is fed with."""
        self._context.owners[downlink.transport] = session
        for mid, producer in downlink.held.items():
            self._pipes.feed(self._worker_of(downlink), downlink.transport, mid, producer)

    def answered(self, session: Session, n: int, answer: SessionDescription) -> None:
        """Commits an offer.

        Raises:
            SdpError: the answer does not fit the offer.
        """
        downlink = session.downlink
        if downlink is None or not downlink.pool.answered(n, answer):
            return  # a late answer to an offer that is no longer in flight
        downlink.former = None
        self.put_downlink(session)
        self._publishing.choose_codec()
        self.advance(session)

    def refused(self, session: Session, n: int) -> None:
        """Rolls an offer back."""
        downlink = session.downlink
        if downlink is None or not downlink.pool.refused(n):
            return
        _log.warning("a page refused downlink offer %d", n)
        if downlink.pool.must_begin_anew:
            self.restart_downlink(session, fresh=True)
            return
        if downlink.former is not None:
            downlink.credentials, downlink.former = downlink.former, None
        self.put_downlink(session)
        self.advance(session)

    def restart_downlink(self, session: Session, *, fresh: bool) -> None:
        """Offers again: ICE restart, or for a new peer connection."""
        session.patience = 0
        if fresh or session.downlink is None:
            self.drop(session)
        else:
            session.downlink.pool.lapse()
            session.downlink.pool.restart()
        self.advance(session)

    def _feed(self, session: Session) -> None:
        """Puts the consumers of committed m-lines, each with its producer."""
        downlink = session.downlink
        if downlink is None or not downlink.placed or not session.claimed:
            return
        worker = self._worker_of(downlink)
        for section, subscription in downlink.pool.assignments():
            if not section.committed or section.rejected:
                continue
            producer = None
            if subscription is not None and subscription.participant is not None:
                producer = self._publishing.find(subscription.participant, subscription.source)
            feed = (producer, subscription, section.codecs)
            # A lesson of 240 asks for 15,000 consumers at each call-on; few of them change.
            if downlink.fed.get(section.mid) != feed:
                downlink.fed[section.mid] = feed
                name = self._pipes.feed(worker, downlink.transport, section.mid, producer)
                worker.put(downlink.consumer(section, subscription, name))

    def connect(self, sources: set[Source], publisher: Session) -> None:
        """Feeds every slot that wants one of these sources."""
        for session in self._context.sessions.values():
            for subscription in session.wanted:
                if (
                    subscription.participant == publisher.participant
                    and subscription.source in sources
                ):
                    self._feed(session)
                    break

    def drop(self, session: Session) -> None:
        """Ends what a session receives."""
        downlink, session.downlink = session.downlink, None
        if downlink is not None:
            self._context.owners.pop(downlink.transport, None)
            self._worker_of(downlink).remove("transport", downlink.transport)
            self._pipes.drop(downlink.transport)

    def restart_ice(self, session: Session, downlink: Downlink, ufrag: str) -> bool:
        """Takes a peer's new user fragment; False when it is the one we know (WHEP)."""
        if not downlink.pool.remote_restarted(ufrag):
            return False
        downlink.credentials = downlink.credentials.next()
        self.put_downlink(session)
        return True

    def tick(self) -> None:
        """Once a second: pages that do not ask for a new downlink are offered one."""
        for session in self._context.sessions.values():
            if session.patience:
                session.patience -= 1
                self.advance(session)
