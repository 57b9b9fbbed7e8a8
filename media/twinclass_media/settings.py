"""Settings of the media workers: key, unit, default and reason, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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
        spread_load: with several workers a lesson's viewers go to the least loaded one once
            the worker of its publishers uses this share of its core. A pipe costs each packet
            about what three more viewers cost where it leaves and eight where it arrives
            (measured), so small lessons stay together.
        spread_above: and once it holds this many transports; below it nothing is worth a pipe.
        native: use the compiled send loop where it was built; ``off`` is for comparing.
        echo: look whether what others say comes back by an open microphone; ``off`` where all
            devices hear the same by intention.
        drain_s: a worker without control plane ends after this long: a deploy takes minutes,
            a lesson is not worth keeping without its server for longer.
    """

    bind: tuple[str, ...] = ("127.0.0.1", "::1")
    port: int = 7900
    workers: int = 1
    announce: tuple[str, ...] = ()
    tcp: bool = True
    max_transports: int = 2000
    spread_load: float = 0.35
    spread_above: int = 20
    native: Literal["auto", "off"] = "auto"
    echo: Literal["auto", "off"] = "auto"
    drain_s: float = 600.0
