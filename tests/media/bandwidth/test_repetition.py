"""How much of the sound before it each packet of sound brings along."""

from __future__ import annotations

import pytest

from twinclass_media.bandwidth.repetition import (
    HEAVY_LOSS,
    HEAVY_S,
    LOSS,
    NARROW_LOSS,
    QUIET_S,
    Repetition,
)


def look(
    sound: Repetition, share: float, now: float, *, full: bool = False, narrow: bool = False
) -> int:
    sound.look(share, now, is_full=full, is_narrow=narrow)
    return sound.packets


def test_a_line_that_loses_nothing_stops_after_the_first_minute() -> None:
    sound = Repetition()
    assert look(sound, 0.0, 0.0) == 0
    sound.begin(0.0)
    assert look(sound, 0.0, QUIET_S - 1) == 1
    assert look(sound, 0.0, QUIET_S) == 0


def test_a_little_loss_brings_it_back_for_a_minute() -> None:
    sound = Repetition()
    assert look(sound, LOSS, 100.0) == 0
    assert look(sound, 2 * LOSS, 101.0) == 1
    assert look(sound, 0.0, 100.0 + QUIET_S) == 1
    assert look(sound, 0.0, 101.0 + QUIET_S) == 0


def test_loss_that_was_told_between_two_looks_counts() -> None:
    sound = Repetition()
    sound.lost(2 * LOSS, 10.0)
    assert look(sound, 0.0, 11.0) == 1


@pytest.mark.parametrize("narrow", [False, True])
def test_heavy_loss_brings_two_along_for_a_while(narrow: bool) -> None:
    sound = Repetition()
    assert look(sound, 2 * HEAVY_LOSS, 0.0, narrow=narrow) == 2
    assert look(sound, 0.0, HEAVY_S - 1, narrow=narrow) == 2
    assert look(sound, 0.0, HEAVY_S, narrow=narrow) == (0 if narrow else 1)


def test_where_the_smallest_picture_needs_the_room_only_loss_now_counts() -> None:
    sound = Repetition()
    sound.begin(0.0)
    assert look(sound, NARROW_LOSS, 1.0, narrow=True) == 0
    assert look(sound, 1.1 * NARROW_LOSS, 2.0, narrow=True) == 1
    assert look(sound, 0.0, 3.0, narrow=True) == 0


def test_what_a_full_line_loses_is_no_reason() -> None:
    sound = Repetition()
    assert look(sound, 0.5, 0.0, full=True) == 0
    assert look(sound, 0.0, 1.0) == 0
    assert look(sound, 2 * LOSS, 2.0) == 1
    assert look(sound, 0.5, 3.0, full=True) == 1
    assert look(sound, 0.5, 4.0, full=True, narrow=True) == 0


def test_changes_are_told() -> None:
    sound = Repetition()
    assert sound.look(2 * LOSS, 0.0, is_full=False, is_narrow=False)
    assert not sound.look(2 * LOSS, 1.0, is_full=False, is_narrow=False)
