"""The archive itself: written in one go with its manifest last, read with nothing believed."""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import io
import os
import secrets
import tarfile
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import IO

import msgspec

from twinclass_server.operations.backup import manifest as m
from twinclass_server.operations.backup.gather import Source
from twinclass_server.operations.backup.manifest import (
    BackupProblem,
    Entry,
    Manifest,
    check_name,
    damaged,
)

Progress = Callable[[int, str], None]
#: Read and written at once.
_PIECE = 1024 * 1024
#: tarfile takes a header's own size for granted; no header of ours is longer than this.
_MAX_READ = 16 * _PIECE
#: Slides and recordings are compressed already; what is left is text, which any level shrinks.
_LEVEL = 3


def write_archive(
    target: Path,
    sources: tuple[Source, ...],
    describe: Callable[[tuple[Entry, ...]], Manifest],
    progress: Progress,
) -> Manifest:
    """Writes the archive; it gets its name when it is complete and on disk.

    Raises:
        BackupProblem: a file cannot be read.
        OSError: the target cannot be written.
    """
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with _compressed(file, target.name) as stream:
                made = _write_members(stream, sources, describe, progress)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    return made


@contextlib.contextmanager
def _compressed(file: IO[bytes], name: str) -> Generator[IO[bytes], None, None]:
    if not name.endswith(("gz", "tgz")):
        yield file
        return
    with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as stream:
        yield stream  # type: ignore[misc] # pyright: ignore[reportReturnType]


def _write_members(
    stream: IO[bytes],
    sources: tuple[Source, ...],
    describe: Callable[[tuple[Entry, ...]], Manifest],
    progress: Progress,
) -> Manifest:
    entries: list[Entry] = []
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for source in sources:
            try:
                file = source.path.open("rb")
            except FileNotFoundError:
                continue  # Removed since it was listed.
            except OSError as error:
                raise BackupProblem(
                    "backup_unreadable",
                    f"{source.path} 读不了。",
                    f"{source.path} cannot be read: {error.strerror}.",
                ) from error
            with file:
                found = os.fstat(file.fileno())
                size = found.st_size
                hashing = _Hashing(file, size, functools.partial(_told, progress, source.name))
                tar.addfile(_member(source.name, size, found.st_mtime), hashing)
                if hashing.left:
                    raise BackupProblem(
                        "backup_changed",
                        f"{source.path} 在备份时变短了，请再试一次。",
                        f"{source.path} became shorter meanwhile; try again.",
                    )
            entries.append(Entry(check_name(source.name), size, hashing.sha256.hexdigest()))
        made = describe(tuple(entries))
        data = msgspec.json.encode(made)
        tar.addfile(_member(m.MANIFEST, len(data), 0), io.BytesIO(data))
    return made


def _told(progress: Progress, name: str, read: int) -> None:
    progress(read, name)


def _member(name: str, size: int, modified: float) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, int(modified), 0o600
    return member


class _Hashing(io.RawIOBase):
    """As much of a file as it had when it was opened, with its sum: a log may grow meanwhile."""

    def __init__(self, file: IO[bytes], size: int, progress: Callable[[int], None]) -> None:
        self.sha256 = hashlib.sha256()
        self.left = size
        self._file = file
        self._progress = progress

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes."""
        data = self._file.read(min(size, self.left) if size >= 0 else self.left)
        self.sha256.update(data)
        self.left -= len(data)
        self._progress(len(data))
        return data


# ---- reading -----------------------------------------------------------------------------------


class _Bounded:
    """A file that is read in pieces only: a header that claims to be huge is not believed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes."""
        if not 0 <= size <= _MAX_READ:
            raise damaged("a header is too large")
        return self._file.read(size)

    def seek(self, position: int, whence: int = 0) -> int:
        """Goes elsewhere."""
        return self._file.seek(position, whence)

    def tell(self) -> int:
        """Returns where it is."""
        return self._file.tell()


#: What the libraries say of an archive that is not one; a chain of headers recurses.
_BROKEN = (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError, RecursionError)


def read_archive(
    path: Path, progress: Progress, take: Callable[[str, int, Iterator[bytes]], None] | None = None
) -> Manifest:
    """Reads all of an archive and compares every sum; returns its manifest.

    ``take`` is given every file with its size and bytes, before its sum is known to be right; it
    must read all of them.

    Raises:
        BackupProblem: it is not a backup, not complete, or not as it was made.
    """
    found: dict[str, Entry] = {}
    made: Manifest | None = None
    try:
        with path.open("rb") as raw:
            is_gzip = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file: IO[bytes] = gzip.GzipFile(fileobj=raw) if is_gzip else raw  # type: ignore[assignment] # pyright: ignore[reportAssignmentType]
            with tarfile.open(fileobj=_Bounded(file), mode="r:") as tar:  # type: ignore[call-overload] # pyright: ignore[reportArgumentType, reportCallIssue]
                while (member := tar.next()) is not None:
                    # It keeps every member for getmembers(), which nobody asks.
                    tar.members = []  # type: ignore[attr-defined, unused-ignore]
                    if made is not None:
                        raise damaged("something stands behind its manifest")
                    _check_member(member, found)
                    pieces = _Pieces(tar, member, progress)
                    if member.name == m.MANIFEST:
                        made = _decode(b"".join(pieces))
                        continue
                    if take is None:
                        for _ in pieces:
                            pass
                    else:
                        take(member.name, member.size, iter(pieces))
                    found[member.name] = Entry(member.name, member.size, pieces.sum())
    except _BROKEN as error:
        raise damaged(str(error) or type(error).__name__) from error
    except OSError as error:
        if error.errno is None:
            raise damaged(str(error)) from error
        raise
    if made is None:
        raise damaged("its end is missing, or it is not a backup")
    _compare(made, found)
    return made


def _check_member(member: tarfile.TarInfo, found: dict[str, Entry]) -> None:
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
        raise damaged(f"{member.name[:80]!r} is not a plain file")
    if member.size < 0 or (member.name == m.MANIFEST and member.size > m.MAX_MANIFEST_BYTES):
        raise damaged(f"{member.name[:80]!r} has a strange size")
    if member.name != m.MANIFEST:
        check_name(member.name)
    if member.name in found:
        raise damaged(f"{member.name[:80]!r} is there twice")


class _Pieces:
    """The bytes of one member, and their sum."""

    def __init__(self, tar: tarfile.TarFile, member: tarfile.TarInfo, progress: Progress) -> None:
        self._sha256 = hashlib.sha256()
        self._tar = tar
        self._member = member
        self._progress = progress

    def sum(self) -> str:
        """Returns the sum of what was read."""
        return self._sha256.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        file = self._tar.extractfile(self._member)
        left = self._member.size
        while left and file is not None:
            piece = file.read(min(_PIECE, left))
            if not piece:
                raise damaged("its end is missing")
            left -= len(piece)
            self._sha256.update(piece)
            self._progress(len(piece), self._member.name)
            yield piece


def _decode(data: bytes) -> Manifest:
    try:
        made = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise damaged("its manifest cannot be read") from error
    if made.format != m.FORMAT:
        raise BackupProblem(
            "backup_format",
            f"这个备份是格式 {made.format}，这个版本读不了；请用 Twinclass {made.version}。",
            f"It has format {made.format}, which this version does not read; "
            f"use Twinclass {made.version}.",
        )
    return made


def _compare(made: Manifest, found: dict[str, Entry]) -> None:
    told = {entry.name: entry for entry in made.entries}
    for name in sorted(told.keys() - found.keys()):
        raise damaged(f"{name} is missing")
    for name in sorted(found.keys() - told.keys()):
        raise damaged(f"{name} is not in its manifest")
    for name, entry in told.items():
        if found[name] != entry:
            raise damaged(f"{name} is not as it was")
