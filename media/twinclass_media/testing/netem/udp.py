"""Datagrams through a network: one socket towards the server for each client (shell).

That socket is the client's address as the server sees it, as a NAT's mapping is (RFC 4787
section 4.1); ``rebind`` gives every client another one, as a NAT does that was restarted.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable

from twinclass_media.testing.netem.addresses import Address, bound_address
from twinclass_media.testing.netem.network import Lines, Network

#: A lesson's rooms and learners at home with room above; each costs a socket of select's 1,024.
MAX_CLIENTS = 256
#: A mapping must live so long (RFC 4787 section 4.3, REQ-5); afterwards another may have it.
IDLE_S = 120.0
#: Datagrams taken per turn of the loop: about 1 ms of work.
MAX_PER_TURN = 100
RECEIVE_BYTES = 65_535
#: A keyframe's burst to many viewers waits in the kernel, not in our way.
BUFFER_BYTES = 4 * 1024 * 1024
#: IPv4 and UDP headers (RFC 791, RFC 768): they take their share of a bottleneck too.
HEADER_BYTES = 28

ClientAddress = tuple[str, int] | tuple[str, int, int, int]


class UdpClient:
    """A client: its address, its lines, its socket towards the server."""

    def __init__(self, relay: UdpRelay, address: ClientAddress, lines: Lines) -> None:
        self._relay = relay
        self.address, self.lines = address, lines
        self.heard_s = 0.0
        self._socket = self._opened()

    def _opened(self) -> socket.socket:
        target = self._relay.target
        sock = _datagram_socket(target.family)
        try:
            sock.connect(target.pair)
        except OSError:
            sock.close()
            raise
        self._relay.loop.add_reader(sock.fileno(), self._readable)
        return sock

    def rebind(self) -> None:
        """From now on the server sees another address; what comes to the old one is lost."""
        old, self._socket = self._socket, self._opened()
        self._drop(old)

    def close(self) -> None:
        """Ends it."""
        self._drop(self._socket)

    def from_client(self, data: bytes) -> None:
        """Puts a datagram on the way up."""
        self.lines.up.send(len(data) + HEADER_BYTES, self._to_server, data)

    def _drop(self, sock: socket.socket) -> None:
        self._relay.loop.remove_reader(sock.fileno())
        sock.close()

    def _readable(self) -> None:
        for _ in range(MAX_PER_TURN):
            try:
                data = self._socket.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                # The server's port is closed just now (ICMP); a client would not notice either.
                self._relay.drops["refused"] += 1
                return
            if self._relay.is_blocked:
                self._relay.drops["udp_blocked"] += 1
                continue
            self.lines.down.send(len(data) + HEADER_BYTES, self._to_client, data)

    def _to_server(self, data: bytes) -> None:
        self._relay.attempt(lambda: self._socket.send(data))

    def _to_client(self, data: bytes) -> None:
        self._relay.attempt(lambda: self._relay.socket.sendto(data, self.address))


class UdpRelay:
    """A bound port and the clients that came to it.

    When there are ``MAX_CLIENTS`` the longest silent one makes room, if it was silent for
    ``IDLE_S``; else, or without a socket for it, the newcomer's datagram is dropped and counted.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, listen: Address, target: Address, network: Network
    ) -> None:
        """Binds.

        Raises:
            OSError: the address is taken or not ours.
        """
        self.loop, self.target, self._network = loop, target, network
        self.drops: Counter[str] = Counter()
        self._clients: dict[ClientAddress, UdpClient] = {}
        self.socket = _datagram_socket(listen.family)
        try:
            self.socket.bind(listen.pair)
        except OSError:
            self.socket.close()
            raise
        self.address = bound_address(self.socket)
        loop.add_reader(self.socket.fileno(), self._readable)

    @property
    def clients(self) -> int:
        """Clients that are known."""
        return len(self._clients)

    @property
    def is_blocked(self) -> bool:
        """No datagram passes."""
        return self._network.profile.udp_blocked

    def rebind(self) -> None:
        """Changes the address of every client, as the server sees it."""
        for client in self._clients.values():
            client.rebind()

    def attempt(self, send: Callable[[], int]) -> None:
        """Sends, or counts why not: what the kernel refuses is lost as on any network."""
        try:
            send()
        except BlockingIOError:
            self.drops["kernel"] += 1
        except OSError:
            self.drops["refused"] += 1

    def close(self) -> None:
        """Closes all sockets."""
        self.loop.remove_reader(self.socket.fileno())
        self.socket.close()
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _readable(self) -> None:
        now_s = self.loop.time()
        for _ in range(MAX_PER_TURN):
            try:
                data, address = self.socket.recvfrom(RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                self.drops["refused"] += 1
                return
            if self.is_blocked:
                self.drops["udp_blocked"] += 1
                continue
            client = self._clients.get(address) or self._welcome(address, now_s)
            if client is None:
                self.drops["clients"] += 1
                continue
            client.heard_s = now_s
            client.from_client(data)

    def _welcome(self, address: ClientAddress, now_s: float) -> UdpClient | None:
        if len(self._clients) >= MAX_CLIENTS:
            oldest = min(self._clients.values(), key=lambda client: client.heard_s)
            if now_s - oldest.heard_s < IDLE_S:
                return None
            del self._clients[oldest.address]
            oldest.close()
            self._network.release(oldest.lines)
        lines = self._network.lines()
        try:
            client = UdpClient(self, address, lines)
        except OSError:  # out of sockets, or no way to the server
            self._network.release(lines)
            return None
        self._clients[address] = client
        return client


def _datagram_socket(family: socket.AddressFamily) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    return sock
