"""What may stand on a board: the same table as ``client-web/src/desk/marks.ts``.

A place is counted in ten-thousandths of a sheet's width from the board's upper left corner; the
board is three sheets high. Everything is a number, a name from a short list, or text that is shown
as text: no address, no markup, nothing that a page would load by itself. A photo is named by its
id, and shown only to whom the server gives it.
"""

from __future__ import annotations

import re

from twinclass_server.desk.board_update import Mark, Value, bad_update

WIDTH = 10_000
#: Three sheets of 4 : 5.
HEIGHT = 3 * 12_500
#: Five bytes a point: x and y of 16 bits, pressure of 8.
POINT_BYTES = 5
#: Half a minute of drawing; a longer stroke goes on in the next piece.
MAX_POINTS = 480
#: A long formula with fractions; a text of some lines.
MAX_TEXT = 500
COLORS = frozenset({"black", "red", "blue", "green", "marker"})

_ID = re.compile(r"[A-Za-z0-9_-]{1,24}")
_PHOTO = re.compile(r"p-[a-z2-7]{16}")
#: Control characters, and those that turn the direction of text round.
_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")

_MEMBERS = {
    "s": frozenset("kicwp"),
    "t": frozenset("kicxyzv"),
    "f": frozenset("kicxyzv"),
    "p": frozenset("kixywhv"),
}


def check(mark: Mark) -> str | None:
    """Lets a mark pass; returns its text, if it has any, which the caller checks for words.

    Raises:
        Conflict: ``board_update_bad``.
    """
    kind = mark.get("k")
    if not isinstance(kind, str) or _MEMBERS.get(kind) != mark.keys():
        raise bad_update()
    _match(_ID, mark["i"])
    match kind:
        case "s":
            _colour(mark["c"])
            _number(mark["w"], 1, 500)
            _points(mark["p"])
            return None
        case "p":
            _place(mark)
            _number(mark["w"], 100, WIDTH)
            _number(mark["h"], 100, HEIGHT)
            _match(_PHOTO, mark["v"])
            return None
        case _:
            _place(mark)
            _colour(mark["c"])
            _number(mark["z"], 100, 2_000)
            return _text(mark["v"])


def _number(value: Value, least: int, most: int) -> None:
    if not isinstance(value, int) or not least <= value <= most:
        raise bad_update()


def _place(mark: Mark) -> None:
    _number(mark["x"], 0, WIDTH)
    _number(mark["y"], 0, HEIGHT)


def _colour(value: Value) -> None:
    if value not in COLORS:
        raise bad_update()


def _match(pattern: re.Pattern[str], value: Value) -> None:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise bad_update()


def _points(value: Value) -> None:
    # Any five bytes are a point: what lies outside the board is drawn at its edge.
    if not isinstance(value, bytes) or len(value) % POINT_BYTES:
        raise bad_update()
    if not POINT_BYTES <= len(value) <= MAX_POINTS * POINT_BYTES:
        raise bad_update()


def _text(value: Value) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT or _UNSEEN.search(value):
        raise bad_update()
    return value
