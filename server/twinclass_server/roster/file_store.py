"""Files by the SHA-256 of their content. A folder today; an object store fills the same port."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Protocol


class FileStore(Protocol):
    """Where uploaded files are. Calls block."""

    def put(self, source: Path) -> str:
        """Takes a file over and returns its SHA-256; one that is there already is kept."""
        ...

    def path(self, sha256: str) -> Path | None:
        """Returns where a file can be read, None when there is none."""
        ...

    def remove(self, sha256: str) -> None:
        """Forgets a file; nothing happens when there is none."""
        ...


class FolderStore:
    """Fills ``FileStore`` with a folder; a file never appears half written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def scratch(self) -> Path:
        """Returns a new name for a file that is being received, on the same disk."""
        return self._folder / f".{secrets.token_hex(8)}.part"

    def put(self, source: Path) -> str:
        """See ``FileStore``."""
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        target = self._place(digest)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        source.replace(target)
        return digest

    def path(self, sha256: str) -> Path | None:
        """See ``FileStore``."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            return None
        place = self._place(sha256)
        return place if place.is_file() else None

    def remove(self, sha256: str) -> None:
        """See ``FileStore``."""
        place = self.path(sha256)
        if place is not None:
            place.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Removes what a process that was killed had received by half."""
        for left in self._folder.glob(".*.part"):
            left.unlink(missing_ok=True)

    def _place(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256
