"""Work on recordings in a niced process of its own that prints how far it is (shell).

A job prints JSON lines: ``{"progress": 0.42}``, at last ``{"done": true}`` or ``{"error": "…"}``.
Whoever gives it up cancels the task that waits for it; the process is killed then.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

logger = logging.getLogger(__name__)

#: A lesson in progress must not notice: the lowest priority there is.
_NICE = 19
#: Longer reasons are no reasons.
_MAX_REASON = 400


class Ended(Struct, frozen=True):
    """How a job ended. ``error``: its own words, ``timeout``, or empty where it said nothing.
    ``damaged``: files that could not be read whole."""

    succeeded: bool
    error: str = ""
    damaged: int = 0


class _Line(Struct, frozen=True):
    progress: float | None = None
    done: bool = False
    damaged: int = 0
    error: str = ""


async def run_job(
    module: str, arguments: Sequence[str], told: Callable[[float], None], max_s: float
) -> Ended:
    """Runs a module of jobs to its end; ``told`` hears how much is done, 0 to 1.

    Raises:
        CancelledError: it was given up, and its process is dead.
    """
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", str(_NICE), sys.executable, "-m", module, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    error, damaged = "", 0
    try:
        async with asyncio.timeout(max_s):
            async for raw in process.stdout:
                line = _read(raw)
                if line.progress is not None:
                    told(line.progress)
                damaged = line.damaged or damaged
                error = line.error[:_MAX_REASON] or error
            return Ended(await process.wait() == 0, error, damaged)
    except TimeoutError:
        return Ended(succeeded=False, error="timeout")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _read(raw: bytes) -> _Line:
    try:
        return msgspec.json.decode(raw, type=_Line)
    except msgspec.MsgspecError:
        return _Line()
