"""What recording costs: CPU of the recorder's process per track, beside plain writing of the same.

    .venv/bin/python benchmarks/recording.py [--tracks 8] [--seconds 20]

Tracks of 720p H264 at 1.5 Mbit/s and 30 frames a second, and as many of Opus, come over the pipe
socket as a worker sends them; files and disk are real. Bound: 2 % of a core per track.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from light import encoded
from twinclass_media.transport import pipe as wire
from twinclass_media.worker.frames import FrameReader
from twinclass_recordings.package import Package
from twinclass_recordings.recorder import messages as m
from twinclass_recordings.recorder.control import encode

FPS, KBPS = 30, 1500
_RTP = struct.Struct("!BBHII")
H264 = m.PipedCodec("H264", 102, 90_000)
OPUS = m.PipedCodec("opus", 111, 48_000)


class Source:
    """One track's packets, as a worker's tap sends them."""

    def __init__(self, name: str, kind: str) -> None:
        self.key = wire.key_of(name)
        self.kind = kind
        self.sequence, self.at = random.getrandbits(16), 0
        self.first = random.getrandbits(32)
        self.frames = encoded.video("H264", 1280, 720, FPS * 3, FPS, FPS * 3, KBPS)
        self.sound = encoded.opus(150)

    def next(self) -> list[bytes]:
        if self.kind == "audio":
            payloads: tuple[bytes, ...] = (self.sound[self.at % 150],)
            timestamp, kind = self.first + self.at * 960, OPUS.payload_type
        else:
            payloads = self.frames[self.at % len(self.frames)].payloads
            timestamp, kind = self.first + self.at * 3000, H264.payload_type
        self.at += 1
        made: list[bytes] = []
        for number, payload in enumerate(payloads):
            self.sequence = (self.sequence + 1) & 0xFFFF
            marker = 0x80 if number == len(payloads) - 1 else 0
            head = _RTP.pack(0x80, marker | kind, self.sequence, timestamp & 0xFFFFFFFF, 1)
            made.append(struct.pack("!B16sB", wire.PACKET, self.key, 0) + head + payload)
        return made


class Reports:
    """The recorder's reports, the newest at hand."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._frames = FrameReader()
        self._decoder: msgspec.msgpack.Decoder[m.Notification] = msgspec.msgpack.Decoder(
            m.Notification
        )
        self.newest: m.Status | None = None

    async def read(self) -> None:
        """Reads for ever."""
        while data := await self._reader.read(65536):
            for body in self._frames.feed(data):
                message = self._decoder.decode(body)
                if isinstance(message, m.Status):
                    self.newest = message

    async def next(self) -> m.Status:
        """Returns the next report."""
        self.newest = None
        while self.newest is None:
            await asyncio.sleep(0.01)
        return self.newest


async def run(tracks: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        recorder = subprocess.Popen(
            [
                *(sys.executable, "-m", "twinclass_recordings.recorder"),
                *("--run-dir", str(folder), "--root", str(folder / "recordings")),
            ],
            stderr=subprocess.DEVNULL,
        )
        try:
            await measure(folder, tracks, seconds)
        finally:
            recorder.terminate()
            recorder.wait(10)


async def measure(folder: Path, tracks: int, seconds: float) -> None:
    path = folder / "recorder.sock"
    while not path.exists():
        await asyncio.sleep(0.02)
    reader, writer = await asyncio.open_unix_connection(str(path))
    reports = Reports(reader)
    reading = asyncio.create_task(reports.read())
    writer.write(encode(m.Attach(1, "benchmark")))
    specs = [
        m.TrackSpec(f"{kind}-{n}", f"p{n}", source, kind, (codec,), "s", str(folder / "none"))
        for n in range(tracks)
        for kind, source, codec in (("video", "camera", H264), ("audio", "microphone", OPUS))
    ]
    origin = time.time()
    writer.write(encode(m.Record("bench-1", 1, origin, tuple(specs))))
    sources = [Source(spec.id, spec.kind) for spec in specs]
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    line.connect(str(folder / "recorder.pipe"))
    await asyncio.sleep(0.5)
    before = await reports.next()
    began = time.monotonic()
    packets = 0
    due = dict.fromkeys(sources, began)
    while (now := time.monotonic()) - began < seconds:
        for source in sources:
            if now >= due[source]:
                due[source] += 1 / FPS if source.kind == "video" else 0.02
                for packet in source.next():
                    line.send(packet)
                    packets += 1
        await asyncio.sleep(0.002)
    after = await reports.next()
    spent = time.monotonic() - began
    cpu = after.cpu_s - before.cpu_s
    [lesson] = after.lessons
    print(
        f"{2 * tracks} tracks, {packets / spent:.0f} packets/s, "
        f"{lesson.bytes * 8 / spent / 1e6:.1f}"
        f" Mbit/s on disk, lost {lesson.lost_s} s"
    )
    share = 100 * cpu / spent
    print(f"recorder: {share:.1f} % of a core, {share / (2 * tracks):.2f} % a track (bound 2)")
    plain = plain_copy(Package.of(folder / "recordings", "bench-1").parts, folder)
    print(
        f"the same bytes copied plainly: {plain:.2f} s CPU, recorder {cpu:.2f}: {cpu / plain:.0f}"
    )
    reading.cancel()
    writer.close()


def plain_copy(parts: Path, folder: Path) -> float:
    """Returns the CPU seconds of writing the same bytes in pieces of half a second."""
    before = time.process_time()
    for path in sorted(parts.iterdir()):
        with path.open("rb") as source, (folder / "copy").open("wb") as copy:
            while piece := source.read(90_000):
                copy.write(piece)
                copy.flush()
                os.fdatasync(copy.fileno())
    return max(time.process_time() - before, 0.001)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracks", type=int, default=8, help="of video; as many of audio")
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    asyncio.run(run(options.tracks, options.seconds))


if __name__ == "__main__":
    main()
