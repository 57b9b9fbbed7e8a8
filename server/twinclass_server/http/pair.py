"""Pairing: the room's screen asks for a code, the assistant types it on her tablet."""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from twinclass_server.http.desk_http import Keys, answered, json_response, member_of, read_json
from twinclass_server.http.school import SchoolRoutes, link_url
from twinclass_server.roster.lessons import LessonDesk
from twinclass_signaling.errors import Conflict, Forbidden
from twinclass_signaling.ids import LessonId
from twinclass_signaling.pairing import CODE_DIGITS, PairingDesk
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims

#: With 2,000 of 1,000,000 codes taken, five tries fail once in 10^13.
_TRIES = 5
#: A tablet of a lesson without a record: a lesson's day.
_TTL_S = 12 * 3600.0


class PairBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/pair``."""

    code: Annotated[str, Meta(min_length=1, max_length=20)]


class PairRoutes:
    """The desk of codes over HTTP."""

    def __init__(self, school: SchoolRoutes, desk: LessonDesk, keys: Keys) -> None:
        self._school = school
        self._desk = desk
        self._keys = keys
        self._codes = PairingDesk()

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        return [
            Route("/api/pair", answered(self._claim), methods=["POST"]),
            Route("/api/pair/code", answered(self._offer), methods=["POST"]),
        ]

    async def _offer(self, request: Request) -> Response:
        """A room's screen, with its own link, gets a code to show."""
        claims = member_of(request, self._keys)
        if claims.role is not Role.ROOM or claims.room_id is None:
            raise Forbidden("forbidden", "只有课堂大屏可以显示配对码。", "For room screens only.")
        for attempt in range(_TRIES):
            code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
            now = time.time()
            try:
                until = self._codes.offer(LessonId(claims.lesson), claims.room_id, code, now)
            except Conflict:
                if attempt == _TRIES - 1:
                    raise
                continue
            return json_response({"code": code, "expires_in_s": round(until - now)})
        raise AssertionError("not reached")

    async def _claim(self, request: Request) -> Response:
        body = await read_json(request, PairBody)
        source = request.client.host if request.client is not None else ""
        paired = self._codes.claim(body.code, source, time.time())
        base, keys = self._school.base(request), self._keys()
        link = await asyncio.to_thread(
            self._desk.assistant, paired.lesson, paired.room, datetime.now(UTC)
        )
        if link is not None:
            names = await asyncio.to_thread(self._desk.names, link)
            return json_response({"url": link_url(base, link, names, keys)})
        now = float(int(time.time()))
        claims = Claims(
            sub=f"assistant-{paired.room}"[:64],
            role=Role.ASSISTANT,
            lesson=paired.lesson,
            exp=now + _TTL_S,
            iat=now,
            room=paired.room,
        )
        return json_response({"url": f"{base}/assistant#token={keys.issue(claims)}"})
