"""Sound of an exported lesson: everybody's, at its moment, in one track (shell).

Blocks are float32 ``(samples, 2)`` at 48 kHz, which is what Opus decodes to.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError

from twinclass_recordings.jobs.export_files import opened
from twinclass_recordings.jobs.export_scene import Piece
from twinclass_recordings.package import Package

RATE = 48_000
Block = np.ndarray[Any, np.dtype[np.float32]]

#: Recorded times follow the sampling clock, bent by up to 500 ppm (``recorder.timeline``): sound is
#: put one sample after the other until it is 10 ms off, a quarter of what anybody notices.
_JOIN = RATE // 100
#: Up to here sound is as it was; above, many voices at once are pressed below full scale.
_KNEE = 0.8
_MAX_BAD = 100


class PartSound:
    """The sound of one part, in order. ``is_damaged``: something of it could not be read."""

    def __init__(self, package: Package, piece: Piece) -> None:
        self.is_damaged = False
        self._blocks = self._decode(package, piece)
        #: A file that has no more before this has lost its end.
        self._whole = round((piece.part.start_s + piece.part.duration_s) * RATE) - RATE
        self._coming: tuple[int, Block] | None = None

    def add_to(self, mixed: Block, at: int) -> None:
        """Adds what sounds from sample ``at`` on to a block of the mix."""
        end = at + len(mixed)
        while True:
            self._coming = self._coming or next(self._blocks, None)
            if self._coming is None:
                self.is_damaged = self.is_damaged or end < self._whole
                return
            if self._coming[0] >= end:
                return
            start, block = self._coming
            first, last = max(start, at), min(start + len(block), end)
            if first < last:
                mixed[first - at : last - at] += block[first - start : last - start]
            if start + len(block) > end:
                return
            self._coming = None

    def close(self) -> None:
        """Ends decoding."""
        self._blocks.close()

    def _decode(self, package: Package, piece: Piece) -> Generator[tuple[int, Block], None, None]:
        begin, bad, after = round(piece.part.start_s * RATE), 0, None
        try:
            with opened(package, piece.part) as container:
                for packet in container.demux(container.streams.audio[0]):
                    try:
                        decoded = packet.decode()
                    except FFmpegError:
                        self.is_damaged = True
                        bad += 1
                        if bad > _MAX_BAD:
                            return
                        continue
                    bad = 0
                    for frame in decoded:
                        if frame.pts is None:
                            continue
                        at = begin + round((frame.time or 0.0) * RATE)
                        if after is not None and abs(at - after) < _JOIN:
                            at = after
                        block = _stereo(frame)
                        after = at + len(block)
                        yield at, block
        except (FFmpegError, OSError, IndexError, ValueError):
            self.is_damaged = True


class Mixer:
    """Mixes all sound of a lesson. ``damaged``: files of which something could not be read."""

    def __init__(self, package: Package, pieces: Sequence[Piece]) -> None:
        self.damaged: set[str] = set()
        self._package = package
        self._coming = sorted(pieces, key=lambda piece: piece.start_s, reverse=True)
        self._sounding: list[tuple[Piece, PartSound]] = []

    def mix(self, at: int, count: int) -> Block:
        """Returns ``count`` samples from sample ``at`` on; to be called for one after the other."""
        mixed: Block = np.zeros((count, 2), np.float32)
        begin_s, end_s = at / RATE, (at + count) / RATE
        while self._coming and self._coming[-1].start_s < end_s:
            piece = self._coming.pop()
            self._sounding.append((piece, PartSound(self._package, piece)))
        staying: list[tuple[Piece, PartSound]] = []
        for piece, sound in self._sounding:
            if piece.end_s <= begin_s:
                sound.close()
                continue
            sound.add_to(mixed, at)
            if sound.is_damaged:
                self.damaged.add(piece.part.path)
            staying.append((piece, sound))
        self._sounding = staying
        return limited(mixed)

    def close(self) -> None:
        """Ends all decoding."""
        for _, sound in self._sounding:
            sound.close()
        self._sounding.clear()


def limited(mixed: Block) -> Block:
    """Returns sound that stays below full scale, without the crackle of cutting it off."""
    size = np.abs(mixed)
    if size.max(initial=0.0) <= _KNEE:
        return mixed
    room = 1.0 - _KNEE
    pressed = np.sign(mixed) * (_KNEE + room * np.tanh((size - _KNEE) / room))
    loud: Block = np.where(size > _KNEE, pressed, mixed).astype(np.float32)
    return loud


def _stereo(frame: AudioFrame) -> Block:
    """Returns a decoded frame as a block."""
    if frame.sample_rate != RATE or frame.format.name != "fltp":
        raise ValueError("not Opus as it is recorded")
    planes = frame.to_ndarray().astype(np.float32, copy=False)
    block: Block = np.repeat(planes, 2, axis=0).T if len(planes) == 1 else planes[:2].T
    return block
