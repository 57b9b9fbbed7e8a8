"""An encoder and a screen that are not ours take part in the running demo lesson."""

from __future__ import annotations

import asyncio
import signal

import pytest

from e2e.conftest import Server
from faults.conftest import Start, start
from faults.lesson import LEAD_MEDIA, Figures, LightLesson, kill, until, worker_pid
from light.lasting import LastingClient
from twinclass_signaling.roles import Role
from whip.encoder import External

pytestmark = pytest.mark.timeout(360)
__all__ = ["start"]

TRICKLE = "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n"


async def join_room(server: Server) -> LastingClient:
    """A room of our own protocol in the demo lesson."""
    room = LightLesson(server, "demo").client(Role.ROOM, "room-1", "room-1")
    await room.join()
    return room


async def test_aiortc_publishes_by_whip_and_watches_by_whep_while_a_room_takes_part(
    start: Start, figures: Figures
) -> None:
    server = await start({})
    room = await join_room(server)
    studio = External(server.base, server.token("lead", "studio"))
    screen = External(server.base, server.token("observer", "screen"))
    try:
        await studio.publish("demo")
        await screen.watch("demo")
        await until(lambda: screen.frames > 20 and screen.sounds > 20, 20, "picture and sound")
        red, green, blue = screen.mean_rgb
        assert green > 150
        assert red < 80
        assert blue < 80
        await until(lambda: all(kind in room.returned for kind in LEAD_MEDIA), 5, "the room too")
        room.watch()
        await asyncio.sleep(1.0)
        assert room.lost() == 0
        assert not room.uplink or room.uplink.connected.is_set()
        figures.add("WHIP and WHEP by aiortc, UDP", "packets a room lost", str(room.lost()), "0")
        # Another viewer with the same token stands beside the first.
        second = External(server.base, screen.token)
        await second.watch("demo")
        await until(lambda: second.frames > 5, 10, "the second screen")
        assert (await second.delete()).status_code == 200
        await second.close()
        # The encoder leaves: the lesson hears of it.
        assert (await studio.delete()).status_code == 200
        await until(lambda: "publication_ended" in names(room), 10, "the end of a source")
    finally:
        await asyncio.gather(room.leave(), studio.close(), screen.close())


async def test_encoder_and_screen_go_on_while_the_control_plane_is_replaced(
    start: Start, figures: Figures
) -> None:
    server = await start({})
    room = await join_room(server)
    studio = External(server.base, server.token("lead", "studio"))
    screen = External(server.base, server.token("observer", "screen"))
    late = External(server.base, screen.token)
    what = "control plane killed, aiortc by WHIP and WHEP"
    try:
        await studio.publish("demo")
        await screen.watch("demo")
        await until(lambda: screen.frames > 20 and screen.sounds > 20, 20, "picture and sound")
        await until(lambda: all(kind in room.returned for kind in LEAD_MEDIA), 5, "the room too")
        room.watch()
        screen.pause_s, before = 0.0, screen.frames
        server.stop(signal.SIGKILL)
        await asyncio.sleep(0.5)
        server.start()
        await server.wait_ready()
        await until(lambda: room.resumed, 10, "the room is back")
        await asyncio.sleep(1.5)
        figures.add(what, "longest pause of WHEP's picture, ms", f"{1000 * screen.pause_s:.0f}")
        figures.add(what, "packets a room lost", str(room.lost()), "0")
        assert screen.frames > before
        assert room.lost() == 0
        assert not room.losses
        # Both resources are where they were, and still belong to their tokens.
        fragment = TRICKLE.format("none", "0123456789012345678901")
        thief = External(server.base, studio.token, location=screen.location, etag=screen.etag)
        assert (await thief.delete()).status_code == 401
        await thief.close()
        assert (await studio.patch(fragment)).status_code in {200, 204}
        # Somebody comes after.
        await late.watch("demo")
        await until(lambda: late.frames > 5, 10, "a late screen")
        assert (await screen.delete()).status_code == 200
        assert (await studio.delete()).status_code == 200
        await until(lambda: "publication_ended" in names(room), 10, "the end of a source")
    finally:
        await asyncio.gather(room.leave(), studio.close(), screen.close(), late.close())


async def test_a_resource_whose_media_has_died_meanwhile_is_gone(start: Start) -> None:
    server = await start({})
    studio = External(server.base, server.token("lead", "studio"))
    await studio.publish("demo")
    pid = worker_pid(server, 0)
    server.stop(signal.SIGKILL)
    kill(pid)
    server.start()
    await server.wait_ready()
    assert (await studio.delete()).status_code == 404
    # It comes again, as encoders do.
    again = External(server.base, studio.token)
    await again.publish("demo")
    assert (await again.delete()).status_code == 200
    await asyncio.gather(studio.close(), again.close())


def names(client: LastingClient) -> list[str]:
    """What has happened, by name."""
    return [str(event["type"]) for _, event in client.events]
