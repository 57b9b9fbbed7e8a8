"""Parts as decoders read them: from any of their segments on, with the header before it (shell).

FFmpeg seeks in fragmented MP4 only where there is an index, and a recording that a server's end
left behind has none. The manifest knows every place from which a part can be played.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer

from twinclass_recordings.manifest import Part
from twinclass_recordings.package import Package

#: A header has some KiB.
_MAX_HEADER = 1024 * 1024


class PartFile:
    """A part's header and its bytes from a segment on. FFmpeg cannot seek in it, so it reads what
    it is given, and never an index that belongs to the whole file."""

    def __init__(self, path: Path, part: Part, from_s: float) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._file = os.fdopen(descriptor, "rb")
        self._left = part.bytes
        skip = _segment_before(part, from_s)
        self._head = b""
        if skip > part.header_bytes > 0:
            self._head = self._file.read(min(part.header_bytes, _MAX_HEADER))
            self._file.seek(skip)
            self._left -= skip

    def read(self, size: int) -> bytes:
        """Returns the next bytes; none at the end."""
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _segment_before(part: Part, from_s: float) -> int:
    """Returns where the last segment begins that is before a second of the part; 0: the start."""
    at, offset = 0.0, 0
    for segment in part.segments:
        if at > from_s:
            break
        offset = segment.offset
        at += segment.duration_s
    return offset


@contextmanager
def opened(package: Package, part: Part, from_s: float = 0.0) -> Generator[InputContainer]:
    """Opens a part for decoding from a second before ``from_s`` on.

    Raises:
        FFmpegError, OSError: it is damaged or gone.
    """
    path = package.served(part.path)
    if path is None:
        raise OSError(f"{part.path} is no file of a package")
    file = PartFile(path, part, from_s)
    try:
        name = "matroska" if path.suffix == ".webm" else "mp4"
        with av.open(file, "r", format=name) as container:
            yield container
    finally:
        file.close()
