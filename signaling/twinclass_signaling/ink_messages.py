"""Strokes on slides, both ways; part of the client protocol (see ``messages``).

Vocabulary module: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Ink(Struct, frozen=True, tag="ink", forbid_unknown_fields=True):
    """A stroke, or the next piece of one (same ``stroke`` id), drawn on a page by whoever teaches.
    ``points``: x, y, x, y … from 0 to 10000 of the page's width and height; at most 500 points.
    Not a command: no answer, and it is not in the event log."""

    document: Annotated[str, Meta(max_length=64)]
    page: Annotated[int, Meta(ge=1, le=500)]
    stroke: Annotated[str, Meta(max_length=32)]
    points: Annotated[
        tuple[Annotated[int, Meta(ge=0, le=10_000)], ...], Meta(min_length=2, max_length=1000)
    ]
    color: Literal["black", "red", "blue", "green", "yellow"] = "red"
    #: In ten-thousandths of the page's width.
    width: Annotated[int, Meta(ge=1, le=500)] = 30


class Stroke(Struct, frozen=True):
    """A stroke on a page; ``points``, ``color`` and ``width`` as in ``ink``."""

    stroke: str
    points: tuple[int, ...]
    color: str
    width: int


class InkDrawn(Struct, frozen=True, tag="ink_drawn"):
    """A stroke that is being drawn; points of the same ``stroke`` id go on."""

    document: str
    page: int
    stroke: Stroke


class InkPage(Struct, frozen=True, tag="ink_page"):
    """All strokes of the page that is shown; after ``welcome``, a turn, or when it was wiped."""

    document: str
    page: int
    strokes: tuple[Stroke, ...]
