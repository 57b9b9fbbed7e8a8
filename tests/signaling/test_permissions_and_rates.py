"""Rights as a table, and token buckets."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.lesson import PLAN
from twinclass_signaling.ids import LessonId, ParticipantId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.state import LessonState
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


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.TUTOR, Role.LIBRARIAN])
def test_a_guest_may_do_nothing(role: Role) -> None:
    assert may_command(role) == ()
    assert may_publish(role) == ()


def test_every_message_of_a_client_has_a_rate() -> None:
    kinds = {str(kind.__struct_config__.tag) for kind in get_args(ClientMessage)}
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
