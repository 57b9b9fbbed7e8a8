"""Who may see what of a lesson: the one place that decides it.

Both the broadcast of events and the views of the tools ask here, so that what a client is told
live and what it is told when it comes back cannot differ.
"""

from __future__ import annotations

from msgspec import Struct

from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.roles import Role

STAFF_ROLES = frozenset({Role.LEAD, Role.CO_LEAD, Role.ASSISTANT})


class Person(Struct, frozen=True):
    """What the names directory holds of a participant; never in the event log."""

    name: str = ""
    school: str = ""


class Viewer(Struct, frozen=True):
    """Somebody who is shown the lesson."""

    participant: ParticipantId
    role: Role
    room: RoomId | None

    @property
    def is_staff(self) -> bool:
        """Tells whether this is a teacher of the lesson."""
        return self.role in STAFF_ROLES
