"""What was recorded of live help goes when its time is over, and what is held by a case stays.

A recording is kept thirty days; one of a child whose guardian has withdrawn her consent goes with
the next look. While a report about a session is open, or was escalated, its recording stays. A
receipt tells what was deleted, by name of the session only.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from twinclass_recordings import manifest as m
from twinclass_recordings.assemble import write_durably
from twinclass_recordings.package import Package
from twinclass_server.recording.help_about import PREFIX

logger = logging.getLogger(__name__)

_NAME = re.compile(re.escape(PREFIX) + r"(?P<desk>.+)-(?P<day>\d{4}-\d{2}-\d{2})-(?P<session>\d+)")

#: Desk, evening, number of the session.
SessionName = tuple[str, str, int]


class Receipt(Struct, frozen=True):
    """What one look has deleted, as kept among the proofs."""

    at: datetime
    recordings: tuple[str, ...]


def session_of(recording: str) -> SessionName | None:
    """Returns whose recording this is; None: not one of live help."""
    match = _NAME.fullmatch(recording)
    return None if match is None else (match["desk"], match["day"], int(match["session"]))


def delete_over(
    root: Path,
    proofs: Path,
    now: datetime,
    is_held: Callable[[str, str, int], bool],
    withdrawn: Collection[SessionName],
) -> Receipt | None:
    """Deletes what is over; returns the receipt, None: nothing was. Blocks.

    Args:
        root: where recordings are.
        proofs: where receipts are kept.
        now: which day it is.
        is_held: whether a case keeps a session's recording.
        withdrawn: sessions of children without consent any more.
    """
    gone: list[str] = []
    for folder in sorted(root.glob(f"{PREFIX}*")):
        name = session_of(folder.name)
        if name is None or is_held(*name):
            continue
        # What is being recorded or made has no manifest, and waits for the next look.
        is_made = Package(folder).manifest.exists()
        if is_made and (name in withdrawn or _is_over(folder, now)):
            shutil.rmtree(folder)
            gone.append(folder.name)
    if not gone:
        return None
    receipt = Receipt(now.astimezone(UTC), tuple(gone))
    proofs.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = proofs / f"help-{now.astimezone(UTC):%Y%m%dT%H%M%S}.json"
    write_durably(path, msgspec.json.encode(receipt))
    logger.info("%d recordings of live help were deleted", len(gone))
    return receipt


def _is_over(folder: Path, now: datetime) -> bool:
    try:
        until = m.decode(Package(folder).manifest.read_bytes()).keep_until
    except (OSError, m.ManifestError):
        return False  # It is being made, or a person has to look at it.
    return bool(until) and until < now.astimezone(UTC).date().isoformat()
