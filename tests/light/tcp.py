"""A light peer over ICE-TCP (RFC 6544 active, RFC 4571 framing)."""

from __future__ import annotations

import socket
import struct

from light.peer import Identity, LightPeer


class TcpPeer(LightPeer):
    """Like a light peer, on one TCP connection. ``pause`` stops reading it."""

    def __init__(self, identity: Identity, profiles: bytes | None = None) -> None:
        super().__init__(identity, profiles)
        self._sock.close()
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        self._buffer = b""
        self._left: socket.socket | None = None

    def _connect(self) -> None:
        self._sock.connect(self._remote)
        self._sock.setblocking(False)

    def send_raw(self, data: bytes) -> None:
        if self._left is not None:
            super().send_raw(data)
            return
        try:
            self._sock.send(len(data).to_bytes(2, "big") + data)
        except OSError as error:
            self.errors[type(error).__name__] += 1

    def _receive(self) -> list[bytes]:
        if self._left is not None:
            return super()._receive()
        try:
            data = self._sock.recv(65536)
        except BlockingIOError:
            return []
        if not data:
            self.errors["closed by the server"] += 1
            self.pause()
            return []
        self._buffer += data
        packets = []
        while len(self._buffer) >= 2:
            size = int.from_bytes(self._buffer[:2], "big")
            if len(self._buffer) < 2 + size:
                break
            packets.append(self._buffer[2 : 2 + size])
            self._buffer = self._buffer[2 + size :]
        return packets

    def cut(self) -> None:
        """Ends the connection with a reset, as a firewall does."""
        self.pause()
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()
        self._sock = self._new_socket()

    def go_over_udp(self) -> None:
        """Goes on by UDP; what is left of the connection is not read any more."""
        self._left = self._sock
        self.pause()
        self._sock = self._new_socket()
        super()._connect()
        self._loop.add_reader(self._sock.fileno(), self._readable)
        self._check(0.05)

    def close(self) -> None:
        super().close()
        if self._left is not None:
            self._left.close()

    def pause(self) -> None:
        self._loop.remove_reader(self._sock.fileno())

    def resume(self) -> None:
        self._loop.add_reader(self._sock.fileno(), self._readable)
