"""A lesson without a server, and random ones."""

from __future__ import annotations

from hypothesis import strategies as st

from twinclass_signaling.errors import InvalidState, SignalingError
from twinclass_signaling.ids import EventSeq, LessonId, ParticipantId, RoomId
from twinclass_signaling.lesson.commands import (
    SYSTEM,
    Actor,
    EndPublication,
    Join,
    Leave,
    LessonCommand,
    Lose,
    StartPublication,
)
from twinclass_signaling.lesson.core import apply, handle
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import LessonState, Plan, PlannedRoom
from twinclass_signaling.messages import CallOn, ClearStage, LeaveStage, OpenLesson
from twinclass_signaling.roles import Role, Source

PLAN = Plan(
    "示例课",
    rooms=tuple(PlannedRoom(RoomId(f"room-{n}"), f"七({n})班") for n in (1, 2, 3)),
    homes=2,
)
LEAD = Actor(ParticipantId("lead"), Role.LEAD)


class Lesson:
    """A state and the log that made it."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self.state = LessonState(LessonId("algebra"), plan)
        self.log: list[tuple[LessonEvent, float]] = []
        self.now = 1_000.0

    def do(self, command: LessonCommand, actor: Actor = SYSTEM) -> list[LessonEvent]:
        self.now += 1
        events = handle(self.state, command, actor, self.now)
        for event in events:
            apply(self.state, event, self.now, EventSeq(self.state.seq + 1))
            self.log.append((event, self.now))
        return events

    def join(self, participant: str, role: Role, room: str | None = None) -> Actor:
        room_id = RoomId(participant) if role is Role.ROOM else None
        room_id = RoomId(room) if room is not None else room_id
        actor = Actor(ParticipantId(participant), role, room_id)
        self.do(Join(actor.participant, actor.role, actor.room))
        return actor

    def on_stage(self) -> list[tuple[str, int]]:
        return [(place.participant, place.index) for place in self.state.stage]


PEOPLE = [("lead", Role.LEAD), ("co", Role.CO_LEAD), ("watcher", Role.OBSERVER)]
PEOPLE += [(f"room-{n}", Role.ROOM) for n in (1, 2, 3)]
PEOPLE += [(f"home-{n}", Role.HOME_LEARNER) for n in range(3)]
PEOPLE += [("helper", Role.ASSISTANT), ("point", Role.HOME_GROUP)]
ids = st.sampled_from([ParticipantId(name) for name, _ in PEOPLE])
actors = st.sampled_from(
    [Actor(ParticipantId(name), role, RoomId("room-1")) for name, role in PEOPLE]
)
sources: st.SearchStrategy[Source] = st.sampled_from(["camera", "screen", "microphone"])
joins = st.sampled_from(
    [Join(ParticipantId(name), role, RoomId("room-1")) for name, role in PEOPLE]
)
commands: st.SearchStrategy[LessonCommand] = st.one_of(
    st.just(OpenLesson()),
    st.builds(CallOn, ids),
    st.builds(CallOn, ids),
    st.builds(LeaveStage, ids),
    st.just(ClearStage()),
    joins,
    joins,
    st.builds(Lose, ids),
    st.builds(Leave, ids, st.sampled_from(["left", "timeout"])),
    st.builds(StartPublication, ids, sources),
    st.builds(EndPublication, ids, sources),
)
steps = st.lists(st.tuples(commands, actors), max_size=60)


def play(found: list[tuple[LessonCommand, Actor]]) -> Lesson:
    lesson = Lesson()
    for command, actor in found:
        try:
            lesson.do(command, actor)
        except InvalidState:
            raise  # Our own mistake, whatever was asked.
        except SignalingError:
            pass
    return lesson
