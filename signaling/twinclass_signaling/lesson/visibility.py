"""Who may see what of a lesson: the one place that decides it.

Both the broadcast of events and the views of the tools ask here, so that what a client is told
live and what it is told when it comes back cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.lesson import events as core_events
from twinclass_signaling.lesson import talk_events, tool_events
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tools.checks import room_of
from twinclass_signaling.roles import Role

STAFF_ROLES = frozenset({Role.LEAD, Role.CO_LEAD, Role.ASSISTANT})
#: Seats of which everybody is told: teachers who lead, and rooms. Homes are minors at home.
PUBLIC_ROLES = frozenset({Role.LEAD, Role.CO_LEAD, Role.ROOM})


Scope = Literal["all", "staff", "leads", "nobody"]


class Person(Struct, frozen=True):
    """What the names directory holds of a participant; never in the event log."""

    name: str = ""
    school: str = ""


class Viewer(Struct, frozen=True):
    """Somebody who is shown the lesson."""

    participant: ParticipantId
    role: Role
    room: RoomId | None

    @property
    def is_staff(self) -> bool:
        """Tells whether this is a teacher of the lesson."""
        return self.role in STAFF_ROLES

    @property
    def leads(self) -> bool:
        """Tells whether this is the lead or a co-lead."""
        return self.role in {Role.LEAD, Role.CO_LEAD}


class Audience(Struct, frozen=True):
    """Who is told. ``scope`` all: everybody; staff: lead, co-lead, assistants; leads: lead and
    co-lead; nobody. On top of it: ``participants``, everybody of the ``classes``, and the
    assistants of ``assistants_of``."""

    scope: Scope
    participants: tuple[ParticipantId, ...] = ()
    classes: tuple[RoomId, ...] = ()
    assistants_of: tuple[RoomId, ...] = ()

    def reaches(self, viewer: Viewer) -> bool:
        """Tells whether a viewer belongs to it."""
        return (
            self.scope == "all"
            or (self.scope == "staff" and viewer.is_staff)
            or (self.scope == "leads" and viewer.leads)
            or viewer.participant in self.participants
            or (viewer.role is not Role.OBSERVER and viewer.room in self.classes)
            or (viewer.role is Role.ASSISTANT and viewer.room in self.assistants_of)
        )

    def joined(self, other: Audience) -> Audience:
        """Returns everybody of both."""
        scope = _SCOPES[max(_SCOPES.index(self.scope), _SCOPES.index(other.scope))]
        if scope == "all":
            return _ALL
        return Audience(
            scope,
            tuple(dict.fromkeys(self.participants + other.participants)),
            tuple(dict.fromkeys(self.classes + other.classes)),
            tuple(dict.fromkeys(self.assistants_of + other.assistants_of)),
        )


#: From the narrowest to the widest.
_SCOPES: tuple[Scope, ...] = ("nobody", "leads", "staff", "all")
_ALL = Audience("all")
_STAFF = Audience("staff")


def audience(event: LessonEvent, state: LessonState) -> Audience:
    """Returns who is told of an event. ``state``: after the event."""
    match event:
        case (
            core_events.ParticipantJoined(participant)
            | core_events.ParticipantLost(participant)
            | core_events.ParticipantRecovered(participant)
            | core_events.ParticipantLeft(participant)
            | core_events.PublicationStarted(participant)
            | core_events.PublicationEnded(participant)
        ):
            seat = state.seats.get(participant)
            is_public = seat is None or (seat.role in PUBLIC_ROLES and not seat.companion)
            if is_public or state.is_on_stage(participant):
                return _ALL
            return Audience("staff", (participant,))
        case (
            tool_events.HandRaised(participant)
            | tool_events.HandApproved(participant)
            | tool_events.HandLowered(participant)
        ):
            return Audience("staff", (participant,), _some(room_of(state, participant)))
        case tool_events.AttendanceChanged(pupil):
            return Audience("staff", (ParticipantId(pupil),))
        case tool_events.CatchUpChanged(room):
            return Audience("leads", (ParticipantId(room),), assistants_of=(room,))
        case (
            tool_events.EchoFound(participant)
            | tool_events.EchoFaded(participant)
            | tool_events.EchoMuted(participant)
            | tool_events.EchoRetried(participant)
            | tool_events.EchoEnded(participant)
            | tool_events.SoundSwitched(participant)
        ):
            own_class = _some(room_of(state, participant))
            return Audience("leads", (participant,), assistants_of=own_class)
        case tool_events.QuizAnswered():
            # Nobody else is told what somebody has answered, not even staff: they see bars.
            return Audience("nobody", (event.actor,))
        case tool_events.ListenedIn(rooms):
            return Audience("leads", assistants_of=rooms)
        case talk_events.NoteSent(_, _, to, actor):
            return _STAFF if to is None else Audience("leads", (actor,), assistants_of=(to,))
        case talk_events.NoteAcknowledged(number, _):
            notes = state.tools.backchannel.notes
            note = next((note for note in notes if note.note == number), None)
            if note is None or note.to is None:
                return _STAFF
            return Audience("leads", (note.sender,), assistants_of=(note.to,))
        case talk_events.HelpAsked(participant) | talk_events.HelpAnswered(participant):
            own_class = _some(room_of(state, participant))
            return Audience("nobody", (participant,), assistants_of=own_class)
        case (
            tool_events.ParticipantRemoved()
            | tool_events.ParticipantAdmitted()
            | tool_events.RollCalled()
            | tool_events.OfflineRecorded()
            | tool_events.SoundCheckStarted()
            | tool_events.SoundChecked()
            | tool_events.SoundCheckEnded()
            | tool_events.QuizOpened()  # It carries what is right; pupils get the view.
            | tool_events.QuizTallied()
            | talk_events.PhaseChanged()
            | talk_events.CueMarked()
            | talk_events.PulseSent()
            | talk_events.PulseAnswered()
            | talk_events.HandOverOffered()
            | talk_events.HandOverWithdrawn()
        ):
            return _STAFF
        case _:
            return _ALL


#: Events that may never reach anybody but staff.
STAFF_ONLY: frozenset[str] = frozenset(
    {"note_sent", "note_acked", "pulse_sent", "pulse_answered", "listened_in", "quiz_opened"}
    | {"sound_check_started", "sound_checked", "sound_check_ended", "quiz_tallied"}
    | {"phase_changed", "cue_marked", "hand_over_offered", "hand_over_withdrawn", "roll_called"}
    | {"participant_removed", "participant_admitted", "offline_recorded"}
)


def _some(room: RoomId | None) -> tuple[RoomId, ...]:
    return () if room is None else (room,)


def viewer_of(state: LessonState, participant: ParticipantId) -> Viewer | None:
    """Returns a participant as a viewer."""
    seat = state.seats.get(participant)
    if seat is None:
        return None
    # A further device of a room is not of the staff, and neither is a room.
    return Viewer(participant, seat.role, room_of(state, participant) or seat.room)


def viewers(state: LessonState) -> Iterable[Viewer]:
    """Yields everybody as a viewer."""
    for participant in state.seats:
        viewer = viewer_of(state, participant)
        if viewer is not None:
            yield viewer
