"""What each participant's media may do and what each viewer receives: pure functions of state.

Slots are numbered so that a pool of m-lines can be filled without a new offer: at least two
stage slots are there before anybody is called on, and a slot's number stays while somebody is
in it.
"""

from __future__ import annotations

from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.lesson.state import (
    LEAD_ROLES,
    MAX_ROOMS,
    STAGE_ROLES,
    LessonState,
    Seat,
)
from twinclass_signaling.lesson.tools import echo
from twinclass_signaling.lesson.tools.hearing import is_heard, listened_to
from twinclass_signaling.lesson.tools.sound_check import turn_of
from twinclass_signaling.lesson.tools.stage import VISIBLE_STAGE
from twinclass_signaling.lesson.tools.teaching import leading, teaching_room
from twinclass_signaling.messages import SlotKind, View
from twinclass_signaling.permissions import may_publish
from twinclass_signaling.ports import Grant, Subscription
from twinclass_signaling.roles import AUDIO_SOURCES, Role, Source

#: Stage slots that are always there, so that calling on needs no renegotiation.
SPARE_STAGE = 2

_AUDIO_PRIORITY = 10
_SLIDES_PRIORITY = 20
_LEAD_PRIORITY = 30
_STAGE_PRIORITY = 40
_WALL_PRIORITY = 60


def grants(state: LessonState, participant: ParticipantId) -> list[Grant]:
    """Returns what a participant's sources may do now; empty when they have no seat."""
    seat = state.seats.get(participant)
    if seat is None or seat.presence == "left" or state.phase == "closed":
        return []
    if seat.role in LEAD_ROLES:
        return [Grant(source, open=True, full=True) for source in may_publish(seat.role)]
    if seat.role not in STAGE_ROLES or seat.companion:
        return []
    place = state.place_of(participant)
    on_stage = place is not None
    leads = participant == teaching_room(state)
    is_open = is_heard(state, participant) and not echo.is_muted(state, participant)
    # A room is always on the wall, small; a home is seen only when called on.
    camera_open = on_stage or seat.role is Role.ROOM
    return [
        Grant("camera", open=camera_open, full=on_stage or leads),
        Grant("microphone", open=is_open, full=is_open, watch_echo=True),
    ]


def heard_by_leads_only(state: LessonState) -> frozenset[ParticipantId]:
    """Returns who is listened in to and not on stage: that they speak is not for everybody."""
    shown = teaching_room(state)
    return frozenset(
        room for room in listened_to(state) if not state.is_on_stage(room) and room != shown
    )


def wall_rooms(state: LessonState) -> list[ParticipantId]:
    """Returns the rooms of the wall: those expected in the plan's order, then others as they
    first came. A room keeps its place when it leaves."""
    rooms = {ParticipantId(room.id): None for room in state.plan.rooms}
    for participant, seat in state.seats.items():
        if seat.role is Role.ROOM and not seat.companion:
            rooms.setdefault(participant)
    return list(rooms)[:MAX_ROOMS]


def subscriptions(state: LessonState, participant: ParticipantId, view: View) -> list[Subscription]:
    """Returns the slots of one viewer, with nobody in those that are spare or not for them."""
    seat = state.seats.get(participant)
    if seat is None or seat.presence == "left" or state.phase == "closed":
        return []
    lead, co_lead = leading(state)
    if seat.role is Role.LEAD:
        # A lead sees the others, whoever of them leads now.
        lead, co_lead = participant, co_lead if lead == participant else lead
    shown = lead
    room = teaching_room(state)
    if room is not None and seat.role is not Role.LEAD and not state.is_on_stage(room):
        shown = room  # On stage it is shown already, and nobody is to hear it twice.
    leads = [(0, shown)]
    # The second slot is there only for lessons that have a co-lead.
    if any(other.role is Role.CO_LEAD for other in state.seats.values()):
        leads.append((1, co_lead))
    slots: list[Subscription] = []
    for index, who in leads:
        if seat.role is Role.LEAD and index == 0:
            continue  # The lead's own slot would always be empty.
        slots.append(Subscription("lead", index, "camera", who, priority=_LEAD_PRIORITY))
        slots.append(Subscription("lead", index, "microphone", who, priority=_AUDIO_PRIORITY))
    if seat.role is not Role.LEAD or len(leads) > 1:
        slots.extend(_slides(state, lead, co_lead))
    hears = _hears(state, seat)
    slots.extend(_stage(state, hears))
    if seat.role in LEAD_ROLES:
        slots.extend(
            Subscription("wall", index, "camera", room, max_layer=0, priority=_WALL_PRIORITY)
            for index, room in enumerate(wall_rooms(state))
        )
    return [
        slot
        for slot in (_for_viewer(slot, participant, view) for slot in slots)
        if _may_hear(seat, slot, hears)
    ]


def _hears(state: LessonState, seat: Seat) -> list[ParticipantId]:
    """Returns whom a viewer hears off stage; an assistant only her own room, to meter it."""
    heard = listened_to(state)
    if seat.role in LEAD_ROLES:
        return heard
    if seat.role is Role.ASSISTANT and turn_of(state) is not None:
        return [room for room in heard if seat.room == RoomId(room)]
    return []


def _may_hear(seat: Seat, slot: Subscription, hears: list[ParticipantId]) -> bool:
    """One sound authority a room: neither its assistant's tablet nor a further device has sound;
    what an assistant gets in a sound check is metered by the page and never played. A home's device
    whose sound staff switched off has none either."""
    if slot.source not in AUDIO_SOURCES:
        return True
    if seat.role is Role.ASSISTANT:
        return slot.use == "stage" and slot.participant in hears
    return not (seat.companion or seat.sound_off)


def external_subscriptions(state: LessonState) -> list[Subscription]:
    """Returns what a screen without our page receives: the lead, then the slides."""
    lead, co_lead = leading(state)
    slides = next(slot for slot in _slides(state, lead, co_lead) if slot.use == "screen")
    return [
        Subscription("lead", 0, "camera", lead, priority=_LEAD_PRIORITY),
        Subscription("lead", 0, "microphone", lead, priority=_AUDIO_PRIORITY),
        slides,
    ]


def _slides(
    state: LessonState, lead: ParticipantId | None, co_lead: ParticipantId | None
) -> list[Subscription]:
    kinds: tuple[tuple[SlotKind, Source, int], ...] = (
        ("screen", "screen", _SLIDES_PRIORITY),
        ("document", "document", _SLIDES_PRIORITY),
        ("screen", "screen_audio", _AUDIO_PRIORITY),
    )
    slots: list[Subscription] = []
    for use, source, priority in kinds:
        who = lead
        if co_lead is not None and source in state.seats[co_lead].sources:
            is_shown_by_lead = lead is not None and source in state.seats[lead].sources
            who = lead if is_shown_by_lead else co_lead
        slots.append(Subscription(use, 0, source, who, priority=priority))
    return slots


def _stage(state: LessonState, heard: list[ParticipantId]) -> list[Subscription]:
    by_index = {place.index: place.participant for place in state.stage}
    voices = dict(by_index)
    for room in heard:
        if room not in by_index.values():
            voices[next(index for index in range(len(voices) + 1) if index not in voices)] = room
    size = max([*voices, SPARE_STAGE - 1]) + 1
    video = [
        Subscription("stage", index, "camera", by_index.get(index), priority=_STAGE_PRIORITY)
        for index in range(min(size, VISIBLE_STAGE))
    ]
    audio = [
        Subscription("stage", index, "microphone", voices.get(index), priority=_AUDIO_PRIORITY)
        for index in range(size)
    ]
    return video + audio


def _for_viewer(slot: Subscription, viewer: ParticipantId, view: View) -> Subscription:
    is_audio = slot.source in AUDIO_SOURCES
    participant = slot.participant
    if participant == viewer or (view.audio_only and not is_audio):
        participant = None
    max_layer = min(slot.max_layer, 1) if view.data_saver else slot.max_layer
    return Subscription(slot.use, slot.index, slot.source, participant, max_layer, slot.priority)
