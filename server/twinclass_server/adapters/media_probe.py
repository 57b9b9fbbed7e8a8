"""Somebody outside may prove that datagrams come through: a transport that carries nothing.

An ICE agent answers nobody who does not know its password, and that stays so. The operator's
doctor gets a user fragment and a password of a transport of its own on every worker, for ten
minutes; whoever knows them may send the same connectivity checks as a browser. The transport has
no fingerprints, so no DTLS and no media ever start on it; its answer is shorter than its request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct

from twinclass_media.worker.messages import RouterId, RouterSpec, TransportId, TransportSpec
from twinclass_server.adapters.media_session import Credentials
from twinclass_server.adapters.worker_link import WorkerLink

#: Long enough to walk to another machine.
LIFE_S = 600.0
_ROUTER = RouterId("probe")


class ProbeTicket(Struct, frozen=True):
    """What a doctor needs to be answered by a worker's media port."""

    worker: int
    port: int
    ufrag: str
    pwd: str
    life_s: float


@dataclass(slots=True)
class _Open:
    credentials: Credentials
    until: float
    transport: TransportId
    renewed: int = 0


class MediaProbe:
    """At most one open door a worker; a newer one replaces it."""

    def __init__(self, links: Sequence[WorkerLink], first_port: int) -> None:
        self._links = links
        self._first_port = first_port
        self._open: dict[int, _Open] = {}

    def mint(self, now: float) -> list[ProbeTicket]:
        """Opens the door at every worker that answers; returns what opens it."""
        tickets: list[ProbeTicket] = []
        for link in self._links:
            if link.attached is None:
                continue
            self._close(link.index)
            credentials = Credentials.draw()
            transport = TransportId(f"probe/{credentials.ufrag}")
            self._open[link.index] = _Open(credentials, now + LIFE_S, transport)
            self._put(link)
            port = self._first_port + link.index
            tickets.append(
                ProbeTicket(link.index, port, credentials.ufrag, credentials.pwd, LIFE_S)
            )
        return tickets

    def tick(self, now: float) -> None:
        """Closes what is over, and opens again what a worker closed because nobody came."""
        for index, door in list(self._open.items()):
            if now >= door.until:
                self._close(index)
            elif self._links[index].outbox.get("transport", door.transport) is None:
                door.renewed += 1
                door.transport = TransportId(f"probe/{door.credentials.ufrag}/{door.renewed}")
                self._put(self._links[index])

    def _put(self, link: WorkerLink) -> None:
        door = self._open[link.index]
        link.put(RouterSpec(_ROUTER))
        link.put(
            TransportSpec(
                door.transport,
                _ROUTER,
                1,
                ufrag=door.credentials.ufrag,
                pwd=door.credentials.pwd,
            )
        )

    def _close(self, index: int) -> None:
        if self._open.pop(index, None) is not None:
            self._links[index].remove("router", _ROUTER)
