"""The library: what is found, by whom, in both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.roster.databases import postgres
from twinclass_recordings.library.access import Rights, Viewer, may
from twinclass_recordings.library.shelf import Asked, Change, Recorded, Shelf
from twinclass_recordings.library.terms import terms_asked, terms_of
from twinclass_server.roster.database import Database
from twinclass_signaling.roles import Role

__all__ = ["postgres"]

OPERATOR = Viewer(Role.OPERATOR, "operator")
LEAD = Viewer(Role.LEAD, "lead-1", frozenset({"school-1"}))
STRANGER = Viewer(Role.LEAD, "lead-2", frozenset({"school-2"}))
PUPIL = Viewer(Role.HOME_LEARNER, "pupil-1", lesson="algebra")
TAUGHT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def recorded(number: int, title: str, **more: object) -> Recorded:
    given_: dict[str, object] = {
        "subtitle": "七年级数学", "subject": "数学", "grade": "七年级", "lead_id": "lead-1",
        "lead_name": "示例老师", "schools": ("school-1",), "school_name": "示例一中",
    }  # fmt: skip
    given_ |= more
    return Recorded(
        f"lesson-{number}-1", f"lesson-{number}", title,
        taught_at=TAUGHT + timedelta(days=number), duration_s=2400.0, bytes=10**8, **given_,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    url = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    database = Database(url, tmp_path)
    database.migrate()
    made = Shelf(database.session)
    with database.session() as session:
        from twinclass_recordings.library.models import Entry

        session.query(Entry).delete()
    yield made
    database.close()


def titles(shelf: Shelf, viewer: Viewer, **asked: object) -> list[str]:
    return [entry.title for entry in shelf.search(viewer, Asked(**asked)).entries]  # type: ignore[arg-type]


def test_chinese_and_english_are_found_by_parts_of_words_and_while_typing(shelf: Shelf) -> None:
    shelf.take(recorded(1, "有理数的乘法"))
    shelf.take(recorded(2, "有理数的加减法"))
    shelf.take(recorded(3, "Unit 3 Holiday plans", subject="英语", subtitle="七年级英语"))
    assert titles(shelf, OPERATOR, text="乘法") == ["有理数的乘法"]
    assert titles(shelf, OPERATOR, text="有理数") == ["有理数的加减法", "有理数的乘法"]
    assert titles(shelf, OPERATOR, text="理数 减法") == ["有理数的加减法"]
    assert titles(shelf, OPERATOR, text="减") == ["有理数的加减法"]
    assert titles(shelf, OPERATOR, text="holi") == ["Unit 3 Holiday plans"]
    assert titles(shelf, OPERATOR, text="ＨＯＬＩＤＡＹ 英语") == ["Unit 3 Holiday plans"]
    assert titles(shelf, OPERATOR, text="乘除") == []
    assert titles(shelf, OPERATOR, text="%' OR 1=1 --") == []
    assert len(titles(shelf, OPERATOR, text="  ")) == 3


def test_a_title_weighs_more_than_a_description_and_new_ones_come_first(shelf: Shelf) -> None:
    for number in (1, 2, 3):
        shelf.take(recorded(number, f"第{number}课"))
    shelf.change("lesson-1-1", Change(title="勾股定理"))
    shelf.change("lesson-3-1", Change(description="用勾股定理"))
    assert titles(shelf, OPERATOR, text="勾股") == ["勾股定理", "第3课"]
    assert titles(shelf, OPERATOR) == ["第3课", "第2课", "勾股定理"]


def test_chips_count_what_would_be_found(shelf: Shelf) -> None:
    shelf.take(recorded(1, "有理数的乘法"))
    shelf.take(recorded(2, "有理数的加减法"))
    shelf.take(recorded(3, "Unit 3", subject="英语"))
    shelf.change("lesson-1-1", Change(points=("有理数", "乘法"), edition="人教版"))
    found = shelf.search(OPERATOR, Asked())
    assert found.total == 3
    assert found.facets["subject"] == [("数学", 2), ("英语", 1)]
    assert found.facets["edition"] == [("人教版", 1)]
    assert found.facets["point"] == [("乘法", 1), ("有理数", 1)]
    assert titles(shelf, OPERATOR, point="乘法") == ["有理数的乘法"]
    assert titles(shelf, OPERATOR, subject="英语") == ["Unit 3"]
    assert [len(titles(shelf, OPERATOR, size=2, page=page)) for page in (0, 1, 2)] == [2, 1, 0]


def test_who_may_not_see_an_entry_does_not_find_it_either(shelf: Shelf) -> None:
    shelf.take(recorded(1, "自己的课"))
    shelf.take(recorded(2, "别人的课", lead_id="lead-9"))
    assert titles(shelf, LEAD) == ["自己的课"]
    assert titles(shelf, STRANGER) == []
    shelf.change("lesson-2-1", Change(visibility="school"))
    assert titles(shelf, LEAD) == ["别人的课", "自己的课"]
    assert titles(shelf, STRANGER) == []
    shelf.change("lesson-2-1", Change(visibility="city"))
    assert titles(shelf, STRANGER) == ["别人的课"]
    assert titles(shelf, PUPIL) == []
    own = Viewer(Role.HOME_LEARNER, "pupil-1", lesson="lesson-1")
    assert titles(shelf, own) == ["自己的课"]
    for viewer in (OPERATOR, LEAD, STRANGER, PUPIL, own):
        listed = {entry.id for entry in shelf.search(viewer, Asked()).entries}
        for identifier in ("lesson-1-1", "lesson-2-1", "no-such"):
            assert (shelf.get(viewer, identifier) is not None) == (identifier in listed)


def test_a_lesson_taken_in_twice_keeps_what_people_wrote(shelf: Shelf) -> None:
    shelf.take(recorded(1, "有理数的乘法"))
    shelf.change("lesson-1-1", Change(title="乘法法则", points=("有理数",)))
    shelf.take(recorded(1, "有理数的乘法", state="transcoding"))
    [entry] = shelf.search(OPERATOR, Asked()).entries
    assert (entry.title, entry.points, entry.state) == ("乘法法则", ["有理数"], "transcoding")


def test_somebody_goes_on_where_they_stopped(shelf: Shelf) -> None:
    shelf.take(recorded(1, "有理数的乘法"))
    assert shelf.position("v1", "lesson-1-1") == 0.0
    shelf.stopped_at("v1", "lesson-1-1", 61.5)
    shelf.stopped_at("v1", "lesson-1-1", 125.0)
    shelf.stopped_at("v1", "no-such", 1.0)
    assert shelf.position("v1", "lesson-1-1") == 125.0
    assert shelf.position("v2", "lesson-1-1") == 0.0


@given(st.text(max_size=60))
def test_a_text_is_found_by_itself(text: str) -> None:
    stored = terms_of(text)
    terms, typed = terms_asked(text)
    assert set(terms) <= stored
    assert not typed or any(term.startswith(typed) for term in stored)
    assert len(terms_asked(text * 50)[0]) <= 24


@given(
    st.sampled_from(list(Role)),
    st.sampled_from(["lead-1", "lead-2"]),
    st.frozensets(st.sampled_from(["school-1", "school-2"])),
    st.sampled_from(["", "algebra", "other"]),
    st.sampled_from(["private", "school", "city"]),
    st.sampled_from(["see", "edit", "cut", "export", "delete", "usage"]),
)
def test_nobody_changes_what_is_not_theirs(
    role: Role, subject: str, schools: frozenset[str], lesson: str, visibility: str, action: str
) -> None:
    viewer = Viewer(role, subject, schools, lesson)
    entry = Rights("algebra", "lead-1", frozenset({"school-1"}), visibility)  # type: ignore[arg-type]
    allowed = may(viewer, action, entry)  # type: ignore[arg-type]
    if lesson:
        assert allowed == (action == "see" and lesson == "algebra")
    elif action != "see" and allowed:
        assert role in (Role.OPERATOR, Role.LIBRARIAN) or subject == "lead-1"
    elif role not in (Role.OPERATOR, Role.LIBRARIAN, Role.LEAD):
        assert not allowed
