"""Scenarios of a lesson with its tools at full size: light clients with real ICE, DTLS and SRTP.

All of a scenario's people come (assistants without media), everything is done by its commands, and
what is measured is measured at who has to see or hear it. Bounds are the scenarios' own.
"""

from __future__ import annotations

import asyncio
import time

import pytest

from conftest import FigureTable
from e2e.conftest import Server, server
from faults.lesson import until
from scenarios.cast import PATIENCE_S, Cast, Person, cast_of, p95, plan_of, spread, whole_class
from twinclass_signaling.roles import Role

pytestmark = [pytest.mark.full, pytest.mark.timeout(120)]
__all__ = ["server"]

FOUR = {"kind": "single", "text": "下列哪个数最小？", "options": ["-5", "0", "3", "-1"]}
#: What only staff may be told, by type of event.
STAFF_ONLY = {"note_sent", "pulse_sent", "pulse_answered", "quiz_opened", "quiz_tallied"} | {
    "roll_called", "sound_check_started", "sound_checked", "hand_over_offered", "listened_in"
}  # fmt: skip


def hand_of(name: str, view: dict[str, object]) -> bool:
    hands = view["hands"]
    assert isinstance(hands, list)
    return any(hand["participant"] == name for hand in hands)


def tools_told(person: Person) -> int:
    return sum(count for kind, count in person.told.items() if kind.startswith("tool "))


async def raise_hand(cast: Cast, who: str, whose: str, **fields: object) -> float:
    """Seconds from the tap to the lead's list."""
    tapped = time.monotonic()
    await cast[who].ask("hand_raise", **fields)
    await cast["lead"].sees("hands", lambda v: hand_of(whose, v), f"hand of {whose}")
    return time.monotonic() - tapped


async def check_before_the_bell(cast: Cast, rooms: int) -> tuple[list[float], float]:
    """Roll call in every room, then each room is heard. Seconds a room, and of all roll calls."""
    lead, started = cast["lead"], time.monotonic()
    for n in range(1, rooms + 1):
        await cast[f"helper-{n}"].ask("roll_call", absent=[f"pupil-{n}-1"])
    await lead.sees(
        "attendance",
        lambda v: all(one["roll_called_at"] is not None for one in v["classes"]),
        "all rooms have called the roll",
    )
    rolled_s = time.monotonic() - started
    waits = []
    await lead.ask("sound_check_start", seconds=5)
    for n in range(1, rooms + 1):
        turn = time.monotonic()
        room = f"room-{n}"
        await lead.sees("sound_check", lambda v, r=room: v["current"] == r, f"turn of {room}")  # type: ignore[misc]
        await until(lambda r=room, t=turn: lead.hears(r, t), 6, f"{room} is heard")  # type: ignore[misc]
        waits.append(time.monotonic() - turn)
        await lead.ask("sound_check_heard")
    await lead.sees(
        "sound_check",
        lambda v: {one["result"] for one in v["rooms"]} == {"heard"},
        "all rooms were heard",
    )
    return waits, rolled_s


async def test_scenario_1_twelve_rooms_are_checked_and_begin_together(
    server: Server, figures: FigureTable
) -> None:
    what = "scenario 1 with tools: 12 rooms + 12 assistants + 33 homes"
    async with cast_of(server, plan_of(12, 33)) as cast:
        whole_class(cast, 12, 33)
        await cast.join(cast.people.values(), within_s=6)
        waits, rolled_s = await check_before_the_bell(cast, 12)
        figures.add(what, "roll call of all rooms on the lead's page, s", f"{rolled_s:.2f}")
        figures.add(what, "sound check, a room is heard after, s", spread(waits), "5")
        assert max(waits) <= 5
        bell = time.monotonic()
        await cast["lead"].ask("lesson_open")
        everybody = list(cast.people.values())
        await until(lambda: all(p.told["lesson_opened"] for p in everybody), 5, "the bell")
        figures.add(what, "bell at the last page, s", f"{time.monotonic() - bell:.2f}", "60")
        again, counts = await counts_of(cast)
        figures.add(what, "rooms and homes here", counts, "12/12, 33/33")
        assert counts == "12/12 rooms, 33/33 homes"
        classes = again.views["attendance"]["classes"]
        assert [(one["in_room"], one["absent"]) for one in classes] == [(49, 1)] * 12
        assert sum(one["home_here"] for one in classes) == 33
        assert_pupils_know_little(cast)


async def counts_of(cast: Cast) -> tuple[Person, str]:
    """What somebody is told who comes in now."""
    late = cast.person("co", Role.CO_LEAD, media=False)
    await late.join()
    found = late.welcome["lesson"]["counts"]
    return late, (
        f"{found['rooms_present']}/{found['rooms_expected']} rooms, "
        f"{found['homes_present']}/{found['homes_expected']} homes"
    )


def assert_pupils_know_little(cast: Cast, called: frozenset[str] = frozenset()) -> None:
    """Nothing among staff reached a pupil, nor the name of another one who was not on stage."""
    homes = [home.participant for home in cast.of(Role.HOME_LEARNER)]
    for person in cast.of(Role.ROOM, Role.HOME_LEARNER, Role.HOME_GROUP):
        assert not STAFF_ONLY & person.told.keys(), person.participant
        assert not {"tool backchannel", "tool agenda"} & person.told.keys()
        strangers = [f'"示例 {home}"' for home in homes if home not in called]
        listed = {f'"{one["name"]}"' for one in person.views["attendance"]["pupils"]}
        for text in person.texts:
            own = f'"示例 {person.participant}"'
            assert not [name for name in strangers if name != own and name in text]
            if person.role is Role.HOME_LEARNER:
                assert len(listed) == 1, "her own name"
            if person.role is Role.ROOM:
                assert "示例学生" not in text
                assert "示例居家" not in text


async def test_scenario_2_twenty_six_rooms_are_called_one_after_another(
    server: Server, figures: FigureTable
) -> None:
    what = "scenario 2 with tools: 26 rooms + 26 assistants"
    async with cast_of(server, plan_of(26, 0, in_room=0)) as cast:
        whole_class(cast, 26, 0)
        await cast.join(cast.people.values(), within_s=10)
        lead = cast["lead"]
        for n in range(1, 27):
            await cast[f"helper-{n}"].ask("roll_call", present=46)
        await lead.ask("lesson_open")
        rooms, times = [], []
        for _ in range(26):
            wanted = lead.views["stage"]["waiting"][0]["room"]
            started = time.monotonic()
            await lead.ask("call_next")
            others = cast.with_media(wanted)
            await until(
                lambda s=started, w=wanted, o=others: all(one.hears(w, s) for one in o),  # type: ignore[misc]
                PATIENCE_S,
                f"{wanted} is heard",
            )
            times.append(time.monotonic() - started)
            rooms.append(wanted)
            await cast.clear()
            await lead.sees("stage", lambda v: not v["places"] and v["waiting"])
        classes = lead.views["attendance"]["classes"]
        assert sum(one["in_room"] for one in classes) == 1196
        figures.add(what, "next fair room audible at all others, s", spread(times), "2")
        assert sorted(rooms) == sorted(f"room-{n}" for n in range(1, 27)), "each once"
        assert max(times) <= 2


async def test_scenario_3_a_class_at_home_raises_its_hands(
    server: Server, figures: FigureTable
) -> None:
    what = "scenario 3: 28 homes + a home group of 5 + a room of 45"
    async with cast_of(server, plan_of(1, 28, in_room=45, children=5)) as cast:
        whole_class(cast, 1, 28)
        point = cast.person("point", Role.HOME_GROUP, "room-1")
        await cast.join(cast.people.values(), within_s=4)
        lead = cast["lead"]
        await cast["helper-1"].ask("roll_call")
        await lead.ask("lesson_open")
        await lead.ask("quiz_open", **FOUR)
        homes = [f"home-{n}" for n in range(1, 10)]
        hands = [await raise_hand(cast, home, home) for home in homes]
        children = [f"child-{n}" for n in range(1, 6)]
        hands.append(await raise_hand(cast, "point", "point", children=children[:3]))
        listed = lead.views["hands"]["hands"]
        assert [hand["participant"] for hand in listed] == [*homes, "point"]
        assert [hand["count"] for hand in listed] == [1] * 9 + [3]
        called = [await cast.call("home-4")]
        await cast.clear()
        called.append(await cast.call("point", child="child-2"))
        heard = [event for _, event in point.events if event["type"] == "called_on"]
        assert heard[-1]["child"] == "child-2"
        for n, child in enumerate(children):
            await point.ask("quiz_answer", quiz=1, choices=[n % 2], child=child)
        for home in homes:
            await cast[home].ask("quiz_answer", quiz=1, choices=[0])
        await lead.sees("quiz", lambda v: v["current"]["answered"] == 14, "all answers")
        assert lead.views["quiz"]["current"]["totals"] == [12, 2, 0, 0]
        roster = cast["helper-1"].views["attendance"]["pupils"]
        at_point = {one["id"]: one for one in roster if one["id"] in children}
        assert {one["mode"] for one in at_point.values()} == {"home_group"}
        assert len(at_point) == 5
        assert all(one["here"] for one in at_point.values())
        (counted,) = lead.views["attendance"]["classes"]
        assert (counted["in_room"], counted["home"], counted["home_here"]) == (45, 33, 33)
        figures.add(what, "hand on the lead's list, s", spread(hands), "1")
        figures.add(what, "child audible at all others after the call, s", spread(called), "2")
        assert max(hands) <= 1
        assert max(called) <= 2
        assert_pupils_know_little(cast, frozenset({"home-4"}))
        events = await cast.log()
        answers = [e["event"]["pupil"] for e in events if e["event"]["type"] == "quiz_answered"]
        assert sorted(answers) == sorted([*children, *homes])


async def test_scenario_4_two_teachers_at_home_with_following_assistants(
    server: Server, figures: FigureTable
) -> None:
    """Lines that die without a word, both within a second; 90 s are not waited for."""
    what = "scenario 4: two lessons, teachers at home, light clients"
    policy = {"hybrid_room": "room-1", "following": "helper-1"}
    cues = [{"minute": 0, "text": "请学生齐读例题", "who": "assistant"}]
    phases = [{"title": "新授", "minutes": 40}]
    plan = plan_of(1, 5, in_room=45, policy=policy, cues=cues, phases=phases)
    async with cast_of(server, plan, "one") as one, cast_of(server, plan, "two") as two:
        casts = (one, two)
        for cast in casts:
            whole_class(cast, 1, 5)
            await cast.join(cast.people.values())
            lead = cast["lead"]
            await lead.ask("lesson_open")
            await lead.ask("slides_attach", document="doc-1", pages=9, sha256="ab" * 32)
            await lead.ask("slide_turn", document="doc-1", page=3)
            await lead.ask("countdown_start", seconds=300, text="独立练习")
        prompts, taken = [], []
        for cast in casts:
            helper, started = cast["helper-1"], time.monotonic()
            await cast["lead"].stand_still()
            await helper.sees("teaching", lambda v: v["offer"] is not None, "an offer")
            prompts.append(time.monotonic() - started)
            assert helper.views["teaching"]["offer"]["cue"] == 0
            room = cast["room-1"]
            assert room.views["teaching"]["away_since"] is not None
            assert room.views["slides"]["page"] == 3
            assert room.views["work"]["countdown"]["text"] == "独立练习"
            accepted = time.monotonic()
            await helper.ask("take_over")
            await helper.ask("slide_turn", document="doc-1", page=4)
            homes = cast.of(Role.HOME_LEARNER)
            await until(
                lambda a=accepted, h=homes, r=room: (
                    r.views["slides"]["page"] == 4  # type: ignore[misc]
                    and all(home.hears("room-1", a, "lead") for home in h)
                ),
                PATIENCE_S,
                "page and sound of the class at all homes",
            )
            taken.append(time.monotonic() - accepted)
        await asyncio.sleep(3)
        returns = []
        for cast in casts:
            assert cast["room-1"].views["teaching"]["participant"] == "helper-1"
            started = time.monotonic()
            cast["lead"].go_on()
            viewers = [cast["room-1"], *cast.of(Role.HOME_LEARNER)]
            await until(
                lambda s=started, v=viewers: all(p.is_shown("lead", s) for p in v),  # type: ignore[misc]
                PATIENCE_S,
                "the teacher is back",
            )
            returns.append(time.monotonic() - started)
            await cast["room-1"].sees("teaching", lambda v: v["participant"] == "lead")
            await cast["lead"].sees("slides", lambda v: v["page"] == 4, "the class's page")
        figures.add(what, "assistant is asked after, s", spread(prompts), "5")
        figures.add(what, "assistant's page and sound at all after accepting, s",
                    spread(taken), "3")  # fmt: skip
        figures.add(what, "teacher seen again without a click, s", spread(returns))
        assert max(prompts) <= 5
        assert max(taken) <= 3


async def test_scenario_5_the_next_fair_room_of_twelve(
    server: Server, figures: FigureTable
) -> None:
    what = "scenario 5: 12 rooms + 13 homes, 41 hands"
    async with cast_of(server, plan_of(12, 13)) as cast:
        whole_class(cast, 12, 13)
        await cast.join(cast.people.values(), within_s=5)
        lead = cast["lead"]
        for n in range(1, 13):
            await cast[f"helper-{n}"].ask("roll_call")
        await lead.ask("lesson_open")
        # Two rooms have had a turn, so they come last.
        for early in ("room-1", "room-2"):
            await cast.call(early)
            await cast.clear()
        hands = []
        counts = {n: 4 if n <= 4 else 3 for n in range(1, 9)}
        assert sum(counts.values()) == 28
        for n, count in counts.items():
            hands.append(await raise_hand(cast, f"helper-{n}", f"room-{n}", count=count))
        for n in range(1, 14):
            hands.append(await raise_hand(cast, f"home-{n}", f"home-{n}"))
        listed = lead.views["hands"]["hands"]
        assert sum(hand["count"] for hand in listed) == 41
        unheard = [sum(one["turns"] == 0 for one in lead.views["stage"]["waiting"])]
        rooms, times = [], []
        for _ in range(5):
            wanted = lead.views["stage"]["waiting"][0]["room"]
            started = time.monotonic()
            await lead.ask("call_next")
            others = cast.with_media(wanted)
            await until(
                lambda s=started, w=wanted, o=others: all(one.hears(w, s) for one in o),  # type: ignore[misc]
                PATIENCE_S,
                f"{wanted} is heard",
            )
            times.append(time.monotonic() - started)
            rooms.append(wanted)
            await cast.clear()
            await lead.sees("stage", lambda v: not v["places"])
            unheard.append(sum(one["turns"] == 0 for one in lead.views["stage"]["waiting"]))
        # No turn yet, a hand up, longest wait: 3 to 7.
        assert rooms == [f"room-{n}" for n in range(3, 8)]
        assert unheard == [10, 9, 8, 7, 6, 5], "fewer rooms without a turn each time"
        figures.add(what, "hand on the lead's list, s", spread(hands), "1")
        figures.add(what, "next fair room audible at all others, s", spread(times), "2")
        assert max(hands) <= 1
        assert max(times) <= 2
        events = await cast.log()
        for room in rooms:
            mine = [
                (entry["event"]["type"], entry["at"])
                for entry in events
                if entry["event"].get("participant") == room
            ]
            kinds = [kind for kind, _ in mine]
            order = ["hand_raised", "called_on", "stage_enter", "stage_leave"]
            assert [kinds.index(kind) for kind in order] == sorted(kinds.index(k) for k in order)
            assert dict(mine)["stage_enter"] - dict(mine)["hand_raised"] <= 600
    assert p95(hands) <= 1


async def test_scenario_6_twelve_rooms_without_devices_and_thirty_three_homes(
    server: Server, figures: FigureTable
) -> None:
    what = "scenario 6: tallies of 12 rooms, answers of 33 homes"
    async with cast_of(server, plan_of(12, 33)) as cast:
        whole_class(cast, 12, 33)
        await cast.join(cast.people.values(), within_s=6)
        lead = cast["lead"]
        for n in range(1, 13):
            await cast[f"helper-{n}"].ask("roll_call", absent=[f"pupil-{n}-1", f"pupil-{n}-2"])
        await lead.ask("lesson_open")
        await lead.ask("quiz_open", **FOUR, correct=[0])
        for n in range(1, 34):
            await cast[f"home-{n}"].ask("quiz_answer", quiz=1, choices=[n % 4])
        await lead.sees("quiz", lambda v: v["current"]["answered"] == 33, "all homes")
        await lead.ask("quiz_close")
        await lead.sees("quiz", lambda v: v["current"]["state"] == "closed", "the close")
        closed = time.monotonic()
        assert len(lead.views["quiz"]["current"]["missing"]) == 12
        shown = []
        for n in range(1, 13):
            # Everybody's card was seen, but of the last two rooms; one counted too few.
            counts = [30, 10, 5, 3] if n < 12 else [30, 10, 1, 1]
            tapped = time.monotonic()
            await cast[f"helper-{n}"].ask("quiz_tally", quiz=1, counts=counts)
            room = f"room-{n}"
            await lead.sees(
                "quiz",
                lambda v, r=room: any(  # type: ignore[misc]
                    bar["room"] == r and bar["source"] == "tally" for bar in v["current"]["bars"]
                ),
                f"bar of {room}",
            )
            shown.append(time.monotonic() - tapped)
            missing = lead.views["quiz"]["current"]["missing"]
            assert missing == [f"room-{k}" for k in range(n + 1, 13)], "missing rooms are named"
        last_s = time.monotonic() - closed
        current = lead.views["quiz"]["current"]
        warned = [bar["room"] for bar in current["bars"] if bar["warning"]]
        assert warned == ["room-12"]
        homes = next(bar for bar in current["bars"] if bar["room"] is None)
        assert sum(homes["counts"]) == 33
        assert sum(current["totals"]) == 48 * 11 + 42 + 33
        over = await cast["helper-1"].command("quiz_tally", quiz=1, counts=[48, 3, 0, 0])
        assert over["code"] == "tally_exceeds_presence"
        figures.add(what, "tally to the lead's bars, s", spread(shown), "1")
        figures.add(what, "last tally after the close, s", f"{last_s:.2f}", "20")
        assert max(shown) <= 1
        assert last_s <= 20
        await lead.ask("quiz_release", quiz=1)
        screen = cast["room-3"]
        await screen.sees("quiz", lambda v: v["current"]["state"] == "released", "the result")
        assert screen.views["quiz"]["current"]["totals"] == current["totals"]
        assert screen.views["quiz"]["current"]["bars"] == []
        assert_pupils_know_little(cast)


async def test_scenario_7_signals_of_assistants_are_summed_up_and_silent_for_pupils(
    server: Server, figures: FigureTable
) -> None:
    what = "scenario 7: 12 rooms + 12 assistants"
    async with cast_of(server, plan_of(12, 0)) as cast:
        whole_class(cast, 12, 0)
        await cast.join(cast.people.values(), within_s=3)
        lead = cast["lead"]
        await lead.ask("lesson_open")
        rooms = cast.of(Role.ROOM)
        await until(lambda: all(room.told["lesson_opened"] for room in rooms), 5, "the bell")
        await asyncio.sleep(0.5)
        before = [tools_told(room) for room in rooms]
        times = []

        async def signal(room: int, kind: str, rooms: list[str]) -> None:
            tapped = time.monotonic()
            await cast[f"helper-{room}"].ask("pulse_send", kind=kind)
            wanted = {"kind": kind, "rooms": rooms, "of": 12}
            await lead.sees("backchannel", lambda v: wanted in v["sums"], f"{kind} of {rooms}")
            times.append(time.monotonic() - tapped)

        await signal(7, "cannot_hear", ["room-7"])
        await signal(7, "slower", ["room-7"])
        await signal(2, "slower", ["room-7", "room-2"])
        await signal(11, "slower", ["room-7", "room-2", "room-11"])
        helper, tapped = cast["helper-7"], time.monotonic()
        await lead.ask("pulse_answer", kind="slower")
        await helper.sees(
            "backchannel",
            lambda v: any(one["answered_by"] == "lead" for one in v["pulses"]),
            "the tap back",
        )
        answered_s = time.monotonic() - tapped
        tapped = time.monotonic()
        await helper.ask("note_send", text="后排听不清" * 8)
        await lead.sees("backchannel", lambda v: v["notes"], "a note")
        note_s = time.monotonic() - tapped
        long = await helper.command("note_send", text="字" * 41)
        assert long["code"] == "text_too_long"
        figures.add(what, "signal summed up on the lead's rail, s", spread(times), "1")
        figures.add(what, "tap back at the assistant, s", f"{answered_s:.2f}", "1")
        figures.add(what, "note of 40 characters at the lead, s", f"{note_s:.2f}", "1")
        assert max(*times, answered_s, note_s) <= 1
        await asyncio.sleep(0.5)
        after = [tools_told(room) for room in rooms]
        assert after == before, "rooms are told nothing of all this"
        assert_pupils_know_little(cast)


async def test_scenario_10_a_co_lead_in_another_school_takes_over(
    server: Server, figures: FigureTable
) -> None:
    what = "scenario 10: 12 rooms + 12 homes, light clients"
    async with cast_of(server, plan_of(12, 12)) as cast:
        whole_class(cast, 12, 12)
        co_lead = cast.person("co", Role.CO_LEAD)
        await cast.join(cast.people.values(), within_s=5)
        lead = cast["lead"]
        await lead.ask("lesson_open")
        await lead.ask("slides_attach", document="doc-1", pages=9, sha256="ab" * 32)
        await lead.ask("slide_turn", document="doc-1", page=7)
        # The studio's power fails: no word, no closed socket.
        gone = time.monotonic()
        await lead.stand_still()
        await co_lead.sees("teaching", lambda v: v["offer"] is not None, "an offer")
        offered_s = time.monotonic() - gone
        viewers = [*cast.of(Role.ROOM), *cast.of(Role.HOME_LEARNER)]
        assert all(one.views["teaching"]["away_since"] is not None for one in viewers)
        await co_lead.ask("take_over")
        accepted = time.monotonic()
        await until(
            lambda: all(
                one.is_shown("co", accepted) and one.hears("co", accepted, "lead")
                for one in viewers
            ),
            PATIENCE_S,
            "the co-lead is on air everywhere",
        )
        on_air_s = time.monotonic() - gone
        await until(
            lambda: all(one.views["teaching"]["participant"] == "co" for one in viewers),
            5,
            "the co-lead is named",
        )
        assert {one.views["slides"]["page"] for one in viewers} == {7}
        figures.add(what, "co-lead is offered after, s", f"{offered_s:.2f}", "5")
        figures.add(what, "co-lead seen and heard by all after, s", f"{on_air_s:.2f}", "10")
        assert offered_s <= 5
        assert on_air_s <= 10
        lead.go_on()
        await lead.sees("teaching", lambda v: (v["offer"] or {}).get("reason") == "returned")
        await co_lead.ask("hand_back")
        await until(
            lambda: all(one.views["teaching"]["participant"] == "lead" for one in viewers),
            5,
            "the lead has it back",
        )
        assert not any(one.repeated for one in cast.people.values())
        await cast.log()


async def test_scenario_11_a_child_comes_to_school_in_mid_lesson(
    server: Server, figures: FigureTable
) -> None:
    what = "scenario 11: light clients"
    async with cast_of(server, plan_of(1, 3, in_room=40)) as cast:
        whole_class(cast, 1, 3)
        await cast.join(cast.people.values())
        lead, helper, child = cast["lead"], cast["helper-1"], cast["home-1"]
        await helper.ask("roll_call")
        await lead.ask("lesson_open")
        await lead.ask("quiz_open", **FOUR)
        await child.ask("quiz_answer", quiz=1, choices=[1])
        marked = time.monotonic()
        await helper.ask("attendance_mark", pupil="home-1", mode="in_room", late=True)
        await lead.sees("attendance", lambda v: v["classes"][0]["in_room"] == 41, "41 in the room")
        await until(lambda: child.received["goodbye"], 5, "her home page is told")
        switched_s = time.monotonic() - marked
        (counted,) = lead.views["attendance"]["classes"]
        assert (counted["in_room"], counted["home"], counted["late"]) == (41, 2, 1)
        await helper.ask("quiz_tally", quiz=1, counts=[41, 0, 0, 0])
        await lead.sees(
            "quiz", lambda v: v["current"]["totals"] == [41, 0, 0, 0], "no double count"
        )
        figures.add(what, "home closed, counted in the room after, s", f"{switched_s:.2f}", "5")
        assert switched_s <= 5
        events = await cast.log()
        parts = [
            (e["event"]["mode"], e["event"]["cause"])
            for e in events
            if e["event"]["type"] == "attendance_changed" and e["event"]["pupil"] == "home-1"
        ]
        assert parts == [("home", "joined"), ("in_room", "arrived")], "one record of two parts"
