"""Settings of the media workers: key, unit, default and reason, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """What a worker is started with; the same for all but for the index.

    Attributes:
        bind: addresses to listen on; ``::`` is IPv4 and IPv6 on all interfaces.
        port: UDP and TCP port of worker 0; worker i adds i.
        workers: processes; one core each.
        announce: ``host:port`` to offer for worker 0 instead of the bound addresses (NAT);
            worker i adds i to the port.
        tcp: also offer ICE-TCP (RFC 6544) on the same port.
        max_transports: peers a worker takes; above it a new one is refused with a reason.
        spread_above: with several workers a lesson's viewers go to the least loaded one once
            the worker of its publishers holds this many transports. A pipe takes each track
            once more through a socket, about what three more viewers cost; 150 viewers of 1.7
            Mbit/s are about half a core, so that there is room for those who publish.
        drain_s: a worker without control plane ends after this long: a deploy takes minutes,
            a lesson is not worth keeping without its server for longer.
    """

    bind: tuple[str, ...] = ("127.0.0.1", "::1")
    port: int = 7900
    workers: int = 1
    announce: tuple[str, ...] = ()
    tcp: bool = True
    max_transports: int = 2000
    spread_above: int = 150
    drain_s: float = 600.0
