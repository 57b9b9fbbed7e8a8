"""What was known before an evening: hours, subjects, limits, the duty roster.

The plan stands beside the state: it is not changed by events and never in the log. Hours are
minutes of the local day, because schools plan that way; an ``Evening`` turns them into Unix
seconds without any table of time zones (China has one, without summer time).
"""

from __future__ import annotations

from typing import Annotated, Literal, NewType

from msgspec import Meta, Struct

from twinclass_signaling.ids import PersonId

DeskId = NewType("DeskId", str)
#: Numbers within one evening of one desk, from 1: short in the log, and they tell nothing.
QuestionId = NewType("QuestionId", int)
SessionNumber = NewType("SessionNumber", int)
CaseNumber = NewType("CaseNumber", int)

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
#: Nine subjects are examined in junior secondary school, the city's library has 45.
MAX_SUBJECTS = 45
#: Live help alone for a whole city took 1,700 tutors; a desk is a part of a city.
MAX_ROSTER = 500
MAX_POINTS_OF_TUTOR = 60
MAX_POINTS_OF_QUESTION = 5
#: A week of seven days with different hours for every grade.
MAX_HOURS = 84

Id = Annotated[str, Meta(pattern=ID_PATTERN)]
Person = Annotated[PersonId, Meta(pattern=ID_PATTERN)]
Grade = Annotated[int, Meta(ge=1, le=12)]
DayMinute = Annotated[int, Meta(ge=0, le=24 * 60)]
Points = Annotated[tuple[Id, ...], Meta(max_length=MAX_POINTS_OF_QUESTION)]
#: How somebody is helped by a tutor; ``written`` is an answer in text or drawing.
Help = Literal["written", "one_to_one", "one_to_many"]

DAY_S = 24 * 3600


class Hours(Struct, frozen=True, forbid_unknown_fields=True):
    """When the desk is open for some grades. ``weekday`` 0 is Monday."""

    weekday: Annotated[int, Meta(ge=0, le=6)]
    grades: Annotated[tuple[Grade, ...], Meta(min_length=1, max_length=12)]
    opens: DayMinute
    closes: DayMinute


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """How long live help may last: the longest is Beijing's rule of 30 minutes."""

    one_to_one_s: Annotated[int, Meta(ge=60, le=1800)] = 600
    extension_s: Annotated[int, Meta(ge=0, le=1800)] = 600
    hard_stop_s: Annotated[int, Meta(ge=60, le=1800)] = 1800
    one_to_many_s: Annotated[int, Meta(ge=60, le=1800)] = 1800
    #: Between the end of one and the start of the next of the same tutor.
    one_to_many_gap_s: Annotated[int, Meta(ge=600, le=7200)] = 600
    warning_s: Annotated[int, Meta(ge=10, le=600)] = 120
    #: Live help of one pupil in one evening.
    pupil_evening_s: Annotated[int, Meta(ge=60, le=3600)] = 3600
    members: Annotated[int, Meta(ge=2, le=200)] = 50


class Duty(Struct, frozen=True, forbid_unknown_fields=True):
    """One tutor's evening. ``schools``: her own ones, whose pupils she is rather offered."""

    tutor: Person
    subjects: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MAX_SUBJECTS)]
    grades: Annotated[tuple[Grade, ...], Meta(min_length=1, max_length=12)]
    starts: DayMinute
    ends: DayMinute
    points: Annotated[tuple[Id, ...], Meta(max_length=MAX_POINTS_OF_TUTOR)] = ()
    kinds: Annotated[tuple[Help, ...], Meta(min_length=1, max_length=3)] = (
        "written",
        "one_to_one",
        "one_to_many",
    )
    schools: Annotated[tuple[Id, ...], Meta(max_length=10)] = ()


class Typical(Struct, frozen=True, forbid_unknown_fields=True):
    """What helping with one question of a subject took on ``seen`` earlier occasions."""

    subject: Id
    mean_s: Annotated[float, Meta(gt=0, le=7200)]
    seen: Annotated[int, Meta(ge=1)]


class Desk(Struct, frozen=True, forbid_unknown_fields=True):
    """A desk; the same for every evening until the planner changes it."""

    id: Annotated[DeskId, Meta(pattern=ID_PATTERN)]
    title: Annotated[str, Meta(max_length=120)]
    subjects: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=MAX_SUBJECTS)]
    grades: Annotated[tuple[Grade, ...], Meta(min_length=1, max_length=12)]
    hours: Annotated[tuple[Hours, ...], Meta(min_length=1, max_length=MAX_HOURS)]
    roster: Annotated[tuple[Duty, ...], Meta(max_length=MAX_ROSTER)] = ()
    #: A moderator looks at every question before anybody else does.
    needs_approval: bool = False
    limits: Limits = Limits()
    typical: Annotated[tuple[Typical, ...], Meta(max_length=MAX_SUBJECTS)] = ()
    #: Whom guardians may turn to, as they are told.
    officer: Annotated[str, Meta(max_length=120)] = ""
    utc_offset_min: Annotated[int, Meta(ge=-720, le=840)] = 480


class Evening(Struct, frozen=True):
    """One evening of a desk. ``midnight``: Unix second at which its local day began."""

    midnight: float

    def weekday(self, desk: Desk) -> int:
        """Returns the day of the week, 0 is Monday."""
        days = (self.midnight + desk.utc_offset_min * 60) // DAY_S
        return int(days + 3) % 7  # 1970-01-01 was a Thursday.

    def second(self, minute: int) -> float:
        """Returns the Unix second of a minute of this day."""
        return self.midnight + minute * 60

    def open_hours(self, desk: Desk) -> dict[int, tuple[float, float]]:
        """Returns when the desk opens and closes for each grade that it is open for."""
        today = self.weekday(desk)
        return {
            grade: (self.second(hours.opens), self.second(hours.closes))
            for hours in desk.hours
            if hours.weekday == today and hours.opens < hours.closes
            for grade in hours.grades
            if grade in desk.grades
        }


def queue_key(subject: str, grade: int) -> str:
    """Returns the name of a queue; ids hold no bar."""
    return f"{subject}|{grade}"


def keys_of(duty: Duty) -> tuple[str, ...]:
    """Returns the queues that a tutor serves."""
    return tuple(queue_key(subject, grade) for subject in duty.subjects for grade in duty.grades)
