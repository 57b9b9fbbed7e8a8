"""The index finds what a plain look at every entry would, whatever was changed before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.test_library import LEAD, OPERATOR, PUPIL, STRANGER
from twinclass_recordings.library.access import Rights, Viewer, may
from twinclass_recordings.library.index import Asked, Card, Index, weights_of
from twinclass_recordings.library.terms import terms_asked

TAUGHT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
TITLES = ["有理数的乘法", "有理数", "乘法 Holiday", "holidays 三", "Ünit 第3课", ""]

cards = st.builds(
    lambda key, title, subject, points, lead, schools, visibility, minutes, plays: Card(
        key=key, id=f"lesson-{key}", kind="lesson", lesson="algebra" if key == 1 else "other",
        title=title, subtitle="", description="", subject=subject, grade="七年级", edition="",
        points=tuple(points), lead=lead, lead_name="", school_name="", schools=tuple(schools),
        visibility=visibility, taught_at=(TAUGHT + timedelta(minutes=minutes)).timestamp(),
        duration_s=60.0, plays=plays, state="ready", has_cover=False,
    ),
    st.integers(1, 6),
    st.sampled_from(TITLES),
    st.sampled_from(["数学", "英语", ""]),
    st.lists(st.sampled_from(["乘法", "时态"]), unique=True),
    st.sampled_from(["lead-1", "lead-9"]),
    st.lists(st.sampled_from(["school-1", "school-2"]), unique=True),
    st.sampled_from(["private", "school", "city"]),
    st.integers(0, 5),
    st.integers(0, 3),
)  # fmt: skip
asked = st.builds(
    Asked,
    text=st.sampled_from(
        ["", "有理数", "乘", "holi", "乘法 ", "乘法 holiday", "nothing", "h", "%"]
    ),
    subject=st.sampled_from(["", "数学", "物理"]),
    point=st.sampled_from(["", "乘法", "unknown"]),
    school=st.sampled_from(["", "school-1", "unknown"]),
    order=st.sampled_from(["relevance", "new", "plays"]),
    page=st.integers(-1, 3),
    size=st.integers(0, 4),
)


def plainly(there: dict[int, Card], viewer: Viewer, wish: Asked) -> list[Card]:
    """All that is found, by looking at every entry."""
    terms, typed = terms_asked(wish.text)
    found: list[tuple[float, Card]] = []
    for card in there.values():
        rights = Rights(card.lesson, card.lead, frozenset(card.schools), card.visibility)
        weights = weights_of(card)
        begun = [weight for term, weight in weights.items() if typed and term.startswith(typed)]
        if (
            may(viewer, "see", rights)
            and wish.subject in ("", card.subject)
            and (not wish.point or wish.point in card.points)
            and (not wish.school or wish.school in card.schools)
            and all(term in weights for term in terms)
            and (not typed or begun)
        ):
            score = sum(weights[term] for term in terms) + max(begun, default=0)
            by = {"relevance": score, "plays": card.plays, "new": 0}[wish.order]
            found.append((by, card))
    return [c for _, c in sorted(found, key=lambda one: (-one[0], -one[1].taught_at))]


@settings(max_examples=300)
@given(
    st.lists(st.one_of(cards, st.integers(1, 6)), max_size=14),
    st.sampled_from([OPERATOR, LEAD, STRANGER, PUPIL]),
    asked,
)
def test_the_index_finds_what_a_look_at_every_entry_does(
    steps: list[Card | int], viewer: Viewer, wish: Asked
) -> None:
    index, there = Index(), dict[int, Card]()
    for step in steps:
        # An answer of before must not be kept.
        index.search(viewer, wish)
        if isinstance(step, int):
            index.remove(step)
            there.pop(step, None)
        else:
            index.put(step)
            there[step.key] = step
    found, all_of_it = index.search(viewer, wish), plainly(there, viewer, wish)
    size = max(1, wish.size)
    first = max(0, wish.page) * size
    expected = all_of_it[first : first + size]
    # Of those that rank alike and were taught at one moment any order is right.
    assert found.total == len(all_of_it)
    assert [card.taught_at for card in found.cards] == [card.taught_at for card in expected]
    assert {card.key for card in found.cards} <= {card.key for card in all_of_it}
    for name, value in (("subject", "数学"), ("point", "乘法")):
        counted = dict(found.facets[name]).get(value, 0)
        values = [(c.subject,) if name == "subject" else c.points for c in all_of_it]
        assert counted == sum(value in one for one in values)
    assert len(index) == len(there)
