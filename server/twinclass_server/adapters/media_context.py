"""What the parts of one lesson's media share: its workers, its listener, its sessions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twinclass_media.worker.messages import Attached, ObjectKind, RouterId, Spec, TransportId
from twinclass_server.adapters.media_session import Session
from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import LessonId, SessionId
from twinclass_signaling.ports import MediaListener


class Worker(Protocol):
    """What a lesson needs of a worker's link."""

    @property
    def index(self) -> int:
        """Its number."""
        ...

    @property
    def transports(self) -> int:
        """How many transports are wanted on it."""
        ...

    @property
    def load(self) -> float:
        """How much of its core it uses, 0 to 1."""
        ...

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


def router_of(lesson: LessonId) -> RouterId:
    """The name of a lesson's router."""
    return RouterId(f"lesson/{lesson}")


def burden(worker: Worker) -> tuple[float, int]:
    """Orders workers by how much they have to do. In steps: a percent is noise."""
    return round(worker.load, 1), worker.transports


class Fleet:
    """The workers, and where a viewer goes.

    Viewers stay with the publishers until their worker is busy: a pipe costs every track a
    second time through a socket, which is worth it only when a core is short.
    """

    def __init__(self, workers: Sequence[Worker], spread_load: float, spread_above: int) -> None:
        self._workers = workers
        self._spread_load = spread_load
        self._spread_above = spread_above

    def __getitem__(self, index: int) -> Worker:
        return self._workers[index]

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._workers)

    def place(self, home: Worker) -> Worker:
        """The worker for a new downlink of a lesson with this home."""
        is_small = home.transports <= self._spread_above
        if home.attached is None or is_small or home.load < self._spread_load:
            return home
        release = home.attached.release
        others = [
            w
            for w in self._workers
            # Pipes between workers of before and after an update may not understand each other.
            if w.attached is not None and w is not home and w.attached.release == release
        ]
        return min([home, *others], key=burden)


@dataclass(slots=True)
class LessonContext:
    """One lesson. ``worker`` is its home: all that is published is there."""

    id: LessonId
    worker: Worker
    listener: MediaListener
    fleet: Fleet
    sessions: dict[SessionId, Session] = field(default_factory=dict[SessionId, Session])
    #: Which session a transport belongs to.
    owners: dict[TransportId, Session] = field(default_factory=dict[TransportId, Session])

    @property
    def router(self) -> RouterId:
        """The lesson's router on its worker."""
        return router_of(self.id)

    def attached(self, worker: Worker | None = None) -> Attached:
        """What the home worker, or another one, said of itself.

        Raises:
            InvalidState: it is away; the caller should have waited.
        """
        attached = (worker or self.worker).attached
        if attached is None:
            raise InvalidState("no_worker", "内部状态错误", "the worker is away")
        return attached
