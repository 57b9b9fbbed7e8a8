"""``./run`` says what is missing before it does anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from light.ports import free_port

RUN = Path(__file__).resolve().parents[2] / "run"
TOOLS = ("bash", "dirname", "sed", "cat", "cut", "sha256sum", "uname", "find", "sort", "xargs")


def start(folder: Path, *tools: tuple[str, str], url: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a copy of the script in an empty folder with nothing on PATH but a few tools."""
    folder.mkdir()
    shutil.copy(RUN, folder / "run")
    path = folder / "bin"
    path.mkdir()
    for name in set(TOOLS) - {name for name, _ in tools}:
        found = shutil.which(name)
        assert found is not None
        (path / name).symlink_to(found)
    for name, text in tools:
        (path / name).write_text(f"#!{path / 'bash'}\n{text}\n")
        (path / name).chmod(0o755)
    return subprocess.run(
        [str(path / "bash"), str(folder / "run"), "--port", str(free_port())],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={"PATH": str(path), "HOME": str(folder), "TWINCLASS_REDIS__URL": url},
    )


def test_a_bare_system_is_told_the_line_to_type(tmp_path: Path) -> None:
    done = start(tmp_path / "bare")
    assert done.returncode == 2
    assert "sudo apt-get install python3 python3-venv redis-server\n" in done.stderr
    assert done.stdout == ""


def test_an_old_redis_is_not_enough_where_no_wheel_has_one(tmp_path: Path) -> None:
    done = start(
        tmp_path / "old",
        ("redis-server", "echo Redis server v=6.0.16 sha=0"),
        ("python3", f'exec "{os.path.realpath(sys.executable)}" "$@"'),
        ("uname", "echo Linux-aarch64"),
    )
    assert done.returncode == 2
    assert "sudo apt-get install redis-server\n" in done.stderr


def test_an_unknown_argument_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [shutil.which("bash") or "bash", str(RUN), "--prot", "1"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "--prot" in done.stderr
