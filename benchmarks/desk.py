"""An evening desk under load: pupils on WebSockets, questions, tutors who answer.

    .venv/bin/python benchmarks/desk.py [--pupils 1000 10000] [--questions 1000] [--minutes 2]

For each number of pupils it starts a server as an operator would (own Redis, SQLite), brings the
pupils in, lets them ask at the given rate a minute, each with a text that was stored over HTTP
before, while tutors take offers and answer in writing. Then the server's log is compared with what
was acknowledged. Prints joins a second, memory a connection, times of acknowledgements and of
what others are shown, what was lost or claimed twice, and how all of it grows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import psutil
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from hosting.desk_page import desk_token
from hosting.process import ServerProcess, server_process
from light.ports import free_port
from twinclass_server.adapters.redis_child import RedisChild
from twinclass_signaling.desk.messages import SUBPROTOCOL
from twinclass_signaling.desk.plan import DeskId
from twinclass_signaling.roles import Role

RNG = random.Random(4467)
TUTORS = 60
#: Handshakes at a time: a reconnect after a restart comes jittered, too.
JOINING = 100
ANSWER_S = 2.0
DESK = DeskId("load")
SUBJECTS = ("maths", "physics", "chinese", "english")


def plan() -> str:
    """A desk that is open all day, as its file has it."""
    hours = "".join(
        f"[[hours]]\nweekday = {day}\ngrades = [9]\nopens = 0\ncloses = 1440\n" for day in range(7)
    )
    subjects = ", ".join(f'"{one}"' for one in SUBJECTS)
    return f'id = "{DESK}"\ntitle = "压力测试"\nsubjects = [{subjects}]\ngrades = [9]\n{hours}'


@dataclass
class Figures:
    joins_s: float = 0.0
    rss_each: float = 0.0
    redis_each: float = 0.0
    acks: list[float] = field(default_factory=list)
    stored: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    offers: int = 0
    acknowledged: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    twice: int = 0
    busy: float = 0.0


class Device:
    """One WebSocket with as little of its own as may be."""

    def __init__(self, socket: ClientConnection, person: str, token: str) -> None:
        self.socket, self.person, self.token = socket, person, token
        self.number = 0
        self.waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.view: dict[str, Any] = {}
        self.seen = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    @classmethod
    async def enter(cls, port: int, person: str, token: str) -> Device:
        socket = await connect(
            f"ws://127.0.0.1:{port}/desk",
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            max_size=None,
            proxy=None,
            ping_interval=None,
        )
        await socket.send(json.dumps({"type": "authenticate", "token": token}))
        welcome = json.loads(await socket.recv())
        if welcome["type"] != "welcome":
            raise RuntimeError(f"not let in: {welcome}")
        device = cls(socket, person, token)
        device.view = welcome["view"]
        return device

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                self._take(str(text))
        except ConnectionClosed:
            pass  # The server has ended, and with it the evening.

    def _take(self, text: str) -> None:
        if '"type":"view"' in text[:20]:
            self.view = json.loads(text)["view"]
            self.seen.set()
            return
        message = json.loads(text)
        future = self.waiting.pop(message.get("id") or 0, None)
        if future is not None and not future.done():
            future.set_result(message)

    async def command(self, **command: object) -> dict[str, Any]:
        self.number += 1
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.waiting[self.number] = future
        await self.socket.send(
            json.dumps({"type": "command", "id": self.number, "command": command})
        )
        async with asyncio.timeout(30):
            return await future


class Contents:
    """A few kept-alive HTTP connections for texts."""

    def __init__(self, port: int, most: int = 16) -> None:
        self._port = port
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None]
        self._free = asyncio.Queue()
        for _ in range(most):
            self._free.put_nowait(None)

    async def store(self, token: str, text: str) -> str:
        streams = await self._free.get()
        try:
            if streams is None:
                streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = streams
            body = json.dumps({"text": text, "photos": [], "voice": None}).encode()
            writer.write(
                f"POST /api/desk/contents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            answer = json.loads(await reader.readexactly(length))
            return str(answer["content"])
        finally:
            self._free.put_nowait(streams)


async def join(port: int, people: list[tuple[str, str]]) -> list[Device]:
    room, found = asyncio.Semaphore(JOINING), []

    async def one(person: str, token: str) -> None:
        async with room:
            found.append(await Device.enter(port, person, token))

    await asyncio.gather(*(one(person, token) for person, token in people))
    return found


async def teach(tutor: Device, contents: Contents, figures: Figures) -> None:
    """Takes what is offered and answers it in writing."""
    await tutor.command(type="duty_start")
    while True:
        await tutor.seen.wait()
        tutor.seen.clear()
        offer = tutor.view.get("offer")
        if offer is None:
            continue
        answer = await tutor.command(type="offer_accept", question=offer["question"])
        if answer["type"] != "ack":
            continue
        figures.offers += 1
        await asyncio.sleep(RNG.expovariate(1 / ANSWER_S))
        content = await contents.store(tutor.token, f"答：见第 {offer['question']} 题的解法")
        await tutor.command(type="question_answer", question=offer["question"], content=content)


async def ask(pupil: Device, contents: Contents, figures: Figures) -> None:
    started = time.perf_counter()
    content = await contents.store(pupil.token, f"这道题怎么做？第 {RNG.randint(1, 99)} 页")
    figures.stored.append(time.perf_counter() - started)
    started = time.perf_counter()
    pupil.seen.clear()
    subject = RNG.choice(SUBJECTS)
    answer = await pupil.command(
        type="question_ask", subject=subject, content=content, wish="written"
    )
    figures.acks.append(time.perf_counter() - started)
    if answer["type"] != "ack":
        code = answer["code"]
        figures.refused[code] = figures.refused.get(code, 0) + 1
        return
    figures.acknowledged += 1
    async with asyncio.timeout(30):
        while pupil.view.get("question") is None:
            await pupil.seen.wait()
            pupil.seen.clear()
    figures.shown.append(time.perf_counter() - started)


def memory(server: ServerProcess) -> tuple[float, float]:
    """Returns the resident bytes of the server process and of its Redis."""
    process = psutil.Process(server.process.pid)
    redis = [one for one in process.children(recursive=True) if "redis" in one.name()]
    return process.memory_info().rss, sum(one.memory_info().rss for one in redis)


async def evening(pupils: int, questions: int, minutes: float) -> Figures:
    figures = Figures()
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        (data / "desks").mkdir()
        (data / "desks" / "load.toml").write_text(plan(), "utf-8")
        extra = {"TWINCLASS_HTTP__MAX_CONNECTIONS": "20000"}
        async with server_process(data, free_port(4), extra) as server:
            planner = await Device.enter(
                server.port, "planner", desk_token(server.keys, Role.DUTY_PLANNER, "planner", DESK)
            )
            tutors = []
            for number in range(TUTORS):
                person = f"tutor-{number}"
                duty = {"tutor": person, "subjects": SUBJECTS, "grades": [9], "starts": 0,
                        "ends": 24 * 60}  # fmt: skip
                await asyncio.sleep(0.1)  # As fast as one page may.
                set_ = await planner.command(type="duty_set", duty=duty)
                assert set_["type"] == "ack", set_
                tutors.append((person, desk_token(server.keys, Role.TUTOR, person, DESK)))
            contents = Contents(server.port)
            teaching = [
                asyncio.create_task(teach(tutor, contents, figures))
                for tutor in await join(server.port, tutors)
            ]
            people = [
                (f"p-{n}", desk_token(server.keys, Role.PUPIL, f"p-{n}", DESK, grade=9))
                for n in range(pupils)
            ]
            before, started = memory(server), time.perf_counter()
            devices = await join(server.port, people)
            figures.joins_s = pupils / (time.perf_counter() - started)
            await asyncio.sleep(3)
            after = memory(server)
            figures.rss_each = (after[0] - before[0]) / pupils
            figures.redis_each = (after[1] - before[1]) / pupils
            cpu = psutil.Process(server.process.pid).cpu_times()
            begun = time.perf_counter()
            asking: list[asyncio.Task[None]] = []
            free = RNG.sample(devices, min(len(devices), int(questions * minutes)))
            for number, pupil in enumerate(free):
                wait = begun + number * 60 / questions - time.perf_counter()
                if wait > 0:
                    await asyncio.sleep(wait)
                asking.append(asyncio.create_task(ask(pupil, contents, figures)))
            await asyncio.gather(*asking)
            spent = psutil.Process(server.process.pid).cpu_times()
            figures.busy = (spent.user + spent.system - cpu.user - cpu.system) / (
                time.perf_counter() - begun
            )
            await asyncio.sleep(5)
            for task in teaching:
                task.cancel()
            check(await log_of(server), figures)
    return figures


async def log_of(server: ServerProcess) -> list[dict[str, Any]]:
    """Returns the evening's log as Redis has it."""
    redis = Redis.from_url(RedisChild(server.folder.redis).url)
    keys = [key async for key in redis.scan_iter("*:log")]
    found: list[dict[str, Any]] = []
    for key in keys:
        found += [json.loads(fields[b"e"]) for _, fields in await redis.xrange(key)]
    await redis.aclose()
    return found


def check(log: list[dict[str, Any]], figures: Figures) -> None:
    """Counts what was acknowledged and is not there, and questions in two tutors' hands."""
    asked, holders = set(), dict[int, str]()
    for step in log:
        event = step["event"]
        match event["type"]:
            case "question_asked":
                asked.add(event["question"])
            case "question_claimed":
                if event["question"] in holders:
                    figures.twice += 1
                holders[event["question"]] = event["tutor"]
            case "question_returned" | "question_answered":
                holders.pop(event["question"], None)
            case _:
                pass
    figures.lost = max(0, figures.acknowledged - len(asked))


def p(values: list[float], share: float) -> float:
    return 1000 * sorted(values)[int(share * (len(values) - 1))] if values else 0.0


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--questions", type=int, default=1000, help="a minute")
    parser.add_argument("--minutes", type=float, default=1.0)
    options = parser.parse_args()
    rows: list[Figures] = []
    print(f"load {os.getloadavg()[0]:.1f}, {TUTORS} tutors, {options.questions} questions a minute")
    for pupils in options.pupils:
        made = await evening(pupils, options.questions, options.minutes)
        rows.append(made)
        print(
            f"{pupils:6} pupils: {made.joins_s:.0f} joins/s, each {made.rss_each / 1024:.1f} KiB "
            f"in the server and {made.redis_each / 1024:.1f} in Redis; stored p50/p95 "
            f"{p(made.stored, 0.5):.0f}/{p(made.stored, 0.95):.0f} ms, acknowledged "
            f"{p(made.acks, 0.5):.0f}/{p(made.acks, 0.95):.0f} ms, on the page "
            f"{p(made.shown, 0.5):.0f}/{p(made.shown, 0.95):.0f} ms; {made.acknowledged} asked, "
            f"{made.offers} taken, lost {made.lost}, claimed twice {made.twice}, "
            f"refused {made.refused}; server {100 * made.busy:.0f} % of a core"
        )
    if len(rows) > 1:
        first, last = rows[0], rows[-1]
        ratio = options.pupils[-1] / options.pupils[0]
        print(
            f"{ratio:.0f} times the pupils: p95 on the page "
            f"{p(last.shown, 0.95) / p(first.shown, 0.95):.2f} times, memory each "
            f"{last.rss_each / first.rss_each:.2f} times, processor "
            f"{last.busy / first.busy:.2f} times, joins a second "
            f"{last.joins_s / first.joins_s:.2f} times"
        )


if __name__ == "__main__":
    asyncio.run(main())
