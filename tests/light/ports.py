"""Ports for servers under test."""

import os
import socket

#: Below the ports that the kernel gives to outgoing connections (32768 and up): what was free
#: at the check is still free at the bind.
_FIRST, _LAST = 20000, 31999
#: Processes that test at the same time have a stretch each.
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_EACH = (_LAST + 1 - _FIRST) // _WORKERS
_FIRST += _WORKER * _EACH
_LAST = _FIRST + _EACH - 1
#: Each test process begins elsewhere and goes on from there: no port is used twice in one run.
_STRIDE = 487
_next = _FIRST + os.getpid() * _STRIDE % _EACH


def free_port(count: int = 1) -> int:
    """The first of ``count`` neighbouring ports that are free for TCP and UDP just now."""
    global _next  # noqa: PLW0603 - one counter for the whole test process
    for _ in range(_LAST - _FIRST):
        first = _next
        _next = _FIRST if first + 2 * count > _LAST else first + count
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise OSError("no free port")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as sock:
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("0.0.0.0", port))
            except OSError:
                return False
    return True
