"""What a worker should hold, in order and with versions: the desired state of one worker.

Every put gets a version from one counter, so that the worker can ignore what is old and a
repeated put does no harm. While the worker is away the wish is only remembered; when it is
back, ``reconcile`` turns the difference to its dump into commands. Removing an object forgets
its children too, as the worker does (router > transport > producer, consumer).

Core: no sockets, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from twinclass_media.worker.messages import (
    ConsumerSpec,
    ObjectKind,
    PipedProducerSpec,
    PipeSpec,
    ProducerSpec,
    Remove,
    RouterSpec,
    Spec,
    TransportId,
    TransportSpec,
)

#: Puts in one frame: with the largest appdata still far below the frame limit.
MAX_PUTS = 100

Key = tuple[ObjectKind, str]


@dataclass(slots=True)
class Batch:
    """One ``Apply``: only puts or only removes, so that the order between them is certain."""

    puts: list[Spec] = field(default_factory=list[Spec])
    removes: list[Remove] = field(default_factory=list[Remove])


def key_of(spec: Spec) -> Key:
    """What identifies an object."""
    match spec:
        case RouterSpec():
            return ("router", spec.id)
        case TransportSpec():
            return ("transport", spec.id)
        case ProducerSpec():
            return ("producer", spec.id)
        case ConsumerSpec():
            return ("consumer", spec.id)
        case PipeSpec():
            return ("pipe", spec.id)
        case PipedProducerSpec():
            return ("piped_producer", spec.id)


def parent_of(spec: Spec) -> Key | None:
    """The object it goes with."""
    match spec:
        case TransportSpec() | PipedProducerSpec():
            return ("router", spec.router)
        case ProducerSpec() | ConsumerSpec():
            return ("transport", spec.transport)
        case PipeSpec():
            return ("producer", spec.producer)
        case RouterSpec():
            return None


class WorkerOutbox:
    """Desired objects of one worker, and the commands not yet sent."""

    def __init__(self) -> None:
        self._desired: dict[Key, Spec] = {}
        self._children: dict[Key, set[Key]] = {}
        self._version = 0
        self._queue: list[Batch] = []
        #: How many transports are wanted; asked for at every join.
        self.transports = 0

    def get(self, kind: ObjectKind, identifier: str) -> Spec | None:
        """The wanted state of one object."""
        return self._desired.get((kind, identifier))

    def put(self, spec: Spec) -> bool:
        """Wants an object so; its ``version`` is given here. False when it is so already."""
        key = key_of(spec)
        known = self._desired.get(key)
        if known is not None and _same(known, spec):
            return False
        parent = parent_of(spec)
        if parent is not None and parent not in self._desired:
            return False  # its transport was lost meanwhile; whoever owns it is being told
        self._version += 1
        stamped: Spec = msgspec.structs.replace(spec, version=self._version)
        self._remember(key, stamped)
        self._queue_put(stamped)
        return True

    def remove(self, kind: ObjectKind, identifier: str) -> bool:
        """Wants an object and its children gone. False when it is not wanted anyway."""
        key: Key = (kind, identifier)
        if key not in self._desired:
            return False
        self._forget(key)
        self._queue_remove(key)
        return True

    def take(self) -> list[Batch]:
        """The commands to send now, in order."""
        queue, self._queue = self._queue, []
        return queue

    def adopt(self, specs: Iterable[Spec]) -> None:
        """Takes over what a worker holds from the control plane before us."""
        for spec in specs:
            self._version = max(self._version, spec.version)
            self._remember(key_of(spec), spec)

    def drop_transports(self) -> list[TransportId]:
        """Forgets all transports: the worker is dead, and DTLS with it."""
        lost = [TransportId(i) for kind, i in self._desired if kind == "transport"]
        for transport in lost:
            self._forget(("transport", transport))
        self._queue.clear()
        return lost

    def reconcile(self, dumped: Sequence[Spec]) -> list[TransportId]:
        """Queues the difference between what is wanted and what the worker holds.

        Returns the wanted transports which the worker does not have any more. They are
        forgotten: putting them again would not bring their DTLS back.
        """
        self._queue.clear()
        held = {key_of(spec): spec for spec in dumped}
        self._version = max([self._version, *(spec.version for spec in dumped)])
        lost = [
            TransportId(i)
            for kind, i in self._desired
            if kind == "transport" and ("transport", i) not in held
        ]
        for transport in lost:
            self._forget(("transport", transport))
        for key in held:
            if key not in self._desired:
                self._queue_remove(key)
        for key, spec in list(self._desired.items()):
            other = held.get(key)
            if other is None or other.version < spec.version:
                self._queue_put(spec)
        return lost

    def _queue_put(self, spec: Spec) -> None:
        if not self._queue or self._queue[-1].removes or len(self._queue[-1].puts) >= MAX_PUTS:
            self._queue.append(Batch())
        self._queue[-1].puts.append(spec)

    def _queue_remove(self, key: Key) -> None:
        if not self._queue or self._queue[-1].puts:
            self._queue.append(Batch())
        self._queue[-1].removes.append(Remove(key[0], key[1]))

    def _remember(self, key: Key, spec: Spec) -> None:
        if key[0] == "transport" and key not in self._desired:
            self.transports += 1
        self._desired[key] = spec
        parent = parent_of(spec)
        if parent is not None:
            self._children.setdefault(parent, set()).add(key)

    def _forget(self, key: Key) -> None:
        spec = self._desired.pop(key, None)
        if spec is None:
            return
        if key[0] == "transport":
            self.transports -= 1
        for child in self._children.pop(key, set()):
            self._forget(child)
        parent = parent_of(spec)
        if parent is not None and parent in self._children:
            self._children[parent].discard(key)


def _same(known: Spec, spec: Spec) -> bool:
    return known == msgspec.structs.replace(spec, version=known.version)
