"""Scenario 8: room 4 opens a second device with sound, room 9 turns its loudspeaker up.

Light clients speak by the levels of their packets (RFC 6464): that is all the server hears. Rooms
behave as their pages do; room 4's page does not help by more than the 12 dB it is asked for.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import pytest

from conftest import FigureTable
from e2e.conftest import Server, listening_server
from faults.lesson import until
from media.echo import envelopes as sounds
from scenarios.cast import Cast, Person, cast_of, plan_of, whole_class
from twinclass_signaling.roles import Role

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]
__all__ = ["listening_server"]

ROOMS = 12
WAY_S = 0.28
#: A lesson's worth for this test; it is said again from the beginning.
SAID = sounds.speech(random.Random(8), 60)


def said(at_s: float) -> float:
    """What the lead says at a second, dBov."""
    return SAID[int(at_s / sounds.STEP_S) % len(SAID)]


class Air:
    """What microphones pick up: a function of time for each, in dBov."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.levels: dict[Person, Callable[[float], float]] = {}

    async def blow(self) -> None:
        """Sets the level of each microphone's next packet, for ever."""
        while True:
            at = time.monotonic() - self.start
            for person, level in self.levels.items():
                if person.voice is not None:
                    person.voice.level = max(0, min(127, round(-level(at))))
            await asyncio.sleep(sounds.STEP_S / 2)


def first(person: Person, kind: str, participant: str, since: float) -> float | None:
    """When somebody was told of something of a participant, since then."""
    for at, event in person.events:
        is_it = event["type"] == kind and event.get("participant") == participant
        if is_it and at >= since:
            return at
    return None


async def told(person: Person, kind: str, participant: str, since: float) -> float:
    await until(
        lambda: first(person, kind, participant, since) is not None, 15.0, f"{kind} {participant}"
    )
    at = first(person, kind, participant, since)
    assert at is not None
    return at


def row(person: Person, participant: str) -> dict[str, object] | None:
    rows = person.views["echo"]["rows"]
    return next((one for one in rows if one["participant"] == participant), None)


def quiet(_: float) -> float:
    return -70.0


async def the_lead_speaks(air: Air) -> float:
    """Waits for the beginning of some words; returns when that is."""
    while said(time.monotonic() - air.start) < -30:
        await asyncio.sleep(0.01)
    return time.monotonic()


async def echo_of_room_4(cast: Cast, air: Air, figures: FigureTable) -> None:
    lead, room, helper = cast["lead"], cast["room-4"], cast["helper-4"]
    began = await the_lead_speaks(air)
    ducked_at: list[float] = []

    def echo(at: float) -> float:
        found = first(room, "echo_found", "room-4", began)
        if found is not None and not ducked_at:
            ducked_at.append(time.monotonic())
        return said(at - WAY_S) - (8 if found is None else 20)

    air.levels[room] = echo
    found = await told(lead, "echo_found", "room-4", began)
    muted = await told(lead, "echo_muted", "room-4", began)
    others = [one for one in cast.with_media("room-4") if one.role is not Role.HOME_LEARNER]
    await asyncio.sleep(0.6)
    last = max(
        stream.last_at for one in others if (stream := one.stream("stage", "audio", "room-4"))
    )
    what = "scenario 8, echo of room 4"
    for name, value, bound in (
        ("recognised after", found - began, "2 s"),
        ("ducked after the word", ducked_at[0] - found, "0.2 s"),
        ("muted after", muted - began, "3 s"),
        (f"last packet at {len(others)} others after", last - began, "3 s"),
    ):
        print(f"{what}: {name} {value:.2f} s ({bound})")
        figures.add(what, name, f"{value:.2f} s", bound)
    assert last < muted + 0.5, "somebody hears it still"
    assert time.monotonic() - last > 0.3
    # Its assistant reads why, and which device it may be; and switches that one's sound off.
    shown = row(helper, "room-4")
    assert shown is not None
    assert (shown["trouble"], shown["state"], shown["suspect"]) == ("echo", "muted", "laptop")
    await helper.ask("sound_switch", participant="laptop", off=True)
    laptop = cast["laptop"]
    await laptop.sees("sound", lambda v: v["switched_off"] == ["laptop"])
    await until(
        lambda: not any(s["kind"] == "audio" and s.get("participant") for s in laptop.slots),
        15.0,
        "nothing is played by the laptop",
    )
    air.levels[room] = quiet
    await helper.ask("echo_clear", participant="room-4")
    opened = time.monotonic()
    await until(
        lambda: all(one.hears("room-4", opened + 0.2) for one in others), 15.0, "room 4 is heard"
    )
    await asyncio.sleep(3.0)
    assert first(lead, "echo_found", "room-4", opened) is None


async def howl_of_room_9(cast: Cast, air: Air, figures: FigureTable) -> None:
    lead, room = cast["lead"], cast["room-9"]
    ring = sounds.howl(20, 0.0)
    began = time.monotonic()

    def howl(_: float) -> float:
        # Turned down by 12 dB the loop has no gain left, and dies as it grew.
        found = first(room, "echo_found", "room-9", began)
        now = time.monotonic()
        if found is None:
            return ring[min(len(ring) - 1, int((now - began) / sounds.STEP_S))]
        return max(-58.0, -18.0 - 40 * (now - found))

    air.levels[room] = howl
    found = await told(lead, "echo_found", "room-9", began)
    loud = began + next(i for i, level in enumerate(ring) if level > -12) * sounds.STEP_S
    faded = await told(lead, "echo_faded", "room-9", began)
    what = "scenario 8, howl of room 9"
    for name, value in (("recognised after it is loud", found - loud), ("gone", faded - loud)):
        print(f"{what}: {name} {value:.2f} s")
        figures.add(what, name, f"{value:.2f} s", "2 s" if "recognised" in name else "")
    assert row(cast["helper-9"], "room-9") is not None
    await told(lead, "echo_ended", "room-9", began)
    assert first(lead, "echo_muted", "room-9", began) is None, "ducking was enough"


async def test_scenario_8_echo_and_howl(listening_server: Server, figures: FigureTable) -> None:
    async with cast_of(listening_server, plan_of(ROOMS, 0)) as cast:
        whole_class(cast, ROOMS, 0)
        cast.person("laptop", Role.HOME_LEARNER, "room-4")
        await cast.join(cast.people.values())
        lead = cast["lead"]
        await lead.ask("lesson_open")
        air = Air()
        air.levels = dict.fromkeys(cast.of(Role.ROOM), quiet) | {lead: said}
        async with asyncio.TaskGroup() as group:
            blowing = group.create_task(air.blow())
            try:
                await cast.call("room-4")
                await cast.call("room-9")
                await asyncio.sleep(4.0)
                assert not any(e["type"] == "echo_found" for _, e in lead.events)
                await echo_of_room_4(cast, air, figures)
                await howl_of_room_9(cast, air, figures)
            finally:
                blowing.cancel()
        texts = [text for one in cast.of(Role.ROOM) for text in one.texts]
        assert not any('"suspect": "laptop"' in text for text in texts), "a child's id"
        counted = listening_server.metrics()
        assert 'twinclass_lesson_echo_total{step="found"}' in counted
