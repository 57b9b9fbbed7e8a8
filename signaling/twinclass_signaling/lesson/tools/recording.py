"""Whether a lesson is recorded, and who may be in the recording.

It begins with the bell, so that nobody who waits before it is in it. In it is what the whole
lesson sees and hears: who leads and who is on stage, never the wall, who is listened in to, or
a sound check. A child is in it only with a guardian's consent that we know of.
"""

from __future__ import annotations

from typing import NamedTuple

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import ParticipantId, PersonId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.plan import PlannedPupil
from twinclass_signaling.lesson.state import LEAD_ROLES, LessonState
from twinclass_signaling.lesson.talk_events import RecordingChanged
from twinclass_signaling.lesson.tool_state import Recording
from twinclass_signaling.lesson.tools.teaching import leading, teaching_room
from twinclass_signaling.permissions import may_publish
from twinclass_signaling.roles import Role, Source
from twinclass_signaling.tool_commands import SetRecording

RecordingCommand = SetRecording
RecordingEvent = RecordingChanged


class Recorded(NamedTuple):
    """A source that is recorded."""

    participant: ParticipantId
    source: Source


def handle(state: LessonState, command: RecordingCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``."""
    if state.phase != "live":
        raise Conflict(
            "not_live", "上课后才能录制。", "A lesson can be recorded once it has begun."
        )
    if command.on == is_on(state):
        return []
    return [RecordingChanged(command.on, actor.participant)]


def apply(state: LessonState, event: RecordingEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    state.tools.recording = Recording(event.on, at)


def is_on(state: LessonState) -> bool:
    """Tells whether the lesson is to be recorded now."""
    decided = state.tools.recording
    wanted = state.plan.policy.record if decided is None else decided.on
    return wanted and state.phase == "live"


def may_be_recorded(
    state: LessonState, participant: ParticipantId, withdrawn: frozenset[PersonId] = frozenset()
) -> bool:
    """Tells whether somebody may be seen and heard in the recording.

    A room may: who must not be filmed sits where no camera looks. A child at home, and each child
    at a home group's screen, needs consent; who is not on a roster has given none. ``withdrawn``:
    whose consent ended after the lesson was planned.
    """
    seat = state.seats.get(participant)
    if seat is None or seat.companion:
        return False
    match seat.role:
        case Role.LEAD | Role.CO_LEAD | Role.ROOM:
            return True
        case Role.HOME_LEARNER:
            known = state.pupils.get(PersonId(participant))
            return known is not None and _agrees(known[1], withdrawn)
        case Role.HOME_GROUP:
            children = state.children(participant)
            return bool(children) and all(_agrees(child, withdrawn) for child in children)
        case _:
            return False


def _agrees(pupil: PlannedPupil, withdrawn: frozenset[PersonId]) -> bool:
    return pupil.recordable and pupil.id not in withdrawn


def recorded(state: LessonState, withdrawn: frozenset[PersonId] = frozenset()) -> list[Recorded]:
    """Returns the sources that are to be recorded now."""
    if not is_on(state):
        return []
    lead, co_lead = leading(state)
    shown = [who for who in (lead, co_lead, teaching_room(state)) if who is not None]
    muted = {place.participant for place in state.stage if place.muted}
    on_stage = [place.participant for place in state.stage]
    found: list[Recorded] = []
    for participant in dict.fromkeys([*shown, *on_stage]):
        if not may_be_recorded(state, participant, withdrawn):
            continue
        role = state.seats[participant].role
        for source in may_publish(role):
            if participant in muted and role not in LEAD_ROLES and source == "microphone":
                continue
            found.append(Recorded(participant, source))
    return found


def recording_id(state: LessonState) -> str:
    """Returns the name of this lesson's recording: a lesson's id may be used again after it was
    closed (the demo's is every day)."""
    return f"{state.id}-{int(state.opened_at or 0)}"
