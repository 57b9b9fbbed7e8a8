"""The relay's configuration: a coturn that can reach our media and nothing else (core).

A TURN server passes packets on to where its user says. One that may reach anything is a door into
the network it stands in: by its loopback, by its neighbours, by the cloud's metadata address
(enablesecurity.com, TURN security best practices; CVE-2020-26262). So every peer is denied and our
media addresses are allowed, TCP towards peers does not exist, and what a user may hold is bounded.

coturn 4.6 is what this is written for and tested with: Debian 12's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

#: Two connections, each on at most three interfaces, and as many again while ICE restarts.
USER_QUOTA = 12
#: 8 Mbit/s: a lead who shares a screen, twice over; per allocation, bytes a second.
MOST_BYTES_S = 1_000_000
#: A file descriptor and some 100 KiB of the relay each.
TOTAL_QUOTA = 1200
NONCE_S = 600


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """What differs from relay to relay.

    Attributes:
        host, port: where it listens, TLS over TCP only.
        relay_host: the address from which it sends to our media.
        media: addresses of our media workers; nobody else is reached.
        min_port, max_port: of allocations.
    """

    host: str
    port: int
    relay_host: str
    media: tuple[str, ...]
    realm: str
    certificate: str
    key: str
    secret: str = field(repr=False)
    min_port: int = 49152
    max_port: int = 65535
    user_quota: int = USER_QUOTA
    total_quota: int = TOTAL_QUOTA


def configuration(plan: RelayPlan) -> str:
    """Returns a whole ``turnserver.conf``. It holds the secret: readable by the relay only."""
    lines = [
        "# Written by `twinclass turn-config`. It holds a secret.",
        "# TLS over TCP alone: where datagrams pass, media needs no relay.",
        f"listening-ip={plan.host}",
        f"tls-listening-port={plan.port}",
        "no-udp",
        "no-tcp",
        "no-dtls",
        "no-tlsv1",
        "no-tlsv1_1",
        'cipher-list="ECDHE+AESGCM:ECDHE+CHACHA20"',
        f"cert={plan.certificate}",
        f"pkey={plan.key}",
        "",
        "# Passwords that we hand out, each for minutes.",
        "use-auth-secret",
        f"static-auth-secret={plan.secret}",
        f"realm={plan.realm}",
        "secure-stun",
        f"stale-nonce={NONCE_S}",
        "fingerprint",
        "",
        "# Nobody is reached but our media.",
        f"relay-ip={plan.relay_host}",
        f"min-port={plan.min_port}",
        f"max-port={plan.max_port}",
        *_peers(plan.media),
        "no-multicast-peers",
        "no-tcp-relay",
        "",
        f"user-quota={plan.user_quota}",
        f"total-quota={plan.total_quota}",
        f"max-bps={MOST_BYTES_S}",
        "",
        "# It says nothing of itself and takes no orders.",
        "no-software-attribute",
        "no-stun-backward-compatibility",
        "no-rfc5780",
        "no-cli",
        "simple-log",
        "log-file=stdout",
    ]
    return "\n".join(lines) + "\n"


def _peers(media: Sequence[str]) -> list[str]:
    addresses = [ipaddress.ip_address(one.strip("[]")) for one in media]
    lines = ["denied-peer-ip=0.0.0.0-255.255.255.255"]
    lines.append("denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    # Allowed wins over denied.
    lines += [f"allowed-peer-ip={address}" for address in sorted(set(addresses), key=str)]
    if any(address.is_loopback for address in addresses):
        lines.append("# Media is announced on this machine's own loopback: a trial, not a school.")
        lines.append("allow-loopback-peers")
    return lines
