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
    """Specs by kind and id."""

    def __init__(self) -> None:
        self._specs: dict[type[Spec], dict[str, Spec]] = {kind: {} for kind in KINDS}

    def get(self, kind: type[Spec], identifier: str) -> Spec | None:
        """Returns a spec, or None."""
        return self._specs[kind].get(identifier)

    def count(self, kind: type[Spec]) -> int:
        """How many objects of a kind there are."""
        return len(self._specs[kind])

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
        self._specs[type(spec)][spec.id] = spec

    def remove(self, kind: type[Spec], identifier: str) -> Spec | None:
        """Forgets one object (its children first, by ``children``)."""
        return self._specs[kind].pop(identifier, None)

    def children(self, kind: type[Spec], identifier: str) -> list[Spec]:
        """Objects that go when this one goes."""
        return [spec for spec in self if _parent(spec) == (kind, identifier)]

    def __iter__(self) -> Iterator[Spec]:
        for kind in KINDS:
            yield from list(self._specs[kind].values())


def _parent(spec: Spec) -> tuple[type[Spec], str] | None:
    if isinstance(spec, TransportSpec | PipedProducerSpec):
        return RouterSpec, spec.router
    if isinstance(spec, ProducerSpec | ConsumerSpec):
        return TransportSpec, spec.transport
    return None
