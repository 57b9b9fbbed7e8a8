from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.forward.keyframes import BURST, RATE_PER_S, KeyframeThrottle


@given(st.lists(st.floats(0, 0.2), max_size=400))
def test_however_often_it_is_wished_for_requests_stay_within_the_bound(steps: list[float]) -> None:
    throttle = KeyframeThrottle()
    now, asked = 10.0, 0
    for step in steps:
        now += step
        throttle.wish()
        asked += throttle.take(now)
    assert asked <= BURST + (now - 10.0) * RATE_PER_S + 1


def test_nothing_is_asked_for_unless_somebody_wishes() -> None:
    throttle = KeyframeThrottle()
    assert not throttle.take(5.0)
    throttle.wish()
    assert throttle.take(5.0)
    throttle.arrived()
    assert not throttle.take(9.0)
