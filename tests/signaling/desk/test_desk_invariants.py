"""Whatever is done at a desk, in any order, by anybody: what always holds."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hosting.desk import (
    EVENING,
    EVERYBODY,
    RANDOM_PLAN,
    TUTORS,
    Evenings,
    Step,
    attempt,
    sensible,
    steps,
)
from twinclass_signaling.desk import matching, queue, snapshot
from twinclass_signaling.desk.commands import Actor
from twinclass_signaling.desk.core import apply
from twinclass_signaling.desk.directory import Known
from twinclass_signaling.desk.events import DeskEvent
from twinclass_signaling.desk.plan import Desk, keys_of
from twinclass_signaling.desk.questions import ACTIVE, STATES
from twinclass_signaling.desk.standing import is_free
from twinclass_signaling.desk.state import DeskState, planned
from twinclass_signaling.desk.timers import due, next_deadline
from twinclass_signaling.desk.views import views
from twinclass_signaling.desk.visibility import may_see_question, touched
from twinclass_signaling.ids import EventSeq
from twinclass_signaling.roles import Role

APPROVING = msgspec.structs.replace(RANDOM_PLAN, needs_approval=True)


def play(found: list[Step], desk: Desk, *, looking: bool = False) -> Evenings:
    desks = Evenings(desk)
    desks.arrive(*EVERYBODY[:10])
    asked = 0
    for step, anybody, pause in found:
        desks.wait(pause)
        before = len(desks.log)
        command, who = step, anybody
        if isinstance(command, int):
            moves = sensible(desks.state)
            command, who = moves[command % len(moves)]
        shown = look(desks) if looking else {}
        attempt(desks, command, who)
        desks.settle()
        if looking:
            views_change_for_whom_they_may(desks, shown, desks.log[before:])
        asked += sum(
            type(event).__struct_config__.tag == "question_asked" for event, _ in desks.log[before:]
        )
        assert len(desks.state.questions) == asked
        invariants(desks.state, desks.now)
    return desks


def invariants(state: DeskState, now: float) -> None:
    every_question_is_somewhere(state)
    nobody_has_two(state)
    nobody_is_recorded_who_may_not_be(state)
    tutors_have_what_the_questions_say(state)
    sessions_keep_their_limits(state)
    nothing_is_left_undone(state, now)


def every_question_is_somewhere(state: DeskState) -> None:
    """No question is lost: each is in a lane, in somebody's hands, with its pupil, or done."""
    for question in state.questions.values():
        assert question.state in STATES
        placed = state.index.placed.get(question.id)
        assert (placed[0] if placed else None) == queue.lane_of(state, question)
        assert (question.id in state.index.active.get(question.grade, {})) == question.is_active
        token = state.index.due_at
        match question.state:
            case "queued":
                away = state.pupils[question.pupil].away
                assert placed is not None or (away and question.wish == "live")
                assert question.tutor is None
            case "offered":
                assert question.tutor is not None
                assert state.tutors[question.tutor].offer == question.id
                assert f"offer|{question.id}" in token
            case "claimed":
                assert question.tutor is not None
                assert question.id in state.tutors[question.tutor].held
                assert f"claim|{question.id}" in token
            case "in_session":
                assert question.session is not None
                session = state.sessions[question.session]
                assert session.ended_at is None
                assert session.members[question.pupil].question == question.id
            case "submitted":
                assert f"bank|{question.id}" in token
            case "not_helpful" | "reopened":
                raise AssertionError("these last for no time")
            case _:
                pass
        if not question.is_active:
            assert not any(
                name.split("|")[1] == str(question.id)
                for name in token
                if name.split("|")[0] in {"bank", "offer", "claim", "round", "ladder"}
            )


def nobody_has_two(state: DeskState) -> None:
    owners = Counter(
        pupil
        for question in state.questions.values()
        if question.state in ACTIVE
        for pupil in (question.pupil, *question.followers)
    )
    assert all(count == 1 for count in owners.values()), owners
    for pupil, seat in state.pupils.items():
        assert (seat.active is not None) == (pupil in owners)
        if seat.session is not None:
            assert pupil in state.sessions[seat.session].present
    present = Counter(
        pupil
        for session in state.sessions.values()
        if session.ended_at is None
        for pupil in session.present
    )
    assert all(count == 1 for count in present.values())
    leads = Counter(s.tutor for s in state.sessions.values() if s.ended_at is None)
    assert all(count == 1 for count in leads.values())


def nobody_is_recorded_who_may_not_be(state: DeskState) -> None:
    """No live help, and no waiting for any, without consent to be recorded."""
    for pupil, seat in state.pupils.items():
        if seat.session is not None:
            assert seat.recorded
            assert seat.consented
        question = None if seat.active is None else state.questions[seat.active]
        if question is not None:
            assert seat.consented
            assert seat.recorded or question.wish == "written", (pupil, question)


def tutors_have_what_the_questions_say(state: DeskState) -> None:
    claims: Counter[object] = Counter()
    for person, tutor in state.tutors.items():
        for number in tutor.held:
            claims[number] += 1
            assert state.questions[number].state == "claimed"
            assert state.questions[number].tutor == person
        if tutor.offer is not None:
            claims[tutor.offer] += 1
            assert state.questions[tutor.offer].state == "offered"
            assert tutor.on_duty
            assert not tutor.paused
            assert not tutor.lost_at
        if tutor.session is not None:
            assert state.sessions[tutor.session].ended_at is None
            assert state.sessions[tutor.session].tutor == person
        assert bool(tutor.busy_since) == bool(
            tutor.held or (tutor.session and state.sessions[tutor.session].question is not None)
        )
        for tutors in state.index.free.values():
            assert person not in tutors or is_free(state, person)
    assert all(count == 1 for count in claims.values())
    for subject, seen in state.seen.items():
        busy = [tutor for tutor in state.tutors.values() if tutor.busy_with == subject]
        assert seen.running == len(busy)


def sessions_keep_their_limits(state: DeskState) -> None:
    limits = state.plan.limits
    for session in state.sessions.values():
        end = session.ended_at or state.at
        assert end <= session.started_at + limits.hard_stop_s + 1e-6
        assert end <= state.closes_at(session.grade) + 1e-6
        if session.kind == "one_to_one":
            assert len(session.members) == 1
    for seat in state.pupils.values():
        assert seat.live_s <= limits.pupil_evening_s + 1e-6


def nothing_is_left_undone(state: DeskState, now: float) -> None:
    """After all that is due is done: no tutor is idle while somebody waits whom she may help."""
    deadline = next_deadline(state)
    assert deadline is None or deadline > now
    assert not due(state, now)
    if state.phase != "open":
        return
    for number, (lane, _) in state.index.placed.items():
        question = state.questions[number]
        for person, duty in state.duties.items():
            if lane.startswith("group") or (question.pick or person) != person:
                continue
            if is_free(state, person) and matching.may_help(duty, question):
                assert person in question.passed_by


# ---- views --------------------------------------------------------------------------------

PEOPLE = {
    who.person: Known(f"name of {who.person[-1]}", "七(1)班")
    for who in EVERYBODY
    if who.role is Role.PUPIL
} | {who.person: Known(f"{who.person} 示例老师") for who in TUTORS}


def look(desks: Evenings) -> dict[str, Any]:
    found = views(desks.state, EVERYBODY, PEOPLE, desks.now)
    return {who.person: msgspec.to_builtins(one) for who, one in zip(EVERYBODY, found, strict=True)}


def views_change_for_whom_they_may(
    desks: Evenings, before: dict[str, Any], log: list[tuple[DeskEvent, float]]
) -> None:
    after = look(desks)
    nothing_leaks(desks.state, after)
    told = [touched(event, desks.state) for event, _ in log]
    if any(one.all for one in told):
        return
    people = {person for one in told for person in one.people}
    queues = {key for one in told for key in one.queues}
    for who in EVERYBODY:
        if who.role not in {Role.PUPIL, Role.TUTOR, Role.GUARDIAN} or who.person in people:
            continue
        if who.role is Role.GUARDIAN and people & {*who.children}:
            continue
        if before[who.person] != after[who.person]:
            assert queues & queues_of(desks.state, who), (
                who,
                log,
                before[who.person],
                after[who.person],
            )


def queues_of(state: DeskState, who: Actor) -> set[str]:
    if who.role is Role.TUTOR:
        duty = state.duties.get(who.person)
        return set() if duty is None else {*keys_of(duty)}
    seat = state.pupils.get(who.person)
    if seat is None:
        return set()
    grades = {seat.grade} if seat.active is None else {state.questions[seat.active].grade}
    return {f"{one}|{grade}" for one in state.plan.subjects for grade in {seat.grade, *grades}}


def nothing_leaks(state: DeskState, shown: dict[str, Any]) -> None:
    """No page of a tutor has an id of a pupil; no page of a pupil another one's, or her name."""
    pupils = {who.person for who in EVERYBODY if who.role is Role.PUPIL}
    for who in EVERYBODY:
        text = msgspec.json.encode(shown[who.person]).decode()
        if who.role is Role.TUTOR:
            assert not any(pupil in text for pupil in pupils)
            assert "report" not in text
            assert "case" not in text
        elif who.role is Role.PUPIL:
            others = pupils - {who.person}
            assert not any(pupil in text for pupil in others)
            assert "name of" not in text
        elif who.role is Role.GUARDIAN:
            assert not any(pupil in text for pupil in pupils - {*who.children})
    for question in state.questions.values():
        for who in TUTORS:
            if question.state in {"submitted", "awaiting_approval", "merged"}:
                assert not may_see_question(state, who, question)


@given(steps, st.booleans())
def test_any_order_of_commands_keeps_what_must_hold_and_the_log_is_the_evening(
    found: list[Step], approving: bool
) -> None:
    desks = play(found, APPROVING if approving else RANDOM_PLAN)
    state = desks.state
    assert snapshot.decode(state.plan, snapshot.encode(state)) == state
    again = planned(state.plan, EVENING)
    for number, (event, at) in enumerate(desks.log, 1):
        read = msgspec.json.decode(msgspec.json.encode(event), type=DeskEvent)
        apply(again, read, at, EventSeq(number))
    assert again == state
    desks.wait(3 * 3600)
    assert state.phase == "closed"
    assert not [question for question in state.questions.values() if question.is_active]
    assert not [session for session in state.sessions.values() if session.ended_at is None]


@settings(max_examples=max(10, settings().max_examples // 6))
@given(steps)
def test_pages_tell_nobody_what_is_not_hers_and_change_only_for_whom_they_may(
    found: list[Step],
) -> None:
    play(found, RANDOM_PLAN, looking=True)


def test_the_random_ones_do_something() -> None:
    """The test above would hold of a desk that refuses everything."""
    kinds: Counter[str] = Counter()

    @settings(max_examples=60)
    @given(steps)
    def run(found: list[Step]) -> None:
        for event, _ in play(found, RANDOM_PLAN).log:
            kinds[str(type(event).__struct_config__.tag)] += 1

    run()
    assert len(kinds) > 30, sorted(kinds)
