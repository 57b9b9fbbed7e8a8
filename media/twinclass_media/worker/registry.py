"""The worker's desired state: the latest accepted spec of every object, parents and children.

Pure bookkeeping: what a put replaces, what a remove takes along, in which order a dump lists.
"""

from __future__ import annotations

from collections.abc import Iterator

from twinclass_media.errors import SpecError
from twinclass_media.worker.messages import (
    ConsumerSpec,
    PipedProducerSpec,
    PipeSpec,
    ProducerSpec,
    RouterSpec,
    Spec,
    TransportSpec,
)

#: Order of dumps and of puts that depend on each other.
KINDS: tuple[type[Spec], ...] = (
    RouterSpec,
    TransportSpec,
    ProducerSpec,
    PipedProducerSpec,
    ConsumerSpec,
    PipeSpec,
)
KIND_NAMES: dict[str, type[Spec]] = {
    "router": RouterSpec,
    "transport": TransportSpec,
    "producer": ProducerSpec,
    "piped_producer": PipedProducerSpec,
    "consumer": ConsumerSpec,
    "pipe": PipeSpec,
}


class Registry:
    """Specs by kind and id, indexed by parent and (consumers) by the producer they want."""

    def __init__(self) -> None:
        self._specs: dict[type[Spec], dict[str, Spec]] = {kind: {} for kind in KINDS}
        self._children: dict[tuple[type[Spec], str], dict[tuple[type[Spec], str], None]] = {}
        self._wanting: dict[str, dict[str, None]] = {}

    def get(self, kind: type[Spec], identifier: str) -> Spec | None:
        """Returns a spec, or None."""
        return self._specs[kind].get(identifier)

    def is_news(self, spec: Spec) -> bool:
        """False for a repeat or something older than what is held.

        Raises:
            SpecError: a parent is missing, or the parent would change.
        """
        parent = _parent(spec)
        if parent is not None and self.get(*parent) is None:
            raise SpecError("no_parent", f"{parent[0].__name__} {parent[1]} is not here")
        held = self._specs[type(spec)].get(spec.id)
        if held is None:
            return True
        if _parent(held) != parent:
            raise SpecError("other_parent", f"{spec.id} belongs elsewhere")
        return spec.version > held.version

    def put(self, spec: Spec) -> None:
        """Keeps a spec."""
        kind = type(spec)
        held = self._specs[kind].get(spec.id)
        if isinstance(held, ConsumerSpec):
            self._forget_wish(held)
        self._specs[kind][spec.id] = spec
        parent = _parent(spec)
        if parent is not None:
            self._children.setdefault(parent, {})[kind, spec.id] = None
        if isinstance(spec, ConsumerSpec) and spec.producer:
            self._wanting.setdefault(spec.producer, {})[spec.id] = None

    def remove(self, kind: type[Spec], identifier: str) -> Spec | None:
        """Forgets one object (its children first, by ``children``)."""
        spec = self._specs[kind].pop(identifier, None)
        if spec is None:
            return None
        parent = _parent(spec)
        if parent is not None:
            siblings = self._children[parent]
            del siblings[kind, identifier]
            if not siblings:
                del self._children[parent]
        if isinstance(spec, ConsumerSpec):
            self._forget_wish(spec)
        return spec

    def _forget_wish(self, spec: ConsumerSpec) -> None:
        wanting = self._wanting.get(spec.producer)
        if wanting is not None:
            wanting.pop(spec.id, None)
            if not wanting:
                del self._wanting[spec.producer]

    def children(self, kind: type[Spec], identifier: str) -> list[Spec]:
        """Objects that go when this one goes."""
        return [self._specs[k][i] for k, i in self._children.get((kind, identifier), ())]

    def consumers_of(self, producer: str) -> list[ConsumerSpec]:
        """Consumers that want a producer."""
        consumers = self._specs[ConsumerSpec]
        found = (consumers[i] for i in self._wanting.get(producer, ()))
        return [spec for spec in found if isinstance(spec, ConsumerSpec)]

    def __iter__(self) -> Iterator[Spec]:
        for kind in KINDS:
            yield from list(self._specs[kind].values())


def _parent(spec: Spec) -> tuple[type[Spec], str] | None:
    if isinstance(spec, TransportSpec | PipedProducerSpec):
        return RouterSpec, spec.router
    if isinstance(spec, ProducerSpec | ConsumerSpec):
        return TransportSpec, spec.transport
    return None
