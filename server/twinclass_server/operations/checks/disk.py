"""Disks: space in hours of lessons, and whether they keep up with a lesson's log."""

from __future__ import annotations

import os
import secrets
import shutil
import statistics
import time
from pathlib import Path

from twinclass_server.operations.checks.finding import Finding, ok, problem, warning
from twinclass_server.operations.status import AMBER_HOURS, RED_FREE, RED_HOURS
from twinclass_server.recording.progress import TYPICAL_BYTES_PER_S

_PIECE = b"\0" * (1024 * 1024)
_PIECES = 8
_SMALL = b"x" * 512
_SYNCS = 7
#: Ten lessons at once write 3 MB a second; a disk below this is in trouble already.
SLOW_BYTES_PER_S = 20_000_000
#: Each command is on disk before anybody hears of it (``appendfsync always``).
SLOW_SYNC_MS = 50.0


def check_space(check: str, folder: Path, *, records: bool) -> Finding:
    """Returns what is free where ``folder`` is; ``records``: recordings go there."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return problem(
            check,
            (f"{folder} 读不到：{error}", f"{folder} cannot be read: {error}"),
            ("检查磁盘是否挂载、权限是否正确。", "Check that it is mounted, and its owner."),
        )
    gib = free / 2**30
    hours = free / TYPICAL_BYTES_PER_S / 3600
    zh, en = f"{folder} 还剩 {gib:.1f} GiB", f"{folder} has {gib:.1f} GiB free"
    if records:
        zh, en = f"{zh}，约 {hours:.0f} 小时的课", f"{en}, about {hours:.0f} h of lessons"
    todo = ("腾出空间，或换更大的磁盘。", "Make room, or use a larger disk.")
    if free < RED_FREE or (records and hours < RED_HOURS):
        return problem(check, (zh, en), todo)
    if records and hours < AMBER_HOURS:
        return warning(check, (zh, en), todo)
    return ok(check, zh, en)


def check_speed(check: str, folder: Path) -> Finding:
    """Returns how fast ``folder`` takes bytes for good; it writes 8 MiB and removes them."""
    path = folder / f".doctor-{secrets.token_hex(6)}"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            began = time.perf_counter()
            for _ in range(_PIECES):
                _write_all(descriptor, _PIECE)
            os.fsync(descriptor)
            rate = _PIECES * len(_PIECE) / (time.perf_counter() - began)
            syncs = [_sync_ms(descriptor) for _ in range(_SYNCS)]
        finally:
            os.close(descriptor)
            path.unlink(missing_ok=True)
    except OSError as error:
        return problem(
            check,
            (f"{folder} 写不进：{error.strerror}", f"{folder} cannot be written: {error.strerror}"),
            ("检查剩余空间、权限和磁盘。", "Check free space, permissions and the disk."),
        )
    sync_ms = statistics.median(syncs)
    zh = f"{folder} 每秒 {rate / 1e6:.0f} MB，落盘 {sync_ms:.1f} 毫秒"
    en = f"{folder} takes {rate / 1e6:.0f} MB/s, a sync {sync_ms:.1f} ms"
    if rate < SLOW_BYTES_PER_S or sync_ms > SLOW_SYNC_MS:
        todo = ("换固态硬盘，或看是谁在用这块磁盘。", "Use an SSD, or see who keeps it busy.")
        return warning(check, (zh, en), todo)
    return ok(check, zh, en)


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _sync_ms(descriptor: int) -> float:
    began = time.perf_counter()
    os.write(descriptor, _SMALL)
    os.fsync(descriptor)
    return (time.perf_counter() - began) * 1000
