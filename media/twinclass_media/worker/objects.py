"""The worker's objects as the control plane wants them: puts, removes, and what follows.

The registry holds the specs, this module the things behind them: peers, producers, rows.
"""

from __future__ import annotations

import secrets
import time
from typing import Protocol

from twinclass_media.errors import SpecError
from twinclass_media.forward.producer import Burst, Producer
from twinclass_media.forward.row import Row
from twinclass_media.statistics import Statistics
from twinclass_media.transport import feedback
from twinclass_media.transport.ingress import Ingress
from twinclass_media.transport.peer import Peer
from twinclass_media.worker import messages as m
from twinclass_media.worker.pipe_board import PipeBoard
from twinclass_media.worker.registry import Registry

#: Reports are spread over this many slots of a second, one tick each.
SLOTS = 10


class ObjectEvents(Protocol):
    """What the engine does when objects change."""

    def queue(self, bursts: list[Burst], at: float) -> None:
        """A row gets something at once."""
        ...

    def ask_keyframes(self, producer: Producer, now: float) -> None:
        """Somebody may wish for a keyframe."""
        ...

    def row_starts(self, peer: Peer, row: Row, now: float) -> None:
        """A row is about to be fed."""
        ...

    def row_changed(self, peer: Peer) -> None:
        """What a row wants has changed, or it ended."""
        ...

    def peer_gone(self, peer: Peer) -> None:
        """A peer is gone."""
        ...

    def producer_silent(self, router: str, producer: str) -> None:
        """A producer was paused or is gone: it does not speak."""
        ...

    def microphone_open(self, router: str, producer: str) -> None:
        """A microphone that is to be watched for echo was opened."""
        ...

    def producer_gone(self, producer: Producer) -> None:
        """A producer is gone: nothing of it waits any more."""
        ...

    def router_gone(self, router: str) -> None:
        """A router is gone."""
        ...


class Objects:
    """Peers, producers and rows by id.

    Attributes:
        owners: producer -> the peer that sends it (none for piped ones).
        slots: peers by the tick of a second in which they are reported to.
    """

    def __init__(
        self,
        ingress: Ingress,
        pipes: PipeBoard,
        statistics: Statistics,
        events: ObjectEvents,
        max_transports: int,
    ) -> None:
        self.registry = Registry()
        self.peers: dict[str, Peer] = {}
        self.producers: dict[str, Producer] = {}
        self.owners: dict[str, Peer] = {}
        self.rows: dict[str, Row] = {}
        self.slots: list[set[Peer]] = [set() for _ in range(SLOTS)]
        self._ingress = ingress
        self._pipes = pipes
        self._statistics = statistics
        self._events = events
        self._max_transports = max_transports

    def put(self, spec: m.Spec, now: float) -> None:
        """Makes an object be as its spec says. Older versions and repeats are nothing.

        Raises:
            SpecError: it cannot be; nothing has changed.
        """
        if not self.registry.is_news(spec):
            return
        self._put(spec, now)
        self.registry.put(spec)

    def _put(self, spec: m.Spec, now: float) -> None:
        if isinstance(spec, m.TransportSpec):
            self._put_transport(spec, now)
        elif isinstance(spec, m.ProducerSpec):
            self._put_producer(spec)
        elif isinstance(spec, m.ConsumerSpec):
            self._put_consumer(spec, now)
        elif isinstance(spec, m.PipedProducerSpec):
            self._put_piped(spec)
        elif isinstance(spec, m.PipeSpec):
            source = self.producers.get(spec.producer)
            known = self._ingress.specs.get(spec.producer)
            if source is None or known is None:
                raise SpecError("no_parent", f"producer {spec.producer} is not here")
            self._pipes.put_out(spec, source, {c.name: c.payload_type for c in known.codecs})

    def _put_transport(self, spec: m.TransportSpec, now: float) -> None:
        if len(spec.appdata) > m.MAX_APPDATA_BYTES:
            raise SpecError("appdata_too_large", f"{len(spec.appdata)} bytes")
        other = self._ingress.by_ufrag.get(spec.ufrag)
        peer = self.peers.get(spec.id)
        if other is not None and other is not peer:
            raise SpecError("ufrag_in_use", spec.id)
        if peer is None:
            if len(self.peers) >= self._max_transports:
                raise SpecError("worker_full", f"{self._max_transports} transports")
            peer = self.peers[spec.id] = Peer(spec, self._statistics, now)
            peer.nack_budget = feedback.NACK_BUDGET
            peer.slot = min(range(SLOTS), key=lambda i: len(self.slots[i]))
            self.slots[peer.slot].add(peer)
        else:
            peer.spec = spec
            # An ICE restart: the pair before is answered until the new one is used.
            newest = list(peer.ufrags)[-1]
            for old in [u for u in peer.ufrags if u not in (newest, spec.ufrag)]:
                del peer.ufrags[old]
                self._ingress.by_ufrag.pop(old, None)
            peer.ufrags[spec.ufrag] = spec.pwd
        self._ingress.by_ufrag[spec.ufrag] = peer
        self._ingress.start_dtls(peer, now)

    def _put_producer(self, spec: m.ProducerSpec) -> None:
        peer = self.peers[spec.transport]
        if not spec.codecs or not spec.encodings:
            raise SpecError("no_codecs", spec.id)
        producer = self.producers.get(spec.id)
        rids = [e.rid for e in spec.encodings]
        if producer is not None and [x.rid for x in producer.layers] != rids:
            self.remove(m.ProducerSpec, spec.id)
            producer = None
        video = spec.kind == "video"
        if producer is None:
            rate = spec.codecs[0].clock_rate
            producer = Producer(spec.id, video, rate, rids, spec.paused)
            self.producers[spec.id] = producer
            self.owners[spec.id] = peer
            peer.producers[spec.id] = producer
        self._ingress.specs[spec.id] = spec
        for layer, encoding in zip(producer.layers, spec.encodings, strict=True):
            if encoding.ssrc and layer.ssrc != encoding.ssrc:
                self._ingress.rebind(peer, producer, layer, encoding.ssrc)
                peer.ssrcs[encoding.ssrc] = (producer, layer, False)
                if encoding.rtx_ssrc:
                    layer.rtx_ssrc = encoding.rtx_ssrc
                    peer.ssrcs[encoding.rtx_ssrc] = (producer, layer, True)
        if producer.paused != spec.paused:
            producer.set_paused(spec.paused)
            if spec.paused:
                self._events.producer_silent(peer.router, spec.id)
        if spec.watch_echo and not (video or spec.paused):
            self._events.microphone_open(peer.router, spec.id)
        self._reconnect_rows(spec.id)

    def _put_consumer(self, spec: m.ConsumerSpec, now: float) -> None:
        peer = self.peers[spec.transport]
        row = self.rows.get(spec.id)
        target = self.producers.get(spec.producer)
        if target is not None and target.video != (spec.kind == "video"):
            raise SpecError("other_kind", spec.id)
        if row is None:
            if spec.ssrc in peer.rows or not spec.codecs:
                raise SpecError("ssrc_in_use", spec.id)
            row = Row(
                peer,
                spec.ssrc,
                spec.rtx_ssrc,
                spec.codecs[0].clock_rate,
                {},
                # RFC 3550 section 5.1: both start at random; below 2**15 leaves SRTP room for
                # late packets before the first wrap.
                secrets.randbits(15),
                secrets.randbits(32),
            )
            row.id = spec.id
            self.rows[spec.id] = row
            peer.rows[spec.ssrc] = row
            if spec.rtx_ssrc:
                peer.rows[spec.rtx_ssrc] = row
        row.priority = spec.priority
        row.payload_types = {c.name: (c.payload_type, c.rtx_payload_type) for c in spec.codecs}
        row.show()
        self.feed(spec, row, now)

    def _put_piped(self, spec: m.PipedProducerSpec) -> None:
        if not spec.codecs or not spec.encodings:
            raise SpecError("no_codecs", spec.id)
        producer = self.producers.get(spec.id)
        if producer is None:
            rids = [e.rid for e in spec.encodings]
            producer = Producer(
                spec.id, spec.kind == "video", spec.codecs[0].clock_rate, rids, spec.paused
            )
            self.producers[spec.id] = producer
            self._pipes.put_in(spec, producer)
        producer.set_paused(spec.paused)
        self._reconnect_rows(spec.id)

    def _reconnect_rows(self, producer: str) -> None:
        """Consumers may have been put before their producer."""
        now = time.monotonic()
        for spec in self.registry.consumers_of(producer):
            self.feed(spec, self.rows[spec.id], now)

    def feed(self, spec: m.ConsumerSpec, row: Row, now: float) -> None:
        """Makes a row be fed as its spec says."""
        peer: Peer = row.peer
        target = self.producers.get(spec.producer) if not spec.paused else None
        if peer.srtp is None:
            target = None  # rows begin when the keys are there
        former: Producer | None = row.producer
        if former is not None and former is not target:
            former.remove(row)
            self._events.row_changed(peer)
        if target is None:
            return
        if row in target.max_layers:
            target.set_max_layer(row, spec.max_layer)
            self._events.row_changed(peer)
        else:
            self._events.row_starts(peer, row, now)
            row.shape = peer.shape(spec.mid, spec.ssrc)
            self._events.queue(target.add(row, spec.max_layer, now), now)
        self._events.ask_keyframes(target, now)

    def remove(self, kind: type[m.Spec], identifier: str) -> None:
        """Removes an object and what belongs to it."""
        for child in self.registry.children(kind, identifier):
            self.remove(type(child), child.id)
        spec = self.registry.remove(kind, identifier)
        if isinstance(spec, m.ConsumerSpec):
            row = self.rows.pop(identifier)
            if row.producer is not None:
                row.producer.remove(row)
            peer: Peer = row.peer
            peer.rows.pop(spec.ssrc, None)
            peer.rows.pop(spec.rtx_ssrc, None)
            self._events.row_changed(peer)
        elif isinstance(spec, m.ProducerSpec | m.PipedProducerSpec):
            self._remove_producer(identifier)
        elif isinstance(spec, m.PipeSpec):
            self._pipes.remove_out(identifier)
        elif isinstance(spec, m.TransportSpec):
            self._remove_peer(identifier)
        elif isinstance(spec, m.RouterSpec):
            self._events.router_gone(identifier)

    def _remove_producer(self, identifier: str) -> None:
        producer = self.producers.pop(identifier, None)
        owner = self.owners.pop(identifier, None)
        if producer is None:
            return
        for row in list(producer.max_layers):
            producer.remove(row)
        for pipe in self._pipes.of(producer):
            self.remove(m.PipeSpec, pipe)
        self._pipes.remove_in(identifier)
        self._ingress.specs.pop(identifier, None)
        self._events.producer_gone(producer)
        if owner is not None:
            owner.producers.pop(identifier, None)
            for ssrc in [s for s, bound in owner.ssrcs.items() if bound[0] is producer]:
                # SRTP's state of it stays: the track may come back with the same SSRC.
                del owner.ssrcs[ssrc]
            self._events.producer_silent(owner.router, identifier)

    def _remove_peer(self, identifier: str) -> None:
        peer = self.peers.pop(identifier, None)
        if peer is not None:
            peer.closed = True
            peer.update_ready(consent=False)
            self.slots[peer.slot].discard(peer)
            self._events.peer_gone(peer)
            self._ingress.forget(peer)

    def connected(self, peer: Peer, now: float) -> None:
        """A peer has keys: its rows begin."""
        for spec in self.registry.children(m.TransportSpec, peer.id):
            if isinstance(spec, m.ConsumerSpec):
                self.feed(spec, self.rows[spec.id], now)

    def mids(self, peer: Peer) -> dict[int, str]:
        """SSRC -> mid of what a peer receives."""
        return {
            spec.ssrc: spec.mid
            for spec in self.registry.children(m.TransportSpec, peer.id)
            if isinstance(spec, m.ConsumerSpec)
        }
