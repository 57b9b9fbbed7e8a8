"""``twinclass doctor``: looks at everything a lesson needs, and says what to do.

On the server it checks the machine, and with the server running also that datagrams pass. With
``--probe`` on another machine it checks the way between the two.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from twinclass_config import Settings
from twinclass_server.adapters import lan
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.adapters.media_probe import ProbeTicket
from twinclass_server.adapters.redis_child import RedisChild
from twinclass_server.adapters.redis_connection import connect
from twinclass_server.chosen_settings import chosen, for_lan
from twinclass_server.operations.checks import (
    clock,
    disk,
    limits,
    media_path,
    pages,
    ports,
    programs,
    stores,
    tls,
)
from twinclass_server.operations.checks.finding import Finding, State, problem, warning

_MARKS: dict[State, str] = {"ok": "✓", "warning": "!", "problem": "✗"}
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_PAGES_PORT = 8080


class _Tickets(Struct, frozen=True):
    tickets: tuple[ProbeTicket, ...]


def add_to(
    # argparse has no public name for what add_subparsers returns.
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
) -> None:
    """Adds the command."""
    parser = commands.add_parser("doctor", help="check what lessons need, say what to do")
    parser.add_argument("--data", type=Path, default=Path("data"), help="data folder (./data)")
    parser.add_argument("--config", type=Path, help="TOML file; the environment wins over it")
    for flag, text in (
        ("--port", "pages, as the server was started"),
        ("--media-port", "media of worker 0"),
        ("--admin-port", "private listener"),
        ("--workers", "media workers"),
    ):
        parser.add_argument(flag, type=int, help=text)
    parser.add_argument("--host", help="address of the pages, as the server was started")
    parser.add_argument("--lan", action="store_true", help="the server was started so")
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--from",
        dest="from_host",
        metavar="HOST",
        help="print the command for another machine; HOST: this server as seen from there",
    )
    way.add_argument("--probe", metavar="HOST:PORT", help="on another machine: check the way here")
    parser.add_argument("--ticket", default="", help="what --from printed; for UDP")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--language", choices=("zh", "en"), help="default: by LANG")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    language = options.language or language_of(os.environ.get("LANG", ""))
    if options.probe:
        findings = _from_outside(options.probe, options.ticket)
    else:
        settings, folder = chosen(options), DataFolder(options.data)
        addresses = lan.lan_addresses()
        if options.lan:
            settings = for_lan(settings, folder, addresses)
        if options.from_host:
            return _print_command(options.from_host, settings, language)
        findings = examine(settings, folder, addresses)
    print(_as_json(findings) if options.json else _as_text(findings, language))
    return 1 if any(one.state == "problem" for one in findings) else 0


def language_of(name: str) -> str:
    """Returns zh for Chinese locales, else en."""
    return "zh" if name.lower().startswith("zh") else "en"


def examine(settings: Settings, folder: DataFolder, addresses: list[str]) -> list[Finding]:
    """Returns all findings of this machine."""
    holder = folder.holder()
    records = settings.recording.enabled
    recordings = Path(settings.recording.folder or folder.recordings)
    http = settings.http
    is_loopback = http.host in _LOOPBACK
    found = [programs.check_python(), programs.check_openssl()]
    found += _ports(settings, is_ours=holder is not None)
    found += tls.check_tls(
        http.tls_cert, http.tls_key, http.public_url, is_loopback, datetime.now(UTC)
    )
    found += _media(settings, addresses, is_running=holder is not None)
    found += [one] if (one := clock.check_synchronised()) is not None else []
    found += [disk.check_space("disk", folder.path, records=records and not _apart(settings))]
    found += [disk.check_speed("disk_speed", folder.path)]
    if records and _apart(settings):
        found += [disk.check_space("recordings", recordings, records=True)]
        found += [disk.check_speed("recordings_speed", recordings)]
    found += [limits.check_open_files(http.max_connections, holder[0] if holder else None)]
    found += limits.check_socket_buffers()
    found += _redis(settings, folder, is_running=holder is not None)
    found += [stores.check_database(settings.database.url, folder.path)]
    found += [programs.check_send_loop(settings.media.native)]
    return found


def _apart(settings: Settings) -> bool:
    return bool(settings.recording.folder)


def _ports(settings: Settings, *, is_ours: bool) -> Iterator[Finding]:
    http, media = settings.http, settings.media
    wanted = [
        ("port", http.host, http.port, socket.SOCK_STREAM, "--port"),
        ("admin_port", http.admin_host, http.admin_port, socket.SOCK_STREAM, "--admin-port"),
    ]
    for index in range(media.workers):
        for address in media.bind:
            wanted.append(
                ("media_udp", address, media.port + index, socket.SOCK_DGRAM, "--media-port")
            )
            if media.tcp:
                wanted.append(
                    ("media_tcp", address, media.port + index, socket.SOCK_STREAM, "--media-port")
                )
    for check, host, port, kind, flag in wanted:
        one = ports.check_port(check, host, port, kind, flag, is_ours=is_ours)
        if one is not None:
            yield one


def _media(settings: Settings, addresses: list[str], *, is_running: bool) -> list[Finding]:
    if not is_running:
        return [
            warning(
                "media",
                (
                    "服务器没有运行，媒体端口没有试",
                    "The server is not running: media was not tried",
                ),
                ("启动它，再运行一次 doctor。", "Start it and run doctor again."),
            )
        ]
    tickets, why = mint(settings)
    if not tickets:
        return [
            problem(
                "media",
                (f"媒体进程没有准备好：{why}", f"The media workers are not ready: {why}"),
                ("看服务器的日志和 run/worker-0.log。", "See the server's log, run/worker-0.log."),
            )
        ]
    bound = settings.media.bind
    is_open = any(address in {"::", "0.0.0.0"} for address in bound)  # noqa: S104 - compared
    return media_path.check_from_here(
        addresses if is_open and addresses else [a for a in bound if ":" not in a],
        tickets,
        tcp=settings.media.tcp,
    )


def mint(settings: Settings) -> tuple[tuple[ProbeTicket, ...], str]:
    """Returns tickets of a running server, or why there are none."""
    host = settings.http.admin_host
    where = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(
        f"http://{where}:{settings.http.admin_port}/probe",
        data=b"{}",
        headers={"Content-Type": "application/json"},
    )
    # The private listener is on this machine: a proxy of the environment must not see it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return msgspec.json.decode(answer.read(), type=_Tickets).tickets, "no worker is up"
    except (urllib.error.URLError, OSError, msgspec.MsgspecError) as error:
        return (), str(error)


def _redis(settings: Settings, folder: DataFolder, *, is_running: bool) -> list[Finding]:
    is_ours = not settings.redis.url
    if is_ours and not is_running:
        return [stores.check_redis_program()]
    url = settings.redis.url or RedisChild(folder.redis).url

    async def ask() -> list[Finding]:
        redis = connect(url, settings.redis.timeout_s)
        try:
            return await stores.check_redis(redis, is_ours=is_ours)
        finally:
            await redis.aclose()

    return asyncio.run(ask())


# ---- from another machine ----------------------------------------------------------------------


def _print_command(host: str, settings: Settings, language: str) -> int:
    tickets, why = mint(settings)
    if not tickets:
        text = ("服务器没有运行", "The server is not running")[language == "en"]
        print(f"twinclass: {text}: {why}", file=sys.stderr)
        return 1
    minutes = round(tickets[0].life_s / 60)
    ticket = ",".join(f"{one.port}:{one.ufrag}:{one.pwd}" for one in tickets)
    where = f"[{host}]" if ":" in host else host
    intro = (
        f"在另一台机器上运行（{minutes} 分钟内有效）：",
        f"Run on another machine, within {minutes} minutes:",
    )[language == "en"]
    print(intro)
    print(f"twinclass doctor --probe {where}:{settings.http.port} --ticket {ticket}")
    return 0


def read_ticket(text: str) -> list[ProbeTicket]:
    """Returns the tickets of ``--ticket``.

    Raises:
        ValueError: it was not copied completely.
    """
    tickets: list[ProbeTicket] = []
    for index, one in enumerate(filter(None, text.split(","))):
        port, ufrag, pwd = one.split(":")
        if not 0 < int(port) < 65536 or not ufrag.isalnum() or not pwd.isalnum():
            raise ValueError(one)
        tickets.append(ProbeTicket(index, int(port), ufrag, pwd, 0.0))
    return tickets


def _from_outside(target: str, ticket: str) -> list[Finding]:
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal():
        host, port = target, str(_PAGES_PORT)
    host = host.strip("[]")
    now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731 - a clock
    found = pages.check_pages(host, int(port), now)
    try:
        tickets = read_ticket(ticket)
    except ValueError:
        todo = ("把 --from 打印的整行复制过来。", "Copy the whole line that --from printed.")
        text = ("--ticket 不完整", "--ticket is not complete")
        return [*found, problem("media", text, todo)]
    if not tickets:
        todo = (
            "在服务器上运行 twinclass doctor --from 地址，照它说的做。",
            "On the server run twinclass doctor --from ADDRESS, and do what it says.",
        )
        text = ("没有 --ticket，媒体端口没有试", "Without --ticket media was not tried")
        return [*found, warning("media", text, todo)]
    for one in tickets:
        found.append(media_path.check_udp(host, one))
        found.append(media_path.check_tcp(host, one.port, f"tcp_{one.worker}"))
    return found


# ---- telling -----------------------------------------------------------------------------------


def _as_json(findings: list[Finding]) -> str:
    body = msgspec.to_builtins(findings)
    return json.dumps({"findings": body}, ensure_ascii=False, indent=1)


def _as_text(findings: list[Finding], language: str) -> str:
    is_english = language == "en"
    lines: list[str] = []
    for one in findings:
        lines.append(f"{_MARKS[one.state]} {one.text.en if is_english else one.text.zh}")
        todo = one.todo.en if is_english else one.todo.zh
        if todo:
            lines.append(f"    → {todo}")
    problems = sum(one.state == "problem" for one in findings)
    warnings = sum(one.state == "warning" for one in findings)
    if is_english:
        lines.append(f"{problems} problems, {warnings} warnings, {len(findings)} checks")
    else:
        lines.append(f"{problems} 个问题，{warnings} 个提醒，共 {len(findings)} 项")
    return "\n".join(lines)
