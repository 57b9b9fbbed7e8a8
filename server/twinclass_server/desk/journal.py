"""A desk's core as its journal drives it."""

from __future__ import annotations

from msgspec import Struct

from twinclass_server.adapters.redis_log import EventLog
from twinclass_server.journal import Journal
from twinclass_signaling.desk import snapshot
from twinclass_signaling.desk.commands import Actor, AnyCommand
from twinclass_signaling.desk.core import apply, handle
from twinclass_signaling.desk.events import DeskEvent
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.ids import EventSeq


class DeskStep(Struct, frozen=True):
    """One step of an evening as the log holds it."""

    seq: EventSeq
    at: float
    event: DeskEvent


DeskLog = EventLog[DeskStep]
DeskJournal = Journal[DeskState, AnyCommand, Actor, DeskStep]


class DeskCore:
    """See ``journal.Core``."""

    @staticmethod
    def decide(state: DeskState, command: AnyCommand, actor: Actor, now: float) -> list[DeskStep]:
        """Decides a command and applies what it makes; raises as ``core.handle``."""
        steps: list[DeskStep] = []
        for event in handle(state, command, actor, now):
            step = DeskStep(EventSeq(state.seq + 1), now, event)
            apply(state, event, now, step.seq)
            steps.append(step)
        return steps

    @staticmethod
    def apply(state: DeskState, event: DeskStep) -> None:
        """Applies a step of the log; raises as ``core.apply``."""
        apply(state, event.event, event.at, event.seq)

    @staticmethod
    def copy(state: DeskState) -> DeskState:
        """Returns a copy."""
        return snapshot.copy(state)

    @staticmethod
    def encode(state: DeskState) -> bytes:
        """Returns a snapshot."""
        return snapshot.encode(state)
