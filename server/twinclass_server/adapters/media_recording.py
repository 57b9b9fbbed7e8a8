"""What of a lesson's media goes to the recorder: pipes at the home worker, tracks at the recorder.

The recorder is the far end of pipes like another worker (``media_pipes``). What is wanted and what
is published come and go independently; each change works out both sides anew, and only
differences are sent.
"""

from __future__ import annotations

from typing import Protocol

from twinclass_media.worker.messages import PipeSpec, ProducerId, ProducerSpec
from twinclass_recordings.recorder.messages import PipedCodec, Record, TrackSpec
from twinclass_server.adapters.media_context import LessonContext
from twinclass_server.adapters.media_pipes import Pipes, form
from twinclass_server.adapters.media_publishing import Publishing
from twinclass_signaling.ports import RecordingWish

__all__ = ["LessonRecording", "RecorderPort"]

_SUFFIX = "@recorder"


class RecorderPort(Protocol):
    """What a lesson needs of the recorder's link."""

    @property
    def pipe_socket(self) -> str:
        """Where workers send to."""
        ...

    def record(self, wish: Record) -> None:
        """Wants a lesson recorded so."""
        ...


class LessonRecording:
    """The recording of one lesson's media."""

    def __init__(self, context: LessonContext, pipes: Pipes, publishing: Publishing) -> None:
        self._context = context
        self._pipes = pipes
        self._publishing = publishing
        self._recorder: RecorderPort | None = None
        self._wish: RecordingWish | None = None
        self._has_begun = False
        #: Producers that are piped, and how they looked then.
        self._piped: dict[ProducerId, ProducerSpec] = {}

    def want(self, recorder: RecorderPort, wish: RecordingWish) -> None:
        """Replaces what is recorded."""
        self._recorder, self._wish = recorder, wish
        self.update()

    def update(self) -> None:
        """Brings worker and recorder to what is wanted and published now."""
        recorder, wish = self._recorder, self._wish
        attached = self._context.worker.attached
        if recorder is None or wish is None or attached is None:
            return  # The one that is missing brings us here again.
        tracks: list[TrackSpec] = []
        wanted: dict[ProducerId, ProducerSpec] = {}
        for participant, source in wish.sources:
            producer = self._publishing.find(participant, source)
            spec = self._pipes.published_as(producer) if producer is not None else None
            if spec is None:
                continue
            wanted[spec.id] = spec
            tracks.append(
                TrackSpec(
                    id=f"{spec.id}{_SUFFIX}",
                    participant=participant,
                    source=source,
                    kind=spec.kind,
                    codecs=tuple(
                        PipedCodec(c.name, c.payload_type, c.clock_rate) for c in spec.codecs
                    ),
                    source_producer=spec.id,
                    source_socket=attached.pipe_socket,
                    layers=len(spec.encodings),
                )
            )
        if not tracks and not self._has_begun:
            return  # Nobody sends yet: there is nothing to make a file of.
        self._has_begun = True
        # First who listens, then what is sent to it.
        recorder.record(
            Record(wish.recording, 0, wish.origin_unix, tuple(tracks), paused=wish.paused)
        )
        self._pipe(wanted, recorder.pipe_socket)

    def worker_attached(self) -> None:
        """The home worker is there (again): its pipes may not be."""
        self._piped.clear()
        self.update()

    def _pipe(self, wanted: dict[ProducerId, ProducerSpec], socket: str) -> None:
        worker = self._context.worker
        for producer, former in list(self._piped.items()):
            spec = wanted.get(producer)
            if spec is None or form(spec) != form(former):
                del self._piped[producer]
                worker.remove("pipe", f"{producer}{_SUFFIX}")
        for producer, spec in wanted.items():
            self._piped[producer] = spec
            name = f"{producer}{_SUFFIX}"
            # Each time: a producer that was made anew under its name took its pipe along. Repeats
            # go nowhere.
            worker.put(PipeSpec(name, 0, producer, socket, ProducerId(name)))
