"""Which picture stands where at a moment of an exported lesson: as the player shows it. Core.

The player decides anew ten times a second (``client-web/src/library/player/schedule.ts``); here the
lesson is cut into stretches in which nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from twinclass_recordings.manifest import Kind, Manifest, Part, Source

Layout = Literal["auto", "lead", "screen", "side"]
LAYOUTS: tuple[Layout, ...] = ("auto", "lead", "screen", "side")

#: What projectors in classrooms and phones show without effort.
WIDTH, HEIGHT = 1280, 720
#: Small pictures as on the page of the player: beside each other they fill its corner.
MAX_SMALL = 5
_SMALL_WIDTH = 280
_MARGIN, _SPACE = 12, 8
_RANK: dict[Source, int] = {"screen": 0, "document": 1, "camera": 2}


class Box(NamedTuple):
    """A place on the picture. All figures are even: colours have half the lines (4:2:0)."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part as it is shown: up to ``end_s``, where it ends or the next of its run begins."""

    part: Part
    source: Source
    start_s: float
    end_s: float
    is_lead: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page of slides. ``number`` counts from 1."""

    sha256: str
    number: int


class Placed(NamedTuple):
    """A picture at its place; ``what`` fits into ``box`` whole, in its middle."""

    what: Piece | Page
    box: Box


@dataclass(frozen=True, slots=True)
class Scene:
    """What stands where from ``start_s`` to ``end_s``; later ones lie above earlier ones."""

    start_s: float
    end_s: float
    placed: tuple[Placed, ...]


def pieces(manifest: Manifest, kind: Kind) -> list[Piece]:
    """Returns all parts of a kind, by their start. What was recorded, not what was transcoded:
    every encoding costs some of the picture."""
    leads = {one.id for one in manifest.people if one.role in ("lead", "co_lead")}
    made: list[Piece] = []
    for track in manifest.tracks:
        if track.kind != kind:
            continue
        for run in track.runs:
            starts = [part.start_s for part in run.parts[1:]]
            ends = [*starts, run.start_s + run.duration_s]
            for part, end in zip(run.parts, ends, strict=True):
                is_lead = track.participant in leads
                made.append(Piece(part, track.source, part.start_s, end, is_lead))
    return sorted(made, key=lambda piece: piece.start_s)


def scenes(manifest: Manifest, layout: Layout, available: frozenset[str]) -> Iterator[Scene]:
    """Yields the lesson from 0 to its end. ``available``: slides whose file is there."""
    shown = pieces(manifest, "video")
    pages = _pages(manifest, available)
    moments = {0.0, manifest.duration_s}
    moments.update(at for piece in shown for at in (piece.start_s, piece.end_s))
    moments.update(at for start, end, _ in pages for at in (start, end))
    inside = sorted(at for at in moments if 0.0 <= at <= manifest.duration_s)
    coming = list(reversed(shown))
    active: list[Piece] = []
    for start, end in pairwise(inside):
        while coming and coming[-1].start_s <= start:
            active.append(coming.pop())
        active = [piece for piece in active if piece.end_s > start]
        page = next((page for begin, last, page in pages if begin <= start < last), None)
        yield Scene(start, end, tuple(_place(active, page, layout)))


def _pages(manifest: Manifest, available: frozenset[str]) -> list[tuple[float, float, Page]]:
    known = {one.document: one.sha256 for one in manifest.documents}
    found: list[tuple[float, float, Page]] = []
    for chapter in manifest.chapters:
        sha256 = known.get(chapter.document, "")
        if chapter.kind == "slide" and sha256 in available:
            found.append((chapter.start_s, chapter.end_s, Page(sha256, max(1, chapter.page))))
    return found


def _order(piece: Piece, layout: Layout) -> tuple[int, float]:
    rank = _RANK.get(piece.source, 9)
    if piece.source == "camera":
        rank = 5 if piece.is_lead else 20
    elif layout == "lead":
        rank += 10
    return rank, piece.start_s


def _place(active: Sequence[Piece], page: Page | None, layout: Layout) -> Iterator[Placed]:
    ordered = sorted(active, key=lambda piece: _order(piece, layout))
    shown: list[Piece | Page] = list(ordered)
    # Slides take the large place unless the teacher was asked for, or a screen is shared.
    is_camera = not ordered or ordered[0].source == "camera"
    if page is not None and layout != "lead" and is_camera:
        shown.insert(0, page)
    if layout == "screen":
        shown = shown[:1]
    others = shown[1 : 1 + MAX_SMALL]
    if not shown:
        return
    if layout == "side" and others:
        yield Placed(shown[0], Box(0, 0, WIDTH // 2, HEIGHT))
        boxes = _column(len(others), WIDTH // 2, 0, 0)
    else:
        yield Placed(shown[0], Box(0, 0, WIDTH, HEIGHT))
        boxes = _column(len(others), _SMALL_WIDTH, _MARGIN, _SPACE)
    for one, box in zip(others, boxes, strict=True):
        yield Placed(one, box)


def _column(count: int, width: int, margin: int, space: int) -> list[Box]:
    """Places of 16:9 above each other at the right: from the bottom where there is a margin,
    else about the middle."""
    if count == 0:
        return []
    room = HEIGHT - 2 * margin - (count - 1) * space
    height = min(width * 9 // 16, room // count) // 2 * 2
    wide = min(width, height * 16 // 9) // 2 * 2
    used = count * height + (count - 1) * space
    top = HEIGHT - margin - used if margin else (HEIGHT - used) // 4 * 2
    left = WIDTH - margin - wide if margin else WIDTH - width + (width - wide) // 4 * 2
    return [Box(left, top + n * (height + space), wide, height) for n in range(count)]
