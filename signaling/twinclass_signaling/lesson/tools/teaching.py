"""Who leads: handing over, taking over when the lead is lost, and coming back.

``away_since`` is kept by ``apply`` from what happens to the seat of whoever leads; the timer
then makes the offer. The lead who comes back goes on where nobody has taken over; a co-lead
offers the teaching back, an assistant of a hybrid class gives it back by itself.
"""

from __future__ import annotations

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.commands import SYSTEM, Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import LEAD_ROLES, LessonState
from twinclass_signaling.lesson.talk_events import (
    HandOverOffered,
    HandOverWithdrawn,
    OfferReason,
    TeachingCause,
    TeachingChanged,
)
from twinclass_signaling.lesson.tool_state import Offer
from twinclass_signaling.lesson.tools.agenda import cue_at, phase_at
from twinclass_signaling.lesson.tools.checks import forbidden, is_room
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import HandBack, OfferHandOver, TakeOver

TeachingCommand = OfferHandOver | TakeOver | HandBack
TeachingEvent = HandOverOffered | HandOverWithdrawn | TeachingChanged

#: A page that is reloaded is back by then; the offer must stand within 5 s.
OFFER_AFTER_S = 3.0
_BY_LOSS: frozenset[OfferReason] = frozenset({"connection", "media"})


# ---- questions ----------------------------------------------------------------------------


def lead_of(state: LessonState) -> ParticipantId | None:
    """Returns the lead: who is here longest, else who was lost."""
    return _first(state, Role.LEAD)


def _first(state: LessonState, role: Role) -> ParticipantId | None:
    for presence in ("present", "lost"):
        for participant, seat in state.seats.items():
            if seat.role is role and seat.presence == presence:
                return participant
    return None


def teacher(state: LessonState) -> ParticipantId | None:
    """Returns who leads now."""
    who = state.tools.teaching.who
    if who is not None:
        return who
    return lead_of(state) or next(
        (participant for participant, seat in state.seats.items() if seat.role is Role.LEAD), None
    )


def leading(state: LessonState) -> tuple[ParticipantId | None, ParticipantId | None]:
    """Returns whose picture is the lead's, and the other one of lead and co-lead."""
    lead, co_lead = lead_of(state), _first(state, Role.CO_LEAD)
    who = state.tools.teaching.who
    seat = None if who is None else state.seats.get(who)
    if who is not None and seat is not None and seat.role is Role.CO_LEAD:
        return (who, lead) if seat.presence != "left" else (lead, co_lead)
    return lead, co_lead


def teaching_room(state: LessonState) -> ParticipantId | None:
    """Returns the room in whose front the assistant stands who leads now; those at home see and
    hear her by its camera and microphone."""
    who = state.tools.teaching.who
    seat = None if who is None else state.seats.get(who)
    if seat is None or seat.role is not Role.ASSISTANT or seat.room is None:
        return None
    room = ParticipantId(seat.room)
    return room if is_room(state.seats.get(room)) and state.is_here(room) else None


def _is_gone(state: LessonState) -> bool:
    who = teacher(state)
    if who is None or state.phase != "live":
        return False
    return not state.is_here(who) or _has_lost_media(state, who)


def _has_lost_media(state: LessonState, who: ParticipantId) -> bool:
    return state.tools.teaching.had_media and not _is_seen(state, who)


def _is_seen(state: LessonState, who: ParticipantId) -> bool:
    return bool({"camera", "microphone"} & set(state.seats[who].sources))


def candidates(state: LessonState) -> tuple[ParticipantId, ...]:
    """Returns who may take over from whoever leads now."""
    now_teaching = teacher(state)
    following = state.plan.policy.following
    return tuple(
        participant
        for participant, seat in state.seats.items()
        if participant != now_teaching
        and seat.presence == "present"
        and (
            seat.role in LEAD_ROLES
            or (
                participant == following
                and seat.role is Role.ASSISTANT
                and seat.room == state.plan.policy.hybrid_room
            )
        )
    )


# ---- commands -----------------------------------------------------------------------------


def handle(
    state: LessonState, command: TeachingCommand, actor: Actor, now: float
) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    teaching = state.tools.teaching
    who = actor.participant
    match command:
        case OfferHandOver(to):
            if who != teacher(state) and actor.role is not Role.LEAD:
                raise forbidden()
            if to is None:
                return [] if teaching.offer is None else [HandOverWithdrawn(who)]
            if to not in candidates(state):
                raise Conflict(
                    "participant_away", "对方现在不能接管。", "They cannot take over right now."
                )
            return [_offer(state, (to,), "offered", who, now)]
        case TakeOver():
            if who == teacher(state):
                raise Conflict("already_teaching", "您正在主讲。", "You are teaching already.")
            is_offered = teaching.offer is not None and who in teaching.offer.to
            is_open = actor.role is Role.LEAD or (
                teaching.away_since is not None and who in candidates(state)
            )
            if not is_offered and not is_open:
                raise Conflict(
                    "not_offered", "主讲没有交接给您。", "The teaching is not offered to you."
                )
            return [_change(state, who, "taken", who, now)]
        case HandBack():
            lead = lead_of(state)
            if who != teacher(state) or teaching.who is None:
                raise forbidden()
            if lead is None or not state.is_here(lead) or lead == who:
                raise Conflict(
                    "participant_away", "主讲老师还不在线。", "The lead is not here yet."
                )
            return [_change(state, lead, "handed_back", who, now)]


def _offer(
    state: LessonState,
    to: tuple[ParticipantId, ...],
    reason: OfferReason,
    actor: ParticipantId,
    now: float,
) -> HandOverOffered:
    return HandOverOffered(to, reason, phase_at(state, now), cue_at(state, now), actor)


def _change(
    state: LessonState,
    who: ParticipantId,
    cause: TeachingCause,
    actor: ParticipantId,
    now: float,
) -> TeachingChanged:
    teaching = state.tools.teaching
    since = teaching.away_since
    if who == lead_of(state) and teaching.left_at is not None:
        since = teaching.left_at  # What she missed is all since she was lost.
    return TeachingChanged(who, cause, 0.0 if since is None else max(0.0, now - since), actor)


# ---- the timer ----------------------------------------------------------------------------


def deadline(state: LessonState) -> float | None:
    """Returns when ``due`` has something to do; 0: at once."""
    teaching = state.tools.teaching
    if state.phase != "live":
        return None
    if teaching.away_since is None:
        is_stale = teaching.offer is not None and teaching.offer.reason in _BY_LOSS
        return 0.0 if is_stale or _returning(state) is not None else None
    if teaching.offer is not None or not candidates(state):
        return None
    return teaching.away_since + (OFFER_AFTER_S if teaching.away_by == "connection" else 0.0)


def _returning(state: LessonState) -> ParticipantId | None:
    """Returns the lead who is back while somebody teaches because of the loss."""
    teaching = state.tools.teaching
    lead = lead_of(state)
    if lead is None or lead == teaching.who or not state.is_here(lead):
        return None
    if teaching.who is None or not teaching.by_loss or teaching.offer is not None:
        return None
    # Of a line that died without a word the socket still stands: only media says that she is back.
    is_back = teaching.away_by == "connection" or _is_seen(state, lead)
    return lead if is_back else None


def due(state: LessonState, now: float) -> list[LessonEvent]:
    """Returns what the time has brought."""
    teaching = state.tools.teaching
    system = SYSTEM.participant
    if teaching.away_since is not None:
        if teaching.offer is not None or not candidates(state):
            return []
        return [_offer(state, candidates(state), teaching.away_by, system, now)]
    if teaching.offer is not None and teaching.offer.reason in _BY_LOSS:
        return [HandOverWithdrawn(system)]
    lead = _returning(state)
    if lead is None or teaching.who is None:
        return []
    if state.seats[teaching.who].role is Role.ASSISTANT:
        return [_change(state, lead, "returned", system, now)]
    return [_offer(state, (lead,), "returned", system, now)]


# ---- what events do -----------------------------------------------------------------------


def refresh(state: LessonState, at: float) -> None:
    """Keeps ``away_since``; called after every event that may have changed it."""
    teaching = state.tools.teaching
    who = teacher(state)
    if who is not None and _is_seen(state, who):
        teaching.had_media = True
    if not _is_gone(state) or who is None:
        teaching.away_since = None
    elif teaching.away_since is None:
        teaching.away_since = at
        teaching.away_by = "media" if state.is_here(who) else "connection"
    lead = lead_of(state)
    is_lead_lost = lead is None or not state.is_here(lead)
    if teaching.away_since is None and teaching.who is not None and is_lead_lost:
        # Whoever comes back on a new line is back, with a camera or without.
        teaching.away_by = "connection"


def apply(state: LessonState, event: TeachingEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    teaching = state.tools.teaching
    match event:
        case HandOverOffered(to, reason, phase, cue, _):
            teaching.offer = Offer(to, reason, at, phase, cue)
        case HandOverWithdrawn():
            teaching.offer = None
        case TeachingChanged(participant, _, away_s, _):
            is_lead = participant == lead_of(state)
            teaching.by_loss = teaching.away_since is not None
            if is_lead:
                teaching.left_at = None
            elif teaching.by_loss and teaching.who is None:
                teaching.left_at = teaching.away_since
            teaching.who = None if is_lead else participant
            teaching.offer, teaching.away_since = None, None
            teaching.had_media, teaching.missed_s = False, away_s
            refresh(state, at)
