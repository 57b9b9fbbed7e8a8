"""What a recording must know of its lesson after the lesson is gone: kept beside the media.

Written before the live system forgets the lesson, so that a package can be made whatever dies in
between; removed with the package. It holds names and is never served.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from twinclass_recordings.assemble import write_durably
from twinclass_recordings.package import Package
from twinclass_signaling.ids import LessonId, ParticipantId
from twinclass_signaling.lesson.plan import Plan
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tools.recording import recording_id
from twinclass_signaling.lesson.visibility import Person
from twinclass_signaling.roles import Role

FILE_NAME = "about.json"


class About(Struct, frozen=True):
    """A closed lesson. ``log``: its event log in the folder of archived lessons."""

    recording: str
    lesson: LessonId
    plan: Plan
    people: dict[ParticipantId, Person]
    opened_at: float
    closed_at: float
    lead: ParticipantId | None
    log: str


def about(state: LessonState, people: dict[ParticipantId, Person], log: Path) -> About:
    """Returns what is to be kept of a lesson that was closed."""
    lead = next((p for p, seat in state.seats.items() if seat.role is Role.LEAD), None)
    opened_at = state.opened_at or 0.0
    return About(
        recording_id(state),
        state.id,
        state.plan,
        dict(people),
        opened_at,
        state.closed_at or opened_at,
        lead,
        log.name,
    )


def write(package: Package, kept: About) -> None:
    """Keeps it durably."""
    write_durably(package.folder / FILE_NAME, msgspec.json.encode(kept))


def read(package: Package) -> About | None:
    """Returns what was kept; None when there is nothing that can be read."""
    try:
        return msgspec.json.decode((package.folder / FILE_NAME).read_bytes(), type=About)
    except (OSError, msgspec.MsgspecError):
        return None
