"""What a client that does not obey can do: nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from e2e.conftest import Server, wait_until
from light.client import LightClient
from light.peer import Identity

pytestmark = pytest.mark.timeout(360)


@pytest.fixture
async def lesson(server: Server) -> AsyncIterator[dict[str, LightClient]]:
    identity = Identity()
    links = server.links()
    urls = {
        "lead": links["lead"][0],
        "room-1": links["room"][0],
        "room-2": links["room"][1],
        "home": links["home_learner"][0],
    }
    people = {
        name: LightClient(server.base, url.split("#token=")[1], identity)
        for name, url in urls.items()
    }
    for client in people.values():
        await client.join()
    yield people
    for client in people.values():
        await client.leave()


def heard(client: LightClient, speaker: str) -> int:
    stream = client.stream("stage", "audio", speaker)
    return stream.packets if stream is not None else 0


async def shout(client: LightClient, seconds: float) -> int:
    """Sends sound although the server said not to."""
    assert client.voice is not None
    sent = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.voice.peer.send_rtp(client.voice.packet())
        sent += 1
        await asyncio.sleep(0.02)
    return sent


def audio_packets(client: LightClient) -> int:
    assert client.downlink is not None
    return sum(s.packets for s in client.downlink.streams.values() if set(s.payload_types) == {111})


async def test_sound_of_a_room_off_stage_reaches_nobody_though_it_is_sent(
    lesson: dict[str, LightClient],
) -> None:
    room = lesson["room-1"]
    lead = lesson["lead"]
    assert lead.voice is not None
    lead.voice.muted = True
    await asyncio.sleep(0.3)
    before = {name: audio_packets(c) for name, c in lesson.items()}
    assert await shout(room, 1.0) > 10
    await asyncio.sleep(0.2)
    assert {name: audio_packets(c) for name, c in lesson.items()} == before
    # On stage the same packets are heard by all others; afterwards by nobody again.
    await lead.command("call_on", participant="room-1")
    await shout(room, 0.5)

    async def all_hear() -> bool:
        return all(heard(c, "room-1") > 10 for n, c in lesson.items() if n != "room-1")

    await wait_until(all_hear, 3, "all others hear the room")
    await lead.command("stage_leave", participant="room-1")
    await asyncio.sleep(0.3)
    before = {name: audio_packets(c) for name, c in lesson.items()}
    await shout(room, 0.5)
    await asyncio.sleep(0.2)
    assert {name: audio_packets(c) for name, c in lesson.items()} == before


async def test_commands_without_the_right_are_refused_and_change_nothing(
    lesson: dict[str, LightClient],
) -> None:
    for name in ("room-1", "home"):
        for command, fields in (
            ("call_on", {"participant": "room-2"}),
            ("stage_clear", {}),
            ("lesson_close", {}),
        ):
            answer = await lesson[name].command(command, **fields)
            assert answer["type"] == "error", (name, command)
            assert answer["code"] == "forbidden"
            assert answer["text"]["zh"]
            assert answer["text"]["en"]
    await asyncio.sleep(0.2)
    assert not [
        e for e in lesson["lead"].events if e[1]["type"] in ("stage_enter", "lesson_closed")
    ]
