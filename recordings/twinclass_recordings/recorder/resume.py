"""What was being recorded, kept so that a recorder that died goes on by itself. Core and a file."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from twinclass_recordings.recorder.messages import Record

FILE_NAME = "recorder-state.json"
MAX_BYTES = 16 * 1024 * 1024


class Resume(Struct, frozen=True):
    """The last wish of every lesson that is not finished, and the highest epoch obeyed."""

    lessons: tuple[Record, ...] = ()
    epoch: int = -1


def encode(state: Resume) -> bytes:
    """Returns the file's content."""
    return msgspec.json.encode(state)


def load(root: Path) -> Resume:
    """Returns what was kept; nothing when there is nothing that can be read."""
    try:
        data = (root / FILE_NAME).read_bytes()
        if len(data) > MAX_BYTES:
            return Resume()
        return msgspec.json.decode(data, type=Resume)
    except (OSError, msgspec.MsgspecError):
        return Resume()
