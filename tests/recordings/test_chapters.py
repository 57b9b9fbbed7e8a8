"""What a recording says of its lesson, and what it must not say."""

from __future__ import annotations

import msgspec

from hosting.lesson import LEAD, Lesson
from twinclass_recordings.chapters import Happened, happened
from twinclass_signaling.ids import EventSeq, ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.commands import Lose, StartPublication
from twinclass_signaling.lesson.plan import Plan, PlannedPhase, PlannedPupil, PlannedRoom
from twinclass_signaling.lesson.visibility import Person
from twinclass_signaling.messages import CallOn, ClearStage, CloseLesson, Event, OpenLesson
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import (
    AttachSlides,
    CloseQuiz,
    GoToPhase,
    OpenQuiz,
    RaiseHand,
    RollCall,
    SendNote,
    SendPulse,
    SetRecording,
    TurnSlide,
)

PUPILS = (
    PlannedPupil(PersonId("agreed"), "示例学生甲", at_home=True, recordable=True),
    PlannedPupil(PersonId("not-agreed"), "示例学生乙", at_home=True),
)
PLAN = Plan(
    "示例课",
    rooms=(PlannedRoom(RoomId("room-1"), "七(1)班", "示例一中", pupils=PUPILS),),
    phases=(PlannedPhase("导入", 0.1), PlannedPhase("新授", 0.2), PlannedPhase("小结", 0.1)),
)
NAMES = {ParticipantId("lead"): Person("示例老师", "示例一中")}


class Told:
    """A lesson whose log is read as a recording's."""

    def __init__(self) -> None:
        self.lesson = Lesson(PLAN)
        self.lesson.join("lead", Role.LEAD)
        self.room = self.lesson.join("room-1", Role.ROOM)
        self.lesson.do(OpenLesson(), LEAD)
        self.origin = self.lesson.now

    def at(self, second: float) -> None:
        """The next thing happens then."""
        self.lesson.now = self.origin + second - 1

    def read(self, duration: float = 60.0) -> Happened:
        events = [
            Event(EventSeq(number), at, event)
            for number, (event, at) in enumerate(self.lesson.log, 1)
        ]
        return happened(events, PLAN, NAMES, self.origin, duration)


def chapters(told: Happened, kind: str) -> list[tuple[str, float, float]]:
    return [
        (c.title.zh, round(c.start_s, 6), round(c.end_s, 6))
        for c in told.chapters
        if c.kind == kind
    ]


def test_phases_follow_the_minute_until_the_lead_goes_to_one() -> None:
    told = Told()
    assert chapters(told.read(24), "phase") == [("导入", 0, 6), ("新授", 6, 18), ("小结", 18, 24)]
    told.at(10)
    told.lesson.do(GoToPhase(2), LEAD)
    assert chapters(told.read(24), "phase") == [("导入", 0, 6), ("新授", 6, 10), ("小结", 10, 24)]
    told.at(20)
    told.lesson.do(GoToPhase(None), LEAD)
    assert chapters(told.read(24), "phase")[-1] == ("小结", 10, 24)


def test_stage_slides_and_questions_are_chapters_from_start_to_end() -> None:
    told = Told()
    told.at(5)
    told.lesson.do(AttachSlides("doc-1", 9, "ab" * 32, "课件"), LEAD)
    told.at(8)
    told.lesson.do(TurnSlide("doc-1", 2), LEAD)
    told.at(10)
    told.lesson.do(CallOn(ParticipantId("room-1")), LEAD)
    told.at(20)
    told.lesson.do(ClearStage(), LEAD)
    told.at(30)
    told.lesson.do(OpenQuiz("single", "选哪个？", ("甲", "乙"), (0,)), LEAD)
    told.at(40)
    told.lesson.do(CloseQuiz(), LEAD)
    read = told.read()
    assert chapters(read, "slide") == [("课件 第 1 页", 5, 8), ("课件 第 2 页", 8, 60)]
    assert chapters(read, "stage") == [("示例一中 七(1)班上台", 10, 20)]
    assert chapters(read, "quiz") == [("第 1 题：选哪个？", 30, 40)]
    assert [document.sha256 for document in read.documents] == ["ab" * 32]


def test_losses_pauses_and_presence_are_told() -> None:
    told = Told()
    told.at(12)
    told.lesson.do(Lose(ParticipantId("room-1")))
    told.at(20)
    told.lesson.join("room-1", Role.ROOM)
    told.at(30)
    told.lesson.do(SetRecording(on=False), LEAD)
    told.at(40)
    told.lesson.do(SetRecording(on=True), LEAD)
    told.at(50)
    told.lesson.do(CloseLesson(), LEAD)
    read = told.read(50)
    assert [(mark.kind, mark.at_s) for mark in read.marks] == [
        ("lost", 12), ("recovered", 20), ("paused", 30), ("resumed", 40),
    ]  # fmt: skip
    rooms = [(p.start_s, p.end_s) for p in read.presence if p.participant == "room-1"]
    assert rooms == [(0, 12), (20, 50)]


def test_a_child_without_consent_has_no_name_in_it() -> None:
    told = Told()
    homes = [
        told.lesson.join(home, Role.HOME_LEARNER, "room-1") for home in ("agreed", "not-agreed")
    ]
    for home in homes:
        told.lesson.do(RaiseHand(), home)
        told.lesson.do(CallOn(home.participant), LEAD)
    text = str(msgspec.to_builtins(told.read()))
    assert "示例学生甲" in text
    assert "示例学生乙" not in text
    people = {person.id: person for person in told.read().people}
    assert people["agreed"].consent == "given"
    assert (people["not-agreed"].consent, people["not-agreed"].name.zh) == ("missing", "居家学生")


def test_what_staff_say_among_themselves_is_not_in_it() -> None:
    told = Told()
    assistant = told.lesson.join("helper", Role.ASSISTANT, "room-1")
    secret = "只给老师看"
    told.lesson.do(SendNote(secret), LEAD)
    told.lesson.do(SendPulse("slower"), assistant)
    told.lesson.do(RollCall(present=40), assistant)
    told.lesson.do(StartPublication(ParticipantId("room-1"), "camera"))
    read = told.read()
    assert secret not in str(msgspec.to_builtins(read))
    assert read.marks == ()
    assert {chapter.kind for chapter in read.chapters} <= {"phase", "teaching"}


def test_a_hand_that_goes_up_and_down_is_one_mark() -> None:
    told = Told()
    assistant = told.lesson.join("helper", Role.ASSISTANT, "room-1")
    for second in (5, 10, 15, 50):
        told.at(second)
        told.lesson.do(RaiseHand(count=second), assistant)
    marks = [(mark.at_s, mark.title.zh) for mark in told.read().marks]
    assert marks == [(5, "示例一中 七(1)班举手 ×5"), (50, "示例一中 七(1)班举手 ×50")]
