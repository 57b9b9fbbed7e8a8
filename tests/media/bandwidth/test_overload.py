"""What a worker that cannot keep up sends to nobody."""

from __future__ import annotations

from twinclass_media.bandwidth.overload import (
    ALL,
    LATE_LOOKS,
    LATE_S,
    MOST_RECOVER_S,
    RECOVER_S,
    Overload,
)

TOP = 2


def late(overload: Overload, now: float, looks: int = LATE_LOOKS) -> float:
    for _ in range(looks):
        overload.look(2 * LATE_S, TOP, now)
        now += 0.1
    return now


def test_one_late_keyframe_takes_nothing_away() -> None:
    overload = Overload()
    late(overload, 0.0, LATE_LOOKS - 1)
    assert not overload.look(0.0, TOP, 1.0)
    late(overload, 2.0, LATE_LOOKS - 1)
    assert overload.most == ALL


def test_layers_go_one_by_one_and_the_lowest_stays() -> None:
    overload = Overload()
    now = late(overload, 0.0)
    assert overload.most == 1
    now = late(overload, now)
    assert overload.most == 0
    late(overload, now, 20)
    assert overload.most == 0


def test_they_come_back_step_by_step() -> None:
    overload = Overload()
    now = late(overload, late(overload, 0.0))
    assert not overload.look(0.0, TOP, now + RECOVER_S / 2)
    assert overload.look(0.0, TOP, now + RECOVER_S)
    assert overload.most == 1
    assert overload.look(0.0, TOP, now + 2 * RECOVER_S)
    assert overload.most == ALL


def test_a_layer_that_is_too_much_again_waits_longer_each_time() -> None:
    overload, waits = Overload(), []
    now = 0.0
    for _ in range(7):
        begun = now = late(overload, now)
        while overload.most != ALL:
            now += 0.1
            overload.look(0.0, TOP, now)
        waits.append(round((now - begun) / RECOVER_S))
    assert waits == [1, 2, 4, 8, 16, 16, 16]
    assert MOST_RECOVER_S == 16 * RECOVER_S


def test_cameras_with_one_layer_keep_it() -> None:
    overload = Overload()
    for n in range(20):
        assert not overload.look(1.0, 0, n / 10)
    assert overload.most == ALL
