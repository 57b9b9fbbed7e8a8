"""``twinclass lesson``: talks to the private listener of a running server."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from typing import Any

_ADMIN = "http://127.0.0.1:9090"


def add_to(
    # argparse has no public name for what add_subparsers returns.
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
) -> None:
    """Adds the sub-commands."""
    lesson = commands.add_parser("lesson", help="create, list, close lessons of a running server")
    actions = lesson.add_subparsers(required=True, metavar="ACTION")

    create = actions.add_parser("create", help="make a lesson; it opens with its pre-class phase")
    create.add_argument("id")
    create.add_argument("--title", required=True)
    create.add_argument("--subtitle", default="")
    create.add_argument("--minutes", type=int, default=40)
    create.add_argument(
        "--room",
        action="append",
        default=[],
        metavar="ID[:NAME[:SCHOOL]]",
        help="an expected classroom; may be repeated",
    )
    create.add_argument("--homes", type=int, default=0, help="home learners expected")
    create.set_defaults(run=_create)

    listing = actions.add_parser("list", help="lessons that are not closed")
    listing.set_defaults(run=_list)

    close = actions.add_parser("close", help="end a lesson for everybody")
    close.add_argument("id")
    close.set_defaults(run=_close)
    for parser in (create, listing, close):
        parser.add_argument("--admin", default=_ADMIN, help=f"private listener ({_ADMIN})")


def _create(options: argparse.Namespace) -> int:
    rooms: list[dict[str, str]] = []
    for text in options.room:
        room_id, _, rest = text.partition(":")
        name, _, school = rest.partition(":")
        rooms.append({"id": room_id, "name": name or room_id, "school": school})
    plan = {
        "title": options.title,
        "subtitle": options.subtitle,
        "planned_minutes": options.minutes,
        "rooms": rooms,
        "homes": options.homes,
    }
    return _call(options.admin, "POST", "/lessons", {"id": options.id, "plan": plan})


def _list(options: argparse.Namespace) -> int:
    return _call(options.admin, "GET", "/lessons")


def _close(options: argparse.Namespace) -> int:
    return _call(options.admin, "POST", f"/lessons/{options.id}/close", {})


def _call(admin: str, method: str, path: str, body: dict[str, Any] | None = None) -> int:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - the operator's own address
        admin + path, data=data, method=method, headers={"Content-Type": "application/json"}
    )
    # The private listener is on this machine: a proxy of the environment must not see it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            print(json.dumps(json.load(answer), ensure_ascii=False, indent=1))
            return 0
    except urllib.error.HTTPError as error:
        print(f"twinclass: {error.code}: {error.read().decode(errors='replace')}", file=sys.stderr)
    except (urllib.error.URLError, OSError) as error:
        print(f"twinclass: no server answers at {admin}: {error}", file=sys.stderr)
    return 1
