"""The live lesson: commands in, events out; and what an event does to the state.

``handle`` only reads the state and decides; ``apply`` only writes it and decides nothing that a
replay would not decide again. So a log of events is the lesson: replayed from the start or
from a snapshot it gives the same state on any machine. There is no clock here: ``now`` and
``at`` are wall-clock seconds given by the host, because a lost seat's time must go on when
another process takes the lesson over.
"""

from __future__ import annotations

from twinclass_signaling.errors import Conflict, Forbidden, InvalidState, LimitExceeded
from twinclass_signaling.ids import EventSeq, ParticipantId
from twinclass_signaling.lesson.commands import (
    Actor,
    EndPublication,
    Join,
    Leave,
    LessonCommand,
    Lose,
    StartPublication,
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
from twinclass_signaling.lesson.media_policy import VISIBLE_STAGE
from twinclass_signaling.lesson.state import (
    MAX_SEATS,
    MAX_STAGE,
    STAGE_ROLES,
    LessonState,
    Place,
    Seat,
)
from twinclass_signaling.messages import (
    CallOn,
    ClearStage,
    ClientCommand,
    CloseLesson,
    LeaveStage,
    OpenLesson,
)
from twinclass_signaling.permissions import CommandAction, allowed, may_publish


def handle(
    state: LessonState, command: LessonCommand, actor: Actor, now: float
) -> list[LessonEvent]:
    """Returns what happens by a command, nothing when it is already so. Changes nothing.

    Args:
        state: the lesson at the moment.
        command: what somebody asks for, or a fact the host tells.
        actor: who asks; facts come from ``SYSTEM``.
        now: wall-clock second; present for commands whose outcome depends on time.

    Raises:
        Forbidden: the actor may not.
        Conflict: the lesson's present state is against it.
        LimitExceeded: no seat is left.
    """
    del now  # No command of this issue depends on it; the signature is the extension point.
    match command:
        case OpenLesson() | CloseLesson() | CallOn() | LeaveStage() | ClearStage():
            return _handle_client(state, command, actor)
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
            if source not in may_publish(seat.role):
                raise _forbidden()
            return [PublicationStarted(participant, source)]
        case EndPublication(participant, source):
            seat = state.seats.get(participant)
            is_published = seat is not None and source in seat.sources
            return [PublicationEnded(participant, source)] if is_published else []


def _handle_client(state: LessonState, command: ClientCommand, actor: Actor) -> list[LessonEvent]:
    if state.phase == "closed":
        raise Conflict("lesson_closed", "这节课已经结束。", "This lesson is over.")
    match command:
        case OpenLesson():
            _require(state, actor, "lesson_open")
            if state.phase == "live":
                raise Conflict("already_open", "已经上课了。", "The lesson is already open.")
            return [LessonOpened(actor.participant)]
        case CloseLesson():
            _require(state, actor, "lesson_close")
            return _close(state, actor)
        case CallOn(participant):
            _require(state, actor, "call_on")
            return _call_on(state, participant, actor)
        case LeaveStage(participant):
            _require(state, actor, "stage_leave", participant)
            if not state.is_on_stage(participant):
                raise Conflict("not_on_stage", "对方不在台上。", "They are not on stage.")
            reason: StageReason = "self" if participant == actor.participant else "staff"
            return [StageLeft(participant, reason, actor.participant)]
        case ClearStage():
            _require(state, actor, "stage_clear")
            return [
                StageLeft(place.participant, "cleared", actor.participant) for place in state.stage
            ]


def _require(
    state: LessonState, actor: Actor, action: CommandAction, target: ParticipantId | None = None
) -> None:
    if not allowed(actor, action, state, target):
        raise _forbidden()


def _forbidden() -> Forbidden:
    return Forbidden("forbidden", "您没有这个权限。", "Your role may not do this.")


def _call_on(state: LessonState, participant: ParticipantId, actor: Actor) -> list[LessonEvent]:
    seat = state.seats.get(participant)
    if seat is None or seat.presence != "present":
        raise Conflict("participant_away", "对方现在不在线。", "They are not here right now.")
    if seat.role not in STAGE_ROLES:
        raise Conflict(
            "not_callable",
            "只能点名课堂或居家学生。",
            "Only rooms and home learners can be called on.",
        )
    if state.is_on_stage(participant):
        raise Conflict("already_on_stage", "对方已经在台上。", "They are already on stage.")
    if len(state.stage) >= MAX_STAGE:
        raise Conflict(
            "stage_full",
            f"台上已有 {MAX_STAGE} 位，请先请人下台。",
            f"There are {MAX_STAGE} on stage already; take somebody off first.",
        )
    return [CalledOn(participant, actor.participant), StageEntered(participant)]


def _close(state: LessonState, actor: Actor) -> list[LessonEvent]:
    events: list[LessonEvent] = []
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
    joined = ParticipantJoined(command.participant, command.role, command.room)
    seat = state.seats.get(command.participant)
    if seat is None:
        if len(state.seats) >= MAX_SEATS:
            raise LimitExceeded("lesson_full", "这节课已经满员。", "This lesson is full.")
        return [joined]
    if seat.presence == "left":
        return [joined]
    if (seat.role, seat.room) != (command.role, command.room):
        # The same person with another role: what the old one had must not stay.
        return [*_leave(state, Leave(command.participant, "fenced")), joined]
    return [ParticipantRecovered(command.participant)] if seat.presence == "lost" else []


def _leave(state: LessonState, command: Leave) -> list[LessonEvent]:
    seat = state.seats.get(command.participant)
    if seat is None or seat.presence == "left":
        return []
    events: list[LessonEvent] = []
    if state.is_on_stage(command.participant):
        reason: StageReason = "self" if command.reason == "left" else "lost"
        events.append(StageLeft(command.participant, reason))
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
    match event:
        case LessonOpened():
            state.phase, state.opened_at = "live", at
        case LessonClosed():
            state.phase, state.closed_at = "closed", at
        case ParticipantJoined(participant, role, room):
            former = state.seats.get(participant)
            seat = Seat(role, room)
            if former is not None:
                seat.turns, seat.last_turn_at = former.turns, former.last_turn_at
            state.seats[participant] = seat
        case ParticipantLost(participant):
            seat = _seat(state, participant)
            seat.presence, seat.lost_at = "lost", at
        case ParticipantRecovered(participant):
            seat = _seat(state, participant)
            seat.presence, seat.lost_at = "present", 0.0
        case ParticipantLeft(participant, _):
            seat = _seat(state, participant)
            seat.presence, seat.lost_at, seat.sources = "left", 0.0, []
        case CalledOn():
            pass  # The naming itself; what follows from it is stage_enter.
        case StageEntered(participant):
            _enter_stage(state, participant, at)
        case StageLeft(participant, _, _):
            _leave_stage(state, participant)
        case PublicationStarted(participant, source):
            _seat(state, participant).sources.append(source)
        case PublicationEnded(participant, source):
            _seat(state, participant).sources.remove(source)
    state.seq = seq


def _seat(state: LessonState, participant: ParticipantId) -> Seat:
    try:
        return state.seats[participant]
    except KeyError:
        raise InvalidState("log_seat", "记录有误。", "an event names no seat") from None


def _enter_stage(state: LessonState, participant: ParticipantId, at: float) -> None:
    seat = _seat(state, participant)
    seat.turns += 1
    seat.last_turn_at = at
    taken = {place.index for place in state.stage}
    index = next(index for index in range(MAX_STAGE + 1) if index not in taken)
    state.stage.append(Place(participant, at, index))


def _leave_stage(state: LessonState, participant: ParticipantId) -> None:
    place = state.place_of(participant)
    if place is None:
        raise InvalidState("log_stage", "记录有误。", "an event names nobody on stage")
    state.stage.remove(place)
    if place.index < VISIBLE_STAGE:
        # ``stage`` is in the order of entering: the first behind the large places moves up.
        for waiting in state.stage:
            if waiting.index >= VISIBLE_STAGE:
                waiting.index = place.index
                break
