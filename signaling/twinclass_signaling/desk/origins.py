"""Where a question comes from: a lesson, and the second of it, as one id that fits the wire.

``lesson.<second>.<id>``: the second stands before the id, because ids hold dots; ``-`` is no number
and stands for a question about the whole lesson. ``id`` is the recording's where there is one (a
lesson's id may be used again after it was closed), else the lesson's.
"""

from __future__ import annotations

import re

from msgspec import Struct

#: What ``plan.Id`` lets through.
MAX_CHARS = 64
#: A day: no lesson is longer.
MAX_SECOND = 86_400
_ORIGIN = re.compile(r"lesson\.(?P<second>\d{1,5}|-)\.(?P<id>[A-Za-z0-9][A-Za-z0-9_.-]{0,63})")


class Moment(Struct, frozen=True):
    """A second from the bell; None: the whole lesson. ``id``: of its recording, or its own."""

    id: str
    second: int | None = None


def origin_of(moment: Moment) -> str | None:
    """Returns the id of a moment; None: it is too long for the wire (ids of lessons of ours are
    not)."""
    second = "-" if moment.second is None else str(min(max(moment.second, 0), MAX_SECOND))
    origin = f"lesson.{second}.{moment.id}"
    return origin if len(origin) <= MAX_CHARS else None


def moment_of(origin: str) -> Moment | None:
    """Returns what an origin says; None: it is of another kind."""
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return None
    return Moment(match["id"], None if match["second"] == "-" else int(match["second"]))
