"""Addresses of a relay: ``host:port`` in, sockets out."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from twinclass_media.errors import MediaError


class AddressError(MediaError):
    """No ``host:port`` of ours, or one that others could reach and nobody asked for."""

    code = "bad_address"


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address and a port; port 0 lets the kernel choose."""

    host: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        """IPv4 or IPv6."""
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @property
    def pair(self) -> tuple[str, int]:
        """As sockets take it."""
        return self.host, self.port

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, allow_any: bool = False) -> Address:
    """Returns ``127.0.0.1:7900`` or ``[::1]:7900`` as an address.

    Raises:
        AddressError: it is none, or not loopback without ``allow_any``: a relay forwards
            whatever comes to a server that believes it is local.
    """
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError as error:
        raise AddressError(f"{text} is not IP:port") from error
    if not port.isdigit() or int(port) > 65535:
        raise AddressError(f"{text} is not IP:port")
    if not address.is_loopback and not allow_any:
        raise AddressError(f"{text} is not loopback; say --allow-any-address if you mean it")
    return Address(str(address), int(port))


def bound_address(sock: socket.socket) -> Address:
    """Returns where a socket is bound."""
    host, port = sock.getsockname()[:2]
    return Address(host, port)
