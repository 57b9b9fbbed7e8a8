"""ICE-TCP: connections on the same port number as UDP (shell; RFC 6544 passive, RFC 4571).

A viewer on TCP must never make others wait. The kernel's queue is kept short
(TCP_NOTSENT_LOWAT); when it is full the connection is *blocked*: the newest audio is kept,
video waits for a keyframe, and after ten seconds the connection is closed. Only the tail of a
packet that was written in part is kept, for framing would be lost without it.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable

from twinclass_media.errors import MalformedPacket
from twinclass_media.statistics import Statistics
from twinclass_media.transport.deferred import Deferred
from twinclass_media.transport.egress import Egress
from twinclass_media.transport.framing import Deframer, frame
from twinclass_media.transport.ingress import Ingress
from twinclass_media.transport.peer import Path, Peer
from twinclass_media.transport.sockets import bound_socket

#: Linux option number (uapi/linux/tcp.h); bytes the kernel may hold unsent.
TCP_NOTSENT_LOWAT = 25
NOTSENT_BYTES = 16 * 1024
#: One datagram's worth of frames beyond what the kernel takes.
MAX_TAIL_BYTES = 64 * 1024
#: 200 ms of 20 ms packets.
MAX_DEFERRED_AUDIO = 10
BLOCKED_CLOSE_S = 10.0
#: Time for the first authenticated check; Chromium sends it at once.
GREETING_S = 5.0
#: Connections that have not passed a check yet.
MAX_STRANGERS = 256
READ_BYTES = 64 * 1024


def _itself(path: Path) -> Path:
    return path


class TcpStream:
    """One connection."""

    def __init__(
        self, listener: TcpEndpoint, sock: socket.socket, address: tuple[object, ...]
    ) -> None:
        self._listener = listener
        self._sock = sock
        self._deframer = Deframer()
        self._tail = b""
        self._audio: deque[Deferred] = deque(maxlen=MAX_DEFERRED_AUDIO)
        self._blocked_since: float | None = None
        self._closed = False
        self.path = Path(address, None, [], self)
        self.peer: Peer | None = None

    @property
    def blocked(self) -> bool:
        """The peer does not read fast enough."""
        return self._blocked_since is not None or self._closed

    def send(self, data: bytes) -> None:
        """Sends one packet, framed; what does not fit the bound is dropped whole, and all of it
        once the connection has ended: that may be noticed in the middle of a picture."""
        if self._closed:
            self._listener.statistics.drops["send_failed"] += 1
            return
        packet = frame(data)
        if self._tail:
            if len(self._tail) + len(packet) > MAX_TAIL_BYTES:
                self._listener.statistics.drops["tcp_blocked"] += 1
                return
            self._tail += packet
            return
        try:
            written = self._sock.send(packet)
        except BlockingIOError:
            written = 0
        except OSError:
            self.close()
            return
        if written < len(packet):
            self._tail = packet[written:]
            self._blocked_since = self._listener.clock()
            self._listener.loop.add_writer(self._sock.fileno(), self._writable)

    def defer(self, one: Deferred) -> None:
        """Keeps the newest audio until the stream can be written."""
        if len(self._audio) == MAX_DEFERRED_AUDIO:
            self._listener.statistics.drops["tcp_audio_late"] += 1
        self._audio.append(one)

    def _writable(self) -> None:
        try:
            written = self._sock.send(self._tail)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self._tail = self._tail[written:]
        if self._tail:
            return
        self._blocked_since = None
        self._listener.loop.remove_writer(self._sock.fileno())
        deferred, self._audio = self._audio, deque(maxlen=MAX_DEFERRED_AUDIO)
        for one in deferred:
            self._listener.egress.send_sound(one)
        if self.peer is not None:
            self._listener.writable(self.peer)
        self._listener.after()

    def readable(self) -> None:
        """Takes what came."""
        listener = self._listener
        try:
            data = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        try:
            packets = self._deframer.feed(data)
        except MalformedPacket:
            listener.statistics.drops["tcp_framing"] += 1
            self.close()
            return
        now = listener.clock()
        for packet in packets:
            listener.ingress.datagram(packet, self.peer, _itself, self.path, now)
            if self.peer is None:
                self.peer = listener.owner_of(self)
        listener.after()

    def overdue(self, now: float) -> bool:
        """True when it was blocked for too long."""
        return self._blocked_since is not None and now - self._blocked_since > BLOCKED_CLOSE_S

    def close(self) -> None:
        """Ends the connection; idempotent."""
        if self._closed:
            return
        self._closed = True
        loop = self._listener.loop
        loop.remove_reader(self._sock.fileno())
        loop.remove_writer(self._sock.fileno())
        self._sock.close()
        self._listener.streams.discard(self)
        if self.peer is not None:
            self._listener.ingress.lose_path(self.peer, self.path, self._listener.clock())


class TcpEndpoint:
    """The listening socket of one address."""

    def __init__(
        self,
        host: str,
        port: int,
        ingress: Ingress,
        egress: Egress,
        statistics: Statistics,
        after: Callable[[], object],
        writable: Callable[[Peer], None],
        clock: Callable[[], float],
    ) -> None:
        """Binds and listens. ``writable(peer)``: a blocked viewer can be sent to again.

        Raises:
            OSError: the address is not ours, or the port is taken.
        """
        self._sock = bound_socket(socket.SOCK_STREAM, host, port)
        self._sock.listen(256)
        self.ingress = ingress
        self.egress = egress
        self.statistics = statistics
        self.after = after
        self.writable = writable
        self.clock = clock
        self.streams: set[TcpStream] = set()
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begins to accept."""
        self.loop.add_reader(self._sock.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(32):
            try:
                sock, address = self._sock.accept()
            except OSError:
                return
            strangers = sum(1 for s in self.streams if s.peer is None)
            if strangers >= MAX_STRANGERS:
                self.statistics.drops["tcp_strangers"] += 1
                sock.close()
                continue
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT_BYTES)
            stream = TcpStream(self, sock, address)
            self.streams.add(stream)
            self.loop.add_reader(sock.fileno(), stream.readable)
            self.loop.call_later(GREETING_S, self._expect_greeting, stream)

    def _expect_greeting(self, stream: TcpStream) -> None:
        if stream.peer is None and stream in self.streams:
            self.statistics.drops["tcp_no_greeting"] += 1
            stream.close()

    def owner_of(self, stream: TcpStream) -> Peer | None:
        """Who passed a check on this stream."""
        for peer in self.ingress.by_ufrag.values():
            if any(path.stream is stream for path in peer.paths):
                return peer
        return None

    def tick(self, now: float) -> None:
        """Closes connections that were blocked for too long."""
        for stream in [s for s in self.streams if s.overdue(now)]:
            self.statistics.drops["tcp_too_slow"] += 1
            stream.close()

    def close(self) -> None:
        """Stops accepting and ends all connections."""
        self.loop.remove_reader(self._sock.fileno())
        self._sock.close()
        for stream in list(self.streams):
            stream.close()
