"""The tools of a lesson as one client may see them: pure functions of state and viewer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.lesson.offline_board import offline_view
from twinclass_signaling.lesson.quiz_board import quiz_view
from twinclass_signaling.lesson.roster_board import attendance_view, own_class_view
from twinclass_signaling.lesson.state import HOME_ROLES, LessonState
from twinclass_signaling.lesson.tools import backchannel, recording, sound_check, stage, teaching
from twinclass_signaling.lesson.tools.checks import room_of
from twinclass_signaling.lesson.visibility import Person, Viewer
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_views import (
    AgendaView,
    BackchannelView,
    CatchUpRoom,
    CatchUpView,
    ChatMessage,
    ChatView,
    CountdownView,
    CueView,
    DocumentView,
    EchoRow,
    EchoView,
    GroupWorkView,
    HandsView,
    HandView,
    NoteView,
    OfferView,
    PhaseView,
    PolicyView,
    PulseSum,
    PulseView,
    RecordingView,
    RoomWait,
    SlidesView,
    SoundCheckRoom,
    SoundCheckView,
    SoundView,
    StageSeatView,
    StageView,
    TeachingView,
    ToolView,
    ToolViews,
    WorkView,
)

People = Mapping[ParticipantId, Person]


def all_views(state: LessonState, viewer: Viewer, people: People) -> ToolViews:
    """Returns every tool for a page that comes in."""
    return ToolViews(
        hands=hands_view(state, viewer, people),
        stage=stage_view(state, viewer, people),
        attendance=attendance_view(state, viewer, people),
        sound_check=sound_check_view(state, viewer, people),
        quiz=quiz_view(state, viewer, people),
        work=work_view(state, viewer, people),
        agenda=agenda_view(state, viewer, people),
        backchannel=backchannel_view(state, viewer, people),
        own_class=own_class_view(state, viewer, people),
        teaching=teaching_view(state, viewer, people),
        chat=chat_view(state, viewer, people),
        policy=policy_view(state, viewer, people),
        slides=slides_view(state, viewer, people),
        sound=sound_view(state, viewer, people),
        recording=recording_view(state, viewer, people),
        catch_up=catch_up_view(state, viewer, people),
        echo=echo_view(state, viewer, people),
        offline=offline_view(state, viewer, people),
    )


def hands_view(state: LessonState, viewer: Viewer, _: People) -> HandsView:
    """Returns the hands a viewer may see."""
    return HandsView(
        tuple(
            HandView(
                hand.participant,
                hand.room,
                hand.count,
                hand.children,
                hand.raised_at,
                hand.approved,
            )
            for hand in state.tools.hands
            if viewer.is_staff
            or hand.participant == viewer.participant
            or (hand.room is not None and hand.room == viewer.room and _is_pupil(viewer))
        )
    )


def _is_pupil(viewer: Viewer) -> bool:
    return viewer.role in {Role.ROOM, Role.HOME_LEARNER, Role.HOME_GROUP}


def stage_view(state: LessonState, viewer: Viewer, _: People) -> StageView:
    """Returns the stage, and to staff the fair order."""
    waits = stage.fair_order(state) if viewer.is_staff else []
    return StageView(
        state.policy.stage_limit,
        tuple(
            StageSeatView(place.participant, place.since, place.muted, place.child)
            for place in state.stage
        ),
        state.tools.spotlight,
        tuple(RoomWait(wait.room, wait.since, wait.turns, wait.hand) for wait in waits),
    )


def sound_check_view(state: LessonState, viewer: Viewer, _: People) -> SoundCheckView:
    """Returns the sound check."""
    check = state.tools.sound_check
    if check is None:
        return SoundCheckView(False, None, None, 0, ())
    current = sound_check.turn_of(state)
    if not viewer.is_staff and current != viewer.room:
        return SoundCheckView(current is not None, None, None, check.seconds, ())
    ends_at = None if current is None else check.turn_since + check.seconds

    def room(room_id: RoomId) -> SoundCheckRoom:
        if room_id == current:
            return SoundCheckRoom(room_id, "now")
        heard = check.results.get(room_id)
        if heard is None:
            return SoundCheckRoom(room_id, "waiting")
        return SoundCheckRoom(room_id, "heard" if heard else "not_heard")

    rooms = tuple(room(one) for one in check.rooms if viewer.is_staff)
    return SoundCheckView(current is not None, current, ends_at, check.seconds, rooms)


def work_view(state: LessonState, viewer: Viewer, _: People) -> WorkView:
    """Returns countdown and group work."""
    countdown, work = state.tools.countdown, state.tools.group_work
    listening: tuple[RoomId, ...] = ()
    if work is not None and viewer.leads:
        listening = work.listening
    elif work is not None and viewer.role is Role.ASSISTANT:
        listening = tuple(room for room in work.listening if room == viewer.room)
    running = None
    if countdown is not None:
        running = CountdownView(countdown.text, countdown.started_at, countdown.ends_at)
    group = None
    if work is not None:
        group = GroupWorkView(work.task, work.started_at, work.ends_at, listening)
    return WorkView(running, group)


def agenda_view(state: LessonState, viewer: Viewer, _: People) -> AgendaView:
    """Returns the plan, to staff."""
    if not viewer.is_staff:
        return AgendaView((), (), None)
    phases: list[PhaseView] = []
    minute = 0.0
    for phase in state.plan.phases:
        phases.append(PhaseView(phase.title, minute, minute + phase.minutes))
        minute += phase.minutes
    done = set(state.tools.agenda.done)
    cues = tuple(
        CueView(cue.minute, cue.who, cue.room, cue.text, index in done)
        for index, cue in enumerate(state.plan.cues)
    )
    return AgendaView(tuple(phases), cues, state.tools.agenda.phase)


def backchannel_view(state: LessonState, viewer: Viewer, _: People) -> BackchannelView:
    """Returns notes and signals, to staff."""
    if not viewer.is_staff:
        return BackchannelView((), (), ())
    channel = state.tools.backchannel
    here = sum(
        seat.role is Role.ROOM and not seat.companion and seat.presence != "left"
        for seat in state.seats.values()
    )
    return BackchannelView(
        tuple(
            NoteView(note.note, note.sender, note.text, note.to, note.at, tuple(note.seen_by))
            for note in channel.notes
            if backchannel.may_read(state, note, viewer.participant)
        ),
        tuple(
            PulseView(
                pulse.room, pulse.kind, pulse.at, pulse.at + backchannel.PULSE_S, pulse.answered_by
            )
            for pulse in channel.pulses
        ),
        tuple(
            PulseSum(kind, tuple(rooms), max(here, len(rooms)))
            for kind, rooms in backchannel.open_pulses(state).items()
        ),
    )


def teaching_view(state: LessonState, viewer: Viewer, _: People) -> TeachingView:
    """Returns who leads."""
    now = state.tools.teaching
    offer = now.offer
    shown = None
    if offer is not None and viewer.is_staff:
        shown = OfferView(offer.to, offer.reason, offer.at, offer.phase, offer.cue)
    return TeachingView(teaching.teacher(state), now.away_since, shown, now.missed_s)


def chat_view(state: LessonState, viewer: Viewer, people: People) -> ChatView:
    """Returns the public chat; homes' names stay with staff, as everywhere."""
    if not state.policy.public_chat:
        return ChatView(False, ())

    def name(sender: ParticipantId) -> str:
        seat = state.seats.get(sender)
        is_known = seat is not None and seat.role not in HOME_ROLES
        if not (viewer.is_staff or is_known or sender == viewer.participant):
            return ""
        return people.get(sender, Person()).name

    return ChatView(
        True,
        tuple(
            ChatMessage(line.message, line.sender, name(line.sender), line.text, line.at)
            for line in state.tools.chat.lines
        ),
    )


def policy_view(state: LessonState, viewer: Viewer, _: People) -> PolicyView:
    """Returns the rules; the same for all but who may take over."""
    policy, planned = state.policy, state.plan.policy
    return PolicyView(
        policy.hands_need_approval,
        policy.public_chat,
        policy.stage_limit,
        planned.hybrid_room is not None,
        planned.following if viewer.is_staff else None,
    )


def slides_view(state: LessonState, viewer: Viewer, _: People) -> SlidesView:
    """Returns the slides; the same for all."""
    del viewer
    slides = state.tools.slides
    return SlidesView(
        tuple(
            DocumentView(one.document, one.title, one.pages, one.sha256) for one in slides.documents
        ),
        slides.document,
        slides.page,
    )


def sound_view(state: LessonState, viewer: Viewer, _: People) -> SoundView:
    """Returns further devices of rooms."""
    return SoundView(
        tuple(
            participant
            for participant, seat in state.seats.items()
            if seat.companion
            and seat.presence == "present"
            and (viewer.is_staff or (seat.room == viewer.room and viewer.role is Role.ROOM))
        ),
        tuple(
            participant
            for participant, seat in state.seats.items()
            if seat.sound_off
            and seat.presence != "left"
            and (viewer.is_staff or participant == viewer.participant)
        ),
    )


def recording_view(state: LessonState, viewer: Viewer, _: People) -> RecordingView:
    """Returns whether the lesson is recorded: all are told."""
    del viewer
    decided = state.tools.recording
    if recording.is_on(state):
        return RecordingView("on", state.opened_at if decided is None else decided.since)
    if decided is not None and state.phase == "live":
        return RecordingView("paused", decided.since)
    return RecordingView("off", None)


def catch_up_view(state: LessonState, viewer: Viewer, _: People) -> CatchUpView:
    """Returns which classes watch what they missed; pupils at home are not told of it."""
    is_of_class = viewer.role in {Role.ROOM, Role.ASSISTANT}
    return CatchUpView(
        tuple(
            CatchUpRoom(room, found.since, found.done_at)
            for room, found in state.tools.catch_up.items()
            if viewer.leads or (is_of_class and viewer.room == room)
        )
    )


def echo_view(state: LessonState, viewer: Viewer, people: People) -> EchoView:
    """Returns microphones by which something comes back; the suspect, a child's name, to staff."""

    def is_told(participant: ParticipantId) -> bool:
        if viewer.leads or participant == viewer.participant:
            return True
        return viewer.role is Role.ASSISTANT and viewer.room == room_of(state, participant)

    rows: list[EchoRow] = []
    for participant, found in state.tools.echo.items():
        if is_told(participant):
            other = found.suspect if viewer.is_staff else None
            name = "" if other is None else people.get(other, Person()).name
            rows.append(
                EchoRow(
                    participant, found.trouble, found.state, found.since, found.until, other, name
                )
            )
    return EchoView(tuple(rows))


#: What makes each view, by the ``type`` it has.
VIEWS: dict[str, Callable[[LessonState, Viewer, People], ToolView]] = {
    "hands": hands_view,
    "stage": stage_view,
    "attendance": attendance_view,
    "sound_check": sound_check_view,
    "quiz": quiz_view,
    "work": work_view,
    "agenda": agenda_view,
    "backchannel": backchannel_view,
    "own_class": own_class_view,
    "teaching": teaching_view,
    "chat": chat_view,
    "policy": policy_view,
    "slides": slides_view,
    "sound": sound_view,
    "recording": recording_view,
    "catch_up": catch_up_view,
    "echo": echo_view,
    "offline": offline_view,
}
