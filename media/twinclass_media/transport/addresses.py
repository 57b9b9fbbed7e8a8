"""Which addresses a worker tells its peers."""

from __future__ import annotations

import ipaddress

import ifaddr

from twinclass_media.settings import MediaSettings
from twinclass_media.transport.sockets import is_wildcard
from twinclass_media.worker.messages import Candidate


def local_addresses() -> list[str]:
    """Addresses of this machine's interfaces that others can reach: no loopback, no link-local."""
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text)
            if not address.is_loopback and not address.is_link_local:
                found.append(text)
    return sorted(found, key=lambda a: (":" in a, a))


def announced_candidates(settings: MediaSettings, index: int) -> tuple[Candidate, ...]:
    """Host candidates of worker ``index``: what is announced by setting, else what is bound."""
    targets: list[tuple[str, int]] = []
    if settings.announce:
        for entry in settings.announce:
            host, _, port = entry.rpartition(":")
            targets.append((host.strip("[]"), int(port) + index))
    else:
        for host in settings.bind:
            hosts = local_addresses() if is_wildcard(host) else [host]
            if is_wildcard(host) and ":" not in host:
                hosts = [h for h in hosts if ":" not in h]
            targets += [(h, settings.port + index) for h in hosts]
    protocols = ("udp", "tcp") if settings.tcp else ("udp",)
    return tuple(
        Candidate(protocol, host, port)  # type: ignore[arg-type]
        for protocol in protocols
        for host, port in targets
    )
