"""The estimator on simulated lines, in virtual time: down, up, loss, jitter, holes, sharing."""

from __future__ import annotations

import pytest

from conftest import FigureTable
from media.bandwidth.simulated import LAYERS, Seen, Viewer, run
from twinclass_media.testing.netem.profile import load_profile

SEEDS = (1, 2, *(pytest.param(seed, marks=pytest.mark.full) for seed in (3, 4, 5)))
DOWN_S, UP_S = 25.0, 50.0
WHAT = "bandwidth, simulated"


def first(seen: list[Seen], after: float, layer: int) -> float:
    """When a layer is reached after a moment."""
    return next(one.at for one in seen if one.at > after and one.layer >= layer)


def share(viewer: Viewer, layer: int, since: float, until: float) -> float:
    """The share of a time in which at least this layer is shown."""
    seen = [one for one in viewer.seen if since <= one.at < until]
    return sum(one.layer >= layer for one in seen) / len(seen)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_line_that_falls_to_300_kbit_s_and_rises_again(seed: int, figures: FigureTable) -> None:
    [viewer] = run(load_profile("step"), seed, 80.0)
    seen = viewer.seen
    assert first(seen, 0.0, 2) < 20
    # Down: the queue at the bottleneck is short again within two seconds.
    late = [one for one in seen if DOWN_S + 2 < one.at < UP_S]
    assert max(one.queue_s for one in late) < 0.2
    above = sum(
        max(0.0, one.sent_bps - 300_000) for one in seen if DOWN_S < one.at < UP_S
    ) / 10  # fmt: skip
    above_s = above / 300_000
    next_s = first(seen, UP_S, 1) - UP_S
    top_s = first(seen, UP_S, 2) - UP_S
    figures.add(WHAT, f"step, seed {seed}: sent above 300 kbit/s, in seconds of the line",
                f"{above_s:.1f}", "2 s at twice the line")  # fmt: skip
    figures.add(WHAT, f"step, seed {seed}: next layer / top after the rise, s",
                f"{next_s:.1f} / {top_s:.1f}", "10 / 20")  # fmt: skip
    assert next_s < 10
    assert top_s < 20


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["loss-5", "loss-15"])
def test_random_loss_does_not_take_the_picture(name: str, seed: int) -> None:
    [viewer] = run(load_profile(name), seed, 60.0)
    assert share(viewer, 1, 10, 60) > 0.95
    assert max(one.queue_s for one in viewer.seen) < 0.2


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["weak", "4g-weak"])
def test_a_weak_radio_line_keeps_a_picture(name: str, seed: int, figures: FigureTable) -> None:
    [viewer] = run(load_profile(name), seed, 90.0)
    shown = share(viewer, 0, 5, 90)
    figures.add(WHAT, f"{name}, seed {seed}: time with a picture / with the middle layer",
                f"{shown:.0%} / {share(viewer, 1, 5, 90):.0%}")  # fmt: skip
    assert shown > 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_hole_of_fifteen_seconds_the_picture_is_back(
    seed: int, figures: FigureTable
) -> None:
    profile = load_profile("cut-15s")
    [viewer] = run(profile, seed, 60.0)
    holes = [change.at_s for change in profile.downlink.timetable]
    assert len(holes) >= 2
    back = holes[1]
    mid_s = first(viewer.seen, back, 1) - back
    figures.add(WHAT, f"hole of 15 s, seed {seed}: middle layer after it, s", f"{mid_s:.1f}", "10")
    assert mid_s < 10


def test_sound_is_sent_whatever_the_line_is_thought_to_carry() -> None:
    [viewer] = run(load_profile("rate-100k"), 1, 60.0)
    late = [one for one in viewer.seen if one.at > 10]
    assert all(one.sent_bps > 40_000 for one in late)
    assert max(one.queue_s for one in late) < 0.3
    assert late[-1].sound_lost < 0.03


def test_an_ordinary_line_is_used_whole_and_stays_so() -> None:
    [viewer] = run(load_profile("city"), 1, 120.0)
    assert first(viewer.seen, 0.0, len(LAYERS) - 1) < 10
    assert share(viewer, 2, 10, 120) > 0.98
    assert max(one.queue_s for one in viewer.seen) < 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_three_viewers_on_one_line_all_have_a_picture(seed: int, figures: FigureTable) -> None:
    people = run(load_profile("county"), seed, 60.0, viewers=3)
    assert all(share(one, 0, 10, 60) > 0.95 for one in people)
    rates = [8 * one.sent_total / 60 for one in people]
    jain = sum(rates) ** 2 / (3 * sum(rate * rate for rate in rates))
    figures.add(WHAT, f"county, 3 viewers, seed {seed}: Jain's index", f"{jain:.2f}", "0.9")


def test_the_same_seed_is_the_same_evening() -> None:
    once, again = (run(load_profile("weak"), 7, 20.0)[0].seen for _ in range(2))
    assert once == again
