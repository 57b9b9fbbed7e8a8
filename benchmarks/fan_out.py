"""One publisher to many viewers through a real media worker: CPU per packet, delay, memory.

    .venv/bin/python benchmarks/fan_out.py [--sizes 1 10 50 200 300] [--seconds 8] [--spread-ms 0]
        [--recorded]

One 1.5 Mbit/s camera (30 frames a second of six packets) and one Opus track. Viewers do real
ICE, DTLS and SRTCP; their kernel drops the media (classic BPF), so that they cost almost
nothing beside the server, and they report as a browser does (3.7 compounds a second). CPU is
the worker's whole process, user and system, receive, RTCP and timers included.

Beside each size runs the plainest loop there is, in this process: per packet and viewer one
``Session.protect`` and one ``sendto`` to sockets that drop likewise. The last column is our
cost divided by that loop's. ``--recorded``: a recorder, as the server starts it, writes both tracks
meanwhile; its share of a core stands behind the row.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import psutil
from pylibsrtp import Policy, Session

from light.peer import Identity
from light.ports import free_port
from light.source import AudioSource, VideoSource
from light.worker import OPUS, VP8, WorkerUnderTest
from twinclass_media.worker import messages as m
from twinclass_recordings.recorder import messages as r
from twinclass_recordings.recorder.control import encode


def own_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def plain_loop(viewers: int, seconds: float = 1.0) -> float:
    """CPU µs per packet of the plainest loop: protect, sendto."""
    sinks, rows = [], []
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    for _ in range(viewers):
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
        sink.setsockopt(
            socket.SOL_SOCKET, 26, struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
        )
        sink.bind(("127.0.0.1", 0))
        policy = Policy(
            os.urandom(28),
            Policy.SSRC_ANY_OUTBOUND,
            srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
        )
        sinks.append(sink)
        rows.append((Session(policy).protect, sink.getsockname()))
    # Of 230 packets a second 180 are video of 1,040 bytes and 50 are audio of 80.
    payloads = [os.urandom(1040)] * 18 + [os.urandom(80)] * 5
    started, before, sent, sequence = time.monotonic(), own_cpu(), 0, 0
    while time.monotonic() - started < seconds:
        for payload in payloads:
            sequence += 1
            head = struct.pack("!BBHII", 0x80, 96, sequence & 0xFFFF, sequence, 7)
            for protect, address in rows:
                sender.sendto(protect(head + payload), address)
            sent += viewers
    cost = 1e6 * (own_cpu() - before) / sent
    for sock in (*sinks, sender):
        sock.close()
    return cost


def quantile(histogram: m.Histogram, before: m.Histogram, q: float) -> float:
    """Upper bound in ms of the bucket that holds quantile q of what came between."""
    counts = [a - b for a, b in zip(histogram.counts, before.counts, strict=True)]
    rank, seen = q * sum(counts), 0
    for bound, count in zip(histogram.bounds, counts, strict=False):
        seen += count
        if seen >= rank:
            return bound * 1000
    return float("inf")


@asynccontextmanager
async def recorder(folder: Path, worker: WorkerUnderTest) -> AsyncIterator[psutil.Process]:
    """A recorder that writes the producers ``v`` and ``a`` of a worker."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "twinclass_recordings.recorder"),
            *("--run-dir", str(folder), "--root", str(folder / "recordings")),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        while not (folder / "recorder.sock").exists():
            await asyncio.sleep(0.02)
        _, writer = await asyncio.open_unix_connection(str(folder / "recorder.sock"))
        writer.write(encode(r.Attach(1, "benchmark")))
        tracks = tuple(
            r.TrackSpec(
                f"{producer}-rec", "lead", source, kind,
                (r.PipedCodec(codec.name, codec.payload_type, codec.clock_rate),),
                producer, str(folder / "none"),
            )
            for producer, source, kind, codec in (
                ("v", "camera", "video", VP8), ("a", "microphone", "audio", OPUS),
            )
        )  # fmt: skip
        writer.write(encode(r.Record("bench-1", 1, time.time(), tracks)))
        pipe = str(folder / "recorder.pipe")
        await worker.put(
            *(
                m.PipeSpec(f"{one}-rec", 1, m.ProducerId(one), pipe, m.ProducerId(f"{one}-rec"))
                for one in ("v", "a")
            )
        )
        yield psutil.Process(process.pid)
        writer.close()
    finally:
        process.terminate()
        process.wait(10)


@asynccontextmanager
async def nobody() -> AsyncIterator[None]:
    """Stands in for a recorder where there is none."""
    yield None


def busy(process: psutil.Process | None) -> float:
    """CPU seconds of a process so far."""
    if process is None:
        return 0.0
    times = process.cpu_times()
    return times.user + times.system


async def measure(
    viewers: int, seconds: float, spread_s: float, native: str, *, recorded: bool
) -> str:
    """Returns one row of the table."""
    identity = Identity()
    with tempfile.TemporaryDirectory() as folder:
        async with WorkerUnderTest(Path(folder), free_port(), "--native", native) as worker:
            publisher = await worker.connect(
                identity, "pub", extensions=m.HeaderExtensions(audio_level=1)
            )
            await worker.put(
                m.ProducerSpec(
                    m.ProducerId("v"),
                    m.TransportId("pub"),
                    1,
                    "video",
                    "0",
                    (VP8,),
                    (m.Encoding("", 1111),),
                ),
                m.ProducerSpec(
                    m.ProducerId("a"),
                    m.TransportId("pub"),
                    1,
                    "audio",
                    "1",
                    (OPUS,),
                    (m.Encoding("", 2222),),
                ),
            )
            camera = VideoSource(publisher, 1111, 96, spread_s=spread_s)
            voice = AudioSource(publisher, 2222, level_id=1)

            def wanted(_: int) -> None:
                camera.keyframe_wanted = True

            publisher.on_keyframe_request = wanted
            empty = await worker.statistics()
            peers = []
            joining = time.monotonic()
            for i in range(viewers):
                peer = await worker.connect(
                    identity, f"s{i}", extensions=m.HeaderExtensions(abs_send_time=2)
                )
                await worker.put(
                    *(
                        m.ConsumerSpec(
                            m.ConsumerId(f"s{i}{kind}"),
                            m.TransportId(f"s{i}"),
                            1,
                            kind,
                            mid,
                            ssrc + i,
                            (codec,),
                            rtx + i if rtx else 0,
                            m.ProducerId(producer),
                        )
                        for kind, mid, ssrc, codec, rtx, producer in (
                            ("video", "0", 10000, VP8, 20000, "v"),
                            ("audio", "1", 30000, OPUS, 0, "a"),
                        )
                    )
                )
                peer.ignore_media([10000 + i, 30000 + i])
                peers.append(peer)
            joined = time.monotonic() - joining
            running = asyncio.gather(camera.run(seconds + 3), voice.run(seconds + 3))
            async with recorder(Path(folder), worker) if recorded else nobody() as writing:
                await asyncio.sleep(2)
                before, wrote = await worker.statistics(), busy(writing)
                await asyncio.sleep(seconds)
                after, share = await worker.statistics(), (busy(writing) - wrote) / seconds
                await running
            for peer in (publisher, *peers):
                peer.close()
    packets = after.packets["out"] - before.packets["out"]
    cost = 1e6 * (after.cpu_s - before.cpu_s) / packets
    beside = await asyncio.to_thread(plain_loop, viewers)
    return (
        f"{viewers:7d} {packets / seconds:10.0f} {cost:9.2f} {beside:9.2f} {cost / beside:6.2f}"
        f" {(after.rss_bytes - empty.rss_bytes) / viewers / 1024:9.1f}"
        f" {1000 * joined / viewers:8.1f}"
        f" {quantile(after.audio_delay_s, before.audio_delay_s, 0.5):6.1f}"
        f" {quantile(after.audio_delay_s, before.audio_delay_s, 0.99):6.1f}"
        f" {quantile(after.video_delay_s, before.video_delay_s, 0.5):6.1f}"
        f" {quantile(after.video_delay_s, before.video_delay_s, 0.99):6.1f}"
        f"  {dict(after.drops) or ''}{f' recorder {share:.1%}' if recorded else ''}"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 50, 200, 300])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--native", choices=("auto", "off"), default="auto", help="send loop")
    parser.add_argument("--spread-ms", type=float, default=0.0)
    parser.add_argument("--recorded", action="store_true")
    a = parser.parse_args()
    print(
        "viewers  packets/s    us/pkt    beside  ratio  KiB/view  ms/join"
        "  a p50  a p99  v p50  v p99 (forward delay, ms, bucket's upper bound)"
    )
    for size in a.sizes:
        row = await measure(size, a.seconds, a.spread_ms / 1000, a.native, recorded=a.recorded)
        print(row, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
