"""The client protocol ``twinclass.v1``: every message of ``/signal``.

These types are the one source of the JSON Schema, of the TypeScript types and of the tables in
PROTOCOL.md. On the wire each message is one JSON text frame with a ``type`` member.

Two peer connections a client. *Uplink*: the client offers (``publish_offer``), the server
answers. *Downlink*: the server offers (``subscribe_offer``), the client answers. The downlink
is a pool of m-lines ("slots") with fixed SSRCs: who is in a slot changes by ``slots`` messages
without a new offer; a new offer comes only when the pool grows or ICE restarts.

Vocabulary module: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from twinclass_signaling.ids import EventSeq, ParticipantId, PersonId, RoomId, SessionId
from twinclass_signaling.ink_messages import Ink, InkDrawn, InkPage
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson_views import Counts, LessonView, ParticipantView
from twinclass_signaling.roles import Role, Source
from twinclass_signaling.tool_commands import ToolCommand
from twinclass_signaling.tool_views import ToolView

SUBPROTOCOL = "twinclass.v1"
#: An SDP offer of a page with simulcast is 6-9 KiB; four times that for slack.
MAX_SDP_CHARS = 64 * 1024
#: The largest legal message is one with an SDP.
MAX_MESSAGE_BYTES = 96 * 1024

ShortText = Annotated[str, Meta(max_length=200)]
Token = Annotated[str, Meta(max_length=4096)]
Sdp = Annotated[str, Meta(max_length=MAX_SDP_CHARS)]
CommandId = Annotated[int, Meta(ge=0, le=2**53)]


# ---- client -> server ---------------------------------------------------------------------


class Resume(Struct, frozen=True, forbid_unknown_fields=True):
    """Claims a session of the last 60 s. ``secret`` works once; the answer brings the next."""

    session: SessionId
    secret: Annotated[str, Meta(max_length=128)]


class ClientInfo(Struct, frozen=True, forbid_unknown_fields=True):
    """What the server must know of the browser to choose for it."""

    #: Video codecs it can decode, exact registered names.
    video_codecs: Annotated[tuple[ShortText, ...], Meta(max_length=16)] = ()
    user_agent: Annotated[str, Meta(max_length=400)] = ""


class Authenticate(Struct, frozen=True, tag="authenticate", forbid_unknown_fields=True):
    """Must be first, within 5 s. ``last_seq``: the last event this page has applied."""

    token: Token
    client: ClientInfo = ClientInfo()
    resume: Resume | None = None
    last_seq: Annotated[int, Meta(ge=0)] = 0
    #: Takes the seat from another device after "fenced" was shown.
    use_here: bool = True
    #: A room's page: when another device of the room has the sound, come in as its companion,
    #: without sound and microphone, instead of taking the seat.
    companion: bool = False


#: What made a page restart ICE: nothing came for a second, the browser lost the path, the device
#: is on another network, the relay is taken along, or a restart that brought nothing.
RestartReason = Literal["", "silent", "disconnected", "network", "relay", "again"]
#: How media goes: straight over UDP, over TCP, through the relay; empty while there is no path.
Route = Literal["", "udp", "tcp", "relay"]


class PublishedTrack(Struct, frozen=True, forbid_unknown_fields=True):
    """Names the source of one m-line of an offer."""

    mid: Annotated[str, Meta(max_length=16)]
    source: Source


class PublishOffer(Struct, frozen=True, tag="publish_offer", forbid_unknown_fields=True):
    """Offers the uplink, anew or changed. ``n`` counts up with each offer."""

    n: Annotated[int, Meta(ge=1)]
    sdp: Sdp
    tracks: Annotated[tuple[PublishedTrack, ...], Meta(max_length=8)]
    #: Why ICE restarts by this offer; empty: it does not.
    restart: RestartReason = ""


class SubscribeAnswer(Struct, frozen=True, tag="subscribe_answer", forbid_unknown_fields=True):
    """Answers the ``subscribe_offer`` with the same ``n``."""

    n: Annotated[int, Meta(ge=1)]
    sdp: Sdp


class SubscribeRefused(Struct, frozen=True, tag="subscribe_refused", forbid_unknown_fields=True):
    """The browser rejected offer ``n``; the server goes back to the last committed one."""

    n: Annotated[int, Meta(ge=1)]
    reason: ShortText


class RestartDownlink(Struct, frozen=True, tag="restart_downlink", forbid_unknown_fields=True):
    """Asks for a downlink offer. ``fresh``: the page has made a new peer connection; otherwise
    this is an ICE restart on the existing one."""

    fresh: bool = False
    #: Why ICE restarts; for counting.
    reason: RestartReason = ""


class RelayAsk(Struct, frozen=True, tag="relay_ask", forbid_unknown_fields=True):
    """Asks for the relay (TURN): media does not come through without. Answered by ``relay``."""


class Routes(Struct, frozen=True, tag="routes", forbid_unknown_fields=True):
    """How this page's media goes, each time that changes; for counting."""

    uplink: Route = ""
    downlink: Route = ""


class View(Struct, frozen=True, tag="view", forbid_unknown_fields=True):
    """What this page wants to receive; all of it each time."""

    audio_only: bool = False
    data_saver: bool = False


class Report(Struct, frozen=True, tag="report", forbid_unknown_fields=True):
    """State of the device that staff should see."""

    #: playing, or blocked by the browser until a key is pressed.
    sound: Literal["playing", "blocked", "off"] = "off"
    camera: Literal["on", "off", "lost", "refused"] = "off"
    microphone: Literal["on", "off", "lost", "refused"] = "off"


class Ping(Struct, frozen=True, tag="ping", forbid_unknown_fields=True):
    """Sent every 2 s; the answer carries the server's clock."""

    sent_ms: float


class OpenLesson(Struct, frozen=True, tag="lesson_open", forbid_unknown_fields=True):
    """From pre-class to live (lead, co-lead)."""


class CloseLesson(Struct, frozen=True, tag="lesson_close", forbid_unknown_fields=True):
    """Ends the lesson for everybody (lead, co-lead)."""


class CallOn(Struct, frozen=True, tag="call_on", forbid_unknown_fields=True):
    """Puts a room or a home learner on stage; ``child``: who of a home group."""

    participant: Annotated[ParticipantId, Meta(max_length=64)]
    child: Annotated[PersonId, Meta(max_length=64)] | None = None


class LeaveStage(Struct, frozen=True, tag="stage_leave", forbid_unknown_fields=True):
    """Takes somebody (staff) or oneself off the stage."""

    participant: Annotated[ParticipantId, Meta(max_length=64)]


class ClearStage(Struct, frozen=True, tag="stage_clear", forbid_unknown_fields=True):
    """Takes everybody off the stage."""


StageCommand = OpenLesson | CloseLesson | CallOn | LeaveStage | ClearStage
ClientCommand = StageCommand | ToolCommand


class Command(Struct, frozen=True, tag="command", forbid_unknown_fields=True):
    """Asks for a change of the lesson; answered by ``ack`` or ``error`` with the same id.

    ``id`` counts up per session, so that a repeat after a reconnect is not done twice.
    """

    id: CommandId
    command: ClientCommand


ClientMessage = (
    Authenticate
    | PublishOffer
    | SubscribeAnswer
    | SubscribeRefused
    | RestartDownlink
    | RelayAsk
    | Routes
    | View
    | Report
    | Command
    | Ink
    | Ping
)


# ---- server -> client ---------------------------------------------------------------------


class Text(Struct, frozen=True):
    """What happened and what to do, in both languages."""

    zh: str
    en: str


class Welcome(Struct, frozen=True, tag="welcome"):
    """Answers ``authenticate``. ``resumed``: media connections of before are still good."""

    session: SessionId
    secret: str
    resumed: bool
    participant: ParticipantId
    role: Role
    name: str
    room: RoomId | None
    lesson: LessonView
    server_time: float
    #: Sources this role may ever publish.
    may_publish: tuple[Source, ...]
    may_command: tuple[str, ...]
    #: This device is a further one of its room: no sound, no microphone, no camera.
    companion: bool


class Event(Struct, frozen=True, tag="event"):
    """One step of the lesson, in order. ``seq`` has gaps where this client may not see a step."""

    seq: EventSeq
    at: float
    event: LessonEvent


class Presence(Struct, frozen=True, tag="presence"):
    """Seats that changed, gathered for up to 200 ms, with the new counts."""

    counts: Counts
    participants: tuple[ParticipantView, ...]


class Tool(Struct, frozen=True, tag="tool"):
    """One tool as this client may see it now; replaces ``lesson.tools[view.type]``. Sent after
    the events that changed it, gathered for up to 100 ms."""

    view: ToolView


class PublishAnswer(Struct, frozen=True, tag="publish_answer"):
    """Answers ``publish_offer`` n."""

    n: int
    sdp: str


class EncodingWish(Struct, frozen=True):
    """What the server wants of one encoding (RTCRtpEncodingParameters names)."""

    rid: str
    active: bool
    max_bitrate: int = 0
    max_framerate: int = 0


class PublishWishes(Struct, frozen=True, tag="publish_wishes"):
    """How to send one source. ``open`` false: keep the track but send nothing; the server
    forwards nothing either. ``codec``: prefer this one (setParameters)."""

    source: Source
    open: bool
    codec: str
    encodings: tuple[EncodingWish, ...]


SlotKind = Literal["lead", "screen", "document", "stage", "wall"]


class Slot(Struct, frozen=True):
    """One m-line of the downlink pool and who is in it now (None = nobody)."""

    mid: str
    kind: Literal["audio", "video"]
    use: SlotKind
    index: int
    participant: ParticipantId | None = None
    source: Source | None = None


class SubscribeOffer(Struct, frozen=True, tag="subscribe_offer"):
    """The server's offer for the downlink; only one is in flight."""

    n: int
    sdp: str
    slots: tuple[Slot, ...]
    #: True: make a new RTCPeerConnection for it.
    fresh: bool = False


class Slots(Struct, frozen=True, tag="slots"):
    """Who is in which m-line now; all slots each time, without a new offer."""

    slots: tuple[Slot, ...]


class Speakers(Struct, frozen=True, tag="speakers"):
    """Who speaks now, loudest first. Rooms that are only listened in to are told to leads alone."""

    participants: tuple[ParticipantId, ...]


class Quality(Struct, frozen=True, tag="quality"):
    """This client's own line, every 2 s: good, fair, poor; or lost.

    ``held``: what it gets less of because its line is narrow. ``smaller``: some pictures are
    smaller than they could be; ``slides``: sound and slides go on, other pictures are stopped;
    ``sound``: only sound goes on (slides that the page holds itself, ink and text do too).
    ``stopped``: the m-lines of the pictures that are stopped.
    """

    level: Literal["good", "fair", "poor", "lost"]
    rtt_ms: float
    loss: float
    held: Literal["none", "smaller", "slides", "sound"] = "none"
    stopped: tuple[str, ...] = ()


class Recorder(Struct, frozen=True, tag="recorder"):
    """How the recording goes on disk, to staff, every 2 s while it changes. ``writing``: bytes
    reach the disk; ``trouble``: they do not, and ``text`` says why and what to do.

    ``seconds``: since the recording began; ``hours_left``: of lessons like this the disk can
    hold, None while that is not known.
    """

    state: Literal["idle", "writing", "trouble"]
    seconds: float
    bytes: int
    hours_left: float | None = None
    text: Text | None = None


class MediaLost(Struct, frozen=True, tag="media_lost"):
    """A media worker is gone or a transport closed: make that connection anew at once."""

    uplink: bool
    downlink: bool


class RelayServer(Struct, frozen=True):
    """One entry of ``RTCConfiguration.iceServers``."""

    urls: tuple[str, ...]
    username: str
    credential: str


class RelayServers(Struct, frozen=True, tag="relay"):
    """Answers ``relay_ask``: where the relay is, and a password for ``ttl_s`` seconds. Empty where
    there is none."""

    servers: tuple[RelayServer, ...]
    ttl_s: int


class Ack(Struct, frozen=True, tag="ack"):
    """Command ``id`` is in the log; its last event has ``seq``."""

    id: int
    seq: EventSeq


class Error(Struct, frozen=True, tag="error"):
    """``code`` is for programs and stable, ``text`` for people. ``id`` of the command, if any.

    ``retry_after_s`` > 0: the same may work then. ``fatal``: the connection closes after it.
    """

    code: str
    text: Text
    id: int | None = None
    retry_after_s: float = 0.0
    fatal: bool = False


class Fenced(Struct, frozen=True, tag="fenced"):
    """The same seat was taken elsewhere; do not reconnect, offer "use here"."""

    text: Text


class Goodbye(Struct, frozen=True, tag="goodbye"):
    """The server closes this connection: reconnect after ``reconnect_after_s``, or not (None)."""

    #: "arrived": the pupil is in her class's room now; "removed": by staff.
    reason: Literal["lesson_closed", "drain", "server_stop", "moved", "arrived", "removed"]
    text: Text
    reconnect_after_s: float | None = None


class Pong(Struct, frozen=True, tag="pong"):
    """Answers ``ping``."""

    sent_ms: float
    server_time: float


ServerMessage = (
    Welcome
    | Event
    | Presence
    | Tool
    | InkDrawn
    | InkPage
    | PublishAnswer
    | PublishWishes
    | SubscribeOffer
    | Slots
    | Speakers
    | Quality
    | Recorder
    | MediaLost
    | RelayServers
    | Ack
    | Error
    | Fenced
    | Goodbye
    | Pong
)
