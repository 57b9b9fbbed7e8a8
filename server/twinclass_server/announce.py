"""What ``serve`` prints when it is ready: links per role, codes for phones, ports to open."""

from __future__ import annotations

import io

import segno

from twinclass_config import Settings
from twinclass_server.demo import DemoLink
from twinclass_signaling.roles import Role

_LABELS: dict[Role, str] = {
    Role.LEAD: "主讲   lead",
    Role.ROOM: "课堂   room",
    Role.HOME_LEARNER: "居家   home",
    Role.OBSERVER: "听课   observer",
    Role.ASSISTANT: "辅讲   assistant",
}


def base_urls(settings: Settings, addresses: list[str]) -> list[str]:
    """Returns what links begin with, the best for others first."""
    http = settings.http
    if http.public_url:
        return [http.public_url.rstrip("/")]
    scheme = "https" if http.tls_cert else "http"
    hosts = addresses or ["127.0.0.1"]
    return [f"{scheme}://{host}:{http.port}" for host in hosts]


def greeting(
    settings: Settings,
    bases: list[str],
    links: list[DemoLink],
    desk: str | None = None,
    *,
    is_lan: bool,
) -> str:
    """Returns the text; ``desk`` is the path of the operator's link to "My lessons"."""
    base = bases[0]
    lines = ["", f"Twinclass 双师课堂  {base}/", ""]
    if links:
        lines.append(f"  {'门户   portal':<16}  {base}/")
    if desk is not None:
        lines.append(f"  {'我的课 lessons':<16}  排课与名单 · plan lessons, import the roster")
        lines.append(f"  {'':<16}  {base}{desk}")
    for link in links:
        label = _LABELS.get(link.role, link.role.value)
        lines.append(f"  {label:<16}  {link.name} {link.school}".rstrip())
        lines.append(f"  {'':<16}  {base}{link.path}")
    if is_lan:
        lines += _lan_notes(settings, bases)
        if links:
            lines.append(_code(base + "/", "门户 portal"))
        lines += [
            _code(base + link.path, f"居家 home: {link.name}")
            for link in links
            if link.role is Role.HOME_LEARNER
        ]
    lines += ["", "Ctrl-C 结束 · ends everything", ""]
    return "\n".join(lines)


def _lan_notes(settings: Settings, bases: list[str]) -> list[str]:
    first, workers = settings.media.port, settings.media.workers
    media = str(first) if workers == 1 else f"{first}-{first + workers - 1}"
    notes = [
        "",
        f"  防火墙放行 · ports to open: TCP {settings.http.port}, UDP+TCP {media}",
        "  浏览器会提示证书一次，请选择继续 · the browser warns once of our own certificate",
    ]
    notes += [f"  也可用 · also at {other}/" for other in bases[1:]]
    return notes


def _code(url: str, title: str) -> str:
    text = io.StringIO()
    segno.make(url, error="l", micro=False).terminal(out=text, compact=True, border=2)
    return f"\n  {title}\n{text.getvalue()}"
