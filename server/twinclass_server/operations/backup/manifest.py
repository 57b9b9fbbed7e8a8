"""What a backup says of itself, and which names it may hold. Vocabulary and pure functions."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"
#: A running Redis as one file; put in place it is an append-only file that it begins with.
SNAPSHOT = "redis.rdb"
#: Where members go: the data folder, recordings (they may have a disk of their own), settings.
DATA, RECORDINGS, SETTINGS = "data", "recordings", "settings"
#: An entry is about 150 bytes; ten thousand recorded lessons of a hundred files are 150 MB.
MAX_MANIFEST_BYTES = 256 * 2**20
#: PATH_MAX is 4096, the data folder in front of it needs some.
MAX_NAME = 1024
_PART = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}")

DatabaseKind = Literal["sqlite", "postgresql", "none"]
RedisKind = Literal["snapshot", "files", "external", "none"]


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """One file."""

    name: str
    bytes: int
    sha256: str


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """The last member of the archive. ``made_at``: RFC 3339; ``version``: of the program.

    ``recordings_bytes``: how much there is, in the archive or not.
    """

    format: int
    version: str
    made_at: str
    database: DatabaseKind
    redis: RedisKind
    has_recordings: bool
    recordings_bytes: int
    entries: tuple[Entry, ...]


class BackupProblem(Exception):
    """Why a backup cannot be made, read or put back, for people."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} {en}")
        self.code = code
        self.zh = zh
        self.en = en


def damaged(why: str) -> BackupProblem:
    """Returns what is said of an archive that is not as it was made."""
    return BackupProblem(
        "backup_damaged", f"备份文件损坏：{why}。", f"The backup is damaged: {why}."
    )


def check_name(name: str) -> str:
    """Returns a member's name that leads nowhere else.

    Raises:
        BackupProblem: it does, or is none of ours.
    """
    parts = name.split("/")
    is_plain = len(name.encode("utf-8", "surrogatepass")) <= MAX_NAME and all(
        _PART.fullmatch(part) and part not in {".", ".."} for part in parts
    )
    is_ours = name in {DUMP, SNAPSHOT} or (
        len(parts) > 1 and parts[0] in {DATA, RECORDINGS, SETTINGS}
    )
    if not is_plain or not is_ours:
        raise damaged(f"unexpected name {name[:80]!r}")
    return name
