"""The manifest of a recorded lesson: what was recorded when, and what happened meanwhile.

Pure data. All times are seconds of *lesson time*: 0 is the bell (``origin_unix``), one clock for
every track and for the chapters. Paths are relative to the package's folder.

A *track* is one source of one participant. It was sent in *runs*: stretches without a gap. A run
is one file, or several *parts* where the picture's size or the recorder changed; they follow each
other without a gap in one HLS playlist. What a pupil may not be shown with is not in here at all.

``version`` counts changes that an older reader would misread; new optional fields are none.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

VERSION = 1
FILE_NAME = "manifest.json"
#: 32 rooms with camera and microphone, each on stage a hundred times, are a tenth of this.
MAX_BYTES = 64 * 1024 * 1024

Codec = Literal["h264", "vp8", "opus"]
Kind = Literal["audio", "video"]
Source = Literal["camera", "screen", "document", "microphone", "screen_audio"]
ChapterKind = Literal["phase", "slide", "stage", "quiz", "group_work", "teaching"]
MarkKind = Literal[
    "hand", "called_on", "quiz", "take_over", "lost", "recovered", "paused", "resumed"
]
GapCause = Literal["not_sent", "lost", "restarted", "disk", "paused"]
State = Literal["live", "closed"]


class ManifestError(ValueError):
    """A manifest that cannot be read; the text says why."""


class Segment(Struct, frozen=True, array_like=True):
    """Bytes ``offset`` to ``offset + length`` of a part. They begin with a keyframe and can be
    played after the part's header."""

    offset: int
    length: int
    duration_s: float


class Part(Struct, frozen=True, omit_defaults=True):
    """One file. ``mime`` is as RFC 6381 has it (``video/mp4; codecs="avc1.42e01f"``).

    ``start_s`` may be below zero in a clip: pictures are cut at keyframes, and what lies before
    zero is not shown. ``header_bytes``: what a player needs before any segment (ftyp and moov);
    0 for WebM. ``sha256`` is empty while the file is being written.
    """

    path: str
    start_s: float
    duration_s: float
    codec: Codec
    mime: str
    bytes: int
    header_bytes: int = 0
    width: int = 0
    height: int = 0
    sha256: str = ""
    segments: tuple[Segment, ...] = ()


class Run(Struct, frozen=True, omit_defaults=True):
    """A stretch without a gap. ``transcoded``: the same in H264, for VP8 once it is made.

    ``playlist``: the HLS media playlist of ``transcoded`` if there is one, else of ``parts``;
    empty while there is only VP8, which is played from its WebM parts.
    """

    id: str
    start_s: float
    duration_s: float
    parts: tuple[Part, ...]
    transcoded: tuple[Part, ...] = ()
    playlist: str = ""


class Gap(Struct, frozen=True):
    """Nothing of a track between two runs, and why."""

    start_s: float
    end_s: float
    cause: GapCause


class Track(Struct, frozen=True, omit_defaults=True):
    """One source of one participant."""

    id: str
    participant: str
    source: Source
    kind: Kind
    runs: tuple[Run, ...]
    gaps: tuple[Gap, ...] = ()


class Text(Struct, frozen=True):
    """A text for people."""

    zh: str
    en: str


class Person(Struct, frozen=True, omit_defaults=True):
    """Who a track, chapter or mark is of. ``name`` is a label where consent is missing.

    ``consent``: of a pupil at home; rooms and staff need none of their own.
    """

    id: str
    role: str
    name: Text
    room: str = ""
    consent: Literal["given", "missing", "not_needed"] = "not_needed"


class Chapter(Struct, frozen=True, omit_defaults=True):
    """A stretch of the lesson. ``document`` and ``page``: the slide that was shown."""

    start_s: float
    end_s: float
    kind: ChapterKind
    title: Text
    participant: str = ""
    document: str = ""
    page: int = 0


class Mark(Struct, frozen=True, omit_defaults=True):
    """Something that happened at a moment."""

    at_s: float
    kind: MarkKind
    title: Text
    participant: str = ""


class Document(Struct, frozen=True):
    """A slide document; its file is in the file store under its SHA-256."""

    document: str
    title: str
    pages: int
    sha256: str


class Presence(Struct, frozen=True, array_like=True):
    """A participant had a line from ``start_s`` to ``end_s``."""

    participant: str
    start_s: float
    end_s: float


class RoomLoss(Struct, frozen=True, array_like=True):
    """What a classroom's line cost it: seconds without one, and those times its pupils."""

    participant: str
    seconds: float
    learner_minutes: float


class Losses(Struct, frozen=True, omit_defaults=True):
    """Learner-minutes taught (present times minutes), and lost with lines; homes together."""

    taught: float = 0.0
    lost: float = 0.0
    homes: float = 0.0
    rooms: tuple[RoomLoss, ...] = ()


class Manifest(Struct, frozen=True, omit_defaults=True):
    """A recorded lesson. ``state`` live: it is being recorded, and this was true a moment ago."""

    lesson: str
    title: str
    origin_unix: float
    duration_s: float
    state: State
    tracks: tuple[Track, ...]
    version: int = VERSION
    subtitle: str = ""
    chapters: tuple[Chapter, ...] = ()
    marks: tuple[Mark, ...] = ()
    people: tuple[Person, ...] = ()
    documents: tuple[Document, ...] = ()
    presence: tuple[Presence, ...] = ()
    losses: Losses = Losses()
    #: A picture of the lesson (JPEG), empty while there is none.
    cover: str = ""
    #: ISO date after which the media is deleted unless somebody decides to keep it.
    keep_until: str = ""


_decoder = msgspec.json.Decoder(Manifest)


def decode(data: bytes) -> Manifest:
    """Returns the manifest in ``data``.

    Raises:
        ManifestError: damaged, too large, or of a later version.
    """
    if len(data) > MAX_BYTES:
        raise ManifestError(f"the manifest has {len(data)} bytes")
    try:
        manifest = _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ManifestError(str(error)) from error
    if manifest.version != VERSION:
        raise ManifestError(f"the manifest has version {manifest.version}, this reads {VERSION}")
    return manifest


def encode(manifest: Manifest) -> bytes:
    """Returns the manifest as JSON."""
    return msgspec.json.encode(manifest)
