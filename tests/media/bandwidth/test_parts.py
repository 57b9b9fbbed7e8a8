"""Parts of the estimator by themselves, and who gets what of a line."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinclass_media.bandwidth.acknowledged import AcknowledgedRate
from twinclass_media.bandwidth.allocation import SMALLEST_KEPT, SOUND, Wish, allocate
from twinclass_media.bandwidth.delay import DelayGradient, Usage
from twinclass_media.bandwidth.estimator import START_BPS, Estimator
from twinclass_media.bandwidth.loss import LossControl
from twinclass_media.bandwidth.pacer import MOST_S, Pacer
from twinclass_media.bandwidth.probe import SPAN_S, Plan, Probes
from twinclass_media.bandwidth.rate import BETA, RateControl
from twinclass_media.bandwidth.sent import MAX_SENT, Arrived, Sent, SentLog
from twinclass_media.errors import MalformedPacket
from twinclass_media.rtp.transport_cc import MAX_STATUS_COUNT, ArrivalLog, read_feedback

# ---- feedback -----------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.floats(0.0, 0.2, allow_nan=False)), min_size=1, max_size=120
    ),
    st.integers(0, 65_535),
)
def test_what_is_written_is_read(steps: list[tuple[int, float]], first: int) -> None:
    log, now, number = ArrivalLog(0.0), 5.0, first
    sent: dict[int, float] = {}
    for gap, wait in steps:
        now += wait
        number += 1 + gap
        log.add(number & 0xFFFF, now)
        sent[number & 0xFFFF] = now
    fci = log.take_feedback()
    assert fci is not None
    found = read_feedback(fci)
    came = {number: at for number, at in found if at is not None}
    assert set(came) == set(sent)
    at, wanted = list(came.values()), [sent[one] for one in came]
    # Reference and deltas are in steps of 64 ms and 250 us from a moment of their own.
    for one, other in zip(at, wanted, strict=True):
        assert one - at[0] == pytest.approx(other - wanted[0], abs=0.0006)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = read_feedback(data)
    except MalformedPacket:
        return
    assert len(found) <= 4 * MAX_STATUS_COUNT


# ---- parts --------------------------------------------------------------------------------


def arrived(count: int, bps: float, *, size: int = 1000, start: float = 0.0, probe: int = 0,
            slower: float = 1.0) -> list[Arrived]:  # fmt: skip
    """Packets sent at a rate; they come ``slower`` times later after each other."""
    gap = 8 * size / bps
    return [
        Arrived(Sent(start + n * gap, size, probe), 100 + start + n * gap * slower)
        for n in range(count)
    ]


def test_numbers_are_forgotten_and_told_once() -> None:
    log = SentLog()
    numbers = [log.add(n / 100, 100) for n in range(MAX_SENT + 10)]
    came, lost = log.take([(numbers[0], 1.0), (numbers[-1], 2.0), (numbers[-2], None)])
    assert [one.at for one in came] == [2.0]
    assert len(lost) == 1
    # What was reported as missing may come after all.
    came, _ = log.take([(numbers[-2], 3.0), (numbers[-1], 3.0)])
    assert len(came) == 1


@pytest.mark.parametrize("bps", [300_000, 1_000_000, 8_000_000])
def test_the_rate_that_arrives_is_known(bps: float) -> None:
    rate = AcknowledgedRate()
    for one in arrived(round(3 * bps / 8 / 500), bps, size=500):
        rate.add(one)
    assert rate.bps == pytest.approx(bps, rel=0.05)
    assert rate.just_now_bps == pytest.approx(bps, rel=0.05)


def test_a_queue_that_grows_is_overuse_and_an_even_line_is_not() -> None:
    even, full = DelayGradient(), DelayGradient()
    for one in arrived(400, 500_000):
        assert even.add(one) is Usage.NORMAL
    usages = {full.add(one) for one in arrived(400, 500_000, slower=1.2)}
    assert Usage.OVER in usages


def test_a_rate_is_cut_to_what_arrives_and_grows_slowly_near_it() -> None:
    control = RateControl(1_000_000, 40_000)
    now = 0.0
    control.update(Usage.OVER, 600_000, 0.05, now)
    assert control.bps == pytest.approx(BETA * 600_000)
    for _ in range(20):
        now += 0.1
        control.update(Usage.NORMAL, 520_000, 0.05, now)
    near = control.bps
    assert BETA * 600_000 < near < 700_000


def test_where_a_line_was_cut_once_is_forgotten_when_more_is_proven() -> None:
    control = RateControl(300_000, 40_000)
    for n in range(20):
        control.update(Usage.OVER, 300_000.0, 0.02, n / 2)
    control.set(1_600_000.0)
    for n in range(4):
        control.update(Usage.OVER, 1_600_000.0 + 20_000 * n, 0.02, 20 + n / 2)
    assert control.bps > 0.8 * BETA * 1_000_000


def test_loss_that_a_cut_does_not_mend_is_the_line_s_own() -> None:
    rng = random.Random(1)
    control, now, sending = LossControl(), 0.0, 1_000_000.0
    least = math.inf
    for _ in range(300):
        now += 0.1
        lost = sum(rng.random() < 0.15 for _ in range(20))
        control.add(20 - lost, lost, min(sending, control.bps), 0.05, now, queued=False)
        least = min(least, control.bps)
    assert least < sending
    assert math.isinf(control.bps)


def test_loss_of_a_policer_takes_the_rate_to_what_it_lets_pass() -> None:
    control, now, limit, sending = LossControl(), 0.0, 500_000.0, 1_000_000.0
    for _ in range(300):
        now += 0.1
        now_bps = min(sending, control.bps)
        lost = round(50 * max(0.0, 1 - limit / now_bps))
        control.add(50 - lost, lost, now_bps, 0.05, now, queued=False)
    assert min(sending, control.bps) == pytest.approx(limit, rel=0.2)


def test_what_a_full_queue_lost_is_over_with_the_queue() -> None:
    control, now = LossControl(), 0.0
    for _ in range(10):
        now += 0.1
        control.add(20, 20, 255_000.0, 0.05, now, queued=True)
    assert control.bps < 255_000
    assert (control.share, control.line_share) == (0.5, 0.0)
    for _ in range(10):
        now += 0.1
        control.add(40, 0, min(255_000.0, control.bps), 0.05, now, queued=False)
    assert control.is_of_queue
    assert control.bps < 255_000
    control.forgive_queue()
    assert math.isinf(control.bps)


@pytest.mark.parametrize(
    ("slower", "least", "most"), [(1.0, 0.95, 1.1), (2.0, 0.4, 0.55), (0.3, 0.0, 0.0)]
)
def test_a_probe_proves_what_comes(slower: float, least: float, most: float) -> None:
    probes = Probes()
    plan = probes.begin(2_000_000, 1_000_000, 0.02, 0.0)
    gap = plan.span_s / plan.packets
    found = None
    for n in range(plan.packets):
        number = probes.label(n * gap)
        one = Arrived(Sent(n * gap, plan.size, number), 50 + n * gap * slower)
        found = probes.add(one) or found
    if most == 0.0:
        assert found is None, "it came in one go, out of a queue"
    else:
        assert found is not None
        assert least <= found / plan.bps <= most


def test_a_pacer_keeps_order_and_lets_nothing_wait_for_ever() -> None:
    pacer: Pacer[int] = Pacer(300_000, 0.0)
    for n in range(200):
        pacer.put(1_000, n)
    out: list[int] = []
    now = 0.0
    while len(out) < 200:
        now += 0.005
        out += pacer.due(now)
        assert now < 4 * MOST_S
    assert out == list(range(200))


# ---- allocation ---------------------------------------------------------------------------

CAMERA = (150_000.0, 500_000.0, 1_500_000.0)
LESSON = (
    Wish("sound", SOUND, (40_000.0,), 0),
    Wish("slides", 1, (80_000.0, 300_000.0), 1),
    Wish("lead", 2, CAMERA, 2),
    Wish("stage", 3, CAMERA, 1),
    Wish("wall", 4, CAMERA, 0),
)


def test_sound_goes_whatever_there_is_and_small_pictures_before_large_ones() -> None:
    assert allocate(LESSON, 10_000).layers == {
        "sound": 0, "slides": -1, "lead": -1, "stage": -1, "wall": -1,
    }  # fmt: skip
    assert allocate(LESSON, 350_000).layers["lead"] == 0
    assert allocate(LESSON, 350_000).layers["stage"] == -1
    everybody = allocate(LESSON, 700_000).layers
    assert everybody == {"sound": 0, "slides": 0, "lead": 0, "stage": 0, "wall": 0}
    assert allocate(LESSON, 10_000_000).layers == {
        "sound": 0, "slides": 1, "lead": 2, "stage": 1, "wall": 0,
    }  # fmt: skip
    assert allocate(LESSON, 10_000_000).wanted_bps == 0


def test_a_layer_is_left_where_it_was_not_taken_up() -> None:
    """Between the two rates nothing changes."""
    lead = Wish("lead", 2, CAMERA, 2)
    up = allocate([lead], 500_000 * 1.1).layers["lead"]
    stays = Wish("lead", 2, CAMERA, 2, now=1)
    assert (up, allocate([stays], 500_000 * 1.1).layers["lead"]) == (0, 1)
    assert allocate([stays], 490_000).layers["lead"] == 1, "cut, though all of it came"
    assert allocate([stays], 490_000, crowded=True).layers["lead"] == 0
    assert allocate([stays], 420_000).layers["lead"] == 0
    smallest = Wish("lead", 2, CAMERA, 2, now=0)
    assert allocate([smallest], 150_000 * 0.85).layers["lead"] == 0
    assert allocate([smallest], 150_000 * 0.75).layers["lead"] == -1


@given(
    st.lists(
        st.builds(
            lambda p, layers, most, now: (p, tuple(sorted(layers)), most, now),
            st.integers(SOUND, 4),
            st.lists(st.floats(10_000, 3_000_000), max_size=3),
            st.integers(0, 2),
            st.integers(-1, 2),
        ),
        max_size=12,
    ),
    st.floats(0, 10_000_000),
)
def test_no_more_is_shared_out_than_there_is(
    made: list[tuple[int, tuple[float, ...], int, int]], target: float
) -> None:
    wishes = [Wish(str(n), *one) for n, one in enumerate(made)]
    share = allocate(wishes, target)
    sound = sum(one.layers[0] for one in wishes if one.priority == SOUND and one.layers)
    assert share.spent_bps <= max(sound, target / SMALLEST_KEPT) + 1e-3
    for one in wishes:
        layer = share.layers[one.track]
        assert -1 <= layer <= max(0, min(one.most, len(one.layers) - 1))
        assert layer < len(one.layers)


# ---- holes --------------------------------------------------------------------------------


def _feed(estimator: Estimator, log: ArrivalLog, since: float, until: float, *, dead: bool) -> None:
    """A packet every 5 ms, a report every 50 ms; ``dead``: nothing arrives."""
    for step in range(round((until - since) / 0.005)):
        now = since + step * 0.005
        number = estimator.sent(1_000, now)
        if not dead:
            log.add(number, now + 0.01)
        if step % 10 == 9:
            estimator.tick(now)
            fci = log.take_feedback()
            if fci is not None:
                estimator.reported(read_feedback(fci), now)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_a_hole_swallowed_says_nothing_of_the_line_after_it(elsewhere: bool) -> None:
    estimator, log = Estimator(0.0, 2_000_000.0), ArrivalLog(0.0)
    _feed(estimator, log, 0.0, 3.0, dead=False)
    _feed(estimator, log, 3.0, 9.0, dead=True)
    assert estimator.target_bps < START_BPS
    if elsewhere:
        estimator.moved(9.0)
    _feed(estimator, log, 9.0, 10.0, dead=False)
    assert estimator.lost_share < 0.1
    assert estimator.probe(2_000_000.0, 10.0) is not None
    assert (estimator.target_bps >= START_BPS) is elsewhere


# ---- probes -------------------------------------------------------------------------------


def _probe(estimator: Estimator, log: ArrivalLog, plan: Plan, line_bps: float, now: float) -> None:
    """Sends a probe over a line of ``line_bps`` and reports it."""
    gap, free_at = plan.span_s / plan.packets, now
    for n in range(plan.packets):
        number = estimator.sent(plan.size, now + n * gap)
        free_at = max(free_at, now + n * gap) + 8 * plan.size / line_bps
        log.add(number, free_at)
    estimator.probe_sent()
    fci = log.take_feedback()
    assert fci is not None
    estimator.reported(read_feedback(fci), free_at)


def test_a_line_that_carries_a_little_more_is_not_probed_again_and_again() -> None:
    """Rates are cut to less than a line carries, so each probe proves a little."""
    estimator, log, now = Estimator(0.0, 250_000.0), ArrivalLog(0.0), 1.0
    plan = estimator.probe(500_000.0, now)
    assert plan is not None
    _probe(estimator, log, plan, 300_000.0, now)
    assert 260_000 < estimator.target_bps < 400_000
    assert estimator.probe(500_000.0, now + 1.0) is None
    now += 2.1
    plan = estimator.probe(500_000.0, now)
    assert plan is not None
    _probe(estimator, log, plan, 300_000.0, now)
    assert estimator.probe(500_000.0, now + 3.9) is None
    plan = estimator.probe(500_000.0, now + 4.1)
    assert plan is not None, "seldom, but again"
    _probe(estimator, log, plan, 600_000.0, now + 4.1)
    assert estimator.target_bps > 450_000
    assert estimator.probe(1_000_000.0, now + 5.2) is not None, "what carries more is tried soon"


@given(st.floats(1.01, 10.0), st.floats(0.0, 0.1))
def test_a_probe_in_vain_leaves_no_long_queue(ratio: float, swing_s: float) -> None:
    plan = Probes().begin(ratio * 300_000, 300_000, swing_s, 0.0)
    assert SPAN_S <= plan.span_s <= max(SPAN_S, 0.1 / ratio + 1e-9)
