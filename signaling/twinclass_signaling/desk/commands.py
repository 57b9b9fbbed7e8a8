"""What people may ask of a desk, and the facts that its host tells.

Texts, pictures and answers never come through here: they are stored first, and a command carries
the reference of what was stored. So nothing personal is in the log, and every message is small.

Vocabulary module: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from twinclass_signaling.desk.plan import (
    CaseNumber,
    Duty,
    Grade,
    Id,
    Person,
    Points,
    QuestionId,
    SessionNumber,
)
from twinclass_signaling.desk.questions import QuestionKind, Wish
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

Number = Annotated[int, Meta(ge=1, le=2**31)]
QuestionNumber = Annotated[QuestionId, Meta(ge=1, le=2**31)]
Session = Annotated[SessionNumber, Meta(ge=1, le=2**31)]
Case = Annotated[CaseNumber, Meta(ge=1, le=2**31)]
#: No, partly, yes.
Score = Annotated[int, Meta(ge=0, le=2)]
LiveKind = Literal["one_to_one", "one_to_many"]
LadderChoice = Literal["bank", "written", "tomorrow", "join"]
CaseOutcome = Literal["unfounded", "settled", "escalated"]


class Actor(Struct, frozen=True):
    """Who gives a command; role from the token, not from the client. ``children``: a guardian's."""

    person: PersonId
    role: Role
    children: tuple[PersonId, ...] = ()


#: The server itself: timers, facts, searches.
SYSTEM = Actor(PersonId("system"), Role.OPERATOR)


# ---- pupils -------------------------------------------------------------------------------


class AskQuestion(Struct, frozen=True, tag="question_ask", forbid_unknown_fields=True):
    """A question. ``content``: what was stored of it; ``shared``: other pupils may be shown it;
    ``tutor``: only she, if she can; ``origin``: the moment of a lesson it comes from, as the link
    says that opened the desk."""

    subject: Id
    content: Id
    kind: QuestionKind = "text"
    points: Points = ()
    wish: Wish = "live"
    shared: bool = False
    tutor: Person | None = None
    origin: Id | None = None


class AcceptBankAnswer(Struct, frozen=True, tag="bank_accept", forbid_unknown_fields=True):
    """The bank's answer is enough."""

    question: QuestionNumber


class BankNotHelpful(Struct, frozen=True, tag="bank_not_helpful", forbid_unknown_fields=True):
    """It is not: on to the tutors, without typing anything again."""

    question: QuestionNumber


class WithdrawQuestion(Struct, frozen=True, tag="question_withdraw", forbid_unknown_fields=True):
    """Gives up one's own question; the place of a follower, if it is somebody else's."""

    question: QuestionNumber


class FollowQuestion(Struct, frozen=True, tag="question_follow", forbid_unknown_fields=True):
    """ "Me too": joins a shared question of another pupil and hears its answer."""

    question: QuestionNumber


class ChooseOnLadder(Struct, frozen=True, tag="ladder_choose", forbid_unknown_fields=True):
    """Instead of waiting: the bank's answer, a written one this evening, tomorrow, or a
    one_to_many (``session``) on the same thing."""

    question: QuestionNumber
    choice: LadderChoice
    session: Session | None = None


class PickTutor(Struct, frozen=True, tag="tutor_pick", forbid_unknown_fields=True):
    """Waits for one tutor; None: for whoever is first."""

    question: QuestionNumber
    tutor: Person | None = None


class ResolveQuestion(Struct, frozen=True, tag="question_resolve", forbid_unknown_fields=True):
    """The written answer is understood."""

    question: QuestionNumber


class ReopenQuestion(Struct, frozen=True, tag="question_reopen", forbid_unknown_fields=True):
    """It is not understood after all; once a question."""

    question: QuestionNumber


class RateQuestion(Struct, frozen=True, tag="question_rate", forbid_unknown_fields=True):
    """Three answers about the help: understood? patient? again? Once a question."""

    question: QuestionNumber
    understood: Score
    patient: Score
    again: Score


class JoinSession(Struct, frozen=True, tag="session_join", forbid_unknown_fields=True):
    """Comes into an open one_to_many to listen; with her question, if it is of its subject."""

    session: Session


class LeaveSession(Struct, frozen=True, tag="session_leave", forbid_unknown_fields=True):
    """A pupil leaves; a one_to_one is over then."""

    session: Session


class ReportSafety(Struct, frozen=True, tag="safety_report", forbid_unknown_fields=True):
    """The help key, on every screen. ``session`` or ``question``: what it is about, if anything."""

    session: Session | None = None
    question: QuestionNumber | None = None


# ---- tutors -------------------------------------------------------------------------------


class StartDuty(Struct, frozen=True, tag="duty_start", forbid_unknown_fields=True):
    """Ready for offers, from ten minutes before her time on the roster."""


class EndDuty(Struct, frozen=True, tag="duty_end", forbid_unknown_fields=True):
    """No more offers tonight; what she has in hand she finishes."""


class PauseDuty(Struct, frozen=True, tag="duty_pause", forbid_unknown_fields=True):
    """No offers for a while, or again."""

    on: bool = True


class AcceptOffer(Struct, frozen=True, tag="offer_accept", forbid_unknown_fields=True):
    """Takes the question that is offered to her."""

    question: QuestionNumber


class RefuseOffer(Struct, frozen=True, tag="offer_refuse", forbid_unknown_fields=True):
    """Lets it pass to the next."""

    question: QuestionNumber


class ClaimQuestion(Struct, frozen=True, tag="question_claim", forbid_unknown_fields=True):
    """Takes a question of the group, or one that waits for a written answer; first one wins."""

    question: QuestionNumber


class GiveBack(Struct, frozen=True, tag="question_give_back", forbid_unknown_fields=True):
    """Returns a claimed question to its place; somebody else will be offered it."""

    question: QuestionNumber


class AnswerQuestion(Struct, frozen=True, tag="question_answer", forbid_unknown_fields=True):
    """A written or drawn answer, stored as ``content``."""

    question: QuestionNumber
    content: Id


class StartSession(Struct, frozen=True, tag="session_start", forbid_unknown_fields=True):
    """Begins live help with a claimed question; one_to_many when others follow it."""

    question: QuestionNumber
    kind: LiveKind = "one_to_one"


class OpenSession(Struct, frozen=True, tag="session_open", forbid_unknown_fields=True):
    """Opens a one_to_many on a topic, without a question."""

    subject: Id
    grade: Grade
    points: Points = ()


class ExtendSession(Struct, frozen=True, tag="session_extend", forbid_unknown_fields=True):
    """Once a one_to_one, as far as the limits allow."""

    session: Session


class EndSession(Struct, frozen=True, tag="session_end", forbid_unknown_fields=True):
    """The tutor has finished; or a moderator ends it."""

    session: Session


# ---- moderators and planners --------------------------------------------------------------


class ApproveQuestion(Struct, frozen=True, tag="question_approve", forbid_unknown_fields=True):
    """Lets a question through."""

    question: QuestionNumber


class RejectQuestion(Struct, frozen=True, tag="question_reject", forbid_unknown_fields=True):
    """Takes a question out that does not belong here."""

    question: QuestionNumber


class MergeQuestions(Struct, frozen=True, tag="question_merge", forbid_unknown_fields=True):
    """Two questions are one: who asked the first follows ``into`` from here on."""

    question: QuestionNumber
    into: QuestionNumber


class EnterSession(Struct, frozen=True, tag="session_enter", forbid_unknown_fields=True):
    """A moderator comes into a session."""

    session: Session


class TakeCase(Struct, frozen=True, tag="case_take", forbid_unknown_fields=True):
    """A moderator sees to a report outside any session."""

    case: Case


class CloseCase(Struct, frozen=True, tag="case_close", forbid_unknown_fields=True):
    """A report is dealt with."""

    case: Case
    outcome: CaseOutcome


class SetDuty(Struct, frozen=True, tag="duty_set", forbid_unknown_fields=True):
    """Puts a tutor on tonight's roster, or changes her entry."""

    duty: Duty


class RemoveDuty(Struct, frozen=True, tag="duty_remove", forbid_unknown_fields=True):
    """Takes a tutor off tonight's roster; what she has in hand she finishes."""

    tutor: Person


DeskCommand = (
    AskQuestion
    | AcceptBankAnswer
    | BankNotHelpful
    | WithdrawQuestion
    | FollowQuestion
    | ChooseOnLadder
    | PickTutor
    | ResolveQuestion
    | ReopenQuestion
    | RateQuestion
    | JoinSession
    | LeaveSession
    | ReportSafety
    | StartDuty
    | EndDuty
    | PauseDuty
    | AcceptOffer
    | RefuseOffer
    | ClaimQuestion
    | GiveBack
    | AnswerQuestion
    | StartSession
    | OpenSession
    | ExtendSession
    | EndSession
    | ApproveQuestion
    | RejectQuestion
    | MergeQuestions
    | EnterSession
    | TakeCase
    | CloseCase
    | SetDuty
    | RemoveDuty
)


# ---- facts of the host --------------------------------------------------------------------


class PupilHere(Struct, frozen=True):
    """A pupil's line is up. ``consented``: her guardian has agreed, or she is old enough;
    ``recorded``, ``media``: she may be recorded, she may send photos and voices."""

    pupil: PersonId
    grade: int
    school: str = ""
    #: Her own lead teachers, whose offers are worth more to her.
    teachers: tuple[PersonId, ...] = ()
    consented: bool = True
    recorded: bool = True
    media: bool = True


class TellConsents(Struct, frozen=True):
    """How the consents of a pupil stand now; as in ``PupilHere``."""

    pupil: PersonId
    consented: bool
    recorded: bool
    media: bool


class StaffHere(Struct, frozen=True):
    """A tutor's or a moderator's line is up."""

    person: PersonId
    role: Role


class Lose(Struct, frozen=True):
    """The last line of somebody is gone."""

    person: PersonId


class CarryOver(Struct, frozen=True):
    """A question of an earlier evening comes back, with the place of its old second."""

    pupil: PersonId
    grade: int
    question: AskQuestion
    asked_at: float


class TellBank(Struct, frozen=True):
    """What the bank found for a question, best first; empty: nothing."""

    question: QuestionId
    matches: tuple[str, ...] = ()


class TellLike(Struct, frozen=True):
    """A question reads like others, the most alike first: its pupil may join a shared one, a
    moderator may merge them."""

    question: QuestionId
    like: tuple[QuestionId, ...]


class TellPair(Struct, frozen=True):
    """How often tutor and pupil of a one_to_one met this week, this session counted."""

    session: SessionNumber
    sessions: int


class Tick(Struct, frozen=True):
    """Something may be due; see ``timers``."""


Fact = (
    PupilHere | TellConsents | StaffHere | Lose | CarryOver | TellBank | TellLike | TellPair | Tick
)
AnyCommand = DeskCommand | Fact
