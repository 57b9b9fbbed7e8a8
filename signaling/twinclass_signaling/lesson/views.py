"""The lesson as a client may see it: state, names and what devices report, put together.

Names of home learners are minors' names: only staff see them all; other pupils see the name of
whoever is on stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.lesson.state import HOME_ROLES, LessonState
from twinclass_signaling.lesson.tool_board import all_views
from twinclass_signaling.lesson.tools.checks import room_of
from twinclass_signaling.lesson.visibility import PUBLIC_ROLES, STAFF_ROLES, Person, Viewer
from twinclass_signaling.lesson_views import Counts, LessonView, ParticipantView, StagePlace
from twinclass_signaling.roles import Role

__all__ = [
    "STAFF_ROLES",
    "Person",
    "Sound",
    "counts",
    "lesson_view",
    "may_see",
    "participant_view",
]

Sound = Literal["playing", "blocked", "off"]


def counts(state: LessonState) -> Counts:
    """Returns who is here and who is expected; more than expected raises the expectation."""
    rooms = homes = 0
    known = {ParticipantId(room.id) for room in state.plan.rooms}
    extra = 0
    for participant, seat in state.seats.items():
        if seat.presence != "present" or seat.companion:
            continue
        if seat.role is Role.ROOM:
            rooms += 1
            extra += participant not in known
        elif seat.role in HOME_ROLES:
            homes += 1
    return Counts(rooms, len(known) + extra, homes, max(state.plan.homes, homes))


def participant_view(
    state: LessonState,
    participant: ParticipantId,
    people: Mapping[ParticipantId, Person],
    sounds: Mapping[ParticipantId, Sound],
) -> ParticipantView:
    """Returns one seat, or the expectation of a planned room that has not come."""
    person = people.get(participant, Person())
    planned = state.plan.room(participant)
    if planned is not None:
        person = Person(planned.name or person.name, planned.school or person.school)
    seat = state.seats.get(participant)
    if seat is None:
        room = RoomId(participant) if planned is not None else None
        return ParticipantView(
            participant, Role.ROOM, person.name, "expected", school=person.school, room=room
        )
    return ParticipantView(
        participant,
        seat.role,
        person.name,
        seat.presence,
        school=person.school,
        room=seat.room,
        turns=seat.turns,
        last_turn_at=seat.last_turn_at,
        sources=tuple(seat.sources),
        sound=sounds.get(participant, "off"),
        companion=seat.companion,
        lost_at=seat.lost_at,
    )


def may_see(
    state: LessonState, viewer: ParticipantId | None, is_staff: bool, other: ParticipantId
) -> bool:
    """Tells whether a viewer is told of another seat."""
    seat = state.seats.get(other)
    return (
        is_staff
        or other == viewer
        or seat is None
        or (seat.role in PUBLIC_ROLES and not seat.companion)
        or state.is_on_stage(other)
    )


def lesson_view(
    state: LessonState,
    viewer: ParticipantId,
    role: Role,
    people: Mapping[ParticipantId, Person],
    sounds: Mapping[ParticipantId, Sound],
) -> LessonView:
    """Returns all that a client needs to draw the lesson, complete at ``state.seq``."""
    ids = dict.fromkeys([ParticipantId(room.id) for room in state.plan.rooms])
    ids.update(dict.fromkeys(state.seats))
    is_staff = role in STAFF_ROLES
    found = all_views(state, Viewer(viewer, role, room_of(state, viewer)), people)
    return LessonView(
        id=state.id,
        title=state.plan.title,
        subtitle=state.plan.subtitle,
        phase=state.phase,
        seq=state.seq,
        opened_at=state.opened_at,
        planned_minutes=state.plan.planned_minutes,
        counts=counts(state),
        stage=tuple(StagePlace(place.participant, place.since) for place in state.stage),
        tools=found,
        participants=tuple(
            participant_view(state, other, people, sounds)
            for other in ids
            if may_see(state, viewer, is_staff, other)
        ),
    )
