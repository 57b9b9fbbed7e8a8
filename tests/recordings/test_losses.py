"""Learner-minutes lost with lines: by the log, by hand beside it."""

from __future__ import annotations

import pytest

from twinclass_recordings.losses import losses
from twinclass_signaling.ids import EventSeq, ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson import events as core
from twinclass_signaling.lesson import tool_events as tool
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.plan import Plan, PlannedPupil, PlannedRoom
from twinclass_signaling.messages import Event
from twinclass_signaling.roles import Role

LEAD = ParticipantId("lead")
ROOM, OTHER, HOME = (ParticipantId(name) for name in ("room-11", "room-12", "home-1"))
PLAN = Plan(
    "数学",
    rooms=(
        PlannedRoom(RoomId(ROOM), "七(11)班", expected=50),
        PlannedRoom(
            RoomId(OTHER),
            "七(12)班",
            pupils=(
                PlannedPupil(PersonId("a")),
                PlannedPupil(PersonId("b")),
                PlannedPupil(PersonId(HOME), at_home=True),
            ),
        ),
    ),
)


def log(*steps: tuple[float, LessonEvent]) -> list[Event]:
    return [Event(EventSeq(seq), at, event) for seq, (at, event) in enumerate(steps, 1)]


def joined(*who: ParticipantId) -> list[tuple[float, LessonEvent]]:
    roles = {ROOM: Role.ROOM, OTHER: Role.ROOM, HOME: Role.HOME_LEARNER}
    return [(900.0, core.ParticipantJoined(one, roles[one])) for one in who]


def test_fifteen_seconds_and_six_minutes_count_fifty_times() -> None:
    """Scenario 9: what was promised to the class of fifty, second by second."""
    events = log(
        *joined(ROOM, OTHER, HOME),
        (1000.0, core.LessonOpened(LEAD)),
        (1100.0, core.ParticipantLost(ROOM)),
        (1115.0, core.ParticipantRecovered(ROOM)),
        (1200.0, core.ParticipantLost(ROOM)),
        (1260.0, core.ParticipantLeft(ROOM, "timeout")),
        (1560.0, core.ParticipantJoined(ROOM, Role.ROOM)),
        (3400.0, core.LessonClosed(LEAD)),
    )
    found = losses(events, PLAN, 1000.0, 3400.0)
    assert found.lost == pytest.approx(50 * 375 / 60, abs=0.05)
    assert [(one.participant, one.seconds) for one in found.rooms] == [(ROOM, 375.0)]
    assert found.taught == pytest.approx((50 + 2 + 1) * 40, abs=0.05)


def test_the_roll_call_says_how_many_and_homes_stand_together() -> None:
    events = log(
        *joined(ROOM, HOME),
        (1000.0, core.LessonOpened(LEAD)),
        (1001.0, tool.RollCalled(RoomId(ROOM), 42, ParticipantId("helper-11"))),
        (1100.0, core.ParticipantLost(ROOM)),
        (1160.0, core.ParticipantRecovered(ROOM)),
        (1100.0, core.ParticipantLost(HOME)),
        (1130.0, core.ParticipantRecovered(HOME)),
    )
    found = losses(events, PLAN, 1000.0, 2200.0)
    assert found.rooms[0].learner_minutes == 42.0
    assert (found.homes, found.lost) == (0.5, 42.5)


def test_who_leaves_loses_nothing_and_before_the_bell_nothing_is_lost() -> None:
    events = log(
        *joined(ROOM, OTHER),
        (950.0, core.ParticipantLost(ROOM)),
        (1000.0, core.LessonOpened(LEAD)),
        (1030.0, core.ParticipantRecovered(ROOM)),
        (1500.0, core.ParticipantLeft(OTHER, "left")),
    )
    found = losses(events, PLAN, 1000.0, 2200.0)
    assert [(one.participant, one.seconds) for one in found.rooms] == [(ROOM, 30.0)]
    assert found.taught == pytest.approx((50 * 1200 + 2 * 500) / 60, abs=0.05)
