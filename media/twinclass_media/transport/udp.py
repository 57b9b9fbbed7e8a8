"""One bound UDP socket and its receive loop (shell).

``add_reader`` with ``recvfrom`` until the socket is empty: asyncio's datagram transports cost
16 µs a packet by the 256 KiB buffer they allocate for each. On a wildcard address the local
address of each datagram is asked for (IP_PKTINFO), so that answers leave from where the
question went.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

from twinclass_media.statistics import Statistics
from twinclass_media.transport.ingress import Ingress
from twinclass_media.transport.peer import Path, Peer
from twinclass_media.transport.sockets import enlarge_buffers, is_wildcard
from twinclass_media.transport.steering import steered_sockets

#: Datagrams taken per turn of the loop: about 1 ms of work. Reports cost more than media.
MAX_PER_TURN = 100
MAX_CONTROL_PER_TURN = 30
#: One more than the largest packet we take, so that longer ones are seen as such.
RECEIVE_BYTES = 2048
#: 26 rooms' pictures over half a second, and a keyframe's burst to 200 viewers.
BUFFER_BYTES = 4 * 1024 * 1024
#: While datagrams come faster than one per ``BUSY_S``, the socket is left alone for ``NAP_S``
#: after each turn and what came meanwhile is taken at once. A wake of the process costs 25 to
#: 80 µs, which is more than most datagrams are worth; two milliseconds are what a frame is held
#: for anyway, and audio's bound is ten.
BUSY_S = 0.004
NAP_S = 0.002
#: STUN and RTCP wait this long for the next media packet, which comes every 20 ms while
#: anybody speaks. A retransmission comes that much later at worst, a join too.
CONTROL_NAP_S = 0.02
IP_PKTINFO = 8
IPV6_RECVPKTINFO = 49
IPV6_PKTINFO = 50


class UdpEndpoint:
    """A port, and who is at which address of it.

    Where the kernel lets us, the port is two sockets: one for media and DTLS, which wakes us,
    and one for STUN and RTCP, which waits for the next time we are awake (``steering``).
    """

    def __init__(
        self,
        host: str,
        port: int,
        ingress: Ingress,
        statistics: Statistics,
        after: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        """Binds. ``after`` runs at the end of each receive turn; it tells whether sound is still to
        be sent.

        Raises:
            OSError: the address is not ours, or the port is taken.
        """
        self.sock, self._control = steered_sockets(host, port)
        for sock in self._sockets():
            enlarge_buffers(sock, BUFFER_BYTES)
        self._wildcard = is_wildcard(host)
        if self._wildcard:
            for sock in self._sockets():
                if sock.family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                else:
                    sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        self.port: int = self.sock.getsockname()[1]
        self.peers: dict[tuple[Any, ...], Peer] = {}
        self._ingress = ingress
        self._statistics = statistics
        self._after = after
        self._clock = clock
        self._take = self._take_wildcard if self._wildcard else self._take_bound
        self._arrival_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._nap: asyncio.TimerHandle | None = None
        self._control_nap: asyncio.TimerHandle | None = None

    def _sockets(self) -> list[socket.socket]:
        return [self.sock] if self._control is None else [self.sock, self._control]

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to receive."""
        self._loop = loop
        loop.add_reader(self.sock.fileno(), self._readable)
        if self._control is not None:
            loop.add_reader(self._control.fileno(), self._control_readable)

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stops receiving and closes the sockets."""
        for timer in (self._nap, self._control_nap):
            if timer is not None:
                timer.cancel()
        for sock in self._sockets():
            loop.remove_reader(sock.fileno())
            sock.close()

    def _readable(self) -> None:
        now = self._clock()
        took = 1
        try:
            took = self._take(self.sock, now, MAX_PER_TURN)
            sound_waits = self._after()
            # A turn of reports is a millisecond: sound does not wait for it.
            if self._control_nap is not None and self._control is not None and not sound_waits:
                heard = self._take(self._control, now, MAX_CONTROL_PER_TURN)
                self._nap_control(heard)
                if heard:
                    self._after()
        finally:
            # Whatever went wrong with one packet, the next one is listened for.
            self._rest(took, now)

    def _rest(self, took: int, now: float) -> None:
        """Listens, or naps first where much comes."""
        loop = self._loop
        if loop is None:
            return
        busy = took > 0 and now - self._arrival_at < BUSY_S
        if took:
            self._arrival_at = now
        if busy:
            if self._nap is None:
                loop.remove_reader(self.sock.fileno())
            self._nap = loop.call_later(NAP_S, self._readable)
        elif self._nap is not None:
            self._nap = None
            loop.add_reader(self.sock.fileno(), self._readable)

    def _control_readable(self) -> None:
        """Something came, or nobody was awake for ``CONTROL_NAP_S``."""
        control, loop = self._control, self._loop
        if control is None or loop is None:
            return
        took = 1
        try:
            took = self._take(control, self._clock(), MAX_CONTROL_PER_TURN)
            self._after()
        finally:
            self._rest_control(control, loop, took)

    def _rest_control(
        self, control: socket.socket, loop: asyncio.AbstractEventLoop, took: int
    ) -> None:
        if took:
            if self._control_nap is None:
                loop.remove_reader(control.fileno())
            self._nap_control(took)
        elif self._control_nap is not None:
            self._control_nap = None
            loop.add_reader(control.fileno(), self._control_readable)

    def _nap_control(self, took: int) -> None:
        assert self._loop is not None
        if self._control_nap is not None:
            self._control_nap.cancel()
        # A full turn: more is waiting already.
        nap = CONTROL_NAP_S if took < MAX_CONTROL_PER_TURN else 0.0
        self._control_nap = self._loop.call_later(nap, self._control_readable)

    def _take_bound(self, sock: socket.socket, now: float, most: int) -> int:
        """Takes what is there, ``most`` at once; returns how many datagrams that were."""
        receive = sock.recvfrom
        datagram = self._ingress.datagram
        path_to = self._path_to
        peers = self.peers
        for taken in range(most):
            try:
                data, address = receive(RECEIVE_BYTES)
            except BlockingIOError:
                return taken
            except OSError as error:
                self._count(error)
                continue
            datagram(data, peers.get(address), path_to, address, now)
        return most

    def _take_wildcard(self, sock: socket.socket, now: float, most: int) -> int:
        receive = sock.recvmsg
        datagram = self._ingress.datagram
        path_from = self._path_from
        peers = self.peers
        for taken in range(most):
            try:
                data, ancillary, _, address = receive(RECEIVE_BYTES, 64)
            except BlockingIOError:
                return taken
            except OSError as error:
                self._count(error)
                continue
            datagram(data, peers.get(address), path_from, (address, ancillary), now)
        return most

    def _path_to(self, address: tuple[Any, ...]) -> Path:
        return Path(address, self, [], None)

    def _path_from(self, source: tuple[tuple[Any, ...], list[tuple[int, int, bytes]]]) -> Path:
        address, ancillary = source
        return Path(address, self, _answer_from(ancillary), None)

    def _count(self, error: OSError) -> None:
        """ICMP errors of former sends come up here; they concern one peer, not the socket."""
        name = errno.errorcode.get(error.errno or 0, "unknown").lower()
        self._statistics.drops[f"socket_{name}"] += 1


def _answer_from(ancillary: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """Turns received packet info into the one to send with: same local address, any interface."""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO and len(data) >= 12:
            # struct in_pktinfo: interface, local address, destination.
            return [(level, kind, b"\0" * 4 + data[8:12] + b"\0" * 4)]
        if level == socket.IPPROTO_IPV6 and kind == IPV6_PKTINFO and len(data) >= 20:
            local = data[:16]
            if local.startswith(b"\0" * 10 + b"\xff\xff"):
                return [(socket.IPPROTO_IPV6, kind, local + b"\0" * 4)]
            return [(level, kind, data[:20])]
    return []
