"""What WHIP and WHEP need of the lesson and of the media plane, as Protocols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from twinclass_signaling.ids import LessonId, ParticipantId, SessionId
from twinclass_signaling.ports import MediaPlane, Subscription


@dataclass(frozen=True, slots=True)
class Door:
    """A seat that was taken. ``wanted``: what a viewer is to receive, in order: lead camera,
    lead microphone, then the screen (given to a second video m-line)."""

    session: SessionId
    lesson: LessonId
    participant: ParticipantId
    wanted: tuple[Subscription, ...] = ()
    #: What the door needs to give the same seat again.
    memo: bytes = b""
    #: The link it was opened with, if it can be withdrawn.
    link: str | None = None


class LessonDoor(Protocol):
    """What the lesson's host does for a client without our signalling."""

    async def enter(self, token: str, lesson: LessonId, *, want_publish: bool) -> Door:
        """Seats the token's person in a session of its own, with its grants set in the media
        plane. The caller opens, publishes and removes the media session itself.

        Raises:
            SignalingError: ``token_…`` codes for a bad token, Forbidden, Conflict, Unavailable.
        """
        ...

    def leave(self, door: Door) -> None:
        """Ends that session. Must not block."""
        ...

    async def restore(self, lesson: LessonId, session: SessionId, memo: bytes) -> Door:
        """Gives a session of before its seat again, from the memo of its door.

        Raises:
            SignalingError: the lesson is over or elsewhere; Unavailable: not now.
        """
        ...


class DoorMedia(MediaPlane, Protocol):
    """The media plane with what only these clients need."""

    def restart_ice(self, lesson: LessonId, session: SessionId, fragment: str) -> str:
        """Takes an SDP fragment (RFC 8840). New credentials restart ICE, and ours come back as
        a fragment; otherwise it was a trickled candidate: empty, an ICE-lite agent needs none.

        Raises:
            SdpError: malformed.
        """
        ...

    def watch_session(self, lesson: LessonId, session: SessionId, lost: Callable[[], None]) -> None:
        """Calls ``lost`` once when the session has ended, by itself or by others."""
        ...

    def set_label(self, lesson: LessonId, session: SessionId, label: bytes) -> None:
        """Keeps ``label`` with the session's media, as long as that is there."""
        ...

    def labels(self) -> Sequence[tuple[LessonId, SessionId, bytes]]:
        """The labels of sessions of before that nobody has opened again yet."""
        ...
