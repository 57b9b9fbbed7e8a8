"""A desk's state as bytes: versioned, so that a later version may still read it."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from twinclass_signaling.desk import standing
from twinclass_signaling.desk.plan import (
    CaseNumber,
    Desk,
    Duty,
    Evening,
    QuestionId,
    SessionNumber,
    queue_key,
)
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.queue import place
from twinclass_signaling.desk.state import (
    Case,
    DeskState,
    Phase,
    Pupil,
    Seen,
    Session,
    Tutor,
)
from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import EventSeq, PersonId

VERSION = 1
#: 20,000 questions and as many pupils encode to about 6 MiB.
MAX_SNAPSHOT_BYTES = 16 * 1024 * 1024


class _Snapshot(Struct, array_like=True):
    version: int
    midnight: float
    seq: EventSeq
    at: float
    phase: Phase
    closed_grades: list[int]
    duties: dict[PersonId, Duty]
    pupils: dict[PersonId, Pupil]
    tutors: dict[PersonId, Tutor]
    moderators: dict[PersonId, bool]
    questions: list[Question]
    sessions: list[Session]
    cases: list[Case]
    seen: dict[str, Seen]
    agenda: list[tuple[float, str]]


def encode(state: DeskState) -> bytes:
    """Returns the state without its plan and its index.

    Raises:
        InvalidState: it is larger than ``MAX_SNAPSHOT_BYTES``.
    """
    data = msgspec.msgpack.encode(
        _Snapshot(
            VERSION,
            state.evening.midnight,
            state.seq,
            state.at,
            state.phase,
            state.closed_grades,
            state.duties,
            state.pupils,
            state.tutors,
            state.moderators,
            list(state.questions.values()),
            list(state.sessions.values()),
            list(state.cases.values()),
            state.seen,
            state.index.agenda,
        )
    )
    if len(data) > MAX_SNAPSHOT_BYTES:
        raise InvalidState("snapshot_size", "记录过大。", f"a snapshot of {len(data)} bytes")
    return data


def decode(plan: Desk, data: bytes) -> DeskState:
    """Returns the state that ``encode`` was given.

    Raises:
        InvalidState: not a snapshot of a version we know.
    """
    try:
        found = msgspec.msgpack.decode(data, type=_Snapshot)
    except msgspec.MsgspecError as error:
        raise InvalidState("snapshot_format", "快照有误。", str(error)) from error
    if found.version != VERSION:
        raise InvalidState("snapshot_version", "快照版本不符。", f"version {found.version}")
    state = DeskState(
        plan,
        Evening(found.midnight),
        found.seq,
        found.at,
        found.phase,
        found.closed_grades,
        found.duties,
        found.pupils,
        found.tutors,
        found.moderators,
        {QuestionId(one.id): one for one in found.questions},
        {SessionNumber(one.number): one for one in found.sessions},
        {CaseNumber(one.number): one for one in found.cases},
        found.seen,
    )
    _index(state, found.agenda)
    return state


def copy(state: DeskState) -> DeskState:
    """Returns a state that shares nothing changeable with ``state``."""
    return decode(state.plan, encode(state))


def _index(state: DeskState, agenda: list[tuple[float, str]]) -> None:
    index = state.index
    index.agenda = agenda
    index.due_at = {token: at for at, token in agenda}
    for session in state.sessions.values():
        if session.ended_at is None and session.kind == "one_to_many":
            key = queue_key(session.subject, session.grade)
            index.rooms.setdefault(key, {})[session.number] = None
    for question in state.questions.values():
        index.asked.setdefault(question.pupil, []).append(question.id)
        for follower in question.followers:
            index.followed.setdefault(follower, []).append(question.id)
        active = index.active.setdefault(question.grade, {})
        if question.is_active:
            active[question.id] = None
        place(state, question)
    for person in state.tutors:
        standing.refresh(state, person)
