"""What a recorder understands: the only contact between control plane and recorder.

As a media worker (``twinclass_media.worker.messages``) it is told *desired state*: ``Record`` names
all tracks of a lesson that are to be recorded from now on. It may be repeated; tracks that are not
named any more end. Media comes over the recorder's pipe socket, as to any other worker.

On the Unix socket each message is a frame: 4 bytes length (big endian), then msgpack.
Vocabulary module: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_recordings.manifest import Kind, Source

Problem = Literal["", "disk_full", "disk_slow", "disk_error"]


class PipedCodec(Struct, frozen=True):
    """A payload type on the pipe; names as registered (VP8, H264, opus)."""

    name: str
    payload_type: int
    clock_rate: int


class TrackSpec(Struct, frozen=True):
    """A track that a worker's pipe brings.

    ``id`` is the name of the pipe's far end (``PipeSpec.remote_producer``), ``source_producer``
    and ``source_socket`` where keyframe requests and repairs are asked for. ``layers``: encodings
    of the source, lowest first; the recorder writes the highest that arrives.
    """

    id: str
    participant: str
    source: Source
    kind: Kind
    codecs: tuple[PipedCodec, ...]
    source_producer: str
    source_socket: str
    layers: int = 1


class Attach(Struct, frozen=True, tag="attach"):
    """First message on a connection; the highest epoch wins, as with workers."""

    epoch: int
    control: str


class Record(Struct, frozen=True, tag="record"):
    """The tracks of a lesson that are to be recorded from now on, all of them.

    ``origin_unix``: the bell, lesson time 0, on the host's wall clock. A lower ``version`` than
    the last is ignored.
    """

    lesson: str
    version: int
    origin_unix: float
    tracks: tuple[TrackSpec, ...]
    #: Nothing is recorded because staff stopped it: gaps are then marked so.
    paused: bool = False


class Finish(Struct, frozen=True, tag="finish"):
    """The lesson is over: ends every part, syncs, answers ``Finished``. A recorder that does not
    know the lesson (any more) answers too."""

    lesson: str


class Shutdown(Struct, frozen=True, tag="shutdown"):
    """Ends every part and the process."""


Command = Attach | Record | Finish | Shutdown


class Attached(Struct, frozen=True, tag="attached"):
    """The recorder accepts this control plane."""

    pid: int
    epoch: int
    pipe_socket: str
    #: The code it runs (``release``).
    release: str = ""


class Refused(Struct, frozen=True, tag="refused"):
    """The recorder belongs to a control plane with a higher epoch."""

    epoch: int


class LessonStatus(Struct, frozen=True):
    """How the recording of one lesson stands.

    ``bytes`` are on disk, ``writing`` tracks have written within the last 5 s, ``lost_s`` is what
    could not be written since the lesson began.
    """

    lesson: str
    bytes: int
    writing: int
    tracks: int
    lost_s: float = 0.0
    problem: Problem = ""


class Status(Struct, frozen=True, tag="status"):
    """Sent once a second. ``bytes_per_s``: written over the last 10 s, all lessons together."""

    lessons: tuple[LessonStatus, ...]
    disk_free: int
    bytes_per_s: int
    cpu_s: float


class Finished(Struct, frozen=True, tag="finished"):
    """Reply to ``Finish``: all of the lesson is on disk."""

    lesson: str


Notification = Attached | Refused | Status | Finished
