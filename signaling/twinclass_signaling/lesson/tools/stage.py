"""The stage: who is called, in which fair order, in which places, and with which microphones."""

from __future__ import annotations

from msgspec import Struct

from twinclass_signaling.errors import Conflict, InvalidState
from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.events import CalledOn, LessonEvent, StageEntered, StageLeft
from twinclass_signaling.lesson.plan import MAX_STAGE
from twinclass_signaling.lesson.state import STAGE_ROLES, LessonState, Place, Seat
from twinclass_signaling.lesson.tool_events import SpotlightSet, StageMoved, StageMuted
from twinclass_signaling.lesson.tools import catch_up, hands
from twinclass_signaling.lesson.tools.attendance import is_at_group
from twinclass_signaling.lesson.tools.checks import rooms_here, unknown_pupil
from twinclass_signaling.tool_commands import (
    CallNext,
    MoveOnStage,
    MuteOnStage,
    MuteStage,
    Spotlight,
)

StageToolCommand = CallNext | Spotlight | MoveOnStage | MuteOnStage | MuteStage
StageToolEvent = SpotlightSet | StageMoved | StageMuted

#: Stage places that are shown large; the others are only heard.
VISIBLE_STAGE = 4
#: A room that has waited for longer is marked (its pupils have only listened for so long).
LONG_WAIT_S = 600.0


class Wait(Struct, frozen=True):
    """A room's wait for a turn."""

    room: ParticipantId
    since: float
    turns: int
    hand: bool


def fair_order(state: LessonState) -> list[Wait]:
    """Returns the rooms that may be called, the fairest first.

    Rooms without a turn come first; among equals those with a hand up; then whoever waits
    longest since the last turn or the bell.
    """
    opened = state.opened_at or 0.0
    with_hand = {hand.participant for hand in state.tools.hands if hand.approved}
    waits: list[Wait] = []
    for room in rooms_here(state):
        participant = ParticipantId(room)
        seat = state.seats[participant]
        if not state.is_on_stage(participant):
            since = seat.last_turn_at if seat.turns else opened
            waits.append(Wait(participant, since, seat.turns, participant in with_hand))
    return sorted(waits, key=lambda wait: (wait.turns > 0, not wait.hand, wait.since))


def call(
    state: LessonState, participant: ParticipantId, actor: Actor, child: PersonId | None = None
) -> list[LessonEvent]:
    """Puts somebody on stage; raises as ``core.handle``."""
    seat = state.seats.get(participant)
    if seat is None or seat.presence != "present":
        raise Conflict("participant_away", "对方现在不在线。", "They are not here right now.")
    if seat.role not in STAGE_ROLES or seat.companion:
        raise Conflict(
            "not_callable",
            "只能点名课堂或居家学生。",
            "Only rooms and home learners can be called on.",
        )
    if child is not None and not is_at_group(state, participant, child):
        raise unknown_pupil()
    if state.is_on_stage(participant):
        raise Conflict("already_on_stage", "对方已经在台上。", "They are already on stage.")
    if state.tools.group_work is not None:
        raise Conflict("group_work_on", "正在分组，请先结束。", "End the group work first.")
    limit = state.policy.stage_limit
    if len(state.stage) >= limit:
        raise Conflict(
            "stage_full",
            f"台上已有 {limit} 位，请先请人下台。",
            f"There are {limit} on stage already; take somebody off first.",
        )
    return [
        *catch_up.end(state, RoomId(participant), "called", actor),
        CalledOn(participant, actor.participant, child),
        StageEntered(participant),
        *hands.called(state, participant, actor),
    ]


def handle(state: LessonState, command: StageToolCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    match command:
        case CallNext():
            waits = fair_order(state)
            if not waits:
                raise Conflict(
                    "nobody_waits", "没有可点名的课堂。", "No room is here that is not on stage."
                )
            return call(state, waits[0].room, actor)
        case Spotlight(participant):
            if participant is not None:
                _must_be_on_stage(state, participant)
            if participant == state.tools.spotlight:
                return []
            return [SpotlightSet(participant, actor.participant)]
        case MoveOnStage(participant, position):
            place = _must_be_on_stage(state, participant)
            target = min(position, len(state.stage) - 1)
            if state.stage.index(place) == target:
                return []
            return [StageMoved(participant, target, actor.participant)]
        case MuteOnStage(participant, muted):
            place = _must_be_on_stage(state, participant)
            if place.muted == muted:
                return []
            return [StageMuted(participant, muted, actor.participant)]
        case MuteStage():
            return [
                StageMuted(place.participant, True, actor.participant)
                for place in state.stage
                if not place.muted
            ]


def _must_be_on_stage(state: LessonState, participant: ParticipantId) -> Place:
    place = state.place_of(participant)
    if place is None:
        raise Conflict("not_on_stage", "对方不在台上。", "They are not on stage.")
    return place


# ---- what events do -----------------------------------------------------------------------


def note_child(state: LessonState, event: CalledOn) -> None:
    """Remembers who of a home group is called, until the stage is entered."""
    state.tools.called_child = event.child


def enter(state: LessonState, event: StageEntered, seat: Seat, at: float) -> None:
    """Gives a place on stage."""
    seat.turns += 1
    seat.last_turn_at = at
    taken = {place.index for place in state.stage}
    index = next(index for index in range(MAX_STAGE + 1) if index not in taken)
    child, state.tools.called_child = state.tools.called_child, None
    state.stage.append(Place(event.participant, at, index, child=child))


def leave(state: LessonState, event: StageLeft) -> None:
    """Takes a place off the stage; a large place that falls free is filled from behind."""
    place = state.place_of(event.participant)
    if place is None:
        raise InvalidState("log_stage", "记录有误。", "an event names nobody on stage")
    state.stage.remove(place)
    if state.tools.spotlight == event.participant:
        state.tools.spotlight = None
    if place.index < VISIBLE_STAGE:
        # ``stage`` is in the order of the stage: the first behind the large places moves up.
        for waiting in state.stage:
            if waiting.index >= VISIBLE_STAGE:
                waiting.index = place.index
                break


def apply(state: LessonState, event: StageToolEvent) -> None:
    """Changes the state; see ``core.apply``."""
    match event:
        case SpotlightSet(participant, _):
            state.tools.spotlight = participant
        case StageMoved(participant, position, _):
            place = state.place_of(participant)
            if place is not None:
                state.stage.remove(place)
                state.stage.insert(position, place)
                _fill_large_places(state)
        case StageMuted(participant, muted, _):
            place = state.place_of(participant)
            if place is not None:
                place.muted = muted


def _fill_large_places(state: LessonState) -> None:
    """The first of the order are shown large; whoever stays among them keeps the slot."""
    first = state.stage[:VISIBLE_STAGE]
    rising = [place for place in first if place.index >= VISIBLE_STAGE]
    falling = [place for place in state.stage[VISIBLE_STAGE:] if place.index < VISIBLE_STAGE]
    for up, down in zip(rising, falling, strict=False):
        up.index, down.index = down.index, up.index
