"""The tools of a lesson as one client may see them.

Each view is complete and replaces the one before (message ``tool``; in ``welcome`` all of them).
So a page keeps no rules: what it shows is what it was given last. Which parts are filled for whom
is told at each field; "staff" are lead, co-lead and assistants. Times are Unix seconds.

Vocabulary module: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.offline_records import OfflineKind, OfflineOutcome
from twinclass_signaling.tool_commands import AttendanceMode, HelpKind, PulseKind, QuizKind


class HandView(Struct, frozen=True):
    """A hand. ``approved`` false: the assistant of its class must let it through first."""

    participant: ParticipantId
    room: RoomId | None
    count: int
    children: tuple[PersonId, ...]
    raised_at: float
    approved: bool


class HandsView(Struct, frozen=True, tag="hands"):
    """Hands, longest up first. Staff see all; others their own and those of their class."""

    hands: tuple[HandView, ...]


class StageSeatView(Struct, frozen=True):
    """One on stage; the tuple's order is the order of the stage. ``child``: who was called at a
    home group."""

    participant: ParticipantId
    since: float
    muted: bool
    child: PersonId | None


class RoomWait(Struct, frozen=True):
    """How long a room waits for a turn. ``since``: last turn, else the bell. A room that is here,
    not on stage, and has waited for 600 s is to be marked."""

    room: ParticipantId
    since: float
    turns: int
    hand: bool


class StageView(Struct, frozen=True, tag="stage"):
    """The stage. ``waiting`` (staff only; others empty): rooms that are here and not on stage, the
    fair order; the first is called by ``call_next``."""

    limit: int
    places: tuple[StageSeatView, ...]
    spotlight: ParticipantId | None
    waiting: tuple[RoomWait, ...]


class ChildView(Struct, frozen=True):
    """A pupil of a roster. ``seat``: the home or home group through which she takes part."""

    id: PersonId
    name: str
    mode: AttendanceMode
    late: bool
    since: float
    seat: ParticipantId | None
    #: She is here: in the room as marked, or her home's line is up.
    here: bool


class ClassCounts(Struct, frozen=True):
    """One class in figures. ``roll_called_at`` None: not yet; ``in_room`` is then None when
    nobody has told."""

    room: RoomId
    expected: int
    in_room: int | None
    home: int
    home_here: int
    absent: int
    late: int
    roll_called_at: float | None


class AttendanceView(Struct, frozen=True, tag="attendance"):
    """``classes``: lead and co-lead all, others their own. ``pupils``: an assistant's own roster,
    a home its own pupil, a home group its children; lead and co-lead none (they have counts)."""

    classes: tuple[ClassCounts, ...]
    pupils: tuple[ChildView, ...]


class SoundCheckRoom(Struct, frozen=True):
    """One room of the sound check."""

    room: RoomId
    result: Literal["waiting", "now", "heard", "not_heard"]


class SoundCheckView(Struct, frozen=True, tag="sound_check"):
    """The sound check. Staff see all rooms; others only whether it is their class's turn
    (``current``). The report stays after the end, until the next one."""

    running: bool
    current: RoomId | None
    step_ends_at: float | None
    seconds: int
    rooms: tuple[SoundCheckRoom, ...]


class QuizBar(Struct, frozen=True):
    """Counts of one room, or (``room`` None) of all homes. ``counts`` as options (number quiz:
    right, wrong). ``source`` none: still missing. ``warning``: differs from presence."""

    room: RoomId | None
    counts: tuple[int, ...]
    present: int | None
    source: Literal["tally", "devices", "none"]
    warning: bool


class QuizAnswerView(Struct, frozen=True):
    """An answer of one's own."""

    pupil: PersonId
    choices: tuple[int, ...]
    number: float | None


class QuizView(Struct, frozen=True):
    """One question. To staff: ``bars``, ``missing``, ``answered``, ``totals``, ``correct`` from
    the start. To others: ``totals``, ``correct`` once released; ``answers`` are their own;
    ``bars`` and ``missing`` stay empty."""

    id: int
    kind: QuizKind
    text: str
    #: What to show; of a judge quiz empty (yes, no), of a number quiz empty (right, wrong).
    options: tuple[str, ...]
    state: Literal["open", "closed", "released"]
    opened_at: float
    closes_at: float | None
    correct: tuple[int, ...]
    correct_number: float | None
    answers: tuple[QuizAnswerView, ...]
    answered: int
    totals: tuple[int, ...]
    bars: tuple[QuizBar, ...]
    missing: tuple[RoomId, ...]


class QuizzesView(Struct, frozen=True, tag="quiz"):
    """``current``: the last question, until the next one. ``asked``: how many there were."""

    current: QuizView | None
    asked: int


class CountdownView(Struct, frozen=True):
    """A running countdown."""

    text: str
    started_at: float
    ends_at: float


class GroupWorkView(Struct, frozen=True):
    """Group work. ``listening`` (staff only): rooms that the lead hears now."""

    task: str
    started_at: float
    ends_at: float
    listening: tuple[RoomId, ...]


class WorkView(Struct, frozen=True, tag="work"):
    """Countdown and group work; seen by all."""

    countdown: CountdownView | None
    group_work: GroupWorkView | None


class PhaseView(Struct, frozen=True):
    """A phase of the plan; minutes from the bell."""

    title: str
    start_minute: float
    end_minute: float


class CueView(Struct, frozen=True):
    """A cue of the plan. ``room`` None: for all rooms; ``who``: whose it is."""

    minute: float
    who: Literal["lead", "co_lead", "assistant", "all"]
    room: RoomId | None
    text: str
    done: bool


class AgendaView(Struct, frozen=True, tag="agenda"):
    """The plan (staff; others get empty lists). ``phase``: gone to by hand, None: by the minute,
    which the page works out from ``opened_at``; past the last minute is overrun."""

    phases: tuple[PhaseView, ...]
    cues: tuple[CueView, ...]
    phase: int | None


class NoteView(Struct, frozen=True):
    """A note among staff. ``seen_by``: who has tapped "seen"."""

    note: int
    sender: ParticipantId
    text: str
    to: RoomId | None
    at: float
    seen_by: tuple[ParticipantId, ...]


class PulseView(Struct, frozen=True):
    """A signal about a room; not to be shown after ``expires_at``. ``answered_by``: the lead has
    tapped back."""

    room: RoomId
    kind: PulseKind
    at: float
    expires_at: float
    answered_by: ParticipantId | None


class PulseSum(Struct, frozen=True):
    """ "3 of 12 rooms: slower"; unanswered ones only."""

    kind: PulseKind
    rooms: tuple[RoomId, ...]
    of: int


class BackchannelView(Struct, frozen=True, tag="backchannel"):
    """Notes (the last 50, oldest first) and signals; staff only, others get it empty. A note to
    one room is seen by lead, co-lead, its sender and that room's assistants."""

    notes: tuple[NoteView, ...]
    pulses: tuple[PulseView, ...]
    sums: tuple[PulseSum, ...]


class HelpView(Struct, frozen=True):
    """A home's call for its assistant. ``answered_at`` None: still open."""

    participant: ParticipantId
    kind: HelpKind
    at: float
    answered_at: float | None
    answered_by: ParticipantId | None
    text: str


class AssistantView(Struct, frozen=True):
    """An assistant of one's own class."""

    participant: ParticipantId
    name: str
    here: bool


class OwnClassView(Struct, frozen=True, tag="own_class"):
    """The class one belongs to (empty for those without one). ``help``: of an assistant the open
    and last calls of her homes, of a home its own.."""

    room: RoomId | None
    name: str
    school: str
    assistants: tuple[AssistantView, ...]
    help: tuple[HelpView, ...]


class OfferView(Struct, frozen=True):
    """Who may take over, and where the plan is."""

    to: tuple[ParticipantId, ...]
    reason: Literal["offered", "connection", "media", "returned"]
    at: float
    phase: int | None
    cue: int | None


class TeachingView(Struct, frozen=True, tag="teaching"):
    """Who leads now. ``away_since``: whoever leads is away since then ("one moment"); seen by
    all. ``offer``: staff only. ``missed_s``, at the last change: how long nobody taught, or how
    long the lead who is back was away."""

    participant: ParticipantId | None
    away_since: float | None
    offer: OfferView | None
    missed_s: float


class ChatMessage(Struct, frozen=True):
    """One message; plain text, never markup. ``name`` is empty where it is a home's and the viewer
    no staff."""

    message: int
    sender: ParticipantId
    name: str
    text: str
    at: float


class ChatView(Struct, frozen=True, tag="chat"):
    """The last 50 messages; empty while chat is off."""

    enabled: bool
    messages: tuple[ChatMessage, ...]


class PolicyView(Struct, frozen=True, tag="policy"):
    """The rules of this lesson. ``hybrid``: the lead teaches an own class from home, and
    ``following`` (an assistant) may take over there."""

    hands_need_approval: bool
    public_chat: bool
    stage_limit: int
    hybrid: bool
    following: ParticipantId | None


class DocumentView(Struct, frozen=True):
    """A document of the lesson. The file: ``GET /api/slides/{document}`` with the join token."""

    document: str
    title: str
    pages: int
    sha256: str


class SlidesView(Struct, frozen=True, tag="slides"):
    """What is shown: ``document`` None: no slides."""

    documents: tuple[DocumentView, ...]
    document: str | None
    page: int


class SoundView(Struct, frozen=True, tag="sound"):
    """One sound authority a room. ``companions``: further devices of rooms, without sound; staff
    all, a room its own. ``switched_off``: devices of homes whose sound staff switched off; staff
    all, others themselves."""

    companions: tuple[ParticipantId, ...]
    switched_off: tuple[ParticipantId, ...] = ()


class RecordingView(Struct, frozen=True, tag="recording"):
    """The recording as decided: ``off`` (not planned, or not begun), ``on``, ``paused`` by staff.
    How it goes on disk is the message ``recorder``, to staff."""

    state: Literal["off", "on", "paused"]
    since: float | None


class CatchUpRoom(Struct, frozen=True):
    """A class that catches up since ``since`` (None: not now). ``done_at``: what it missed before
    is not offered again."""

    room: RoomId
    since: float | None
    done_at: float | None


class CatchUpView(Struct, frozen=True, tag="catch_up"):
    """Classes that watch what they missed, and those that did: lead and co-lead all, a room and
    its assistants their own, others none."""

    rooms: tuple[CatchUpRoom, ...]


class EchoRow(Struct, frozen=True):
    """A microphone by which something comes back. ``ducked``: its page takes 12 dB off, of the
    microphone (echo) or the loudspeaker (howl); ``muted``: closed, until ``until``. ``suspect``
    and its name (staff only): a second device of the class that it may be."""

    participant: ParticipantId
    trouble: Literal["echo", "howl"]
    state: Literal["ducked", "muted"]
    since: float
    until: float | None
    suspect: ParticipantId | None = None
    suspect_name: str = ""


class EchoView(Struct, frozen=True, tag="echo"):
    """Echo and howl: lead and co-lead all, assistants those of their class, others their own."""

    rows: tuple[EchoRow, ...]


class OfflineRecordView(Struct, frozen=True):
    """What was taken down without a line and is in the log. ``kept``: of how many pupils something
    stands that was told later."""

    key: str
    kind: OfflineKind
    taken_at: float
    outcome: OfflineOutcome
    kept: int


class OfflineView(Struct, frozen=True, tag="offline"):
    """What came in for one's own class, in the order of the log; an assistant's only, others
    empty. A device forgets what it finds here."""

    records: tuple[OfflineRecordView, ...]


ToolView = (
    HandsView
    | StageView
    | AttendanceView
    | SoundCheckView
    | QuizzesView
    | WorkView
    | AgendaView
    | BackchannelView
    | OwnClassView
    | TeachingView
    | ChatView
    | PolicyView
    | SlidesView
    | SoundView
    | RecordingView
    | CatchUpView
    | EchoView
    | OfflineView
)


class ToolViews(Struct, frozen=True):
    """All tools; each field is named as the ``type`` of its view."""

    hands: HandsView
    stage: StageView
    attendance: AttendanceView
    sound_check: SoundCheckView
    quiz: QuizzesView
    work: WorkView
    agenda: AgendaView
    backchannel: BackchannelView
    own_class: OwnClassView
    teaching: TeachingView
    chat: ChatView
    policy: PolicyView
    slides: SlidesView
    sound: SoundView
    recording: RecordingView
    catch_up: CatchUpView
    echo: EchoView
    offline: OfflineView
