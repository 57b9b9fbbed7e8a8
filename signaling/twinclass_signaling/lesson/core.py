"""The live lesson: commands in, events out; and what an event does to the state.

``handle`` only reads the state and decides; ``apply`` only writes it and decides nothing that a
replay would not decide again. So a log of events is the lesson: replayed from the start or
from a snapshot it gives the same state on any machine. There is no clock here: ``now`` and
``at`` are wall-clock seconds given by the host, because a lost seat's time must go on when
another process takes the lesson over.
"""

from __future__ import annotations

from twinclass_signaling.errors import Conflict, Forbidden, InvalidState, LimitExceeded
from twinclass_signaling.ids import EventSeq, ParticipantId, RoomId
from twinclass_signaling.lesson import timers
from twinclass_signaling.lesson.commands import (
    Actor,
    EndPublication,
    Join,
    Leave,
    LessonCommand,
    Lose,
    NoteEcho,
    StartPublication,
    Tick,
)
from twinclass_signaling.lesson.events import (
    CalledOn,
    LessonClosed,
    LessonEvent,
    LessonOpened,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantLost,
    ParticipantRecovered,
    PublicationEnded,
    PublicationStarted,
    StageEntered,
    StageLeft,
    StageReason,
)
from twinclass_signaling.lesson.state import MAX_SEATS, LessonState, Seat
from twinclass_signaling.lesson.tool_dispatch import apply_tool, handle_tool
from twinclass_signaling.lesson.tools import (
    attendance,
    backchannel,
    catch_up,
    echo,
    hands,
    quiz,
    sound_check,
    stage,
    teaching,
    work,
)
from twinclass_signaling.lesson.tools.checks import forbidden, is_room
from twinclass_signaling.messages import (
    CallOn,
    ClearStage,
    ClientCommand,
    CloseLesson,
    LeaveStage,
    OpenLesson,
)
from twinclass_signaling.permissions import allowed, may_publish
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import MarkAttendance, Remove, TakeOver


def handle(
    state: LessonState, command: LessonCommand, actor: Actor, now: float
) -> list[LessonEvent]:
    """Returns what happens by a command, nothing when it is already so. Changes nothing.

    Args:
        state: the lesson at the moment.
        command: what somebody asks for, or a fact the host tells.
        actor: who asks; facts come from ``SYSTEM``.
        now: wall-clock second.

    Raises:
        Forbidden: the actor may not.
        Conflict: the lesson's present state is against it.
        LimitExceeded: no seat is left.
    """
    match command:
        case Join():
            return _join(state, command)
        case Lose(participant):
            seat = state.seats.get(participant)
            is_here = seat is not None and seat.presence == "present"
            return [ParticipantLost(participant)] if is_here else []
        case Leave():
            return _leave(state, command)
        case StartPublication(participant, source):
            seat = state.seats.get(participant)
            if seat is None or seat.presence == "left" or source in seat.sources:
                return []
            if source not in may_publish(seat.role) or seat.companion:
                raise forbidden()
            return [PublicationStarted(participant, source)]
        case EndPublication(participant, source):
            seat = state.seats.get(participant)
            is_published = seat is not None and source in seat.sources
            return [PublicationEnded(participant, source)] if is_published else []
        case NoteEcho():
            return [] if state.phase == "closed" else echo.note(state, command, now)
        case Tick():
            return timers.due(state, now)
        case _:
            return _handle_client(state, command, actor, now)


def _handle_client(
    state: LessonState, command: ClientCommand, actor: Actor, now: float
) -> list[LessonEvent]:
    if state.phase == "closed":
        raise Conflict("lesson_closed", "这节课已经结束。", "This lesson is over.")
    target: ParticipantId | None = getattr(command, "participant", None)
    if not allowed(actor, str(type(command).__struct_config__.tag), state, target):
        raise forbidden()
    match command:
        case OpenLesson():
            if state.phase == "live":
                raise Conflict("already_open", "已经上课了。", "The lesson is already open.")
            ended = sound_check.end(state, "staff", actor)
            return [*ended, LessonOpened(actor.participant)]
        case CloseLesson():
            return _close(state, actor)
        case CallOn(participant, child):
            return stage.call(state, participant, actor, child)
        case LeaveStage(participant):
            if not state.is_on_stage(participant):
                raise Conflict("not_on_stage", "对方不在台上。", "They are not on stage.")
            reason: StageReason = "self" if participant == actor.participant else "staff"
            return [StageLeft(participant, reason, actor.participant)]
        case ClearStage():
            return [
                StageLeft(place.participant, "cleared", actor.participant) for place in state.stage
            ]
        case MarkAttendance(pupil):
            events = handle_tool(state, command, actor, now)
            arrived = any(getattr(event, "cause", None) == "arrived" for event in events)
            home = state.seats.get(ParticipantId(pupil)) if arrived else None
            if home is not None and home.role is Role.HOME_LEARNER:
                events += _leave(state, Leave(ParticipantId(pupil), "arrived"))
            return events
        case TakeOver() if actor.role is Role.ASSISTANT and actor.room is not None:
            # She teaches in front of her class: it is in the lesson again.
            events = handle_tool(state, command, actor, now)
            return [*catch_up.end(state, actor.room, "called", actor), *events]
        case Remove(participant):
            events = _leave(state, Leave(participant, "removed"))
            return [*events, *handle_tool(state, command, actor, now)]
        case _:
            return handle_tool(state, command, actor, now)


def _close(state: LessonState, actor: Actor) -> list[LessonEvent]:
    events: list[LessonEvent] = [
        *sound_check.end(state, "lesson_closed", actor),
        *quiz.close(state, "lesson_closed", actor),
        *work.end_countdown(state, "lesson_closed", actor),
        *work.end_group_work(state, "lesson_closed", actor),
        *catch_up.end_all(state, "lesson_closed", actor),
    ]
    for place in state.stage:
        events.append(StageLeft(place.participant, "lesson_closed", actor.participant))
    for participant, seat in state.seats.items():
        if seat.presence != "left":
            events.append(ParticipantLeft(participant, "lesson_closed"))
    events.append(LessonClosed(actor.participant))
    return events


def _join(state: LessonState, command: Join) -> list[LessonEvent]:
    if state.phase == "closed":
        raise Conflict("lesson_closed", "这节课已经结束。", "This lesson is over.")
    if command.participant in state.tools.removed:
        raise Forbidden(
            "removed",
            "老师已请你离开课堂，请联系老师。",
            "You were taken out of this lesson; ask the teacher.",
        )
    joined: list[LessonEvent] = [
        ParticipantJoined(command.participant, command.role, command.room, command.companion),
        *attendance.joined(state, command.participant, command.role, command.room),
    ]
    seat = state.seats.get(command.participant)
    if seat is None:
        if len(state.seats) >= MAX_SEATS:
            raise LimitExceeded("lesson_full", "这节课已经满员。", "This lesson is full.")
        return joined
    if seat.presence == "left":
        return joined
    if (seat.role, seat.room, seat.companion) != (command.role, command.room, command.companion):
        # The same person with another role: what the old one had must not stay.
        return [*_leave(state, Leave(command.participant, "fenced")), *joined]
    return [ParticipantRecovered(command.participant)] if seat.presence == "lost" else []


def _leave(state: LessonState, command: Leave) -> list[LessonEvent]:
    seat = state.seats.get(command.participant)
    if seat is None or seat.presence == "left":
        return []
    events: list[LessonEvent] = []
    if state.is_on_stage(command.participant):
        reason: StageReason = "self" if command.reason == "left" else "lost"
        events.append(StageLeft(command.participant, reason))
    events += hands.left(state, command.participant)
    if is_room(seat):
        events += catch_up.end(state, RoomId(command.participant), "left")
    events.extend(PublicationEnded(command.participant, source) for source in seat.sources)
    events.append(ParticipantLeft(command.participant, command.reason))
    return events


def apply(state: LessonState, event: LessonEvent, at: float, seq: EventSeq) -> None:
    """Changes the state by one event of the log.

    Raises:
        InvalidState: the event does not follow from the state: the log is damaged or a command
            was decided on an older state.
    """
    if seq != state.seq + 1 or state.phase == "closed":
        raise InvalidState("log_order", "记录顺序有误。", f"event {seq} after {state.seq}")
    backchannel.forget_old_pulses(state, at)
    match event:
        case LessonOpened():
            state.phase, state.opened_at = "live", at
            teaching.refresh(state, at)
        case LessonClosed():
            state.phase, state.closed_at = "closed", at
        case CalledOn():
            stage.note_child(state, event)
        case StageEntered(participant):
            stage.enter(state, event, _seat(state, participant), at)
        case StageLeft():
            stage.leave(state, event)
        case (
            ParticipantJoined()
            | ParticipantLost()
            | ParticipantRecovered()
            | ParticipantLeft()
            | PublicationStarted()
            | PublicationEnded()
        ):
            _apply_seat(state, event, at)
            teaching.refresh(state, at)
        case _:
            apply_tool(state, event, at)
    state.seq = seq


def _apply_seat(
    state: LessonState,
    event: ParticipantJoined
    | ParticipantLost
    | ParticipantRecovered
    | ParticipantLeft
    | PublicationStarted
    | PublicationEnded,
    at: float,
) -> None:
    match event:
        case ParticipantJoined(participant, role, room, companion):
            former = state.seats.get(participant)
            seat = Seat(role, room, companion=companion, joined_at=at)
            if former is not None:
                seat.turns, seat.last_turn_at = former.turns, former.last_turn_at
            state.take_seat(participant, seat)
        case ParticipantLost(participant):
            seat = _seat(state, participant)
            seat.presence, seat.lost_at = "lost", at
        case ParticipantRecovered(participant):
            seat = _seat(state, participant)
            seat.presence, seat.lost_at = "present", 0.0
        case ParticipantLeft(participant, reason):
            seat = _seat(state, participant)
            seat.presence, seat.sources = "left", []
            if reason != "timeout":
                seat.lost_at = 0.0
        case PublicationStarted(participant, source):
            _seat(state, participant).sources.append(source)
        case PublicationEnded(participant, source):
            _seat(state, participant).sources.remove(source)


def _seat(state: LessonState, participant: ParticipantId) -> Seat:
    try:
        return state.seats[participant]
    except KeyError:
        raise InvalidState("log_seat", "记录有误。", "an event names no seat") from None
