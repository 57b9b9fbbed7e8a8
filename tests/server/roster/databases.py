"""SQLite and a PostgreSQL of the test's own, both empty and up to date."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from light.ports import free_port
from twinclass_server.roster.database import Database


def program(name: str) -> str:
    """A program of PostgreSQL: Debian keeps them out of the path."""
    for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True):
        return str(path)
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: apt-get install postgresql")
    return found


class Cluster:
    """One PostgreSQL on loopback; it refuses to run as root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())

    @property
    def url(self) -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/postgres"

    def _run(self, *command: str) -> None:
        user = self._user.pw_uid if os.geteuid() == 0 else None
        done = subprocess.run(
            command,
            user=user,
            group=self._user.pw_gid if user is not None else None,
            extra_groups=[] if user is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        data = str(self.folder / "data")
        self._run(program("initdb"), "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "-N")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self._run(program("pg_ctl"), "-D", data, "-l", log, "-w", "-o", options, "start")

    def stop(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            data = str(self.folder / "data")
            self._run(program("pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")


@pytest.fixture
def postgres() -> Iterator[str]:
    """The URL of an empty PostgreSQL."""
    # Not below tmp_path: an unprivileged user may not go in there.
    with tempfile.TemporaryDirectory(prefix="tc-pg-") as folder:
        cluster = Cluster(Path(folder))
        try:
            cluster.start()
            yield cluster.url
        finally:
            cluster.stop()


@pytest.fixture
def databases(tmp_path: Path, postgres: str) -> Iterator[list[Database]]:
    found = [Database("", tmp_path), Database(postgres, tmp_path)]
    for database in found:
        database.migrate()
    yield found
    for database in found:
        database.close()
