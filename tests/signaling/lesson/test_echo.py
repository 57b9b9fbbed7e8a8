"""Echo and howl: ducked at once, muted when it goes on, let go by rule or by one tap."""

from __future__ import annotations

import pytest

from hosting.lesson import Lesson
from hosting.tools import HELPERS, HOMES, LEAD, ROOM_1, ROOMS, WATCHER, full_lesson
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson import snapshot
from twinclass_signaling.lesson.commands import SYSTEM, Actor, Join, Leave, NoteEcho, Tick
from twinclass_signaling.lesson.media_policy import grants, subscriptions
from twinclass_signaling.lesson.timers import next_deadline
from twinclass_signaling.lesson.tool_board import echo_view, sound_view
from twinclass_signaling.lesson.tool_events import (
    EchoEnded,
    EchoFaded,
    EchoFound,
    EchoMuted,
    EchoRetried,
)
from twinclass_signaling.lesson.tools import echo
from twinclass_signaling.lesson.visibility import Person, audience, viewer_of, viewers
from twinclass_signaling.messages import CallOn, CloseLesson, LeaveStage, View
from twinclass_signaling.ports import Grant
from twinclass_signaling.roles import AUDIO_SOURCES
from twinclass_signaling.tool_commands import ClearEcho, SwitchSound
from twinclass_signaling.tool_views import EchoRow

ROOM = ParticipantId(ROOM_1)
#: The newest of the class.
HOME = HOMES[2].participant
PEOPLE = {HOME: Person("示例同学", "")}
FOUND = NoteEcho(ROOM, "echo", 1.4, 280, -9)
OVER = NoteEcho(ROOM, None)


def on_stage() -> Lesson:
    lesson = full_lesson()
    lesson.do(CallOn(ROOM), LEAD)
    return lesson


def microphone(lesson: Lesson, who: ParticipantId = ROOM) -> Grant:
    return next(one for one in grants(lesson.state, who) if one.source == "microphone")


def wait(lesson: Lesson, seconds: float) -> list[object]:
    """Lets time pass and every timer go off at its second; returns what happened."""
    end = lesson.now + seconds
    happened: list[object] = []
    while (at := next_deadline(lesson.state)) is not None and at <= end:
        lesson.now = max(lesson.now, at) - 1  # ``do`` takes a second
        happened += lesson.do(Tick())
    lesson.now = end
    return happened


def rows(lesson: Lesson, who: Actor) -> tuple[EchoRow, ...]:
    viewer = viewer_of(lesson.state, who.participant)
    assert viewer is not None
    return echo_view(lesson.state, viewer, PEOPLE).rows


def test_an_open_microphone_of_a_class_is_watched_and_a_leads_is_not() -> None:
    lesson = on_stage()
    assert microphone(lesson) == Grant("microphone", open=True, full=True, watch_echo=True)
    assert not microphone(lesson, LEAD.participant).watch_echo


def test_it_is_ducked_at_once_and_muted_before_three_seconds() -> None:
    lesson = on_stage()
    lesson.now = 2_000.0
    [found] = lesson.do(FOUND)
    began = 2_001.0 - 1.4
    assert found == EchoFound(ROOM, "echo", began, 280, -9)
    assert microphone(lesson).open
    assert [row.state for row in rows(lesson, ROOMS[0])] == ["ducked"]
    assert next_deadline(lesson.state) == pytest.approx(began + echo.MUTE_S)
    assert lesson.do(FOUND) == [], "told twice"
    lesson.now = 2_001.0
    assert wait(lesson, 2.0) == [EchoMuted(ROOM, 15.0)]
    assert microphone(lesson) == Grant("microphone", open=False, full=False, watch_echo=True)
    assert lesson.state.is_on_stage(ROOM), "it is still to be seen"
    assert lesson.do(OVER) == [], "its microphone was closed: that says nothing"


def test_what_fades_is_let_go_after_five_quiet_seconds() -> None:
    lesson = on_stage()
    lesson.do(FOUND)
    assert lesson.do(OVER) == [EchoFaded(ROOM)]
    assert wait(lesson, 4.0) == []
    assert len(rows(lesson, LEAD)) == 1
    assert wait(lesson, 2.0) == [EchoEnded(ROOM, "quiet", SYSTEM.participant)]
    assert rows(lesson, LEAD) == ()
    assert next_deadline(lesson.state) is None


def test_it_does_not_go_to_and_fro() -> None:
    """What comes back before it has been quiet for long has gone on, and is muted at once."""
    lesson = on_stage()
    lesson.do(FOUND)
    lesson.do(OVER)
    wait(lesson, 3.0)
    assert isinstance(lesson.do(FOUND)[0], EchoFound)
    assert wait(lesson, 0.1) == [EchoMuted(ROOM, 15.0)]


def test_a_muted_microphone_is_tried_again_later_and_later_and_not_for_ever() -> None:
    lesson = on_stage()
    times: list[float] = []
    for _ in range(5):
        lesson.do(FOUND)
        [muted] = wait(lesson, 2.5)
        assert isinstance(muted, EchoMuted)
        times.append(muted.seconds)
        assert wait(lesson, muted.seconds) == [EchoRetried(ROOM)]
        assert microphone(lesson).open
        assert rows(lesson, ROOMS[0])[0].state == "ducked"
    assert times == [15.0, 30.0, 60.0, 120.0, 120.0]
    assert wait(lesson, 6.0) == [EchoEnded(ROOM, "quiet", SYSTEM.participant)]


@pytest.mark.parametrize("who", [LEAD, HELPERS[0]])
def test_lead_and_own_assistant_open_it_by_one_tap(who: Actor) -> None:
    lesson = on_stage()
    lesson.do(FOUND)
    wait(lesson, 3.0)
    assert not microphone(lesson).open
    assert lesson.do(ClearEcho(ROOM), who) == [EchoEnded(ROOM, "staff", who.participant)]
    assert microphone(lesson).open
    assert lesson.do(ClearEcho(ROOM), who) == []
    # If it is still there, so is the rule.
    assert isinstance(lesson.do(FOUND)[0], EchoFound)


@pytest.mark.parametrize("who", [HELPERS[1], ROOMS[0], HOMES[0], WATCHER])
def test_nobody_else_does(who: Actor) -> None:
    lesson = on_stage()
    lesson.do(FOUND)
    for command in (ClearEcho(ROOM), SwitchSound(HOME, True)):
        with pytest.raises(SignalingError) as refused:
            lesson.do(command, who)
        assert refused.value.code == "forbidden"


def test_a_microphone_that_is_closed_otherwise_has_no_echo() -> None:
    lesson = on_stage()
    lesson.do(FOUND)
    lesson.do(LeaveStage(ROOM), LEAD)
    assert wait(lesson, 0.1) == [EchoEnded(ROOM, "closed", SYSTEM.participant)]
    assert lesson.do(FOUND) == []
    assert lesson.do(NoteEcho(ParticipantId("nobody"), "echo")) == []
    assert lesson.do(NoteEcho(LEAD.participant, "echo")) == []


def test_a_howl_after_an_echo_is_told_as_a_howl() -> None:
    lesson = on_stage()
    lesson.do(FOUND)
    [found] = lesson.do(NoteEcho(ROOM, "howl", 0.8, 0, -7))
    assert isinstance(found, EchoFound)
    assert rows(lesson, ROOMS[0])[0].trouble == "howl"


def test_a_worker_cannot_mute_before_it_was_told() -> None:
    lesson = on_stage()
    [found] = lesson.do(NoteEcho(ROOM, "echo", 1e9, 0, 0))
    assert isinstance(found, EchoFound)
    assert found.since == lesson.now - 2.0


def test_it_is_told_to_those_who_can_do_something() -> None:
    lesson = on_stage()
    [found] = lesson.do(FOUND)
    told = {
        viewer.participant
        for viewer in viewers(lesson.state)
        if audience(found, lesson.state).reaches(viewer)
    }
    shown = {v.participant for v in viewers(lesson.state) if echo_view(lesson.state, v, {}).rows}
    assert told == shown
    assert {LEAD.participant, ROOM, HELPERS[0].participant} <= told
    assert not told & {HELPERS[1].participant, ROOMS[1].participant, HOME, WATCHER.participant}


def test_the_newest_device_of_the_class_is_named_to_staff_only() -> None:
    lesson = on_stage()
    late = ParticipantId("home-late")
    lesson.do(Join(late, HOMES[0].role, ROOM_1))
    lesson.do(FOUND)
    assert rows(lesson, HELPERS[0])[0].suspect == late
    [own] = rows(lesson, ROOMS[0])
    assert (own.suspect, own.suspect_name) == (None, "")
    lesson.do(ClearEcho(ROOM), LEAD)
    lesson.do(Leave(late, "left"))
    lesson.do(FOUND)
    assert rows(lesson, LEAD)[0].suspect_name == "示例同学"


def test_a_device_in_the_classroom_loses_loudspeaker_and_microphone() -> None:
    lesson = on_stage()
    lesson.do(CallOn(HOME), LEAD)
    assert microphone(lesson, HOME).open

    def hears() -> list[ParticipantId]:
        slots = subscriptions(lesson.state, HOME, View())
        return [s.participant for s in slots if s.source in AUDIO_SOURCES and s.participant]

    assert hears()
    lesson.do(SwitchSound(HOME, True), HELPERS[0])
    assert hears() == []
    assert not microphone(lesson, HOME).open
    for who, told in ((HOMES[2], True), (HELPERS[0], True), (ROOMS[1], False)):
        viewer = viewer_of(lesson.state, who.participant)
        assert viewer is not None
        assert (HOME in sound_view(lesson.state, viewer, {}).switched_off) is told
    assert lesson.do(SwitchSound(HOME, True), LEAD) == []
    lesson.do(FOUND)
    assert rows(lesson, LEAD)[0].suspect == HOMES[0].participant, "the next one: this is silent"
    lesson.do(SwitchSound(HOME, False), LEAD)
    assert hears()


def test_only_a_homes_sound_can_be_switched() -> None:
    lesson = on_stage()
    for who, code in ((ROOM, "not_a_home"), (ParticipantId("home-none"), "participant_away")):
        with pytest.raises(SignalingError) as refused:
            lesson.do(SwitchSound(who, True), LEAD)
        assert refused.value.code == code


def test_it_survives_a_snapshot_and_ends_with_the_lesson() -> None:
    lesson = on_stage()
    lesson.do(FOUND)
    lesson.do(SwitchSound(HOME, True), LEAD)
    assert lesson.state.tools.echo
    again = snapshot.decode(lesson.state.plan, snapshot.encode(lesson.state))
    assert again.tools.echo == lesson.state.tools.echo
    assert again.seats[HOME].sound_off
    lesson.do(CloseLesson(), LEAD)
    assert next_deadline(lesson.state) is None
    assert lesson.do(FOUND) == []
