"""What a recorder that was killed left behind: whole pieces are kept, half ones cut off (shell)."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from twinclass_recordings.package import Package
from twinclass_recordings.recorder import journal
from twinclass_recordings.scan import whole_bytes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Left:
    """A lesson's recording as it was found. ``next_number``: of the next file."""

    lines: list[journal.Line]
    next_number: int
    bytes: int


def repair(package: Package) -> Left | None:
    """Makes a package whole: half a journal line, half pieces and files without a line go.

    Returns None when there is no journal.

    Raises:
        OSError: the disk fails.
    """
    try:
        data = package.journal.read_bytes()
    except FileNotFoundError:
        return None
    lines = journal.decode(data)
    good = sum(len(journal.encode(line)) for line in lines)
    if good < len(data):
        _cut(package.journal, _end_of_line(data, len(lines)))
    begun = {line.number: line for line in lines if isinstance(line, journal.PartBegun)}
    ended = {line.number for line in lines if isinstance(line, journal.PartEnded)}
    size = 0
    for number, part in begun.items():
        path = package.folder / part.path
        if number not in ended:
            _mend(path)
            line = journal.PartEnded(number, "restarted")
            _append(package.journal, journal.encode(line))
            lines.append(line)
        if path.exists():
            size += path.stat().st_size
    known = {part.path for part in begun.values()}
    for path in package.parts.glob("*") if package.parts.is_dir() else ():
        if f"parts/{path.name}" not in known:
            log.warning("recording %s: removed a file without a line", package.folder.name)
            path.unlink()
    return Left(lines, max(begun, default=0) + 1, size)


def _end_of_line(data: bytes, lines: int) -> int:
    position = 0
    for _ in range(lines):
        position = data.index(b"\n", position) + 1
    return position


def _mend(path: Path) -> None:
    """Cuts a file after its last whole piece; one without any is empty and goes."""
    if not path.exists():
        return
    good = whole_bytes(path)
    if good == 0:
        path.unlink()
    elif good < path.stat().st_size:
        _cut(path, good)


def _cut(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _append(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
