"""All of a running Redis of ours at one instant, as a file.

BGSAVE forks: the file is the state of one moment, whatever is written meanwhile. Copying the
append-only files instead would need their rewriting stopped, and restores no more.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from twinclass_server.adapters.redis_connection import connect, is_up, mapped_errors
from twinclass_signaling.errors import Unavailable

#: Open lessons are some MB; a minute is for a disk that is busy.
_WAIT_S = 60.0
#: Its default name, which our child does not change.
_FILE = "dump.rdb"


async def take_snapshot(url: str, folder: Path) -> Path | None:
    """Returns the file, which is the caller's to remove; None when no Redis runs there.

    Raises:
        Unavailable: it runs, but cannot write the file.
    """
    redis = connect(url, 5.0)
    try:
        if not await is_up(redis):
            return None
        with mapped_errors():
            before = time.time_ns()
            await redis.bgsave(schedule=True)
            deadline = time.monotonic() + _WAIT_S
            while time.monotonic() < deadline:
                told = await redis.info("persistence")
                is_done = not int(told["rdb_bgsave_in_progress"])
                if is_done and told["rdb_last_bgsave_status"] != "ok":
                    break
                path = folder / _FILE
                # The file appears under its name when it is complete; a coarse clock of the
                # disk may lag by some milliseconds.
                if is_done and path.exists() and path.stat().st_mtime_ns > before - 50_000_000:
                    os.chmod(path, 0o600)
                    return path
                await asyncio.sleep(0.05)
    finally:
        await redis.aclose()
    raise Unavailable(
        "log_unavailable",
        "课堂记录写不进磁盘，不能备份。",
        "Redis cannot write its snapshot; see redis/redis.log and the disk.",
    )
