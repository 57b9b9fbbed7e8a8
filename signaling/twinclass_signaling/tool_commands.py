"""What clients may ask for besides the bell and the stage: the tools of a lesson.

Texts are bounded by the core and not here, so that a text that is too long gets an answer that
says so instead of a broken-message error. Every list has a bound of its own; the whole message
is at most ``MAX_MESSAGE_BYTES``.

Vocabulary module: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.offline_records import OfflineRecord, RecordKey

Participant = Annotated[ParticipantId, Meta(max_length=64)]
Pupil = Annotated[PersonId, Meta(max_length=64)]
Room = Annotated[RoomId, Meta(max_length=64)]
Number = Annotated[int, Meta(ge=0, le=1_000_000)]

QuizKind = Literal["single", "multiple", "judge", "number"]
PulseKind = Literal[
    "cannot_hear", "cannot_see", "slower", "faster", "unclear", "done", "ready", "help"
]
HelpKind = Literal["cannot_hear", "cannot_see", "question", "other"]
AttendanceMode = Literal["in_room", "home", "home_group", "absent"]


# ---- hands --------------------------------------------------------------------------------


class RaiseHand(Struct, frozen=True, tag="hand_raise", forbid_unknown_fields=True):
    """A home learner for herself; an assistant or a room screen for the room with a ``count``; a
    home group for ``children`` (their ids). Again: replaces the count, keeps the place."""

    count: Number = 1
    children: Annotated[tuple[Pupil, ...], Meta(max_length=20)] = ()


class LowerHand(Struct, frozen=True, tag="hand_lower", forbid_unknown_fields=True):
    """One's own hand (None; of an assistant: her room's), or by staff somebody's."""

    participant: Participant | None = None


class LowerAllHands(Struct, frozen=True, tag="hands_lower_all", forbid_unknown_fields=True):
    """Lead and co-lead: all hands; an assistant: those of her class."""


class ApproveHand(Struct, frozen=True, tag="hand_approve", forbid_unknown_fields=True):
    """The assistant lets a hand of her class through to the lead."""

    participant: Participant


# ---- stage --------------------------------------------------------------------------------


class CallNext(Struct, frozen=True, tag="call_next", forbid_unknown_fields=True):
    """Calls the next fair room: rooms without a turn first, then the longest wait."""


class Spotlight(Struct, frozen=True, tag="spotlight", forbid_unknown_fields=True):
    """Shows one on stage larger than the others; None: nobody."""

    participant: Participant | None = None


class MoveOnStage(Struct, frozen=True, tag="stage_move", forbid_unknown_fields=True):
    """Changes the order of the stage; ``position`` 0 is the first."""

    participant: Participant
    position: Number


class MuteOnStage(Struct, frozen=True, tag="stage_mute", forbid_unknown_fields=True):
    """Closes or opens the microphone of somebody on stage, for all."""

    participant: Participant
    muted: bool = True


class MuteStage(Struct, frozen=True, tag="stage_mute_all", forbid_unknown_fields=True):
    """Closes the microphones of everybody on stage."""


class Remove(Struct, frozen=True, tag="participant_remove", forbid_unknown_fields=True):
    """Takes somebody out of the lesson; they cannot come back until ``participant_admit``."""

    participant: Participant


class Admit(Struct, frozen=True, tag="participant_admit", forbid_unknown_fields=True):
    """Lets somebody come back who was removed."""

    participant: Participant


# ---- attendance ---------------------------------------------------------------------------


class RollCall(Struct, frozen=True, tag="roll_call", forbid_unknown_fields=True):
    """The assistant's roll call of her room, exceptions only: pupils neither absent nor known to
    be at home are in the room. ``present``: heads in the room when there is no roster."""

    absent: Annotated[tuple[Pupil, ...], Meta(max_length=200)] = ()
    late: Annotated[tuple[Pupil, ...], Meta(max_length=200)] = ()
    present: Number | None = None


class MarkAttendance(Struct, frozen=True, tag="attendance_mark", forbid_unknown_fields=True):
    """One pupil. To ``in_room`` while she is at home means she has arrived: her home session is
    closed with a notice, and she is counted in the room from now on."""

    pupil: Pupil
    mode: AttendanceMode
    late: bool = False


class RecordOffline(Struct, frozen=True, tag="offline_record", forbid_unknown_fields=True):
    """What the assistant took down while her class had no line. ``key``: the device's, so that it
    is recorded once; ``taken_at``: by the server's clock, as the device knows it."""

    key: RecordKey
    taken_at: float
    record: OfflineRecord


# ---- sound check --------------------------------------------------------------------------


class StartSoundCheck(Struct, frozen=True, tag="sound_check_start", forbid_unknown_fields=True):
    """Hears the rooms one after another, before the bell. ``rooms`` empty: all that are here."""

    rooms: Annotated[tuple[Room, ...], Meta(max_length=32)] = ()
    seconds: Number = 5


class HeardInSoundCheck(Struct, frozen=True, tag="sound_check_heard", forbid_unknown_fields=True):
    """ "I hear you", or not: notes it for ``room`` (None: whose turn it is) and goes on."""

    room: Room | None = None
    heard: bool = True


class StopSoundCheck(Struct, frozen=True, tag="sound_check_stop", forbid_unknown_fields=True):
    """Ends the sound check; rooms not heard yet stay ``waiting`` in the report."""


# ---- quiz ---------------------------------------------------------------------------------


class OpenQuiz(Struct, frozen=True, tag="quiz_open", forbid_unknown_fields=True):
    """A question. ``options``: 2 to 8 texts (judge: none, they are yes and no; number: none).
    ``correct``: positions of right options, may be empty; ``correct_number`` for numbers.
    ``seconds`` 0: open until it is closed."""

    kind: QuizKind
    text: str = ""
    options: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    correct: Annotated[tuple[Number, ...], Meta(max_length=16)] = ()
    correct_number: float | None = None
    seconds: Number = 0


class AnswerQuiz(Struct, frozen=True, tag="quiz_answer", forbid_unknown_fields=True):
    """An answer of a device; changeable until the quiz is closed. ``choices``: positions of
    options (judge: 0 yes, 1 no). ``child``: which child of a home group."""

    quiz: Number
    choices: Annotated[tuple[Number, ...], Meta(max_length=16)] = ()
    number: float | None = None
    child: Pupil | None = None


class TallyQuiz(Struct, frozen=True, tag="quiz_tally", forbid_unknown_fields=True):
    """The assistant's count of a room without devices, one number an option (of a ``number``
    quiz: right, wrong). Replaces the last one; refused when above those present + 2."""

    quiz: Number
    counts: Annotated[tuple[Number, ...], Meta(max_length=16)]


class CloseQuiz(Struct, frozen=True, tag="quiz_close", forbid_unknown_fields=True):
    """No more answers of devices; tallies are still taken until the result is released."""


class ReleaseQuiz(Struct, frozen=True, tag="quiz_release", forbid_unknown_fields=True):
    """Shows everybody the totals and what is right."""

    quiz: Number


# ---- countdown and group work -------------------------------------------------------------


class StartCountdown(Struct, frozen=True, tag="countdown_start", forbid_unknown_fields=True):
    """A countdown on all screens; replaces a running one."""

    seconds: Number
    text: str = ""


class CancelCountdown(Struct, frozen=True, tag="countdown_cancel", forbid_unknown_fields=True):
    """Takes the countdown off the screens."""


class StartGroupWork(Struct, frozen=True, tag="group_work_start", forbid_unknown_fields=True):
    """Rooms and homes work under their own assistants: the stage is cleared, microphones closed."""

    seconds: Number
    task: str = ""


class EndGroupWork(Struct, frozen=True, tag="group_work_end", forbid_unknown_fields=True):
    """Everybody comes back."""


class ListenIn(Struct, frozen=True, tag="listen_in", forbid_unknown_fields=True):
    """During group work the lead hears up to two rooms; empty: none. It is in the log, and the
    staff of the room see it."""

    rooms: Annotated[tuple[Room, ...], Meta(max_length=32)] = ()


# ---- agenda -------------------------------------------------------------------------------


class GoToPhase(Struct, frozen=True, tag="agenda_go", forbid_unknown_fields=True):
    """Goes to a phase of the plan by hand; None: by the minute again."""

    phase: Number | None = None


class MarkCue(Struct, frozen=True, tag="cue_mark", forbid_unknown_fields=True):
    """Ticks a cue of the plan off."""

    cue: Number
    done: bool = True


# ---- staff among themselves ---------------------------------------------------------------


class SendNote(Struct, frozen=True, tag="note_send", forbid_unknown_fields=True):
    """A note of at most 40 characters to all staff, or to lead and assistants of one room."""

    text: str
    to: Room | None = None


class AcknowledgeNote(Struct, frozen=True, tag="note_ack", forbid_unknown_fields=True):
    """ "Seen", by one tap."""

    note: Number


class SendPulse(Struct, frozen=True, tag="pulse_send", forbid_unknown_fields=True):
    """A signal of an assistant about her room; gone after 60 s."""

    kind: PulseKind


class AnswerPulse(Struct, frozen=True, tag="pulse_answer", forbid_unknown_fields=True):
    """The lead's tap back: clears a kind of signal, of one room or (None) of all; the
    assistants see that it was answered."""

    kind: PulseKind
    room: Room | None = None


class AskHelp(Struct, frozen=True, tag="help_ask", forbid_unknown_fields=True):
    """A home asks the assistants of her own class; nobody else sees it."""

    kind: HelpKind


class AnswerHelp(Struct, frozen=True, tag="help_answer", forbid_unknown_fields=True):
    """An assistant answers a home of her class, with at most 40 characters or none."""

    participant: Participant
    text: str = ""


# ---- handing over -------------------------------------------------------------------------


class OfferHandOver(Struct, frozen=True, tag="hand_over", forbid_unknown_fields=True):
    """Who teaches offers it to a co-lead (or lead); None takes the offer back."""

    to: Participant | None = None


class TakeOver(Struct, frozen=True, tag="take_over", forbid_unknown_fields=True):
    """Takes what is offered; a co-lead may also take over without an offer while who teaches
    is away."""


class HandBack(Struct, frozen=True, tag="hand_back", forbid_unknown_fields=True):
    """Gives the teaching back to the lead."""


# ---- chat and policy ----------------------------------------------------------------------


class Say(Struct, frozen=True, tag="chat_say", forbid_unknown_fields=True):
    """A message for everybody, at most 200 characters of plain text; only while chat is on."""

    text: str


class SetPolicy(Struct, frozen=True, tag="policy_set", forbid_unknown_fields=True):
    """Changes rules of this lesson; None leaves one as it is."""

    hands_need_approval: bool | None = None
    public_chat: bool | None = None
    stage_limit: Number | None = None


# ---- slides -------------------------------------------------------------------------------


class AttachSlides(Struct, frozen=True, tag="slides_attach", forbid_unknown_fields=True):
    """Puts an uploaded document into the lesson and shows its first page. ``document`` is the id
    that the upload gave."""

    document: Annotated[str, Meta(max_length=64)]
    pages: Number
    sha256: Annotated[str, Meta(max_length=64)]
    title: str = ""


class TurnSlide(Struct, frozen=True, tag="slide_turn", forbid_unknown_fields=True):
    """Shows a page (from 1) of an attached document to everybody; None: no slides."""

    document: Annotated[str, Meta(max_length=64)] | None
    page: Number = 1


class SetRecording(Struct, frozen=True, tag="recording_set", forbid_unknown_fields=True):
    """Stops the recording of this lesson, or lets it go on."""

    on: bool


class SetCatchUp(Struct, frozen=True, tag="catch_up_set", forbid_unknown_fields=True):
    """A class watches on its screen what it missed, or comes back to the lesson. A room gives it
    for itself, an assistant for her class."""

    room: Room
    on: bool


class ClearEcho(Struct, frozen=True, tag="echo_clear", forbid_unknown_fields=True):
    """Opens a microphone again that was made quiet or closed because of an echo or a howl: "test
    again". If it comes back, so does the rule."""

    participant: Participant


class SwitchSound(Struct, frozen=True, tag="sound_switch", forbid_unknown_fields=True):
    """Switches loudspeaker and microphone of a home's device off, because it is in the classroom,
    or on again."""

    participant: Participant
    off: bool


class ClearInk(Struct, frozen=True, tag="ink_clear", forbid_unknown_fields=True):
    """Wipes the strokes of one page."""

    document: Annotated[str, Meta(max_length=64)]
    page: Number


ToolCommand = (
    RaiseHand
    | LowerHand
    | LowerAllHands
    | ApproveHand
    | CallNext
    | Spotlight
    | MoveOnStage
    | MuteOnStage
    | MuteStage
    | Remove
    | Admit
    | RollCall
    | MarkAttendance
    | StartSoundCheck
    | HeardInSoundCheck
    | StopSoundCheck
    | OpenQuiz
    | AnswerQuiz
    | TallyQuiz
    | CloseQuiz
    | ReleaseQuiz
    | StartCountdown
    | CancelCountdown
    | StartGroupWork
    | EndGroupWork
    | ListenIn
    | GoToPhase
    | MarkCue
    | SendNote
    | AcknowledgeNote
    | SendPulse
    | AnswerPulse
    | AskHelp
    | AnswerHelp
    | OfferHandOver
    | TakeOver
    | HandBack
    | Say
    | SetPolicy
    | AttachSlides
    | TurnSlide
    | ClearInk
    | SetRecording
    | SetCatchUp
    | ClearEcho
    | SwitchSound
    | RecordOffline
)
