"""A lesson's core as its journal drives it."""

from __future__ import annotations

from twinclass_server.adapters.redis_log import EventLog
from twinclass_server.journal import Journal
from twinclass_signaling.ids import EventSeq
from twinclass_signaling.lesson import snapshot
from twinclass_signaling.lesson.commands import Actor, LessonCommand
from twinclass_signaling.lesson.core import apply, handle
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.messages import Event

LessonLog = EventLog[Event]
LessonJournal = Journal[LessonState, LessonCommand, Actor, Event]


class LessonCore:
    """See ``journal.Core``."""

    @staticmethod
    def decide(state: LessonState, command: LessonCommand, actor: Actor, now: float) -> list[Event]:
        """Decides a command and applies what it makes; raises as ``core.handle``."""
        events: list[Event] = []
        for fact in handle(state, command, actor, now):
            event = Event(EventSeq(state.seq + 1), now, fact)
            apply(state, fact, now, event.seq)
            events.append(event)
        return events

    @staticmethod
    def apply(state: LessonState, event: Event) -> None:
        """Applies an event of the log; raises as ``core.apply``."""
        apply(state, event.event, event.at, event.seq)

    @staticmethod
    def copy(state: LessonState) -> LessonState:
        """Returns a copy."""
        return snapshot.copy(state)

    @staticmethod
    def encode(state: LessonState) -> bytes:
        """Returns a snapshot."""
        return snapshot.encode(state)
