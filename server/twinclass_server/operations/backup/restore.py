"""A backup put back: checked completely first, unpacked beside, then moved into its place."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from twinclass_config import Settings
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.adapters.redis_child import RedisChild
from twinclass_server.adapters.redis_connection import connect, is_up
from twinclass_server.operations.backup import manifest as m
from twinclass_server.operations.backup.archive import Progress, read_archive
from twinclass_server.operations.backup.gather import run_postgres
from twinclass_server.operations.backup.manifest import BackupProblem, Manifest

#: What a folder may hold and still be empty: a lock and sockets of a server that has ended.
_NOTHING = {"lock", "run"}
#: A file takes a block at least; for a million small files that is what is missing.
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Restored:
    """``former``: where what was there before has gone; None when there was nothing."""

    manifest: Manifest
    former: Path | None


def restore(
    path: Path, settings: Settings, folder: DataFolder, progress: Progress, *, force: bool
) -> Restored:
    """Puts a backup into the data folder; whatever goes wrong, nothing that was there is lost.

    Raises:
        BackupProblem: it is damaged, does not fit, or the folder is not empty.
        DataFolderHeld: a server runs on it.
        OSError: the disk refuses.
    """
    folder.lock("restoring a backup")
    try:
        _check_redis_gone(folder)
        made = read_archive(path, progress)
        _check_fits(made, settings)
        root = Path(settings.recording.folder or folder.recordings).resolve()
        occupied = sorted(one for one in folder.path.iterdir() if one.name not in _NOTHING)
        is_inside = folder.path in root.parents
        if occupied and not force:
            raise BackupProblem(
                "data_folder_not_empty",
                f"{folder.path} 不是空的；换一个文件夹，或加 --force（原有内容会移到一旁）。",
                f"{folder.path} is not empty; choose another folder, or say --force: what is "
                "there is then moved aside.",
            )
        if not is_inside:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_space(made, folder.path, folder.path if is_inside else root)
        name = f".restore-{secrets.token_hex(4)}"
        # On the disk they will be on, so that they can be moved into place.
        staging = folder.path / name
        recordings = staging if is_inside else root / name
        try:
            _unpack(path, progress, staging, recordings)
            if (staging / m.DUMP).exists():
                _restore_postgres(staging / m.DUMP, settings.database.url, force=force)
            # Recordings stay where they are: a backup may be without them.
            aside = [one for one in occupied if one.resolve() != root and not _is_former(one)]
            former = _move_aside(aside, folder.path) if aside else None
            _put_in_place(staging, folder)
            if (recordings / m.RECORDINGS).exists():
                _put_recordings(recordings / m.RECORDINGS, root)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            shutil.rmtree(recordings, ignore_errors=True)
        os.sync()
        return Restored(made, former)
    finally:
        folder.unlock()


def _check_redis_gone(folder: DataFolder) -> None:
    async def answers() -> bool:
        redis = connect(RedisChild(folder.redis).url, 1.0)
        try:
            return await is_up(redis)
        finally:
            await redis.aclose()

    if asyncio.run(answers()):
        raise BackupProblem(
            "redis_running",
            "上一个服务器的 Redis 还在运行，请先正常启动再停止服务器。",
            "A Redis of a former server still runs; start the server and stop it properly first.",
        )


def _check_fits(made: Manifest, settings: Settings) -> None:
    has_url = bool(settings.database.url)
    if made.database == "postgresql" and not has_url:
        raise BackupProblem(
            "backup_database",
            "备份里是 PostgreSQL 的数据：先设置 TWINCLASS_DATABASE__URL。",
            "It holds a PostgreSQL database: set TWINCLASS_DATABASE__URL first.",
        )
    if made.database == "sqlite" and has_url:
        raise BackupProblem(
            "backup_database",
            "备份里是 SQLite 的数据，但设置用的是 PostgreSQL：先去掉 TWINCLASS_DATABASE__URL。",
            "It holds a SQLite database and the settings name PostgreSQL: unset the URL first.",
        )


def _check_space(made: Manifest, folder: Path, recordings: Path) -> None:
    needed: dict[Path, int] = {}
    for entry in made.entries:
        place = recordings if entry.name.startswith(f"{m.RECORDINGS}/") else folder
        needed[place] = needed.get(place, 0) + entry.bytes + _BLOCK
    for place, size in needed.items():
        free = shutil.disk_usage(place).free
        if size > free:
            raise BackupProblem(
                "disk_full",
                f"磁盘不够：{place} 需要 {size / 2**30:.2f} GiB，只剩 {free / 2**30:.2f} GiB。",
                f"Not enough room: {place} needs {size / 2**30:.2f} GiB, "
                f"{free / 2**30:.2f} GiB are free.",
            )


def _unpack(path: Path, progress: Progress, staging: Path, recordings: Path) -> None:
    staging.mkdir(mode=0o700)

    def take(name: str, size: int, pieces: Iterator[bytes]) -> None:
        del size
        top = recordings if name.startswith(f"{m.RECORDINGS}/") else staging
        target = top / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(target, flags, 0o600), "wb") as file:
            for piece in pieces:
                file.write(piece)

    # Its sums are compared once more: the file may have changed since it was checked.
    read_archive(path, progress, take)


def _move_aside(occupied: list[Path], folder: Path) -> Path:
    former = folder / f"before-restore-{time.strftime('%Y%m%d-%H%M%S')}"
    former.mkdir(mode=0o700)
    for one in occupied:
        one.rename(former / one.name)
    return former


def _is_former(path: Path) -> bool:
    return path.name.startswith("before-restore-")


def _put_in_place(staging: Path, folder: DataFolder) -> None:
    data = staging / m.DATA
    if data.exists():
        for one in data.iterdir():
            one.rename(folder.path / one.name)
    snapshot = staging / m.SNAPSHOT
    if snapshot.exists():
        # An append-only file may begin with a snapshot (aof-use-rdb-preamble); Redis 7 turns one
        # of this name into its newer layout at the start.
        folder.redis.mkdir(mode=0o700, exist_ok=True)
        snapshot.rename(folder.redis / "appendonly.aof")
    settings = staging / m.SETTINGS
    if settings.exists():
        shutil.rmtree(folder.path / "restored-settings", ignore_errors=True)
        settings.rename(folder.path / "restored-settings")


def _put_recordings(found: Path, root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for one in found.iterdir():
        target = root / one.name
        if target.exists():
            target.rename(root / f".{one.name}.before-restore-{secrets.token_hex(4)}")
        one.rename(target)


def _restore_postgres(dump: Path, url: str, *, force: bool) -> None:
    arguments = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    if force:
        arguments += ["--clean", "--if-exists"]
    # Without --force tables that are there make it fail, and nothing is changed.
    name = make_url(url).database or ""
    run_postgres("pg_restore", url, *arguments, f"--dbname={name}", str(dump))
