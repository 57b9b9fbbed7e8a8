"""A micro-video: a stretch of a recorded lesson as a package of its own, without encoding (shell).

Pictures can only begin at a keyframe, so a clip's files begin up to some seconds before the clip
does: their ``start_s`` is below zero, and players seek. Pieces are copied whole; only their times
and numbers are written anew. VP8 is cut from its H264; until there is one there is no clip.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from msgspec.structs import replace

from twinclass_recordings.assemble import segments, with_checksum, write_durably, write_playlist
from twinclass_recordings.manifest import (
    Chapter,
    Gap,
    GapCause,
    Manifest,
    Mark,
    Part,
    Run,
    Track,
    encode,
)
from twinclass_recordings.package import Package
from twinclass_recordings.recorder.mp4 import rebased
from twinclass_recordings.scan import Piece, scan
from twinclass_recordings.store import KEEP_FREE

#: Shorter is no clip, longer is a lesson.
MIN_S, MAX_S = 3.0, 3600.0
#: A run that is cut begins up to a keyframe away from where its gap ended.
NEAR_S = 5.0
#: A piece has half a second of pictures; what is larger was not written by the recorder.
_MAX_PIECE_BYTES = 64 * 1024 * 1024


class ClipError(ValueError):
    """A clip cannot be cut; ``code`` and the text say why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class _Cutter:
    source: Package
    target: Package
    start_s: float
    end_s: float
    origin_unix: float
    written: int = 0
    bytes: int = 0
    waiting: bool = field(default=False)

    def run(self, run: Run, identifier: str) -> Run | None:
        parts: list[Part] = []
        if run.parts[0].codec == "vp8" and not run.transcoded:
            self.waiting = self.waiting or self._overlaps(run.start_s, run.duration_s)
            return None
        for part in run.transcoded or run.parts:
            if self._overlaps(part.start_s, part.duration_s):
                made = self.part(part)
                if made is not None:
                    parts.append(made)
        if not parts:
            return None
        end = parts[-1].start_s + parts[-1].duration_s
        start = parts[0].start_s
        cut = Run(identifier, start, round(end - start, 4), tuple(parts))
        return write_playlist(self.target, cut, self.origin_unix + self.start_s)

    def part(self, part: Part) -> Part | None:
        path = self.source.served(part.path)
        if path is None:
            raise ClipError("clip_broken", f"{part.path} is no file of a package")
        if shutil.disk_usage(self.target.folder).free < KEEP_FREE:
            raise ClipError("clip_disk_full", "the rest of the disk is kept for recording")
        found = scan(path)
        wanted = _wanted(
            found.pieces,
            self.start_s - part.start_s,
            self.end_s - part.start_s,
            is_audio=part.codec == "opus",
        )
        if not wanted:
            return None
        self.written += 1
        name = f"parts/{self.written:04d}.mp4"
        target = self.target.folder / name
        base = round(wanted[0].start_s * found.timescale)
        with path.open("rb") as source, target.open("xb") as file:
            file.write(source.read(found.header_bytes))
            for number, piece in enumerate(wanted, 1):
                if piece.length > _MAX_PIECE_BYTES:
                    raise ClipError("clip_broken", f"{part.path} has a piece that is too long")
                source.seek(piece.offset)
                try:
                    moved = rebased(source.read(piece.length), base, number)
                except ValueError as error:
                    raise ClipError("clip_broken", f"{part.path}: {error}") from error
                file.write(moved)
        cut = scan(target)
        self.bytes += cut.good
        made = Part(
            path=name,
            start_s=round(part.start_s + wanted[0].start_s - self.start_s, 4),
            duration_s=round(cut.duration_s, 4),
            codec=part.codec,
            mime=cut.mime,
            bytes=cut.good,
            header_bytes=cut.header_bytes,
            width=part.width,
            height=part.height,
            segments=segments(cut.pieces, is_audio=part.codec == "opus"),
        )
        return with_checksum(self.target, made)

    def _overlaps(self, start_s: float, duration_s: float) -> bool:
        return start_s < self.end_s and start_s + duration_s > self.start_s


def cut(
    source: Package, target: Package, lesson: Manifest, start_s: float, end_s: float, title: str
) -> Manifest:
    """Writes the clip ``start_s`` to ``end_s`` of a lesson; returns its manifest.

    The folder appears under its name when all of it is on disk.

    Raises:
        ClipError: ``clip_length``, ``clip_empty``, ``clip_waiting`` (VP8 that is not H264 yet),
            ``clip_broken``, ``clip_disk_full``.
        OSError, ScanError: a file cannot be read or written.
    """
    end_s = min(end_s, lesson.duration_s)
    if not (0 <= start_s < end_s and MIN_S <= end_s - start_s <= MAX_S):
        raise ClipError("clip_length", "a clip has three seconds to an hour of its lesson")
    partial = target.folder.with_name(f".{target.folder.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "parts").mkdir(parents=True, mode=0o700)
    try:
        cutter = _Cutter(source, Package(partial), start_s, end_s, lesson.origin_unix)
        tracks = tuple(_tracks(cutter, lesson.tracks))
        if cutter.waiting:
            raise ClipError("clip_waiting", "a part of it is still being converted")
        if not tracks:
            raise ClipError("clip_empty", "nothing was recorded there")
        made = _manifest(lesson, target.folder.name, tracks, start_s, end_s, title)
        write_durably(partial / "manifest.json", encode(made))
        partial.rename(target.folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return made


def sweep(root: Path) -> None:
    """Removes clips that a process that was killed had cut by half."""
    for left in root.glob(".*.part"):
        shutil.rmtree(left, ignore_errors=True)


def _tracks(cutter: _Cutter, tracks: Iterable[Track]) -> Iterable[Track]:
    for track in tracks:
        runs: list[Run] = []
        for run in track.runs:
            made = cutter.run(run, f"{track.id}-r{len(runs) + 1:03d}")
            if made is not None:
                runs.append(made)
        if runs:
            gaps = tuple(
                Gap(before.start_s + before.duration_s, after.start_s, _cause(track, cutter, after))
                for before, after in pairwise(runs)
            )
            yield replace(track, runs=tuple(runs), gaps=gaps)


def _cause(track: Track, cutter: _Cutter, after: Run) -> GapCause:
    at = after.start_s + cutter.start_s
    for gap in track.gaps:
        if abs(gap.end_s - at) < NEAR_S:
            return gap.cause
    return "not_sent"


def _wanted(pieces: list[Piece], start_s: float, end_s: float, *, is_audio: bool) -> list[Piece]:
    """The pieces of a stretch, from the last that can begin before it."""
    first = 0
    for number, piece in enumerate(pieces):
        if piece.start_s > start_s:
            break
        if is_audio or piece.keyframe:
            first = number
    return [piece for piece in pieces[first:] if piece.start_s < end_s]


def _manifest(
    lesson: Manifest,
    name: str,
    tracks: tuple[Track, ...],
    start_s: float,
    end_s: float,
    title: str,
) -> Manifest:
    chapters = tuple(
        replace(c, start_s=max(0.0, c.start_s - start_s), end_s=min(c.end_s, end_s) - start_s)
        for c in lesson.chapters
        if c.start_s < end_s and c.end_s > start_s
    )
    marks = tuple(
        replace(mark, at_s=mark.at_s - start_s)
        for mark in lesson.marks
        if start_s <= mark.at_s < end_s
    )
    return Manifest(
        lesson=name,
        title=title,
        origin_unix=lesson.origin_unix + start_s,
        duration_s=round(end_s - start_s, 3),
        state="closed",
        tracks=tracks,
        subtitle=lesson.title,
        chapters=chapters,
        marks=marks,
        people=tuple(p for p in lesson.people if p.id in _named(tracks, chapters, marks)),
        documents=tuple(
            one for one in lesson.documents if one.document in {c.document for c in chapters}
        ),
    )


def _named(
    tracks: tuple[Track, ...], chapters: tuple[Chapter, ...], marks: tuple[Mark, ...]
) -> set[str]:
    return (
        {track.participant for track in tracks}
        | {chapter.participant for chapter in chapters}
        | {mark.participant for mark in marks}
    )
