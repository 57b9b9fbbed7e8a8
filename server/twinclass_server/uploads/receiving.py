"""An upload to a scratch file, and the process that looks at it (shell)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from msgspec import Struct

#: A check has limits of its own; this is for a machine that is busy.
CHECK_S = 30.0


class TooLarge(Exception):
    """More came than may."""


class Checked(Struct, frozen=True):
    """What a check says of a file; ``code`` is empty when it is good."""

    code: str = ""
    pages: int = 0
    title: str = ""
    width: int = 0
    height: int = 0
    seconds: float = 0.0


async def receive(body: AsyncIterator[bytes], target: Path, limit: int) -> int:
    """Writes an upload to a new file; returns its size.

    Raises:
        TooLarge: it is larger than ``limit`` bytes.
        OSError: the disk fails.
    """
    size = 0
    with target.open("xb") as file:
        async for piece in body:
            size += len(piece)
            if size > limit:
                raise TooLarge
            file.write(piece)
    return size


async def check(module: str, source: Path, target: Path, *, broken: str) -> Checked:
    """Lets ``module`` (run as a process) look at a file and write a clean one; what dies or does
    not end says ``broken``."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, str(source), str(target)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(CHECK_S):
            output, _ = await process.communicate()
        return msgspec.json.decode(output, type=Checked)
    except (TimeoutError, msgspec.MsgspecError):
        # It ran into a limit of its own, or into ours.
        return Checked(broken)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
