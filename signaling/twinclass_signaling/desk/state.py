"""The state of one evening of one desk: what the events up to ``seq`` have made of it.

Only ``core.apply`` changes it. ``Index`` holds what can be worked out from the rest and is kept
up to date beside it, because a desk decides a thousand things a minute among thousands of
questions: queues in order, deadlines in order, who is free. It is not in the snapshot.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Literal

from msgspec import Struct, field

from twinclass_signaling.desk.commands import CaseOutcome, LiveKind
from twinclass_signaling.desk.plan import (
    CaseNumber,
    Desk,
    Duty,
    Evening,
    QuestionId,
    SessionNumber,
)
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.session_events import (
    SessionReason,
)
from twinclass_signaling.ids import EventSeq, PersonId

Phase = Literal["before", "open", "closed"]
#: Place of a question in a lane: priority first (0), then the rank's second, then its number.
Entry = tuple[int, float, QuestionId]

#: A pupil asks at most every minute or two; a desk serves some thousand pupils an evening.
MAX_QUESTIONS = 20_000
#: Twice the pupils of a desk that 10,000 look at at once.
MAX_PUPILS = 20_000
MAX_TUTORS = 1_000
MAX_MODERATORS = 100
#: More than two a minute through a whole evening: beyond that the operator must step in.
MAX_CASES = 500
#: Classes are larger, but more than these do not have one and the same question.
MAX_FOLLOWERS = 50


class Pupil(Struct, array_like=True):
    """A pupil who was here tonight."""

    grade: int
    school: str = ""
    teachers: tuple[PersonId, ...] = ()
    consented: bool = True
    #: Second of the present loss; 0 while her line is up.
    lost_at: float = 0.0
    #: Lost for more than 60 s.
    away: bool = False
    active: QuestionId | None = None
    session: SessionNumber | None = None
    #: Live help so far tonight.
    live_s: float = 0.0
    lives: int = 0
    #: She may be recorded, and so helped live; she may send photos and voices.
    recorded: bool = True
    media: bool = True


class Tutor(Struct, array_like=True):
    """A tutor who was here tonight."""

    here: bool = True
    lost_at: float = 0.0
    on_duty: bool = False
    paused: bool = False
    offer: QuestionId | None = None
    #: Claimed and not answered yet, and not in a session.
    held: list[QuestionId] = field(default_factory=list)
    session: SessionNumber | None = None
    #: Since when she is busy with a subject's questions; 0: she is not.
    busy_since: float = 0.0
    busy_with: str = ""
    helped: int = 0
    live_s: float = 0.0
    #: Offers that she let pass since the last one that she took.
    passes: int = 0
    many_ended_at: float = 0.0


class Member(Struct, array_like=True):
    """A pupil's part of a session."""

    joined_at: float
    question: QuestionId | None
    left_at: float | None = None


class Session(Struct, array_like=True):
    """Live help, running or over."""

    number: SessionNumber
    kind: LiveKind
    tutor: PersonId
    subject: str
    grade: int
    points: tuple[str, ...]
    started_at: float
    ends_at: float
    question: QuestionId | None
    warned: bool = False
    extended: bool = False
    moderator: PersonId | None = None
    #: The case that keeps its recording.
    locked: CaseNumber | None = None
    flagged: int = 0
    ended_at: float | None = None
    reason: SessionReason | None = None
    members: dict[PersonId, Member] = field(default_factory=dict)

    @property
    def present(self) -> list[PersonId]:
        """Returns the pupils who are in it now."""
        return [pupil for pupil, member in self.members.items() if member.left_at is None]


class Case(Struct, array_like=True):
    """A press of the help key."""

    number: CaseNumber
    reporter: PersonId
    at: float
    session: SessionNumber | None
    question: QuestionId | None
    moderator: PersonId | None = None
    late: bool = False
    outcome: CaseOutcome | None = None


class Seen(Struct, array_like=True):
    """What tonight has taught about a subject; see ``waiting``."""

    #: Finished helps and their seconds; those that run, and the sum of their starts.
    done: int = 0
    done_s: float = 0.0
    running: int = 0
    starts_s: float = 0.0
    #: Who left the queue without help, and all seconds that anybody has waited in it.
    left: int = 0
    waited_s: float = 0.0


class Index(Struct):
    """Worked out from the rest of the state."""

    #: Every deadline, in order; see ``timers``.
    agenda: list[tuple[float, str]] = field(default_factory=list)
    due_at: dict[str, float] = field(default_factory=dict)
    #: Questions that wait, in order, by lane; see ``queue``. No lane is empty.
    lanes: dict[str, list[Entry]] = field(default_factory=dict)
    placed: dict[QuestionId, tuple[str, Entry]] = field(default_factory=dict)
    #: By queue: tutors who may be given something now, and all who are on duty for it.
    free: dict[str, set[PersonId]] = field(default_factory=dict)
    serving: dict[str, set[PersonId]] = field(default_factory=dict)
    standing: dict[PersonId, tuple[tuple[str, ...], bool, bool]] = field(default_factory=dict)
    #: Questions that are not done with, by grade.
    active: dict[int, dict[QuestionId, None]] = field(default_factory=dict)
    #: Questions by whose they are, in order.
    asked: dict[PersonId, list[QuestionId]] = field(default_factory=dict)
    #: Questions by who follows or followed them, in order.
    followed: dict[PersonId, list[QuestionId]] = field(default_factory=dict)
    #: Running one_to_many, by queue.
    rooms: dict[str, dict[SessionNumber, None]] = field(default_factory=dict)


class DeskState(Struct):
    """All that events decide."""

    plan: Desk
    evening: Evening
    seq: EventSeq = EventSeq(0)
    #: The latest second of any event: time never runs backwards here, whatever a clock says.
    at: float = 0.0
    phase: Phase = "before"
    closed_grades: list[int] = field(default_factory=list)
    duties: dict[PersonId, Duty] = field(default_factory=dict)
    pupils: dict[PersonId, Pupil] = field(default_factory=dict)
    tutors: dict[PersonId, Tutor] = field(default_factory=dict)
    #: Moderators, and whether their line is up.
    moderators: dict[PersonId, bool] = field(default_factory=dict)
    questions: dict[QuestionId, Question] = field(default_factory=dict)
    sessions: dict[SessionNumber, Session] = field(default_factory=dict)
    cases: dict[CaseNumber, Case] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    index: Index = field(default_factory=Index)
    hours: dict[int, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hours = self.evening.open_hours(self.plan)

    def closes_at(self, grade: int) -> float:
        """Returns when the service is over for a grade; 0 when it is not open tonight."""
        return self.hours.get(grade, (0.0, 0.0))[1]

    def is_open(self, grade: int, now: float) -> bool:
        """Tells whether a grade may ask now."""
        opens, closes = self.hours.get(grade, (0.0, 0.0))
        return self.phase == "open" and opens <= now < closes

    def is_here(self, pupil: PersonId) -> bool:
        """Tells whether a pupil has a line, or had one less than 60 s ago."""
        seat = self.pupils.get(pupil)
        return seat is not None and not seat.away

    def schedule(self, token: str, at: float | None) -> None:
        """Sets or (None) takes off the deadline of a token; each has at most one."""
        index = self.index
        former = index.due_at.pop(token, None)
        if former is not None:
            del index.agenda[bisect_left(index.agenda, (former, token))]
        if at is not None:
            index.due_at[token] = at
            insort(index.agenda, (at, token))


def planned(plan: Desk, evening: Evening) -> DeskState:
    """Returns an evening before its first event."""
    state = DeskState(plan, evening, duties={duty.tutor: duty for duty in plan.roster})
    if state.hours:
        state.schedule("open|", min(opens for opens, _ in state.hours.values()))
        for grade, (_, closes) in state.hours.items():
            state.schedule(f"grade|{grade}", closes)
    return state
