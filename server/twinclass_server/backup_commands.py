"""``twinclass backup`` and ``twinclass restore``."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from twinclass_config import load
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_server.operations.backup import manifest as m
from twinclass_server.operations.backup.archive import read_archive, write_archive
from twinclass_server.operations.backup.gather import gather
from twinclass_server.operations.backup.manifest import BackupProblem, Entry, Manifest
from twinclass_server.operations.backup.restore import restore
from twinclass_server.operations.look import version
from twinclass_signaling.errors import SignalingError

_ENDINGS = (".tar", ".tar.gz", ".tgz")
_TELL_S = 0.5


def add_to(
    # argparse has no public name for what add_subparsers returns.
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
) -> None:
    """Adds the commands."""
    backup = commands.add_parser("backup", help="copy everything into one file, also while running")
    backup.add_argument("target", type=Path, nargs="?", help="a new file: .tar or .tar.gz")
    backup.add_argument("--check", type=Path, metavar="FILE", help="compare every sum of a backup")
    backup.add_argument("--recordings", action="store_true", help="recordings too")
    backup.set_defaults(run=_backup)
    put_back = commands.add_parser("restore", help="put a backup into a data folder")
    put_back.add_argument("file", type=Path)
    put_back.add_argument("--force", action="store_true", help="move aside what is there")
    put_back.set_defaults(run=_restore)
    for parser in (backup, put_back):
        parser.add_argument("--data", type=Path, default=Path("data"), help="data folder (./data)")
        parser.add_argument("--config", type=Path, help="TOML file; the environment wins over it")


class _Progress:
    """A line on standard error that says how far it is; ``total`` 0: not known."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._told_at = 0.0

    def __call__(self, read: int, name: str) -> None:
        self._done += read
        now = time.monotonic()
        if now - self._told_at < _TELL_S:
            return
        self._told_at = now
        share = f"{self._done / self._total:4.0%} " if self._total else ""
        end = "\r" if sys.stderr.isatty() else "\n"
        line = f"{share}{_size(self._done)} {name[-50:]}"
        print(f"{line:<78}", end=end, file=sys.stderr, flush=True)


def _size(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**29 else f"{count / 2**20:.1f} MiB"


def _backup(options: argparse.Namespace) -> int:
    try:
        if options.check is not None:
            return _check(options.check)
        if options.target is None:
            return _say("TARGET 或 --check FILE · a target is needed, or --check FILE", 2)
        return _make(options, options.target)
    except (BackupProblem, SignalingError) as error:
        return _say(f"{error.zh} {error.en} [{error.code}]", 1)
    except OSError as error:
        return _say(str(error), 1)


def _make(options: argparse.Namespace, target: Path) -> int:
    if not options.data.is_dir():
        return _say(f"没有数据文件夹 · there is no data folder {options.data}", 2)
    settings, folder = load(os.environ, options.config), DataFolder(options.data)
    if not target.name.endswith(_ENDINGS):
        return _say(f"文件名要以 {'、'.join(_ENDINGS)} 结尾 · the name must end so", 2)
    if target.exists():
        return _say(f"{target} 已经有了 · is there already", 2)
    parent = target.resolve().parent
    if parent == folder.path or folder.path in parent.parents:
        return _say("备份要放在数据文件夹外面 · put it outside the data folder", 2)
    with tempfile.TemporaryDirectory(prefix=".twinclass-backup-", dir=parent) as scratch:
        found = gather(
            settings, folder, options.config, Path(scratch), recordings=options.recordings
        )
        total = sum(source.size for source in found.sources)
        if total > shutil.disk_usage(parent).free:
            return _say(f"磁盘不够 · not enough room: {_size(total)} {parent}", 1)

        def describe(entries: tuple[Entry, ...]) -> Manifest:
            return Manifest(
                m.FORMAT,
                version(),
                datetime.now(UTC).isoformat(timespec="seconds"),
                found.database,
                found.redis,
                options.recordings,
                found.recordings_bytes,
                entries,
            )

        made = write_archive(target, found.sources, describe, _Progress(total))
    print(_summary(target, made))
    return 0


def _summary(path: Path, made: Manifest) -> str:
    total = sum(entry.bytes for entry in made.entries)
    lines = [
        f"{path}: {len(made.entries)} 个文件 files, {_size(total)}",
        f"  {made.made_at} · Twinclass {made.version} · {made.database} · redis {made.redis}",
    ]
    if not made.has_recordings and made.recordings_bytes:
        size = _size(made.recordings_bytes)
        lines.append(f"  不含录像（{size}），加 --recordings · without recordings ({size})")
    if made.redis == "external":
        lines.append(
            "  外部 Redis 由它的管理员备份，里面是没下课的课堂 · your Redis is not in it: it "
            "holds the lessons that are open"
        )
    lines.append(
        "  里面有密钥和学生姓名，请妥善保管 · it holds keys and pupils' names: keep it safe"
    )
    return "\n".join(lines)


def _check(path: Path) -> int:
    made = read_archive(path, _Progress(0))
    print(_summary(path, made))
    print("  每个文件都和备份时一样 · every file is as it was")
    return 0


def _restore(options: argparse.Namespace) -> int:
    settings, folder = load(os.environ, options.config), DataFolder(options.data)
    try:
        done = restore(options.file, settings, folder, _Progress(0), force=options.force)
    except BackupProblem as error:
        return _say(f"{error.zh} {error.en} [{error.code}]", 1)
    except OSError as error:
        return _say(str(error), 1)
    print(_summary(options.file, done.manifest))
    print(f"  → {folder.path}")
    if done.former is not None:
        print(f"  原有内容在 · what was there is in {done.former}")
    if (folder.path / "restored-settings").exists():
        print("  当时的设置在 · settings as they were: restored-settings/")
    return 0


def _say(text: str, status: int) -> int:
    print(f"twinclass: {text}", file=sys.stderr)
    return status
