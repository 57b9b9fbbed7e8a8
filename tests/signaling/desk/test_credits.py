"""Points, their cap, corrections, and what a rating may show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinclass_signaling.desk import credits as rules
from twinclass_signaling.desk.credits import CAP_A_TERM, Entry, Rates, Rating
from twinclass_signaling.errors import Conflict

RATES = Rates()
GOOD, POOR = Rating(2, 2, 2), Rating(0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "seconds", "rating", "points"),
    [
        ("one_to_one", 480, None, 8),
        ("one_to_one", 480, GOOD, 8),
        ("one_to_one", 480, POOR, 6),
        ("one_to_one", 1800, None, 30),
        ("one_to_one", 59, None, 0),
        ("one_to_one", 90, None, 2),
        ("one_to_many", 1800, None, 45),
        ("one_to_many", 1800, POOR, 36),
        ("written", 0, None, 3),
        ("written", 0, POOR, 2),
    ],
)
def test_points_go_by_minutes_and_a_part_by_the_rating(
    kind: rules.HelpKind, seconds: float, rating: Rating | None, points: int
) -> None:
    assert rules.points_for(kind, seconds, rating, RATES) == points


def test_a_tutor_with_4990_points_gets_eight_then_two_and_is_told_why() -> None:
    first = rules.earn(4_990, 8, "session")
    second = rules.earn(4_990 + first.points, 8, "session")
    third = rules.earn(5_000, 8, "session")
    assert (first.points, first.reason, first.yuan) == (8, "session", 80)
    assert (second.points, second.reason, second.asked, second.yuan) == (2, "cap", 8, 20)
    assert (third.points, third.reason) == (0, "cap")


def test_a_line_is_taken_back_whole_and_once() -> None:
    ledger = [Entry("a", "earn", 8, "session"), Entry("b", "earn", 2, "cap", 8)]
    back = rules.reverse(ledger, "b")
    assert (back.points, back.of) == (-2, "b")
    ledger.append(Entry("c", "reverse", -2, "reversal", of="b"))
    for wrong in ("b", "c"):
        with pytest.raises(Conflict, match="already_reversed"):
            rules.reverse(ledger, wrong)
    with pytest.raises(Conflict, match="entry_unknown"):
        rules.reverse(ledger, "x")
    assert rules.total(ledger) == 8


def test_corrections_stay_between_nothing_and_the_cap() -> None:
    assert rules.adjust(4_995, 20).points == 5
    assert rules.adjust(10, -20).points == -10
    assert rules.adjust(10, -5).reason == "correction"
    with pytest.raises(Conflict):
        rules.adjust(10, 0)
    with pytest.raises(Conflict):
        rules.earn(0, -1, "session")


@given(st.lists(st.tuples(st.sampled_from(["earn", "adjust", "reverse"]), st.integers(-900, 900))))
def test_no_order_of_lines_leaves_the_bounds(found: list[tuple[str, int]]) -> None:
    ledger = [Entry("first", "earn", 4_200, "session")]
    for kind, number in found:
        term_sum = rules.total(ledger)
        try:
            if kind == "earn":
                award = rules.earn(term_sum, abs(number), "session")
            elif kind == "adjust":
                award = rules.adjust(term_sum, number)
            else:
                award = rules.reverse(ledger, ledger[number % len(ledger)].id)
        except Conflict:
            continue
        ledger.append(
            Entry(str(len(ledger)), award.kind, award.points, award.reason, award.asked, award.of)
        )
        assert rules.total(ledger) <= CAP_A_TERM


def test_a_rating_is_shown_from_five_on() -> None:
    assert rules.summary([GOOD] * 4) is None
    found = rules.summary([GOOD] * 4 + [POOR])
    assert found is not None
    assert (found.count, found.understood) == (5, 1.6)
