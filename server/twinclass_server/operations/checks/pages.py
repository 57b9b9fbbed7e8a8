"""The pages of a server as another machine sees them: HTTPS, its certificate, its clock."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from datetime import datetime

from twinclass_server.operations.checks.clock import check_date
from twinclass_server.operations.checks.finding import Finding, ok, problem, warning

_WAIT_S = 5.0


def check_pages(host: str, port: int, now: Callable[[], datetime]) -> list[Finding]:
    """Returns whether ``/healthz`` answers, how, and how far its clock is from ours."""
    where = f"{host}:{port}"
    try:
        scheme, verified = _scheme(host, port)
        status, date = _get(host, port, scheme)
    except OSError as error:
        return [_away(where, str(error))]
    except http.client.HTTPException as error:
        return [_away(where, type(error).__name__)]
    if status != 200:
        return [_away(where, f"HTTP {status}")]
    found = [ok("pages", f"{scheme}://{where} 有回应", f"{scheme}://{where} answers")]
    if scheme == "http" and host not in {"127.0.0.1", "::1", "localhost"}:
        found.append(
            problem(
                "pages_tls",
                ("页面没有用 HTTPS，浏览器不会给摄像头", "No HTTPS: browsers will give no camera"),
                ("用 serve --lan，或设置证书。", "Use serve --lan, or set a certificate."),
            )
        )
    elif scheme == "https" and verified:
        found.append(
            warning(
                "pages_tls",
                (f"浏览器会提示证书：{verified}", f"Browsers warn of the certificate: {verified}"),
                (
                    "--lan 自己做的证书是这样；每台设备点一次“继续”，或换一张正式证书。",
                    "So it is with the one of --lan: accept it once a device, or use a real one.",
                ),
            )
        )
    elif scheme == "https":
        found.append(ok("pages_tls", "证书被信任", "The certificate is trusted"))
    found.append(check_date(date, now(), where))
    return found


def _away(where: str, why: str) -> Finding:
    return problem(
        "pages",
        (f"{where} 打不开页面：{why}", f"No pages from {where}: {why}"),
        (
            "检查地址、端口和防火墙（TCP），以及服务器是否在运行。",
            "Check address, port and firewall (TCP), and whether the server runs.",
        ),
    )


def _scheme(host: str, port: int) -> tuple[str, str]:
    """Returns http or https, and why a browser would not trust the certificate."""
    try:
        with (
            socket.create_connection((host, port), _WAIT_S) as sock,
            ssl.create_default_context().wrap_socket(sock, server_hostname=host),
        ):
            return "https", ""
    except ssl.SSLCertVerificationError as error:
        return "https", error.verify_message
    except ssl.SSLError:
        return "http", ""  # It spoke, but not TLS.


def _get(host: str, port: int, scheme: str) -> tuple[int, str]:
    connection: http.client.HTTPConnection
    if scheme == "https":
        # Whether it is trusted was asked before; here only whether it answers.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=_WAIT_S, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_WAIT_S)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read(1024)
        return answer.status, answer.headers.get("Date", "")
    finally:
        connection.close()
