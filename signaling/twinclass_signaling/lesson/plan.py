"""What was known before a lesson: classes, pupils, rules, phases and cues.

The plan stands beside the state because it names schools and pupils; it is not changed by events
and never in the log. Fields that older plans lack have defaults.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from twinclass_signaling.ids import ParticipantId, PersonId, RoomId

#: Opaque ids of lessons, people and rooms: they go into URLs and Redis keys.
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
#: The lead's wall has 32 m-lines; the largest lesson on record had 26 rooms.
MAX_ROOMS = 32
#: Four large pictures and twelve voices are what a big screen can show and a class can follow.
MAX_STAGE = 16
#: 32 rooms, 32 assistants, 200 homes, 40 observers, and the same again for who comes and goes.
MAX_SEATS = 1000
#: The largest class on record has about 90; two classes in one hall still fit.
MAX_PUPILS = 200
#: A 40-minute lesson has six to nine phases; a cue every half minute is more than a plan holds.
MAX_PHASES = 40
MAX_CUES = 100

PlanText = Annotated[str, Meta(max_length=120)]
#: As the evening desk names its subjects (``maths``); empty: not said.
Subject = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,63})?$")]
Minutes = Annotated[float, Meta(ge=0, le=600)]
Who = Literal["lead", "co_lead", "assistant", "all"]


class PlannedPupil(Struct, frozen=True, forbid_unknown_fields=True):
    """A pupil of a class. ``id`` is also her participant id when she takes part from home.

    ``group``: the home group (its participant id) at whose screen she sits.
    """

    id: Annotated[PersonId, Meta(pattern=ID_PATTERN)]
    name: PlanText = ""
    at_home: bool = False
    group: Annotated[ParticipantId, Meta(pattern=ID_PATTERN)] | None = None
    #: Her guardian agreed that she may be seen and heard in a recording.
    recordable: bool = False


class PlannedRoom(Struct, frozen=True, forbid_unknown_fields=True):
    """A partner classroom that is expected; its id is also its participant id.

    ``expected``: pupils of the class, where there is no roster.
    """

    id: Annotated[RoomId, Meta(pattern=ID_PATTERN)]
    name: PlanText
    school: PlanText = ""
    expected: Annotated[int, Meta(ge=0, le=MAX_PUPILS)] = 0
    pupils: Annotated[tuple[PlannedPupil, ...], Meta(max_length=MAX_PUPILS)] = ()


class PlannedPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """The rules at the start. ``hybrid_room``: the class whose teacher teaches from home;
    ``following``: the assistant in it, who may take over. ``record``: from the bell on, unless
    staff stop it."""

    hands_need_approval: bool = False
    public_chat: bool = False
    stage_limit: Annotated[int, Meta(ge=1, le=MAX_STAGE)] = MAX_STAGE
    hybrid_room: Annotated[RoomId, Meta(pattern=ID_PATTERN)] | None = None
    following: Annotated[ParticipantId, Meta(pattern=ID_PATTERN)] | None = None
    record: bool = True


class PlannedPhase(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the lesson; they follow each other from the bell."""

    title: PlanText
    minutes: Minutes


class PlannedCue(Struct, frozen=True, forbid_unknown_fields=True):
    """Who does what at which minute. ``room`` None: in every room."""

    minute: Minutes
    text: PlanText
    who: Who = "all"
    room: Annotated[RoomId, Meta(pattern=ID_PATTERN)] | None = None


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """What was known before the lesson; not changed by it. ``subject`` and ``grade`` (1 to 12) say
    which evening desk helps with it, and what the library calls its recording."""

    title: PlanText
    subtitle: PlanText = ""
    planned_minutes: Annotated[int, Meta(ge=1, le=600)] = 40
    rooms: Annotated[tuple[PlannedRoom, ...], Meta(max_length=MAX_ROOMS)] = ()
    homes: Annotated[int, Meta(ge=0, le=MAX_SEATS)] = 0
    policy: PlannedPolicy = PlannedPolicy()
    phases: Annotated[tuple[PlannedPhase, ...], Meta(max_length=MAX_PHASES)] = ()
    cues: Annotated[tuple[PlannedCue, ...], Meta(max_length=MAX_CUES)] = ()
    subject: Subject = ""
    grade: Annotated[int, Meta(ge=1, le=12)] | None = None

    def room(self, participant: ParticipantId) -> PlannedRoom | None:
        """Returns the planned room whose seat this is."""
        return next((room for room in self.rooms if ParticipantId(room.id) == participant), None)
