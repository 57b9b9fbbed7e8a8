"""TCP through a network: two connections and a link each way between them (shell).

Each connection is a real one on loopback, so what a network does to TCP is done to its bytes:
delay, rate, a queue that stops taking, and for each loss a stall of one round trip. Bytes are
never lost. Congestion windows are those of loopback, hence unaware of the network: throughput
after a loss is better than a real one's.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import Counter

from twinclass_media.testing.netem.addresses import Address, bound_address
from twinclass_media.testing.netem.link import Stream
from twinclass_media.testing.netem.network import Lines, Network
from twinclass_media.testing.netem.pump import Pump

#: Each costs two sockets of select's 1,024.
MAX_CONNECTIONS = 256
#: A segment: MTU 1500 less IPv4 and TCP headers with timestamps (RFC 791, 9293, 7323).
SEGMENT_BYTES = 1448
HEADER_BYTES = 52
#: Segments taken per turn of the loop: about 1 ms of work.
MAX_PER_TURN = 64
#: Small, so that bytes wait in the model's queue and not unseen in the kernel's.
BUFFER_BYTES = 16 * 1024
BACKLOG = 64


class Half:
    """Bytes from one socket to another. Reads only while the queue and the receiver take."""

    def __init__(self, connection: Connection, source: socket.socket, pump: Pump) -> None:
        self._connection, self._source, self._pump = connection, source, pump
        self._loop = connection.loop
        self._stream = Stream()
        # What the receiver has not taken; at most what the link held when reading stopped.
        self._unsent = bytearray()
        self._is_reading = False
        # The end has come in; it has gone out.
        self._is_read_out = self.is_ended = False
        self.sink: socket.socket

    def read(self) -> None:
        """Begins to read, or goes on."""
        if not (self._is_reading or self._is_read_out or self._connection.is_closed):
            self._is_reading = True
            self._loop.add_reader(self._source.fileno(), self._readable)

    def stop(self) -> None:
        """Reads no more."""
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._source.fileno())

    def _readable(self) -> None:
        for _ in range(MAX_PER_TURN):
            if self._unsent:
                self.stop()
                return
            if not self._pump.link.has_room(SEGMENT_BYTES + HEADER_BYTES):
                self.stop()
                self._pump.wait_room_nowait(self.read)
                return
            try:
                data = self._source.recv(SEGMENT_BYTES)
            except BlockingIOError:
                return
            except OSError:
                self._connection.close()
                return
            # The end travels as a segment without bytes does (FIN).
            self._pump.send(len(data) + HEADER_BYTES, self._arrived, data, self._stream)
            if not data:
                self._is_read_out = True
                self.stop()
                return

    def _arrived(self, data: bytes) -> None:
        if self._connection.is_closed:
            return
        if not data:
            self.is_ended = True
        was_waiting = bool(self._unsent)
        self._unsent += data
        if was_waiting:
            return
        self._write()
        if self._unsent and not self._connection.is_closed:
            self._loop.add_writer(self.sink.fileno(), self._writable)

    def _writable(self) -> None:
        self._write()
        if not self._unsent and not self._connection.is_closed:
            self._loop.remove_writer(self.sink.fileno())
            self.read()

    def _write(self) -> None:
        try:
            if self._unsent:
                del self._unsent[: self.sink.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:
            self._connection.close()
            return
        if self.is_ended and not self._unsent:
            self._connection.half_ended(self)


class Connection:
    """A client's connection and ours to the server in its name."""

    def __init__(
        self, relay: TcpRelay, client: socket.socket, server: socket.socket, lines: Lines
    ) -> None:
        self._relay, self.lines, self.loop = relay, lines, relay.loop
        self.is_closed = False
        self._client, self._server = client, server
        for sock in (self._client, self._server):
            _prepare(sock)
        self._up = Half(self, self._client, lines.up)
        self._down = Half(self, self._server, lines.down)
        self._up.sink, self._down.sink = self._server, self._client
        self._connecting = False

    def start(self) -> None:
        """Connects to the server, then passes bytes. A refusal closes the client's too."""
        code = self._server.connect_ex(self._relay.target.pair)
        if code == errno.EINPROGRESS:
            self._connecting = True
            self.loop.add_writer(self._server.fileno(), self._connected)
        elif code == 0:
            self._begin()
        else:
            self.close()

    def _connected(self) -> None:
        self._connecting = False
        self.loop.remove_writer(self._server.fileno())
        if self._server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close()
        else:
            self._begin()

    def _begin(self) -> None:
        self._up.read()
        self._down.read()

    def half_ended(self, half: Half) -> None:
        """Passes the end on; after the other half's all is closed."""
        try:
            half.sink.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        if self._up.is_ended and self._down.is_ended:
            self.close()

    def close(self) -> None:
        """Closes both; what is on the way is dropped."""
        if self.is_closed:
            return
        self._up.stop()
        self._down.stop()
        self.is_closed = True
        for sock in (self._client, self._server):
            self.loop.remove_writer(sock.fileno())
            sock.close()
        self._relay.forget(self)


class TcpRelay:
    """A listening port and the connections that came to it, ``MAX_CONNECTIONS`` at most."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, listen: Address, target: Address, network: Network
    ) -> None:
        """Binds and listens.

        Raises:
            OSError: the address is taken or not ours.
        """
        self.loop, self.target, self._network = loop, target, network
        self.drops: Counter[str] = Counter()
        self._connections: set[Connection] = set()
        self._socket = socket.socket(listen.family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted sockets inherit it; later it could no longer shrink the window.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        try:
            self._socket.bind(listen.pair)
        except OSError:
            self._socket.close()
            raise
        self._socket.listen(BACKLOG)
        self._socket.setblocking(False)
        self.address = bound_address(self._socket)
        loop.add_reader(self._socket.fileno(), self._readable)

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return len(self._connections)

    def rebind(self) -> None:
        """Closes all connections: a NAT that was restarted knows none of them."""
        for connection in list(self._connections):
            connection.close()

    def forget(self, connection: Connection) -> None:
        """Takes a closed one off the list."""
        self._connections.discard(connection)
        self._network.release(connection.lines)

    def close(self) -> None:
        """Closes all sockets."""
        self.loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self.rebind()

    def _readable(self) -> None:
        try:
            client, _ = self._socket.accept()
        except OSError:
            return
        if len(self._connections) >= MAX_CONNECTIONS:
            self.drops["connections"] += 1
            client.close()
            return
        try:
            server = socket.socket(self.target.family, socket.SOCK_STREAM)
        except OSError:  # out of sockets
            self.drops["connections"] += 1
            client.close()
            return
        connection = Connection(self, client, server, self._network.lines())
        self._connections.add(connection)
        connection.start()


def _prepare(sock: socket.socket) -> None:
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
