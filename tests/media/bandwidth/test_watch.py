"""When a line is watched, and what a viewer gets that only says what it could take."""

from __future__ import annotations

import math

import pytest

from twinclass_media.bandwidth.estimator import Estimator
from twinclass_media.bandwidth.queue_delay import QueueDelay
from twinclass_media.bandwidth.trial import Trial
from twinclass_media.bandwidth.watch import (
    DEAF_PACKETS,
    DEAF_S,
    NARROW,
    SATISFIED_S,
    SILENT_S,
    State,
    Watch,
)


def left_alone() -> Watch:
    """A line that has shown that it carries everything."""
    watch = Watch(0.0, 300_000.0, can_answer=True)
    watch.answered()
    for step in range(int(SATISFIED_S * 10) + 20):
        watch.look(1_000_000, 2_000_000, 0.0, step / 10, full=True)
    assert watch.state is State.FREE
    return watch


def test_a_line_is_left_alone_only_when_all_went_well_for_a_while() -> None:
    for spent, target, loss, full in (
        (1_000_000, 1_050_000, 0.0, True),
        (1_000_000, 2_000_000, 0.05, True),
        (1_000_000, 2_000_000, 0.0, False),
    ):
        watch = Watch(0.0, 300_000.0, can_answer=True)
        watch.answered()
        for step in range(600):
            watch.look(spent, target, loss, step / 10, full=full)
        assert watch.state is State.WATCHED
    left_alone()


def test_whoever_answers_no_numbers_is_deaf_and_whoever_cannot_is_from_the_start() -> None:
    watch = Watch(0.0, 300_000.0, can_answer=True)
    watch.look(1, 1, 0.0, DEAF_S + 1, full=False)
    assert watch.state is State.WATCHED, "nothing was asked yet"
    watch.numbered(DEAF_PACKETS + 1)
    watch.look(1, 1, 0.0, DEAF_S + 2, full=False)
    assert watch.state is State.DEAF
    assert Watch(0.0, 300_000.0, can_answer=False).state is State.DEAF


def test_a_line_is_watched_again_when_its_viewer_could_take_less_than_is_sent() -> None:
    watch = left_alone()
    watch.told(1_600_000, 1_500_000, 20.0)
    assert watch.state is State.FREE
    watch.told(400_000, 1_500_000, 20.1)
    assert watch.state is State.WATCHED
    assert watch.start_bps == 400_000


def test_a_word_of_before_is_not_believed_when_a_line_is_left_alone() -> None:
    watch = Watch(0.0, 300_000.0, can_answer=True)
    watch.answered()
    watch.told(400_000, 300_000, 0.0)
    for step in range(int(SATISFIED_S * 10) + 20):
        watch.look(1_000_000, 2_000_000, 0.0, step / 10, full=True)
    for n in range(10):  # It climbs from there.
        watch.told(400_000 + 20_000 * n, 1_500_000, 10.0 + n)
        assert watch.state is State.FREE
    watch.told(500_000, 1_500_000, 21.0)
    assert watch.state is State.WATCHED


def test_a_single_cut_of_a_viewer_takes_no_picture() -> None:
    watch = left_alone()
    watch.told(1_275_000, 1_500_000, 20.0)
    assert watch.state is State.WATCHED
    assert watch.start_bps == NARROW * 1_500_000
    losing = left_alone()
    losing.reported(0.05, 1_500_000, 20.0)
    losing.told(1_275_000, 1_500_000, 20.1)
    assert losing.start_bps == 1_275_000, "a queue that loses is full"


def test_numbers_and_the_empty_line_s_delay_go_on_where_a_line_is_watched_again() -> None:
    queue = QueueDelay()
    queue.add(0.0, 0.010)
    again = QueueDelay(queue.empty_delay)
    again.add(5.0, 0.310)
    assert again.queue_s == pytest.approx(0.3)

    estimator = Estimator(0.0, 300_000.0)
    estimator.sent(1_000, 0.0)
    estimator.resume(200_000.0, 20.0)
    assert estimator.next_number == 1
    assert estimator.target_bps == 200_000.0


def test_a_line_is_watched_again_when_it_loses_falls_silent_or_changes() -> None:
    lossy = left_alone()
    lossy.reported(0.05, 1_500_000, 20.0)
    assert lossy.state is State.FREE, "once may be chance"
    lossy.reported(0.05, 1_500_000, 20.3)
    assert lossy.state is State.WATCHED
    assert lossy.start_bps == 1_500_000, "a radio loses by itself"

    full = left_alone()
    full.reported(0.5, 1_500_000, 20.0)
    full.reported(0.6, 1_500_000, 20.3)
    assert full.start_bps == pytest.approx(0.4 * 1_500_000)

    silent = left_alone()
    silent.reported(0.0, 1_500_000, 20.0)
    silent.tick(1_500_000, 20.0 + SILENT_S / 2)
    assert silent.state is State.FREE
    silent.tick(0.0, 20.0 + 2 * SILENT_S)
    assert silent.state is State.FREE, "nothing was sent that could be answered"
    silent.tick(1_500_000, 20.0 + 2 * SILENT_S)
    assert silent.state is State.WATCHED
    assert silent.start_bps == 750_000

    moved = left_alone()
    moved.moved(1_500_000, 20.0)
    assert moved.state is State.WATCHED


def test_what_was_in_vain_is_tried_ever_more_seldom() -> None:
    trial, now, waits = Trial(), 0.0, []
    for _ in range(6):
        trial.told(500_000, 1_500_000, now)
        assert trial.target_bps == 500_000
        since = now
        while not math.isinf(trial.target_bps):
            now += 1.0
            trial.tick(now)
        waits.append(now - since)
        now += 1.5
    assert waits == sorted(waits)
    assert waits[0] < 25
    assert 70 < waits[-1] < 90
