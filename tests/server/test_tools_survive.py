"""A server that is killed in the middle of a lesson: nothing of the tools is lost or doubled."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx
import msgspec

from hosting.page import Page, token
from hosting.process import ServerProcess
from hosting.tools import CHILDREN, ROOM_1, plan_with
from light.ports import free_port
from twinclass_signaling.ids import PersonId
from twinclass_signaling.ink_messages import Ink, InkPage
from twinclass_signaling.messages import (
    Ack,
    CloseLesson,
    Error,
    OpenLesson,
    Resume,
    Welcome,
)
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import (
    AnswerQuiz,
    AttachSlides,
    MarkAttendance,
    OpenQuiz,
    RaiseHand,
    RollCall,
    SendNote,
    TallyQuiz,
)

PORTS = free_port(29)


async def again(port: int, key: str, before: Welcome) -> tuple[Page, Welcome]:
    """Comes back as a page does, as often as it takes."""
    resume = Resume(before.session, before.secret)
    async with asyncio.timeout(15):
        while True:
            try:
                return await Page.enter(port, key, resume)
            except (OSError, TimeoutError):
                await asyncio.sleep(0.1)


async def test_a_killed_server_loses_no_hand_no_answer_and_counts_nothing_twice(
    tmp_path: Path,
) -> None:
    server = ServerProcess(tmp_path / "data", PORTS)
    await server.start()
    try:
        plan = msgspec.to_builtins(plan_with())
        async with httpx.AsyncClient(trust_env=False) as client:
            body = {"id": "algebra", "plan": plan}
            made = await client.post(f"{server.admin_url}/lessons", json=body)
        assert made.status_code == 201, made.text
        keys = {
            "lead": token(server.keys, Role.LEAD, "lead"),
            "helper-1": token(server.keys, Role.ASSISTANT, "helper-1", room="room-1"),
            "home-1": token(server.keys, Role.HOME_LEARNER, "home-1", room="room-1"),
            "point": token(server.keys, Role.HOME_GROUP, "point", room="room-1"),
            "room-1": token(server.keys, Role.ROOM, "room-1"),
        }
        pages = {name: await Page.enter(server.port, key) for name, key in keys.items()}
        for who, command in (
            ("lead", OpenLesson()),
            ("helper-1", RollCall(absent=(PersonId("pupil-1"),))),
            ("lead", OpenQuiz("single", "?", ("甲", "乙"))),
            ("home-1", AnswerQuiz(1, (0,))),
            ("point", AnswerQuiz(1, (1,), child=CHILDREN[0])),
            ("helper-1", TallyQuiz(1, (5, 2))),
            ("helper-1", RaiseHand(3)),
            ("home-1", RaiseHand()),
            ("helper-1", SendNote("网络不稳")),
            ("lead", AttachSlides("doc-1", 9, "ab" * 32)),
        ):
            answer = await pages[who][0].command(command)
            assert isinstance(answer, Ack), answer
        await pages["lead"][0].send(Ink("doc-1", 1, "a", (1, 2, 3, 4)))
        await asyncio.sleep(1.5)
        server.signal(signal.SIGKILL)
        await server.wait()
        await server.start()
        lead, now = await again(server.port, keys["lead"], pages["lead"][1])
        tools = now.lesson.tools
        assert [(hand.participant, hand.count) for hand in tools.hands.hands] == [
            ("room-1", 3),
            ("home-1", 1),
        ]
        assert tools.quiz.current is not None
        assert (tools.quiz.current.totals, tools.quiz.current.answered) == ((6, 3), 2)
        assert [note.text for note in tools.backchannel.notes] == ["网络不稳"]
        counted = next(one for one in tools.attendance.classes if one.room == ROOM_1)
        assert (counted.in_room, counted.absent) == (7, 1)
        assert (await lead.wait_for(InkPage)).strokes[0].points == (1, 2, 3, 4)
        home, back = await again(server.port, keys["home-1"], pages["home-1"][1])
        assert back.lesson.tools.quiz.current is not None
        assert back.lesson.tools.quiz.current.answers[0].choices == (0,)
        repeated = await home.command(AnswerQuiz(1, (0,)), 99)
        assert not isinstance(repeated, Error)
        helper, _ = await again(server.port, keys["helper-1"], pages["helper-1"][1])
        moved = await helper.command(MarkAttendance(PersonId("home-1"), "in_room"), 99)
        assert isinstance(moved, Ack)
        await again(server.port, keys["lead"], now)
        closed = await (await Page.enter(server.port, keys["lead"]))[0].command(CloseLesson())
        assert isinstance(closed, Ack)
        async with asyncio.timeout(5):
            while not list(server.folder.lessons.glob("algebra-*.ink.json")):
                await asyncio.sleep(0.05)
    finally:
        await server.end()
