"""What happens in live help and in reports: part of the desk's event log; see ``events``."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.desk.commands import CaseOutcome, LiveKind
from twinclass_signaling.desk.plan import CaseNumber, QuestionId, SessionNumber
from twinclass_signaling.ids import PersonId

MemberReason = Literal["left", "gone", "limit", "ended", "consent"]
SessionReason = Literal[
    "finished", "time", "limit", "closing", "tutor_gone", "pupil_gone", "pupil_left",
    "moderator", "no_moderator", "consent",
]  # fmt: skip


# ---- sessions -----------------------------------------------------------------------------


class SessionStarted(Struct, frozen=True, tag="session_started"):
    """Live help begins and is recorded; ``session`` counts up from 1."""

    session: SessionNumber
    kind: LiveKind
    tutor: PersonId
    subject: str
    grade: int
    points: tuple[str, ...]
    question: QuestionId | None
    ends_at: float


class MemberJoined(Struct, frozen=True, tag="member_joined"):
    """A pupil is in a session. ``question``: of hers, which it is to answer. ``until``: when her
    evening's total is reached."""

    session: SessionNumber
    pupil: PersonId
    question: QuestionId | None
    until: float


class MemberLeft(Struct, frozen=True, tag="member_left"):
    """She is not in it any more."""

    session: SessionNumber
    pupil: PersonId
    reason: MemberReason


class SessionWarned(Struct, frozen=True, tag="session_warned"):
    """Two minutes are left."""

    session: SessionNumber


class SessionExtended(Struct, frozen=True, tag="session_extended"):
    """It ends later now; once a session."""

    session: SessionNumber
    ends_at: float


class SessionEnded(Struct, frozen=True, tag="session_ended"):
    """It is over; ``member_left`` and what became of questions stand before it."""

    session: SessionNumber
    reason: SessionReason


class ModeratorEntered(Struct, frozen=True, tag="moderator_entered"):
    """A moderator is in the session."""

    session: SessionNumber
    moderator: PersonId


# ---- safety -------------------------------------------------------------------------------


class SafetyReported(Struct, frozen=True, tag="safety_reported"):
    """Somebody pressed the help key; ``case`` counts up from 1."""

    case: CaseNumber
    reporter: PersonId
    session: SessionNumber | None
    question: QuestionId | None
    #: Whether the question's life ends by it.
    closes_question: bool


class RecordingLocked(Struct, frozen=True, tag="recording_locked"):
    """What is recorded of a session is kept and opened by two people with this case only."""

    session: SessionNumber
    case: CaseNumber


class CaseTaken(Struct, frozen=True, tag="case_taken"):
    """A moderator is there: in the session, or with whoever called."""

    case: CaseNumber
    moderator: PersonId


class CaseLate(Struct, frozen=True, tag="case_late"):
    """No moderator within 30 s; a session it was about has been ended before."""

    case: CaseNumber


class CaseClosed(Struct, frozen=True, tag="case_closed"):
    """A report is dealt with."""

    case: CaseNumber
    outcome: CaseOutcome
    actor: PersonId


class PatternFlagged(Struct, frozen=True, tag="pattern_flagged"):
    """The same two met more than twice this week: the school is told; nothing is stopped."""

    session: SessionNumber
    sessions: int


SessionEvent = (
    SessionStarted
    | MemberJoined
    | MemberLeft
    | SessionWarned
    | SessionExtended
    | SessionEnded
    | ModeratorEntered
)
SafetyEvent = SafetyReported | RecordingLocked | CaseTaken | CaseLate | CaseClosed | PatternFlagged
