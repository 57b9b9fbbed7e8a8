"""``./run`` in a fresh clone, as somebody does who has never seen the project."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hosting.process import environment
from light.ports import free_port

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]

REPOSITORY = Path(__file__).resolve().parents[2]
PORT = free_port(6)
ADMIN_PORT, MEDIA_PORT = PORT + 1, PORT + 2
#: Downloads, a compiler of TypeScript and two machines' worth of other tests beside it.
FIRST_START_S = 600.0
#: What design promises for every later start.
LATER_START_S = 5.0
PORTS = ("--port", str(PORT), "--media-port", str(MEDIA_PORT), "--admin-port", str(ADMIN_PORT))


@dataclass
class Started:
    """A ``./run`` that printed its links, the text and how long that took."""

    text: str
    seconds: float


@contextmanager
def started(folder: Path, timeout_s: float, *before: str, data: str = "data") -> Iterator[Started]:
    """Runs until the last printed line, then Ctrl-C; ``before`` is a command to run it under."""
    begin = time.monotonic()
    output = folder / f"output-{time.monotonic_ns()}"
    with output.open("w") as file:
        process = subprocess.Popen(
            [*before, "./run", *PORTS, "--data", data],
            cwd=folder,
            stdout=file,
            stderr=file,
            env=environment(),
            process_group=0,
        )
    try:
        while "Ctrl-C" not in (text := output.read_text(errors="replace")):
            assert process.poll() is None, text
            assert time.monotonic() - begin < timeout_s, text
            time.sleep(0.05)
        yield Started(text, time.monotonic() - begin)
    finally:
        if process.poll() is None:
            # As a terminal does it: the whole foreground group hears of Ctrl-C.
            os.killpg(process.pid, signal.SIGINT)
        process.wait(30)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["./run", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        check=False,
    )


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Started]:
    folder = tmp_path_factory.mktemp("fresh") / "twinclass"
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(folder)], check=True)
    with started(folder, FIRST_START_S) as running:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=5) as page:
            assert b"/assets/" in page.read()
    return folder, running


def test_a_fresh_clone_starts_and_prints_a_link_per_role(first: tuple[Path, Started]) -> None:
    _, running = first
    for page in ("lead", "room", "home", "assistant", "observe"):
        assert re.search(rf"http://127\.0\.0\.1:{PORT}/{page}#token=\S+", running.text), page


def test_a_clone_keeps_its_tree_clean(first: tuple[Path, Started]) -> None:
    folder, _ = first
    (folder / ".git" / "info" / "exclude").write_text("output-*\n")
    done = subprocess.run(
        ["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout == ""


def test_a_later_start_is_quick_and_needs_no_network(first: tuple[Path, Started]) -> None:
    folder, _ = first
    root = () if os.geteuid() == 0 else ("--map-root-user",)
    alone = ("unshare", *root, "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    with started(folder, 60, *alone) as running:
        assert running.seconds <= LATER_START_S, running.text


def test_a_second_run_on_the_same_data_says_who_holds_it(first: tuple[Path, Started]) -> None:
    folder, _ = first
    others = ("--port", str(PORT + 3), "--admin-port", str(PORT + 4), "--media-port", str(PORT + 5))
    with started(folder, 60):
        done = run(folder, *others)
    assert done.returncode == 2
    assert re.search(rf"in use by process \d+, http port {PORT}, media port", done.stderr)
    assert "--data" in done.stderr


@pytest.mark.parametrize(
    ("flag", "port", "kind"),
    [
        ("--port", PORT, socket.SOCK_STREAM),
        ("--admin-port", ADMIN_PORT, socket.SOCK_STREAM),
        ("--media-port", MEDIA_PORT, socket.SOCK_DGRAM),
        ("--media-port", MEDIA_PORT, socket.SOCK_STREAM),
    ],
)
def test_a_busy_port_is_named_with_its_flag(
    first: tuple[Path, Started], flag: str, port: int, kind: socket.SocketKind
) -> None:
    folder, _ = first
    with socket.socket(socket.AF_INET, kind) as holder:
        # The server that had it before may have left connections in TIME_WAIT.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        if kind is socket.SOCK_STREAM:
            holder.listen()
        done = run(folder, *PORTS)
    assert done.returncode == 2
    assert f"{port} " in done.stderr
    assert f"{flag} PORT" in done.stderr


def test_ctrl_c_leaves_nothing_running(first: tuple[Path, Started]) -> None:
    folder, _ = first
    with started(folder, 60):
        assert processes_of(folder)
    assert processes_of(folder) == []


def processes_of(folder: Path) -> list[str]:
    """Command lines of all processes that were started from a folder."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(folder) in line:
                found.append(line)
    return found
