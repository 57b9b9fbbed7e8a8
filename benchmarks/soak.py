"""Joins and leaves for as long as you like: whether a worker keeps what it should forget.

    .venv/bin/python benchmarks/soak.py [--minutes 60] [--viewers 50] [--joins-per-s 2]

A lesson with a camera and a microphone, so many viewers who stay, and others who join, watch for a
few seconds and leave; every tenth of them vanishes without a word, and the control plane removes
it. Prints the worker's memory, descriptors and objects once a minute, and at the end the slope of
its memory over the second half: KiB for each thousand joins.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
import psutil

from light.peer import Identity, LightPeer
from light.ports import free_port
from light.source import AudioSource, VideoSource
from light.worker import OPUS, VP8, WorkerUnderTest
from twinclass_media.worker import messages as m

STAY_S = 5.0
#: Of those who come and go one in so many says no goodbye.
VANISHING = 10


class Soak:
    """One worker and who comes and goes."""

    def __init__(self, worker: WorkerUnderTest) -> None:
        self.worker = worker
        self.identity = Identity()
        self.joins = 0
        self.failed = 0

    async def publish(self, seconds: float) -> tuple[LightPeer, asyncio.Future[list[None]]]:
        """Begins to send."""
        lead = await self.worker.connect(
            self.identity, "pub", extensions=m.HeaderExtensions(audio_level=1)
        )
        transport = m.TransportId("pub")
        await self.worker.put(
            m.ProducerSpec(
                m.ProducerId("v"), transport, 1, "video", "0", (VP8,), (m.Encoding("", 1111),)
            ),
            m.ProducerSpec(
                m.ProducerId("a"), transport, 1, "audio", "1", (OPUS,), (m.Encoding("", 2222),)
            ),
        )
        camera, voice = VideoSource(lead, 1111, 96), AudioSource(lead, 2222, level_id=1)

        def wanted(_: int) -> None:
            camera.keyframe_wanted = True

        lead.on_keyframe_request = wanted
        return lead, asyncio.gather(camera.run(seconds), voice.run(seconds))

    async def join(self) -> tuple[str, LightPeer]:
        """Lets somebody join."""
        self.joins += 1
        name = f"s{self.joins}"
        peer = await self.worker.connect(
            self.identity, name, extensions=m.HeaderExtensions(abs_send_time=2)
        )
        video, audio = 10_000 + 10 * self.joins, 10_005 + 10 * self.joins
        await self.worker.put(
            *(
                m.ConsumerSpec(
                    m.ConsumerId(f"{name}{kind}"), m.TransportId(name), 1, kind, mid, ssrc,
                    (codec,), rtx, m.ProducerId(producer),
                )
                for kind, mid, ssrc, codec, rtx, producer in (
                    ("video", "0", video, VP8, video + 1, "v"),
                    ("audio", "1", audio, OPUS, 0, "a"),
                )
            )
        )  # fmt: skip
        peer.ignore_media([video, audio])
        return name, peer

    async def visit(self) -> None:
        """Joins, watches, leaves."""
        try:
            name, peer = await self.join()
        except TimeoutError:
            self.failed += 1
            return
        await asyncio.sleep(STAY_S)
        if self.joins % VANISHING:
            await self.worker.remove("transport", name)
            peer.close()
        else:
            peer.close()
            await asyncio.sleep(STAY_S)
            await self.worker.remove("transport", name)


async def soak(minutes: float, viewers: int, joins_per_s: float) -> None:
    """Runs it and prints."""
    seconds = 60 * minutes
    with tempfile.TemporaryDirectory() as folder:
        async with WorkerUnderTest(Path(folder), free_port()) as worker:
            soaking = Soak(worker)
            lead, sending = await soaking.publish(seconds + 30)
            staying = [await soaking.join() for _ in range(viewers)]
            process = psutil.Process(worker.process.pid)
            loop = asyncio.get_running_loop()
            begun, next_line, readings = loop.time(), 0.0, []
            print("minute   joins  failed   MiB  descriptors  transports  consumers", flush=True)
            async with asyncio.TaskGroup() as visits:
                while (now := loop.time() - begun) < seconds:
                    visits.create_task(soaking.visit())
                    if now >= next_line:
                        found = await worker.statistics()
                        readings.append((soaking.joins, found.rss_bytes / 1024))
                        print(
                            f"{now / 60:6.1f} {soaking.joins:7d} {soaking.failed:7d}"
                            f" {found.rss_bytes / 2**20:5.1f} {process.num_fds():12d}"
                            f" {found.transports:11d} {found.consumers:10d}",
                            flush=True,
                        )
                        next_line += min(60.0, seconds / 10)
                    await asyncio.sleep(1 / joins_per_s)
            late = np.array(readings[len(readings) // 2 :])
            slope = np.polyfit(late[:, 0], late[:, 1], 1)[0] if len(late) > 1 else float("nan")
            print(f"slope over the second half: {1000 * slope:.1f} KiB per 1,000 joins")
            drops = (await worker.statistics()).drops
            print(f"dropped: {dict(drops) or 'nothing'}")
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
            for peer in (lead, *(peer for _, peer in staying)):
                peer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--joins-per-s", type=float, default=2.0)
    a = parser.parse_args()
    asyncio.run(soak(a.minutes, a.viewers, a.joins_per_s))


if __name__ == "__main__":
    main()
