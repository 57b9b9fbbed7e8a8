"""n joins cost O(n): what a lesson works out and sends, counted and in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hosting.lesson import LEAD, Lesson
from hosting.page import Page, token
from hosting.running import Running, running_server
from hosting.tools import attempt, full_lesson, steps
from hosting.virtual_time import run_at_once
from light.ports import free_port
from twinclass_server.connection import Connection, encode
from twinclass_server.signal.client import Client
from twinclass_server.signal.clients import Clients
from twinclass_server.signal.presence import COUNTS_EACH_S, MAX_COUNTS_S, PresenceBoard
from twinclass_server.signal.tool_board import ToolBoard, view_key
from twinclass_signaling.ids import EventSeq, ParticipantId, RoomId, SessionId
from twinclass_signaling.lesson.commands import Actor, Join, LessonCommand
from twinclass_signaling.lesson.plan import Plan, PlannedRoom
from twinclass_signaling.lesson.tool_board import VIEWS
from twinclass_signaling.lesson.visibility import Audience, Person, audience, viewer_of, viewers
from twinclass_signaling.messages import Event, OpenLesson, Presence, Tool
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_views import AttendanceView, ToolView

PORTS = free_port(4)
GATHER_S = 0.2
#: 500 joins in 30 s.
BETWEEN_S = 0.06
ASSISTANTS = 10


class CountedLine(Connection):
    """Takes everything and counts it by kind."""

    def __init__(self, sent: Counter[str]) -> None:
        super().__init__(1)
        self._sent = sent

    def send_frame(self, frame: str) -> None:
        self._sent[frame[9 : frame.index('"', 9)]] += 1


class Hall:
    """A lesson with its boards and pages, without a server: classes of two homes each."""

    def __init__(self, homes: int) -> None:
        rooms = tuple(PlannedRoom(RoomId(f"room-{n}"), f"七({n})班") for n in range(homes // 2))
        self.lesson = Lesson(Plan("示例课", rooms=rooms, homes=homes))
        self.clients = Clients()
        self.sent: Counter[str] = Counter()
        self.presence = PresenceBoard(lambda: self.lesson.state, {}, {}, self.clients)
        self.tools = ToolBoard(lambda: self.lesson.state, {}, self.clients)
        self.join("lead", Role.LEAD)
        self.lesson.do(OpenLesson(), LEAD)
        for n in range(ASSISTANTS):
            self.join(f"helper-{n}", Role.ASSISTANT, f"room-{n}")

    def join(self, name: str, role: Role, room: str | None = None) -> None:
        actor = Actor(ParticipantId(name), role, None if room is None else RoomId(room))
        for fact in self.lesson.do(Join(actor.participant, actor.role, actor.room)):
            event = Event(EventSeq(self.lesson.state.seq), self.lesson.now, fact)
            self.presence.mark(actor.participant, moved=True)
            who = audience(fact, self.lesson.state)
            for reached in self.clients.reached(who, self.lesson.state):
                reached.connection.send_frame(encode(event))
            self.tools.mark(fact)
        viewer = viewer_of(self.lesson.state, actor.participant)
        assert viewer is not None
        client = Client(SessionId(name), actor, CountedLine(self.sent), is_welcome=True)
        client.tools = {kind: view(self.lesson.state, viewer, {}) for kind, view in VIEWS.items()}
        self.clients.put(client)
        self.presence.mark(actor.participant)

    async def storm(self, homes: int) -> None:
        running = [
            asyncio.create_task(self.presence.run(GATHER_S)),
            asyncio.create_task(self.tools.run()),
        ]
        await asyncio.sleep(MAX_COUNTS_S)
        self.sent.clear()
        self.tools.views_made = 0
        for n in range(homes):
            self.join(f"home-{n}", Role.HOME_LEARNER, f"room-{n % (homes // 2)}")
            await asyncio.sleep(BETWEEN_S)
        await asyncio.sleep(MAX_COUNTS_S + GATHER_S)
        for task in running:
            task.cancel()


def stormed(homes: int) -> Hall:
    hall = Hall(homes)
    run_at_once(hall.storm(homes))
    return hall


@pytest.mark.parametrize(("few", "many"), [(40, 80), (250, 500)])
def test_twice_the_joins_cost_twice_as_much(few: int, many: int) -> None:
    one, other = stormed(few), stormed(many)
    assert one.tools.views_made > few
    assert other.tools.views_made <= 2.2 * one.tools.views_made
    for kind in ("event", "tool"):
        assert one.sent[kind] > few, kind
        assert other.sent[kind] <= 2.2 * one.sent[kind], kind
    for hall, homes in ((one, few), (other, many)):
        # Her line to her and to staff, and the number: a page more is told of more joins at once.
        bound = 1 + 1 + ASSISTANTS + BETWEEN_S / COUNTS_EACH_S
        assert homes < hall.sent["presence"] <= homes * bound


@pytest.mark.parametrize(("homes", "within_s"), [(20, GATHER_S), (600, MAX_COUNTS_S)])
def test_numbers_come_at_once_to_few_and_within_two_seconds_to_many(
    homes: int, within_s: float
) -> None:
    hall = Hall(homes)

    async def wait() -> float:
        await hall.storm(homes)
        told: Counter[str] = Counter()
        hall.clients[SessionId("home-0")].connection = CountedLine(told)
        loop = asyncio.get_running_loop()
        running = asyncio.create_task(hall.presence.run(GATHER_S))
        hall.join("one-more", Role.HOME_LEARNER, "room-0")
        joined = loop.time()
        while not told["presence"]:
            await asyncio.sleep(0.01)
        running.cancel()
        return loop.time() - joined

    assert run_at_once(wait()) == pytest.approx(within_s, abs=0.05)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_server(tmp_path / "data", PORTS) as found:
        await found.create_lesson()
        yield found


async def test_a_home_that_comes_costs_other_classes_a_number(server: Running) -> None:
    lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    other, _ = await Page.enter(
        server.port, token(server.keys, Role.HOME_LEARNER, "home-2", room="room-2")
    )
    mate, _ = await Page.enter(
        server.port, token(server.keys, Role.HOME_LEARNER, "home-3", room="room-1")
    )
    while (await other.wait_for(Presence)).counts.homes_present < 2:
        pass
    other.seen.clear()
    await Page.enter(server.port, token(server.keys, Role.HOME_LEARNER, "home-1", room="room-1"))
    # The lead's figures and those of her own class change; they are told in one flush with all.
    while not _home_here(await lead.wait_for(Tool), 2):
        pass
    while not _home_here(await mate.wait_for(Tool), 2):
        pass
    while (await other.wait_for(Presence)).counts.homes_present < 3:
        pass
    assert all(isinstance(message, Presence) and not message.participants for message in other.seen)


def _home_here(message: Tool, count: int) -> bool:
    return isinstance(message.view, AttendanceView) and any(
        one.home_here == count for one in message.view.classes
    )


@settings(max_examples=60)
@given(steps, st.booleans())
def test_viewers_with_the_same_key_see_the_same(
    found: list[tuple[LessonCommand, Actor, float]], live: bool
) -> None:
    lesson = full_lesson(live=live)
    for command, who, pause in found:
        lesson.now += pause
        attempt(lesson, command, who)
    state = lesson.state
    people = {one.participant: Person(f"示例 {one.participant}") for one in viewers(state)}
    by_key: dict[object, ToolView] = {}
    for viewer in viewers(state):
        for name, make in VIEWS.items():
            view = make(state, viewer, people)
            assert by_key.setdefault(view_key(name, viewer), view) == view, (viewer, name)


def test_an_audience_finds_the_same_clients_as_a_look_at_all() -> None:
    hall = Hall(8)
    for n in range(8):
        hall.join(f"home-{n}", Role.HOME_LEARNER, f"room-{n % 4}")
    hall.join("room-1", Role.ROOM, "room-1")
    hall.join("watcher", Role.OBSERVER)
    hall.clients.drop(SessionId("home-5"))
    state = hall.lesson.state
    for who in (
        Audience("all"),
        Audience("staff"),
        Audience("leads", (ParticipantId("home-5"), ParticipantId("home-6"))),
        Audience("nobody", classes=(RoomId("room-1"),)),
        Audience("nobody", assistants_of=(RoomId("room-1"), RoomId("room-2"))),
    ):
        found = {reached.client.session for reached in hall.clients.reached(who, state)}
        wanted = {
            client.session
            for client in hall.clients.values()
            if (viewer := viewer_of(state, client.participant)) is not None and who.reaches(viewer)
        }
        assert found == wanted
        assert found
