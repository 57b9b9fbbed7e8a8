"""A picture of a lesson for its card: one real frame, decoded in a process of its own.

``python -m twinclass_recordings.cover PACKAGE`` writes ``cover.jpg`` beside the manifest. Decoders
are large and their input came from outside: when one crashes, a card has no picture and nothing
else happens.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from twinclass_recordings.assemble import write_durably
from twinclass_recordings.manifest import Manifest, Part, decode
from twinclass_recordings.package import Package

#: A card is 320 px wide; twice that for sharp screens.
WIDTH = 640
#: Where the teacher has begun and the first slide is there.
AFTER_S = 60.0
_RANK = {"screen": 0, "document": 1, "camera": 2}


def best_part(manifest: Manifest) -> tuple[Part, float] | None:
    """Returns the file whose picture says most, and a second of it: what was shown before who
    showed it, the lead before others, some way into it."""
    leads = {person.id for person in manifest.people if person.role in ("lead", "co_lead")}
    found: list[tuple[tuple[int, int, float], Part]] = []
    for track in manifest.tracks:
        if track.kind != "video":
            continue
        for run in track.runs:
            for part in run.parts:
                rank = _RANK.get(track.source, 9)
                found.append(((rank, int(track.participant not in leads), -part.duration_s), part))
    if not found:
        return None
    part = min(found, key=lambda one: one[0])[1]
    return part, min(AFTER_S, part.duration_s / 2)


def frame_at(path: Path, second: float) -> VideoFrame | None:
    """Returns the first picture from the keyframe before ``second`` on; None: nothing decodes."""
    with av.open(str(path), "r") as container:
        stream = container.streams.video[0]
        if stream.time_base is not None and second > 0:
            container.seek(int(second / stream.time_base), stream=stream, backward=True)
        return next(iter(container.decode(stream)), None)


def write_cover(package: Package) -> bool:
    """Writes the cover; False: there is no picture in the lesson."""
    chosen = best_part(decode(package.manifest.read_bytes()))
    if chosen is None:
        return False
    path = package.served(chosen[0].path)
    frame = frame_at(path, chosen[1]) if path is not None else None
    if frame is None:
        return False
    height = round(frame.height * WIDTH / frame.width / 2) * 2
    image = frame.reformat(WIDTH, height, format="yuvj420p")
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, height, "yuvj420p"
    encoder.time_base = Fraction(1, 1)
    image.pts = 0
    data = b"".join(bytes(packet) for packet in [*encoder.encode(image), *encoder.encode(None)])
    write_durably(package.folder / "cover.jpg", data)
    return True


def main() -> int:
    """Writes the cover of one package; exit 0 when there is one."""
    package = Package(Path(sys.argv[1]))
    try:
        return 0 if write_cover(package) else 3
    except (FFmpegError, OSError, ValueError, IndexError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
