"""What the parts of one lesson's media share: its worker, its listener, its sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from twinclass_media.worker.messages import Attached, ObjectKind, RouterId, Spec, TransportId
from twinclass_server.adapters.media_session import Session
from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import LessonId, SessionId
from twinclass_signaling.ports import MediaListener


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


def router_of(lesson: LessonId) -> RouterId:
    """The name of a lesson's router."""
    return RouterId(f"lesson/{lesson}")


@dataclass(slots=True)
class LessonContext:
    """One lesson on its home worker."""

    id: LessonId
    worker: Worker
    listener: MediaListener
    sessions: dict[SessionId, Session] = field(default_factory=dict[SessionId, Session])
    #: Which session a transport belongs to.
    owners: dict[TransportId, Session] = field(default_factory=dict[TransportId, Session])

    @property
    def router(self) -> RouterId:
        """The lesson's router on its worker."""
        return router_of(self.id)

    def attached(self) -> Attached:
        """What the worker said of itself.

        Raises:
            InvalidState: it is away; the caller should have waited.
        """
        attached = self.worker.attached
        if attached is None:
            raise InvalidState("no_worker", "内部状态错误", "the worker is away")
        return attached
