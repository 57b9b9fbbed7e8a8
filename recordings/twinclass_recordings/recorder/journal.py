"""The recorder's journal: what it began and ended, a JSON line each. Vocabulary and core.

How long a part is says the part itself; the journal says whose it is and where it stands on the
lesson's clock. A line is on disk before the file that it names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from twinclass_recordings.manifest import Codec, Kind, Source

EndCause = Literal["silent", "changed", "stopped", "paused", "disk", "restarted", "finished"]
#: A lesson with a part a second for six hours; a line has about 200 bytes.
MAX_LINES = 200_000
MAX_BYTES = 64 * 1024 * 1024


class Begun(Struct, frozen=True, tag="begun"):
    """The recording of a lesson began (or went on after the recorder was away)."""

    lesson: str
    origin_unix: float
    at_s: float


class PartBegun(Struct, frozen=True, tag="part"):
    """A file was begun. ``start_s``: lesson time of its first frame."""

    number: int
    path: str
    participant: str
    source: Source
    kind: Kind
    codec: Codec
    start_s: float
    width: int = 0
    height: int = 0


class StartCorrected(Struct, frozen=True, tag="start"):
    """A part's first frame stands elsewhere, as a sender report tells."""

    number: int
    start_s: float


class PartEnded(Struct, frozen=True, tag="ended"):
    """Nothing more is written to a part, and why."""

    number: int
    cause: EndCause


class Paused(Struct, frozen=True, tag="paused"):
    """Staff stopped the recording."""

    at_s: float


class Resumed(Struct, frozen=True, tag="resumed"):
    """Staff let it go on."""

    at_s: float


class Finished(Struct, frozen=True, tag="finished"):
    """The lesson is over; nothing follows."""

    at_s: float


Line = Begun | PartBegun | StartCorrected | PartEnded | Paused | Resumed | Finished

_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def encode(line: Line) -> bytes:
    """Returns the line with its end."""
    return msgspec.json.encode(line) + b"\n"


def decode(data: bytes) -> list[Line]:
    """Returns the lines of a journal up to the first that cannot be read: a killed recorder may
    have left half a line, and nothing can follow it."""
    lines: list[Line] = []
    for raw in _whole(data[:MAX_BYTES]):
        try:
            lines.append(_decoder.decode(raw))
        except msgspec.MsgspecError:
            break
        if len(lines) >= MAX_LINES:
            break
    return lines


def _whole(data: bytes) -> Iterable[bytes]:
    pieces = data.split(b"\n")
    return pieces[:-1]
