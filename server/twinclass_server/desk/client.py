"""One session at a desk as its host holds it."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinclass_server.connection import Connection
from twinclass_signaling.desk.commands import Actor
from twinclass_signaling.ids import EventSeq, PersonId, SessionId
from twinclass_signaling.ports import MediaMessage


@dataclass(slots=True)
class DeskClient:
    """A device of somebody. ``connection`` is None while its line is lost.

    ``acks``: commands of this session that are in the log, or None in place of the number while
    they are under way.
    """

    session: SessionId
    actor: Actor
    connection: Connection | None = None
    video_codecs: tuple[str, ...] = ()
    acks: dict[int, EventSeq | None] = field(default_factory=dict)
    #: Its Welcome has been sent: the first message of every connection.
    is_welcome: bool = False
    #: What the media plane said before that; a handful at most, sent right after.
    early: list[MediaMessage] = field(default_factory=list)
    #: The link it came in with; a link that is withdrawn ends the session.
    link: str | None = None
    #: The moment of a lesson that its link was given out in: the only one it may ask about.
    origin: str | None = None
    #: The view this page was told last, as it was sent.
    shown: bytes = b""

    @property
    def person(self) -> PersonId:
        """Returns whose it is."""
        return self.actor.person
