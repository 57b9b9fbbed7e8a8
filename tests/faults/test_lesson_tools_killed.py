"""The server dies in the middle of a question, group work and raised hands: nothing is lost, and
nothing happens twice."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from faults.conftest import Start
from faults.lesson import Figures, until
from scenarios.cast import Cast, Person, cast_of, plan_of, whole_class
from twinclass_signaling.roles import Role

pytestmark = [pytest.mark.full, pytest.mark.timeout(360)]

QUESTION = {"kind": "single", "text": "下列哪个数最小？", "options": ["-5", "0", "3", "-1"]}
#: What happens once for each of its keys, whoever was cut off and said it again.
ONCE = {
    "quiz_opened": "quiz",
    "quiz_tallied": "room",
    "hand_raised": "participant",
    "roll_called": "room",
    "note_sent": "text",
    "group_work_started": "task",
    "attendance_changed": "pupil",
}


async def say(person: Person, number: int, kind: str, **fields: object) -> None:
    """Says a command under a number of the caller's, without waiting for the answer."""
    await person.send({"type": "command", "id": number, "command": {"type": kind, **fields}})


async def test_a_killed_server_keeps_question_group_work_and_hands(
    start: Start, figures: Figures
) -> None:
    server = await start({})
    what = "server killed in mid-question, 4 rooms + 8 homes + home group"
    async with cast_of(server, plan_of(4, 8, in_room=40, children=5)) as cast:
        whole_class(cast, 4, 8)
        point = cast.person("point", Role.HOME_GROUP, "room-1")
        await cast.join(cast.people.values(), within_s=2)
        lead = cast["lead"]
        for n in range(1, 5):
            await cast[f"helper-{n}"].ask("roll_call", absent=[f"pupil-{n}-1"])
        await lead.ask("lesson_open")
        await lead.ask("group_work_start", seconds=600, task="两人一组，编一道题")
        await lead.ask("listen_in", rooms=["room-2"])
        await lead.ask("quiz_open", **QUESTION, correct=[0])
        await cast["helper-3"].ask("hand_raise", count=5)
        await cast["home-1"].ask("hand_raise")
        await cast["helper-1"].ask("note_send", text="一班网络不稳")
        for n in range(1, 5):
            await cast[f"home-{n}"].ask("quiz_answer", quiz=1, choices=[n % 4])
        await point.ask("quiz_answer", quiz=1, choices=[2], child="child-3")
        await cast["helper-2"].ask("quiz_tally", quiz=1, counts=[30, 5, 2, 2])
        acknowledged = max(one.last_seq for one in cast.people.values())
        # In flight when it dies: whether they were heard is nobody's knowledge.
        await asyncio.gather(
            say(cast["home-5"], 1000, "quiz_answer", quiz=1, choices=[1]),
            say(cast["home-6"], 1000, "hand_raise"),
            say(cast["helper-4"], 1000, "quiz_tally", quiz=1, counts=[10, 10, 10, 9]),
        )
        since = time.monotonic()
        server.stop(signal.SIGKILL)
        server.start()
        everybody = list(cast.people.values())
        await until(lambda: all(one.resumed for one in everybody), 30, "all are back")
        back_s = time.monotonic() - since
        # A page repeats under the same number what was not answered; a nervous one all it knows.
        await say(cast["home-5"], 1000, "quiz_answer", quiz=1, choices=[1])
        await say(cast["home-6"], 1000, "hand_raise")
        await say(cast["helper-4"], 1000, "quiz_tally", quiz=1, counts=[10, 10, 10, 9])
        await lead.sees("quiz", lambda v: v["current"]["totals"] == [41, 17, 14, 12], "all answers")
        await lead.sees("hands", lambda v: len(v["hands"]) == 3, "all hands")
        await check_what_is_kept(cast, acknowledged)
        assert all(one.resumed == [True] for one in everybody)
        assert not any(one.losses for one in everybody), "nobody's media was touched"
        figures.add(what, "everybody back after the kill, s", f"{back_s:.2f}")
        events = await cast.log()
        for kind, key in ONCE.items():
            found = [e["event"][key] for e in events if e["event"]["type"] == kind]
            assert found, kind
            assert len(found) == len(set(found)), kind
        answers = [e["event"]["pupil"] for e in events if e["event"]["type"] == "quiz_answered"]
        assert sorted(answers) == sorted([*(f"home-{n}" for n in range(1, 6)), "child-3"])
        figures.add(what, "answers, hands, tallies counted twice", "0", "0")


async def check_what_is_kept(cast: Cast, acknowledged: int) -> None:
    """All of before is there for the lead, the class and the child."""
    lead = cast["lead"]
    assert lead.last_seq >= acknowledged
    assert lead.views["quiz"]["current"]["answered"] == 6
    work = lead.views["work"]["group_work"]
    assert (work["task"], work["listening"]) == ("两人一组，编一道题", ["room-2"])
    hands = {hand["participant"]: hand["count"] for hand in lead.views["hands"]["hands"]}
    assert hands == {"room-3": 5, "home-1": 1, "home-6": 1}
    assert [note["text"] for note in lead.views["backchannel"]["notes"]] == ["一班网络不稳"]
    classes = lead.views["attendance"]["classes"]
    assert [(one["in_room"], one["absent"]) for one in classes] == [(39, 1)] * 4
    assert classes[0]["home"] == 2 + 5
    child = cast["home-2"].views["quiz"]["current"]["answers"]
    assert [one["choices"] for one in child] == [[2]]
    screen = cast["room-1"].views["quiz"]["current"]
    assert (screen["totals"], screen["correct"]) == ([], []), "not released by a restart"
    assert not any(one.repeated for one in cast.people.values())
