from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.rtp.loss import MAX_AGE_S, LossTracker


def test_asks_once_per_round_trip_and_stops_when_it_came() -> None:
    tracker = LossTracker()
    tracker.received(65535, 0.0)
    assert tracker.received(2, 0.0)
    assert tracker.due(0.0, 0.1) == ([], False)
    assert tracker.due(0.01, 0.1) == ([0, 1], False)
    assert tracker.due(0.05, 0.1) == ([], False)
    tracker.received(0, 0.06)
    assert tracker.due(0.2, 0.1) == ([1], False)
    assert tracker.recovered == 1


def test_gives_up_after_half_a_second() -> None:
    tracker = LossTracker()
    tracker.received(1, 0.0)
    tracker.received(3, 0.0)
    assert tracker.due(MAX_AGE_S + 0.1, 0.1) == ([], True)
    assert not tracker.waiting
    assert tracker.lost_for_good == 1


def test_a_gap_too_large_is_for_a_keyframe_to_mend() -> None:
    tracker = LossTracker()
    tracker.received(1, 0.0)
    assert not tracker.received(1000, 0.0)
    assert not tracker.waiting


@given(st.lists(st.integers(0, 65535), max_size=400))
def test_what_is_missing_stays_bounded(numbers: list[int]) -> None:
    tracker = LossTracker()
    for i, number in enumerate(numbers):
        tracker.received(number, i * 0.001)
    asked, _ = tracker.due(1.0, 0.0)
    assert len(asked) <= 500
