"""From figures to lights and to what needs somebody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hosting.lesson import Lesson
from twinclass_recordings.recorder.messages import LessonStatus, Status
from twinclass_server.operations.figures import (
    Figures,
    LessonFigures,
    StoreFigures,
    WorkerFigures,
)
from twinclass_server.operations.room_state import TODO, Light, RoomLight, room_light
from twinclass_server.operations.status import Need, Operations, operations
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.commands import EndPublication, Leave, Lose, StartPublication
from twinclass_signaling.lesson.views import counts
from twinclass_signaling.lesson_views import Counts
from twinclass_signaling.messages import OpenLesson, Quality, Recorder, Report, Text
from twinclass_signaling.roles import Role

NOW = 1_700_000_000.0
GIB = 2**30
FINE = Figures(
    now=NOW,
    version="0.1.0",
    started_at=NOW - 60,
    lessons=(),
    elsewhere=0,
    disk_free=500 * GIB,
    disk_total=900 * GIB,
    redis=StoreFigures(True, 0.4, 2_000_000),
    database=StoreFigures(True, 1.0),
    workers=(WorkerFigures(0, True, 0.1, 8, 90_000_000),),
    records=True,
    recorder_up=True,
    recorder_trouble="",
    recorder=Status((), 500 * GIB, 0, 1.0),
    certificate_ends=datetime.fromtimestamp(NOW, UTC) + timedelta(days=300),
    has_certificate=True,
)


def lesson(*rooms: RoomLight, recorder: Recorder | None = None) -> LessonFigures:
    return LessonFigures(
        "algebra", "示例课", "live", NOW - 754, 40, Counts(1, 2, 0, 1), rooms, True, True, recorder
    )


def light(code: str, room: str = "room-1") -> RoomLight:
    state: Light = "red" if code in {"lost", "missing", "line_lost"} else "amber"
    if code == "fine":
        state = "green"
    return RoomLight(room, f"七({room[-1]})班", "示例一中", state, code, Text(code, code))


def codes(found: Operations) -> list[tuple[str, str]]:
    return [(need.code, need.state) for need in found.needs]


def test_all_is_well_needs_nobody() -> None:
    found = operations(replace(FINE, lessons=(lesson(light("fine")),)))
    assert found.needs == ()
    assert found.lessons[0].minutes == 12
    assert found.lessons[0].state == "green"
    assert found.disk.lesson_hours is not None
    assert found.disk.lesson_hours > 400
    assert (found.certificate.state, found.certificate.days_left) == ("green", 300)
    assert found.workers[0].viewers == 4
    assert found.uptime_s == 60


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (replace(FINE, redis=StoreFigures(False)), ("redis_away", "red")),
        (replace(FINE, redis=StoreFigures(True, 900.0)), ("redis_slow", "amber")),
        (replace(FINE, database=StoreFigures(False)), ("database_away", "red")),
        (replace(FINE, database=StoreFigures(True, 1500.0)), ("database_slow", "amber")),
        (
            replace(FINE, workers=(WorkerFigures(0, False, None, 0, 0, "port"),)),
            ("worker_away", "red"),
        ),
        (replace(FINE, workers=(WorkerFigures(0, True, 0.8, 9, 9),)), ("worker_busy", "amber")),
        (replace(FINE, workers=(WorkerFigures(0, True, 0.97, 9, 9),)), ("worker_busy", "red")),
        (replace(FINE, recorder_up=False, recorder=None), ("recorder_away", "red")),
        (replace(FINE, disk_free=None), ("disk_away", "red")),
        (replace(FINE, has_certificate=True, certificate_ends=None), ("certificate", "red")),
        (replace(FINE, is_draining=True), ("draining", "amber")),
    ],
)
def test_each_thing_that_is_wrong_is_named_once(
    changed: Figures, expected: tuple[str, str]
) -> None:
    found = operations(changed)
    assert codes(found) == [expected]
    need = found.needs[0]
    assert all((need.what.zh, need.what.en, need.todo.zh, need.todo.en))


@pytest.mark.parametrize(
    ("days", "state"), [(31, "green"), (29, "amber"), (8, "amber"), (6, "red"), (-2, "red")]
)
def test_a_certificate_is_amber_a_month_before_its_end_and_red_a_week(
    days: float, state: str
) -> None:
    ends = datetime.fromtimestamp(NOW, UTC) + timedelta(days=days, hours=1)
    found = operations(replace(FINE, certificate_ends=ends))
    assert found.certificate.state == state
    assert bool(found.needs) == (state != "green")


def test_processes_of_before_an_update_are_told_and_need_nobody() -> None:
    now = operations(FINE)
    assert not now.workers[0].is_outdated
    assert not now.recorder.is_outdated
    workers = (WorkerFigures(0, True, 0.1, 8, 9, is_outdated=True),)
    after = operations(replace(FINE, workers=workers, recorder_outdated=True))
    assert after.needs == ()
    assert after.workers[0].is_outdated
    assert after.recorder.is_outdated


def test_a_proxy_s_certificate_is_not_ours_to_watch() -> None:
    found = operations(replace(FINE, has_certificate=False, certificate_ends=None))
    assert found.certificate.state == "grey"
    assert found.needs == ()


@pytest.mark.parametrize(("hours", "state"), [(9.0, "green"), (7.0, "amber"), (1.5, "red")])
def test_the_disk_is_told_in_hours_of_lessons_as_they_are_now(hours: float, state: str) -> None:
    rate = 2_000_000
    free = int(hours * 3600 * rate)
    status = Status((LessonStatus("a", 1, 4, 4),), free, rate, 1.0)
    found = operations(replace(FINE, disk_free=free, recorder=status))
    assert found.disk.lesson_hours == pytest.approx(hours, abs=0.1)
    assert found.disk.state == state


def test_without_recordings_only_free_space_counts() -> None:
    found = operations(replace(FINE, records=False, recorder_up=False, recorder=None))
    assert (found.needs, found.disk.lesson_hours, found.recorder.state) == ((), None, "grey")
    low = operations(replace(FINE, records=False, disk_free=GIB // 2))
    assert codes(low) == [("disk_low", "red")]


def test_rooms_stand_worst_first_and_share_a_line_when_they_share_a_reason() -> None:
    rooms = (
        light("fine", "room-1"),
        light("no_camera", "room-2"),
        light("lost", "room-3"),
        light("lost", "room-4"),
    )
    found = operations(replace(FINE, lessons=(lesson(*rooms),)))
    assert [room.id for room in found.lessons[0].rooms] == ["room-3", "room-4", "room-2", "room-1"]
    assert codes(found) == [("lost", "red"), ("no_camera", "amber")]
    first: Need = found.needs[0]
    assert first.where == ("七(3)班 示例一中", "七(4)班 示例一中")
    assert first.lesson == "示例课"


def test_what_is_worst_stands_first_among_lessons_and_needs() -> None:
    fine = replace(lesson(light("fine")), id="a", title="甲")
    bad = replace(lesson(light("lost")), id="b", title="乙")
    amber = replace(FINE, workers=(WorkerFigures(0, True, 0.8, 9, 9),), lessons=(fine, bad))
    found = operations(amber)
    assert [one.id for one in found.lessons] == ["b", "a"]
    assert [need.state for need in found.needs] == ["red", "amber"]


def test_recording_trouble_is_red_with_the_recorder_s_own_words() -> None:
    told = Recorder("trouble", 60, 0, 3.0, Text("录制磁盘已满", "The recording disk is full"))
    found = operations(replace(FINE, lessons=(lesson(light("fine"), recorder=told),)))
    assert codes(found) == [("recording", "red")]
    assert found.needs[0].what.en == "The recording disk is full"
    assert found.lessons[0].state == "red"


def test_recording_is_told_in_words() -> None:
    def words(one: LessonFigures, figures: Figures = FINE) -> str:
        return operations(replace(figures, lessons=(one,))).lessons[0].recording.en

    writing = Recorder("writing", 60, 1000, 3.0)
    assert words(lesson(recorder=writing)) == "Recording"
    assert words(lesson()) == "Recording starts"
    assert words(replace(lesson(), is_recording=False)) == "Recording is paused"
    assert words(replace(lesson(), wants_recording=False)) == "Not to be recorded"
    assert words(replace(lesson(), phase="pre_class")) == "Recording begins with the bell"
    assert words(lesson(), replace(FINE, records=False)) == "This server records nothing"


def test_every_light_of_a_room_has_its_reason() -> None:
    made = Lesson()
    room = ParticipantId("room-1")

    def see(
        report: Report | None = None, quality: Quality | None = None, later: float = 0
    ) -> tuple[str, str]:
        found = room_light(made.state, room, ("七(1)班", ""), report, quality, made.now + later)
        assert (found.state in {"red", "amber"}) == (found.code in TODO)
        return found.state, found.code

    assert see() == ("grey", "waiting")
    made.join("lead", Role.LEAD)
    made.do(OpenLesson())
    assert see() == ("grey", "waiting")
    assert see(later=61) == ("red", "missing")
    made.join("room-1", Role.ROOM)
    assert see() == ("amber", "no_media")
    made.do(StartPublication(room, "camera"))
    assert see() == ("amber", "no_microphone")
    assert see(Report("playing", "on", "refused")) == ("amber", "no_microphone")
    # It is closed until the room is called on, but the device has it.
    fine = Report("playing", "on", "on")
    assert see(fine) == ("green", "fine")
    assert see(Report("blocked", "on", "on")) == ("amber", "sound_blocked")
    assert see(fine, Quality("poor", 600.0, 0.2)) == ("amber", "line_poor")
    assert see(fine, Quality("fair", 200.0, 0.05)) == ("green", "fine")
    made.do(EndPublication(room, "camera"))
    assert see(fine) == ("amber", "no_camera")
    made.do(StartPublication(room, "camera"))
    made.do(StartPublication(room, "microphone"))
    assert see() == ("green", "fine")
    assert see(None, Quality("lost", 0.0, 0.0)) == ("red", "line_lost")
    made.do(Lose(room))
    assert see() == ("red", "lost")
    made.do(Leave(room, "left"))
    assert see() == ("grey", "left")
    assert counts(made.state).rooms_present == 0
