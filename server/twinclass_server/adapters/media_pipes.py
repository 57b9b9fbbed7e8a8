"""Which tracks of a lesson are needed on which other worker, and the pipes that bring them.

All that is published is on the lesson's home worker. A viewer elsewhere is fed from the far end
of a pipe, which is there while any viewer of that worker needs its track. What is needed and
what is published come and go independently, as do the workers: each change puts again what
should be, and the outbox sends only what is different.

    home worker                                   other worker 2
    producer "s:1" --pipe "s:1@2"-->  socket  --> piped producer "s:1@2" --> consumers
"""

from __future__ import annotations

from collections import Counter

from twinclass_media.worker.messages import (
    Encoding,
    PipedProducerSpec,
    PipeSpec,
    ProducerId,
    ProducerSpec,
    RouterSpec,
    TransportId,
)
from twinclass_server.adapters.media_context import LessonContext, Worker


def far_id(producer: ProducerId, worker: int) -> ProducerId:
    """A producer's name on another worker; the pipe to it has the same."""
    return ProducerId(f"{producer}@{worker}")


def near_id(producer: ProducerId, worker: int) -> ProducerId:
    """The name at home of what ``worker`` feeds its viewers with."""
    return ProducerId(producer.removesuffix(f"@{worker}"))


class Pipes:
    """The pipes of one lesson."""

    def __init__(self, context: LessonContext) -> None:
        self._context = context
        #: Far transport -> its worker, and what feeds each of its m-lines.
        self._feeds: dict[TransportId, tuple[int, dict[str, ProducerId]]] = {}
        #: Far worker -> how many m-lines there need a producer.
        self._needed: dict[int, Counter[ProducerId]] = {}
        self._published: dict[ProducerId, ProducerSpec] = {}

    def feed(
        self, worker: Worker, transport: TransportId, mid: str, producer: ProducerId | None
    ) -> ProducerId | None:
        """Notes what feeds an m-line from now on; its name on that m-line's worker."""
        if worker is self._context.worker:
            return producer
        _, mids = self._feeds.setdefault(transport, (worker.index, {}))
        before = mids.get(mid)
        if producer is not None and producer != before:
            needed = self._needed.setdefault(worker.index, Counter())
            needed[producer] += 1
            mids[mid] = producer
            self._connect(producer, worker)
        if before is not None and producer != before:
            if producer is None:
                del mids[mid]
            self._release(before, worker.index)
        return far_id(producer, worker.index) if producer is not None else None

    def drop(self, transport: TransportId) -> None:
        """Forgets a transport and what it needed."""
        worker, mids = self._feeds.pop(transport, (0, {}))
        for producer in mids.values():
            self._release(producer, worker)

    def published(self, spec: ProducerSpec) -> None:
        """Notes a producer as it is now."""
        before = self._published.get(spec.id)
        self._published[spec.id] = spec
        if before is not None and form(before) != form(spec):
            self._disconnect_everywhere(spec.id)
        for worker, needed in self._needed.items():
            if needed[spec.id]:
                self._connect(spec.id, self._context.fleet[worker])

    def published_as(self, producer: ProducerId) -> ProducerSpec | None:
        """A producer as it is now; None when it is gone."""
        return self._published.get(producer)

    def ended(self, producer: ProducerId) -> None:
        """Forgets a producer; who needs it is remembered, as it may come again."""
        if self._published.pop(producer, None) is not None:
            self._disconnect_everywhere(producer)

    def worker_attached(self, index: int) -> None:
        """Puts the pipes of a worker that is back."""
        for worker, needed in self._needed.items():
            if index in (worker, self._context.worker.index):
                for producer in needed:
                    self._connect(producer, self._context.fleet[worker])

    def _connect(self, producer: ProducerId, far: Worker) -> None:
        home, spec = self._context.worker, self._published.get(producer)
        here, there = home.attached, far.attached
        if spec is None or here is None or there is None:
            return  # the one that is missing brings us here again
        name = far_id(producer, far.index)
        far.put(RouterSpec(self._context.router))
        far.put(
            PipedProducerSpec(
                id=name,
                router=self._context.router,
                version=0,
                kind=spec.kind,
                codecs=spec.codecs,
                encodings=tuple(Encoding(e.rid) for e in spec.encodings),
                socket=here.pipe_socket,
                source_producer=producer,
                paused=spec.paused,
            )
        )
        home.put(PipeSpec(name, 0, producer, there.pipe_socket, name))

    def _release(self, producer: ProducerId, worker: int) -> None:
        needed = self._needed[worker]
        needed[producer] -= 1
        if needed[producer] <= 0:
            del needed[producer]
            self._disconnect(producer, worker)

    def _disconnect(self, producer: ProducerId, worker: int) -> None:
        name = far_id(producer, worker)
        self._context.worker.remove("pipe", name)
        self._context.fleet[worker].remove("piped_producer", name)

    def _disconnect_everywhere(self, producer: ProducerId) -> None:
        for worker, needed in self._needed.items():
            if needed[producer]:
                self._disconnect(producer, worker)


def form(spec: ProducerSpec) -> tuple[object, ...]:
    """What both ends of a pipe must agree on."""
    return (spec.kind, spec.codecs, [e.rid for e in spec.encodings])
