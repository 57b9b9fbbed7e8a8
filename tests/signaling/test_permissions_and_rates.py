"""Rights as a table, and token buckets."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.lesson import PLAN
from hosting.tools import (
    HELPERS,
    HOMES,
    PEOPLE,
    POINT,
    ROOM_1,
    ROOMS,
    SPARE,
    WATCHER,
    full_lesson,
)
from twinclass_signaling.desk import messages as desk_messages
from twinclass_signaling.ids import LessonId, ParticipantId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.plan import PlannedPolicy
from twinclass_signaling.lesson.state import LessonState, Seat
from twinclass_signaling.lesson.tool_state import Policy
from twinclass_signaling.messages import ClientMessage
from twinclass_signaling.permissions import (
    ALL_COMMANDS,
    Action,
    allowed,
    may_command,
    may_publish,
)
from twinclass_signaling.rate import ALLOWANCES, Allowance, MessageRates, TokenBucket
from twinclass_signaling.roles import Role, Source

ACTIONS: tuple[Action, ...] = (*ALL_COMMANDS, *get_args(Source))


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", ACTIONS)
def test_a_right_is_one_that_the_role_is_told_of(role: Role, action: Action) -> None:
    state = LessonState(LessonId("algebra"), PLAN)
    me = Actor(ParticipantId("me"), role)
    may = allowed(me, action, state, ParticipantId("somebody"))
    assert not may or action in {*may_command(role), *may_publish(role)}
    state.phase = "closed"
    assert not allowed(me, action, state, me.participant)


def seated(policy: Policy, teaching: bool) -> LessonState:
    state = full_lesson(PlannedPolicy(hybrid_room=ROOM_1)).state
    state.tools.policy = policy
    if teaching:
        state.tools.teaching.who = HELPERS[0].participant
    return state


policies = st.builds(Policy, st.booleans(), st.booleans(), st.integers(1, 16))
targets = st.sampled_from([None, *(who.participant for who in PEOPLE)])


@given(policies, st.booleans(), targets, st.sampled_from(ACTIONS))
def test_an_observer_may_never_do_anything(
    policy: Policy, teaching: bool, target: ParticipantId | None, action: str
) -> None:
    assert not allowed(WATCHER, action, seated(policy, teaching), target)


@given(policies, policies, st.booleans(), st.sampled_from(ALL_COMMANDS))
def test_no_rule_gives_a_pupil_what_it_does_not_give_an_assistant(
    one: Policy, other: Policy, teaching: bool, action: str
) -> None:
    before, after = seated(one, teaching), seated(other, teaching)
    for pupil in (*HOMES, POINT, ROOMS[0]):
        me = pupil.participant
        if allowed(pupil, action, after, me) and not allowed(pupil, action, before, me):
            assert allowed(HELPERS[0], action, after, ParticipantId("room-1"))


@given(policies, st.booleans(), targets, st.sampled_from(ALL_COMMANDS))
def test_who_is_bound_to_a_class_acts_on_nobody_else(
    policy: Policy, teaching: bool, target: ParticipantId | None, action: str
) -> None:
    state = seated(policy, teaching)
    about_somebody = {"stage_leave", "stage_mute", "hand_lower", "hand_approve", "help_answer"}
    if target is None or action not in about_somebody:
        return
    seat = state.seats[target]
    for helper in HELPERS:
        if allowed(helper, action, state, target):
            assert seat.room == helper.room
    for pupil in (*HOMES, POINT, *ROOMS):
        if allowed(pupil, action, state, target):
            assert target == pupil.participant


@given(policies, targets, st.sampled_from(ALL_COMMANDS))
def test_a_right_of_teaching_ends_with_the_teaching(
    policy: Policy, target: ParticipantId | None, action: str
) -> None:
    helper = HELPERS[0]
    while_teaching = allowed(helper, action, seated(policy, True), target)
    afterwards = allowed(helper, action, seated(policy, False), target)
    assert while_teaching or not afterwards
    # Another assistant gains nothing by it.
    other = HELPERS[1]
    assert allowed(other, action, seated(policy, True), target) == allowed(
        other, action, seated(policy, False), target
    )


@given(policies, st.booleans(), targets, st.sampled_from(ACTIONS))
def test_a_further_device_of_a_room_may_do_nothing(
    policy: Policy, teaching: bool, target: ParticipantId | None, action: str
) -> None:
    state = seated(policy, teaching)
    state.seats[SPARE.participant] = Seat(Role.ROOM, ROOM_1, companion=True)
    assert not allowed(SPARE, action, state, target)


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.TUTOR, Role.LIBRARIAN])
def test_a_guest_may_do_nothing(role: Role) -> None:
    assert may_command(role) == ()
    assert may_publish(role) == ()


def test_every_message_of_a_client_has_a_rate() -> None:
    both = {*get_args(ClientMessage), *get_args(desk_messages.ClientMessage)}
    kinds = {str(kind.__struct_config__.tag) for kind in both}
    assert kinds == set(ALLOWANCES)


@given(st.lists(st.floats(0, 2), max_size=200))
def test_a_bucket_never_lets_more_through_than_its_rate(gaps: list[float]) -> None:
    bucket = TokenBucket(Allowance(2, 5), 0.0)
    now, taken = 0.0, 0
    for gap in gaps:
        now += gap
        taken += bucket.take(now) == 0
        assert taken <= 5 + 2 * now + 1e-6


def test_a_refusal_says_how_long_to_wait() -> None:
    rates = MessageRates()
    assert rates.take("authenticate", 0) == 0
    wait_s = rates.take("authenticate", 0)
    assert wait_s == pytest.approx(5)
    assert rates.take("authenticate", wait_s) == 0
