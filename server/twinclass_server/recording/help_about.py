"""What a recording of live help must know when its session is over: kept beside the media.

As ``about`` for lessons, without a name in it: seats are ``tutor`` and ``pupil-1``. What is made of
it is in no library; ``desk`` says who may open it, and how long it is kept.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from twinclass_recordings.assemble import write_durably
from twinclass_recordings.package import Package

FILE_NAME = "help.json"
#: Names of such recordings begin with this, and no lesson's do.
PREFIX = "help-"


class HelpAbout(Struct, frozen=True):
    """A session of live help that is over. Times in Unix seconds."""

    recording: str
    title: str
    started_at: float
    ended_at: float
    keep_days: int


def write(package: Package, kept: HelpAbout) -> None:
    """Keeps it durably."""
    write_durably(package.folder / FILE_NAME, msgspec.json.encode(kept))


def read(folder: Path) -> HelpAbout | None:
    """Returns what was kept; None when there is nothing that can be read."""
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=HelpAbout)
    except (OSError, msgspec.MsgspecError):
        return None
