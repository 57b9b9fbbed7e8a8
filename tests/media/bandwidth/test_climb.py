"""Layers that a line did not carry are not tried again at once."""

from __future__ import annotations

from twinclass_media.bandwidth.climb import BAR_S, MOST_BAR_S, SOON_S, Climb


def test_a_layer_left_soon_is_barred_alone() -> None:
    climb = Climb()
    climb.moves(0, 2, 0.0)
    climb.moves(2, 1, 1.0)
    assert climb.is_barred(1.0 + BAR_S - 0.1)
    assert climb.most(2, 2.0) == 1
    assert climb.most(0, 2.0) == 0
    climb.moves(1, 0, 2.0)  # It falls on; the middle one was not too much.
    assert climb.most(2, 3.0) == 1
    assert climb.most(2, 1.0 + BAR_S) == 2


def test_a_fall_past_a_layer_does_not_bar_that_one() -> None:
    climb = Climb()
    climb.moves(0, 2, 0.0)
    climb.moves(2, 0, 1.0)
    assert climb.most(2, 2.0) == 1


def test_what_is_not_wanted_any_more_bars_nothing() -> None:
    climb = Climb()
    climb.moves(0, 1, 0.0)
    climb.moves(0, 0, 1.0)  # Its ceiling is gone, as less is wanted.
    assert climb.most(2, 2.0) == 2


def test_a_layer_that_held_for_a_while_is_not_barred() -> None:
    climb = Climb()
    climb.moves(0, 2, 0.0)
    climb.moves(2, 1, SOON_S)
    assert not climb.is_barred(SOON_S)


def test_a_line_with_no_room_for_any_picture_bars_nothing() -> None:
    climb = Climb()
    climb.moves(0, 1, 0.0)
    climb.moves(1, -1, 1.0)
    assert not climb.is_barred(1.0)


def test_bars_grow_up_to_a_bound_and_are_forgotten() -> None:
    climb, now, bars = Climb(), 0.0, []
    for _ in range(5):
        climb.moves(0, 1, now)
        climb.moves(1, 0, now)
        begun = now
        while climb.is_barred(now):
            now += 1.0
        bars.append(now - begun)
    assert bars == [BAR_S, 2 * BAR_S, 4 * BAR_S, MOST_BAR_S, MOST_BAR_S]
    now += MOST_BAR_S + 1
    climb.moves(1, 0, now)
    climb.moves(0, 1, now)
    climb.moves(1, 0, now)
    assert climb.is_barred(now + BAR_S - 1)
    assert not climb.is_barred(now + BAR_S)
