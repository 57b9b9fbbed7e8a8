"""What staff's channel, the plan, handing over, chat, rules and slides leave in the log.

See ``tool_events``, whose second half this is.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.tool_commands import HelpKind, PulseKind

OfferReason = Literal["offered", "connection", "media", "returned"]
TeachingCause = Literal["taken", "handed_back", "returned", "opened"]


# ---- agenda -------------------------------------------------------------------------------


class PhaseChanged(Struct, frozen=True, tag="phase_changed"):
    """The lead went to a phase of the plan; None: by the minute again."""

    phase: int | None
    actor: ParticipantId


class CueMarked(Struct, frozen=True, tag="cue_marked"):
    """A cue of the plan was ticked off, or not any more."""

    cue: int
    done: bool
    actor: ParticipantId


# ---- staff among themselves ---------------------------------------------------------------


class NoteSent(Struct, frozen=True, tag="note_sent"):
    """A note among staff; ``note`` counts up from 1. ``to``: one room's assistants, else all."""

    note: int
    text: str
    to: RoomId | None
    actor: ParticipantId


class NoteAcknowledged(Struct, frozen=True, tag="note_acked"):
    """Somebody has seen a note."""

    note: int
    actor: ParticipantId


class PulseSent(Struct, frozen=True, tag="pulse_sent"):
    """A signal about a room; gone after 60 s."""

    room: RoomId
    kind: PulseKind
    actor: ParticipantId


class PulseAnswered(Struct, frozen=True, tag="pulse_answered"):
    """The lead has answered a kind of signal, of one room or of all."""

    kind: PulseKind
    room: RoomId | None
    actor: ParticipantId


class HelpAsked(Struct, frozen=True, tag="help_asked"):
    """A home asks the assistants of her class."""

    participant: ParticipantId
    room: RoomId | None
    kind: HelpKind


class HelpAnswered(Struct, frozen=True, tag="help_answered"):
    """An assistant has answered."""

    participant: ParticipantId
    text: str
    actor: ParticipantId


# ---- handing over -------------------------------------------------------------------------


class HandOverOffered(Struct, frozen=True, tag="hand_over_offered"):
    """These may take over. ``phase`` and ``cue``: where the plan is."""

    to: tuple[ParticipantId, ...]
    reason: OfferReason
    phase: int | None
    cue: int | None
    actor: ParticipantId


class HandOverWithdrawn(Struct, frozen=True, tag="hand_over_withdrawn"):
    """The offer does not hold any more."""

    actor: ParticipantId


class TeachingChanged(Struct, frozen=True, tag="teaching_changed"):
    """Who leads now. ``away_s``: how long nobody did, when it was by a loss."""

    participant: ParticipantId
    cause: TeachingCause
    away_s: float
    actor: ParticipantId


# ---- chat and policy ----------------------------------------------------------------------


class ChatSaid(Struct, frozen=True, tag="chat_said"):
    """A message for everybody; ``message`` counts up from 1."""

    message: int
    text: str
    actor: ParticipantId


class PolicyChanged(Struct, frozen=True, tag="policy_changed"):
    """The rules of the lesson from here on, all of them."""

    hands_need_approval: bool
    public_chat: bool
    stage_limit: int
    actor: ParticipantId


class RecordingChanged(Struct, frozen=True, tag="recording_changed"):
    """Staff stopped the recording, or let it go on."""

    on: bool
    actor: ParticipantId


# ---- slides -------------------------------------------------------------------------------


class SlidesAttached(Struct, frozen=True, tag="slides_attached"):
    """A document is part of the lesson."""

    document: str
    pages: int
    sha256: str
    title: str
    actor: ParticipantId


class SlideTurned(Struct, frozen=True, tag="slide_turned"):
    """This page is shown to everybody; document None: no slides."""

    document: str | None
    page: int
    actor: ParticipantId


class InkCleared(Struct, frozen=True, tag="ink_cleared"):
    """The strokes of a page were wiped. Strokes themselves are no events."""

    document: str
    page: int
    actor: ParticipantId


TalkingEvent = (
    PhaseChanged
    | CueMarked
    | NoteSent
    | NoteAcknowledged
    | PulseSent
    | PulseAnswered
    | HelpAsked
    | HelpAnswered
    | HandOverOffered
    | HandOverWithdrawn
    | TeachingChanged
    | ChatSaid
    | PolicyChanged
    | RecordingChanged
    | SlidesAttached
    | SlideTurned
    | InkCleared
)
