"""VP8 to H264, after the lesson: what browsers play from HLS.

``python -m twinclass_recordings.jobs.transcode PACKAGE`` prints a JSON line for each step,
``{"progress": 0.42}``, and at last ``{"done": true}`` or ``{"error": "…"}``. It may be ended at any
moment and begun again: files that are whole are kept.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from msgspec.structs import replace

from twinclass_recordings.assemble import segments, write_durably, write_playlist
from twinclass_recordings.manifest import Manifest, Part, Run, decode, encode
from twinclass_recordings.package import Package
from twinclass_recordings.recorder.frames import Frame
from twinclass_recordings.recorder.mp4 import VIDEO_RATE
from twinclass_recordings.recorder.part import Part as Writer
from twinclass_recordings.scan import scan

#: As what is recorded: players seek to keyframes.
KEYFRAME_S = 2.0
#: A screen share of 1080p looks as it did; a camera takes half of it.
QUALITY = "23"
_TIME_BASE = Fraction(1, VIDEO_RATE)


def transcode(package: Package) -> Iterator[float]:
    """Makes H264 of all VP8 in a package; yields how much of it is done, 0 to 1.

    Raises:
        FFmpegError, OSError, ValueError: a file cannot be read or written.
    """
    manifest = decode(package.manifest.read_bytes())
    waiting = [run for t in manifest.tracks for run in t.runs if _needs(run)]
    total = sum(run.duration_s for run in waiting) or 1.0
    done = 0.0
    for run in waiting:
        made: list[Part] = []
        for part in run.parts:
            for seconds in _transcode_part(package, part):
                yield min(1.0, (done + seconds) / total)
            done += part.duration_s
            made.append(_described(package, part))
        manifest = _with_run(package, manifest, replace(run, transcoded=tuple(made)))
        write_durably(package.manifest, encode(manifest))
    yield 1.0


def _needs(run: Run) -> bool:
    return bool(run.parts) and run.parts[0].codec == "vp8" and not run.transcoded


def _name(part: Part) -> str:
    return f"transcoded/{Path(part.path).stem}.mp4"


def _transcode_part(package: Package, part: Part) -> Iterator[float]:
    """Writes a part's H264; yields the second that is reached."""
    target = package.folder / _name(part)
    if target.exists():
        return  # Whole: it gets its name at its end.
    target.parent.mkdir(exist_ok=True, mode=0o700)
    partial = target.with_name(target.name + ".part")
    with av.open(str(package.folder / part.path), "r") as source, partial.open("wb") as file:
        stream = source.streams.video[0]
        stream.thread_type = "AUTO"
        encoder: VideoCodecContext | None = None
        writer: Writer | None = None
        told = 0.0
        for picture in source.decode(stream):
            if encoder is None:
                encoder = _encoder(picture)
            at = float(picture.time or 0.0)
            picture.pts, picture.time_base = round(at * VIDEO_RATE), _TIME_BASE
            for packet in encoder.encode(picture):
                writer = _write(file.write, writer, packet, part)
            if at - told >= 1.0:
                told = at
                yield at
        if encoder is not None:
            for packet in encoder.encode(None):
                writer = _write(file.write, writer, packet, part)
        if writer is not None:
            file.write(writer.finish())
        file.flush()
        os.fsync(file.fileno())
    if writer is None:
        partial.unlink()
        raise ValueError(f"{part.path} has no picture that can be decoded")
    partial.replace(target)


def _encoder(picture: VideoFrame) -> VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    # H264's 4:2:0 has even sides.
    encoder.width, encoder.height = picture.width // 2 * 2, picture.height // 2 * 2
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = _TIME_BASE
    encoder.framerate = Fraction(30)
    encoder.options = {
        "preset": "veryfast",
        "crf": QUALITY,
        "profile": "main",
        "bf": "0",
        "forced-idr": "1",
        # Frames come as they came: a keyframe by time, not by count.
        "x264-params": f"keyint={round(KEYFRAME_S * 30)}:scenecut=40:repeat-headers=1",
    }
    return encoder


def _write(write: object, writer: Writer | None, packet: object, part: Part) -> Writer | None:
    """Adds an encoded packet; the first one makes the file's header."""
    assert callable(write)
    assert isinstance(packet, av.Packet)
    units = [u for u in bytes(packet).replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if u]
    config = tuple(u for kind in (7, 8) for u in units if u[0] & 0x1F == kind)
    body = [u for u in units if u[0] & 0x1F not in (6, 7, 8, 9)]
    data = b"".join(len(u).to_bytes(4, "big") + u for u in body)
    keyframe = any(u[0] & 0x1F == 5 for u in body)
    frame = Frame(0, data, keyframe, part.width, part.height, config[:2] if keyframe else ())
    if writer is None:
        if not keyframe or len(config) < 2:
            return None
        writer = Writer(0, "h264", frame, 0.0)
        write(writer.header())
    write(writer.add(int(packet.pts or 0), frame))
    return writer


def _described(package: Package, part: Part) -> Part:
    path = package.folder / _name(part)
    found = scan(path)
    return Part(
        path=_name(part),
        start_s=part.start_s,
        duration_s=round(found.duration_s, 4),
        codec="h264",
        mime=found.mime,
        bytes=found.good,
        header_bytes=found.header_bytes,
        width=part.width,
        height=part.height,
        segments=segments(found.pieces, is_audio=False),
    )


def _with_run(package: Package, manifest: Manifest, changed: Run) -> Manifest:
    run = write_playlist(package, changed, manifest.origin_unix)
    tracks = tuple(
        replace(track, runs=tuple(run if one.id == run.id else one for one in track.runs))
        for track in manifest.tracks
    )
    return replace(manifest, tracks=tracks)


def main() -> int:
    """Transcodes one package."""
    try:
        for share in transcode(Package(Path(sys.argv[1]))):
            print(json.dumps({"progress": round(share, 3)}), flush=True)
    except (FFmpegError, OSError, ValueError) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    print(json.dumps({"done": True}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
