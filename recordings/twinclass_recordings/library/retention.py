"""Media goes when its time is over, and there is proof that it went (shell).

For each recording a receipt is on disk before anything is deleted: every file's name, size and
SHA-256, the rule, the time. Afterwards it is looked whether anything is left, and the receipt says
so. Whatever interrupts it, the next run goes on from the receipt. What happened in the lesson (its
event log) is kept under a rule of its own and is not touched here.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from twinclass_recordings.assemble import write_durably
from twinclass_recordings.library.shelf import Shelf
from twinclass_recordings.package import Package

log = logging.getLogger(__name__)

#: A recording has some hundred files.
MAX_FILES = 100_000


class DeletedFile(Struct, frozen=True):
    """One file that was deleted."""

    name: str
    bytes: int
    sha256: str


class Receipt(Struct, frozen=True):
    """Proof of a deletion. ``deleted_at`` is empty until nothing is left."""

    recording: str
    rule: str
    begun_at: str
    files: tuple[DeletedFile, ...]
    deleted_at: str = ""


class RetentionRefused(Exception):
    """A recording was not deleted; the text says why."""


def run(
    shelf: Shelf,
    root: Path,
    proofs: Path,
    today: date,
    *,
    dry_run: bool = False,
    forget: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Deletes what is past its time; returns the recordings that were (or would be) deleted.

    ``forget`` is told of each before its entry goes: whoever keeps files of it elsewhere. One that
    cannot be deleted is told in the log and tried again next time.

    Raises:
        Unavailable: the database is away.
    """
    gone: list[str] = []
    for recording in shelf.past(today):
        if dry_run:
            gone.append(recording)
            continue
        # Sums of those before it took minutes: somebody may have chosen to keep it meanwhile.
        if not shelf.is_past(recording, today):
            continue
        try:
            delete(Package.of(root, recording), proofs, f"keep_until < {today.isoformat()}")
            forget(recording)
        except (RetentionRefused, OSError, ValueError) as error:
            log.error("recording %s was not deleted: %s", recording, error)
            continue
        shelf.remove(recording)
        gone.append(recording)
    return gone


def delete(package: Package, proofs: Path, rule: str) -> Receipt:
    """Deletes a package with a receipt; may be repeated.

    Raises:
        RetentionRefused: it is not a folder of ours, or something is left of it.
        OSError: the disk fails.
    """
    folder = package.folder
    if folder.is_symlink():
        raise RetentionRefused("it is a link to somewhere else")
    proofs.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = proofs / f"{folder.name}.json"
    receipt = _read(path)
    if receipt is not None and receipt.deleted_at and not folder.exists():
        return receipt  # Whoever asked was interrupted; the proof is of then.
    if receipt is None or receipt.deleted_at:
        files = tuple(_files(folder)) if folder.is_dir() else ()
        receipt = Receipt(folder.name, rule, _now(), files)
        write_durably(path, msgspec.json.encode(receipt))
    if folder.is_dir():
        # Links in it are removed, not followed.
        shutil.rmtree(folder)
    if folder.exists():
        raise RetentionRefused("something of it is left")
    receipt = replace(receipt, deleted_at=_now())
    write_durably(path, msgspec.json.encode(receipt))
    return receipt


def _files(folder: Path) -> Iterator[DeletedFile]:
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if number > MAX_FILES:
            raise RetentionRefused("it has too many files to be a recording")
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        yield DeletedFile(str(path.relative_to(folder)), path.stat().st_size, digest)


def _read(path: Path) -> Receipt | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Receipt)
    except (OSError, msgspec.MsgspecError):
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
