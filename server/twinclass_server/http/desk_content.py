"""All routes of what the evening desk keeps, put together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import BaseRoute

from twinclass_server.desk.content.desk_content import DeskContent
from twinclass_server.http.desk_bank import BankRoutes
from twinclass_server.http.desk_care import CareRoutes
from twinclass_server.http.desk_contents import ContentRoutes
from twinclass_server.http.desk_door import DeskDoor, DeskPort
from twinclass_server.http.desk_http import Keys
from twinclass_server.http.desk_staff import StaffRoutes

__all__ = ["DeskContentRoutes", "DeskParts", "DeskPort"]


@dataclass(frozen=True, slots=True)
class DeskParts:
    """What the routes need. ``keys``: those that refuse withdrawn links."""

    content: DeskContent
    keys: Keys
    port: DeskPort
    clock: Callable[[], float] = time.time


class DeskContentRoutes:
    """The stores over HTTP."""

    def __init__(self, parts: DeskParts) -> None:
        kept, keys, port = parts.content, parts.keys, parts.port
        door = DeskDoor(keys, port, parts.clock)
        # What is asked for most comes first: routes are tried one after the other.
        self._routes = [
            *ContentRoutes(
                *(kept.contents, kept.media, kept.flags, door, port, keys),
                kept.consents.may_send_media,
            ).routes(),
            *BankRoutes(kept.bank, kept.bank_desk, kept.contents, door, keys).routes(),
            *StaffRoutes(kept.ledger, kept.ratings, kept.rosters, kept.audit, door, port).routes(),
            *CareRoutes(kept.helps, kept.consents, kept.cases, kept.ratings, door, port).routes(),
        ]

    def routes(self) -> list[BaseRoute]:
        """Returns the routes of the public listener."""
        return self._routes
