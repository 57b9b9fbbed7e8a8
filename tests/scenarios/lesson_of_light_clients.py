"""Runs a lesson of any size with light clients against a real server, and measures it.

    .venv/bin/python tests/scenarios/lesson_of_light_clients.py --rooms 12 --homes 33

prints one table. The tests beside it run the same at their sizes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil

from e2e.conftest import Server
from light.client import LightClient
from light.peer import Identity
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_signaling.ids import LessonId, ParticipantId, RoomId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims

LESSON = "scenario"


@dataclass
class Figures:
    """What was measured. Times in seconds."""

    rooms: int
    homes: int
    joins: list[float] = field(default_factory=list)
    room_media: list[float] = field(default_factory=list)
    home_media: list[float] = field(default_factory=list)
    stage: list[float] = field(default_factory=list)
    lost: int = 0
    packets: int = 0
    failures: list[str] = field(default_factory=list)
    server_cpu: float = 0.0
    worker_cpu: float = 0.0
    worker_us_per_packet: float = 0.0
    server_rss_mib: float = 0.0
    worker_rss_mib: float = 0.0
    signalling_bytes_per_client: float = 0.0

    def rows(self) -> list[tuple[str, str]]:
        """Name and value, for people."""

        def spread(values: list[float]) -> str:
            if not values:
                return "-"
            ordered = sorted(values)
            p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
            return f"p50 {statistics.median(values):.2f}  p95 {p95:.2f}  max {ordered[-1]:.2f}"

        return [
            ("rooms + homes + lead", f"{self.rooms} + {self.homes} + 1"),
            ("failed joins", str(len(self.failures))),
            ("welcome after, s", spread(self.joins)),
            ("room: picture and sound after, s", spread(self.room_media)),
            ("home: picture and sound after, s", spread(self.home_media)),
            ("call to stage, first sound at all others, s", spread(self.stage)),
            ("packets received by all / lost", f"{self.packets} / {self.lost}"),
            ("media worker CPU, % of a core", f"{self.worker_cpu * 100:.1f}"),
            ("media worker, us per packet out", f"{self.worker_us_per_packet:.2f}"),
            ("control plane CPU, % of a core", f"{self.server_cpu * 100:.1f}"),
            (
                "memory worker / control plane, MiB",
                f"{self.worker_rss_mib:.0f} / {self.server_rss_mib:.0f}",
            ),
            ("signalling per client, KiB", f"{self.signalling_bytes_per_client / 1024:.1f}"),
        ]


class LightLesson:
    """One lesson on one server."""

    def __init__(self, server: Server, rooms: int, homes: int) -> None:
        self.server = server
        self.figures = Figures(rooms, homes)
        self._keys = DataFolder(server.data).read_keys()
        self._identity = Identity()
        self.lead: LightClient | None = None
        self.rooms: list[LightClient] = []
        self.homes: list[LightClient] = []

    def _token(self, role: Role, participant: str, room: str | None = None) -> str:
        now = time.time()
        return self._keys.issue(
            Claims(
                sub=ParticipantId(participant),
                role=role,
                lesson=LessonId(LESSON),
                exp=now + 7200,
                iat=now,
                room=RoomId(room) if room else None,
                name=participant,
                school="示例学校",
            )
        )

    def create(self) -> None:
        """Makes the lesson by the private listener, as the command line does."""
        plan = {
            "title": "示例课",
            "rooms": [
                {"id": f"room-{n}", "name": f"七({n})班", "school": f"示例{n}中"}
                for n in range(1, self.figures.rooms + 1)
            ],
            "homes": self.figures.homes,
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.server.admin_port}/lessons",
            json.dumps({"id": LESSON, "plan": plan}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            assert reply.status == 201

    async def join_all(self, within_s: float) -> None:
        """The lead first, then everybody spread over ``within_s``."""
        base = self.server.base
        self.lead = LightClient(base, self._token(Role.LEAD, "lead"), self._identity)
        await self.lead.join()
        await self.lead.command("lesson_open")
        clients: list[LightClient] = []
        for n in range(1, self.figures.rooms + 1):
            token = self._token(Role.ROOM, f"room-{n}", f"room-{n}")
            self.rooms.append(LightClient(base, token, self._identity))
        for n in range(1, self.figures.homes + 1):
            token = self._token(Role.HOME_LEARNER, f"home-{n}", f"room-{n % 12 + 1}")
            self.homes.append(LightClient(base, token, self._identity))
        clients = self.rooms + self.homes
        pause = within_s / max(1, len(clients))

        async def join(client: LightClient, after: float) -> None:
            await asyncio.sleep(after)
            try:
                await client.join()
                for _ in range(400):
                    if {"video", "audio"} <= client.times.keys():
                        break
                    await asyncio.sleep(0.05)
                else:
                    self.figures.failures.append(f"{client.participant}: no media")
            except Exception as error:
                self.figures.failures.append(repr(error))

        await asyncio.gather(*(join(c, i * pause) for i, c in enumerate(clients)))
        self.figures.joins = [c.times["welcome"] for c in clients if "welcome" in c.times]
        for group, target in (
            (self.rooms, self.figures.room_media),
            (self.homes, self.figures.home_media),
        ):
            target += [
                max(c.times["video"], c.times["audio"])
                for c in group
                if "video" in c.times and "audio" in c.times
            ]

    async def call_on(self, client: LightClient, others: list[LightClient]) -> None:
        """Calls somebody on and waits until all others hear; then takes them off."""
        assert self.lead is not None
        started = time.monotonic()
        answer = await self.lead.command("call_on", participant=client.participant)
        if answer["type"] != "ack":
            self.figures.failures.append(str(answer))
            return
        waiting = [self.lead, *(o for o in others if o is not client)]
        while waiting and time.monotonic() - started < 5:
            waiting = [
                c
                for c in waiting
                if not (s := c.stream("stage", "audio", client.participant)) or s.last_at < started
            ]
            await asyncio.sleep(0.01)
        if waiting:
            self.figures.failures.append(f"{client.participant} is not heard by {len(waiting)}")
        self.figures.stage.append(time.monotonic() - started)
        await self.lead.command("stage_leave", participant=client.participant)

    async def measure(self, seconds: float) -> None:
        """Lets the lesson run and reads CPU and memory."""
        processes = self._processes()
        before = {p.pid: _cpu(p) for p in processes.values()}
        out = self._packets_out()
        await asyncio.sleep(seconds)
        figures = self.figures
        worker, control = processes["worker"], processes["control"]
        spent = _cpu(worker) - before[worker.pid]
        figures.worker_cpu = spent / seconds
        figures.server_cpu = (_cpu(control) - before[control.pid]) / seconds
        figures.worker_us_per_packet = 1e6 * spent / max(1, self._packets_out() - out)
        figures.worker_rss_mib = worker.memory_info().rss / 2**20
        figures.server_rss_mib = control.memory_info().rss / 2**20

    def _processes(self) -> dict[str, psutil.Process]:
        assert self.server.process is not None
        control = psutil.Process(self.server.process.pid)
        found = {"control": control}
        for process in control.children(recursive=True):
            if "twinclass_media.worker" in " ".join(process.cmdline()):
                found["worker"] = process
        return found

    def _packets_out(self) -> float:
        for line in self.server.metrics().splitlines():
            if line.startswith('twinclass_media_packets_total{direction="out"'):
                return float(line.split()[-1])
        return 0.0

    async def leave(self) -> None:
        """Everybody goes; totals are taken before."""
        everybody = [c for c in (self.lead, *self.rooms, *self.homes) if c is not None]
        self.figures.lost = sum(c.lost() for c in everybody)
        self.figures.packets = sum(
            s.packets for c in everybody if c.downlink for s in c.downlink.streams.values()
        )
        self.figures.signalling_bytes_per_client = sum(c.bytes_received for c in everybody) / max(
            1, len(everybody)
        )
        await asyncio.gather(*(c.leave() for c in everybody))


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def run_lesson(
    server: Server, rooms: int, homes: int, *, within_s: float, calls: int, seconds: float
) -> Figures:
    """Creates, joins, calls on, measures, leaves."""
    lesson = LightLesson(server, rooms, homes)
    lesson.create()
    try:
        await lesson.join_all(within_s)
        everybody = lesson.rooms + lesson.homes
        for client in lesson.rooms[:calls] + lesson.homes[: max(1, calls // 4)]:
            await lesson.call_on(client, everybody)
        await lesson.measure(seconds)
    finally:
        await lesson.leave()
    return lesson.figures


async def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rooms", type=int, default=12)
    parser.add_argument("--homes", type=int, default=33)
    parser.add_argument("--within", type=float, default=60.0)
    parser.add_argument("--calls", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=20.0)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data")
        server.start()
        try:
            await server.wait_ready()
            figures = await run_lesson(
                server, a.rooms, a.homes, within_s=a.within, calls=a.calls, seconds=a.seconds
            )
        finally:
            server.stop()
    for name, value in figures.rows():
        print(f"{name:46} {value}")
    for failure in figures.failures[:10]:
        print("failure:", failure)


if __name__ == "__main__":
    asyncio.run(_main())
