"""Strokes on slides: beside the log, because a stroke is many messages and no fact of the lesson.

Sans-I/O; the host persists pages and tells clients.
"""

from __future__ import annotations

import msgspec

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ink_messages import Ink, Stroke

#: A stroke of 500 points takes half a minute to draw.
MAX_NUMBERS_PER_STROKE = 1000
#: A page that is black with ink.
MAX_STROKES_PER_PAGE = 2000
#: 50,000 points: a page is then sent as 500 KiB at most.
MAX_NUMBERS_PER_PAGE = 100_000
#: Pages with ink of one lesson; documents have 500, nobody draws on all.
MAX_PAGES = 300

Page = tuple[str, int]

_decoder: msgspec.json.Decoder[list[Stroke]] = msgspec.json.Decoder(list[Stroke])


class InkBook:
    """The strokes of one lesson, by page."""

    def __init__(self) -> None:
        self._pages: dict[Page, dict[str, Stroke]] = {}
        self._numbers: dict[Page, int] = {}

    def draw(self, message: Ink) -> Stroke:
        """Adds a stroke, or goes on with it; returns the new piece.

        Raises:
            Conflict: ``ink_full`` when a bound is reached, ``ink_malformed``.
        """
        if len(message.points) % 2:
            raise Conflict("ink_malformed", "笔迹有误。", "Points are pairs of x and y.")
        page = (message.document, message.page)
        strokes = self._pages.get(page, {})
        known = strokes.get(message.stroke)
        before = () if known is None else known.points
        if (
            len(before) + len(message.points) > MAX_NUMBERS_PER_STROKE
            or (known is None and len(strokes) >= MAX_STROKES_PER_PAGE)
            or self._numbers.get(page, 0) + len(message.points) > MAX_NUMBERS_PER_PAGE
            or (page not in self._pages and len(self._pages) >= MAX_PAGES)
        ):
            raise Conflict("ink_full", "这一页写满了，请擦除。", "This page is full; wipe it.")
        color = message.color if known is None else known.color
        width = message.width if known is None else known.width
        whole = Stroke(message.stroke, before + message.points, color, width)
        self._pages.setdefault(page, {})[message.stroke] = whole
        self._numbers[page] = self._numbers.get(page, 0) + len(message.points)
        return Stroke(message.stroke, message.points, color, width)

    def strokes(self, page: Page) -> tuple[Stroke, ...]:
        """Returns all strokes of a page in the order of their beginnings."""
        return tuple(self._pages.get(page, {}).values())

    def clear(self, page: Page) -> None:
        """Wipes a page."""
        self._pages.pop(page, None)
        self._numbers.pop(page, None)

    def pages(self) -> list[Page]:
        """Returns the pages with ink."""
        return list(self._pages)

    def encode(self, page: Page) -> bytes:
        """Returns a page as it is stored."""
        return msgspec.json.encode(self.strokes(page))

    def restore(self, page: Page, data: bytes) -> None:
        """Takes a stored page; what cannot be read is an empty page."""
        try:
            strokes = _decoder.decode(data)
        except msgspec.MsgspecError:
            return
        self._pages[page] = {stroke.stroke: stroke for stroke in strokes}
        self._numbers[page] = sum(len(stroke.points) for stroke in strokes)
