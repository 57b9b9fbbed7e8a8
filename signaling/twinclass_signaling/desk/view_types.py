"""What pages of the desk are shown: complete sections, each replacing its former one.

A tutor's sections hold no id of a pupil: questions and sessions have numbers of this evening,
pupils a given name and a class. ``content`` and ``answer`` are references; who may fetch what they
stand for, the host asks ``visibility``.

Vocabulary module: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.desk.commands import CaseOutcome, LiveKind
from twinclass_signaling.desk.plan import CaseNumber, Help, QuestionId, SessionNumber
from twinclass_signaling.desk.questions import QuestionKind, QuestionState, Wish
from twinclass_signaling.desk.session_events import SessionReason
from twinclass_signaling.desk.waiting import Wait
from twinclass_signaling.ids import PersonId

TutorStanding = Literal["off", "paused", "lost", "free", "asked", "writing", "claimed", "live"]


class Card(Struct, frozen=True):
    """A pupil as staff of the desk may know her."""

    given_name: str = ""
    class_name: str = ""


class TutorCard(Struct, frozen=True):
    """A tutor as pupils may know her; ``tutor`` is for picking her."""

    tutor: PersonId
    name: str = ""
    is_free: bool = False


class RoomCard(Struct, frozen=True):
    """An open one_to_many that a pupil may join."""

    session: SessionNumber
    subject: str
    points: tuple[str, ...]
    tutor_name: str
    members: int
    ends_at: float


class SharedQuestion(Struct, frozen=True):
    """A question of somebody else that one may follow; by whom, is not told."""

    question: QuestionId
    subject: str
    points: tuple[str, ...]
    content: str
    followers: int


# ---- pupils -------------------------------------------------------------------------------


class Ladder(Struct, frozen=True):
    """What there is instead of waiting. ``written_by``: until when a written answer comes."""

    bank: bool
    written_by: float
    rooms: tuple[RoomCard, ...]


class OwnQuestion(Struct, frozen=True):
    """A pupil's question. ``is_own``: False when she follows somebody else's; ``alike``: shared
    ones that read like hers, which she may join with it."""

    question: QuestionId
    is_own: bool
    state: QuestionState
    subject: str
    points: tuple[str, ...]
    content: str
    kind: QuestionKind
    wish: Wish
    asked_at: float
    since: float
    position: int | None
    wait: Wait
    picked: PersonId | None
    tutor_name: str
    followers: int
    bank: tuple[str, ...]
    answer: str | None
    ladder: Ladder | None
    alike: tuple[SharedQuestion, ...]
    may_reopen: bool
    may_rate: bool
    #: The moment of a lesson it comes from.
    origin: str | None = None


class OwnSession(Struct, frozen=True):
    """A pupil's live help; ``recorded`` is a mark she always sees."""

    session: SessionNumber
    kind: LiveKind
    subject: str
    tutor_name: str
    started_at: float
    ends_at: float
    warned: bool
    members: int
    moderator_here: bool
    help_is_coming: bool
    recorded: bool = True


class PupilView(Struct, frozen=True, tag="pupil"):
    """All that a pupil's page shows. ``done``: her earlier questions of tonight;
    ``may_be_recorded``: False: she is answered in writing only."""

    is_open: bool
    opens_at: float
    closes_at: float
    consented: bool
    may_be_recorded: bool
    may_send_media: bool
    live_left_s: float
    question: OwnQuestion | None
    session: OwnSession | None
    done: tuple[OwnQuestion, ...]
    tutors: dict[str, tuple[TutorCard, ...]]
    rooms: tuple[RoomCard, ...]
    shared: tuple[SharedQuestion, ...]
    help_is_coming: bool


# ---- tutors -------------------------------------------------------------------------------


class TutorQuestion(Struct, frozen=True):
    """A question as a tutor is shown it."""

    question: QuestionId
    subject: str
    grade: int
    points: tuple[str, ...]
    content: str
    kind: QuestionKind
    wish: Wish
    asked_at: float
    followers: int
    pupil: Card
    #: Until when it is hers: the end of the offer, or of the time to begin.
    until: float | None = None
    #: The moment of a lesson it comes from.
    origin: str | None = None


class TutorSession(Struct, frozen=True):
    """A tutor's live help."""

    session: SessionNumber
    kind: LiveKind
    subject: str
    grade: int
    points: tuple[str, ...]
    question: QuestionId | None
    content: str
    started_at: float
    ends_at: float
    warned: bool
    may_extend: bool
    moderator_here: bool
    members: tuple[Card, ...]
    recorded: bool = True


class QueueLength(Struct, frozen=True):
    """How many wait in a queue."""

    subject: str
    grade: int
    live: int
    written: int


class Tally(Struct, frozen=True):
    """A tutor's own evening; nobody is compared with anybody."""

    helped: int
    live_s: float


class TutorView(Struct, frozen=True, tag="tutor"):
    """All that a tutor's page shows. ``group``: questions that whoever is first may claim."""

    standing: TutorStanding
    starts_at: float
    ends_at: float
    offer: TutorQuestion | None
    held: tuple[TutorQuestion, ...]
    session: TutorSession | None
    group: tuple[TutorQuestion, ...]
    written: tuple[TutorQuestion, ...]
    queues: tuple[QueueLength, ...]
    tally: Tally
    many_after: float


# ---- moderators, officers, planners, guardians --------------------------------------------


class LikeQuestion(Struct, frozen=True):
    """A question that reads like the one it stands with, and may become one with it."""

    question: QuestionId
    state: QuestionState
    content: str
    kind: QuestionKind
    wish: Wish
    asked_at: float
    card: Card
    followers: int
    origin: str | None


class ModeratedQuestion(Struct, frozen=True):
    """A question as a moderator sees it."""

    question: QuestionId
    state: QuestionState
    subject: str
    grade: int
    content: str
    kind: QuestionKind
    wish: Wish
    asked_at: float
    pupil: PersonId
    card: Card
    tutor: PersonId | None
    like: tuple[LikeQuestion, ...]
    followers: int
    origin: str | None = None


class ModeratedSession(Struct, frozen=True):
    """A running session as a moderator sees it."""

    session: SessionNumber
    kind: LiveKind
    subject: str
    grade: int
    tutor: PersonId
    tutor_name: str
    members: int
    started_at: float
    ends_at: float
    moderator: PersonId | None
    flagged: int
    case: CaseNumber | None


class CaseView(Struct, frozen=True):
    """A report. ``due_at``: when a moderator must be there."""

    case: CaseNumber
    at: float
    due_at: float
    reporter: PersonId
    reporter_name: str
    session: SessionNumber | None
    question: QuestionId | None
    moderator: PersonId | None
    moderator_name: str
    late: bool
    outcome: CaseOutcome | None


class QueueHealth(Struct, frozen=True):
    """A queue as staff see it. ``oldest_s``: how long the first has waited."""

    subject: str
    grade: int
    live: int
    written: int
    group: int
    oldest_s: float
    tutors: int
    free: int


class ModeratorView(Struct, frozen=True, tag="moderator"):
    """All that a moderator's page shows; lists are cut at ``MAX_LISTED``, ``more`` says of how
    many."""

    queues: tuple[QueueHealth, ...]
    to_approve: tuple[ModeratedQuestion, ...]
    alike: tuple[ModeratedQuestion, ...]
    sessions: tuple[ModeratedSession, ...]
    cases: tuple[CaseView, ...]
    more: int


class DutyRow(Struct, frozen=True):
    """A line of tonight's roster."""

    tutor: PersonId
    name: str
    subjects: tuple[str, ...]
    grades: tuple[int, ...]
    kinds: tuple[Help, ...]
    starts_at: float
    ends_at: float
    standing: TutorStanding


class PlannerView(Struct, frozen=True, tag="duty_planner"):
    """All that a planner's page shows: who is there, and where it is not enough."""

    roster: tuple[DutyRow, ...]
    queues: tuple[QueueHealth, ...]


class GuardedSession(Struct, frozen=True):
    """A session of one's child."""

    session: SessionNumber
    child: PersonId
    kind: LiveKind
    subject: str
    tutor_name: str
    started_at: float
    ended_at: float | None
    reason: SessionReason | None


class GuardianView(Struct, frozen=True, tag="guardian"):
    """All that a guardian's page shows of tonight."""

    sessions: tuple[GuardedSession, ...]


class SafeguardingView(Struct, frozen=True, tag="safeguarding"):
    """All that the safeguarding officer's page shows: reports, and pairs that met often."""

    cases: tuple[CaseView, ...]
    flagged: tuple[ModeratedSession, ...]


DeskView = PupilView | TutorView | ModeratorView | PlannerView | GuardianView | SafeguardingView
