"""One file in the making: frames in, pieces to append out. Core.

A piece (fragment or cluster) holds at most half a second, so that a killed recorder loses no more,
and a keyframe always begins one, so that players can.
"""

from __future__ import annotations

from itertools import pairwise

from twinclass_recordings.manifest import Codec
from twinclass_recordings.recorder.frames import Frame
from twinclass_recordings.recorder.mp4 import (
    AUDIO_RATE,
    VIDEO_RATE,
    Sample,
    fragment,
    h264_header,
    opus_header,
)
from twinclass_recordings.recorder.opus import empty, frame_samples, packet_samples
from twinclass_recordings.recorder.webm import cluster, vp8_header

PIECE_S = 0.5
#: A frame whose successor does not come lasts this long: a still screen sends one a second.
MAX_FRAME_S = 1.0
#: What Chromium sends in a packet of Opus; the last one of a part has no successor to tell.
OPUS_FRAME = 960


class Part:
    """A file being written. ``number`` names it; ``config`` must stay the same within it."""

    def __init__(self, number: int, codec: Codec, first: Frame, start_s: float) -> None:
        self.number = number
        self.codec: Codec = codec
        self.config = (first.config, first.width, first.height)
        self.start_s = start_s
        self.duration_s = 0.0
        self.rate = AUDIO_RATE if codec == "opus" else VIDEO_RATE
        self._pieces = 0
        self._samples: list[Sample] = []
        self._last: tuple[int, Frame] | None = None
        self._typical = OPUS_FRAME if codec == "opus" else VIDEO_RATE // 30

    @property
    def name(self) -> str:
        """Returns its path in the package."""
        ending = "webm" if self.codec == "vp8" else "mp4"
        return f"parts/{self.number:04d}.{ending}"

    def header(self) -> bytes:
        """Returns the file's beginning."""
        config, width, height = self.config
        match self.codec:
            case "h264":
                return h264_header(config[0], config[1], width, height)
            case "vp8":
                return vp8_header(width, height)
            case "opus":
                return opus_header()

    def fits(self, frame: Frame) -> bool:
        """Tells whether a frame may follow: keyframes bring what the decoder needs."""
        if not frame.keyframe or self.codec == "opus":
            return True
        return (frame.config, frame.width, frame.height) == self.config

    def add(self, time: int, frame: Frame) -> bytes:
        """Takes the next frame at ``time`` (units of ``rate`` from the part's start); returns a
        piece to append, or nothing."""
        last, self._last = self._last, (time, frame)
        if last is None:
            return b""
        # Strictly increasing, whatever a publisher's clock does.
        if time <= last[0]:
            time = last[0] + 1
            self._last = (time, frame)
        duration = time - last[0]
        if duration < self.rate and self.codec != "opus":
            self._typical = duration
        if self.codec == "opus":
            self._push_sound(last, duration)
        else:
            self._push(last, duration)
        starts_keyframe = frame.keyframe and self.codec != "opus"
        gathered = time - self._samples[0].time
        if starts_keyframe or gathered >= PIECE_S * self.rate:
            return self._cut()
        return b""

    def finish(self) -> bytes:
        """Returns the last piece; nothing follows."""
        if self._last is not None:
            limit = int(MAX_FRAME_S * self.rate)
            self._push(self._last, min(self._typical, limit))
            self._last = None
        return self._cut()

    def late(self, time: int) -> bytes:
        """Returns a piece when the last frame has been alone for long: a still picture must reach
        the disk too. ``time``: now, as a sample's time."""
        if self._samples and time - self._samples[0].time >= 2 * PIECE_S * self.rate:
            return self._cut()
        return b""

    def _push(self, one: tuple[int, Frame], duration: int) -> None:
        time, frame = one
        self._samples.append(Sample(time, duration, frame.data, frame.keyframe))
        self.duration_s = (time + duration) / self.rate

    def _push_sound(self, one: tuple[int, Frame], duration: int) -> None:
        """Takes a packet, and empty frames for the time until the next one."""
        time, frame = one
        lasts, step = packet_samples(frame.data), frame_samples(frame.data)
        missing = round((duration - lasts) / step)
        if missing < 1:
            self._push(one, duration)
            return
        self._push(one, lasts)
        nothing = Frame(frame.timestamp, empty(frame.data), True)
        # Clocks are bent a little, so the hole is no whole number of frames.
        edges = [time + lasts + (duration - lasts) * n // missing for n in range(missing + 1)]
        for start, end in pairwise(edges):
            self._push((start, nothing), end - start)

    def _cut(self) -> bytes:
        if not self._samples:
            return b""
        samples, self._samples = self._samples, []
        self._pieces += 1
        if self.codec == "vp8":
            return cluster(samples)
        return fragment(self._pieces, samples)
