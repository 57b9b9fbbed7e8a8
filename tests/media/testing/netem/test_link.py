"""The model of one direction, in virtual time."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.testing.netem.driving import Sends, arrivals, evenly, run, take_until
from twinclass_media.testing.netem import Link, Path, Stream, Way, load_profile, profile_names
from twinclass_media.testing.netem.profile import (
    MAX_QUEUE_BYTES,
    Bursts,
    Change,
    Policer,
    Reordering,
    Wander,
)


@st.composite
def sends(draw: st.DrawFn) -> Sends:
    gaps = st.floats(0, 0.2).map(lambda gap: gap if gap > 0.001 else 0.0)
    pairs = draw(st.lists(st.tuples(gaps, st.integers(1, 1500)), max_size=120))
    times = itertools.accumulate(gap for gap, _ in pairs)
    return [(at_s, size) for at_s, (_, size) in zip(times, pairs, strict=True)]


@st.composite
def ways(draw: st.DrawFn, is_ordered: bool = False) -> Way:
    """Everything at once, as profiles may have it."""
    kind = draw(st.sampled_from(["none", "rate", "wander", "steps"]))
    steps = kind == "steps"
    timetable = tuple(
        Change(
            at_s,
            rate_bps=draw(st.integers(20_000, 2_000_000)) if steps else Change(0).rate_bps,
            delay_ms=draw(st.floats(0, 300)),
            blackhole=draw(st.booleans()),
        )
        for at_s in sorted(draw(st.sets(st.integers(0, 8), max_size=4, min_size=int(steps))))
    )
    return Way(
        delay_ms=draw(st.floats(0, 300)),
        jitter_ms=draw(st.floats(0, 100)),
        loss=draw(st.sampled_from([0.0, 0.1, 1.0])),
        bursts=draw(st.sampled_from([None, Bursts(0.1, 3)])),
        reordering=None if is_ordered else draw(st.sampled_from([None, Reordering(0.3, 40)])),
        duplication=draw(st.sampled_from([0.0, 0.2])),
        rate_bps=draw(st.integers(20_000, 2_000_000)) if kind == "rate" else None,
        wander=Wander(50_000, 500_000, 100) if kind == "wander" else None,
        queue_ms=200 if kind != "none" else None,
        policer=draw(st.sampled_from([None, Policer(100_000, 3000)])),
        timetable=timetable,
        repeat_s=draw(st.sampled_from([None, 9.0])) if timetable else None,
    )


def balance(link: Link[int]) -> int:
    """0 if every packet is somewhere."""
    s = link.statistics()
    return s.sent + s.duplicated - s.delivered - sum(s.dropped.values()) - s.in_flight


@given(ways(), sends(), st.integers(0, 99))
def test_every_packet_is_delivered_dropped_or_in_flight(
    way: Way, packets: Sends, seed: int
) -> None:
    link: Link[int] = Link(way, seed)
    came = 0
    for index, (at_s, size) in enumerate(packets):
        came += len(take_until(link, at_s))
        link.send(at_s, size, index)
        assert balance(link) == 0
        assert link.queue_bytes <= MAX_QUEUE_BYTES
    came += len(take_until(link, 60.0))
    s = link.statistics()
    assert balance(link) == 0
    assert (s.sent, s.delivered) == (len(packets), came)
    assert s.in_flight == 0, "a minute is longer than any delay and queue here"
    link.close()
    assert balance(link) == 0


@given(ways(), sends())
def test_the_same_seed_gives_the_same_result(way: Way, packets: Sends) -> None:
    assert arrivals(way, packets, 7) == arrivals(way, packets, 7)


@given(ways(), sends())
def test_when_one_asks_changes_nothing(way: Way, packets: Sends) -> None:
    """Arrivals taken in time, and all at the end, are the same packets in the same order."""
    late: Link[int] = Link(way, 3)
    for index, (at_s, size) in enumerate(packets):
        late.send(at_s, size, index)
    assert late.due(1000.0) == [payload for _, payload in arrivals(way, packets, 3)]


@given(ways(is_ordered=True), sends())
def test_order_is_kept_without_reordering(way: Way, packets: Sends) -> None:
    order = [payload for _, payload in arrivals(way, packets)]
    assert order == sorted(order)


@given(sends(), st.integers(20_000, 2_000_000), st.floats(0, 100))
def test_no_window_holds_more_than_the_rate(packets: Sends, rate: int, delay_ms: float) -> None:
    came = arrivals(Way(rate_bps=rate, queue_bytes=20_000, delay_ms=delay_ms), packets)
    for first, (begin_s, _) in enumerate(came):
        bits = 0
        for end_s, payload in came[first + 1 :]:
            bits += 8 * packets[payload][1]
            assert bits <= rate * (end_s - begin_s) + 1e-3


@given(sends(), st.integers(20_000, 2_000_000), st.floats(10, 500))
def test_nothing_waits_longer_than_the_queue(packets: Sends, rate: int, queue_ms: float) -> None:
    link: Link[int] = Link(Way(rate_bps=rate, queue_ms=queue_ms), 1)
    for at_s, payload in run(link, packets):
        sent_s, size = packets[payload]
        # A packet that finds nobody before it is taken whatever the bound.
        assert at_s - sent_s <= max(queue_ms / 1000, 8 * size / rate) + 1e-6
    assert link.statistics().queue_max_ms <= max(queue_ms, 8000 * 1500 / rate) + 0.001


def test_queueing_delay_grows_as_the_queue_does() -> None:
    # 1,000 bytes take 8 ms at 1 Mbit/s, one comes each 4 ms: each waits 4 ms longer.
    link: Link[int] = Link(Way(rate_bps=1_000_000, queue_ms=100), 1)
    came = run(link, evenly(20, 0.004))
    waits = [at_s - 0.004 * payload for at_s, payload in came]
    assert waits == pytest.approx([0.008 + 0.004 * n for n in range(20)])
    s = link.statistics()
    assert s.queue_max_ms == pytest.approx(84)
    assert s.queue_p50_ms == pytest.approx(44, rel=0.25)
    assert [(second.at_s, second.packets) for second in s.by_second] == [(0, 20)]


def test_a_full_queue_drops_the_newest_and_says_how_long_it_is() -> None:
    link: Link[int] = Link(Way(rate_bps=1_000_000, queue_bytes=5_000), 1)
    for index in range(8):
        link.send(0.0, 1000, index)
    assert link.statistics().dropped["queue"] == 3
    assert link.statistics().queue_now_ms == pytest.approx(40)
    assert link.due(0.02) == [0, 1]
    assert link.statistics().queue_now_ms == pytest.approx(20)
    assert link.due(1.0) == [2, 3, 4]


def test_independent_loss_has_its_share_and_no_memory() -> None:
    count = 20_000
    came = {payload for _, payload in arrivals(Way(loss=0.05), evenly(count, 0.001))}
    lost = [index not in came for index in range(count)]
    assert sum(lost) / count == pytest.approx(0.05, abs=0.008), "five deviations"
    pairs = sum(a and b for a, b in itertools.pairwise(lost))
    assert pairs / sum(lost) == pytest.approx(0.05, abs=0.04)


def test_burst_loss_has_its_share_and_length() -> None:
    count, length = 60_000, 4.0
    way = Way(bursts=Bursts(share=0.05, length=length))
    came = {payload for _, payload in arrivals(way, evenly(count, 0.001))}
    runs = [
        len(list(group))
        for is_lost, group in itertools.groupby(range(count), lambda n: n not in came)
        if is_lost
    ]
    # About 750 bursts, geometric: deviation of the mean length is sqrt(12 / 750) = 0.13.
    assert sum(runs) / len(runs) == pytest.approx(length, abs=0.6)
    assert sum(runs) / count == pytest.approx(0.05, abs=0.012)


def test_elliotts_states_lose_parts() -> None:
    way = Way(bursts=Bursts(share=0.1, length=20, bad_loss=0.5, good_loss=0.01))
    came = arrivals(way, evenly(60_000, 0.001))
    assert 1 - len(came) / 60_000 == pytest.approx(0.1, abs=0.015)


def test_jitter_is_within_its_bounds_and_is_used() -> None:
    way = Way(delay_ms=50, jitter_ms=20)
    delays = [at_s - 0.5 * payload for at_s, payload in arrivals(way, evenly(2000, 0.5))]
    assert 0.030 - 1e-9 <= min(delays) < 0.034
    assert 0.066 < max(delays) <= 0.070 + 1e-9
    assert sum(delays) / len(delays) == pytest.approx(0.050, abs=0.001)


def test_jitter_of_neighbours_is_alike() -> None:
    """Independent draws would come out at the upper bound, as nobody may pass."""
    way = Way(delay_ms=50, jitter_ms=20)
    delays = [at_s - 0.001 * payload for at_s, payload in arrivals(way, evenly(50_000, 0.001))]
    assert sum(delays) / len(delays) == pytest.approx(0.052, abs=0.004)


def test_reordered_packets_come_late_and_others_pass() -> None:
    way = Way(delay_ms=10, reordering=Reordering(0.1, 25))
    came = arrivals(way, evenly(5000, 0.01))
    late = [n for at_s, n in came if at_s - 0.01 * n > 0.02]
    assert len(late) / 5000 == pytest.approx(0.1, abs=0.025)
    assert {round(at_s - 0.01 * n, 6) for at_s, n in came} == {0.01, 0.035}
    assert [n for _, n in came] != sorted(n for _, n in came)


def test_duplicates_are_counted_and_come_twice() -> None:
    link: Link[int] = Link(Way(delay_ms=10, duplication=0.2), 5)
    came = Counter(payload for _, payload in run(link, evenly(5000, 0.001)))
    twice = sum(count == 2 for count in came.values())
    assert set(came.values()) == {1, 2}
    assert twice == link.statistics().duplicated
    assert twice / 5000 == pytest.approx(0.2, abs=0.03)


def test_a_policer_lets_a_burst_pass_and_then_its_rate() -> None:
    link: Link[int] = Link(Way(policer=Policer(800_000, 10_000)), 1)
    # 1,000 bytes each 2 ms are 4 Mbit/s: ten of burst, then one in five.
    came = run(link, evenly(1000, 0.002))
    assert [payload for _, payload in came[:10]] == list(range(10))
    assert len(came) == pytest.approx(10 + 200, abs=2)
    assert link.statistics().dropped["policer"] == 1000 - len(came)


def test_a_timetable_steps_the_rate_down_and_up() -> None:
    way = load_profile("step").downlink
    # 2.5 Mbit/s for 75 s: always more than the bottleneck takes.
    came = arrivals(way, evenly(23_437, 0.0032))
    bits = Counter[int]()
    for at_s, _ in came:
        bits[int(at_s // 25)] += 8000
    assert bits[0] / 25 == pytest.approx(2_000_000, rel=0.01)
    # What waits at the step, 300 ms of 2 Mbit/s, takes two seconds of the 300 kbit/s.
    assert bits[1] / 25 == pytest.approx(300_000, rel=0.01)
    assert bits[2] / 25 == pytest.approx(2_000_000, rel=0.02)


def test_a_packet_being_sent_at_a_step_goes_on_at_the_new_rate() -> None:
    way = Way(rate_bps=8_000, queue_bytes=5000, timetable=(Change(0.5, rate_bps=80_000),))
    # 1,000 bytes: half of them in half a second, the rest in a twentieth.
    assert arrivals(way, [(0.0, 1000)]) == [(pytest.approx(0.55), 0)]


def test_a_blackhole_takes_what_is_sent_or_queued_while_it_lasts() -> None:
    link: Link[int] = Link(load_profile("cut-15s").uplink, 4)
    came = run(link, evenly(400, 0.1))
    heard = {int(at_s) for at_s, _ in came}
    assert heard & set(range(21, 35)) == set()
    assert {19, 36} <= heard
    assert link.statistics().dropped["blackhole"] == 150
    queued: Link[int] = Link(Way(rate_bps=8_000, queue_bytes=5000), 1)
    queued.send(0.0, 1000, 0)
    queued.send(0.0, 1000, 1)
    queued.set_blackhole(1.5, True)
    queued.send(1.6, 1000, 2)
    queued.set_blackhole(3.0, False)
    queued.send(3.5, 1000, 3)
    assert queued.due(9.0) == [0, 3]
    assert queued.statistics().dropped["blackhole"] == 2


def test_a_blackhole_of_the_timetable_empties_the_queue_but_for_streams() -> None:
    dark = (Change(1.5, blackhole=True), Change(3, blackhole=False))
    link: Link[int] = Link(Way(rate_bps=8_000, queue_bytes=5000, timetable=dark), 1)
    for index in range(3):
        link.send(0.0, 1000, index)
    link.send(0.0, 1000, 3, Stream())
    assert take_until(link, 2.0) == [(1.0, 0)]
    assert (link.in_flight, link.queue_bytes) == (1, 1000)
    assert link.statistics().dropped["blackhole"] == 2
    assert take_until(link, 9.0) == [(4.0, 3)]


def test_what_is_inside_when_it_closes_is_counted() -> None:
    link: Link[int] = Link(Way(rate_bps=8_000, queue_bytes=5000, delay_ms=1000), 1)
    for index in range(3):
        link.send(0.0, 1000, index)
    assert link.due(1.5) == []
    link.close()
    assert link.statistics().dropped["closed"] == 3
    assert balance(link) == 0
    assert link.next_at() is None


def test_a_timetable_repeats() -> None:
    # Each time it begins as the way does: light, and a delay of nothing.
    dark = (Change(1, blackhole=True), Change(2, blackhole=False, delay_ms=5), Change(3, loss=1.0))
    came = arrivals(Way(timetable=dark, repeat_s=4), evenly(1200, 0.01))
    heard = {payload // 100 for _, payload in came}
    assert heard == {0, 2, 4, 6, 8, 10}
    assert {round(at_s - 0.01 * n, 6) for at_s, n in came if n // 100 % 4 == 0} == {0.0}


def test_a_wandering_rate_wanders_between_its_bounds() -> None:
    way = Way(wander=Wander(400_000, 4_000_000, 200), queue_ms=200)
    bits = Counter[int]()
    for at_s, _ in arrivals(way, evenly(60_000, 0.001)):
        bits[int(at_s)] += 8000
    rates = [bits[second] for second in range(1, 59)]
    assert min(rates) >= 380_000
    assert max(rates) <= 4_020_000
    assert max(rates) > 2 * min(rates)


def test_another_way_keeps_what_is_inside() -> None:
    link: Link[int] = Link(Way(rate_bps=8_000, queue_bytes=9000, delay_ms=100), 1)
    for index in range(3):
        link.send(0.0, 1000, index)
    assert take_until(link, 1.5) == [(pytest.approx(1.1), 0)]
    link.set_way(1.5, Way(delay_ms=10))
    assert take_until(link, 9.0) == [(1.51, 1), (1.51, 2)]


def test_a_lost_piece_of_a_stream_comes_a_round_trip_later_and_so_do_those_behind() -> None:
    link: Link[int] = Link(
        Way(delay_ms=50, timetable=(Change(1, loss=1.0), Change(2, loss=0.0))), 1
    )
    stream, came = Stream(), list[tuple[float, int]]()
    pieces = ((0.5, stream), (1.95, stream), (1.97, Stream()), (2.0, stream), (2.0, Stream()))
    for index, (at_s, of) in enumerate(pieces):
        came += take_until(link, at_s)
        link.send(at_s, 100, index, of)
    came += take_until(link, 9.0)
    assert [(round(at_s, 6), index) for at_s, index in came] == [
        (0.55, 0),
        (2.05, 4),
        (2.1, 1),
        (2.1, 3),
        (2.12, 2),
    ]
    assert link.statistics().stalled == 2
    assert sum(link.statistics().dropped.values()) == 0


def test_a_stream_waits_for_the_end_of_a_blackhole() -> None:
    link: Link[int] = Link(Way(delay_ms=50), 1)
    link.set_blackhole(1.0, True)
    link.send(1.5, 100, 0, Stream())
    link.send(1.5, 100, 1)
    assert link.next_at() is None
    link.set_blackhole(3.0, False)
    assert take_until(link, 9.0) == [(pytest.approx(3.05), 0)]


def test_has_room_is_what_a_full_queue_would_say() -> None:
    link: Link[int] = Link(Way(rate_bps=8_000, queue_bytes=2000), 1)
    assert link.has_room(5000), "an empty queue takes anything"
    link.send(0.0, 1500, 0, Stream())
    assert not link.has_room(1000)
    assert link.room_at() == pytest.approx(1.5)
    link.due(1.5)
    assert link.has_room(1000)


def test_a_link_holds_four_mebibytes_at_most() -> None:
    link: Link[int] = Link(Way(delay_ms=60_000), 1)
    for index in range(5000):
        link.send(0.0, 1000, index)
    assert link.in_flight == MAX_QUEUE_BYTES // 1000
    assert link.statistics().dropped["queue"] == 5000 - link.in_flight


def test_time_runs_forward_only() -> None:
    link: Link[int] = Link(Way(), 1)
    link.send(5.0, 100, 0)
    with pytest.raises(ValueError, match="forward"):
        link.due(4.9)
    with pytest.raises(ValueError, match="size"):
        link.send(5.0, 0, 1)


@pytest.mark.parametrize("name", profile_names())
def test_both_ways_of_a_profile_have_dice_of_their_own(name: str) -> None:
    path: Path[int] = Path(load_profile(name), 11)
    packets = evenly(3000, 0.02, 300)
    up, down = run(path.up, packets), run(path.down, packets)
    assert len(up) > 1000
    assert math.isfinite(up[-1][0])
    if name != "rtt-300":
        assert up != down or name in {"rate-100k", "step"}
