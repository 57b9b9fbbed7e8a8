"""Whatever is done with a lesson's tools, in any order, by anybody: what always holds."""

from __future__ import annotations

from collections import Counter

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hosting.lesson import Lesson
from hosting.tools import attempt, full_lesson, steps
from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId
from twinclass_signaling.lesson import snapshot
from twinclass_signaling.lesson.commands import Actor, LessonCommand
from twinclass_signaling.lesson.core import apply
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.media_policy import grants, listened_to, subscriptions
from twinclass_signaling.lesson.roster_board import class_counts
from twinclass_signaling.lesson.state import MAX_STAGE, LessonState
from twinclass_signaling.lesson.timers import due, next_deadline
from twinclass_signaling.lesson.tool_board import all_views
from twinclass_signaling.lesson.tools import backchannel, quiz, talk
from twinclass_signaling.lesson.tools.attendance import guests, roster
from twinclass_signaling.lesson.tools.sound_check import turn_of
from twinclass_signaling.lesson.tools.teaching import teaching_room
from twinclass_signaling.lesson.visibility import STAFF_ONLY, audience, viewers
from twinclass_signaling.messages import View
from twinclass_signaling.roles import AUDIO_SOURCES, Role

Step = tuple[LessonCommand, Actor, float]


def play(found: list[Step], *, live: bool) -> Lesson:
    lesson = full_lesson(live=live)
    for command, who, pause in found:
        lesson.now += pause
        for event in attempt(lesson, command, who):
            nothing_leaks(lesson.state, event)  # type: ignore[arg-type]
        invariants(lesson.state, lesson.now)
    return lesson


def nothing_leaks(state: LessonState, event: LessonEvent) -> None:
    told = audience(event, state)
    name = str(type(event).__struct_config__.tag)
    for viewer in viewers(state):
        if not viewer.is_staff and told.reaches(viewer):
            assert name not in STAFF_ONLY, (name, viewer)
            if name == "catch_up_changed":
                assert viewer.participant == getattr(event, "room", None)
            if name == "quiz_answered":
                assert viewer.participant == getattr(event, "actor", None)


def invariants(state: LessonState, now: float) -> None:
    the_stage_holds(state)
    one_sound_a_room(state)
    pupils_are_counted_once(state)
    pupils_see_nothing_of_staff(state)
    who_catches_up_has_no_part(state)
    bounds_hold(state)
    time_comes_to_an_end(state, now)


def the_stage_holds(state: LessonState) -> None:
    on_stage = [place.participant for place in state.stage]
    assert len(on_stage) == len(set(on_stage)) <= state.policy.stage_limit <= MAX_STAGE
    indexes = [place.index for place in state.stage]
    assert len(indexes) == len(set(indexes))
    hands = [hand.participant for hand in state.tools.hands]
    assert len(hands) == len(set(hands)) <= len(state.seats) + len(state.plan.rooms)
    assert not set(hands) & set(on_stage)
    assert state.tools.spotlight is None or state.tools.spotlight in on_stage
    if state.tools.group_work is not None:
        assert not on_stage


def one_sound_a_room(state: LessonState) -> None:
    heard = set(listened_to(state))
    for participant, seat in state.seats.items():
        sound = [
            slot
            for slot in subscriptions(state, participant, View())
            if slot.source in AUDIO_SOURCES
        ]
        if seat.companion:
            assert not sound
            assert not grants(state, participant)
        elif seat.role is Role.ASSISTANT:
            assert {slot.participant for slot in sound} <= {seat.room}
            assert not sound or turn_of(state) == seat.room
        elif seat.role not in {Role.LEAD, Role.CO_LEAD}:
            on_stage = {place.participant for place in state.stage}
            assert not {slot.participant for slot in sound} & (heard - on_stage)
        for grant in grants(state, participant):
            if grant.source == "microphone" and grant.open and seat.role is Role.ROOM:
                assert state.is_on_stage(participant) or participant in heard


def pupils_are_counted_once(state: LessonState) -> None:
    for room in state.plan.rooms:
        counted = class_counts(state, room.id)
        if counted.in_room is not None and room.pupils:
            everybody = len(roster(state, room.id)) + len(guests(state, room.id))
            assert counted.in_room + counted.home + counted.absent == everybody
        assert counted.home_here <= counted.home
    question = state.tools.quiz
    if question is not None and question.kind in {"single", "judge", "number"}:
        told = Counter[str]()
        for answers in (quiz.counted_answers(state, question),):
            assert len(answers) <= len(question.answers)
            told["answers"] += len(answers)
        tallied = sum(sum(tally.counts) for tally in question.tallies.values())
        assert sum(quiz.totals(state, question)) == told["answers"] + tallied


def pupils_see_nothing_of_staff(state: LessonState) -> None:
    for viewer in viewers(state):
        if viewer.is_staff:
            continue
        views = all_views(state, viewer, {})
        assert views.backchannel == type(views.backchannel)((), (), ())
        assert not views.agenda.phases
        assert not views.stage.waiting
        assert views.teaching.offer is None
        assert views.work.group_work is None or not views.work.group_work.listening
        question = views.quiz.current
        if question is not None:
            assert not question.bars
            assert question.state == "released" or not (question.totals or question.correct)
        for hand in views.hands.hands:
            assert hand.participant == viewer.participant or hand.room == viewer.room
        if viewer.role is Role.OBSERVER:
            assert not views.attendance.pupils
            assert not views.hands.hands


def who_catches_up_has_no_part(state: LessonState) -> None:
    for room, found in state.tools.catch_up.items():
        seat = state.seats[ParticipantId(room)]
        if found.since is not None:
            assert state.phase == "live"
            assert seat.presence != "left"
            assert not state.is_on_stage(ParticipantId(room))
            assert teaching_room(state) != room
    for viewer in viewers(state):
        shown = {one.room for one in all_views(state, viewer, {}).catch_up.rooms}
        if not viewer.leads:
            of_class = viewer.role in {Role.ROOM, Role.ASSISTANT} and viewer.room is not None
            assert shown <= ({viewer.room} if of_class else set())


def bounds_hold(state: LessonState) -> None:
    channel = state.tools.backchannel
    assert len(channel.notes) <= backchannel.MAX_NOTES
    assert all(len(note.text) <= backchannel.MAX_NOTE for note in channel.notes)
    assert len(channel.pulses) <= 8 * len(state.seats)
    assert len(state.tools.chat.lines) <= talk.MAX_LINES
    assert len(snapshot.encode(state)) <= snapshot.MAX_SNAPSHOT_BYTES


def time_comes_to_an_end(state: LessonState, now: float) -> None:
    """A deadline that has come brings an event, or the host would spin."""
    deadline = next_deadline(state)
    if deadline is not None and deadline <= now:
        assert due(state, now)
    if deadline is not None and deadline > now:
        assert not due(state, now)


@given(steps, st.booleans())
def test_any_order_of_commands_keeps_what_must_hold_and_the_log_is_the_lesson(
    found: list[Step], live: bool
) -> None:
    lesson = play(found, live=live)
    state = lesson.state
    assert snapshot.decode(state.plan, snapshot.encode(state)) == state
    again = LessonState(LessonId("algebra"), state.plan)
    for number, (event, at) in enumerate(lesson.log, 1):
        read = msgspec.json.decode(msgspec.json.encode(event), type=LessonEvent)
        apply(again, read, at, EventSeq(number))
    assert again == state


def test_the_random_ones_do_something() -> None:
    """The test above would hold of a lesson that refuses everything."""
    kinds: Counter[str] = Counter()

    @settings(max_examples=100)
    @given(steps)
    def run(found: list[Step]) -> None:
        for event, _ in play(found, live=True).log:
            kinds[str(type(event).__struct_config__.tag)] += 1

    run()
    assert len(kinds) > 20, sorted(kinds)
