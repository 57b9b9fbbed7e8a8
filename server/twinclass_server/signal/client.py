"""One session as its lesson's host holds it."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinclass_server.connection import Connection
from twinclass_signaling.ids import EventSeq, ParticipantId, SessionId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.messages import View
from twinclass_signaling.ports import MediaMessage
from twinclass_signaling.tool_views import ToolView


@dataclass(slots=True)
class Client:
    """A device on a seat. ``connection`` is None while its line is lost.

    ``acks``: commands of this session that are in the log, or None in place of the number while
    they are under way; loaded from Redis when a former process may have more.
    """

    session: SessionId
    actor: Actor
    connection: Connection | None = None
    view: View = field(default_factory=View)
    acks: dict[int, EventSeq | None] = field(default_factory=dict)
    #: The media plane of this process knows the session.
    is_open: bool = False
    #: Its Welcome has been sent: the first message of every connection.
    is_welcome: bool = False
    #: What the media plane said before that; a handful at most, sent right after.
    early: list[MediaMessage] = field(default_factory=list)
    #: The link it came in with; a link that is withdrawn ends the session.
    link: str | None = None
    #: The tools as this page was told them last.
    tools: dict[str, ToolView] = field(default_factory=dict)

    @property
    def participant(self) -> ParticipantId:
        """Returns the seat."""
        return self.actor.participant


@dataclass(frozen=True, slots=True)
class Guest:
    """A WHIP or WHEP session: a device on a seat, without a page."""

    session: SessionId
    actor: Actor
    is_viewer: bool
