"""A peer's keys and address as the compiled send loop reads them, in memory that stays."""

from __future__ import annotations

import socket
import struct
from typing import Any

from twinclass_media.transport.native.library import ffi


class Way:
    """How one peer's datagrams leave. ``place``: where the loop finds it."""

    __slots__ = ("_buffers", "_way", "place")

    def __init__(self) -> None:
        self._way: Any = ffi.new("struct way *")
        self.place = int(ffi.cast("uintptr_t", self._way))
        self._buffers: tuple[Any, ...] = ()

    def lead(
        self,
        descriptor: int,
        address: tuple[Any, ...],
        packet_info: list[tuple[int, int, bytes]],
    ) -> None:
        """Leads over a socket to ``address`` (as Python's sockets give it; ``packet_info`` as
        ``sendmsg`` takes it)."""
        sockaddr = pack_address(address)
        control = b"".join(_control_message(*message) for message in packet_info)
        self._buffers = (ffi.new("char[]", sockaddr), ffi.new("char[]", control))
        way = self._way
        way.descriptor = descriptor
        way.address, way.control = (int(ffi.cast("uintptr_t", one)) for one in self._buffers)
        way.address_bytes, way.control_bytes = len(sockaddr), len(control)

    def use_session(self, session: int) -> None:
        """Protects with libsrtp's session at this address."""
        self._way.session = session

    def open(self, ready: bool) -> None:
        """Lets packets pass, or none."""
        self._way.ready = ready

    def segment(self, possible: bool) -> None:
        """Leaves it to the kernel to cut up a run, or not."""
        self._way.segmentation = possible

    def number(self, following: int) -> None:
        """Sets the transport-wide number of the packet that is sent next."""
        self._way.number = following


def pack_address(address: tuple[Any, ...]) -> bytes:
    """Returns a ``sockaddr_in`` or ``sockaddr_in6`` (Linux)."""
    host, port, *rest = address
    if ":" not in host:
        return struct.pack(
            "=H2s4s8x",
            socket.AF_INET,
            struct.pack("!H", port),
            socket.inet_pton(socket.AF_INET, host),
        )
    flow, scope = rest or (0, 0)
    return struct.pack(
        "=H2s4s16sI",
        socket.AF_INET6,
        struct.pack("!H", port),
        struct.pack("!I", flow),
        socket.inet_pton(socket.AF_INET6, host.split("%", maxsplit=1)[0]),
        scope,
    )


def _control_message(level: int, kind: int, data: bytes) -> bytes:
    header = struct.pack("@Nii", socket.CMSG_LEN(len(data)), level, kind)
    return (header + data).ljust(socket.CMSG_SPACE(len(data)), b"\0")
