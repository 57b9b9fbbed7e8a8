"""Large pictures leave a part at a time, in order, and none is forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.forward.group import Rows
from twinclass_media.forward.layer import PACKET_OVERHEAD_BYTES, Layer
from twinclass_media.forward.producer import Burst
from twinclass_media.forward.ring import Entry
from twinclass_media.forward.row import Row
from twinclass_media.forward.shape import Shape
from twinclass_media.transport.spread import FREE_S, MOST_S, RATE_BPS, Spread

ROWS = Rows((Row(None, 1, 0, 90000, {}, 1, 1),))
SHAPE = Shape(16)


def picture(layer: Layer, first: int, packets: int, size: int = 1100) -> Burst:
    entries = [Entry(first + i, 0, 0, b"x" * size, "VP8", 0.0) for i in range(packets)]
    return Burst(layer, entries, ROWS, 0, False, live=True)


def leaves(
    spread: Spread, burst: Burst | None, now: float, until: float
) -> list[tuple[float, int, int]]:
    """(when, first number, packets) of what leaves, looked at each millisecond."""
    found = [] if burst is None else [(now, burst.entries[0].sequence, len(burst.entries))]
    while now < until:
        now += 0.001
        found += [
            (now, one.burst.entries[0].sequence, len(one.burst.entries)) for one in spread.due(now)
        ]
    return found


def test_ordinary_frames_leave_as_they_come() -> None:
    spread, layer = Spread(), Layer(0, "", True, 90000)
    for n in range(300):
        burst = picture(layer, 6 * n, 6)
        assert spread.put(burst, SHAPE, n / 30, n / 30) is burst
    assert spread.is_empty


def test_a_large_keyframe_takes_as_long_as_a_line_of_the_rate() -> None:
    spread, layer = Spread(), Layer(0, "", True, 90000)
    found = leaves(spread, spread.put(picture(layer, 0, 100), SHAPE, 0.0, 0.0), 0.0, 0.2)
    assert sum(packets for _, _, packets in found) == 100
    sent = 0
    for when, _, packets in found:
        sent += 8 * packets * (1100 + PACKET_OVERHEAD_BYTES)
        # A part may be on its way.
        assert sent <= RATE_BPS * (when + FREE_S + 0.012)
    assert 0.04 < found[-1][0] < 0.07
    assert spread.is_empty


def test_what_comes_after_it_stays_behind_it() -> None:
    spread, layer = Spread(), Layer(0, "", True, 90000)
    found = leaves(spread, spread.put(picture(layer, 0, 100), SHAPE, 0.0, 0.0), 0.0, 0.033)
    found += leaves(spread, spread.put(picture(layer, 100, 6), SHAPE, 0.033, 0.033), 0.033, 0.3)
    assert [first for _, first, _ in found] == sorted(first for _, first, _ in found)
    assert found[-1][1:] == (100, 6)


def test_viewers_of_another_picture_or_shape_do_not_wait() -> None:
    spread, slides, lead = Spread(), Layer(0, "", True, 90000), Layer(0, "", True, 90000)
    spread.put(picture(slides, 0, 100), SHAPE, 0.0, 0.0)
    for burst, shape in (
        (picture(lead, 0, 6), SHAPE),
        (picture(slides, 0, 6), Shape(16, mid=b"1")),
    ):
        assert spread.put(burst, shape, 0.0, 0.0) is burst


def test_a_layer_of_a_high_rate_is_never_held_up_for_good() -> None:
    spread, layer = Spread(), Layer(0, "", True, 90000)
    layer.rate_bps = 20_000_000.0
    now, latest = 0.0, 0.0
    for n in range(300):
        found = leaves(spread, spread.put(picture(layer, 80 * n, 80), SHAPE, now, now), now, now)
        now = n / 30
        found += leaves(spread, None, now, now + 1 / 30)
        latest = max(latest, *(when - first // 80 / 30 for when, first, _ in found))
    assert latest < 0.1


def test_an_ended_picture_is_forgotten() -> None:
    spread, layer = Spread(), Layer(0, "", True, 90000)
    spread.put(picture(layer, 0, 200), SHAPE, 0.0, 0.0)
    spread.forget(layer)
    assert spread.is_empty
    assert spread.due(10.0) == []


@given(
    st.lists(
        st.tuples(st.integers(1, 150), st.integers(20, 1200), st.floats(0, 0.1)),
        min_size=1,
        max_size=20,
    )
)
def test_everything_leaves_once_in_order_and_in_time(
    frames: list[tuple[int, int, float]],
) -> None:
    spread, layer = Spread(), Layer(0, "", True, 90000)
    now, first = 0.0, 0
    out: list[int] = []
    for packets, size, gap in frames:
        ready = spread.put(picture(layer, first, packets, size), SHAPE, now, now)
        out += [] if ready is None else [entry.sequence for entry in ready.entries]
        first += packets
        now += gap
        out += [entry.sequence for one in spread.due(now) for entry in one.burst.entries]
    out += [entry.sequence for one in spread.due(now + MOST_S) for entry in one.burst.entries]
    assert out == list(range(first))
    assert spread.is_empty
