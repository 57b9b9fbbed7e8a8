"""Credit of a tutor, rosters and payment over HTTP."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from server.desk.content.kept import DESK, EVENING, Kept
from twinclass_server.desk.content.ledger import Helped
from twinclass_server.roster.csv_bundle import SAMPLE, from_folder
from twinclass_server.roster.csv_import import import_bundle
from twinclass_server.roster.models import Person
from twinclass_signaling.roles import Role

DUTY = {"tutor": "tutor-1", "subjects": ["maths"], "grades": [7], "starts": 1230, "ends": 1290}


def planner(kept: Kept, desk: str = DESK) -> dict[str, str]:
    return kept.as_(Role.DUTY_PLANNER, "planner", desk=desk)


def help_of(number: int, tutor: str = "tutor-1", minutes: float = 10) -> Helped:
    return Helped(tutor, DESK, EVENING, "one_to_one", number, "maths", minutes * 60)


async def test_a_tutor_sees_her_own_credit(kept: Kept) -> None:
    kept.store.ledger.earn(help_of(1))
    kept.store.ledger.earn(Helped("tutor-1", DESK, EVENING, "written", 7, "maths"))
    kept.store.ledger.earn(help_of(2, "tutor-2"))
    tally = (await kept.http.get("/api/desk/tally", headers=kept.tutor())).json()
    assert (tally["points_term"], tally["points_cap"], tally["yuan"]) == (13, 5000, 130)
    assert [(one["kind"], one["question"], one["points"], one["capped"]) for one in tally["helps"]
            ] == [("one_to_one", None, 10, False), ("written", 7, 3, False)]  # fmt: skip


async def test_a_date_goes_before_its_weekday(both: list[Kept]) -> None:
    for kept in both:

        async def roster(day: str, duties: Any = "", kept: Kept = kept) -> tuple[str, list[str]]:  # noqa: ANN401
            if duties == "":
                answer = await kept.http.get(f"/api/desk/roster?{day}", headers=planner(kept))
            else:
                answer = await kept.http.put(
                    f"/api/desk/roster?{day}", json={"duties": duties}, headers=planner(kept)
                )
            assert answer.status_code == 200, answer.text
            found = answer.json()
            return found["of"], [duty["tutor"] for duty in found["duties"]]

        assert await roster("date=2026-11-23") == ("nothing", [])
        assert await roster("weekday=0", [DUTY]) == ("weekday", ["tutor-1"])
        assert await roster("date=2026-11-23") == ("weekday", ["tutor-1"])
        assert await roster("date=2026-11-24") == ("nothing", [])
        other = DUTY | {"tutor": "tutor-2"}
        assert await roster("date=2026-11-23", [other]) == ("date", ["tutor-2"])
        assert await roster("date=2026-11-30") == ("weekday", ["tutor-1"])
        assert await roster("date=2026-11-23", []) == ("date", []), "nobody, and that is meant"
        assert await roster("date=2026-11-23", None) == ("weekday", ["tutor-1"])
        assert kept.store.rosters.duties("grade-8", "2026-11-23") == (), "another desk's"
        acts = {line.act for line in kept.store.audit.of(DESK)}
        assert acts == {"roster_changed"}


@pytest.mark.parametrize(
    ("day", "duties", "code"),
    [
        ("date=2026-11-31", [], "date_malformed"),
        ("weekday=7", [], "date_malformed"),
        ("date=2026-11-23", [DUTY, DUTY], "duty_twice"),
        ("date=2026-11-23", [DUTY | {"ends": 1230}], "duty_malformed"),
        ("date=2026-11-23", [DUTY | {"subjects": ["history"]}], "subject_unknown"),
        ("date=2026-11-23", [DUTY | {"grades": [13]}], "body_malformed"),
        ("date=2026-11-23", [DUTY | {"more": 1}], "body_malformed"),
    ],
)
async def test_what_is_no_roster_is_refused(kept: Kept, day: str, duties: Any, code: str) -> None:  # noqa: ANN401
    answer = await kept.http.put(
        f"/api/desk/roster?{day}", json={"duties": duties}, headers=planner(kept)
    )
    assert answer.json()["code"] == code


async def test_payment_is_told_by_district(kept: Kept) -> None:
    import_bundle(kept.database, from_folder(SAMPLE))
    people = (await kept.http.get("/api/desk/people?role=tutor", headers=planner(kept))).json()
    tutor = next(one for one in people["people"] if one["school"] == "示例一中")
    schools = (await kept.http.get("/api/desk/districts", headers=planner(kept))).json()["schools"]
    paying = next(one["school"] for one in schools if one["name"] == "示例一中")
    answer = await kept.http.put(
        "/api/desk/districts", json={"districts": {paying: "=示例区"}}, headers=planner(kept)
    )
    assert answer.status_code == 204
    with kept.database.session() as session:
        session.get_one(Person, tutor["id"]).name = "示例老师"
    kept.store.ledger.earn(help_of(1, tutor["id"]))
    kept.store.ledger.earn(help_of(2, "tutor-gone"))
    kept.now += timedelta(days=1)
    kept.store.ledger.earn(help_of(3, tutor["id"]))
    path = f"/api/desk/credits.csv?from={EVENING}&to={EVENING}"
    answer = await kept.http.get(path, headers=planner(kept))
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["district"], row["school"], row["points"], row["yuan"]) for row in rows] == [
        ("", "", "10", "100"), ("'=示例区", "示例一中", "10", "100"),
    ]  # fmt: skip
    assert "credits_exported" in {line.act for line in kept.store.audit.of(DESK)}
    for query in ("", "?from=2026-11-24&to=2026-11-23", "?from=2025-01-01&to=2026-11-23"):
        refused = await kept.http.get(f"/api/desk/credits.csv{query}", headers=planner(kept))
        assert (refused.status_code, refused.json()["code"]) == (400, "date_malformed")


@pytest.mark.parametrize(
    "path", ["roster", "people", "districts", "credits.csv?from=2026-11-23&to=2026-11-23"]
)
async def test_planning_is_for_planners(kept: Kept, path: str) -> None:
    for who in (kept.tutor(), kept.pupil(), kept.as_(Role.MODERATOR, "moderator")):
        assert (await kept.http.get(f"/api/desk/{path}", headers=who)).status_code == 403
