"""The state of one lesson: what the events up to ``seq`` have made of it.

Only ``twinclass_signaling.lesson.core.apply`` changes it. The state holds opaque ids, times and
counts; the plan stands beside it because it names schools and does not change by events.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.plan import (
    ID_PATTERN,
    MAX_ROOMS,
    MAX_SEATS,
    MAX_STAGE,
    Plan,
    PlannedPupil,
    PlannedRoom,
)
from twinclass_signaling.lesson.tool_state import Policy, Tools
from twinclass_signaling.roles import Role, Source

__all__ = [
    "HOME_ROLES",
    "ID_PATTERN",
    "LEAD_ROLES",
    "MAX_ROOMS",
    "MAX_SEATS",
    "MAX_STAGE",
    "STAGE_ROLES",
    "LessonState",
    "Phase",
    "Place",
    "Plan",
    "PlannedRoom",
    "Seat",
    "SeatPresence",
]


STAGE_ROLES = frozenset({Role.ROOM, Role.HOME_LEARNER, Role.HOME_GROUP})
HOME_ROLES = frozenset({Role.HOME_LEARNER, Role.HOME_GROUP})
LEAD_ROLES = frozenset({Role.LEAD, Role.CO_LEAD})

Phase = Literal["pre_class", "live", "closed"]
SeatPresence = Literal["present", "lost", "left"]


class Seat(Struct, array_like=True):
    """One participant, from the first join on; a seat that was left stays in the state."""

    role: Role
    room: RoomId | None
    presence: SeatPresence = "present"
    #: Wall-clock second at which the line went, also of a seat that was given up because of it;
    #: 0 while there is one, and of who left.
    lost_at: float = 0.0
    turns: int = 0
    last_turn_at: float = 0.0
    sources: list[Source] = field(default_factory=list)
    #: A further device of a room: neither sound nor picture, and not the room itself.
    companion: bool = False
    #: Wall-clock second of the last ``participant_joined``.
    joined_at: float = 0.0
    #: A home's device that is in the classroom: it neither plays nor sends sound.
    sound_off: bool = False


class Place(Struct, array_like=True):
    """Somebody on stage. ``index`` is the slot: it stays while they stay, except that one of
    the four large places that falls free is taken by whoever waits longest behind them."""

    participant: ParticipantId
    since: float
    index: int
    muted: bool = False
    #: Who was called at a home group's screen.
    child: PersonId | None = None


class LessonState(Struct):
    """All that events decide. ``seats`` keeps the order of first joins, ``stage`` of entering."""

    id: LessonId
    plan: Plan
    seq: EventSeq = EventSeq(0)
    phase: Phase = "pre_class"
    opened_at: float | None = None
    closed_at: float | None = None
    seats: dict[ParticipantId, Seat] = field(default_factory=dict)
    stage: list[Place] = field(default_factory=list)
    tools: Tools = field(default_factory=Tools)
    #: Of the plan, by pupil and by home group; it never changes.
    pupils: dict[PersonId, tuple[PlannedRoom, PlannedPupil]] = field(default_factory=dict)
    groups: dict[ParticipantId, list[PlannedPupil]] = field(default_factory=dict)
    #: Of ``seats``, by class: homes that stand on no roster. A class is counted for each home
    #: that comes, and must not cost a look at all the others.
    guests: dict[RoomId, dict[ParticipantId, None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for room in self.plan.rooms:
            for pupil in room.pupils:
                if pupil.id in self.pupils:
                    continue  # Nobody is of two classes.
                self.pupils[pupil.id] = (room, pupil)
                if pupil.group is not None:
                    self.groups.setdefault(pupil.group, []).append(pupil)
        for participant, seat in self.seats.items():
            self._note_guest(participant, seat)

    def take_seat(self, participant: ParticipantId, seat: Seat) -> None:
        """Gives a seat, instead of the former one of somebody who was here before."""
        former = self.seats.get(participant)
        if former is not None and former.room is not None:
            self.guests.get(former.room, {}).pop(participant, None)
        self.seats[participant] = seat
        self._note_guest(participant, seat)

    def _note_guest(self, participant: ParticipantId, seat: Seat) -> None:
        is_listed = PersonId(participant) in self.pupils or (
            seat.role is Role.HOME_GROUP and bool(self.children(participant))
        )
        if seat.role in HOME_ROLES and seat.room is not None and not is_listed:
            self.guests.setdefault(seat.room, {})[participant] = None

    def class_of(self, pupil: PersonId) -> PlannedRoom | None:
        """Returns the class on whose roster a pupil is."""
        found = self.pupils.get(pupil)
        return None if found is None else found[0]

    @property
    def recordable(self) -> list[PersonId]:
        """Returns the pupils who had agreed to be recorded when the lesson was planned."""
        return [person for person, (_, pupil) in self.pupils.items() if pupil.recordable]

    def children(self, group: ParticipantId) -> list[PlannedPupil]:
        """Returns the pupils at a home group's screen."""
        return self.groups.get(group, [])

    @property
    def policy(self) -> Policy:
        """Returns the rules that hold now: the plan's until staff change them."""
        planned = self.plan.policy
        return self.tools.policy or Policy(
            planned.hands_need_approval, planned.public_chat, planned.stage_limit
        )

    def is_here(self, participant: ParticipantId) -> bool:
        """Tells whether a participant has a line now."""
        seat = self.seats.get(participant)
        return seat is not None and seat.presence == "present"

    def place_of(self, participant: ParticipantId) -> Place | None:
        """Returns the place on stage of a participant, if any."""
        return next((place for place in self.stage if place.participant == participant), None)

    def is_on_stage(self, participant: ParticipantId) -> bool:
        """Tells whether a participant is seen and heard by all."""
        return self.place_of(participant) is not None
