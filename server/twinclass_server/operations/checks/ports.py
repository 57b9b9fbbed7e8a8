"""Ports: free, held by our server, or held by somebody else."""

from __future__ import annotations

import errno
import socket
from typing import Literal

from twinclass_server.operations.checks.finding import Finding, ok, problem

Holder = Literal["free", "taken", "elsewhere"]


def state_of(host: str, port: int, kind: socket.SocketKind) -> Holder:
    """Returns whether a port can be bound; ``elsewhere``: the address is not of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return "taken"
        return "elsewhere"
    return "free"


def check_port(
    check: str, host: str, port: int, kind: socket.SocketKind, flag: str, *, is_ours: bool
) -> Finding | None:
    """Returns the finding of one port; None for an address that this machine does not have.

    ``is_ours``: a server of ours is running on these settings, so a port in use is its own.
    """
    protocol = "UDP" if kind is socket.SOCK_DGRAM else "TCP"
    where = f"{protocol} {host}:{port}"
    found = state_of(host, port, kind)
    if found == "elsewhere":
        return None
    if found == "taken" and is_ours:
        return ok(check, f"{where} 由本服务器使用", f"{where} is used by our server")
    if found == "taken":
        return problem(
            check,
            (f"{where} 被其他程序占用，或没有权限", f"{where} is in use, or not allowed"),
            (
                f"停掉那个程序，或用 {flag} 换一个端口。",
                f"End that program, or choose with {flag}.",
            ),
        )
    if is_ours:
        return problem(
            check,
            (
                f"服务器在运行，但没有使用 {where}",
                f"The server runs but does not listen on {where}",
            ),
            (
                "用启动服务器时的同样参数和环境运行 doctor。",
                "Run doctor with the flags and environment of the server.",
            ),
        )
    return ok(check, f"{where} 空闲", f"{where} is free")
