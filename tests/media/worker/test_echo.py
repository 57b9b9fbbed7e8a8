"""A real worker tells what comes back by a microphone, from levels in real SRTP packets."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from light.peer import Identity
from light.ports import free_port
from light.source import AudioSource
from light.worker import OPUS, WorkerUnderTest
from media.echo import envelopes as sounds
from twinclass_media.worker import messages as m

LEVELS = m.HeaderExtensions(audio_level=4)


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[WorkerUnderTest]:
    async with WorkerUnderTest(tmp_path, free_port()) as worker:
        yield worker


def microphone(who: str, version: int, *, watch: bool, paused: bool = False) -> m.ProducerSpec:
    return m.ProducerSpec(
        m.ProducerId(f"{who}-voice"),
        m.TransportId(who),
        version,
        "audio",
        "1",
        (OPUS,),
        paused=paused,
        watch_echo=watch,
    )


async def speak(source: AudioSource, envelope: sounds.Envelope) -> None:
    start = time.monotonic()
    for index, level in enumerate(envelope):
        source.level = max(0, min(127, round(-level)))
        source.peer.send_rtp(source.packet())
        await asyncio.sleep(max(0.0, start + (index + 1) * sounds.STEP_S - time.monotonic()))


def told(worker: WorkerUnderTest) -> list[m.Echo]:
    return [n for n in worker.notifications if isinstance(n, m.Echo)]


async def test_an_echo_is_told_when_it_is_found_and_when_its_microphone_is_closed(
    worker: WorkerUnderTest,
) -> None:
    identity = Identity()
    lead = await worker.connect(identity, "lead", extensions=LEVELS)
    room = await worker.connect(identity, "room", extensions=LEVELS)
    await worker.put(microphone("lead", 1, watch=False), microphone("room", 1, watch=True))
    rng = random.Random(11)
    sent = sounds.speech(rng, 4)
    back = sounds.mixed(sounds.echo(sent, 0.3, -9), sounds.murmur(rng, 4, -58))
    voices = [AudioSource(peer, ssrc, level_id=4) for peer, ssrc in ((lead, 1111), (room, 2222))]
    await asyncio.gather(*(speak(*one) for one in zip(voices, (sent, back), strict=True)))
    found = told(worker)
    assert [(one.producer, one.trouble) for one in found] == [("room-voice", "echo")]
    assert found[0].lag_s == pytest.approx(0.3, abs=0.12)
    await worker.put(microphone("room", 2, watch=True, paused=True))
    assert told(worker)[-1] == m.Echo(m.ProducerId("room-voice"), "none")
    # Closed, nothing is looked for; and it is as new when it is opened again.
    again = (sent[:100], back[:100])
    await asyncio.gather(*(speak(*one) for one in zip(voices, again, strict=True)))
    assert len(told(worker)) == 2
    lead.close()
    room.close()


async def test_a_howl_is_told_and_that_it_stopped(worker: WorkerUnderTest) -> None:
    room = await worker.connect(Identity(), "room", extensions=LEVELS)
    await worker.put(microphone("room", 1, watch=True))
    heard = [*sounds.howl(3.6, 0.2), *sounds.murmur(random.Random(1), 1.6, -58)]
    await speak(AudioSource(room, 2222, level_id=4), heard)
    assert [one.trouble for one in told(worker)] == ["howl", "none"]
    room.close()
