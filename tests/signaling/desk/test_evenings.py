"""Whole evenings: scenario 14's first minute, and a city's hour against Erlang's formula."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from conftest import FigureTable
from hosting.desk import OPENS, duty, plan
from hosting.desk_evening import Behaviour, Simulation, arrivals, exponential, lognormal
from twinclass_signaling.desk.plan import Limits, Typical

CLOSES = OPENS + 90 * 60


def first_minute(bank: float, seed: int) -> Simulation:
    """60 questions in the first minute of 1,200 pupils, 11 tutors, eight minutes a help."""
    desk = plan(
        [duty(f"tutor-{n}") for n in range(1, 12)],
        subjects=("maths",),
        grades=(7,),
        typical=(Typical("maths", 480, 50),),
    )
    how = Behaviour(lognormal(480), bank=bank, written=0.7, refuse=0.05)
    run = Simulation(desk, how, seed)
    run.on_duty(11)
    for n in range(1, 1201):
        if n <= 60:
            run.asks(OPENS + run.rng.uniform(0, 60), n)
    run.run(CLOSES + 1800)
    return run


@pytest.mark.parametrize("bank", [0.0, 0.35, 0.7])
def test_sixty_questions_in_the_first_minute_all_come_to_something(
    figures: FigureTable, bank: float
) -> None:
    within: list[float] = []
    states: Counter[str] = Counter()
    offers: list[float] = []
    for seed in range(6):
        run = first_minute(bank, seed)
        state = run.desk.state
        answered = 0
        for number, told in run.told.items():
            question = state.questions[number]
            states[question.state] += 1
            if told.bank_at is not None:
                assert told.bank_at - question.asked_at <= 3
                answered += 1
                continue
            assert told.queued_at - question.asked_at <= 3
            if told.free_at_queue:
                assert told.offered_at is not None
                offers.append(told.offered_at - told.queued_at)
            in_time = told.claimed_at is not None and told.claimed_at - told.queued_at <= 300
            answered += in_time
            # Whoever was not offered to anybody within five minutes saw the ladder at the fifth.
            is_offered = told.offered_at is not None and told.offered_at - told.queued_at <= 300
            assert is_offered or told.ladder_at is not None
            if told.ladder_at is not None:
                # At the fifth minute, or when the offer of that moment had come to nothing.
                assert 299.9 <= told.ladder_at - told.queued_at <= 300 + 20
            # Nobody is without an answer by 22:00.
            assert question.state in {"resolved", "answered_async"}, question
        within.append(answered / len(run.told))
        warned = {
            event.session: at  # type: ignore[union-attr]
            for event, at in run.desk.log
            if type(event).__struct_config__.tag == "session_warned"
        }
        for session in state.sessions.values():
            assert session.ended_at is not None
            assert session.ended_at - session.started_at <= 1800
            if session.reason == "time":
                assert session.ends_at - warned[session.number] == pytest.approx(120)
    share = sum(within) / len(within)
    figures.add(
        "evening desk, scenario 14",
        f"answered or taken by somebody within 5 min, bank finds {bank:.0%}",
        f"{share:.0%}; the others were shown the ladder at 5 min, all answered by 22:00",
        "95 %, others 1:n or written",
    )
    figures.add(
        "evening desk, scenario 14",
        "offer when a tutor is free, longest",
        f"{max(offers):.3f} s",
        "2 s",
    )
    assert max(offers) <= 2
    assert states["expired"] == 0
    if bank >= 0.7:
        assert share >= 0.95


def erlang_c(load: float, tutors: int) -> float:
    """Returns the share that has to wait, by Erlang's recursion for the blocked share."""
    blocked = 1.0
    for n in range(1, tutors + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked / (1 - load / tutors * (1 - blocked))


def test_erlang_s_formula_gives_the_figures_of_the_design() -> None:
    waits = erlang_c(8, 11)
    assert waits * math.exp(-(11 - 8) * 300 / 480) == pytest.approx(0.04, abs=0.005)
    assert waits * 480 / (11 - 8) / 60 == pytest.approx(0.7, abs=0.05)


@pytest.mark.parametrize("desks", [5, pytest.param(20, marks=pytest.mark.full)])
def test_a_city_s_hour_over_many_desks_goes_as_predicted(figures: FigureTable, desks: int) -> None:
    """12,554 questions on 20 desks, or a quarter of them on five; the bank answers 60 %, so 1,674
    Erlang become 670 on 720 tutors."""
    tutors, bank = 36, 0.6
    warm, hour = 1200.0, 3600.0
    waits: list[float] = []
    held_s = held = questions = commands = 0.0
    for seed in range(desks):
        desk = plan(
            [duty(f"tutor-{n}") for n in range(1, tutors + 1)],
            subjects=("maths",),
            grades=(7,),
            # Long enough that a help of a mean of eight minutes is cut off by 30 min only.
            limits=Limits(one_to_one_s=1800),
            typical=(Typical("maths", 480, 50),),
        )
        run = Simulation(desk, Behaviour(exponential(480), bank=bank), seed)
        run.on_duty(tutors)
        for n, at in enumerate(arrivals(run.rng, 12_554 / 20, OPENS, warm + hour), 1):
            run.asks(at, n)
        run.run(OPENS + warm + hour + 900)
        commands += run.commands
        for number, told in run.told.items():
            asked = run.desk.state.questions[number].asked_at
            if not warm <= asked - OPENS <= warm + hour:
                continue
            questions += 1
            if told.queued_at:
                assert told.offered_at is not None
                waits.append(told.offered_at - told.queued_at)
        seen = run.desk.state.seen["maths"]
        held_s, held = held_s + seen.done_s, held + seen.done
    # A tutor is taken from the offer on; she needs 2.5 s to accept.
    service_s = held_s / held + 2.5
    per_hour = len(waits) / desks
    load = per_hour * service_s / 3600
    predicted = erlang_c(load, tutors)
    predicted_wait_s = predicted * service_s / (tutors - load)
    waited = sum(wait > 0.5 for wait in waits) / len(waits)
    mean_wait_s = sum(waits) / len(waits)
    late = sum(wait > 300 for wait in waits) / len(waits)
    predicted_late = predicted * math.exp(-(tutors - load) * 300 / service_s)
    figures.add(
        "evening desk, a city's hour",
        f"{questions:.0f} questions on {desks} desks, {load:.1f} Erlang on {tutors} tutors each:"
        " who waits, mean wait, more than 5 min",
        f"{waited:.0%}, {mean_wait_s:.0f} s, {late:.1%}",
        f"Erlang C {predicted:.0%}, {predicted_wait_s:.0f} s, {predicted_late:.1%}",
    )
    assert questions == pytest.approx(12_554 * desks / 20, rel=0.05)
    # Waits of one hour hang together: five desks scatter more than twenty.
    assert waited == pytest.approx(predicted, abs=0.1)
    assert mean_wait_s == pytest.approx(predicted_wait_s, rel=0.35 if desks == 20 else 0.6)
    assert commands > 3_000 * desks
