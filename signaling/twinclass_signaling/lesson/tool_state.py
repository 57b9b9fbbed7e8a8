"""What the lesson's tools remember. Opaque ids, times, counts; bounds stand with the tools."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.talk_events import OfferReason
from twinclass_signaling.lesson.tool_events import AttendanceCause, EchoTrouble
from twinclass_signaling.offline_records import OfflineKind, OfflineOutcome
from twinclass_signaling.tool_commands import AttendanceMode, HelpKind, PulseKind, QuizKind


class Hand(Struct, array_like=True):
    """A hand that is up; one a participant."""

    participant: ParticipantId
    room: RoomId | None
    count: int
    raised_at: float
    approved: bool
    children: tuple[PersonId, ...] = ()


class Part(Struct, array_like=True):
    """A pupil's attendance of one kind, from ``start`` to the next part's start."""

    mode: AttendanceMode
    room: RoomId | None
    start: float
    late: bool
    cause: AttendanceCause


class Roll(Struct, array_like=True):
    """A roll call. ``present``: heads that were told, for a class without a roster. ``at``: since
    when pupils without a part are in the room; ``last_at``: when the roll was called last."""

    at: float
    present: int
    last_at: float = 0.0


class Attendance(Struct):
    """Pupils who are in the room by the roll call have no parts until they move."""

    parts: dict[PersonId, list[Part]] = field(default_factory=dict)
    rolls: dict[RoomId, Roll] = field(default_factory=dict)
    #: Parts of all pupils.
    total: int = 0


class SoundCheck(Struct):
    """The last sound check. ``turn``: index of the room that is heard; None: it is over."""

    rooms: tuple[RoomId, ...]
    seconds: int
    turn: int | None
    turn_since: float
    results: dict[RoomId, bool] = field(default_factory=dict)


class Answer(Struct, array_like=True):
    """The answer of one pupil."""

    room: RoomId | None
    choices: tuple[int, ...]
    number: float | None


class Tally(Struct, array_like=True):
    """The count of one room."""

    counts: tuple[int, ...]
    at: float
    warning: bool


class Quiz(Struct):
    """The last question; earlier ones are in the log only."""

    id: int
    kind: QuizKind
    text: str
    options: tuple[str, ...]
    correct: tuple[int, ...]
    correct_number: float | None
    opened_at: float
    closes_at: float | None
    state: Literal["open", "closed", "released"] = "open"
    answers: dict[PersonId, Answer] = field(default_factory=dict)
    tallies: dict[RoomId, Tally] = field(default_factory=dict)


class Countdown(Struct, array_like=True):
    """A running countdown."""

    text: str
    started_at: float
    ends_at: float


class GroupWork(Struct):
    """Running group work."""

    task: str
    started_at: float
    ends_at: float
    listening: tuple[RoomId, ...] = ()


class Agenda(Struct):
    """Where the plan is. ``phase`` None: by the minute."""

    phase: int | None = None
    done: list[int] = field(default_factory=list)


class Note(Struct):
    """A note among staff."""

    note: int
    sender: ParticipantId
    text: str
    to: RoomId | None
    at: float
    seen_by: list[ParticipantId] = field(default_factory=list)


class Pulse(Struct):
    """The last signal of a kind about a room."""

    room: RoomId
    kind: PulseKind
    at: float
    answered_by: ParticipantId | None = None


class Help(Struct, array_like=True):
    """The last call of a home for its assistant."""

    participant: ParticipantId
    room: RoomId | None
    kind: HelpKind
    at: float
    answered_at: float | None = None
    answered_by: ParticipantId | None = None
    text: str = ""


class Backchannel(Struct):
    """Notes, signals and calls for help."""

    last_note: int = 0
    notes: list[Note] = field(default_factory=list)
    pulses: list[Pulse] = field(default_factory=list)
    help: dict[ParticipantId, Help] = field(default_factory=dict)


class Offer(Struct):
    """Who may take the teaching over."""

    to: tuple[ParticipantId, ...]
    reason: OfferReason
    at: float
    phase: int | None
    cue: int | None


class Teaching(Struct):
    """Who leads. ``who`` None: the lead, as nobody has taken over. ``away_since``: line or media
    of who leads is gone since then."""

    who: ParticipantId | None = None
    away_since: float | None = None
    away_by: Literal["connection", "media"] = "connection"
    #: Camera or microphone of who leads has arrived: from then on their end is a loss.
    had_media: bool = False
    #: Somebody else teaches because the lead was lost, not because it was handed over.
    by_loss: bool = False
    offer: Offer | None = None
    #: At the last change: how long nobody taught, or how long the lead who is back was away.
    missed_s: float = 0.0
    #: When the lead was lost for whom somebody else teaches now.
    left_at: float | None = None


class ChatLine(Struct, array_like=True):
    """One message of the public chat."""

    message: int
    sender: ParticipantId
    text: str
    at: float


class Chat(Struct):
    """The public chat."""

    last: int = 0
    lines: list[ChatLine] = field(default_factory=list)


class Policy(Struct, frozen=True):
    """The rules that hold now."""

    hands_need_approval: bool
    public_chat: bool
    stage_limit: int


class Document(Struct, frozen=True):
    """A document of the lesson."""

    document: str
    title: str
    pages: int
    sha256: str


class Slides(Struct):
    """What is shown."""

    documents: list[Document] = field(default_factory=list)
    document: str | None = None
    page: int = 0


class Recording(Struct, frozen=True):
    """What staff decided last."""

    on: bool
    since: float


class CatchUp(Struct):
    """Of one class. ``since``: it catches up since then, None: it does not. ``done_at``: what it
    missed before is done with, seen or not."""

    since: float | None = None
    done_at: float | None = None


class Echo(Struct):
    """Of one open microphone. ``quiet_since``: nothing comes back since then. ``until``: closed
    until then."""

    trouble: EchoTrouble
    since: float
    suspect: ParticipantId | None = None
    state: Literal["ducked", "muted"] = "ducked"
    quiet_since: float | None = None
    until: float | None = None
    mutes: int = 0


class Merged(Struct, array_like=True):
    """What was taken down without a line and is in the log. ``digest``: of its content; ``kept``:
    of how many pupils something newer stands."""

    key: str
    kind: OfflineKind
    taken_at: float
    digest: int
    outcome: OfflineOutcome
    kept: int


class Tools(Struct):
    """All of it."""

    hands: list[Hand] = field(default_factory=list)
    spotlight: ParticipantId | None = None
    #: Who of a home group is being called: between ``called_on`` and ``stage_enter``.
    called_child: PersonId | None = None
    removed: list[ParticipantId] = field(default_factory=list)
    attendance: Attendance = field(default_factory=Attendance)
    sound_check: SoundCheck | None = None
    quizzes: int = 0
    quiz: Quiz | None = None
    countdown: Countdown | None = None
    group_work: GroupWork | None = None
    agenda: Agenda = field(default_factory=Agenda)
    backchannel: Backchannel = field(default_factory=Backchannel)
    teaching: Teaching = field(default_factory=Teaching)
    chat: Chat = field(default_factory=Chat)
    policy: Policy | None = None
    slides: Slides = field(default_factory=Slides)
    #: None: as planned.
    recording: Recording | None = None
    #: Only classes that have caught up once.
    catch_up: dict[RoomId, CatchUp] = field(default_factory=dict)
    #: Only microphones by which something comes back; at most as many as are open.
    echo: dict[ParticipantId, Echo] = field(default_factory=dict)
    #: Only classes that were without a line and took something down.
    offline: dict[RoomId, list[Merged]] = field(default_factory=dict)
