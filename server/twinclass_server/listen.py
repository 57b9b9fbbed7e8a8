"""Sockets and servers: ports taken before anything starts, so that a busy one is named."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Generator, Sequence
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from twinclass_config import HttpSettings, OperatorProblem
from twinclass_server.line import ABORT, SEND_TEXTS

#: Above our own limit (MAX_MESSAGE_BYTES) we answer with an error; above this the frame is not
#: even read and the connection closes with 1009.
_MAX_FRAME_BYTES = 1024 * 1024
_GRACE_S = 3


class PortBusy(OperatorProblem):
    """A port is taken; the text names it and its flag."""

    code = "port_busy"


def take_port(host: str, port: int, flag: str) -> socket.socket:
    """Returns a listening socket.

    Raises:
        PortBusy: somebody else has the port, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    is_wildcard = host == "::"
    try:
        return socket.create_server(
            (host, port), family=family, dualstack_ipv6=is_wildcard, backlog=512
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortBusy(
                f"Port {port} ({host}) is in use; choose another with {flag} PORT."
            ) from None
        raise PortBusy(f"Cannot listen on {host} port {port} ({flag}): {error.strerror}") from error


def check_media_ports(
    addresses: tuple[str, ...], first: int, workers: int, worker_sockets: Path
) -> None:
    """Makes sure that workers will get their ports, unless workers of before hold them.

    Raises:
        PortBusy: another program has one of them.
    """
    for index in range(workers):
        if _answers(worker_sockets / f"worker-{index}.sock"):
            continue
        for address in addresses:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                _probe(address, first + index, kind)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _probe(address: str, port: int, kind: socket.SocketKind) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, kind) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            name = "UDP" if kind is socket.SOCK_DGRAM else "TCP"
            raise PortBusy(
                f"Media port {port} ({name} {address}) is in use; "
                "choose another with --media-port PORT."
            ) from None
        # An address this machine does not have (no IPv6): the worker skips it as well.


class LineProtocol(WebSocketsSansIOProtocol):
    """Gives the application two things that ASGI has not.

    ``ABORT`` drops a client that does not read: an ASGI close waits until what was sent before it
    is taken, which such a client never does. ``SEND_TEXTS`` sends several frames as one: what
    happens in a lesson comes in twos and threes to everybody, and the kernel's part of a small
    frame is half of its cost.
    """

    async def run_asgi(self) -> None:
        """Runs the application with both in its scope."""
        state = self.scope.setdefault("state", {})
        state[ABORT] = self.transport.abort
        state[SEND_TEXTS] = self.send_texts
        await super().run_asgi()

    async def send_texts(self, texts: Sequence[str]) -> None:
        """Sends text messages in one write; waits first while the client is slow.

        Raises:
            OSError: the client is gone.
        """
        await self.writable.wait()
        if self.disconnected or self.close_sent:
            raise ClientDisconnected
        try:
            for text in texts:
                self.conn.send_text(text.encode())
        except InvalidState as error:
            raise ClientDisconnected from error
        self.transport.write(b"".join(self.conn.data_to_send()))


class QuietServer(uvicorn.Server):
    """Leaves signals to us: one drain for all listeners."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Captures none."""
        yield


def public_server(app: ASGIApp, settings: HttpSettings) -> QuietServer:
    """Returns the server of pages and ``/signal``."""
    return QuietServer(
        uvicorn.Config(
            app,
            ws=LineProtocol,
            ws_max_size=_MAX_FRAME_BYTES,
            # Deflate keeps state and time per viewer, and offers are few.
            ws_per_message_deflate=False,
            # A page that is gone without a word is noticed within 15 s; its seat is kept.
            ws_ping_interval=5,
            ws_ping_timeout=10,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_GRACE_S,
            ssl_certfile=settings.tls_cert or None,
            ssl_keyfile=settings.tls_key or None,
        )
    )


def private_server(app: ASGIApp) -> QuietServer:
    """Returns the server of metrics and administration."""
    return QuietServer(
        uvicorn.Config(
            app,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
