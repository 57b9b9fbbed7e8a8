"""How studio encoders and plain screens (WHIP, WHEP) come into a lesson."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import msgspec
from msgspec import Struct

from twinclass_server.http.whip import Door
from twinclass_server.signal.client import Guest
from twinclass_server.signal.lessons import Lessons
from twinclass_signaling.errors import Forbidden
from twinclass_signaling.ids import LessonId, SessionId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.media_policy import external_subscriptions
from twinclass_signaling.permissions import may_publish
from twinclass_signaling.tokens import Claims, TokenKeys


class _Memo(Struct):
    """What a seat is given again by. The token was checked when it was first taken."""

    claims: Claims
    is_viewer: bool


class HostDoor:
    """Fills ``twinclass_server.http.whip.LessonDoor``."""

    def __init__(self, lessons: Lessons, keys: Callable[[], TokenKeys]) -> None:
        self._lessons = lessons
        self._keys = keys

    async def enter(self, token: str, lesson: LessonId, *, want_publish: bool) -> Door:
        """Seats the token's person in a session of its own; see ``LessonDoor``."""
        claims = self._keys().verify(token, time.time(), lesson)
        if want_publish and not may_publish(claims.role):
            raise Forbidden("forbidden", "您没有这个权限。", "Your role may not publish.")
        host = await self._lessons.host(lesson)
        session = SessionId(secrets.token_urlsafe(12))
        actor = Actor(claims.participant, claims.role, claims.room_id)
        await host.seats.admit_guest(claims, Guest(session, actor, is_viewer=not want_publish))
        wanted = () if want_publish else tuple(external_subscriptions(host.state))
        memo = msgspec.msgpack.encode(_Memo(claims, is_viewer=not want_publish))
        return Door(session, lesson, claims.participant, wanted, memo, claims.lnk)

    async def restore(self, lesson: LessonId, session: SessionId, memo: bytes) -> Door:
        """Gives a session of before its seat again; see ``LessonDoor``."""
        noted = msgspec.msgpack.decode(memo, type=_Memo)
        claims = noted.claims
        host = await self._lessons.host(lesson)
        actor = Actor(claims.participant, claims.role, claims.room_id)
        await host.seats.admit_guest(claims, Guest(session, actor, noted.is_viewer))
        wanted = tuple(external_subscriptions(host.state)) if noted.is_viewer else ()
        return Door(session, lesson, claims.participant, wanted, memo, claims.lnk)

    def leave(self, door: Door) -> None:
        """Ends the session; the lesson may be elsewhere by now."""
        host = self._lessons.hosts.get(door.lesson)
        if host is not None:
            host.seats.release_guest(door.session)
