"""Who speaks is told to those who hear it: a room that is listened in to is the leads' alone."""

from __future__ import annotations

from pathlib import Path

from hosting.page import Page, token
from hosting.running import running_server
from hosting.tools import ROOM_2, plan_with
from light.ports import free_port
from twinclass_signaling.ids import LessonId, ParticipantId
from twinclass_signaling.messages import Ack, CallOn, OpenLesson, Speakers
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import EndGroupWork, ListenIn, StartGroupWork

PORTS = free_port(3)
SPEAKING = (ParticipantId("lead"), ParticipantId("room-2"))


async def test_pupils_are_not_told_which_room_the_lead_listens_in_to(tmp_path: Path) -> None:
    async with running_server(tmp_path / "data", PORTS) as server:
        lessons = server.server.lessons
        assert lessons is not None
        await lessons.create(LessonId("algebra"), plan_with())
        pages = {}
        for name, role, room in (
            ("lead", Role.LEAD, None),
            ("room-1", Role.ROOM, None),
            ("room-2", Role.ROOM, None),
            ("home-1", Role.HOME_LEARNER, "room-1"),
            ("watcher", Role.OBSERVER, None),
        ):
            key = token(server.keys, role, name, room=room)
            pages[name], _ = await Page.enter(server.port, key)
        lead = pages["lead"]
        for command in (OpenLesson(), StartGroupWork(300, "讨论"), ListenIn((ROOM_2,))):
            assert isinstance(await lead.command(command), Ack)

        async def told(name: str) -> tuple[str, ...]:
            return (await pages[name].wait_for(Speakers)).participants

        server.media.listener.speakers_changed(LessonId("algebra"), SPEAKING)
        assert await told("lead") == SPEAKING
        for name in ("room-1", "room-2", "home-1", "watcher"):
            assert await told(name) == ("lead",), name
        # On stage it is for everybody.
        assert isinstance(await lead.command(EndGroupWork()), Ack)
        assert isinstance(await lead.command(CallOn(ParticipantId("room-2"))), Ack)
        server.media.listener.speakers_changed(LessonId("algebra"), SPEAKING)
        for name in pages:
            assert await told(name) == SPEAKING
