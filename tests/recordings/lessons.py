"""Lessons for exports: plain colours and tones at known moments, through a real recorder."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import msgspec.structs
import numpy as np

from light.encoded import h264_payloads, vp8_payloads
from recordings.feeding import H264, OPUS, VP8, Feeding, Stream, audio_track, video_track
from twinclass_recordings import manifest as m
from twinclass_recordings.assemble import finish
from twinclass_recordings.package import Package

FPS = 25
BLUE, WHITE, GREEN, RED = (20, 20, 160), (255, 255, 255), (20, 160, 20), (180, 20, 20)
Colour = tuple[int, int, int]

LEAD = m.Person("lead", "lead", m.Text("示例老师", "Demo teacher"))
ROOM = m.Person("room-1", "room", m.Text("七(1)班", "Class 7.1"))


@dataclass(frozen=True)
class Source:
    """What one track sends: ``sent(seconds)`` gives the payloads of each of its frames."""

    name: str
    stream: Stream
    frames: tuple[tuple[bytes, ...], ...]
    interval_s: float


@functools.cache
def picture(codec: str, size: tuple[int, int], colours: tuple[Colour, ...]) -> Source:
    """Returns a picture of one colour a frame, with a keyframe every two seconds."""
    context = av.CodecContext.create("libx264" if codec == "H264" else "libvpx", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt, context.time_base = "yuv420p", Fraction(1, FPS)
    context.framerate = Fraction(FPS)
    context.bit_rate, context.gop_size = 600_000, 2 * FPS
    if codec == "H264":
        context.options = {
            "preset": "ultrafast", "tune": "zerolatency", "profile": "baseline",
            "x264-params": f"keyint={2 * FPS}:min-keyint={2 * FPS}:scenecut=0:repeat-headers=1",
        }  # fmt: skip
    else:
        context.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    cut = h264_payloads if codec == "H264" else vp8_payloads
    made: list[tuple[bytes, ...]] = []
    for number, colour in enumerate(colours):
        pixels = np.full((size[1], size[0], 3), colour, np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        made += [tuple(cut(bytes(packet))) for packet in context.encode(frame)]
    made += [tuple(cut(bytes(packet))) for packet in context.encode(None)]
    assert len(made) == len(colours)
    payload_type = (H264 if codec == "H264" else VP8).payload_type
    return Source("", Stream(payload_type, 90_000), tuple(made), 1 / FPS)


@functools.cache
def tone(seconds: float, hertz: int, loud: tuple[tuple[float, float], ...]) -> Source:
    """Returns a tone that sounds in these stretches only."""
    context = av.CodecContext.create("libopus", "w")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout, context.format = 48000, "stereo", "s16"
    context.bit_rate = 64_000
    made: list[tuple[bytes, ...]] = []
    for number in range(round(seconds * 50)):
        at = (number * 960 + np.arange(960)) / 48000
        sounds = np.any([(at >= start) & (at < end) for start, end in loud], axis=0)
        wave = np.sin(at * 2 * np.pi * hertz) * sounds * 0.5 * 32767
        samples = np.repeat(wave.astype(np.int16), 2).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48000, number * 960
        made += [(bytes(packet),) for packet in context.encode(frame)]
    return Source("", Stream(OPUS.payload_type, 48_000), tuple(made), 0.02)


async def feed(feeding: Feeding, seconds: float, sources: Sequence[Source]) -> None:
    """Sends what these tracks send for a while."""
    began = feeding.now
    due = sorted(
        (number * source.interval_s, at, number)
        for at, source in enumerate(sources)
        for number in range(min(len(source.frames), round(seconds / source.interval_s)))
    )
    reported = began
    for after, at, number in due:
        source = sources[at]
        feeding.now = began + after
        packets = source.stream.packets(source.frames[number], feeding.now)
        feeding.push(source.name, packets)
        if feeding.now >= reported + 1:
            reported = feeding.now
            for one in sources:
                feeding.report(one.name, one.stream, feeding.now)
        feeding.tick()
    feeding.now = began + seconds


def sent(name: str, source: Source) -> Source:
    """Returns a source as the track ``name`` sends it."""
    fresh = Stream(source.stream.payload_type, source.stream.rate)
    return replace(source, name=name, stream=fresh)


def flashes(seconds: float, at: Sequence[float], base: Colour = BLUE) -> tuple[Colour, ...]:
    """Returns colours that are white for 0.2 s at these moments."""
    moments = [number / FPS for number in range(round(seconds * FPS))]
    return tuple(
        WHITE if any(start - 0.001 <= one < start + 0.199 for start in at) else base
        for one in moments
    )


def close(package: Package, change: Callable[[m.Manifest], m.Manifest] = lambda x: x) -> m.Manifest:
    """Writes the manifest of a package whose recorder has ended."""
    media = finish(package)
    made = m.Manifest(
        "lesson-1", "有理数的乘法", media.origin_unix, round(media.duration_s, 3), "closed",
        media.tracks, people=(LEAD, ROOM),
        chapters=(
            m.Chapter(0.0, 3.0, "phase", m.Text("导入", "Warm-up")),
            m.Chapter(3.0, media.duration_s, "phase", m.Text("新课", "New")),
        ),
    )  # fmt: skip
    made = change(made)
    package.manifest.write_bytes(m.encode(made))
    return made


async def two_rooms(root: Path) -> Package:
    """A lesson of 10 s. The lead's camera: H264, blue, larger from 4 s on, white at 2, 6 and 9 s
    with a beep; a class in VP8, green, from 2 to 8 s with a tone at 5 s; the lead's screen from 5
    to 8 s, red. Nobody sends a picture after 8 s but the lead, from 9 s on."""
    tracks = (
        video_track(),
        audio_track(),
        video_track("room-camera", who="room-1"),
        audio_track("room-microphone", who="room-1"),
        video_track("lead-screen", "screen"),
    )
    colours = flashes(10.0, (2.0, 6.0, 9.0))
    beeps = tone(10.0, 1000, ((2.0, 2.2), (6.0, 6.2), (9.0, 9.2)))
    async with Feeding(root, *tracks) as feeding:
        stream = Stream(H264.payload_type, 90_000)

        def camera(start: float, end: float, size: tuple[int, int]) -> Source:
            shown = colours[round(start * FPS) : round(end * FPS)]
            return replace(picture("H264", size, shown), name="lead-camera", stream=stream)

        microphone = sent("lead-microphone", beeps)

        def sound(start: float, end: float) -> Source:
            return replace(microphone, frames=beeps.frames[round(start * 50) : round(end * 50)])

        room = sent("room-camera", picture("VP8", (320, 240), (GREEN,) * 150))
        voice = sent("room-microphone", tone(6.0, 500, ((3.0, 3.4),)))

        def part(source: Source, start: float, end: float) -> Source:
            return replace(
                source,
                frames=source.frames[
                    round(start / source.interval_s) : round(end / source.interval_s)
                ],
            )

        small, large = (320, 180), (640, 360)
        await feed(feeding, 2.0, [camera(0, 2, small), sound(0, 2)])
        await feed(
            feeding, 2.0,
            [camera(2, 4, small), sound(2, 4), part(room, 0, 2), part(voice, 0, 2)],
        )  # fmt: skip
        await feed(
            feeding, 1.0,
            [camera(4, 5, large), sound(4, 5), part(room, 2, 3), part(voice, 2, 3)],
        )  # fmt: skip
        screen = sent("lead-screen", picture("H264", (640, 480), (RED,) * 75))
        await feed(
            feeding, 3.0,
            [camera(5, 8, large), sound(5, 8), part(room, 3, 6), part(voice, 3, 6), screen],
        )  # fmt: skip
        await feed(feeding, 1.0, [sound(8, 9)])
        await feed(feeding, 1.0, [camera(9, 10, large), sound(9, 10)])
        await feeding.finish()
    close(feeding.package)
    return feeding.package


def changed(package: Package, **fields: object) -> m.Manifest:
    """Changes a package's manifest."""
    made = msgspec.structs.replace(m.decode(package.manifest.read_bytes()), **fields)
    package.manifest.write_bytes(m.encode(made))
    return made
