"""From the recorder's journal and files to the media half of a manifest: tracks, runs, gaps.

``look`` works on a lesson that is still recorded, too: files are read on from where the last look
stopped. ``finish`` is for a lesson that is over: it gives VP8 files a duration and an index, writes
the playlists, and adds checksums.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from twinclass_recordings.manifest import Gap, GapCause, Part, Run, Segment, Track
from twinclass_recordings.package import Package
from twinclass_recordings.playlists import playlist
from twinclass_recordings.recorder import journal
from twinclass_recordings.recorder.webm import Seal, cues, vp8_header
from twinclass_recordings.scan import SEGMENT_S, Piece, ScanError, Scanned, scan

#: Files that follow each other closer than this are one run: a player goes on without a stop.
JOIN_S = 0.35
#: A run begins a new one where files overlap by more than this: a second device of the same seat.
OVERLAP_S = 0.5
_CAUSES: dict[journal.EndCause, GapCause] = {
    "silent": "not_sent",
    "changed": "lost",
    "stopped": "not_sent",
    "paused": "paused",
    "disk": "disk",
    "restarted": "restarted",
    "finished": "not_sent",
}


@dataclass(frozen=True, slots=True)
class Media:
    """The media half of a manifest. ``bytes``: of all files."""

    origin_unix: float
    duration_s: float
    tracks: tuple[Track, ...]
    bytes: int


@dataclass(slots=True)
class Looking:
    """What earlier looks at a package found; for a lesson that is still recorded."""

    scans: dict[str, Scanned] = field(default_factory=dict[str, Scanned])
    #: Length of segments. While a lesson goes on one is told only when it is whole, so that players
    #: are behind by as much.
    segment_s: float = SEGMENT_S


def look(package: Package, looking: Looking | None = None) -> Media:
    """Returns what is recorded so far.

    Raises:
        OSError: the journal cannot be read.
    """
    lines = journal.decode(package.journal.read_bytes())
    known = looking or Looking()
    origin = next((x.origin_unix for x in lines if isinstance(x, journal.Begun)), 0.0)
    starts = {x.number: x.start_s for x in lines if isinstance(x, journal.StartCorrected)}
    ends: dict[int, journal.EndCause] = {
        x.number: x.cause for x in lines if isinstance(x, journal.PartEnded)
    }
    by_track: dict[tuple[str, str], list[tuple[Part, journal.PartBegun]]] = {}
    for line in lines:
        if isinstance(line, journal.PartBegun):
            part = _part(package, line, starts.get(line.number, line.start_s), known)
            if part is not None:
                by_track.setdefault((line.participant, line.source), []).append((part, line))
    tracks = tuple(
        _track(f"t{number:02d}", found, ends)
        for number, (_, found) in enumerate(by_track.items(), 1)
    )
    duration = max((run.start_s + run.duration_s for t in tracks for run in t.runs), default=0.0)
    size = sum(part.bytes for t in tracks for run in t.runs for part in run.parts)
    return Media(origin, duration, tracks, size)


def finish(package: Package) -> Media:
    """Returns a finished lesson's media, with playlists and checksums on disk.

    Raises:
        OSError: the disk fails.
    """
    looking = Looking()
    media = look(package, looking)
    tracks: list[Track] = []
    for track in media.tracks:
        runs: list[Run] = []
        for run in track.runs:
            for part in run.parts:
                if part.codec == "vp8":
                    seal(package.folder / part.path, part, looking.scans[part.path])
            parts = tuple(with_checksum(package, part) for part in run.parts)
            runs.append(write_playlist(package, replace(run, parts=parts), media.origin_unix))
        tracks.append(replace(track, runs=tuple(runs)))
    return Media(media.origin_unix, media.duration_s, tuple(tracks), media.bytes)


def write_playlist(package: Package, run: Run, origin_unix: float) -> Run:
    """Writes a run's playlist where it can have one; returns the run with its name."""
    parts = run.transcoded or run.parts
    if any(part.codec == "vp8" for part in parts):
        return run
    name = f"hls/{run.id}.m3u8"
    text = playlist(parts, run.start_s, origin_unix, is_live=False)
    path = package.folder / name
    path.parent.mkdir(exist_ok=True, mode=0o700)
    write_durably(path, text.encode())
    return replace(run, playlist=name)


def seal(path: Path, part: Part, found: Scanned) -> None:
    """Gives a WebM file its index and duration. It may be repeated, and be interrupted: the index
    is whole before the header says where it is.

    Raises:
        OSError: the disk fails.
    """
    points = [(round(p.start_s * 1000), p.offset) for p in found.pieces if p.keyframe]
    index = cues(part.width, part.height, points)
    size = found.good + len(index)
    header = vp8_header(part.width, part.height, Seal(found.duration_s * 1000, found.good, size))
    if len(header) != found.header_bytes:
        return  # Not of this version's making: it plays, without an index.
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.pwrite(descriptor, index, found.good)
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
        os.pwrite(descriptor, header, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes) -> None:
    """Replaces a file; it is never seen half written."""
    partial = path.with_name(path.name + ".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _part(package: Package, line: journal.PartBegun, start_s: float, known: Looking) -> Part | None:
    """A file as far as it is whole; None when there is nothing of it."""
    path = package.served(line.path)
    if path is None or path.is_symlink():
        return None
    try:
        found = known.scans[line.path] = scan(path, known.scans.get(line.path))
    except (ScanError, OSError):
        return None
    if not found.pieces:
        return None
    return Part(
        path=line.path,
        start_s=round(max(0.0, start_s), 4),
        duration_s=round(found.duration_s, 4),
        codec=line.codec,
        mime=found.mime,
        bytes=found.good,
        header_bytes=found.header_bytes,
        width=line.width,
        height=line.height,
        segments=segments(found.pieces, is_audio=line.kind == "audio", segment_s=known.segment_s),
    )


def segments(
    pieces: list[Piece], *, is_audio: bool, segment_s: float = SEGMENT_S
) -> tuple[Segment, ...]:
    """Returns what players fetch: pieces gathered to about ``segment_s``, keyframe first."""
    made: list[Segment] = []
    offset, length, duration = 0, 0, 0.0
    for piece in pieces:
        can_begin = is_audio or piece.keyframe
        if length and can_begin and duration >= segment_s - 0.75:
            made.append(Segment(offset, length, round(duration, 4)))
            length, duration = 0, 0.0
        if not length:
            offset = piece.offset
        length = piece.offset + piece.length - offset
        duration += piece.duration_s
    if length:
        made.append(Segment(offset, length, round(duration, 4)))
    return tuple(made)


def _track(
    identifier: str,
    found: list[tuple[Part, journal.PartBegun]],
    ends: dict[int, journal.EndCause],
) -> Track:
    # As they began: a start may be known by arrival alone, and late.
    found.sort(key=lambda one: one[1].number)
    runs: list[list[tuple[Part, journal.PartBegun]]] = []
    for one in found:
        if runs and _follows(runs[-1][-1][0], one[0]):
            runs[-1].append(one)
        else:
            runs.append([one])
    first = found[0][1]
    made: list[Run] = []
    gaps: list[Gap] = []
    for number, parts in enumerate(runs, 1):
        start, last = parts[0][0].start_s, parts[-1][0]
        end = last.start_s + last.duration_s
        if made:
            before = runs[number - 2][-1]
            ended = round(before[0].start_s + before[0].duration_s, 4)
            cause = _CAUSES[ends.get(before[1].number, "restarted")]
            if start > ended:
                gaps.append(Gap(ended, start, cause))
        made.append(
            Run(
                f"{identifier}-r{number:03d}",
                start,
                round(end - start, 4),
                tuple(part for part, _ in parts),
            )
        )
    return Track(identifier, first.participant, first.source, first.kind, tuple(made), tuple(gaps))


def _follows(before: Part, after: Part) -> bool:
    """Tells whether a player can go from one to the other without a stop."""
    hole = after.start_s - (before.start_s + before.duration_s)
    return -OVERLAP_S < hole < JOIN_S and (before.codec == "vp8") == (after.codec == "vp8")


def with_checksum(package: Package, part: Part) -> Part:
    """Returns a part with the SHA-256 and size of its file."""
    path = package.folder / part.path
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return replace(part, sha256=digest, bytes=path.stat().st_size)
