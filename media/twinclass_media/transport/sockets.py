"""Sockets as a worker binds them (shell)."""

from __future__ import annotations

import socket

#: uapi/asm-generic/socket.h: past the system's limit, for the privileged.
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33


def is_wildcard(host: str) -> bool:
    """True for addresses that mean every interface."""
    return host in ("0.0.0.0", "::", "")  # noqa: S104 - recognised, not bound


def bound_socket(
    kind: socket.SocketKind, host: str, port: int, *, shared: bool = False
) -> socket.socket:
    """Returns a non-blocking socket; ``::`` takes IPv4 too, other IPv6 addresses do not.
    ``shared``: further sockets of ours may have the same port.

    Raises:
        OSError: the address is not ours, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            only = 0 if is_wildcard(host) else 1
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def enlarge_buffers(sock: socket.socket, size: int) -> None:
    """Asks for buffers of ``size`` bytes; past the system's limit when privileged."""
    for forced, plain in (
        (SO_SNDBUFFORCE, socket.SO_SNDBUF),
        (SO_RCVBUFFORCE, socket.SO_RCVBUF),
    ):
        try:
            sock.setsockopt(socket.SOL_SOCKET, forced, size)
        except OSError:
            sock.setsockopt(socket.SOL_SOCKET, plain, size)
