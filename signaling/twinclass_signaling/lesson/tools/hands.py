"""Hands: one a participant, in the order in which they went up.

A home learner's is her own, a room's comes from its assistant with a count, a home group's names
its children. Bound: one hand a seat, so never more than seats.
"""

from __future__ import annotations

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.plan import MAX_PUPILS
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tool_events import (
    HandApproved,
    HandLowered,
    HandRaised,
    HandReason,
)
from twinclass_signaling.lesson.tool_state import Hand
from twinclass_signaling.lesson.tools.attendance import in_room, is_at_group
from twinclass_signaling.lesson.tools.checks import (
    assistants_here,
    room_of,
    unknown_pupil,
)
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import ApproveHand, LowerAllHands, LowerHand, RaiseHand

HandCommand = RaiseHand | LowerHand | LowerAllHands | ApproveHand
HandEvent = HandRaised | HandApproved | HandLowered


def hand_of(state: LessonState, participant: ParticipantId) -> Hand | None:
    """Returns somebody's hand, if it is up."""
    return next((hand for hand in state.tools.hands if hand.participant == participant), None)


def owner(actor: Actor) -> ParticipantId:
    """Returns whose hand an actor raises: an assistant that of her room."""
    if actor.role is Role.ASSISTANT and actor.room is not None:
        return ParticipantId(actor.room)
    return actor.participant


def handle(state: LessonState, command: HandCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    match command:
        case RaiseHand():
            return _raise(state, command, actor)
        case LowerHand(participant):
            whose = owner(actor) if participant is None else participant
            if hand_of(state, whose) is None:
                raise _no_hand()
            reason: HandReason = "self" if whose == owner(actor) else "staff"
            return [HandLowered(whose, reason, actor.participant)]
        case LowerAllHands():
            return [
                HandLowered(hand.participant, "all", actor.participant)
                for hand in state.tools.hands
                if actor.role is not Role.ASSISTANT or hand.room == actor.room
            ]
        case ApproveHand(participant):
            hand = hand_of(state, participant)
            if hand is None:
                raise _no_hand()
            return [] if hand.approved else [HandApproved(participant, actor.participant)]


def called(state: LessonState, participant: ParticipantId, actor: Actor) -> list[LessonEvent]:
    """Returns what a call does to the hand of who is called."""
    if hand_of(state, participant) is None:
        return []
    return [HandLowered(participant, "called", actor.participant)]


def left(state: LessonState, participant: ParticipantId) -> list[LessonEvent]:
    """Returns what giving up a seat does to its hand."""
    return [] if hand_of(state, participant) is None else [HandLowered(participant, "left")]


def _raise(state: LessonState, command: RaiseHand, actor: Actor) -> list[LessonEvent]:
    whose = owner(actor)
    if state.is_on_stage(whose):
        raise Conflict("already_on_stage", "已经在台上。", "Already on stage.")
    room = room_of(state, whose)
    count, children = 1, command.children
    if actor.role in {Role.ASSISTANT, Role.ROOM}:
        count, children = command.count, ()
        present = in_room(state, room) if room is not None else None
        limit = MAX_PUPILS if present is None else present
        if not 1 <= count <= limit:
            raise Conflict(
                "count_out_of_range",
                f"举手人数应在 1 到 {limit} 之间。",
                f"The number of hands must be 1 to {limit}.",
            )
    elif actor.role is Role.HOME_GROUP:
        if len(set(children)) != len(children) or not all(
            is_at_group(state, whose, child) for child in children
        ):
            raise unknown_pupil()
        count = len(children) or 1
    else:
        children = ()
    now_up = hand_of(state, whose)
    if now_up is not None and (now_up.count, now_up.children) == (count, children):
        return []
    is_by_staff = actor.role is Role.ASSISTANT
    # A class without its assistant would wait for ever.
    approved = (
        is_by_staff
        or not state.policy.hands_need_approval
        or not assistants_here(state, room)
        or (now_up is not None and now_up.approved)
    )
    return [HandRaised(whose, actor.participant, room, count, children, approved)]


def _no_hand() -> Conflict:
    return Conflict("no_hand", "这只手已经放下。", "This hand is not up any more.")


def apply(state: LessonState, event: HandEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    hands = state.tools.hands
    match event:
        case HandRaised(participant, _, room, count, children, approved):
            hand = hand_of(state, participant)
            if hand is None:
                hands.append(Hand(participant, room, count, at, approved, children))
            else:
                hand.count, hand.children, hand.approved = count, children, approved
        case HandApproved(participant, _):
            hand = hand_of(state, participant)
            if hand is not None:
                hand.approved = True
        case HandLowered(participant, _, _):
            state.tools.hands = [hand for hand in hands if hand.participant != participant]
