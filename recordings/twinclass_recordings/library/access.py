"""Who may see and do what in the library: pure functions, the one place that decides it.

An entry that somebody may not see does not exist for them: its id cannot be guessed at.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.roles import Role

Visibility = Literal["private", "school", "city"]
Action = Literal["see", "edit", "cut", "export", "delete", "usage", "rate"]

_EVERYWHERE = frozenset({Role.OPERATOR, Role.LIBRARIAN})


class Viewer(Struct, frozen=True):
    """Who asks: staff by a staff link (``schools``: those they belong to), somebody with a lesson's
    join link (``lesson``), or with a link to one entry (``entry``)."""

    role: Role
    subject: str
    schools: frozenset[str] = frozenset()
    lesson: str = ""
    room: str = ""
    entry: str = ""


class Rights(Struct, frozen=True):
    """What decides about an entry."""

    lesson: str
    lead: str
    schools: frozenset[str]
    visibility: Visibility
    entry: str = ""


def may(viewer: Viewer, action: Action, entry: Rights) -> bool:
    """Tells whether somebody may do something with an entry.

    Staff of the whole installation may do all. A lead has her own lessons, sees those that her
    school took part in once they are open to it, and those that are open to the city; she rates
    what is not hers. A join link shows its own lesson and nothing else, a link to one entry that
    one.
    """
    if viewer.entry:
        return action == "see" and viewer.entry == entry.entry
    if viewer.lesson:
        return action == "see" and viewer.lesson == entry.lesson
    if viewer.role in _EVERYWHERE:
        # Who runs the library does not vote on what is in it.
        return action != "rate"
    if viewer.role is not Role.LEAD:
        return False
    if viewer.subject == entry.lead:
        return action not in ("delete", "rate")
    if action not in ("see", "rate"):
        return False
    return entry.visibility == "city" or (
        entry.visibility == "school" and bool(viewer.schools & entry.schools)
    )
