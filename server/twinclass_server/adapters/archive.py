"""A closed log as a file: one JSON event a line, and its checksum beside it."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from twinclass_recordings.assemble import write_durably
from twinclass_server.adapters.redis_log import E, EventLog
from twinclass_signaling.ids import EventSeq


async def archive(log: EventLog[E], name: str, folder: Path) -> Path:
    """Writes the whole log durably and returns the file; it may be repeated.

    Raises:
        Unavailable: Redis is away.
    """
    lines: list[bytes] = []
    started_at = 0
    async for event, payload in log.read(EventSeq(0)):
        started_at = started_at or int(event.at)
        lines.append(payload + b"\n")
    path = folder / f"{name}-{started_at}.jsonl"
    await asyncio.to_thread(_write, path, b"".join(lines))
    return path


async def archive_beside(log: Path, ending: str, data: bytes) -> Path:
    """Writes what belongs to an archived log durably beside it."""
    path = log.with_suffix(ending)
    await asyncio.to_thread(write_durably, path, data)
    return path


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256(data).hexdigest()
    write_durably(path, data)
    write_durably(path.with_suffix(".sha256"), f"{digest}  {path.name}\n".encode())
