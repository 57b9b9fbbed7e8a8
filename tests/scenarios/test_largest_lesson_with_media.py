"""The largest lesson, with its tools and with media: 32 rooms, 200 homes, 40 observers.

All 305 people are there with real signalling. Two cores, on which the server and everybody's
receivers run together, do not carry media for all of them; the lead, a quarter of the rooms and a
tenth of the homes send and receive it for real (the others are told of everything, and read it).
What is measured is measured at those who hear, and, for what is told, at all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conftest import FigureTable
from e2e.conftest import Server
from faults.lesson import until
from hosting.process import ServerProcess
from light.ports import free_port
from scenarios.cast import PATIENCE_S, Cast, p95, spread
from scenarios.test_lesson_tools_at_size import LESSON, Crowd, entered
from twinclass_signaling.roles import Role

pytestmark = [pytest.mark.full, pytest.mark.timeout(180)]

ROOMS, HOMES, OBSERVERS = 32, 200, 40
#: With media.
SOME_ROOMS, SOME_HOMES = 8, 20
KINDS = ("presence", "event", "tool")


@pytest.fixture
async def large(tmp_path: Path) -> AsyncIterator[Server]:
    first = free_port(16)
    found = Server(tmp_path / "data", port=first, admin_port=first + 1, media_port=first + 2)
    found.start()
    try:
        await found.wait_ready()
        yield found
    finally:
        found.stop()


async def test_the_largest_lesson_hears_who_is_called(large: Server, figures: FigureTable) -> None:
    what = f"32 rooms + 200 homes + 40 observers, media for {SOME_ROOMS} rooms + {SOME_HOMES} homes"
    # Where the crowd finds the server; it is started already.
    crowd = Crowd(ServerProcess(large.data, large.port), ROOMS, HOMES, OBSERVERS)
    await crowd.create()
    cast = Cast(large, LESSON)
    lead = cast.person("lead", Role.LEAD)
    for n in range(1, SOME_ROOMS + 1):
        cast.person(f"room-{n}", Role.ROOM)
    for n in range(1, SOME_HOMES + 1):
        cast.person(f"home-{n}", Role.HOME_LEARNER, f"room-{n}")
    try:
        await cast.join([lead])
        await lead.ask("lesson_open")
        started = time.monotonic()
        await cast.join(cast.people.values(), within_s=4)
        await join_crowd(crowd, within_s=12)
        await asyncio.sleep(1)
        joined_s = time.monotonic() - started
        add_traffic(figures, f"{what}: while all join", crowd, lead.sent, joined_s)
        crowd.forget_counts()
        lead.sent.clear()

        started = time.monotonic()
        hands = []
        for n in range(SOME_HOMES + 1, SOME_HOMES + 41):
            tapped = time.monotonic()
            await crowd.pages[f"home-{n}"].command(type="hand_raise", count=1)
            await lead.sees(
                "hands",
                lambda v, name=f"home-{n}": any(one["participant"] == name for one in v["hands"]),  # type: ignore[misc]
            )
            hands.append(time.monotonic() - tapped)
        heard, told = [], []
        called = [f"room-{n}" for n in range(1, SOME_ROOMS + 1)] + [
            f"home-{n}" for n in range(1, 5)
        ]
        for name in called:
            everywhere = [page.when(entered(name)) for page in crowd.pages.values()]
            tapped = time.monotonic()
            heard.append(await cast.call(name))
            told.append(max(await asyncio.wait_for(asyncio.gather(*everywhere), 10)) - tapped)
            await cast.clear()
        add_traffic(figures, f"{what}: busy", crowd, lead.sent, time.monotonic() - started)
        figures.add(what, "hand to the lead's list, s", spread(hands), "1 p95")
        figures.add(what, "call to sound at all others with media, s", spread(heard), "2")
        figures.add(what, "call to the last page told of the stage, s", spread(told), "2")
        assert not [error for page in crowd.pages.values() for error in page.errors]
        assert p95(hands) <= 1
        assert max(heard) <= 2
        assert max(told) <= 2
    finally:
        await cast.leave()
        await crowd.close()


async def join_crowd(crowd: Crowd, within_s: float) -> None:
    """Everybody who is here by signalling only."""
    people = [(f"room-{n}", Role.ROOM, f"room-{n}") for n in range(SOME_ROOMS + 1, ROOMS + 1)]
    people += [(f"helper-{n}", Role.ASSISTANT, f"room-{n}") for n in range(1, ROOMS + 1)]
    people += [
        (f"home-{n}", Role.HOME_LEARNER, f"room-{(n - 1) % ROOMS + 1}")
        for n in range(SOME_HOMES + 1, HOMES + 1)
    ]
    people += [(f"watcher-{n}", Role.OBSERVER, "") for n in range(1, OBSERVERS + 1)]
    pause_s = within_s / len(people)

    async def later(after_s: float, name: str, role: Role, room: str) -> None:
        await asyncio.sleep(after_s)
        await crowd.join(name, role, room or None)

    async with asyncio.TaskGroup() as group:
        for index, (name, role, room) in enumerate(people):
            group.create_task(later(index * pause_s, name, role, room))
    await until(lambda: len(crowd.pages) == len(people), PATIENCE_S, "all are here")


def add_traffic(
    figures: FigureTable, what: str, crowd: Crowd, lead: dict[str, int], seconds: float
) -> None:
    """What a client of each role is sent besides media; a small part of a weak line's 2 Mbit/s."""
    rates = {
        role: crowd.bytes_of(role, *KINDS) / seconds / 1024
        for role in (Role.ASSISTANT, Role.ROOM, Role.HOME_LEARNER, Role.OBSERVER)
    }
    rates[Role.LEAD] = sum(lead[kind] for kind in KINDS) / seconds / 1024
    for role, rate in rates.items():
        figures.add(what, f"{role}: presence, events, tools, KiB/s", f"{rate:.1f}", "64")
        assert rate < 64, role
