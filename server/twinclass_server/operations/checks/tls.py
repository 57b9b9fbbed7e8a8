"""The certificate of the pages: readable, with its key, for our name, and for how long."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from twinclass_server.adapters.certificate_file import (
    CertificateUnreadable,
    public_key_of,
    read_certificate,
)
from twinclass_server.operations.checks.finding import Finding, ok, problem, warning
from twinclass_server.operations.status import AMBER_DAYS, RED_DAYS

_RENEW = ("换上新证书，然后重启服务器。", "Put a new certificate in place and restart.")


def check_tls(
    certificate: str, key: str, public_url: str, is_loopback: bool, now: datetime
) -> list[Finding]:
    """Returns what is to be said of the certificate; without one only whether that will do."""
    if not certificate:
        return [_without(public_url, is_loopback)]
    try:
        facts = read_certificate(Path(certificate))
        key_of = public_key_of(Path(key or certificate))
    except CertificateUnreadable as error:
        return [
            problem(
                "tls",
                (f"证书或私钥读不了：{error}", f"Certificate or key cannot be read: {error}"),
                (
                    "检查路径、权限（属于运行服务的用户）和 PEM 格式。",
                    "Check path, permissions (of the service's user) and PEM format.",
                ),
            )
        ]
    found: list[Finding] = []
    if facts.public_key != key_of:
        found.append(
            problem(
                "tls_key",
                ("私钥和证书不是一对", "The key does not belong to the certificate"),
                ("TWINCLASS_HTTP__TLS_KEY 应指向这张证书的私钥。", "Set http.tls_key to its key."),
            )
        )
    days = int((facts.ends - now).total_seconds() // 86400)
    if now < facts.begins:
        found.append(
            problem(
                "tls_expiry",
                (f"证书从 {facts.begins:%Y-%m-%d} 起才有效", f"Not valid before {facts.begins}"),
                ("检查这台机器的时钟。", "Check the clock of this machine."),
            )
        )
    elif days < RED_DAYS:
        text = (f"证书还有 {days} 天到期", f"The certificate ends in {days} days")
        if days < 0:
            text = ("证书已过期", "The certificate has expired")
        found.append(problem("tls_expiry", text, _RENEW))
    elif days < AMBER_DAYS:
        text = (f"证书还有 {days} 天到期", f"The certificate ends in {days} days")
        found.append(warning("tls_expiry", text, _RENEW))
    host = urlsplit(public_url).hostname if public_url else None
    if host and not facts.is_for(host):
        names = ", ".join(facts.names)
        found.append(
            problem(
                "tls_name",
                (f"证书不是给 {host} 的（{names}）", f"It is not for {host} but for {names}"),
                ("换一张写有这个名字的证书。", "Use a certificate that names it."),
            )
        )
    if found:
        return found
    return [ok("tls", f"证书可用，还有 {days} 天", f"The certificate is good for {days} days")]


def _without(public_url: str, is_loopback: bool) -> Finding:
    if public_url.startswith("https://"):
        return ok("tls", "HTTPS 由前面的代理负责", "A proxy in front speaks HTTPS")
    if is_loopback:
        return ok(
            "tls",
            "没有证书；只在本机使用时不需要",
            "No certificate; none is needed on this machine itself",
        )
    return problem(
        "tls",
        ("没有证书，浏览器不会给摄像头", "No certificate: browsers will give no camera"),
        (
            "用 serve --lan，或设置 TWINCLASS_HTTP__TLS_CERT 和 __TLS_KEY。",
            "Use serve --lan, or set TWINCLASS_HTTP__TLS_CERT and __TLS_KEY.",
        ),
    )
