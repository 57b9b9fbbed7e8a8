"""The life of a question, as one table.

``TRANSITIONS`` is all there is: what is not in it cannot happen, is refused with
``question_state`` and changes nothing. The diagram in DESK.md is made from it. A draft is on the
pupil's device only and has no state here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from msgspec import Struct, field

from twinclass_signaling.desk.plan import QuestionId, SessionNumber
from twinclass_signaling.errors import Conflict, InvalidState
from twinclass_signaling.ids import PersonId

QuestionState = Literal[
    "submitted",
    "awaiting_approval",
    "bank_matched",
    "accepted_answer",
    "not_helpful",
    "queued",
    "offered",
    "claimed",
    "in_session",
    "answered_async",
    "resolved",
    "reopened",
    "expired",
    "reported",
    "withdrawn",
    "merged",
]
#: What makes a question go on.
Step = Literal[
    "hold",
    "approve",
    "reject",
    "match",
    "accept",
    "not_helpful",
    "queue",
    "offer",
    "pass",
    "claim",
    "give_back",
    "answer",
    "start",
    "join",
    "resolve",
    "reopen",
    "withdraw",
    "merge",
    "expire",
    "report",
]
QuestionKind = Literal["text", "photo", "voice"]
Wish = Literal["live", "written"]

_TABLE: tuple[tuple[QuestionState, Step, QuestionState], ...] = (
    ("submitted", "hold", "awaiting_approval"),
    ("submitted", "match", "bank_matched"),
    ("submitted", "queue", "queued"),
    ("submitted", "withdraw", "withdrawn"),
    ("submitted", "merge", "merged"),
    ("submitted", "expire", "expired"),
    ("awaiting_approval", "approve", "submitted"),
    ("awaiting_approval", "reject", "withdrawn"),
    ("awaiting_approval", "withdraw", "withdrawn"),
    ("awaiting_approval", "merge", "merged"),
    ("awaiting_approval", "expire", "expired"),
    ("bank_matched", "accept", "accepted_answer"),
    ("bank_matched", "not_helpful", "not_helpful"),
    ("bank_matched", "withdraw", "withdrawn"),
    ("bank_matched", "expire", "expired"),
    ("accepted_answer", "reopen", "reopened"),
    ("not_helpful", "queue", "queued"),
    ("queued", "offer", "offered"),
    ("queued", "claim", "claimed"),  # Of the group, or a written answer.
    ("queued", "join", "in_session"),  # A one_to_many on the same thing.
    ("queued", "accept", "accepted_answer"),  # The bank's answer does, after all.
    ("queued", "withdraw", "withdrawn"),
    ("queued", "reject", "withdrawn"),
    ("queued", "merge", "merged"),
    ("queued", "expire", "expired"),
    ("offered", "pass", "queued"),
    ("offered", "claim", "claimed"),
    ("offered", "withdraw", "withdrawn"),
    ("offered", "expire", "expired"),
    ("claimed", "start", "in_session"),
    ("claimed", "answer", "answered_async"),
    ("claimed", "give_back", "queued"),
    ("claimed", "withdraw", "withdrawn"),
    ("claimed", "expire", "expired"),
    ("claimed", "report", "reported"),
    ("in_session", "resolve", "resolved"),
    ("in_session", "give_back", "queued"),
    ("in_session", "report", "reported"),
    ("answered_async", "resolve", "resolved"),
    ("answered_async", "reopen", "reopened"),
    ("answered_async", "report", "reported"),
    ("resolved", "reopen", "reopened"),
    ("resolved", "report", "reported"),
    ("reopened", "queue", "queued"),
)
TRANSITIONS: Mapping[tuple[QuestionState, Step], QuestionState] = {
    (before, step): after for before, step, after in _TABLE
}
STATES: tuple[QuestionState, ...] = get_args(QuestionState)
STEPS: tuple[Step, ...] = get_args(Step)
#: A pupil has at most one question in these; in all others she has got, or given up, an answer.
ACTIVE: frozenset[QuestionState] = frozenset((
    "submitted", "awaiting_approval", "bank_matched", "not_helpful", "queued", "offered",
    "claimed", "in_session", "reopened",
))  # fmt: skip
#: Steps by which somebody leaves a queue without a tutor's help.
LEAVING: frozenset[Step] = frozenset({"join", "accept", "withdraw", "reject", "merge", "expire"})


class Question(Struct, array_like=True):
    """One question; it stays in the state to the evening's end. Its text, pictures and answers
    are in SQL, ``content``, ``bank`` and ``answer`` refer to them."""

    id: QuestionId
    pupil: PersonId
    subject: str
    grade: int
    points: tuple[str, ...]
    content: str
    kind: QuestionKind
    asked_at: float
    #: Other pupils may be shown it, without any name.
    shared: bool
    #: The lesson chapter or homework item it comes from.
    origin: str | None
    state: QuestionState = "submitted"
    #: Since when it is in this state.
    since: float = 0.0
    approved: bool = False
    wish: Wish = "live"
    #: Places in a queue go by ``priority``, then ``rank``: a second, see ``queue.rank``.
    rank: float = 0.0
    priority: bool = False
    #: Since when she waits for a tutor, without a break.
    waiting_since: float = 0.0
    pick: PersonId | None = None
    #: Who is offered it, has claimed it, or has answered it.
    tutor: PersonId | None = None
    session: SessionNumber | None = None
    #: Who let it pass in this round.
    passed_by: tuple[PersonId, ...] = ()
    #: The whole group may claim it now.
    in_group: bool = False
    ladder: bool = False
    reopened: bool = False
    rated: bool = False
    bank: tuple[str, ...] = ()
    answer: str | None = None
    #: Questions that it reads like, the most alike first.
    like: tuple[QuestionId, ...] = ()
    into: QuestionId | None = None
    followers: list[PersonId] = field(default_factory=list)

    @property
    def is_active(self) -> bool:
        """Tells whether it is still on its way."""
        return self.state in ACTIVE

    @property
    def is_many(self) -> bool:
        """Tells whether several pupils have this question."""
        return bool(self.followers)


def may(question: Question, step: Step) -> bool:
    """Tells whether a question can go this way now."""
    return (question.state, step) in TRANSITIONS


def check(question: Question, step: Step) -> None:
    """Refuses a step that the table does not have.

    Raises:
        Conflict: with the code ``question_state``.
    """
    if not may(question, step):
        raise Conflict(
            "question_state",
            "这个问题现在不能这样处理，请刷新后再看。",
            f"A question that is {question.state} cannot do this.",
        )


def move(question: Question, step: Step, at: float) -> None:
    """Brings a question into its next state.

    Raises:
        InvalidState: the log is damaged, or the step was decided on an older state.
    """
    after = TRANSITIONS.get((question.state, step))
    if after is None:
        raise InvalidState("log_question", "记录有误。", f"{step} of a {question.state} question")
    question.state, question.since = after, at


def diagram() -> str:
    """Returns the table as a Mermaid state diagram, for DESK.md."""
    lines = ["stateDiagram-v2", "    [*] --> submitted: ask"]
    lines += [f"    {before} --> {after}: {step}" for before, step, after in _TABLE]
    goes_on = {before for before, _, _ in _TABLE}
    lines += [f"    {state} --> [*]" for state in STATES if state not in goes_on]
    return "\n".join(lines)
