"""``twinclass token`` and ``rotate-key``: links for people, and what signs them."""

from __future__ import annotations

import argparse
import contextlib
import re
import secrets
import sys
import time

from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.chosen_settings import add_data
from twinclass_server.roster.staff_links import staff_path
from twinclass_signaling.lesson.state import ID_PATTERN
from twinclass_signaling.roles import DESK_ROLES, LESSON_ROLES, Role
from twinclass_signaling.tokens import STAFF_ROLES, Claims, DeskClaims

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def add_to(
    # argparse has no public name for what add_subparsers returns.
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
) -> None:
    """Adds the commands."""
    token = commands.add_parser("token", help="print a join token")
    add_data(token)
    token.add_argument("--lesson", type=_id)
    token.add_argument("--desk", type=_id, help="an evening desk instead of a lesson")
    token.add_argument("--role", choices=sorted(LESSON_ROLES | DESK_ROLES))
    token.add_argument(
        "--staff",
        choices=sorted(STAFF_ROLES),
        help="a link to My lessons (librarian: to the library) instead of to a lesson",
    )
    token.add_argument("--room", type=_id, help="the room; for the role room its own id")
    token.add_argument("--name", default="", type=_name)
    token.add_argument("--school", default="", type=_name)
    token.add_argument("--grade", type=int, choices=range(1, 13), help="a pupil's, for the desk")
    token.add_argument("--class-name", default="", type=_name, help="a pupil's, for the desk")
    token.add_argument(
        "--child", action="append", default=[], type=_id, help="a guardian's; may be repeated"
    )
    token.add_argument("--sub", type=_id, help="the person's id (default: a new one)")
    token.add_argument("--ttl", default="2h", type=_duration_s, help="such as 90m, 2h, 7d")
    token.set_defaults(run=_token)

    rotate = commands.add_parser("rotate-key", help="sign new tokens with a new key")
    add_data(rotate)
    rotate.set_defaults(run=_rotate_key)


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


def _token(options: argparse.Namespace) -> int:
    if options.staff is not None:
        return _staff_link(options)
    if (options.lesson is None) == (options.desk is None) or options.role is None:
        return _fail("--lesson or --desk, and --role, are needed; or --staff")
    role = Role(options.role)
    if role not in (LESSON_ROLES if options.desk is None else DESK_ROLES):
        return _fail(f"there is no {role} {'in a lesson' if options.desk is None else 'at a desk'}")
    if options.desk is not None:
        return _desk_token(options, role)
    if role is Role.ROOM and options.room is None:
        return _fail("the role room needs --room ID")
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


def _desk_token(options: argparse.Namespace, role: Role) -> int:
    if (role is Role.PUPIL) != (options.grade is not None):
        return _fail("the role pupil, and no other, needs --grade")
    if (role is Role.GUARDIAN) != bool(options.child):
        return _fail("the role guardian, and no other, needs --child ID")
    now = float(int(time.time()))
    claims = DeskClaims(
        sub=options.sub or secrets.token_hex(8),
        role=role,
        desk=options.desk,
        exp=now + options.ttl,
        iat=now,
        name=options.name,
        grade=options.grade,
        class_name=options.class_name,
        school=options.school,
        children=tuple(options.child),
    )
    with contextlib.suppress(BrokenPipeError):
        print(DataFolder(options.data).read_keys().issue(claims))
    return 0


def _fail(text: str) -> int:
    print(f"twinclass: {text}", file=sys.stderr)
    return 2


def _staff_link(options: argparse.Namespace) -> int:
    if options.staff == Role.LEAD and options.sub is None:
        return _fail("--staff lead needs --sub ID, the teacher's id")
    keys = DataFolder(options.data).read_keys()
    subject = options.sub or options.staff
    print(staff_path(keys, options.staff, subject, options.name, options.ttl))
    return 0


def _rotate_key(options: argparse.Namespace) -> int:
    print(DataFolder(options.data).rotate_keys())
    return 0
