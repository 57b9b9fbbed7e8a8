"""Pictures of an exported lesson: decoded as far as they are shown, put together (shell).

The picture under construction is one array in the order of the planes of 4:2:0, which is what the
encoder takes; each plane is a view of it.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from twinclass_recordings.jobs.export_files import opened
from twinclass_recordings.jobs.export_scene import HEIGHT, WIDTH, Box, Page, Piece, Scene
from twinclass_recordings.package import Package

Plane = np.ndarray[Any, np.dtype[np.uint8]]

FPS = 25
#: Half a picture: what was taken within it of a moment is shown at that moment.
_NEAR_S = 0.5 / FPS
#: A still screen sends a picture a second (``recorder.part.MAX_FRAME_S``). After twice that a file
#: that has no more has lost its end.
_STILL_S = 2.0
#: Packets in a row that cannot be decoded: two seconds. A stray one shows for a blink.
_MAX_BAD = 60
_BLACK, _GREY = 16, 128
_LINE = 2


class PartPictures:
    """The pictures of one part, in order. ``is_damaged``: something of it could not be read."""

    def __init__(self, package: Package, piece: Piece, from_s: float) -> None:
        self.is_damaged = False
        self._frames = self._decode(package, piece, max(0.0, from_s - piece.start_s))
        self._coming: tuple[float, VideoFrame] | None = None
        self._shown: tuple[float, VideoFrame] | None = None

    def at(self, time_s: float) -> VideoFrame | None:
        """Returns what is shown at a moment, never before an earlier one; None: nothing."""
        while True:
            self._coming = self._coming or next(self._frames, None)
            if self._coming is None or self._coming[0] > time_s + _NEAR_S:
                break
            self._shown, self._coming = self._coming, None
        if self._coming is None and (self._shown is None or time_s - self._shown[0] > _STILL_S):
            self.is_damaged = True
            return None
        return None if self._shown is None else self._shown[1]

    def close(self) -> None:
        """Ends decoding."""
        self._frames.close()

    def _decode(
        self, package: Package, piece: Piece, from_s: float
    ) -> Generator[tuple[float, VideoFrame], None, None]:
        bad = 0
        try:
            with opened(package, piece.part, from_s) as container:
                stream = container.streams.video[0]
                # A job takes one core; each of FFmpeg's threads keeps pictures of its own, too.
                stream.codec_context.thread_count = 1
                for packet in container.demux(stream):
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
                        if frame.pts is not None:
                            yield piece.part.start_s + frame.time, frame
        except (FFmpegError, OSError, IndexError, ValueError):
            self.is_damaged = True


class Slides:
    """Pages of PDF documents, laid out as ``folder/ab/ab…`` by their SHA-256; the last one asked
    for is kept, also when it cannot be drawn: it is asked for at every picture."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._drawn: tuple[Page, Box, VideoFrame | None] | None = None

    def path(self, sha256: str) -> Path | None:
        """Returns where a document is; None: it is not there."""
        if self._folder is None or len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            return None
        path = self._folder / sha256[:2] / sha256
        return path if path.is_file() else None

    def draw(self, page: Page, box: Box) -> VideoFrame | None:
        """Returns a page as large as it fits; None: it cannot be drawn."""
        if self._drawn is None or self._drawn[:2] != (page, box):
            self._drawn = (page, box, self._draw(page, box))
        return self._drawn[2]

    def _draw(self, page: Page, box: Box) -> VideoFrame | None:
        path = self.path(page.sha256)
        if path is None:
            return None
        try:
            document = pypdfium2.PdfDocument(path)
            try:
                sheet = document[page.number - 1]
                width, height = sheet.get_size()
                scale = min(box.width / width, box.height / height)
                pixels = sheet.render(scale=scale, rev_byteorder=True).to_numpy()
                return VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:, :, :3]), "rgb24")
            finally:
                document.close()
        except (pypdfium2.PdfiumError, IndexError, ValueError, ZeroDivisionError):
            return None


class Canvas:
    """Draws moments of a lesson. ``damaged``: files of which something could not be read."""

    def __init__(self, package: Package, slides: Slides) -> None:
        self.damaged: set[str] = set()
        self._package = package
        self._slides = slides
        self._readers: dict[str, PartPictures] = {}
        self._scaled: dict[tuple[str, Box], tuple[VideoFrame, Plane]] = {}
        self._reformatters: dict[tuple[str, Box], VideoReformatter] = {}
        self._sheet: Plane = np.empty((HEIGHT * 3 // 2, WIDTH), np.uint8)
        self._shown: tuple[object, ...] | None = None
        self._frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")

    def draw(self, scene: Scene, time_s: float) -> VideoFrame:
        """Returns the picture of a moment; the same one as long as nothing changes."""
        self._drop(scene)
        found: list[tuple[str, Box, VideoFrame]] = []
        for what, box in scene.placed:
            if isinstance(what, Page):
                name, frame = what.sha256, self._slides.draw(what, box)
                if frame is None:
                    self.damaged.add(name)
            else:
                name = what.part.path
                reader = self._readers.get(name)
                if reader is None:
                    reader = self._readers[name] = PartPictures(self._package, what, time_s)
                frame = reader.at(time_s)
                if reader.is_damaged:
                    self.damaged.add(name)
            if frame is not None:
                found.append((name, box, frame))
        shown = tuple((name, box, id(frame)) for name, box, frame in found)
        # A frame's id is its own as long as it is kept, and it is until the next one is drawn.
        if shown != self._shown:
            self._shown = shown
            self._compose(found)
        return self._frame

    def close(self) -> None:
        """Ends all decoding."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _drop(self, scene: Scene) -> None:
        wanted = {what.part.path for what, _ in scene.placed if isinstance(what, Piece)}
        for name in self._readers.keys() - wanted:
            self._readers.pop(name).close()

    def _compose(self, found: list[tuple[str, Box, VideoFrame]]) -> None:
        half = WIDTH // 2
        self._sheet[:HEIGHT] = _BLACK
        self._sheet[HEIGHT:] = _GREY
        scaled: dict[tuple[str, Box], tuple[VideoFrame, Plane]] = {}
        for name, box, frame in found:
            key = (name, box)
            known = self._scaled.get(key)
            planes = (
                known[1] if known is not None and known[0] is frame else self._scale(key, frame)
            )
            scaled[key] = (frame, planes)
            height, width = planes.shape[0] * 2 // 3, planes.shape[1]
            top = box.y + (box.height - height) // 4 * 2
            left = box.x + (box.width - width) // 4 * 2
            if box.width < WIDTH:
                # A line around it: two pictures of the same wall would run into each other.
                up, near = max(0, top - _LINE), max(0, left - _LINE)
                self._sheet[up : min(HEIGHT, top + height + _LINE), near : left + width + _LINE] = (
                    _BLACK
                )
            self._sheet[top : top + height, left : left + width] = planes[:height]
            for number in range(2):
                start = HEIGHT + number * HEIGHT // 4
                target = self._sheet[start : start + HEIGHT // 4].reshape(HEIGHT // 2, half)
                first = height + number * height // 4
                rows = planes.reshape(-1)[first * width : first * width + height * width // 4]
                target[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2] = (
                    rows.reshape(height // 2, width // 2)
                )
        self._scaled = scaled
        for key in self._reformatters.keys() - scaled.keys():
            del self._reformatters[key]
        self._frame = VideoFrame.from_ndarray(self._sheet, "yuv420p")

    def _scale(self, key: tuple[str, Box], frame: VideoFrame) -> Plane:
        """Returns a frame in the largest size that fits its place, planes below each other."""
        box = key[1]
        scale = min(box.width / frame.width, box.height / frame.height)
        width = max(2, round(frame.width * scale / 2) * 2)
        height = max(2, round(frame.height * scale / 2) * 2)
        # An encoder of ours asks that much of the slowest machine: bilinear, no more.
        reformatter = self._reformatters.setdefault(key, VideoReformatter())
        made = reformatter.reformat(
            frame, min(width, box.width), min(height, box.height), "yuv420p",
            interpolation=Interpolation.BILINEAR, dst_color_range=ColorRange.MPEG,
        )  # fmt: skip
        planes: Plane = made.to_ndarray().astype(np.uint8, copy=False)
        return planes
