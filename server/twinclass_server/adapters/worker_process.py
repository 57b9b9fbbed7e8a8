"""A media worker's process: started in its own session, watched and ended by its pid.

``posix_spawn`` and not asyncio's subprocess: those end their child when our loop closes, and a
worker must outlive a control plane that is replaced. Its log goes to a file for the same
reason: a pipe to a control plane that is gone would end it with SIGPIPE.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from twinclass_media.settings import MediaSettings

#: ``sun_path`` is 108 bytes on Linux and 104 on macOS, the final NUL included; our names take 16.
MAX_SOCKET_DIR_CHARS = 84


def socket_directory(run_dir: Path) -> Path:
    """A folder for sockets: ``run_dir``, or one with a short name when its path is too long.

    The short one is named by the hash of the long one, so that the next control plane finds
    the same workers; it belongs to us and is closed to others.

    Raises:
        OSError: the folder belongs to somebody else.
    """
    run_dir = run_dir.absolute()
    run_dir.mkdir(parents=True, exist_ok=True)
    if len(os.fsencode(run_dir)) <= MAX_SOCKET_DIR_CHARS:
        return run_dir
    name = hashlib.sha256(os.fsencode(run_dir)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"twinclass-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise PermissionError(f"{short} belongs to another user")
    return short


def command_line(settings: MediaSettings, index: int, directory: Path) -> list[str]:
    """How worker ``index`` is started; it adds its index to the ports itself."""
    command = [sys.executable, "-m", "twinclass_media.worker"]
    command += ["--index", str(index), "--run-dir", str(directory)]
    for address in settings.bind:
        command += ["--bind", address]
    command += ["--port", str(settings.port)]
    for announced in settings.announce:
        command += ["--announce", announced]
    if not settings.tcp:
        command.append("--no-tcp")
    command += ["--max-transports", str(settings.max_transports)]
    command += ["--native", settings.native, "--echo", settings.echo]
    command += ["--drain-s", str(settings.drain_s)]
    return command


class WorkerProcess:
    """A child of ours, by pid."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self._log = log
        self._exited = False

    @classmethod
    def start(cls, command: Sequence[str], log: Path) -> WorkerProcess:
        """Starts it, away from our terminal's signals. The log before is kept beside it."""
        with contextlib.suppress(FileNotFoundError):
            log.replace(log.with_suffix(".log.1"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        pid = os.posix_spawn(
            command[0],
            list(command),
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        return cls(pid, log)

    def has_exited(self) -> bool:
        """True once it is gone (and reaped)."""
        if not self._exited:
            try:
                self._exited = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
            except ChildProcessError:
                self._exited = True
        return self._exited

    def last_words(self) -> str:
        """The last line of its log."""
        with contextlib.suppress(OSError):
            lines = self._log.read_text(errors="replace").strip().splitlines()
            if lines:
                return lines[-1][-300:]
        return ""

    def kill(self) -> None:
        """Ends it at once."""
        if not self.has_exited():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def wait(self, timeout_s: float) -> bool:
        """True when it exited in time."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not self.has_exited():
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(0.02)
        return True
