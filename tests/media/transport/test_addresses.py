"""Which addresses are announced instead of the bound ones."""

from __future__ import annotations

from twinclass_media.settings import MediaSettings
from twinclass_media.transport.addresses import announced_candidates
from twinclass_media.worker.messages import Candidate


def test_announced_addresses_take_the_place_of_bound_ones() -> None:
    """So a relay or a NAT stands before the worker, and nobody learns the worker's own port."""
    settings = MediaSettings(
        bind=("127.0.0.1",), port=18302, announce=("127.0.0.1:18310", "[::1]:18310")
    )
    assert announced_candidates(settings, 0) == tuple(
        Candidate(protocol, host, 18310)
        for protocol in ("udp", "tcp")
        for host in ("127.0.0.1", "::1")
    )


def test_worker_i_announces_the_port_i_above() -> None:
    settings = MediaSettings(port=7900, announce=("192.0.2.7:9000",), tcp=False)
    assert announced_candidates(settings, 2) == (Candidate("udp", "192.0.2.7", 9002),)
