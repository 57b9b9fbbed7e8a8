"""What somebody missed of a lesson that goes on: the recording so far, by ticket."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from twinclass_recordings import manifest as m
from twinclass_recordings.library.access import Viewer
from twinclass_server.http.desk_http import Keys, answered, json_response, member_of
from twinclass_server.http.library import missed
from twinclass_server.library_tickets import issue
from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import LessonId
from twinclass_signaling.roles import Role

#: The recording of a lesson that goes on here, None when there is none.
LiveManifest = Callable[[LessonId], Awaitable[m.Manifest | None]]


class CatchUpRoutes:
    """``GET /api/catch-up`` with a join link."""

    def __init__(self, live: LiveManifest, keys: Keys) -> None:
        self._live = live
        self._keys = keys

    def routes(self) -> list[BaseRoute]:
        """Returns the route."""
        return [Route("/api/catch-up", answered(self._get), methods=["GET"])]

    async def _get(self, request: Request) -> Response:
        claims = member_of(request, self._keys)
        made = await self._live(LessonId(claims.lesson))
        if made is None:
            raise Conflict("not_recorded", "这节课没有录制。", "This lesson is not recorded.")
        ticket, expires = issue(self._keys(), made.lesson, time.time())
        # An assistant asks for her room: what she missed herself is not what its class missed.
        subject = claims.room or "" if claims.role is Role.ASSISTANT else claims.sub
        viewer = Viewer(claims.role, subject, lesson=claims.lesson)
        return json_response(
            {
                "media": {
                    "base": f"/library/media/{ticket}/{made.lesson}/",
                    "manifest": m.FILE_NAME,
                    "expires_at": expires,
                },
                "missed": missed(made, viewer),
                "live_s": max(0.0, round(time.time() - made.origin_unix, 1)),
            }
        )
