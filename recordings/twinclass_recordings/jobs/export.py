"""A recorded lesson as one file that plays everywhere, or all that was recorded in one archive.

``python -m twinclass_recordings.jobs.export PACKAGE TARGET --layout auto`` writes MP4 (H264, AAC)
as the player shows the lesson; ``--zip`` writes what ``export_zip`` describes. A JSON line for each
step: ``{"progress": 0.42}``, and at last ``{"done": true, "damaged": 0}`` (how many files could not
be read whole: there it is black or silent) or ``{"error": "…"}``, which is ``disk_full`` when the
disk is. The target is never seen half made. It may be ended at any moment.

Memory does not grow with the lesson: one picture of each part that is shown, one second of sound.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from twinclass_recordings.consent import without
from twinclass_recordings.jobs.export_pictures import FPS, Canvas, Slides
from twinclass_recordings.jobs.export_scene import HEIGHT, LAYOUTS, WIDTH, Layout, pieces, scenes
from twinclass_recordings.jobs.export_sound import RATE, Mixer
from twinclass_recordings.jobs.export_zip import write_zip
from twinclass_recordings.manifest import Manifest, decode
from twinclass_recordings.package import Package
from twinclass_recordings.store import KEEP_FREE

#: As what is recorded: players seek to keyframes.
_KEYFRAME_S = 2
#: As transcoded lessons: writing on a screen share stays sharp.
_QUALITY = "23"
_SOUND_BPS = 128_000
#: What AAC takes at a time.
_AAC_FRAME = 1024
#: Ten hours at 7 Mbit/s: more is no lesson. The same for an archive of forty tracks.
_FILE_BYTES = 32 * 1024**3
#: Measured: 0.2 GB with a 1080p screen and three small pictures; libraries map far more than that.
_MEMORY_BYTES = 4 * 1024**3
#: A page that shows progress asks every second or two.
_TELL_S = 0.5


class DiskFull(OSError):
    """The disk has no room for an export."""


def export(
    package: Package,
    target: Path,
    layout: Layout,
    documents: Path | None = None,
    keep_free: int = KEEP_FREE,
    hidden: frozenset[str] = frozenset(),
) -> Iterator[tuple[float, int]]:
    """Writes a lesson as MP4, without those who are ``hidden``; yields (how much of it is done, 0
    to 1; damaged files so far).

    Raises:
        DiskFull: there is no room.
        FFmpegError, OSError, ManifestError: the package or the target cannot be read or written.
    """
    manifest = without(decode(package.manifest.read_bytes()), hidden)
    slides = Slides(documents)
    available = frozenset(one.sha256 for one in manifest.documents if slides.path(one.sha256))
    canvas, mixer = Canvas(package, slides), Mixer(package, pieces(manifest, "audio"))
    with (
        contextlib.closing(canvas),
        contextlib.closing(mixer),
        _unfinished(target) as partial,
        # "faststart": the index stands first, so that a browser plays while it loads.
        av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as out,
    ):
        picture, sound = _streams(out, manifest)
        pace = _Pace(target, keep_free)
        count = max(1, round(manifest.duration_s * FPS))
        number = 0
        for scene in scenes(manifest, layout, available):
            last = count if scene.end_s >= manifest.duration_s else round(scene.end_s * FPS)
            while number < last:
                if number % FPS == 0:
                    _write_sound(out, sound, mixer, number // FPS, manifest.duration_s)
                    if pace.is_due():
                        yield number / count, len(canvas.damaged | mixer.damaged)
                frame = canvas.draw(scene, number / FPS)
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                out.mux(picture.encode(frame))
                number += 1
        out.mux(picture.encode(None))
        out.mux(sound.encode(None))
    yield 1.0, len(canvas.damaged | mixer.damaged)


def _streams(out: OutputContainer, manifest: Manifest) -> tuple[VideoStream, AudioStream]:
    out.metadata["title"] = manifest.title
    out.set_chapters(
        [
            {
                "id": number,
                "start": round(chapter.start_s * 1000),
                "end": round(min(chapter.end_s, manifest.duration_s) * 1000),
                "time_base": Fraction(1, 1000),
                "metadata": {"title": chapter.title.zh},
            }
            for number, chapter in enumerate(manifest.chapters)
            if chapter.kind == "phase" and 0 <= chapter.start_s < manifest.duration_s
        ]
    )
    picture = out.add_stream("libx264", rate=FPS)
    picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    picture.codec_context.thread_count = 1
    picture.codec_context.gop_size = _KEYFRAME_S * FPS
    picture.options = {
        "preset": "veryfast",
        "crf": _QUALITY,
        "profile": "main",
        # A keyframe at every second second, and nowhere else.
        "x264-params": f"keyint={_KEYFRAME_S * FPS}:min-keyint={_KEYFRAME_S * FPS}:scenecut=0",
    }
    sound = out.add_stream("aac", rate=RATE, layout="stereo")
    sound.bit_rate = _SOUND_BPS
    return picture, sound


def _write_sound(
    out: OutputContainer, sound: AudioStream, mixer: Mixer, second: int, duration_s: float
) -> None:
    """Writes the sound of a second, in frames of AAC: of what begins in it."""
    end = round(duration_s * RATE)
    first = -(-second * RATE // _AAC_FRAME) * _AAC_FRAME
    last = min(-(-(second + 1) * RATE // _AAC_FRAME) * _AAC_FRAME, end)
    if first >= last:
        return
    mixed = mixer.mix(first, last - first)
    for at in range(0, len(mixed), _AAC_FRAME):
        block = mixed[at : at + _AAC_FRAME]
        frame = AudioFrame.from_ndarray(block.T.copy(), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, first + at, Fraction(1, RATE)
        out.mux(sound.encode(frame))


class _Pace:
    """When to tell how far it is; looks at the disk as often."""

    def __init__(self, target: Path, keep_free: int) -> None:
        self._folder = target.parent
        self._keep_free = keep_free
        self._told = 0.0

    def is_due(self) -> bool:
        now = time.monotonic()
        if now - self._told < _TELL_S:
            return False
        self._told = now
        if shutil.disk_usage(self._folder).free < self._keep_free:
            raise DiskFull(errno.ENOSPC, "the rest of the disk is kept for recording")
        return True


@contextlib.contextmanager
def _unfinished(target: Path) -> Generator[Path]:
    """Gives a name beside the target; the file gets the target's own when all went well."""
    partial = target.with_name(target.name + ".part")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def archive(
    package: Package,
    target: Path,
    about: Path,
    documents: Path | None = None,
    keep_free: int = KEEP_FREE,
    hidden: frozenset[str] = frozenset(),
) -> Iterator[tuple[float, int]]:
    """Writes everything into a ZIP archive, as ``export`` does.

    Raises:
        As ``export``.
    """
    slides = Slides(documents)
    with _unfinished(target) as partial:
        pace = _Pace(target, keep_free)
        for share in write_zip(package, partial, about, slides.path, hidden):
            if pace.is_due():
                yield share, 0
    yield 1.0, 0


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (soft, hard))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="twinclass_recordings.jobs.export", description=__doc__)
    parser.add_argument("package", type=Path)
    parser.add_argument("target", type=Path)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--layout", choices=LAYOUTS)
    kind.add_argument("--zip", type=Path, metavar="LESSON_JSON")
    parser.add_argument("--documents", type=Path)
    parser.add_argument("--keep-free", type=int, default=KEEP_FREE)
    parser.add_argument("--without", action="append", default=[], metavar="PARTICIPANT")
    return parser.parse_args()


def _tell(line: dict[str, object]) -> None:
    print(json.dumps(line), flush=True)


def main() -> int:
    """Writes one export."""
    _limit()
    asked = _arguments()
    package = Package(asked.package)
    more = (asked.documents, asked.keep_free, frozenset(asked.without))
    made: Callable[[], Iterator[tuple[float, int]]]
    if asked.zip is not None:
        made = lambda: archive(package, asked.target, asked.zip, *more)  # noqa: E731
    else:
        made = lambda: export(package, asked.target, asked.layout, *more)  # noqa: E731
    damaged = 0
    try:
        for share, count in made():
            damaged = count
            _tell({"progress": round(share, 4)})
    except (FFmpegError, OSError, ValueError, MemoryError) as error:
        is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        _tell({"error": "disk_full" if is_full else f"{type(error).__name__}: {error}"})
        return 1
    _tell({"done": True, "damaged": damaged})
    return 0


if __name__ == "__main__":
    sys.exit(main())
