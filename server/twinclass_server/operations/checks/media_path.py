"""Whether datagrams reach the media ports and their answers come back: really sent, really seen."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from twinclass_server.adapters.media_probe import ProbeTicket
from twinclass_server.operations.checks.finding import Finding, ok, problem
from twinclass_server.operations.checks.stun_client import ask

_TCP_S = 3.0


def check_udp(host: str, ticket: ProbeTicket, source: str = "") -> Finding:
    """Returns what became of a connectivity check to one worker."""
    check = f"udp_{ticket.worker}"
    where = f"{host}:{ticket.port}"
    try:
        answer = ask(host, ticket.port, ticket.ufrag, ticket.pwd, source)
    except OSError as error:
        return problem(
            check,
            (f"UDP 发不到 {where}：{error}", f"UDP cannot be sent to {where}: {error}"),
            ("检查网络和本机防火墙。", "Check network and firewall of this machine."),
        )
    if answer is None:
        return problem(
            check,
            (f"UDP {where} 没有回应", f"No answer from UDP {where}"),
            (
                f"防火墙要双向放行 UDP {ticket.port}；NAT 后面要设置 TWINCLASS_MEDIA__ANNOUNCE。",
                f"Let UDP {ticket.port} through, both ways; behind NAT set media.announce.",
            ),
        )
    text = f"{answer.round_trip_ms:.1f} ms"
    return ok(check, f"UDP {where} 通，往返 {text}", f"UDP {where} answers after {text}")


def check_tcp(host: str, port: int, check: str) -> Finding:
    """Returns whether a TCP connection comes about."""
    try:
        with socket.create_connection((host, port), _TCP_S):
            pass
    except OSError as error:
        return problem(
            check,
            (f"TCP {host}:{port} 连不上：{error}", f"TCP {host}:{port} cannot be reached: {error}"),
            (f"防火墙放行 TCP {port}。", f"Let TCP {port} through the firewall."),
        )
    return ok(check, f"TCP {host}:{port} 通", f"TCP {host}:{port} answers")


def check_from_here(
    addresses: Sequence[str], tickets: Sequence[ProbeTicket], *, tcp: bool
) -> list[Finding]:
    """Returns the findings of every address of this machine to every worker.

    It proves the server, its sockets and this machine's own firewall; the school's firewall is
    between two machines, so that ``--probe`` runs on another.
    """
    found: list[Finding] = []
    for ticket in tickets:
        for address in addresses:
            found.append(check_udp(address, ticket, address))
            if tcp:
                found.append(check_tcp(address, ticket.port, f"tcp_{ticket.worker}"))
    return found
