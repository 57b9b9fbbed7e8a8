"""What is done for each peer every so often, between sending."""

from __future__ import annotations

import time
from typing import Any

from twinclass_media.worker.errands import MAX_WAITING, Errands


def peers(count: int) -> list[Any]:
    """Stand for peers: errands only hand them on."""
    return [object() for _ in range(count)]


def test_all_is_done_in_the_order_it_was_asked_for() -> None:
    errands, done, some = Errands(), [], peers(3)
    errands.add(lambda peer, now: done.append((peer, now)), some)
    errands.add(lambda peer, _: done.append((peer, -1.0)), some[:1])
    errands.run(7.0, time.monotonic() + 1)
    assert done == [(one, 7.0) for one in some] + [(some[0], -1.0)]
    assert not errands


def test_one_is_done_however_late_it_is_and_the_others_wait() -> None:
    errands, done = Errands(), []
    errands.add(lambda peer, _: done.append(peer), peers(3))
    errands.run(0.0, time.monotonic() - 1)
    assert (len(done), len(errands)) == (1, 2)


def test_what_does_not_fit_is_left_out() -> None:
    errands, done = Errands(), []
    for _ in range(3):
        errands.add(lambda peer, _: done.append(peer), peers(MAX_WAITING // 2 + 1))
    assert len(errands) == MAX_WAITING
    errands.run(0.0, time.monotonic() + 5)
    assert len(done) == MAX_WAITING
