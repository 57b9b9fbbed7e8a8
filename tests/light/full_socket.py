"""A peer whose socket takes little: a Unix pair blocks as a full device queue does, which UDP over
loopback never does."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from twinclass_media.transport.peer import Peer


@contextmanager
def full_socket(peer: Peer, room_bytes: int) -> Iterator[Callable[[], list[bytes]]]:
    """Lets what is sent to ``peer`` go there; yields what takes all that has come."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room_bytes)
        peer.segment(False)
        peer.sendto = lambda data, _to: near.send(data)
        peer.sendmsg = lambda parts, _ancillary, _flags, _to: near.sendmsg(parts)
        peer.way.lead(near.fileno(), ("127.0.0.1", 1), [])
        peer.way._way.address_bytes = 0  # A pair has no addresses.

        def drain() -> list[bytes]:
            found: list[bytes] = []
            while True:
                try:
                    found.append(far.recv(2048))
                except BlockingIOError:
                    return found

        yield drain
