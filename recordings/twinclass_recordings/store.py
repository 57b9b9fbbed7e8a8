"""Where packages are: a folder today; an object store fills the same port later.

The recorder writes to a local disk in any case, and jobs (clips, exports, transcoding) read a local
folder. What the port hides is where a finished package is served from and brought from.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple, Protocol

from twinclass_recordings.package import Package

#: Lessons are recorded onto the same disk: at 300 kB/s each, ten go on for ten minutes. Whatever is
#: made of recordings leaves as much.
KEEP_FREE = 2 * 1024**3


class Stored(NamedTuple):
    """A file of a package: where it can be read, how it is, whether its lesson is closed, and the
    stretch of it that was wanted."""

    path: Path
    status: os.stat_result
    is_closed: bool
    data: bytes

    @property
    def etag(self) -> str:
        """Returns what changes when the file does (RFC 9110 section 8.8.3); a file that grows has
        a weak one: what a cache has of it must not be joined with what comes later."""
        if not self.is_closed:
            return f'W/"{self.status.st_size}"'
        return f'"{self.status.st_mtime_ns:x}-{self.status.st_size:x}"'


class PackageStore(Protocol):
    """Packages of recordings. Calls block."""

    def package(self, recording: str) -> Package:
        """Returns a local folder with a recording's package, for jobs; it need not exist.

        Raises:
            ValueError: that is no recording's id.
        """
        ...

    def look(self, recording: str, name: str, span: tuple[int, int] | None) -> Stored | None:
        """Returns a file that may be asked for from outside, with the bytes ``span`` (first, last)
        of it; None: there is none of this name."""
        ...


class FolderPackages:
    """Fills ``PackageStore``: a folder a recording, under ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def package(self, recording: str) -> Package:
        """See ``PackageStore``."""
        return Package.of(self.root, recording)

    def look(self, recording: str, name: str, span: tuple[int, int] | None) -> Stored | None:
        """See ``PackageStore``. In one go: a thread for each of status, opening and reading costs
        more than all of them."""
        try:
            package = self.package(recording)
            path = package.served(name)
            if path is None:
                return None
            # A link that somebody put there leads nowhere.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (OSError, ValueError):
            return None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            data = b""
            if span is not None and span[0] < status.st_size:
                data = os.pread(descriptor, span[1] - span[0] + 1, span[0])
            return Stored(path, status, package.manifest.exists(), data)
        finally:
            os.close(descriptor)
