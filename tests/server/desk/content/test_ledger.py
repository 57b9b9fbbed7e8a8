"""The ledger on both databases: the cap, what is told twice, what is taken back, what is paid."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from twinclass_server.desk.content import models
from twinclass_server.desk.content.ledger import Helped, Ledger
from twinclass_server.desk.content.terms import term_of
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Person, School
from twinclass_signaling.desk.credits import Rates, Rating
from twinclass_signaling.errors import Conflict

EVENING = "2026-11-25"
NOW = datetime(2026, 11, 25, 13, tzinfo=UTC)


def session_of(number: int, minutes: float = 8, tutor: str = "tutor-1") -> Helped:
    return Helped(tutor, "desk-1", EVENING, "one_to_one", number, "math", minutes * 60)


def ledger_of(database: Database) -> Ledger:
    return Ledger(database, lambda: NOW)


def fill(ledger: Ledger, points: int, tutor: str = "tutor-1") -> None:
    for number, part in enumerate([1000] * (points // 1000) + [points % 1000]):
        if part:
            ledger.adjust(tutor, EVENING, part, by="planner-1", note="", ref=f"{tutor}/{number}")


def test_the_cap_cuts_the_last_help_and_says_so(databases: list[Database]) -> None:
    for database in databases:
        ledger = ledger_of(database)
        fill(ledger, 4_990)
        first, second = ledger.earn(session_of(1)), ledger.earn(session_of(2))
        assert first is not None
        assert second is not None
        assert (first.points, first.reason, first.yuan) == (8, "session", 80)
        assert (second.points, second.asked, second.reason, second.yuan) == (2, 8, "cap", 20)
        assert ledger.term_points("tutor-1", EVENING) == 5_000
        # The next term begins at nothing.
        assert ledger.term_points("tutor-1", "2027-02-01") == 0


@pytest.mark.timeout(300)
def test_a_thousand_closings_at_once_are_exact(databases: list[Database]) -> None:
    for database in databases:
        ledger = ledger_of(database)
        fill(ledger, 4_990 - 8 * 400)
        failed: list[BaseException] = []
        together = threading.Barrier(1000)

        def close(
            number: int,
            ledger: Ledger = ledger,
            together: threading.Barrier = together,
            failed: list[BaseException] = failed,
        ) -> None:
            together.wait()
            try:
                # Each closing is told twice, by the server that did it and by the one after it.
                ledger.earn(session_of(number // 2))
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=close, args=(n,)) for n in range(1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        lines = ledger.of_evening("tutor-1", "desk-1", EVENING)
        assert len(lines) == 500
        assert sum(line.points for line in lines) == 10 + 8 * 400
        # 401 whole ones, one of which only two points were left for, then nothing.
        assert [line.points for line in lines] == [8] * 401 + [2] + [0] * 98
        assert ledger.term_points("tutor-1", EVENING) == 5_000


def test_a_rating_after_the_payment_takes_back_and_writes_anew(databases: list[Database]) -> None:
    poor, good = Rating(0, 0, 0), Rating(2, 2, 2)
    for database in databases:
        ledger = ledger_of(database)
        helped = session_of(1, minutes=10)
        ledger.earn(helped)
        stands = ledger.rated(helped, poor)
        assert stands is not None
        assert stands.points == 8
        again = ledger.rated(helped, poor)
        assert again == stands, "told twice"
        lines = ledger.of_evening("tutor-1", "desk-1", EVENING)
        assert [(line.kind, line.points) for line in lines] == [
            ("earn", 10), ("reverse", -10), ("earn", 8),
        ]  # fmt: skip
        ledger.earn(session_of(2, minutes=10))
        paid = ledger.rated(session_of(2, minutes=10), good)
        assert paid is not None
        assert paid.points == 10
        assert ledger.term_points("tutor-1", EVENING) == 18
        with pytest.raises(Conflict, match="already_reversed"):
            ledger.reverse("tutor-1", EVENING, lines[0].id, by="planner-1", note="")


def test_a_short_session_is_worth_nothing(databases: list[Database]) -> None:
    for database in databases:
        assert ledger_of(database).earn(session_of(1, minutes=0.9)) is None
        written = Helped("tutor-1", "desk-1", EVENING, "written", 7, "math")
        line = ledger_of(database).earn(written)
        assert line is not None
        assert line.points == Rates().written


def test_no_line_is_ever_changed_or_taken_away(databases: list[Database]) -> None:
    for database in databases:
        ledger_of(database).earn(session_of(1))
        for statement in (
            "UPDATE desk_credit SET points = 5000",
            "DELETE FROM desk_credit",
            "UPDATE desk_audit SET actor = ''",
            "DELETE FROM desk_audit",
        ):
            with database.engine.connect() as connection:
                connection.execute(
                    text(
                        "INSERT INTO desk_audit (at, actor, role, desk, act, about, note) "
                        "VALUES ('2026-11-25', 'a', 'b', 'c', 'd', '', '')"
                    )
                )
                with pytest.raises(DatabaseError, match="append-only"):
                    connection.execute(text(statement))
        assert ledger_of(database).term_points("tutor-1", EVENING) == 8


def test_what_is_paid_is_told_by_district_and_school(databases: list[Database]) -> None:
    for database in databases:
        with database.session() as session:
            for school, district in (("s1", "示例乙区"), ("s2", "示例甲区")):
                session.add(
                    School(id=school, sourced_id=school, name=school, date_last_modified=NOW)
                )
                session.add(models.SchoolDistrict(school=school, district=district))
                session.flush()
                session.add(
                    Person(
                        id=f"tutor-{school}", sourced_id=school, name="示例老师", school_id=school,
                        date_last_modified=NOW,
                    )
                )  # fmt: skip
        ledger = ledger_of(database)
        for tutor in ("tutor-s1", "tutor-s2", "tutor-gone"):
            ledger.earn(session_of(hash(tutor) % 1000, tutor=tutor))
        found = list(ledger.export(NOW, NOW + timedelta(days=1)))
        assert [(one.district, one.tutor, one.line.yuan) for one in found] == [
            ("", "tutor-gone", 80), ("示例乙区", "tutor-s1", 80), ("示例甲区", "tutor-s2", 80),
        ]  # fmt: skip
        assert list(ledger.export(NOW + timedelta(seconds=1), NOW + timedelta(days=1))) == []


@pytest.mark.parametrize(
    ("evening", "term"),
    [
        ("2026-08-31", "2026-02"), ("2026-09-01", "2026-09"), ("2027-01-31", "2026-09"),
        ("2027-02-01", "2027-02"),
    ],
)  # fmt: skip
def test_a_year_has_two_terms(evening: str, term: str) -> None:
    assert term_of(evening) == term


@pytest.mark.parametrize("malformed", ["", "2026-13-01", "20261125", "2026-W01-1"])
def test_what_is_no_evening_has_no_term(malformed: str) -> None:
    with pytest.raises(Conflict, match="date_malformed"):
        term_of(malformed)
