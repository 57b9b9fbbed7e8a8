"""A guardian withdraws consent while the lesson runs: the child is out of the recording at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from hosting.page import Page, token
from hosting.running import Running, running_server
from hosting.tools import plan_with
from light.ports import free_port
from twinclass_recordings import manifest as m
from twinclass_server.roster.consents import Consents
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import (
    Enrolment,
    Person,
    RecordingConsent,
    School,
    SchoolClass,
)
from twinclass_server.roster.plans import group_id
from twinclass_signaling.ids import LessonId, ParticipantId, PersonId
from twinclass_signaling.messages import Ack, CallOn, OpenLesson
from twinclass_signaling.roles import Role

PORTS = free_port(19)


def consent(database: Database, withdrawn: date | None) -> None:
    now = datetime.now(UTC)
    with database.session() as session:
        session.merge(
            Person(id="home-1", sourced_id="s-1", name="示例学生", date_last_modified=now)
        )
        session.flush()
        session.merge(
            RecordingConsent(
                person_id="home-1",
                given_on=date(2026, 9, 1),
                given_by="示例家长",
                withdrawn_at=withdrawn,
                date_last_modified=now,
            )
        )


async def lesson_with_child_on_stage(server: Running) -> None:
    plan = plan_with()
    pupils = tuple(msgspec.structs.replace(p, recordable=True) for p in plan.rooms[0].pupils)
    room = msgspec.structs.replace(plan.rooms[0], pupils=pupils)
    lessons = server.server.lessons
    assert lessons is not None
    rooms = (room, *plan.rooms[1:])
    await lessons.create(LessonId("algebra"), msgspec.structs.replace(plan, rooms=rooms))
    lead, _ = await Page.enter(server.port, token(server.keys, Role.LEAD, "lead"))
    home = token(server.keys, Role.HOME_LEARNER, "home-1", room="room-1")
    await Page.enter(server.port, home)
    assert isinstance(await lead.command(OpenLesson()), Ack)
    assert isinstance(await lead.command(CallOn(ParticipantId("home-1"))), Ack)


async def test_a_child_is_out_of_the_recording_when_consent_is_withdrawn(tmp_path: Path) -> None:
    async with running_server(tmp_path / "data", PORTS) as server:
        await lesson_with_child_on_stage(server)
        lessons = server.server.lessons
        assert lessons is not None
        database = Database("", server.folder.path)
        watch = Consents(database, lessons)

        def is_recorded() -> bool:
            return any(who == "home-1" for who, _ in server.media.recorded[-1].sources)

        assert is_recorded()
        await watch.look()
        assert is_recorded(), "who is not in the roster has withdrawn nothing"
        consent(database, None)
        await watch.look()
        assert is_recorded()
        consent(database, date(2026, 11, 24))
        await watch.look()
        assert not is_recorded()
        assert any(who == "lead" for who, _ in server.media.recorded[-1].sources)
        consent(database, None)
        await watch.look()
        assert is_recorded()
        database.close()


async def test_a_server_that_takes_a_lesson_over_never_records_whose_consent_had_ended(
    tmp_path: Path,
) -> None:
    async with running_server(tmp_path / "data", PORTS) as server:
        database = Database("", server.folder.path)
        consent(database, date(2026, 11, 24))
        database.close()
        await lesson_with_child_on_stage(server)
        assert any(who == "lead" for who, _ in server.media.recorded[-1].sources)
        assert not any(who == "home-1" for wish in server.media.recorded for who, _ in wish.sources)


async def test_while_consents_cannot_be_read_nobody_is_recorded_who_needs_one(
    tmp_path: Path,
) -> None:
    asked = 0

    def hangs(_: Sequence[PersonId]) -> frozenset[PersonId]:
        nonlocal asked
        asked += 1
        time.sleep(2.0)
        return frozenset()

    async with running_server(tmp_path / "data", PORTS) as server:
        lessons = server.server.lessons
        assert lessons is not None
        lessons.attach_consents(hangs)
        await lesson_with_child_on_stage(server)
        assert not any(who == "home-1" for wish in server.media.recorded for who, _ in wish.sources)
        assert any(who == "lead" for who, _ in server.media.recorded[-1].sources)
        assert asked == 1


def test_recordings_leave_out_whose_consent_ended_and_the_screens_of_such_children(
    tmp_path: Path,
) -> None:
    database = Database("", tmp_path)
    database.migrate()
    now = datetime.now(UTC)
    with database.session() as session:
        session.add(School(id="s", sourced_id="s", name="示例一中", date_last_modified=now))
        session.flush()
        session.add(
            SchoolClass(
                id="c", sourced_id="c", school_id="s", name="七(1)班", date_last_modified=now
            )
        )
    consent(database, date(2026, 11, 24))
    with database.session() as session:
        session.add(
            Enrolment(
                person_id="home-1", class_id="c", role="pupil", home_group="晨光",
                date_last_modified=now,
            )
        )  # fmt: skip

    def seat(who: str, role: str, agreed: str = "given") -> m.Person:
        return msgspec.convert(
            {"id": who, "role": role, "name": {"zh": "", "en": ""}, "room": "c", "consent": agreed},
            m.Person,
        )

    people = (
        seat("lead", "lead", "not_needed"), seat("home-1", "home_learner"),
        seat("home-2", "home_learner"), seat(group_id("s", "晨光"), "home_group"),
        seat(group_id("s", "夜读"), "home_group"),
    )  # fmt: skip
    recorded = m.Manifest("x", "x", 0.0, 1.0, "closed", (), people=people)
    consents = Consents(database, None)  # type: ignore[arg-type]
    assert consents.left_out(recorded) == {"home-1", group_id("s", "晨光")}
    consent(database, None)
    assert consents.left_out(recorded) == frozenset()
    database.close()
