"""A lesson with rosters, and random uses of all its tools."""

from __future__ import annotations

from hypothesis import strategies as st

from hosting.lesson import Lesson
from twinclass_signaling import tool_commands as c
from twinclass_signaling.errors import InvalidState, SignalingError
from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.commands import (
    SYSTEM,
    Actor,
    EndPublication,
    Join,
    Leave,
    LessonCommand,
    Lose,
    StartPublication,
    Tick,
)
from twinclass_signaling.lesson.plan import (
    Plan,
    PlannedCue,
    PlannedPhase,
    PlannedPolicy,
    PlannedPupil,
    PlannedRoom,
)
from twinclass_signaling.messages import CallOn, ClearStage, LeaveStage, OpenLesson
from twinclass_signaling.offline_records import (
    OfflineCount,
    OfflineHands,
    OfflineRoll,
    OfflineTally,
)
from twinclass_signaling.permissions import may_command
from twinclass_signaling.roles import Role

ROOM_1, ROOM_2, ROOM_3 = RoomId("room-1"), RoomId("room-2"), RoomId("room-3")
CHILDREN = tuple(PersonId(f"child-{n}") for n in range(1, 6))


def plan_with(policy: PlannedPolicy | None = None) -> Plan:
    in_room = tuple(PlannedPupil(PersonId(f"pupil-{n}"), f"示例学生 {n}") for n in range(1, 9))
    homes = (PlannedPupil(PersonId("home-1"), "示例学生 9", at_home=True),)
    group = tuple(
        PlannedPupil(child, f"示例同学 {n}", group=ParticipantId("point"))
        for n, child in enumerate(CHILDREN, 1)
    )
    return Plan(
        "示例课",
        rooms=(
            PlannedRoom(ROOM_1, "七(1)班", "示例一中", pupils=(*in_room, *homes, *group)),
            PlannedRoom(ROOM_2, "七(2)班", "示例二中", expected=40),
            PlannedRoom(ROOM_3, "七(3)班", "示例三中"),
        ),
        homes=3,
        policy=policy or PlannedPolicy(),
        phases=(PlannedPhase("导入", 6), PlannedPhase("新授", 20), PlannedPhase("小测", 14)),
        cues=(PlannedCue(0, "确认声音", "assistant"), PlannedCue(17, "出示选择题", "all")),
    )


def actor(participant: str, role: Role, room: str | None = None) -> Actor:
    return Actor(ParticipantId(participant), role, RoomId(room) if room else None)


LEAD = actor("lead", Role.LEAD)
CO_LEAD = actor("co", Role.CO_LEAD)
ROOMS = [actor(f"room-{n}", Role.ROOM, f"room-{n}") for n in (1, 2, 3)]
HELPERS = [actor(f"helper-{n}", Role.ASSISTANT, f"room-{n}") for n in (1, 2)]
HOMES = [
    actor("home-1", Role.HOME_LEARNER, "room-1"),
    actor("home-2", Role.HOME_LEARNER, "room-2"),
    actor("home-3", Role.HOME_LEARNER, "room-1"),
]
POINT = actor("point", Role.HOME_GROUP, "room-1")
WATCHER = actor("watcher", Role.OBSERVER)
SPARE = actor("room-1.c1", Role.ROOM, "room-1")
PEOPLE = [LEAD, CO_LEAD, *ROOMS, *HELPERS, *HOMES, POINT, WATCHER]


def full_lesson(policy: PlannedPolicy | None = None, *, live: bool = True) -> Lesson:
    lesson = Lesson(plan_with(policy))
    for who in PEOPLE:
        lesson.do(join(who))
    if live:
        lesson.do(OpenLesson(), LEAD)
    return lesson


def join(who: Actor) -> Join:
    return Join(who.participant, who.role, who.room, companion=who == SPARE)


# ---- random ones --------------------------------------------------------------------------

#: Half of all is asked by who may most, or little would happen.
actors = st.sampled_from([LEAD] * 6 + [HELPERS[0]] * 4 + [*PEOPLE, SPARE])
participants = st.sampled_from([who.participant for who in [*PEOPLE, SPARE]])
rooms = st.sampled_from([ROOM_1, ROOM_2, ROOM_3, RoomId("room-9")])
pupils = st.sampled_from(
    [*map(PersonId, ("pupil-1", "pupil-2", "home-1", "home-2", "nobody")), *CHILDREN[:2]]
)
few = st.integers(0, 5)
texts = st.sampled_from(["好", "明白", "", "<b>好</b>", "长" * 41, "很" * 1000, "\u202e慢\x00"])
some_rooms = st.lists(rooms, max_size=3).map(tuple)
some_pupils = st.lists(pupils, max_size=3).map(tuple)
maybe = st.booleans()
modes: st.SearchStrategy[c.AttendanceMode] = st.sampled_from(
    ["in_room", "home", "home_group", "absent"]
)
pulses: st.SearchStrategy[c.PulseKind] = st.sampled_from(["slower", "cannot_hear", "done"])
quiz_kinds: st.SearchStrategy[c.QuizKind] = st.sampled_from(
    ["single", "multiple", "judge", "number"]
)
quizzes = st.builds(
    c.OpenQuiz,
    kind=quiz_kinds,
    text=texts,
    options=st.sampled_from([("甲", "乙"), ("甲", "乙", "丙", "丁"), (), ("甲",) * 9]),
    correct=st.sampled_from([(), (0,), (0, 1), (7,)]),
    seconds=st.sampled_from([0, 5, 60, 10_000]),
)
answers = st.builds(
    c.AnswerQuiz,
    quiz=st.integers(1, 2),
    choices=st.lists(few, max_size=3).map(tuple),
    number=st.none() | st.floats(),
    child=st.none() | pupils,
)
tallies = st.builds(
    c.TallyQuiz, quiz=st.integers(1, 2), counts=st.lists(few, max_size=5).map(tuple)
)
record_keys = st.integers(0, 5).map(lambda n: f"00000000-{n}")
offline_records = st.one_of(
    st.builds(OfflineRoll, some_pupils, some_pupils, st.none() | st.integers(0, 300)),
    st.builds(OfflineRoll),
    st.builds(OfflineTally, st.integers(0, 3), st.lists(few, max_size=5).map(tuple)),
    st.builds(OfflineCount, st.lists(few, max_size=9).map(tuple)),
    st.builds(OfflineHands, st.integers(0, 300)),
)
sources = st.sampled_from(["camera", "microphone", "screen"])
documents = st.sampled_from(["doc-1", "doc-1", "doc-1", "../x"])
tool_commands: st.SearchStrategy[LessonCommand] = st.one_of(
    st.builds(c.RaiseHand, st.integers(0, 300), some_pupils),
    st.builds(c.RaiseHand),
    st.builds(c.LowerHand, st.none() | participants),
    st.just(c.LowerAllHands()),
    st.builds(c.ApproveHand, participants),
    st.just(c.CallNext()),
    st.builds(c.Spotlight, st.none() | participants),
    st.builds(c.MoveOnStage, participants, few),
    st.builds(c.MuteOnStage, participants, maybe),
    st.just(c.MuteStage()),
    st.builds(c.Remove, participants),
    st.builds(c.Admit, participants),
    st.builds(c.RollCall, some_pupils, some_pupils, st.none() | st.integers(0, 300)),
    st.builds(c.RollCall),
    st.builds(c.MarkAttendance, pupils, modes, maybe),
    st.builds(c.StartSoundCheck, some_rooms, st.sampled_from([5, 2, 12])),
    st.builds(c.HeardInSoundCheck, st.none() | rooms, maybe),
    st.just(c.StopSoundCheck()),
    quizzes,
    answers,
    tallies,
    st.just(c.CloseQuiz()),
    st.builds(c.ReleaseQuiz, st.integers(1, 2)),
    st.builds(c.StartCountdown, st.sampled_from([60, 2, 0, 9999]), texts),
    st.just(c.CancelCountdown()),
    st.builds(c.StartGroupWork, st.sampled_from([60, 600, 0, 9999]), texts),
    st.just(c.EndGroupWork()),
    st.builds(c.ListenIn, some_rooms),
    st.builds(c.GoToPhase, st.none() | few),
    st.builds(c.MarkCue, few, maybe),
    st.builds(c.SendNote, texts, st.none() | rooms),
    st.builds(c.AcknowledgeNote, few),
    st.builds(c.SendPulse, pulses),
    st.builds(c.AnswerPulse, pulses, st.none() | rooms),
    st.builds(c.AskHelp, st.just("question")),
    st.builds(c.AnswerHelp, participants, texts),
    st.builds(c.OfferHandOver, st.none() | participants),
    st.just(c.TakeOver()),
    st.just(c.HandBack()),
    st.builds(c.Say, texts),
    st.builds(c.SetPolicy, st.none() | maybe, st.none() | maybe, st.none() | st.integers(0, 18)),
    st.builds(c.AttachSlides, documents, st.sampled_from([5, 30, 501]), st.just("ab" * 32), texts),
    st.builds(c.TurnSlide, st.none() | documents, few),
    st.builds(c.ClearInk, documents, few),
    st.builds(c.SetRecording, st.booleans()),
    st.builds(c.SetCatchUp, rooms, maybe),
    st.builds(c.RecordOffline, record_keys, st.floats(990, 1_300), offline_records),
)
base_commands: st.SearchStrategy[LessonCommand] = st.one_of(
    st.just(OpenLesson()),
    st.builds(CallOn, participants, st.none() | pupils),
    st.builds(LeaveStage, participants),
    st.just(ClearStage()),
    actors.map(join),
    st.builds(Lose, participants),
    st.builds(Leave, participants, st.sampled_from(["left", "timeout"])),
    st.builds(StartPublication, participants, sources),
    st.builds(EndPublication, participants, sources),
    st.just(Tick()),
)
ANYBODY = [*PEOPLE, SPARE]


@st.composite
def one_step(draw: st.DrawFn) -> tuple[LessonCommand, Actor, float]:
    """What happens, by whom, and the seconds before it; mostly by somebody who may."""
    command = draw(st.one_of(tool_commands, tool_commands, base_commands))
    name = str(type(command).__struct_config__.tag)
    able = [who for who in PEOPLE if name in may_command(who.role)] or ANYBODY
    who = draw(st.sampled_from(ANYBODY if draw(st.integers(0, 4)) == 4 else able))
    return command, who, draw(st.sampled_from([0.0, 0.5, 3.0, 70.0]))


steps = st.lists(one_step(), min_size=30, max_size=45)


def attempt(lesson: Lesson, command: LessonCommand, who: Actor) -> list[object]:
    """Does it as the host would: facts come from the system, and only from it."""
    is_fact = isinstance(command, Join | Lose | Leave | StartPublication | EndPublication | Tick)
    try:
        return list(lesson.do(command, SYSTEM if is_fact else who))
    except InvalidState:
        raise  # Our own mistake, whatever was asked.
    except SignalingError:
        return []
