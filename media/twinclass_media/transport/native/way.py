"""A peer's address as the kernel reads it: sockaddr and control message, in memory that stays."""

from __future__ import annotations

import socket
import struct
from typing import Any

from twinclass_media.transport.native.library import ffi


class Way:
    """Where a peer's datagrams go, by pointer. The buffers live as long as this does."""

    __slots__ = (
        "_buffers",
        "address",
        "address_bytes",
        "control",
        "control_bytes",
        "descriptor",
    )

    def __init__(
        self,
        descriptor: int,
        address: tuple[Any, ...],
        packet_info: list[tuple[int, int, bytes]],
    ) -> None:
        """``address`` as Python's sockets give it, ``packet_info`` as ``sendmsg`` takes it."""
        sockaddr = pack_address(address)
        control = b"".join(_control_message(*message) for message in packet_info)
        self._buffers = (ffi.new("char[]", sockaddr), ffi.new("char[]", control))
        self.descriptor = descriptor
        self.address = int(ffi.cast("uintptr_t", self._buffers[0]))
        self.address_bytes = len(sockaddr)
        self.control = int(ffi.cast("uintptr_t", self._buffers[1]))
        self.control_bytes = len(control)


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


#: Of a peer without a path: never sent to, as it is not ready.
NO_WAY = Way(-1, ("0.0.0.0", 0), [])  # noqa: S104 - an empty address, nothing binds to it
