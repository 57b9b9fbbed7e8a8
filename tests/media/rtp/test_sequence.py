from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.rtp.sequence import SequenceUnwrapper, sequence_delta, timestamp_delta


@given(st.integers(0, 65535), st.lists(st.integers(-3000, 3000), max_size=200))
def test_unwrapping_follows_any_walk_of_small_steps(first: int, steps: list[int]) -> None:
    unwrapper = SequenceUnwrapper()
    true = highest = 0x10000 + first
    assert unwrapper.unwrap(first) == true
    for step in steps:
        true = highest + step
        assert unwrapper.unwrap(true & 0xFFFF) == true
        highest = max(highest, true)


def test_deltas_wrap() -> None:
    assert sequence_delta(1, 65535) == 2
    assert sequence_delta(65535, 1) == -2
    assert timestamp_delta(5, 0xFFFFFFFF) == 6
