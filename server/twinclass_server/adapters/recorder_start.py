"""Starts the recorder's process: for its link, and before the rest of the server is loaded.

When a server and its recorder are killed together, a lesson loses what is said until a recorder is
there again. It needs nothing of the server to go on, and the server takes seconds to load.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path

from twinclass_recordings.recorder import resume
from twinclass_server.adapters.worker_process import WorkerProcess, socket_directory

SOCKET = "recorder.sock"
#: It answers at once or is not there: the socket is on this machine.
_ANSWER_S = 1.0


def start(directory: Path, root: Path) -> WorkerProcess:
    """Starts a recorder with its sockets in ``directory``.

    Raises:
        OSError: it cannot be started.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [sys.executable, "-m", "twinclass_recordings.recorder"]
    command += ["--run-dir", str(directory), "--root", str(root)]
    return WorkerProcess.start(command, directory / "recorder.log")


def start_again(run_dir: Path, root: Path) -> WorkerProcess | None:
    """Starts one in place of a recorder that died while it was recording; None: none is needed.

    The caller has the data folder, so nobody else starts one. What goes wrong here the recorder's
    link meets again, and says.
    """
    if not resume.load(root).lessons:
        return None
    with contextlib.suppress(OSError):
        directory = socket_directory(run_dir)
        return None if _answers(directory / SOCKET) else start(directory, root)
    return None


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(_ANSWER_S)
        try:
            asking.connect(str(path))
        except OSError:
            return False
    return True
