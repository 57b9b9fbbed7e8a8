"""A lesson's state as bytes: versioned, so that a later version may still read it."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from twinclass_signaling.errors import InvalidState
from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId
from twinclass_signaling.lesson.state import LessonState, Phase, Place, Plan, Seat
from twinclass_signaling.lesson.tool_state import Tools

VERSION = 2
#: 1,000 seats with hands, attendance and answers encode to about 400 KiB.
MAX_SNAPSHOT_BYTES = 1024 * 1024


class _Snapshot(Struct, array_like=True):
    version: int
    id: LessonId
    seq: EventSeq
    phase: Phase
    opened_at: float | None
    closed_at: float | None
    seats: dict[ParticipantId, Seat]
    stage: list[Place]
    tools: Tools


def encode(state: LessonState) -> bytes:
    """Returns the state without its plan.

    Raises:
        InvalidState: it is larger than ``MAX_SNAPSHOT_BYTES``.
    """
    data = msgspec.msgpack.encode(
        _Snapshot(
            VERSION,
            state.id,
            state.seq,
            state.phase,
            state.opened_at,
            state.closed_at,
            state.seats,
            state.stage,
            state.tools,
        )
    )
    if len(data) > MAX_SNAPSHOT_BYTES:
        raise InvalidState("snapshot_size", "记录过大。", f"a snapshot of {len(data)} bytes")
    return data


def decode(plan: Plan, data: bytes) -> LessonState:
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
    return LessonState(
        id=found.id,
        plan=plan,
        seq=found.seq,
        phase=found.phase,
        opened_at=found.opened_at,
        closed_at=found.closed_at,
        seats=found.seats,
        stage=found.stage,
        tools=found.tools,
    )


def copy(state: LessonState) -> LessonState:
    """Returns a state that shares nothing changeable with ``state``."""
    return decode(state.plan, encode(state))
