"""Guardians, officers, texts beside ratings: child protection as far as it is kept here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.desk import PUPILS, TUTORS
from server.desk.content.kept import DESK, EVENING, Kept
from twinclass_server.desk.content.audit import Doer
from twinclass_server.desk.content.cases import Report
from twinclass_server.desk.content.helps import HelpRecord
from twinclass_server.desk.content.openings import OPEN, WAITS, Approval, opening
from twinclass_server.roster.models import Guardian, Person, RecordingConsent
from twinclass_signaling.desk import commands as c
from twinclass_signaling.desk.credits import Rating
from twinclass_signaling.desk.plan import QuestionId
from twinclass_signaling.roles import Role

GUARDIAN = Doer("guardian", Role.GUARDIAN, DESK)


def helped(kept: Kept, number: int, pupil: str = "pupil-1", *, days_ago: float = 0) -> HelpRecord:
    started = kept.now - timedelta(days=days_ago)
    return HelpRecord(
        DESK, started.date().isoformat(), number, "one_to_one", "tutor-1", "示例老师", "maths",
        started, (pupil,), started + timedelta(minutes=8),
    )  # fmt: skip


async def test_a_guardian_sees_her_own_children_s_help_and_no_other(both: list[Kept]) -> None:
    for kept in both:
        kept.store.helps.put(helped(kept, 1))
        kept.store.helps.put(helped(kept, 1))
        kept.store.helps.put(helped(kept, 2, "pupil-2"))
        kept.store.helps.put(helped(kept, 3, days_ago=61))
        guardian = kept.as_(Role.GUARDIAN, "guardian", children=("pupil-1",))
        [session] = (await kept.http.get("/api/desk/sessions", headers=guardian)).json()
        assert session["child"] == "pupil-1"
        assert session["tutor_name"] == "示例老师"
        assert session["ended_at"] - session["started_at"] == 480
        assert "tutor-1" not in str(session), "no ids of tutors"
        assert (await kept.http.get("/api/desk/sessions", headers=kept.tutor())).status_code == 403


def test_pairs_are_counted_over_any_seven_days(both: list[Kept]) -> None:
    for kept in both:
        for number, days in enumerate((0.1, 3, 6.9, 7.1, 30)):
            kept.store.helps.put(helped(kept, number, days_ago=days))
        kept.store.helps.put(helped(kept, 90, "pupil-2"))
        assert kept.store.helps.met_this_week("tutor-1", "pupil-1") == 3
        assert kept.store.helps.met_this_week("tutor-2", "pupil-1") == 0


async def test_consent_stands_as_the_guardian_said_last(both: list[Kept]) -> None:
    for kept in both:
        guardian = kept.as_(Role.GUARDIAN, "guardian", children=("pupil-1",))
        assert not kept.store.consents.allowed("pupil-1", 7).use, "not before its first use"
        assert kept.store.consents.allowed("pupil-1", 9).use, "old enough"

        async def say(child: str, purpose: str, given: bool, kept: Kept = kept) -> int:
            answer = await kept.http.post(
                "/api/desk/consents",
                json={"child": child, "purpose": purpose, "given": given},
                headers=kept.as_(Role.GUARDIAN, "guardian", children=("pupil-1",)),
            )
            return answer.status_code

        assert await say("pupil-1", "desk", True) == 200
        assert await say("pupil-2", "desk", True) == 403
        assert await say("pupil-1", "marketing", True) == 400
        assert kept.store.consents.allowed("pupil-1", 7).use
        assert not kept.store.consents.allowed("pupil-2", 7).use
        assert await say("pupil-1", "desk", False) == 200
        assert not kept.store.consents.allowed("pupil-1", 9).use, "an objection counts at any age"
        told = (await kept.http.get("/api/desk/consents", headers=guardian)).json()
        assert told["officer"] == "示例安全负责人"
        stands = {one["purpose"]: one for one in told["consents"]}
        assert set(stands) == {"desk", "photo", "recording"}
        assert stands["desk"]["withdrawn_at"] == kept.now.timestamp()
        assert stands["desk"]["given_at"] is None
        acts = [line.act for line in kept.store.audit.of(DESK, "child/pupil-1")]
        assert acts == ["consent_withdrawn", "consent_given"]


async def test_a_withdrawal_takes_what_the_child_has_sent(kept: Kept) -> None:
    with_photo = await kept.content(text="看图", photos=[await kept.photo()])
    other = await kept.content(kept.pupil(2), photos=[await kept.photo(kept.pupil(2))])
    kept.store.consents.say(GUARDIAN, "pupil-1", "photo", given=False)
    answer = await kept.send("photos", b"x", kept.pupil())
    assert (answer.status_code, answer.json()["code"]) == (403, "consent_needed")
    kept.store.retention.run()
    said = kept.store.contents.get(with_photo)
    assert said is not None
    assert (said.text, said.photos) == ("看图", ())
    kept.store.consents.say(GUARDIAN, "pupil-1", "desk", given=False)
    kept.store.retention.run()
    assert kept.store.contents.get(with_photo) is None
    assert kept.store.contents.get(other) is not None


def test_a_word_about_recordings_reaches_the_roster(both: list[Kept]) -> None:
    for kept in both:
        with kept.database.session() as session:
            for identifier in ("pupil-1", "guardian"):
                session.add(
                    Person(
                        id=identifier, sourced_id=identifier, name="示例", school_id=None,
                        date_last_modified=kept.now,
                    )
                )  # fmt: skip
            session.flush()
            session.add(
                Guardian(pupil_id="pupil-1", guardian_id="guardian", date_last_modified=kept.now)
            )
            session.add(
                RecordingConsent(
                    person_id="pupil-1", given_on=kept.now.date(), given_by="示例",
                    date_last_modified=kept.now,
                )
            )  # fmt: skip
        consents = kept.store.consents
        assert consents.has("pupil-1", "recording"), "on paper"
        for agrees in (False, True, False):
            consents.say(GUARDIAN, "pupil-1", "recording", given=agrees)
            assert consents.has("pupil-1", "recording") is agrees
            with kept.database.session() as session:
                [row] = session.query(RecordingConsent)
                assert (row.withdrawn_at is None) is agrees
        assert consents.withdrawn("recording") == {"pupil-1"}


# ---- reports


def report(kept: Kept, **more: object) -> Report:
    about = {"session": 3, "reporter_role": "pupil", "tutor": "tutor-1"} | more
    return Report(DESK, EVENING, 1, "pupil-1", kept.now, **about)  # type: ignore[arg-type]


async def test_a_recording_opens_with_two_officers_for_an_hour(both: list[Kept]) -> None:
    for kept in both:
        kept.store.cases.put(report(kept))
        first, second = (kept.as_(Role.SAFEGUARDING, f"officer-{n}") for n in (1, 2))
        [case] = (await kept.http.get("/api/desk/cases", headers=first)).json()["cases"]
        path = f"/api/desk/cases/{case['id']}"

        async def approve(who: dict[str, str], reason: str = "家长投诉", path: str = path,
                          kept: Kept = kept) -> str:  # fmt: skip
            answer = await kept.http.post(f"{path}/approve", json={"reason": reason}, headers=who)
            return "" if answer.status_code == 200 else str(answer.json()["code"])

        async def look(who: dict[str, str], path: str = path, kept: Kept = kept) -> str:
            answer = await kept.http.get(f"{path}/recording", headers=who)
            return str(answer.json().get("code", answer.json().get("url")))

        kept.host.names["officer-1"] = "示例专员"
        assert await approve(kept.as_(Role.MODERATOR, "moderator")) == "forbidden"
        elsewhere = kept.as_(Role.SAFEGUARDING, "officer-9", desk="grade-8")
        assert await approve(elsewhere) == "report_unknown"
        assert await approve(first, "  ") == "reason_needed"
        assert await look(first) == "not_approved"
        assert await approve(first) == ""
        assert await approve(first) == "approved_already"
        assert await look(first) == "not_approved"
        assert await approve(second) == ""
        assert await look(first) == f"/recorded/{EVENING}/3"
        assert await look(second) == f"/recorded/{EVENING}/3"
        assert await look(kept.as_(Role.MODERATOR, "moderator")) == "forbidden"
        kept.wait(minutes=59)
        [case] = (await kept.http.get("/api/desk/cases", headers=kept.as_(
            Role.SAFEGUARDING, "officer-1"))).json()["cases"]  # fmt: skip
        # As her link calls her; who was not here tonight has no name, and no id in its place.
        names = {one["officer"]: one["name"] for one in case["approvals"]}
        assert names == {"officer-1": "示例专员", "officer-2": ""}
        assert {one["name"] for one in case["log"]} == {"示例专员", ""}
        assert [one["action"] for one in case["log"]] == [
            "case_approved", "case_approved", "recording_opened", "recording_opened",
        ]  # fmt: skip
        kept.wait(minutes=1)
        again = kept.as_(Role.SAFEGUARDING, "officer-1")
        assert await look(again) == "not_approved"
        assert await approve(again) == "", "a new round begins"
        assert await look(again) == "not_approved"


async def test_what_is_not_recorded_cannot_be_opened(kept: Kept) -> None:
    kept.store.cases.put(report(kept, session=None))
    officer = kept.as_(Role.SAFEGUARDING, "officer-1")
    answer = await kept.http.post(
        "/api/desk/cases/1/approve", json={"reason": "家长投诉"}, headers=officer
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "recording_unknown")


def test_a_recording_is_held_while_its_report_is_open_or_escalated(kept: Kept) -> None:
    held = kept.store.cases.is_held
    assert not held(DESK, EVENING, 3)
    for outcome, is_held in (("", True), ("settled", False), ("escalated", True)):
        kept.store.cases.put(report(kept, outcome=outcome))
        assert held(DESK, EVENING, 3) is is_held
    assert not held(DESK, EVENING, 4)
    assert not held(DESK, "2026-11-24", 3)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 100_000)), max_size=12))
def test_no_order_of_approvals_opens_with_one_officer(given_: list[tuple[str, int]]) -> None:
    begin = datetime(2026, 11, 23, tzinfo=UTC)
    approvals = [Approval(who, begin + timedelta(seconds=at)) for who, at in given_]
    for now in [begin + timedelta(seconds=at) for _, at in given_]:
        told = [one for one in approvals if one.at <= now]
        stands = opening(told, now)
        if stands.until is not None:
            assert now < stands.until <= now + OPEN
            near = {one.officer for one in told if now - one.at < WAITS + OPEN}
            assert len(near) >= 2
            assert len(set(stands.officers)) == 2


# ---- texts beside ratings


async def test_a_text_waits_for_a_moderator_and_five_ratings(both: list[Kept]) -> None:
    for kept in both:
        desk, question = kept.host.evenings, QuestionId(1)
        asked, answer = await kept.content(text="?"), await kept.content(kept.tutor(), text="!")

        async def rate(who: dict[str, str], text: str, kept: Kept = kept) -> str:
            answer = await kept.http.post(
                "/api/desk/ratings", json={"question": 1, "text": text}, headers=who
            )
            return "" if answer.status_code == 204 else str(answer.json()["code"])

        desk.do(c.AskQuestion("maths", asked), PUPILS[0])
        desk.do(c.TellBank(question))
        assert await rate(kept.pupil(2), "好") == "not_ratable"
        desk.do(c.AcceptOffer(question), TUTORS[0])
        desk.do(c.AnswerQuestion(question, answer), TUTORS[0])
        assert await rate(kept.pupil(), " ") == "text_empty"
        assert await rate(kept.pupil(), "老师加我微信 wx12345678") == "text_blocked"
        assert await rate(kept.pupil(), "讲得很清楚") == ""
        assert await rate(kept.pupil(), "再说一次") == "already_rated"
        moderator = kept.as_(Role.MODERATOR, "moderator")
        held = (await kept.http.get("/api/desk/ratings/held", headers=moderator)).json()
        [one] = held["ratings"]
        assert one["text"] == "讲得很清楚"
        assert "pupil-1" not in str(held)
        for number in range(1, 5):
            kept.store.ratings.note(DESK, EVENING, number, "tutor-1", Rating(2, 2, 1))
            kept.store.ratings.note(DESK, EVENING, number, "tutor-1", Rating(0, 0, 0))
        path = f"/api/desk/ratings/{one['id']}"
        for who, status in ((kept.tutor(), 403), (moderator, 204), (moderator, 404)):
            answer_ = await kept.http.post(path, json={"publish": True}, headers=who)
            assert answer_.status_code == status
        tally = (await kept.http.get("/api/desk/tally", headers=kept.tutor())).json()
        assert (tally["ratings"], tally["texts"]) == (None, []), "four would tell who said what"
        kept.store.ratings.note(DESK, EVENING, 5, "tutor-1", Rating(1, 2, 1))
        tally = (await kept.http.get("/api/desk/tally", headers=kept.tutor())).json()
        assert tally["ratings"] == {"understood": 1.8, "patient": 2.0, "again": 1.0, "n": 5}
        assert tally["texts"] == ["讲得很清楚"]
        for other in (kept.pupil(), moderator):
            assert (await kept.http.get("/api/desk/tally", headers=other)).status_code == 403


@pytest.mark.parametrize("path", ["/api/desk/cases/x/recording", "/api/desk/cases/99/recording"])
async def test_there_is_no_case_of_another_name(kept: Kept, path: str) -> None:
    officer = kept.as_(Role.SAFEGUARDING, "officer-1")
    assert (await kept.http.get(path, headers=officer)).status_code in (404, 409)
