"""The state of one lesson: what the events up to ``seq`` have made of it.

Only ``twinclass_signaling.lesson.core.apply`` changes it. The state holds opaque ids, times and
counts; the plan stands beside it because it names schools and does not change by events.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId, RoomId
from twinclass_signaling.roles import Role, Source

#: Opaque ids of lessons, people and rooms: they go into URLs and Redis keys.
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
#: The lead's wall has 32 m-lines; the largest lesson on record had 26 rooms.
MAX_ROOMS = 32
#: Four large pictures and twelve voices are what a big screen can show and a class can follow.
MAX_STAGE = 16
#: 32 rooms, 32 assistants, 200 homes, 40 observers, and the same again for who comes and goes.
MAX_SEATS = 1000

STAGE_ROLES = frozenset({Role.ROOM, Role.HOME_LEARNER, Role.HOME_GROUP})
HOME_ROLES = frozenset({Role.HOME_LEARNER, Role.HOME_GROUP})
LEAD_ROLES = frozenset({Role.LEAD, Role.CO_LEAD})

Phase = Literal["pre_class", "live", "closed"]
SeatPresence = Literal["present", "lost", "left"]
PlanText = Annotated[str, Meta(max_length=120)]


class PlannedRoom(Struct, frozen=True, forbid_unknown_fields=True):
    """A partner classroom that is expected; its id is also its participant id."""

    id: Annotated[RoomId, Meta(pattern=ID_PATTERN)]
    name: PlanText
    school: PlanText = ""


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """What was known before the lesson; not changed by it."""

    title: PlanText
    subtitle: PlanText = ""
    planned_minutes: Annotated[int, Meta(ge=1, le=600)] = 40
    rooms: Annotated[tuple[PlannedRoom, ...], Meta(max_length=MAX_ROOMS)] = ()
    homes: Annotated[int, Meta(ge=0, le=MAX_SEATS)] = 0

    def room(self, participant: ParticipantId) -> PlannedRoom | None:
        """Returns the planned room whose seat this is."""
        return next((room for room in self.rooms if ParticipantId(room.id) == participant), None)


class Seat(Struct):
    """One participant, from the first join on; a seat that was left stays in the state."""

    role: Role
    room: RoomId | None
    presence: SeatPresence = "present"
    #: Wall-clock second of the present loss; 0 while not lost.
    lost_at: float = 0.0
    turns: int = 0
    last_turn_at: float = 0.0
    sources: list[Source] = field(default_factory=list)


class Place(Struct):
    """Somebody on stage. ``index`` is the slot: it stays while they stay, except that one of
    the four large places that falls free is taken by whoever waits longest behind them."""

    participant: ParticipantId
    since: float
    index: int


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

    def place_of(self, participant: ParticipantId) -> Place | None:
        """Returns the place on stage of a participant, if any."""
        return next((place for place in self.stage if place.participant == participant), None)

    def is_on_stage(self, participant: ParticipantId) -> bool:
        """Tells whether a participant is seen and heard by all."""
        return self.place_of(participant) is not None
