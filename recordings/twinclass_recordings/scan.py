"""What is in a recorded file: where it can be played from, and how long it is. Shell over files.

Nothing is trusted: every length is checked against the file, every count is bounded. A file that
is still growing is read again from where the last look stopped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from twinclass_recordings.recorder.webm import CLUSTER_ID, CUES_ID

#: Segments last about this long: seeking needs short ones, requests cost each.
SEGMENT_S = 4.0
#: A part of six hours with a piece each half second.
MAX_PIECES = 50_000
#: A moof of a piece has some KiB; a moov half of one.
MAX_HEADER_BYTES = 1024 * 1024
MAX_SAMPLES = 20_000


class ScanError(ValueError):
    """The file is not one that the recorder writes; the text says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A fragment or cluster. Times in seconds from the part's start."""

    offset: int
    length: int
    start_s: float
    duration_s: float
    keyframe: bool


@dataclass(slots=True)
class Scanned:
    """A file as far as it was read; ``good`` bytes of it are whole pieces."""

    header_bytes: int = 0
    mime: str = ""
    timescale: int = 0
    good: int = 0
    pieces: list[Piece] = field(default_factory=list[Piece])

    @property
    def duration_s(self) -> float:
        """Returns where its last piece ends."""
        last = self.pieces[-1] if self.pieces else None
        return 0.0 if last is None else last.start_s + last.duration_s


def scan(path: Path, former: Scanned | None = None) -> Scanned:
    """Reads a file's structure; ``former``: what was read of it before, which is continued.

    Raises:
        ScanError: it is no file of ours.
        OSError: it cannot be read.
    """
    found = former or Scanned()
    size = path.stat().st_size
    with path.open("rb") as file:
        if path.suffix == ".webm":
            _scan_webm(file, size, found)
        else:
            _scan_mp4(file, size, found)
    return found


def whole_bytes(path: Path) -> int:
    """Returns how many bytes of a file are whole: its header and complete pieces. 0: it has no
    piece that could be played."""
    try:
        found = scan(path)
    except ScanError:
        return 0
    return found.good if found.pieces else 0


# ---- MP4 ----------------------------------------------------------------------------------


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yields (kind, start of content, end) of boxes in memory."""
    position = start
    while position + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, position)
        if size < 8 or position + size > end:
            raise ScanError("a box does not fit")
        yield kind, position + 8, position + size
        position += size


def _find(data: bytes, start: int, end: int, *path: bytes) -> tuple[int, int] | None:
    for kind, first, last in _boxes(data, start, end):
        if kind == path[0]:
            return (first, last) if len(path) == 1 else _find(data, first, last, *path[1:])
    return None


def _scan_mp4(file: BinaryIO, size: int, found: Scanned) -> None:
    position = found.good
    moof: tuple[int, float, float, bool] | None = None
    while position + 8 <= size and len(found.pieces) < MAX_PIECES:
        file.seek(position)
        length, kind = struct.unpack(">I4s", file.read(8))
        if length < 8:
            raise ScanError("a box without length")
        if position + length > size:
            break  # not whole (yet)
        if kind == b"moof":
            moof = (position, *_read_moof(_body(file, length), found))
        elif kind == b"mdat" and moof is not None:
            offset, start_s, duration_s, keyframe = moof
            found.pieces.append(
                Piece(offset, position + length - offset, start_s, duration_s, keyframe)
            )
            found.good = position + length
            moof = None
        elif kind == b"moov":
            body = _body(file, length)
            found.header_bytes = found.good = position + length
            _read_moov(body, found)
        elif kind not in (b"ftyp", b"free", b"mfra", b"sidx", b"styp"):
            raise ScanError("an unknown box")
        position += length
    if position == 0 and size > 0 and not found.header_bytes:
        raise ScanError("no box")


def _body(file: BinaryIO, length: int) -> bytes:
    if length > MAX_HEADER_BYTES:
        raise ScanError("a header is too long")
    return file.read(length - 8)


def _read_moov(moov: bytes, found: Scanned) -> None:
    mdia = _find(moov, 0, len(moov), b"trak", b"mdia")
    if mdia is None:
        raise ScanError("no track")
    mdhd = _find(moov, *mdia, b"mdhd")
    stsd = _find(moov, *mdia, b"minf", b"stbl", b"stsd")
    if mdhd is None or stsd is None or mdhd[1] - mdhd[0] < 16:
        raise ScanError("no description of the track")
    found.timescale = int.from_bytes(moov[mdhd[0] + 12 : mdhd[0] + 16], "big")
    if found.timescale == 0:
        raise ScanError("no time scale")
    entry = next(iter(_boxes(moov, stsd[0] + 8, stsd[1])), None)
    if entry is None:
        raise ScanError("no codec")
    kind, start, end = entry
    if kind == b"avc1":
        avcc = _find(moov, start + 78, end, b"avcC")
        if avcc is None or avcc[1] - avcc[0] < 4:
            raise ScanError("no avcC")
        profile = moov[avcc[0] + 1 : avcc[0] + 4].hex()
        found.mime = f'video/mp4; codecs="avc1.{profile}"'
    elif kind == b"Opus":
        found.mime = 'audio/mp4; codecs="opus"'
    else:
        raise ScanError("an unknown codec")


def _read_moof(moof: bytes, found: Scanned) -> tuple[float, float, bool]:
    """Returns (start, duration, begins with a keyframe) of a fragment as the recorder writes it:
    one track, durations and flags with every sample."""
    if not found.timescale:
        raise ScanError("a fragment before the header")
    tfdt = _find(moof, 0, len(moof), b"traf", b"tfdt")
    trun = _find(moof, 0, len(moof), b"traf", b"trun")
    if tfdt is None or trun is None or tfdt[1] - tfdt[0] < 12 or trun[1] - trun[0] < 12:
        raise ScanError("a fragment without times")
    start = int.from_bytes(moof[tfdt[0] + 4 : tfdt[0] + 12], "big")
    count = int.from_bytes(moof[trun[0] + 4 : trun[0] + 8], "big")
    first = trun[0] + 12
    if count == 0 or count > MAX_SAMPLES or first + 12 * count > trun[1]:
        raise ScanError("a fragment with too many samples")
    duration = sum(
        one for (one, _, _) in struct.iter_unpack(">III", moof[first : first + 12 * count])
    )
    flags = int.from_bytes(moof[first + 8 : first + 12], "big")
    return start / found.timescale, duration / found.timescale, not flags & 0x00010000


# ---- WebM ---------------------------------------------------------------------------------


def _scan_webm(file: BinaryIO, size: int, found: Scanned) -> None:
    position = found.good
    if position == 0:
        position = _webm_header(file, size)
        if position == 0:
            return  # not whole yet
        found.header_bytes = found.good = position
        found.mime = 'video/webm; codecs="vp8"'
        found.timescale = 1000
    while position + 12 <= size and len(found.pieces) < MAX_PIECES:
        file.seek(position)
        head = file.read(12)
        if head[:4] == CUES_ID:
            break  # sealed
        if head[:4] != CLUSTER_ID or head[4] != 0x01:
            raise ScanError("no cluster where one should be")
        length = int.from_bytes(head[5:12], "big")
        end = position + 12 + length
        if end > size:
            break
        if length > 64 * MAX_HEADER_BYTES:
            raise ScanError("a cluster is too long")
        start_ms, last_ms, keyframe = _read_cluster(file.read(length))
        if found.pieces:
            # A piece lasts to the next one's start.
            last = found.pieces[-1]
            duration = max(0.0, start_ms / 1000 - last.start_s)
            found.pieces[-1] = Piece(
                last.offset, last.length, last.start_s, duration, last.keyframe
            )
        spent = (last_ms - start_ms) / 1000 + 1 / 30
        found.pieces.append(Piece(position, end - position, start_ms / 1000, spent, keyframe))
        found.good = position = end


def _webm_header(file: BinaryIO, size: int) -> int:
    file.seek(0)
    data = file.read(min(size, 4096))
    if not b"\x1a\x45\xdf\xa3".startswith(data[:4]):
        raise ScanError("no EBML header")
    at = data.find(b"\x16\x54\xae\x6b")  # Tracks, the last before the clusters
    if at < 0 or at + 12 > len(data):
        if len(data) == 4096:
            raise ScanError("no tracks")
        return 0
    end = at + 12 + int.from_bytes(data[at + 5 : at + 12], "big")
    return end if end <= size else 0


def _read_cluster(data: bytes) -> tuple[int, int, bool]:
    """Returns (start, time of the last block, begins with a keyframe), milliseconds."""
    start, last, keyframe = -1, 0, False
    position, blocks = 0, 0
    while position + 9 <= len(data):
        identifier = data[position]
        length = int.from_bytes(data[position + 1 : position + 9], "big") & ((1 << 56) - 1)
        content = position + 9
        if content + length > len(data):
            raise ScanError("an element does not fit")
        if identifier == 0xE7:
            start = int.from_bytes(data[content : content + length], "big")
        elif identifier == 0xA3 and length >= 4:
            last = int.from_bytes(data[content + 1 : content + 3], "big", signed=True)
            if blocks == 0:
                keyframe = bool(data[content + 3] & 0x80)
            blocks += 1
            if blocks > MAX_SAMPLES:
                raise ScanError("too many blocks")
        position = content + length
    if start < 0 or blocks == 0:
        raise ScanError("a cluster without frames")
    return start, start + last, keyframe
