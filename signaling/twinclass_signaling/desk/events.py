"""What can happen at a desk: the event log's vocabulary.

Facts, applied in order. They carry opaque ids, numbers of this evening, and references to what
is stored elsewhere; never a name, a text or a picture. See DESK.md.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.desk.plan import Duty, QuestionId, SessionNumber
from twinclass_signaling.desk.questions import QuestionKind, Wish
from twinclass_signaling.desk.session_events import SafetyEvent, SessionEvent
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

QueueReason = Literal["no_match", "bank_late", "not_helpful", "reopened"]
ExpireReason = Literal["closing", "tomorrow"]
WithdrawReason = Literal["pupil", "rejected", "consent"]
#: ``passed`` and ``timeout`` count against the tutor, the others do not.
OfferReason = Literal[
    "passed", "timeout", "tutor_lost", "tutor_busy", "duty_ended", "pupil_away", "consent"
]  # fmt: skip
ReturnReason = Literal["tutor", "not_started", "tutor_gone", "pupil_away", "consent"]
DutyReason = Literal["self", "roster", "planner"]


# ---- the desk and its people --------------------------------------------------------------


class DeskOpened(Struct, frozen=True, tag="desk_opened"):
    """The first grade's hour has come."""


class GradeClosed(Struct, frozen=True, tag="grade_closed"):
    """The service is over for a grade; its open questions have expired before."""

    grade: int


class DeskClosed(Struct, frozen=True, tag="desk_closed"):
    """The evening is over; nothing follows it in the log."""


class PupilArrived(Struct, frozen=True, tag="pupil_arrived"):
    """A pupil is here, for the first time or again."""

    pupil: PersonId
    grade: int
    school: str
    teachers: tuple[PersonId, ...]
    consented: bool
    recorded: bool = True
    media: bool = True


class ConsentChanged(Struct, frozen=True, tag="consent_changed"):
    """Her guardian has agreed to something, or does not any more; what she has to give up by it
    follows."""

    pupil: PersonId
    consented: bool
    recorded: bool
    media: bool


class StaffArrived(Struct, frozen=True, tag="staff_arrived"):
    """A tutor or moderator is here, for the first time or again."""

    person: PersonId
    role: Role


class PersonLost(Struct, frozen=True, tag="person_lost"):
    """The line is gone; for 60 s all that she has is kept."""

    person: PersonId


class PupilAway(Struct, frozen=True, tag="pupil_away"):
    """A pupil did not come back within 60 s. Her question keeps its place and is passed over."""

    pupil: PersonId


class TutorGone(Struct, frozen=True, tag="tutor_gone"):
    """A tutor did not come back within 60 s; what she had went back to the queue before."""

    tutor: PersonId


class DutyStarted(Struct, frozen=True, tag="duty_started"):
    """A tutor takes offers."""

    tutor: PersonId


class DutyEnded(Struct, frozen=True, tag="duty_ended"):
    """A tutor takes no more offers tonight."""

    tutor: PersonId
    reason: DutyReason


class DutyPaused(Struct, frozen=True, tag="duty_paused"):
    """No offers for a while, or again. ``passes``: the desk did it, after three in a row that
    she let pass."""

    tutor: PersonId
    on: bool
    passes: bool = False


class DutyChanged(Struct, frozen=True, tag="duty_changed"):
    """Tonight's roster has this entry now, in place of an earlier one."""

    duty: Duty
    actor: PersonId


class DutyRemoved(Struct, frozen=True, tag="duty_removed"):
    """A tutor is not on tonight's roster any more."""

    tutor: PersonId
    actor: PersonId


# ---- questions ----------------------------------------------------------------------------


class QuestionAsked(Struct, frozen=True, tag="question_asked"):
    """``question`` counts up from 1. ``asked_at``: earlier than the event when it was carried
    over from another evening."""

    question: QuestionId
    pupil: PersonId
    subject: str
    grade: int
    points: tuple[str, ...]
    content: str
    kind: QuestionKind
    wish: Wish
    shared: bool
    tutor: PersonId | None
    origin: str | None
    asked_at: float


class QuestionHeld(Struct, frozen=True, tag="question_held"):
    """It waits for a moderator."""

    question: QuestionId


class QuestionApproved(Struct, frozen=True, tag="question_approved"):
    """A moderator has let it through."""

    question: QuestionId
    actor: PersonId


class BankMatched(Struct, frozen=True, tag="bank_matched"):
    """The bank has answers that may fit."""

    question: QuestionId
    matches: tuple[str, ...]


class BankAccepted(Struct, frozen=True, tag="bank_accepted"):
    """The pupil is content with one."""

    question: QuestionId


class BankRefused(Struct, frozen=True, tag="bank_refused"):
    """None of them helps; ``question_queued`` follows."""

    question: QuestionId


class QuestionQueued(Struct, frozen=True, tag="question_queued"):
    """It waits for a tutor. ``wish``: written when no time for live help is left tonight."""

    question: QuestionId
    reason: QueueReason
    wish: Wish


class QuestionWished(Struct, frozen=True, tag="question_wished"):
    """How and by whom it is to be answered has changed; None: by whoever is first."""

    question: QuestionId
    wish: Wish
    tutor: PersonId | None


class LadderShown(Struct, frozen=True, tag="ladder_shown"):
    """Five minutes without a tutor: she is shown what else there is."""

    question: QuestionId


class QuestionLikened(Struct, frozen=True, tag="question_likened"):
    """It reads like others, the most alike first."""

    question: QuestionId
    like: tuple[QuestionId, ...]


class QuestionFollowed(Struct, frozen=True, tag="question_followed"):
    """Another pupil has the same question."""

    question: QuestionId
    pupil: PersonId


class QuestionUnfollowed(Struct, frozen=True, tag="question_unfollowed"):
    """She has not any more."""

    question: QuestionId
    pupil: PersonId


class QuestionMerged(Struct, frozen=True, tag="question_merged"):
    """Its pupil and its followers follow ``into`` now."""

    question: QuestionId
    into: QuestionId
    actor: PersonId


class QuestionWithdrawn(Struct, frozen=True, tag="question_withdrawn"):
    """Given up by its pupil, or taken out by a moderator."""

    question: QuestionId
    reason: WithdrawReason
    actor: PersonId


class QuestionHandedOn(Struct, frozen=True, tag="question_handed_on"):
    """``former`` gave it up, its first follower has it now."""

    question: QuestionId
    pupil: PersonId
    former: PersonId


class QuestionExpired(Struct, frozen=True, tag="question_expired"):
    """No answer tonight. ``tomorrow``: her own choice; the host asks it again next evening."""

    question: QuestionId
    reason: ExpireReason


class QuestionReopened(Struct, frozen=True, tag="question_reopened"):
    """Not understood after all; ``question_queued`` follows."""

    question: QuestionId


class QuestionResolved(Struct, frozen=True, tag="question_resolved"):
    """Done: after a session, or when a written answer was understood."""

    question: QuestionId
    session: SessionNumber | None = None


class QuestionRated(Struct, frozen=True, tag="question_rated"):
    """0 no, 1 partly, 2 yes. ``tutor``: whose help it was."""

    question: QuestionId
    tutor: PersonId
    understood: int
    patient: int
    again: int


# ---- offers and claims --------------------------------------------------------------------


class OfferMade(Struct, frozen=True, tag="offer_made"):
    """For 20 s a question is one tutor's to take."""

    question: QuestionId
    tutor: PersonId


class OfferEnded(Struct, frozen=True, tag="offer_ended"):
    """It is not hers any more, and in the queue at its place. ``to_group``: after the third time
    that it was let pass, whoever is free may claim it."""

    question: QuestionId
    tutor: PersonId
    reason: OfferReason
    to_group: bool = False


class RoundEnded(Struct, frozen=True, tag="round_ended"):
    """Who let it pass is forgotten: it is offered to one after another again."""

    question: QuestionId


class QuestionClaimed(Struct, frozen=True, tag="question_claimed"):
    """A tutor has taken it."""

    question: QuestionId
    tutor: PersonId


class QuestionReturned(Struct, frozen=True, tag="question_returned"):
    """It is in the queue again, at its old place. ``priority``: before all others there."""

    question: QuestionId
    tutor: PersonId
    reason: ReturnReason
    priority: bool = False


class QuestionAnswered(Struct, frozen=True, tag="question_answered"):
    """A written or drawn answer, stored as ``content``."""

    question: QuestionId
    tutor: PersonId
    content: str


PeopleEvent = (
    DeskOpened
    | GradeClosed
    | DeskClosed
    | PupilArrived
    | ConsentChanged
    | StaffArrived
    | PersonLost
    | PupilAway
    | TutorGone
    | DutyStarted
    | DutyEnded
    | DutyPaused
    | DutyChanged
    | DutyRemoved
)
QuestionEvent = (
    QuestionAsked
    | QuestionHeld
    | QuestionApproved
    | BankMatched
    | BankAccepted
    | BankRefused
    | QuestionQueued
    | QuestionWished
    | LadderShown
    | QuestionLikened
    | QuestionFollowed
    | QuestionUnfollowed
    | QuestionMerged
    | QuestionWithdrawn
    | QuestionHandedOn
    | QuestionExpired
    | QuestionReopened
    | QuestionResolved
    | QuestionRated
)
OfferEvent = (
    OfferMade | OfferEnded | RoundEnded | QuestionClaimed | QuestionReturned | QuestionAnswered
)
DeskEvent = PeopleEvent | QuestionEvent | OfferEvent | SessionEvent | SafetyEvent
