"""The desk's protocol ``twinclass.desk.v1``: every message of ``/desk``.

As the lesson's (``twinclass_signaling.messages``), whose messages of media it shares: one JSON text
frame each, with a ``type`` member. Two things differ. No event is ever sent, only views. And media
belongs to live help: it is offered when one is in a session, and ends with it; ``media_lost`` says
so, and a later ``subscribe_offer`` that is ``fresh`` begins the next.

In slots, participants are seats of the session: ``tutor``, ``moderator``, ``pupil-1``…; never ids
of people.

Vocabulary module: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from twinclass_signaling.desk.commands import DeskCommand, Session
from twinclass_signaling.desk.plan import DeskId, SessionNumber
from twinclass_signaling.desk.view_types import DeskView
from twinclass_signaling.ids import PersonId, SessionId
from twinclass_signaling.messages import (
    Ack,
    ClientInfo,
    CommandId,
    Error,
    Fenced,
    MediaLost,
    Ping,
    Pong,
    PublishAnswer,
    PublishOffer,
    PublishWishes,
    Quality,
    RelayAsk,
    RelayServers,
    RestartDownlink,
    Resume,
    Slots,
    Speakers,
    SubscribeAnswer,
    SubscribeOffer,
    SubscribeRefused,
    Text,
    Token,
)
from twinclass_signaling.roles import Role, Source

SUBPROTOCOL = "twinclass.desk.v1"
#: The largest message has an SDP; a board's update is at most this, too.
MAX_MESSAGE_BYTES = 96 * 1024
#: Base64 of 48 KiB: a long stroke is 2 KiB, a pasted formula less.
MAX_UPDATE_CHARS = 64 * 1024

Update = Annotated[str, Meta(max_length=MAX_UPDATE_CHARS)]


# ---- client -> server ---------------------------------------------------------------------


class Authenticate(Struct, frozen=True, tag="authenticate", forbid_unknown_fields=True):
    """Must be first, within 5 s."""

    token: Token
    client: ClientInfo = ClientInfo()
    resume: Resume | None = None


class Command(Struct, frozen=True, tag="command", forbid_unknown_fields=True):
    """Asks for a change of the desk; answered by ``ack`` or ``error`` with the same id.

    ``id`` counts up per session, so that a repeat after a reconnect is not done twice.
    """

    id: CommandId
    command: DeskCommand


class BoardUpdate(Struct, frozen=True, tag="board_update", forbid_unknown_fields=True):
    """Something was drawn: an update of the session's Yjs document, base64. To the server, and from
    it to the others."""

    session: Session
    update: Update


class BoardAsk(Struct, frozen=True, tag="board_ask", forbid_unknown_fields=True):
    """Asks for what one lacks; ``vector``: one's Yjs state vector, base64; answered by
    ``board_state``."""

    session: Session
    vector: Update = ""


ClientMessage = (
    Authenticate
    | Command
    | PublishOffer
    | SubscribeAnswer
    | SubscribeRefused
    | RestartDownlink
    | RelayAsk
    | BoardUpdate
    | BoardAsk
    | Ping
)


# ---- server -> client ---------------------------------------------------------------------


class DeskInfo(Struct, frozen=True):
    """What does not change of a desk in an evening."""

    desk: DeskId
    title: str
    subjects: tuple[str, ...]
    grades: tuple[int, ...]
    needs_approval: bool
    #: Times of the desk are shown in its zone: schools plan in it, whatever a browser thinks.
    utc_offset_min: int


class Welcome(Struct, frozen=True, tag="welcome"):
    """Answers ``authenticate``. ``resumed``: media connections of before are still good. ``view``:
    None for whoever is shown nothing here."""

    session: SessionId
    secret: str
    resumed: bool
    person: PersonId
    role: Role
    name: str
    grade: int | None
    desk: DeskInfo
    view: DeskView | None
    server_time: float
    may_publish: tuple[Source, ...]
    may_command: tuple[str, ...]


class ViewChanged(Struct, frozen=True, tag="view"):
    """All that one is shown now; replaces what was shown before. Gathered for up to 100 ms; when
    only places in a queue have moved, for up to 2 s; what others share, for up to 15 s.
    ``server_time``: when it was true."""

    view: DeskView
    server_time: float


class BoardState(Struct, frozen=True, tag="board_state"):
    """What one lacked of a session's document, base64 of a Yjs update, and what the server lacks:
    ``vector`` is its state vector; whoever holds more sends it as ``board_update``."""

    session: SessionNumber
    update: str
    vector: str


class Goodbye(Struct, frozen=True, tag="goodbye"):
    """The server closes this connection: reconnect after ``reconnect_after_s``, or not (None)."""

    reason: Literal["desk_closed", "drain", "server_stop", "moved", "removed"]
    text: Text
    reconnect_after_s: float | None = None


ServerMessage = (
    Welcome
    | ViewChanged
    | BoardUpdate
    | BoardState
    | PublishAnswer
    | PublishWishes
    | SubscribeOffer
    | Slots
    | Speakers
    | Quality
    | MediaLost
    | RelayServers
    | Ack
    | Error
    | Fenced
    | Goodbye
    | Pong
)
