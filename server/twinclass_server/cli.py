"""The command ``twinclass``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import re
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from twinclass_config import ConfigError
from twinclass_server import (
    backup_commands,
    doctor_commands,
    lesson_commands,
    library_commands,
    roster_commands,
)
from twinclass_server.adapters import lan
from twinclass_server.adapters.data_folder import DataFolder, DataFolderHeld
from twinclass_server.adapters.redis_child import RedisMissing
from twinclass_server.announce import base_urls, greeting
from twinclass_server.app import Server, ServerParts, install_signals
from twinclass_server.chosen_settings import chosen, for_lan
from twinclass_server.demo import demo_links
from twinclass_server.listen import PortBusy
from twinclass_server.logging import configure_logging
from twinclass_server.roster.database import DatabaseUnusable
from twinclass_server.school import DESK_TTL_S, staff_path
from twinclass_signaling.lesson.state import ID_PATTERN
from twinclass_signaling.roles import LESSON_ROLES, Role
from twinclass_signaling.tokens import STAFF_ROLES, Claims

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (ConfigError, DataFolderHeld, PortBusy, RedisMissing, DatabaseUnusable) as error:
        print(f"twinclass: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="twinclass", description="Twinclass 双师课堂")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the server")
    _add_settings(serve)
    serve.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    serve.add_argument("--port", type=int, help="pages and signalling (default 8080)")
    serve.add_argument("--media-port", type=int, help="media of worker 0, UDP and TCP (7900)")
    serve.add_argument("--admin-port", type=int, help="private listener (default 9090)")
    serve.add_argument("--workers", type=int, help="media workers (default 1)")
    serve.add_argument("--lan", action="store_true", help="for a school: all interfaces, HTTPS")
    serve.add_argument("--demo", action="store_true", help="open the demo lesson")
    serve.add_argument(
        "--keep-workers", action="store_true", help="media workers outlive SIGTERM (deploys)"
    )
    serve.set_defaults(run=_serve)

    check = commands.add_parser("check-config", help="read the settings and say what is wrong")
    _add_settings(check)
    check.set_defaults(run=_check_config)

    token = commands.add_parser("token", help="print a join token")
    _add_data(token)
    token.add_argument("--lesson", type=_id)
    token.add_argument("--role", choices=sorted(LESSON_ROLES))
    token.add_argument(
        "--staff",
        choices=sorted(STAFF_ROLES),
        help="a link to My lessons (librarian: to the library) instead of to a lesson",
    )
    token.add_argument("--room", type=_id, help="the room; for the role room its own id")
    token.add_argument("--name", default="", type=_name)
    token.add_argument("--school", default="", type=_name)
    token.add_argument("--sub", type=_id, help="the person's id (default: a new one)")
    token.add_argument("--ttl", default="2h", type=_duration_s, help="such as 90m, 2h, 7d")
    token.set_defaults(run=_token)

    rotate = commands.add_parser("rotate-key", help="sign new tokens with a new key")
    _add_data(rotate)
    rotate.set_defaults(run=_rotate_key)

    lesson_commands.add_to(commands)
    roster_commands.add_to(commands)
    library_commands.add_to(commands)
    doctor_commands.add_to(commands)
    backup_commands.add_to(commands)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument("--config", type=Path, help="TOML file; the environment wins over it")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=Path("data"), help="data folder (./data)")


def _id(text: str) -> str:
    if not re.fullmatch(ID_PATTERN, text):
        raise argparse.ArgumentTypeError("letters, digits, _ . - only, at most 64")
    return text


def _name(text: str) -> str:
    if len(text) > 64:
        raise argparse.ArgumentTypeError("at most 64 characters")
    return text


def _duration_s(text: str) -> float:
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None or int(match[1]) == 0:
        raise argparse.ArgumentTypeError("a number with s, m, h or d, such as 2h")
    return float(int(match[1]) * _UNITS[match[2]])


def _serve(options: argparse.Namespace) -> int:
    # Imported here: the media plane starts slowly, and `twinclass token` must not wait for it.
    from twinclass_server.adapters.media_plane import WorkerMediaPlane  # noqa: PLC0415
    from twinclass_server.adapters.worker_process import socket_directory  # noqa: PLC0415

    settings = chosen(options)
    folder = DataFolder(options.data)
    addresses: list[str] = []
    if options.lan:
        addresses = lan.lan_addresses()
        settings = for_lan(settings, folder, addresses)
    configure_logging(settings.log)

    async def started() -> None:
        links = []
        if settings.demo.enabled:
            links = demo_links(settings.demo, folder.read_keys(), time.time())
        bases = base_urls(settings, addresses)
        desk = staff_path(folder.read_keys(), Role.OPERATOR, "operator", "", DESK_TTL_S)
        print(
            greeting(settings, bases, links, desk if links else None, is_lan=options.lan),
            flush=True,
        )

    async def run() -> None:
        server = Server(
            ServerParts(settings, folder, WorkerMediaPlane, socket_directory(folder.run))
        )
        install_signals(server, keep_workers=options.keep_workers)
        await server.run(started)

    try:
        asyncio.run(run())
    except asyncio.CancelledError:
        return 1  # Forced by a second signal.
    return 0


def _check_config(options: argparse.Namespace) -> int:
    settings = chosen(options)
    for section in dataclasses.fields(settings):
        values = getattr(settings, section.name)
        for item in dataclasses.fields(values):
            if item.repr:
                print(f"{section.name}.{item.name} = {getattr(values, item.name)!r}")
    return 0


def _token(options: argparse.Namespace) -> int:
    if options.staff is not None:
        return _staff_link(options)
    if options.lesson is None or options.role is None:
        print("twinclass: --lesson and --role are needed, or --staff", file=sys.stderr)
        return 2
    role = Role(options.role)
    if role is Role.ROOM and options.room is None:
        print("twinclass: the role room needs --room ID", file=sys.stderr)
        return 2
    subject = options.room if role is Role.ROOM else options.sub or secrets.token_hex(8)
    now = float(int(time.time()))
    claims = Claims(
        sub=subject,
        role=role,
        lesson=options.lesson,
        exp=now + options.ttl,
        iat=now,
        room=options.room,
        name=options.name,
        school=options.school,
    )
    with contextlib.suppress(BrokenPipeError):
        print(DataFolder(options.data).read_keys().issue(claims))
    return 0


def _staff_link(options: argparse.Namespace) -> int:
    if options.staff == Role.LEAD and options.sub is None:
        print("twinclass: --staff lead needs --sub ID, the teacher's id", file=sys.stderr)
        return 2
    keys = DataFolder(options.data).read_keys()
    subject = options.sub or options.staff
    print(staff_path(keys, options.staff, subject, options.name, options.ttl))
    return 0


def _rotate_key(options: argparse.Namespace) -> int:
    print(DataFolder(options.data).rotate_keys())
    return 0


if __name__ == "__main__":
    sys.exit(main())
