"""What was watched is counted from the log alone, to the unit, in both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.test_library import LEAD, OPERATOR, recorded
from server.roster.databases import postgres
from twinclass_recordings.library import plays
from twinclass_recordings.library.models import Entry
from twinclass_recordings.library.opening import Rated, rating
from twinclass_recordings.library.plays import Watched, Watcher, Weights
from twinclass_recordings.library.shelf import Shelf
from twinclass_recordings.library.usage import Plays, term_before
from twinclass_server.roster.database import Database

__all__ = ["postgres"]

ZONE = ZoneInfo("Asia/Shanghai")
#: 08:00 of 2 November in Shenzhen.
MORNING = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)
LESSON_S = 2400.0


def watched(
    group: str, from_s: float, to_s: float, *, kind: Watcher = "class", school: str = "school-2",
    at: datetime = MORNING, view: str = "", viewer: str = "t",
) -> Watched:  # fmt: skip
    return Watched(view or f"view-{group}", group, viewer, school, kind, at, from_s, to_s)


def test_a_class_counts_once_a_day_however_often_it_is_shown() -> None:
    rows = [
        watched("c1", 0, 100),
        watched("c1", 100, 200, at=MORNING + timedelta(hours=3), view="again"),
        watched("c1", 0, 100, at=MORNING + timedelta(days=1), view="next day"),
        watched("h1", 0, 40, kind="home", school=""),
        watched("t1", 0, 12, kind="staff", school=""),
    ]
    found = plays.usage(rows, LESSON_S, ZONE)
    assert (found.plays, found.classes, found.homes, found.schools) == (3, 1, 1, 1)
    assert [(d.day, d.plays) for d in found.days] == [("2026-11-02", 2), ("2026-11-03", 1)]


def test_the_day_is_the_schools_day() -> None:
    evening = datetime(2026, 11, 2, 15, 59, tzinfo=UTC)
    rows = [watched("c1", 0, 60, at=evening), watched("c1", 0, 60, at=evening + timedelta(hours=2))]
    assert plays.plays(rows, LESSON_S, ZONE) == {
        ("c1", date(2026, 11, 2)), ("c1", date(2026, 11, 3)),
    }  # fmt: skip


def test_what_is_shorter_than_a_look_needs_half_of_it() -> None:
    assert plays.plays([watched("c1", 0, 9)], 20.0, ZONE) == set()
    assert len(plays.plays([watched("c1", 0, 10)], 20.0, ZONE)) == 1


def test_completion_counts_every_second_once() -> None:
    rows = [watched("c1", 0, 600), watched("c1", 300, 900), watched("c2", 0, 2400)]
    found = plays.usage(rows, LESSON_S, ZONE)
    assert found.completion == plays.Completion(0.6875, 1)
    assert len(found.buckets) == 80
    assert found.buckets[:2] == (2.0, 2.0)
    assert found.buckets[15] == 3.0
    assert plays.times_of(found.buckets, 300, 600) == 3.0
    assert plays.times_of(found.buckets, 2000, 3000) == pytest.approx(0.4)


def test_only_classes_of_other_schools_that_saw_most_of_it_adopt_it() -> None:
    rows = [
        watched("c1", 0, 1440),
        watched("c2", 0, 1439),
        watched("c3", 0, 2400, school="school-1"),
        watched("h1", 0, 2400, kind="home", school=""),
    ]
    line = plays.effect(rows, LESSON_S, ZONE, frozenset({"school-1"}), frozenset(), {}, Weights())
    assert (line.adopting_classes, line.plays, line.home_pupils) == (1, 4, 1)
    assert line.reuse is None
    assert line.rating is None


def test_the_effect_is_of_the_weights_that_are_published() -> None:
    rows = [watched(f"c{n}", 0, 2400, viewer=f"t{n}") for n in range(20)]
    before = frozenset({"t1", "t2", "gone", "left"})
    stars = {f"v{n}": 5 for n in range(20)}
    line = plays.effect(rows, LESSON_S, ZONE, frozenset(), before, stars, Weights())
    assert (line.adopting_classes, line.reuse, line.rating) == (20, 0.5, 5.0)
    assert line.effect == pytest.approx(100 * (0.85 - 0.15 * 0.5) / 0.85, abs=0.05)
    few = plays.effect(rows, LESSON_S, ZONE, frozenset(), before, {"v1": 5}, Weights())
    assert (few.rating, few.raters) == (None, 1)


_rows = st.lists(
    st.builds(
        lambda g, f, length, day, kind, view: watched(
            g, f, f + length, kind=kind, at=MORNING + timedelta(hours=day), view=view
        ),
        st.sampled_from(["c1", "c2", "c3"]),
        st.floats(-5, 2500),
        st.floats(0, 900),
        st.integers(0, 100),
        st.sampled_from(["class", "home", "staff"]),
        st.sampled_from(["v1", "v2", "v3"]),
    ),
    max_size=30,
)


@given(_rows, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_a_figure(
    rows: list[Watched], chance: random.Random
) -> None:
    told = [*rows, *(chance.choices(rows, k=5) if rows else [])]
    chance.shuffle(told)
    first, second = plays.usage(rows, LESSON_S, ZONE), plays.usage(told, LESSON_S, ZONE)
    assert first == second
    assert all(0 <= done <= 1 for done in plays.completions(rows, LESSON_S).values())
    assert first.plays == sum(day.plays for day in first.days)


@pytest.mark.parametrize(
    ("day", "before", "current"),
    [
        (date(2026, 11, 1), date(2026, 2, 1), date(2026, 9, 1)),
        (date(2027, 1, 1), date(2026, 2, 1), date(2026, 9, 1)),
        (date(2027, 3, 1), date(2026, 9, 1), date(2027, 2, 1)),
    ],
)
def test_the_term_before(day: date, before: date, current: date) -> None:
    assert term_before(day) == (before, current)


@pytest.fixture(params=["sqlite", "postgresql"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    url = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    database = Database(url, tmp_path)
    database.migrate()
    made = Shelf(database.session)
    with database.session() as session:
        ids = [entry.id for entry in session.query(Entry)]
    for identifier in ids:
        made.remove(identifier)
    yield made
    database.close()


def test_a_months_sheet_is_of_that_month_and_of_ones_own_lessons(shelf: Shelf) -> None:
    log = Plays(shelf.sessions, ZONE)
    shelf.take(recorded(1, "有理数的乘法"))
    shelf.take(recorded(2, "别人的课", lead_id="lead-9"))
    spring = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    for at in (spring, MORNING):
        log.tell("lesson-1-1", [watched("c1", 0, 2400, at=at, view=f"v{at:%m}")])
    log.tell("lesson-1-1", [watched("c1", 0, 2400, view="v11")])
    log.tell("lesson-2-1", [watched("c2", 0, 1200, at=MORNING + timedelta(days=40))])
    log.tell("no-such", [watched("c1", 0, 10)])
    more = [watched("c1", 0, 2400, view="v11"), watched("c1", 0, 300, view="v11")]
    assert not log.tell("lesson-1-1", more, 2600.0), "it has told of 2,400 s, twice, before"

    lines = log.sheet(OPERATOR, "2026-11", lambda _: frozenset({"school-1"}))
    assert [line.id for line in lines] == ["lesson-1-1"]
    assert (lines[0].effect.adopting_classes, lines[0].effect.plays) == (1, 1)
    assert lines[0].effect.reuse == 1.0
    assert [line.id for line in log.sheet(OPERATOR, "2026-12", lambda _: frozenset())] == [
        "lesson-2-1"
    ]
    assert [line.id for line in log.sheet(LEAD, "2026-11", lambda _: frozenset())] == ["lesson-1-1"]
    assert log.sheet(LEAD, "2026-12", lambda _: frozenset()) == []
    assert log.sheet(OPERATOR, "2026-11", lambda _: frozenset({"school-1"})) == lines

    for identifier in ("lesson-1-1", "no-such"):
        log.count(identifier)
    found = shelf.get(OPERATOR, "lesson-1-1")
    assert found is not None
    assert found[0].plays == 2


def test_a_rating_is_shown_when_enough_gave_one(shelf: Shelf) -> None:
    log = Plays(shelf.sessions, ZONE)
    shelf.take(recorded(1, "有理数的乘法"))
    found = shelf.get(OPERATOR, "lesson-1-1")
    assert found is not None

    def rated(viewer: str) -> Rated:
        return rating(shelf.sessions, found[0].key, viewer)

    for number in range(plays.MIN_RATERS - 1):
        log.rate("lesson-1-1", f"v{number}", 4)
    assert rated("v1") == Rated(4, None, 19)
    log.rate("lesson-1-1", "v1", 3)
    log.rate("lesson-1-1", "new", 5)
    assert rated("v1") == Rated(3, 4.0, 20)
    assert rated("nobody") == Rated(None, 4.0, 20)
