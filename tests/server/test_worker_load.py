"""How much of its core a worker is thought to use."""

from __future__ import annotations

from twinclass_server.adapters.worker_load import FULL, KEPT, WorkerLoad


def readings(
    load: WorkerLoad, share: float, lag_s: float, count: int, transports: int = 100
) -> WorkerLoad:
    """Takes a reading every two seconds."""
    for n in range(count + 1):
        load.measured(2 * share * n, lag_s, transports, 2.0 * n)
    return load


def test_nothing_is_known_before_two_readings() -> None:
    load = WorkerLoad()
    load.measured(5.0, 0.0, 10, 1.0)
    assert load.cpu_share is None
    assert load.expected(10) == 0.0


def test_it_comes_near_the_share_within_a_few_readings() -> None:
    load = readings(WorkerLoad(), 0.6, 0.0, 1)
    assert load.cpu_share == 0.6
    assert load.expected(100) == 0.6 * (1 - KEPT)
    assert readings(WorkerLoad(), 0.6, 0.0, 5).expected(100) > 0.55


def test_a_loop_that_is_late_is_full_whatever_its_own_share_is() -> None:
    assert readings(WorkerLoad(), 0.2, 0.2, 8).expected(100) > FULL - 0.01
    one_hiccup = readings(WorkerLoad(), 0.2, 0.0, 8)
    one_hiccup.measured(2 * 0.2 * 9, 0.2, 100, 18.0)
    assert one_hiccup.expected(100) < FULL - 0.2


def test_those_who_came_since_cost_what_the_others_do() -> None:
    load = readings(WorkerLoad(), 0.4, 0.0, 12)
    assert load.expected(200) > 1.9 * load.expected(100)
    assert load.expected(50) == load.expected(100)


def test_a_worker_that_was_replaced_begins_anew() -> None:
    load = readings(WorkerLoad(), 0.4, 0.0, 3)
    before = load.expected(100)
    load.measured(0.1, 0.0, 100, 9.0)  # Its CPU seconds went back.
    assert load.expected(100) == before


def test_a_few_who_come_at_once_do_not_fill_a_worker_that_others_keep_waiting() -> None:
    # A lead and a room on a machine whose cores browsers have, then an assistant and a learner.
    load = readings(WorkerLoad(), 0.35, 0.2, 12, transports=3)
    assert load.expected(7) <= FULL
