"""Which files a backup takes, and the copies of what changes while it is copied.

The order matters: database and Redis first, folders afterwards. A lesson that closes meanwhile is
then in both; the other way round it could be in neither.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from twinclass_config import Settings
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.adapters.redis_child import RedisChild
from twinclass_server.adapters.redis_snapshot import take_snapshot
from twinclass_server.chosen_settings import recordings_root
from twinclass_server.operations.backup import manifest as m
from twinclass_server.operations.backup.manifest import BackupProblem

_SQLITE = "school.sqlite3"
#: Sockets and logs of this machine, what is copied apart, exports of a day, and copies of before.
_LEFT_OUT = {"run", "lock", "redis", "recordings", "exports", "server.log"}


@dataclass(frozen=True, slots=True)
class Source:
    """A file and its name in the archive."""

    path: Path
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """All files of a backup; recordings only where they are wanted."""

    sources: tuple[Source, ...]
    database: m.DatabaseKind
    redis: m.RedisKind
    recordings_bytes: int


def gather(
    settings: Settings, folder: DataFolder, config: Path | None, scratch: Path, *, recordings: bool
) -> Gathered:
    """Returns what is to be archived; ``scratch`` takes copies and stays until that is done.

    Raises:
        BackupProblem: something cannot be copied.
    """
    found: list[Source] = []
    database = _database(settings, folder, scratch, found)
    redis = _redis(settings, folder, scratch, found)
    root = recordings_root(settings, folder).resolve()
    for path in sorted(folder.path.iterdir()):
        if _is_taken(path.name):
            found += _files(path, f"{m.DATA}/{path.name}", apart=root)
    found += _settings(config, scratch)
    recorded = list(_files(root, m.RECORDINGS)) if root.is_dir() else []
    if recordings:
        found += recorded
    return Gathered(tuple(found), database, redis, sum(one.size for one in recorded))


def _is_taken(name: str) -> bool:
    return not (
        name in _LEFT_OUT or name.startswith((".", _SQLITE, "before-restore-", "restored-settings"))
    )


def _files(path: Path, name: str, apart: Path | None = None) -> Iterator[Source]:
    """A folder may be a link to another disk; links inside one are nobody's but an attacker's.
    ``apart``: where recordings are, wherever that is."""
    try:
        if path.is_dir():
            if path.resolve() == apart:
                return
            for entry in sorted(path.iterdir()):
                if not entry.is_symlink() and not _is_passing(entry.name):
                    yield from _files(entry, f"{name}/{entry.name}", apart)
        elif path.is_file():
            yield Source(path, name, path.stat().st_size)
    except FileNotFoundError:
        return  # It was removed meanwhile: it is not a part of what is there now.
    except OSError as error:
        raise BackupProblem(
            "backup_unreadable",
            f"{path} 读不了，请用运行服务的用户来备份。",
            f"{path} cannot be read ({error.strerror}); run this as the service's user.",
        ) from error


def _is_passing(name: str) -> bool:
    return name.startswith(".") or name.endswith(".part")


def _copied(path: Path, name: str) -> Source:
    return Source(path, name, path.stat().st_size)


def _settings(config: Path | None, scratch: Path) -> Iterator[Source]:
    if config is not None:
        yield _copied(config, f"{m.SETTINGS}/{config.name}")
    lines = [f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith("TWINCLASS_")]
    if lines:
        path = scratch / "environment"
        path.touch(0o600)
        path.write_text("\n".join(lines) + "\n")
        yield _copied(path, f"{m.SETTINGS}/environment")


# ---- database ----------------------------------------------------------------------------------


def _database(
    settings: Settings, folder: DataFolder, scratch: Path, found: list[Source]
) -> m.DatabaseKind:
    if settings.database.url:
        path = scratch / m.DUMP
        run_postgres("pg_dump", settings.database.url, "--format=custom", f"--file={path}")
        found.append(_copied(path, m.DUMP))
        return "postgresql"
    file = folder.path / _SQLITE
    if not file.exists():
        return "none"
    copy = scratch / _SQLITE
    try:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise BackupProblem(
            "backup_database", f"数据库不能备份：{error}。", f"The database: {error}."
        ) from error
    found.append(_copied(copy, f"{m.DATA}/{_SQLITE}"))
    return "sqlite"


def run_postgres(program: str, url: str, *arguments: str) -> None:
    """Runs a program of PostgreSQL; the password is in its environment, not in its arguments.

    Raises:
        BackupProblem: it is missing, or failed.
    """
    path = shutil.which(program)
    if path is None:
        raise BackupProblem(
            "postgresql_client_missing",
            f"没有 {program}：apt-get install postgresql-client。",
            f"{program} is missing: apt-get install postgresql-client.",
        )
    done = subprocess.run(  # noqa: S603 - our own arguments
        [path, *arguments],
        env=os.environ | _connection(url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or [str(done.returncode)])[0][:300]
        raise BackupProblem("backup_database", f"{program} 失败：{why}", f"{program} failed: {why}")


def _connection(url: str) -> dict[str, str]:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise BackupProblem(
            "backup_database", "数据库地址有误。", "database.url: no URL."
        ) from error
    given = {
        "PGHOST": address.host,
        "PGPORT": None if address.port is None else str(address.port),
        "PGUSER": address.username,
        "PGPASSWORD": address.password,
        "PGDATABASE": address.database,
        "PGSSLMODE": str(address.query["sslmode"]) if "sslmode" in address.query else None,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


# ---- Redis -------------------------------------------------------------------------------------


def _redis(
    settings: Settings, folder: DataFolder, scratch: Path, found: list[Source]
) -> m.RedisKind:
    if settings.redis.url:
        return "external"
    child = RedisChild(folder.redis)
    snapshot = asyncio.run(take_snapshot(child.url, folder.redis))
    if snapshot is not None:
        copy = scratch / m.SNAPSHOT
        shutil.copyfile(snapshot, copy)
        copy.chmod(0o600)
        snapshot.unlink(missing_ok=True)
        found.append(_copied(copy, m.SNAPSHOT))
        return "snapshot"
    # Nobody writes: the files are as they are.
    files = [
        one
        for name in ("appendonlydir", "appendonly.aof")
        for one in _files(folder.redis / name, f"{m.DATA}/redis/{name}")
    ]
    found += files
    return "files" if files else "none"
