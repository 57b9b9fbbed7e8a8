"""The evening desk: commands in, events out; and what an event does to the state.

``handle`` only reads the state and decides; ``apply`` only writes it and decides nothing that a
replay would not decide again. So a log of events is the evening: replayed from the start or from
a snapshot it gives the same state on any machine. There is no clock and no chance here. ``now``
and ``at`` are Unix seconds given by the host; a clock that goes back (another machine has taken
over) stands still here until it has caught up.

After a command the host asks ``timers`` whether something is due, and gives a ``Tick`` for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from twinclass_signaling.desk import (
    asking,
    helping,
    people,
    question_log,
    safety,
    session_log,
    sessions,
    timers,
)
from twinclass_signaling.desk.checks import forbidden
from twinclass_signaling.desk.commands import Actor, AnyCommand, DeskCommand, Tick
from twinclass_signaling.desk.events import (
    DeskEvent,
    DeskOpened,
    GradeClosed,
    QuestionEvent,
)
from twinclass_signaling.desk.permissions import allowed
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.errors import Conflict, InvalidState
from twinclass_signaling.ids import EventSeq

#: Which part a command or an event belongs to; unions are looked up by type because a desk
#: decides thousands a second in a simulation, and ``isinstance`` goes through them one by one.
_HANDLERS: dict[type, Callable[[DeskState, Any, Actor, float], list[DeskEvent]]] = {
    kind: decide
    for part, decide in (
        (asking.AskingCommand, asking.handle),
        (helping.HelpingCommand, helping.handle),
        (people.PeopleCommand, people.handle),
        (sessions.SessionCommand, sessions.handle),
        (safety.SafetyCommand, safety.handle),
    )
    for kind in get_args(part)
}
_APPLIERS: dict[type, Callable[[DeskState, Any, float], None]] = {
    kind: write
    for part, write in (
        (QuestionEvent, question_log.apply),
        (helping.HelpingEvent, helping.apply),
        (people.PeopleEvent, people.apply),
        (session_log.SessionEvent, session_log.apply),
        (safety.SafetyEvent, safety.apply),
    )
    for kind in get_args(part)
}
_CLIENT = frozenset(get_args(DeskCommand))


def handle(state: DeskState, command: AnyCommand, actor: Actor, now: float) -> list[DeskEvent]:
    """Returns what happens by a command, nothing when it is already so. Changes nothing.

    Args:
        state: the desk at the moment.
        command: what somebody asks for, or a fact the host tells.
        actor: who asks; facts come from ``SYSTEM``.
        now: Unix second.

    Raises:
        Forbidden: the actor may not.
        Conflict: the desk's present state is against it.
        LimitExceeded: the desk is full.
    """
    now = max(now, state.at)
    is_client = type(command) in _CLIENT
    if state.phase == "closed":
        if is_client:
            raise Conflict("desk_closed", "今晚的答疑已经结束。", "The desk is closed for tonight.")
        return []
    if is_client and not allowed(actor, str(type(command).__struct_config__.tag)):
        raise forbidden()
    if isinstance(command, Tick):
        return timers.due(state, now)
    return _HANDLERS[type(command)](state, command, actor, now)


def apply(state: DeskState, event: DeskEvent, at: float, seq: EventSeq) -> None:
    """Changes the state by one event of the log.

    Raises:
        InvalidState: the event does not follow from the state: the log is damaged or a command
            was decided on an older state.
    """
    if seq != state.seq + 1 or state.phase == "closed":
        raise InvalidState("log_order", "记录顺序有误。", f"event {seq} after {state.seq}")
    at = max(at, state.at)
    try:
        _apply(state, event, at)
    except KeyError as error:
        raise InvalidState("log_desk", "记录有误。", f"an event names {error}") from error
    state.at, state.seq = at, seq


def _apply(state: DeskState, event: DeskEvent, at: float) -> None:
    applier = _APPLIERS.get(type(event))
    if applier is not None:
        applier(state, event, at)
    elif isinstance(event, DeskOpened):
        state.phase = "open"
        state.schedule("open|", None)
    elif isinstance(event, GradeClosed):
        _grade_closed(state, event.grade, at)
    else:
        state.phase = "closed"
        for _, token in list(state.index.agenda):
            state.schedule(token, None)


def _grade_closed(state: DeskState, grade: int, at: float) -> None:
    state.closed_grades.append(grade)
    state.schedule(f"grade|{grade}", None)
    if len(state.closed_grades) == len(state.hours):
        state.schedule("end|", at + timers.WRAP_UP_S)
