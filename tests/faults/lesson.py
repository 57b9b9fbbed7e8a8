"""A lesson of lasting light clients on a real server, and what is done to its processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterable
from typing import Protocol

import psutil

from e2e.conftest import Server
from hosting.patience import PATIENCE
from light.lasting import LastingClient
from light.peer import Identity
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_signaling.ids import LessonId, ParticipantId, RoomId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims

LEAD_MEDIA = (("lead", "video"), ("lead", "audio"))


class Figures(Protocol):
    """The table of figures (``tests/conftest.py``)."""

    def add(self, what: str, name: str, value: str, bound: str = "") -> None: ...


async def until(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Waits for a condition; the seconds that it took. ``seconds``: what is usual."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds * PATIENCE, f"never within {seconds} s: {what}"
        await asyncio.sleep(0.005)
    return time.monotonic() - start


def create_lesson(server: Server, lesson: str, rooms: int, homes: int) -> None:
    """Makes a lesson by the private listener."""
    plan = {
        "title": "示例课",
        "rooms": [{"id": f"room-{n}", "name": f"七({n})班"} for n in range(1, rooms + 1)],
        "homes": homes,
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.admin_port}/lessons",
        json.dumps({"id": lesson, "plan": plan}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 201


def worker_pid(server: Server, index: int) -> int:
    """The process of a media worker, whoever started it."""
    run_dir = str(server.data)
    for process in psutil.process_iter(["pid", "cmdline"]):
        line = process.info["cmdline"] or []
        is_ours = any(run_dir in part for part in line) and "twinclass_media.worker" in line
        if is_ours and line[line.index("--index") + 1] == str(index):
            return int(process.info["pid"])
    raise LookupError(f"no worker {index}")


def recorder_pid(server: Server) -> int:
    """The process of the recorder, whoever started it."""
    for process in psutil.process_iter(["pid", "cmdline"]):
        line = process.info["cmdline"] or []
        if "twinclass_recordings.recorder" in line and any(str(server.data) in x for x in line):
            return int(process.info["pid"])
    raise LookupError("no recorder")


def kill(pid: int, number: int = signal.SIGKILL) -> float:
    """Signals one process; when."""
    os.kill(pid, number)
    return time.monotonic()


class LightLesson:
    """One lesson: a lead, rooms, homes. ``clients`` has the lead first."""

    def __init__(self, server: Server, lesson: str, rooms: int = 2, homes: int = 1) -> None:
        self.server, self.lesson = server, lesson
        self._identity = Identity()
        self._rooms, self._homes = rooms, homes
        self.clients: list[LastingClient] = []

    def client(self, role: Role, participant: str, room: str | None = None) -> LastingClient:
        """One participant, not joined yet."""
        now = time.time()
        claims = Claims(
            sub=ParticipantId(participant),
            role=role,
            lesson=LessonId(self.lesson),
            exp=now + 3600,
            iat=now,
            room=RoomId(room) if room else None,
        )
        token = DataFolder(self.server.data).read_keys().issue(claims)
        return LastingClient(self.server.base, token, self._identity)

    async def begin(self, *, create: bool = True) -> None:
        """Creates the lesson, joins everybody, waits until all see and hear the lead."""
        if create:
            create_lesson(self.server, self.lesson, self._rooms, self._homes)
        self.clients = [self.client(Role.LEAD, "lead")]
        await self.lead.join()
        await self.lead.command("lesson_open")
        for n in range(1, self._rooms + 1):
            self.clients.append(self.client(Role.ROOM, f"room-{n}", f"room-{n}"))
        for n in range(1, self._homes + 1):
            self.clients.append(self.client(Role.HOME_LEARNER, f"home-{n}", "room-1"))
        for client in self.viewers:
            await client.join()
        await until(lambda: all(LEAD_MEDIA[0] in c.returned for c in self.viewers), 15, "picture")
        await until(lambda: all(LEAD_MEDIA[1] in c.returned for c in self.viewers), 15, "sound")

    @property
    def lead(self) -> LastingClient:
        """The lead teacher."""
        return self.clients[0]

    @property
    def viewers(self) -> list[LastingClient]:
        """Rooms and homes."""
        return self.clients[1:]

    def worker_index(self, client: LastingClient) -> int:
        """On which worker a client's downlink is."""
        assert client.downlink is not None
        return client.downlink._remote[1] - self.server.media_port

    def watch(self) -> None:
        """Begins to measure pauses."""
        for client in self.clients:
            client.watch()

    def worst_pause(self, *kinds: tuple[str, str]) -> float:
        """The longest pause since ``watch`` of any viewer that gets this (nobody is shown
        themselves)."""
        return max(c.pauses[kind] for c in self.viewers for kind in kinds if kind in c.pauses)

    def lost(self) -> int:
        """Packets lost by anybody on the present downlinks."""
        return sum(client.lost() for client in self.clients)

    async def back(self, since: float, limit_s: float) -> list[float]:
        """Waits until every viewer has picture and sound on a new downlink; after how long."""

        def times() -> list[float | None]:
            return [c.back_after(since, *LEAD_MEDIA) for c in self.viewers]

        await until(lambda: all(t is not None for t in times()), limit_s, "media is back")
        return [t for t in times() if t is not None]

    async def call_on(self, participant: str, others: Iterable[LastingClient]) -> float:
        """Calls somebody on and waits until others hear them."""
        start = time.monotonic()
        answer = await self.lead.command("call_on", participant=participant)
        assert answer["type"] == "ack", answer

        def heard(client: LastingClient) -> bool:
            stream = client.stream("stage", "audio", participant)
            return stream is not None and stream.last_at > start

        await until(lambda: all(heard(c) for c in others), 10, f"{participant} is heard")
        return time.monotonic() - start

    async def end(self) -> None:
        """Everybody leaves."""
        await asyncio.gather(*(client.leave() for client in self.clients))
