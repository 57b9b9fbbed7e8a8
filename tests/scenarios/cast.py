"""Everybody of a lesson with its tools: light clients that keep what they are shown.

Who sends or receives media does it with real ICE, DTLS and SRTP; assistants and observers are here
by the protocol alone (their pages play no sound, and what they see is not what is measured).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from e2e.conftest import Server
from faults.lesson import until
from light.lasting import LastingClient
from light.peer import Identity
from twinclass_server.adapters.data_folder import DataFolder
from twinclass_signaling.ids import LessonId, ParticipantId, RoomId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims

#: Nothing here takes longer when it works; what a scenario allows is asserted by its test.
PATIENCE_S = 15.0
SENDING = {Role.LEAD, Role.CO_LEAD, Role.ROOM, Role.HOME_LEARNER, Role.HOME_GROUP}
HOMES = {Role.HOME_LEARNER, Role.HOME_GROUP}
View = dict[str, Any]


class Person(LastingClient):
    """One page. ``views`` are its tools as last told, ``sent`` counts bytes by kind."""

    def __init__(
        self, base: str, token: str, identity: Identity, role: Role, *, media: bool
    ) -> None:
        super().__init__(base, token, identity, publishes=media and role in SENDING)
        self.role, self.media = role, media
        self.views: dict[str, View] = {}
        #: Everything of which it was told, by type: events and tools.
        self.told: Counter[str] = Counter()
        self.texts: list[str] = []
        self.sent: Counter[str] = Counter()
        self.highest = self.repeated = 0

    async def _receive(self) -> dict[str, Any]:
        before = self.bytes_received
        message = await super()._receive()
        self._note(message, self.bytes_received - before)
        return message

    async def _resume(self) -> None:
        await super()._resume()
        self._note(self.welcome, 0)

    def _note(self, message: dict[str, Any], octets: int) -> None:
        kind = message["type"]
        self.sent[kind] += octets
        if kind == "welcome":
            self.views = dict(message["lesson"]["tools"])
            self.highest = message["lesson"]["seq"]
        elif kind == "tool":
            view = message["view"]
            self.views[view["type"]] = view
            self.told[f"tool {view['type']}"] += 1
        elif kind == "event":
            self.told[message["event"]["type"]] += 1
            # Nobody is told of everything (answers are a pupil's own), but nothing twice.
            self.repeated += message["seq"] <= self.highest
            self.highest = message["seq"]
        if kind in {"welcome", "tool", "event", "presence"} and self.role in HOMES | {Role.ROOM}:
            self.texts.append(json.dumps(message, ensure_ascii=False))

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if self.media:
            await super()._subscribe(message)
        else:
            self.slots = message["slots"]

    async def ask(self, kind: str, /, **fields: object) -> None:
        """Asks for something that has to be granted."""
        answer = await self.command(kind, **fields)
        assert answer["type"] == "ack", (self.participant, kind, answer)

    async def sees(self, view: str, is_right: Callable[[View], object], what: str = "") -> float:
        """Waits until a tool is shown as wanted; how long that took."""
        return await until(
            lambda: view in self.views and is_right(self.views[view]), PATIENCE_S, what or view
        )

    def hears(self, participant: str, since: float, use: str = "stage") -> bool:
        """Sound of somebody has come since then."""
        stream = self.stream(use, "audio", participant)
        return stream is not None and stream.last_at > since

    def is_shown(self, participant: str, since: float, use: str = "lead") -> bool:
        """Pictures of somebody have come since then."""
        stream = self.stream(use, "video", participant)
        return stream is not None and stream.last_at > since

    async def stand_still(self) -> None:
        """Sends and reads nothing from here on, with all its sockets open."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def go_on(self) -> None:
        """Sends and reads again on the same lines."""
        for work in (self._read(), self._send_camera(), self._send_voice()):
            self._tasks.append(asyncio.create_task(work))


class Cast:
    """The people of one lesson by name. ``join`` brings them in."""

    def __init__(self, server: Server, lesson: str = "scenario") -> None:
        self.server, self.lesson = server, lesson
        self._keys = DataFolder(server.data).read_keys()
        self._identity = Identity()
        self.people: dict[str, Person] = {}

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    def of(self, *roles: Role) -> list[Person]:
        """Everybody with one of these roles."""
        return [person for person in self.people.values() if person.role in roles]

    def with_media(self, *but: str) -> list[Person]:
        """Everybody who receives media, but for these."""
        return [p for name, p in self.people.items() if p.media and name not in but]

    def person(
        self, name: str, role: Role, room: str | None = None, *, media: bool = True
    ) -> Person:
        """Makes somebody who has not come yet."""
        now = time.time()
        claims = Claims(
            sub=ParticipantId(name),
            role=role,
            lesson=LessonId(self.lesson),
            exp=now + 3600,
            iat=now,
            room=RoomId(name if role is Role.ROOM else room) if room or role is Role.ROOM else None,
            name=f"示例 {name}",
        )
        token = self._keys.issue(claims)
        person = Person(self.server.base, token, self._identity, role, media=media)
        self.people[name] = person
        return person

    def create(self, plan: dict[str, object]) -> None:
        """Makes the lesson as an operator would."""
        self.server.create_lesson(self.lesson, json.dumps(plan))

    async def join(self, people: Iterable[Person], within_s: float = 0.0) -> None:
        """Brings people in, spread over ``within_s``, and waits until they have their media."""
        coming = [person for person in people if not person.welcome]

        async def enter(person: Person, after_s: float) -> None:
            await asyncio.sleep(after_s)
            await person.join()

        pause_s = within_s / max(1, len(coming))
        async with asyncio.TaskGroup() as group:
            for n, person in enumerate(coming):
                group.create_task(enter(person, n * pause_s))
        viewers = [one for one in coming if one.media and one.role is not Role.LEAD]
        if any(one.media for one in self.of(Role.LEAD)):
            await until(
                lambda: all({"video", "audio"} <= one.times.keys() for one in viewers),
                PATIENCE_S,
                "everybody sees and hears the lead",
            )

    async def call(self, name: str, **fields: object) -> float:
        """The lead calls somebody on; seconds until all others with media hear them."""
        started = time.monotonic()
        await self["lead"].ask("call_on", participant=name, **fields)
        others = self.with_media(name)
        await until(
            lambda: all(one.hears(name, started) for one in others), PATIENCE_S, f"{name} is heard"
        )
        return time.monotonic() - started

    async def clear(self) -> None:
        """Nobody is on stage; what they said last has come when this returns."""
        await self["lead"].ask("stage_clear")
        await asyncio.sleep(0.1)

    async def log(self) -> list[dict[str, Any]]:
        """Closes the lesson and returns its whole log."""
        await self["lead"].ask("lesson_close")
        folder = self.server.data / "lessons"

        def found() -> list[Path]:
            return list(folder.glob(f"{self.lesson}-*.jsonl"))

        await until(found, PATIENCE_S, "the log is a file")
        lines = found()[0].read_text("utf-8").splitlines()
        events: list[dict[str, Any]] = [json.loads(line) for line in lines]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        return events

    async def leave(self) -> None:
        """Everybody goes."""
        here = [person for person in self.people.values() if person.welcome]
        await asyncio.gather(*(person.leave() for person in here))


@asynccontextmanager
async def cast_of(
    server: Server, plan: dict[str, object], lesson: str = "scenario"
) -> AsyncIterator[Cast]:
    """A lesson that is there and whose people go in the end."""
    cast = Cast(server, lesson)
    cast.create(plan)
    try:
        yield cast
    finally:
        await cast.leave()


def plan_of(
    rooms: int, homes: int, *, in_room: int = 50, children: int = 0, **more: object
) -> dict[str, object]:
    """A plan with rosters: homes belong to the rooms in turn, a home group to the first."""
    classes: list[dict[str, object]] = []
    for n in range(1, rooms + 1):
        pupils: list[dict[str, object]] = [
            {"id": f"pupil-{n}-{k}", "name": f"示例学生 {n}-{k}"} for k in range(1, in_room + 1)
        ]
        pupils += [
            {"id": f"home-{h}", "name": f"示例居家 {h}", "at_home": True}
            for h in range(n, homes + 1, rooms)
        ]
        if n == 1:
            pupils += [
                {"id": f"child-{k}", "name": f"示例同学 {k}", "group": "point"}
                for k in range(1, children + 1)
            ]
        room = {"id": f"room-{n}", "name": f"七({n})班", "school": f"示例 {n} 中"}
        classes.append({**room, "pupils": pupils})
    return {"title": "示例课", "rooms": classes, "homes": homes + bool(children), **more}


def whole_class(cast: Cast, rooms: int, homes: int) -> None:
    """A lead, rooms with their assistants, and homes, none of whom has come yet."""
    cast.person("lead", Role.LEAD)
    for n in range(1, rooms + 1):
        cast.person(f"room-{n}", Role.ROOM)
    for n in range(1, rooms + 1):
        cast.person(f"helper-{n}", Role.ASSISTANT, f"room-{n}", media=False)
    for n in range(1, homes + 1):
        cast.person(f"home-{n}", Role.HOME_LEARNER, f"room-{(n - 1) % rooms + 1}")


def p95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def spread(values: Sequence[float]) -> str:
    """For people: median, p95 and the worst."""
    return f"p50 {statistics.median(values):.2f} p95 {p95(values):.2f} max {max(values):.2f}"
