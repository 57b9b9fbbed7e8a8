"""What joins cost the control plane: many pages that come into a live lesson at once.

    .venv/bin/python benchmarks/joins_at_once.py [--joins 500] [--seconds 30]
        [--sizes 50 100 200] [--rooms 0] [--kinds] [--profile FILE]

For each size a server of its own (own Redis; the media plane is the one of the tests, which sends
nothing) holds a lesson that lasts: lead, co-lead, 30 rooms and their assistants. Then homes join,
all sizes at the rate of the largest, so that a large lesson does not gain by having more joins to
a window. With ``--rooms`` so many of the rooms come among them: every page is told of every room,
which is bounded by the 32 rooms of a lesson, not by windows. A join is the whole of it: socket,
Welcome, view, report of the loudspeaker, camera and microphone. The lead gives a command twice a
second meanwhile.

Prints for each size: connect → Welcome, the server process's CPU a join (media plane and Redis
apart), messages and KiB that all pages together were sent a join, the lead's acknowledgements;
and the ratio of a join of the largest lesson to one of the smallest: 1 means that n joins cost
O(n) in sum.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import httpx
import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from hosting.page import token
from hosting.running import running_server
from light.ports import free_port
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_signaling.messages import SUBPROTOCOL
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import TokenKeys

LESSON = "joins"
CLASSES = 30
#: Between two commands of the lead.
COMMAND_S = 0.5
#: All windows of the server are over by then; what they sent belongs to the joins.
SETTLED_S = 3.0
#: The bound of the design for a join under such a storm.
BOUND_P95_S = 3.0
PATIENCE_S = 60.0


@dataclass
class Page:
    """A page that counts what it is sent and reads no more of it than it must."""

    name: str
    socket: ClientConnection
    sent: Counter[str] = field(default_factory=Counter[str])
    sizes: Counter[str] = field(default_factory=Counter[str])
    acks: dict[int, asyncio.Future[float]] = field(
        default_factory=dict[int, "asyncio.Future[float]"]
    )
    errors: list[str] = field(default_factory=list[str])

    def note(self, text: str) -> str:
        """Counts a message; ``{"type":"…"`` is at its front, of a tool or an event its own kind."""
        kind = text[9 : text.index('"', 9)]
        if kind in {"tool", "event"}:
            inner = text.index('"type":"', 9) + len('"type":"')
            kind += " " + text[inner : text.index('"', inner)]
        self.sent[kind] += 1
        self.sizes[kind] += len(text.encode())
        return kind

    async def read(self) -> None:
        """Reads until the end."""
        async for text in self.socket:
            kind = self.note(str(text))
            if kind == "error":
                self.errors.append(str(text))
            elif kind == "ack":
                self.acks.pop(json.loads(text)["id"]).set_result(time.monotonic())

    async def say(self, **message: object) -> None:
        """Sends a message."""
        await self.socket.send(json.dumps(message))


@dataclass(frozen=True)
class Figures:
    """What one size cost. Times in seconds; the rest for each join."""

    joins: int
    welcomes: list[float]
    acks: list[float]
    cpu_ms: float
    messages: float
    kib: float
    kinds: dict[str, float]


class Crowd:
    """The pages of one lesson."""

    def __init__(self, port: int, admin_port: int, keys: TokenKeys, homes: int, late: int) -> None:
        self._port, self._admin_port, self._keys = port, admin_port, keys
        self._class_of = {f"home-{n}": f"room-{n % CLASSES + 1}" for n in range(1, homes + 1)}
        rooms = [f"room-{n}" for n in range(1, CLASSES + 1)]
        self._late_rooms, self._early_rooms = rooms[:late], rooms[late:]
        self.pages: dict[str, Page] = {}
        self.welcomes: list[float] = []
        self._readers: list[asyncio.Task[None]] = []

    async def create(self) -> None:
        """Makes the lesson, with every home on the roster of its class."""
        rooms = [
            {
                "id": f"room-{n}",
                "name": f"七({n})班",
                "school": f"示例{n}中",
                "pupils": [
                    {"id": home, "name": f"示例学生 {home}", "at_home": True}
                    for home, room in self._class_of.items()
                    if room == f"room-{n}"
                ],
            }
            for n in range(1, CLASSES + 1)
        ]
        plan = {"title": "示例课", "rooms": rooms, "homes": len(self._class_of)}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"http://127.0.0.1:{self._admin_port}/lessons", json={"id": LESSON, "plan": plan}
            )
            answer.raise_for_status()

    async def join(self, name: str, role: Role, room: str | None) -> None:
        """Brings a page in as a browser does."""
        key = token(self._keys, role, name, LESSON, room=room, name=f"示例 {name}")
        started = time.monotonic()
        socket = await connect(
            f"ws://127.0.0.1:{self._port}/signal",
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=None,
            compression=None,
            proxy=None,
            ping_interval=None,
            open_timeout=PATIENCE_S,
        )
        page = Page(name, socket)
        await page.say(type="authenticate", token=key)
        first = page.note(str(await socket.recv()))
        if first != "welcome":
            raise RuntimeError(f"{name} was not let in: {first}")
        self.welcomes.append(time.monotonic() - started)
        self.pages[name] = page
        self._readers.append(asyncio.create_task(page.read()))
        await page.say(type="view")
        await page.say(type="report", sound="playing", camera="on", microphone="on")
        if role is not Role.ASSISTANT:
            tracks = [{"mid": "0", "source": "camera"}, {"mid": "1", "source": "microphone"}]
            await page.say(type="publish_offer", n=1, sdp="v=0", tracks=tracks)

    async def begin(self) -> None:
        """Brings in those with whom the lesson lasts."""
        await self.join("lead", Role.LEAD, None)
        await self.command("lead", 1, type="lesson_open")
        await self.join("co", Role.CO_LEAD, None)
        for room in self._early_rooms:
            await self.join(room, Role.ROOM, room)
        for n in range(1, CLASSES + 1):
            await self.join(f"helper-{n}", Role.ASSISTANT, f"room-{n}")

    async def command(self, name: str, number: int, **command: object) -> float:
        """Gives a command; returns the seconds until it is acknowledged."""
        page = self.pages[name]
        acknowledged = page.acks[number] = asyncio.get_running_loop().create_future()
        started = time.monotonic()
        await page.say(type="command", id=number, command=command)
        return await asyncio.wait_for(acknowledged, PATIENCE_S) - started

    async def come_late(self, within_s: float) -> None:
        """Brings homes and late rooms in, one after the other, whatever the former one does."""
        coming = [(home, Role.HOME_LEARNER, room) for home, room in self._class_of.items()]
        homes = len(coming)
        for n, room in enumerate(self._late_rooms):
            # Evenly among the homes; each insertion moves the next place on by one.
            coming.insert(n + n * homes // len(self._late_rooms), (room, Role.ROOM, room))
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for n, one in enumerate(coming):
                due = started + n * within_s / len(coming)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                group.create_task(self.join(*one))

    async def command_for_ever(self, acks: list[float]) -> None:
        """The lead counts down again and again."""
        number = 1
        while True:
            await asyncio.sleep(COMMAND_S)
            number += 1
            acks.append(
                await self.command("lead", number, type="countdown_start", seconds=300 + number)
            )

    def total(self) -> tuple[Counter[str], int]:
        """Messages by kind and bytes that all pages were sent."""
        kinds: Counter[str] = Counter()
        for page in self.pages.values():
            kinds.update(page.sent)
        return kinds, sum(sum(page.sizes.values()) for page in self.pages.values())

    async def close(self) -> None:
        """Everybody is gone."""
        for page in self.pages.values():
            page.socket.transport.abort()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)


# ---- the server, a process of its own -------------------------------------------------------


async def serve(data: Path, port: int, profile: Path | None) -> None:
    """Serves until its standard input is closed."""
    async with running_server(data, port):
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        profiler = cProfile.Profile() if profile is not None else None
        # The first line says that the joins begin, the end of the file that all is over.
        if await loop.run_in_executor(None, sys.stdin.readline) and profiler is not None:
            profiler.enable()
        await loop.run_in_executor(None, sys.stdin.read)
        if profiler is not None:
            profiler.disable()
            profiler.dump_stats(str(profile))


@asynccontextmanager
async def server(
    data: Path, port: int, profile: Path | None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs ``serve`` in a process of its own."""
    arguments = [__file__, "--serve", str(data), str(port)]
    if profile is not None:
        arguments += ["--profile", str(profile)]
    with (data / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if (await process.stdout.readline()).strip() != b"ready":
            raise RuntimeError((data / "server.log").read_text("utf-8"))
        yield process
    finally:
        process.stdin.close()
        await process.wait()


async def measure(homes: int, rooms: int, within_s: float, profile: Path | None) -> Figures:
    """Measures one size."""
    with tempfile.TemporaryDirectory() as name:
        data, port = Path(name), free_port(3)
        async with server(data, port, profile) as process:
            crowd = Crowd(port, port + 1, DataFolder(data).read_keys(), homes, rooms)
            try:
                return await _measure(crowd, process, within_s)
            finally:
                await crowd.close()


async def _measure(crowd: Crowd, process: asyncio.subprocess.Process, within_s: float) -> Figures:
    await crowd.create()
    await crowd.begin()
    await asyncio.sleep(SETTLED_S)
    crowd.welcomes.clear()
    kinds_before, bytes_before = crowd.total()
    server_process = psutil.Process(process.pid)
    cpu_before = sum(server_process.cpu_times()[:2])
    assert process.stdin is not None
    process.stdin.write(b"begin\n")
    acks: list[float] = []
    commands = asyncio.create_task(crowd.command_for_ever(acks))
    await crowd.come_late(within_s)
    commands.cancel()
    await asyncio.sleep(SETTLED_S)
    cpu_s = sum(server_process.cpu_times()[:2]) - cpu_before
    kinds, size = crowd.total()
    kinds.subtract(kinds_before)
    for page in crowd.pages.values():
        if page.errors:
            raise RuntimeError(f"{page.name}: {page.errors[0]}")
    joins = len(crowd.welcomes)
    return Figures(
        joins,
        crowd.welcomes,
        acks,
        cpu_s * 1000 / joins,
        kinds.total() / joins,
        (size - bytes_before) / 1024 / joins,
        {kind: count / joins for kind, count in kinds.items()},
    )


# ---- for people -----------------------------------------------------------------------------


def percentile(values: Iterable[float], part: float) -> float:
    """Returns the value below which ``part`` of all lie, in milliseconds."""
    found = sorted(values)
    return 1000 * found[min(len(found) - 1, int(part * len(found)))]


def show(one: Figures, *, kinds: bool) -> None:
    """Prints a size."""
    welcomes = " ".join(
        f"{label} {percentile(one.welcomes, part):.0f}"
        for label, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    )
    print(
        f"{one.joins:5} joins: welcome, ms: {welcomes}; CPU a join {one.cpu_ms:.1f} ms; "
        f"{one.messages:.0f} messages, {one.kib:.0f} KiB a join; lead's command, ms: "
        f"p50 {1000 * statistics.median(one.acks):.0f} p95 {percentile(one.acks, 0.95):.0f}",
        flush=True,
    )
    if kinds:
        for kind, count in sorted(one.kinds.items(), key=lambda item: -item[1]):
            if count >= 0.1:
                print(f"      {count:7.1f} {kind}")


async def main() -> None:
    """Measures the sizes and compares them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--joins", type=int, default=500, help="homes of the largest lesson")
    parser.add_argument("--seconds", type=float, default=30.0, help="in which they come")
    parser.add_argument("--sizes", type=int, nargs="*", default=[50, 100, 200])
    parser.add_argument("--rooms", type=int, default=0, choices=range(CLASSES + 1), metavar="N")
    parser.add_argument("--kinds", action="store_true", help="messages a join by their kind")
    parser.add_argument("--profile", type=Path, help="a file for cProfile's figures of the server")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        await serve(Path(chosen.serve[0]), int(chosen.serve[1]), chosen.profile)
        return
    sizes = sorted({*(size for size in chosen.sizes if size < chosen.joins), chosen.joins})
    found: list[Figures] = []
    for size in sizes:
        within_s = chosen.seconds * size / chosen.joins
        found.append(await measure(size, chosen.rooms, within_s, chosen.profile))
        show(found[-1], kinds=chosen.kinds)
    small, large = found[0], found[-1]
    print(
        f"a join at {large.joins} to one at {small.joins}: CPU {large.cpu_ms / small.cpu_ms:.2f}, "
        f"messages {large.messages / small.messages:.2f} (1: n joins cost O(n) in sum); "
        f"p95 {percentile(large.welcomes, 0.95) / 1000:.2f} s of {BOUND_P95_S:.0f} s"
    )


if __name__ == "__main__":
    asyncio.run(main())
