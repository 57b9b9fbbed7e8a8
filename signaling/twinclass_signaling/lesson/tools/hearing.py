"""Whose microphone is open, on stage and off it."""

from __future__ import annotations

from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tools.sound_check import turn_of
from twinclass_signaling.lesson.tools.teaching import teaching_room


def listened_to(state: LessonState) -> list[ParticipantId]:
    """Returns the rooms that some hear although they are not on stage: whose turn it is in the
    sound check, and those the lead listens in to during group work."""
    current = turn_of(state)
    if current is not None:
        return [ParticipantId(current)]
    work = state.tools.group_work
    return [] if work is None else [ParticipantId(room) for room in work.listening]


def is_heard(state: LessonState, participant: ParticipantId) -> bool:
    """Tells whether somebody who does not lead is heard by others, unless an echo forbids it."""
    seat = state.seats.get(participant)
    if seat is None or seat.presence == "left" or state.phase == "closed" or seat.sound_off:
        return False
    place = state.place_of(participant)
    # Who is heard off stage is heard only by those whose slots name them.
    return (
        (place is not None and not place.muted)
        or (place is None and participant == teaching_room(state))
        or participant in listened_to(state)
    )
