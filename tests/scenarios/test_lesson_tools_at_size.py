"""The lesson's tools at the size of the largest lesson: signalling only, over real WebSockets.

A server process, and pages that read everything but play no media. What a page is sent is counted
by kind; what it costs is a figure, what must hold is asserted.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from conftest import FigureTable
from hosting.page import token
from hosting.process import ServerProcess
from light.ports import free_port
from twinclass_signaling.messages import SUBPROTOCOL
from twinclass_signaling.roles import Role

PORTS = free_port(23)
LESSON = "large"


@dataclass
class Listener:
    """One page: counts what it is sent and notes when something it waits for comes."""

    name: str
    role: Role
    socket: ClientConnection
    sent: Counter[str] = field(default_factory=Counter)
    waits: list[tuple[Callable[[dict[str, Any]], bool], asyncio.Future[float]]] = field(
        default_factory=list
    )
    commands: int = 0
    errors: list[str] = field(default_factory=list)

    async def read(self) -> None:
        async for text in self.socket:
            assert isinstance(text, str)
            # ``{"type":"…"`` is at the front; only who waits for something parses all of it.
            kind = text[9 : text.index('"', 9)]
            self.sent[kind] += len(text.encode())
            if kind == "error":
                self.errors.append(text)
            if not self.waits or kind not in {"tool", "event", "ack", "error"}:
                continue
            message = json.loads(text)
            for wait in list(self.waits):
                if wait[0](message):
                    self.waits.remove(wait)
                    wait[1].set_result(time.monotonic())

    def when(self, matches: Callable[[dict[str, Any]], bool]) -> asyncio.Future[float]:
        arrived: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.waits.append((matches, arrived))
        return arrived

    async def command(self, **command: object) -> None:
        self.commands += 1
        await self.socket.send(
            json.dumps({"type": "command", "id": self.commands, "command": command})
        )


class Crowd:
    """Everybody of one lesson."""

    def __init__(self, server: ServerProcess, rooms: int, homes: int, observers: int) -> None:
        self.server = server
        self.rooms, self.homes, self.observers = rooms, homes, observers
        self.pages: dict[str, Listener] = {}
        self.joins: list[float] = []
        self._readers: list[asyncio.Task[None]] = []

    async def create(self) -> None:
        rooms = [
            {
                "id": f"room-{n}",
                "name": f"七({n})班",
                "expected": 50,
                "pupils": [
                    {"id": f"home-{h}", "name": f"示例学生 {h}", "at_home": True}
                    for h in range(n, self.homes + 1, self.rooms)
                ],
            }
            for n in range(1, self.rooms + 1)
        ]
        body = {"id": LESSON, "plan": {"title": "示例课", "rooms": rooms, "homes": self.homes}}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{self.server.admin_url}/lessons", json=body)
        assert answer.status_code == 201, answer.text

    async def join(self, name: str, role: Role, room: str | None) -> None:
        key = token(self.server.keys, role, name, LESSON, room=room, name=f"示例 {name}")
        started = time.monotonic()
        socket = await connect(
            f"ws://127.0.0.1:{self.server.port}/signal",
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=None,
            compression=None,
            proxy=None,
            open_timeout=30,
        )
        await socket.send(json.dumps({"type": "authenticate", "token": key}))
        welcome = await socket.recv()
        assert '"type":"welcome"' in str(welcome)[:20], welcome
        self.joins.append(time.monotonic() - started)
        page = self.pages[name] = Listener(name, role, socket)
        page.sent["welcome"] += len(str(welcome).encode())
        self._readers.append(asyncio.create_task(page.read()))

    async def join_all(self, within_s: float) -> None:
        await self.join("lead", Role.LEAD, None)
        await self.pages["lead"].command(type="lesson_open")
        people = [(f"room-{n}", Role.ROOM, f"room-{n}") for n in range(1, self.rooms + 1)]
        people += [(f"helper-{n}", Role.ASSISTANT, f"room-{n}") for n in range(1, self.rooms + 1)]
        people += [
            (f"home-{n}", Role.HOME_LEARNER, f"room-{(n - 1) % self.rooms + 1}")
            for n in range(1, self.homes + 1)
        ]
        people += [(f"watcher-{n}", Role.OBSERVER, "") for n in range(1, self.observers + 1)]
        pause = within_s / len(people)

        async def later(index: int, name: str, role: Role, room: str) -> None:
            await asyncio.sleep(index * pause)
            await self.join(name, role, room or None)

        async with asyncio.TaskGroup() as group:
            for index, (name, role, room) in enumerate(people):
                group.create_task(later(index, name, role, room))

    def bytes_of(self, role: Role, *kinds: str) -> float:
        """The most that any page of a role was sent of these kinds."""
        return max(
            sum(page.sent[kind] for kind in kinds)
            for page in self.pages.values()
            if page.role is role
        )

    def forget_counts(self) -> None:
        for page in self.pages.values():
            page.sent.clear()

    async def close(self) -> None:
        for page in self.pages.values():
            page.socket.transport.abort()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)


def p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def has_hand(participant: str) -> Callable[[dict[str, Any]], bool]:
    def matches(message: dict[str, Any]) -> bool:
        view = message.get("view", {})
        return view.get("type") == "hands" and any(
            hand["participant"] == participant for hand in view["hands"]
        )

    return matches


def entered(participant: str) -> Callable[[dict[str, Any]], bool]:
    def matches(message: dict[str, Any]) -> bool:
        event = message.get("event", {})
        return event.get("type") == "stage_enter" and event["participant"] == participant

    return matches


def answered(count: int) -> Callable[[dict[str, Any]], bool]:
    def matches(message: dict[str, Any]) -> bool:
        view = message.get("view", {})
        return view.get("type") == "quiz" and view["current"]["answered"] == count

    return matches


def tallied(room: str) -> Callable[[dict[str, Any]], bool]:
    def matches(message: dict[str, Any]) -> bool:
        view = message.get("view", {})
        return view.get("type") == "quiz" and any(
            bar["room"] == room and bar["source"] == "tally" for bar in view["current"]["bars"]
        )

    return matches


async def hands_to_lead(crowd: Crowd, count: int) -> list[float]:
    """Seconds from the tap to the lead's list, hand by hand while others go up too."""
    waits: list[float] = []
    homes = [f"home-{n}" for n in range(1, count + 1)]
    helpers = [f"helper-{n}" for n in range(1, min(crowd.rooms, count) + 1)]
    for name in [*homes, *helpers]:
        participant = name.replace("helper", "room")
        arrived = crowd.pages["lead"].when(has_hand(participant))
        tapped = time.monotonic()
        await crowd.pages[name].command(type="hand_raise", count=1)
        waits.append(await asyncio.wait_for(arrived, 10) - tapped)
    return waits


async def calls(crowd: Crowd, count: int) -> list[float]:
    """Seconds from the lead's tap to the last page that is told of the stage."""
    waits: list[float] = []
    lead = crowd.pages["lead"]
    for number in range(1, count + 1):
        room = f"room-{number}"
        arrived = [page.when(entered(room)) for page in crowd.pages.values()]
        tapped = time.monotonic()
        await lead.command(type="call_on", participant=room)
        times = await asyncio.wait_for(asyncio.gather(*arrived), 10)
        waits.append(max(times) - tapped)
        await lead.command(type="stage_clear")
    return waits


async def one_question(crowd: Crowd) -> tuple[float, list[float]]:
    """All homes answer at once; then rooms tell tallies. Seconds to the lead's bars."""
    lead = crowd.pages["lead"]
    opened = lead.when(lambda message: message.get("view", {}).get("type") == "quiz")
    await lead.command(type="quiz_open", kind="single", text="?", options=["A", "B", "C", "D"])
    await asyncio.wait_for(opened, 10)
    complete = lead.when(answered(crowd.homes))
    started = time.monotonic()
    for number in range(1, crowd.homes + 1):
        page = crowd.pages[f"home-{number}"]
        await page.command(type="quiz_answer", quiz=1, choices=[number % 4])
    homes = await asyncio.wait_for(complete, 20) - started
    tallies: list[float] = []
    for number in range(1, crowd.rooms + 1):
        arrived = lead.when(tallied(f"room-{number}"))
        tapped = time.monotonic()
        await crowd.pages[f"helper-{number}"].command(
            type="quiz_tally", quiz=1, counts=[20, 10, 5, 5]
        )
        tallies.append(await asyncio.wait_for(arrived, 10) - tapped)
    return homes, tallies


async def run(
    data: Path, figures: FigureTable, rooms: int, homes: int, observers: int, within_s: float
) -> None:
    what = f"tools: {rooms} rooms + {rooms} assistants + {homes} homes + {observers} observers"
    server = ServerProcess(data, PORTS)
    crowd = Crowd(server, rooms, homes, observers)
    try:
        await server.start()
        await crowd.create()
        process = psutil.Process(server.process.pid)
        started, cpu = time.monotonic(), sum(process.cpu_times()[:2])
        await crowd.join_all(within_s)
        await asyncio.sleep(1)
        joined_s = time.monotonic() - started
        busy = (sum(process.cpu_times()[:2]) - cpu) / joined_s
        figures.add(what, "welcome after, s", f"p50 {statistics.median(crowd.joins):.2f} "
                    f"p95 {p95(crowd.joins):.2f}", "")  # fmt: skip
        figures.add(what, "control plane while all join, % of a core", f"{busy * 100:.0f}", "")
        kinds = ("presence", "event", "tool")
        for role in (Role.LEAD, Role.ASSISTANT, Role.ROOM, Role.HOME_LEARNER, Role.OBSERVER):
            rate = crowd.bytes_of(role, *kinds) / joined_s
            figures.add(what, f"{role}: presence, events, tools while all join, KiB/s",
                        f"{rate / 1024:.1f}", "")  # fmt: skip
            # 2,000 kbit/s is a weak line; what is not media must be a small part of it.
            assert rate < 64 * 1024, role
        crowd.forget_counts()
        started = time.monotonic()
        hands = await hands_to_lead(crowd, min(homes, 40))
        figures.add(what, "hand to the lead's list, s", f"p50 {statistics.median(hands):.2f} "
                    f"p95 {p95(hands):.2f} max {max(hands):.2f}", "1 p95")  # fmt: skip
        on_stage = await calls(crowd, min(rooms, 12))
        figures.add(what, "call to the last page told of the stage, s",
                    f"p95 {p95(on_stage):.2f} max {max(on_stage):.2f}", "2")  # fmt: skip
        everybody, tallies = await one_question(crowd)
        figures.add(what, "all homes' answers on the lead's bars, s", f"{everybody:.2f}", "")
        figures.add(what, "tally to the lead's bars, s", f"p95 {p95(tallies):.2f}", "1")
        lasted = time.monotonic() - started
        for role in (Role.LEAD, Role.ASSISTANT, Role.ROOM, Role.HOME_LEARNER, Role.OBSERVER):
            rate = crowd.bytes_of(role, *kinds) / lasted
            figures.add(what, f"{role}: in that busy lesson, KiB/s", f"{rate / 1024:.1f}", "")
        for page in crowd.pages.values():
            assert not page.errors, (page.name, page.errors[:2])
        assert p95(hands) <= 1
        assert max(on_stage) <= 2
        assert p95(tallies) <= 1
    finally:
        await crowd.close()
        await server.end()


@pytest.mark.timeout(60)
async def test_a_small_lesson_uses_all_tools(tmp_path: Path) -> None:
    await run(tmp_path / "data", FigureTable(), 3, 6, 2, within_s=1)


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_the_largest_lesson_uses_all_tools(tmp_path: Path, figures: FigureTable) -> None:
    await run(tmp_path / "data", figures, 32, 200, 40, within_s=30)
