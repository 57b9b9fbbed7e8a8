"""Media workers of Twinclass as the server starts them, over their control sockets."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from peers import Peer, Viewer
from tracks import Kind, PublisherPlan, Track

from light.peer import Identity
from light.ports import free_port
from light.worker import OPUS, VP8, WorkerUnderTest
from twinclass_media.worker import messages as m

CODECS: dict[Kind, m.Codec] = {"video": VP8, "audio": OPUS}


class Twinclass:
    """Workers. Publishers are at the first; viewers are dealt out to all, and what they see of the
    first crosses pipes, as in a lesson that is spread."""

    def __init__(self, workers: Sequence[WorkerUnderTest], identity: Identity) -> None:
        self._host = workers[0].bind
        self._workers = workers
        self._fingerprints = (m.Fingerprint("sha-256", identity.fingerprint),)
        self.pids = tuple(worker.process.pid for worker in workers)
        self._turns = itertools.cycle(workers)
        # Far from what publishers use, so that a mix-up would be seen.
        self._ssrcs = itertools.count(0x10000000)

    async def publish(self, room: str, plan: PublisherPlan, peer: Peer) -> dict[Kind, int]:
        transport, credentials = self._transport(room, plan.name, m.HeaderExtensions(audio_level=1))
        producers = (
            m.ProducerSpec(
                _producer(room, plan.name, track.kind), transport.id, 1, track.kind, str(mid),
                (CODECS[track.kind],), (m.Encoding("", track.ssrc),),
            )
            for mid, track in enumerate(plan.tracks)
        )  # fmt: skip
        first, *others = self._workers
        producers = tuple(producers)
        await _put(first, m.RouterSpec(m.RouterId(room)), transport, *producers)
        for other in others:
            await _pipe(first, other, room, producers)
        peer.start((self._host, first.port), *credentials)
        return {kind: codec.payload_type for kind, codec in CODECS.items()}

    async def view(
        self, room: str, name: str, wanted: Sequence[tuple[str, Track]], viewer: Viewer
    ) -> None:
        worker = next(self._turns)
        transport, credentials = self._transport(room, name, m.HeaderExtensions(abs_send_time=2))
        streams: list[tuple[Kind, int]] = []
        consumers: list[m.ConsumerSpec] = []
        for mid, (publisher, track) in enumerate(wanted):
            ssrc = next(self._ssrcs)
            streams.append((track.kind, ssrc))
            consumers.append(
                m.ConsumerSpec(
                    m.ConsumerId(f"{room}/{name}/{mid}"), transport.id, 1, track.kind, str(mid),
                    ssrc, (CODECS[track.kind],), next(self._ssrcs) if track.kind == "video" else 0,
                    _producer(room, publisher, track.kind),
                )
            )  # fmt: skip
        await _put(worker, transport, *consumers)
        viewer.begin((self._host, worker.port), *credentials, streams)

    def _transport(
        self, room: str, name: str, extensions: m.HeaderExtensions
    ) -> tuple[m.TransportSpec, tuple[str, str]]:
        credentials = secrets.token_hex(4), secrets.token_hex(12)
        return (
            m.TransportSpec(
                m.TransportId(f"{room}/{name}"), m.RouterId(room), 1, *credentials,
                self._fingerprints, extensions,
            ),
            credentials,
        )  # fmt: skip


async def _put(worker: WorkerUnderTest, *specs: m.Spec) -> None:
    applied = await worker.put(*specs)
    if applied.problems:
        raise ConnectionRefusedError(str(applied.problems))


async def _pipe(
    near: WorkerUnderTest, far: WorkerUnderTest, room: str, producers: Sequence[m.ProducerSpec]
) -> None:
    """Makes ``producers`` of ``near`` known at ``far``, by the same names."""
    if near.attached is None or far.attached is None:
        raise ConnectionRefusedError("a worker is not there")
    for one in producers:
        await _put(
            near, m.PipeSpec(f"{one.id}/{far.index}", 1, one.id, far.attached.pipe_socket, one.id)
        )
    await _put(
        far,
        m.RouterSpec(m.RouterId(room)),
        *(
            m.PipedProducerSpec(
                one.id, m.RouterId(room), 1, one.kind, one.codecs, (m.Encoding(),),
                near.attached.pipe_socket, one.id,
            )
            for one in producers
        ),
    )  # fmt: skip


def _producer(room: str, publisher: str, kind: Kind) -> m.ProducerId:
    return m.ProducerId(f"{room}/{publisher}/{kind}")


@asynccontextmanager
async def native(folder: Path, identity: Identity, host: str) -> AsyncGenerator[Twinclass]:
    """As shipped: the compiled loop where it is there."""
    async with WorkerUnderTest(folder, free_port(), bind=host) as worker:
        yield Twinclass([worker], identity)


@asynccontextmanager
async def two(folder: Path, identity: Identity, host: str) -> AsyncGenerator[Twinclass]:
    """The same with two workers."""
    async with (
        WorkerUnderTest(folder, free_port(), bind=host) as first,
        WorkerUnderTest(folder, free_port(), index=1, bind=host) as second,
    ):
        yield Twinclass([first, second], identity)


@asynccontextmanager
async def python(folder: Path, identity: Identity, host: str) -> AsyncGenerator[Twinclass]:
    """Without the compiled loop."""
    async with WorkerUnderTest(folder, free_port(), "--native", "off", bind=host) as worker:
        yield Twinclass([worker], identity)
