"""A lesson recorder with a real disk, fed with packets that decode, on a clock of its own."""

from __future__ import annotations

import asyncio
import random
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from light import encoded
from light.ffmpeg import complaints, packets
from twinclass_recordings.manifest import Source
from twinclass_recordings.package import Package
from twinclass_recordings.recorder.disk import Disk
from twinclass_recordings.recorder.lesson import LessonRecorder
from twinclass_recordings.recorder.messages import PipedCodec, Problem, Record, TrackSpec
from twinclass_recordings.recorder.track import Track

H264 = PipedCodec("H264", 102, 90_000)
VP8 = PipedCodec("VP8", 96, 90_000)
OPUS = PipedCodec("opus", 111, 48_000)
ORIGIN = 1_795_000_000.0


def video_track(
    name: str = "lead-camera", source: Source = "camera", layers: int = 1, who: str = "lead"
) -> TrackSpec:
    return TrackSpec(name, who, source, "video", (H264, VP8), f"p-{name}", "/nowhere", layers)


def audio_track(name: str = "lead-microphone", who: str = "lead") -> TrackSpec:
    return TrackSpec(name, who, "microphone", "audio", (OPUS,), f"p-{name}", "/nowhere")


@dataclass
class Stream:
    """Numbers one stream of packets as a publisher does. ``clock_ppm``: how wrong its clock is."""

    payload_type: int
    rate: int
    clock_ppm: float = 0.0
    sequence: int = field(default_factory=lambda: random.getrandbits(16))
    first: int = field(default_factory=lambda: random.getrandbits(32))

    def timestamp(self, seconds: float) -> int:
        return (self.first + round(seconds * self.rate * (1 + self.clock_ppm / 1e6))) & 0xFFFFFFFF

    def packets(self, payloads: tuple[bytes, ...], seconds: float) -> list[bytes]:
        made: list[bytes] = []
        for at, payload in enumerate(payloads):
            self.sequence = (self.sequence + 1) & 0xFFFF
            marker = 0x80 if at == len(payloads) - 1 else 0
            made.append(
                struct.pack(
                    "!BBHII",
                    0x80,
                    marker | self.payload_type,
                    self.sequence,
                    self.timestamp(seconds),
                    1,
                )
                + payload
            )
        return made


class Feeding:
    """``now`` counts from 0 at lesson time 0; use as an async context manager."""

    def __init__(self, root: Path, *tracks: TrackSpec) -> None:
        self.package = Package.of(root, "lesson-1")
        self.now = 0.0
        self.tracks = tracks
        self.problems: list[tuple[object, Problem]] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self.disk = Disk(self._failed, loop.call_soon_threadsafe)
        wish = Record("lesson-1", 1, ORIGIN, self.tracks)
        self.lesson = LessonRecorder(self.package, wish, self.disk, self.now, ORIGIN + self.now)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.disk.stop(10.0)
        await asyncio.sleep(0)

    def _failed(self, key: object, problem: Problem) -> None:
        self.problems.append((key, problem))
        number = key[1] if isinstance(key, tuple) else None
        self.lesson.disk_failed(number, problem, self.now)

    def track(self, name: str) -> Track:
        return self.lesson.tracks[name]

    def push(self, name: str, packets: list[bytes], layer: int = 0, delay: float = 0.0) -> None:
        at = self.now + delay
        for packet in packets:
            self.track(name).packet(layer, packet, at, ORIGIN + at)

    def report(self, name: str, stream: Stream, seconds: float, layer: int = 0) -> None:
        self.track(name).report(layer, stream.timestamp(seconds), ORIGIN + seconds)

    def tick(self) -> None:
        self.lesson.tick(self.now)

    async def settle(self) -> None:
        """Waits until the disk has done all so far."""
        done = asyncio.Event()
        self.disk.after(done.set)
        await done.wait()

    async def finish(self) -> None:
        self.lesson.finish(self.now, ORIGIN + self.now)
        await self.settle()

    async def play(
        self, seconds: float, streams: dict[str, Stream], *, codec: str = "H264", fps: int = 25,
        size: tuple[int, int] = (320, 180), gop: int = 50,
    ) -> None:  # fmt: skip
        """Feeds pictures and sound for a while."""
        frames = encoded.video(codec, *size, fps * 4, fps, gop)
        sound = encoded.opus(200)
        began = self.now
        count, tones, reports = 0, 0, 1
        while True:
            next_frame, next_sound = count / fps, tones * 0.02
            at = min(next_frame, next_sound)
            if at > seconds - 1e-9:
                break
            self.now = began + at
            for name, stream in streams.items():
                is_audio = stream.rate == 48_000
                if is_audio and at == next_sound:
                    self.push(name, stream.packets((sound[tones % 200],), self.now))
                elif not is_audio and at == next_frame:
                    frame = frames[count % len(frames)]
                    self.push(name, stream.packets(frame.payloads, self.now))
                if at >= reports:
                    self.report(name, stream, self.now)
            reports += at >= reports
            count += at == next_frame
            tones += at == next_sound
            self.tick()
        self.now = began + seconds


def probe(path: Path) -> list[tuple[float, bool]]:
    """Returns (time, is keyframe) of every packet of a file with which nothing is wrong."""
    assert complaints(path) == ""
    return packets(path)
