"""The library: what is found, by whom, in both databases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.roster.databases import postgres
from twinclass_recordings.library import retention
from twinclass_recordings.library.access import Rights, Viewer, may
from twinclass_recordings.library.catalogue import Catalogue
from twinclass_recordings.library.index import Asked, Found
from twinclass_recordings.library.opening import hanging
from twinclass_recordings.library.shelf import Change, Recorded, Shelf
from twinclass_recordings.library.terms import terms_asked, terms_of
from twinclass_server.roster.database import DESK, LIBRARY, SCHEMAS, Database, Schema
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
    return [card.title for card in search(shelf, viewer, **asked).cards]


def search(shelf: Shelf, viewer: Viewer, **asked: object) -> Found:
    catalogue = Catalogue(shelf.sessions)
    catalogue.refresh()
    return catalogue.search(viewer, Asked(**asked))  # type: ignore[arg-type]


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
    found = search(shelf, OPERATOR)
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
        listed = {card.id for card in search(shelf, viewer).cards}
        for identifier in ("lesson-1-1", "lesson-2-1", "no-such"):
            assert (shelf.get(viewer, identifier) is not None) == (identifier in listed)


def test_a_lesson_taken_in_twice_keeps_what_people_wrote(shelf: Shelf) -> None:
    shelf.take(recorded(1, "有理数的乘法"))
    shelf.change("lesson-1-1", Change(title="乘法法则", points=("有理数",)))
    shelf.take(recorded(1, "有理数的乘法", state="transcoding"))
    [card] = search(shelf, OPERATOR).cards
    assert (card.title, card.points, card.state) == ("乘法法则", ("有理数",), "transcoding")


def position(shelf: Shelf, viewer: str) -> float:
    found = shelf.get(OPERATOR, "lesson-1-1")
    assert found is not None
    return hanging(shelf.sessions, found[0].key, viewer, is_package=False).position_s


def test_somebody_goes_on_where_they_stopped(shelf: Shelf) -> None:
    shelf.take(recorded(1, "有理数的乘法"))
    assert position(shelf, "v1") == 0.0
    shelf.stopped_at("v1", "lesson-1-1", 61.5)
    shelf.stopped_at("v1", "lesson-1-1", 125.0)
    shelf.stopped_at("v1", "no-such", 1.0)
    assert position(shelf, "v1") == 125.0
    assert position(shelf, "v2") == 0.0


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


def package(root: Path, recording: str) -> Path:
    folder = root / recording
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "0001.mp4").write_bytes(b"sound and picture")
    (folder / "manifest.json").write_bytes(b"{}")
    return folder


def test_media_goes_when_its_time_is_over_and_a_receipt_says_so(
    shelf: Shelf, tmp_path: Path
) -> None:
    root, proofs = tmp_path / "recordings", tmp_path / "proofs"
    for number, until in ((1, date(2026, 11, 1)), (2, date(2026, 12, 1)), (3, None)):
        shelf.take(recorded(number, f"第{number}课", keep_until=until))
        package(root, f"lesson-{number}-1")
    shelf.stopped_at("v", "lesson-1-1", 5.0)
    today = date(2026, 11, 2)
    assert retention.run(shelf, root, proofs, today, dry_run=True) == ["lesson-1-1"]
    assert (root / "lesson-1-1").exists()
    assert retention.run(shelf, root, proofs, today) == ["lesson-1-1"]
    assert sorted(path.name for path in root.iterdir()) == ["lesson-2-1", "lesson-3-1"]
    assert titles(shelf, OPERATOR, text="第") == ["第3课", "第2课"]
    receipt = json.loads((proofs / "lesson-1-1.json").read_bytes())
    assert receipt["deleted_at"]
    [manifest, part] = receipt["files"]
    assert (manifest["name"], part["name"]) == ("manifest.json", "parts/0001.mp4")
    assert part["sha256"] == hashlib.sha256(b"sound and picture").hexdigest()
    assert retention.run(shelf, root, proofs, today) == []


def test_a_deletion_that_was_interrupted_is_finished_with_its_first_receipt(
    shelf: Shelf, tmp_path: Path
) -> None:
    root, proofs = tmp_path / "recordings", tmp_path / "proofs"
    shelf.take(recorded(1, "第1课", keep_until=date(2026, 11, 1)))
    folder = package(root, "lesson-1-1")
    with pytest.MonkeyPatch.context() as patch:
        # As if it was killed when half was gone.
        def half(path: Path) -> None:
            (path / "manifest.json").unlink()
            raise OSError("killed")

        patch.setattr(retention.shutil, "rmtree", half)
        assert retention.run(shelf, root, proofs, date(2026, 11, 2)) == []
    assert folder.exists()
    assert titles(shelf, OPERATOR) == ["第1课"]
    assert retention.run(shelf, root, proofs, date(2026, 11, 2)) == ["lesson-1-1"]
    receipt = json.loads((proofs / "lesson-1-1.json").read_bytes())
    assert len(receipt["files"]) == 2
    assert receipt["deleted_at"]


def test_a_receipt_stays_when_the_database_was_away_after_the_deletion(
    shelf: Shelf, tmp_path: Path
) -> None:
    root, proofs = tmp_path / "recordings", tmp_path / "proofs"
    shelf.take(recorded(1, "第1课", keep_until=date(2026, 11, 1)))
    package(root, "lesson-1-1")

    def fails(_: str) -> None:
        raise OSError("the disk is away")

    assert retention.run(shelf, root, proofs, date(2026, 11, 2), forget=fails) == []
    assert titles(shelf, OPERATOR) == ["第1课"]
    assert retention.run(shelf, root, proofs, date(2026, 11, 2)) == ["lesson-1-1"]
    receipt = json.loads((proofs / "lesson-1-1.json").read_bytes())
    assert len(receipt["files"]) == 2


def test_what_somebody_keeps_while_others_are_deleted_stays(shelf: Shelf, tmp_path: Path) -> None:
    root, proofs = tmp_path / "recordings", tmp_path / "proofs"
    for number in (1, 2):
        shelf.take(recorded(number, f"第{number}课", keep_until=date(2026, 10, number)))
        package(root, f"lesson-{number}-1")

    def forget(_: str) -> None:
        shelf.keep("lesson-2-1", None)

    gone = retention.run(shelf, root, proofs, date(2026, 11, 2), forget=forget)
    assert gone == ["lesson-1-1"]
    assert (root / "lesson-2-1").exists()


def test_a_link_that_somebody_put_there_is_not_followed(shelf: Shelf, tmp_path: Path) -> None:
    root, proofs = tmp_path / "recordings", tmp_path / "proofs"
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("keep me")
    for number in (1, 2):
        shelf.take(recorded(number, f"第{number}课", keep_until=date(2026, 11, 1)))
    package(root, "lesson-1-1")
    (root / "lesson-1-1" / "away").symlink_to(precious)
    (root / "lesson-2-1").symlink_to(precious)
    assert retention.run(shelf, root, proofs, date(2026, 11, 2)) == ["lesson-1-1"]
    assert (precious / "file").read_text() == "keep me"
    assert titles(shelf, OPERATOR) == ["第2课"]


def test_what_was_chosen_to_be_kept_stays(shelf: Shelf, tmp_path: Path) -> None:
    shelf.take(recorded(1, "第1课", keep_until=date(2026, 11, 1)))
    shelf.keep("lesson-1-1", None)
    shelf.take(recorded(1, "第1课", keep_until=date(2026, 11, 1)))
    assert retention.run(shelf, tmp_path, tmp_path / "proofs", date(2027, 1, 1)) == []


def test_a_catalogue_sees_what_other_servers_write_and_take_away(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalogue(shelf.sessions)
    assert not catalogue.is_loaded
    catalogue.refresh()
    assert catalogue.search(OPERATOR, Asked()).total == 0
    shelf.take(recorded(1, "有理数的乘法"))
    shelf.take(recorded(2, "有理数"))
    catalogue.refresh()
    assert catalogue.search(OPERATOR, Asked(text="乘法")).total == 1
    shelf.change("lesson-1-1", Change(title="勾股定理"))
    shelf.remove("lesson-2-1")
    catalogue.refresh()
    assert catalogue.search(OPERATOR, Asked(text="乘法")).total == 0
    assert [card.title for card in catalogue.search(OPERATOR, Asked()).cards] == ["勾股定理"]
    # Somebody's clock was wrong: what is written later is found all the same.
    ahead = Shelf(shelf.sessions, now=lambda: datetime.now(UTC) + timedelta(days=400))
    ahead.change("lesson-1-1", Change(description="从前"))
    catalogue.refresh()
    shelf.take(recorded(3, "平行四边形"))
    catalogue.refresh()
    assert catalogue.search(OPERATOR, Asked(text="平行")).total == 1
    lagging = Shelf(shelf.sessions, now=lambda: datetime.now(UTC) - timedelta(minutes=5))
    lagging.take(recorded(4, "梯形"))
    catalogue.refresh()
    assert catalogue.search(OPERATOR, Asked(text="梯形")).total == 1
    for number in (3, 4):
        shelf.remove(f"lesson-{number}-1")
    catalogue.refresh()
    monkeypatch.setattr("twinclass_recordings.library.catalogue.FEW_DEAD", 3)
    for number in range(8):
        shelf.change("lesson-1-1", Change(description=f"第{number}版"))
        catalogue.refresh()
    assert catalogue.search(OPERATOR, Asked(text="勾股")).total == 1


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_tables_are_those_of_the_models(shelf: Shelf, tmp_path: Path, schema: Schema) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from twinclass_recordings.library.models import Base as LibraryBase
    from twinclass_server.desk.content.models import Base as DeskBase
    from twinclass_server.roster.models import Base as RosterBase

    base = {LIBRARY: LibraryBase, DESK: DeskBase}.get(schema, RosterBase)
    names = set(base.metadata.tables)
    with shelf.sessions() as session:
        options = {
            "version_table": schema.version_table,
            "include_name": lambda name, kind, _: kind != "table" or name in names,
        }
        context = MigrationContext.configure(session.connection(), opts=options)
        assert compare_metadata(context, base.metadata) == []
