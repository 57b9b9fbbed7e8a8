"""The pipes of a worker: which producers leave to other workers and which come from there."""

from __future__ import annotations

import time
from typing import Protocol

from twinclass_media.errors import MalformedPacket, SpecError
from twinclass_media.forward.layer import Layer
from twinclass_media.forward.producer import Producer
from twinclass_media.rtp.packet import RtpPacket
from twinclass_media.statistics import Statistics
from twinclass_media.transport import pipe as wire
from twinclass_media.transport.pipe import PipeIn, PipeOut, PipeSocket
from twinclass_media.worker import messages as m


class PipeEvents(Protocol):
    """What the engine does with what comes through a pipe."""

    def frame_ready(self, producer: Producer, layer: Layer) -> None:
        """A frame is complete: flush."""
        ...

    def frame_held(self, producer: Producer, layer: Layer) -> None:
        """Packets wait for their marker."""
        ...

    def ask_keyframes(self, producer: Producer, now: float) -> None:
        """Sends the keyframe requests that the throttle lets pass."""
        ...

    def producer_changed(self, producer: Producer, now: float) -> None:
        """A producer's layers became (un)wanted."""
        ...


class PipeBoard:
    """Both ends' state. ``socket`` is set by the shell before the first pipe is put."""

    def __init__(self, statistics: Statistics, events: PipeEvents) -> None:
        self.socket: PipeSocket | None = None
        self.losing: dict[Layer, PipeIn] = {}
        self._statistics = statistics
        self._events = events
        self._out: dict[str, PipeOut] = {}
        self._in: dict[str, PipeIn] = {}
        self._out_by_key: dict[bytes, PipeOut] = {}
        self._in_by_key: dict[bytes, PipeIn] = {}

    # ---- desired state

    def put_out(self, spec: m.PipeSpec, producer: Producer, types: dict[str, int]) -> None:
        """Sends a producer to another worker.

        Raises:
            SpecError: this worker has no pipe socket.
        """
        if self.socket is None:
            raise SpecError("no_pipes", "no pipe socket")
        self.remove_out(spec.id)
        pipe = PipeOut(self.socket, producer, spec.socket, spec.remote_producer, types)
        self._out[spec.id] = pipe
        self._out_by_key[pipe.key] = pipe
        producer.taps.append(pipe)
        pipe.ask()

    def put_in(self, spec: m.PipedProducerSpec, producer: Producer) -> None:
        """Feeds a producer from another worker.

        Raises:
            SpecError: this worker has no pipe socket.
        """
        if self.socket is None:
            raise SpecError("no_pipes", "no pipe socket")
        codecs = {c.payload_type: c.name for c in spec.codecs}
        pipe = PipeIn(self.socket, producer, spec.socket, spec.id, codecs)
        self._in[spec.id] = pipe
        self._in_by_key[pipe.key] = pipe

    def remove_out(self, identifier: str) -> None:
        """Stops sending."""
        pipe = self._out.pop(identifier, None)
        if pipe is not None:
            del self._out_by_key[pipe.key]
            pipe.producer.taps.remove(pipe)
            pipe.producer.changed = True

    def remove_in(self, identifier: str) -> None:
        """Stops receiving."""
        pipe = self._in.pop(identifier, None)
        if pipe is not None:
            del self._in_by_key[pipe.key]
            for layer in pipe.producer.layers:
                self.losing.pop(layer, None)

    def of(self, producer: Producer) -> list[str]:
        """Ids of the pipes that a producer feeds."""
        return [name for name, pipe in self._out.items() if pipe.producer is producer]

    # ---- datagrams

    def handle(self, kind: int, key: bytes, layer: int, body: bytes) -> None:
        """Takes one datagram of the pipe socket."""
        now = time.monotonic()
        pipe: PipeIn | PipeOut | None
        if kind in (wire.PACKET, wire.REPORT, wire.ASK):
            pipe = self._in_by_key.get(key)
        else:
            pipe = self._out_by_key.get(key)
        if pipe is None or layer >= len(pipe.producer.layers):
            if kind not in (
                wire.WANTS,
                wire.KEYFRAME,
                wire.ASK,
            ):  # those meet whichever end is there first
                self._statistics.drops["pipe_unknown"] += 1
            return
        target = pipe.producer.layers[layer]
        if isinstance(pipe, PipeIn):
            if kind == wire.PACKET:
                self._packet(pipe, target, body, now)
            elif kind == wire.ASK:
                pipe.tell_wants()
                for waited_for in [x for x in pipe.producer.layers if x.waiting]:
                    pipe.request_keyframe(waited_for)
            elif (report := wire.parse_report(body)) is not None:
                target.reception.add_sender_report(report[0], now)
                target.clock_offset = report[1]
        elif kind == wire.KEYFRAME:
            target.keyframes.wish()
            self._events.ask_keyframes(pipe.producer, now)
        elif kind == wire.MISSING:
            pipe.resend(target, body)
        elif kind == wire.WANTS and body and pipe.wants(body[0], body[1] if body[1:] else 0, now):
            self._events.producer_changed(pipe.producer, now)

    def _packet(self, pipe: PipeIn, layer: Layer, body: bytes, now: float) -> None:
        try:
            packet = RtpPacket(body)
        except MalformedPacket:
            self._statistics.drops["pipe_malformed"] += 1
            return
        codec = pipe.codec(packet.payload_type)
        if codec is None:
            self._statistics.drops["pipe_malformed"] += 1
            return
        self._statistics.packets_in += 1
        self._statistics.bytes_in += len(body)
        if packet.ssrc != layer.ssrc:
            layer.bind(packet.ssrc)
        if not layer.loss.received(packet.sequence_number, now):
            layer.keyframes.wish()
        elif layer.loss.waiting:
            self.losing[layer] = pipe
        if pipe.producer.receive(layer, packet, codec, now):
            self._events.frame_ready(pipe.producer, layer)
        elif layer.pending:
            self._events.frame_held(pipe.producer, layer)

    # ---- time

    def pass_on_wishes(self, producer: Producer, now: float) -> bool:
        """Passes keyframe wishes to the source. False: the producer does not come by pipe."""
        pipe = self._in.get(producer.id)
        if pipe is None:
            return False
        for layer in producer.layers:
            if layer.keyframes.take(now):
                pipe.request_keyframe(layer)
        return True

    def tell_wants(self, producer: Producer) -> None:
        """Tells the source which layers of a piped producer are wanted here."""
        pipe = self._in.get(producer.id)
        if pipe is not None:
            pipe.tell_wants()

    def ask_again(self, now: float) -> None:
        """Asks for what a full socket dropped."""
        for layer, pipe in list(self.losing.items()):
            missing, gave_up = layer.loss.due(now, 0.0)
            if missing:
                pipe.ask_again(layer, missing)
            if gave_up:
                layer.keyframes.wish()
            if not layer.loss.waiting:
                del self.losing[layer]

    def tick(self, now: float) -> None:
        """Once a second: clocks one way, wants the other."""
        for out in self._out.values():
            if out.tick(now):
                self._events.producer_changed(out.producer, now)
        for pipe in self._in.values():
            pipe.tell_wants()
