"""From a lesson to the desk: a link for the evening out of a lesson's link, and where a question
comes from for whoever answers it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from twinclass_server.desk.chapters import DeskLibrary, chapter_url
from twinclass_server.desk.desks import day_of, evening_of
from twinclass_server.desk.moments import Moments, Named
from twinclass_server.http.desk_door import DeskDoor, DeskPort, number_of
from twinclass_server.http.desk_http import Keys, answered, json_response, member_of, read_json
from twinclass_server.roster.given_names import given_name
from twinclass_signaling.desk.origins import MAX_SECOND, Moment, moment_of, origin_of
from twinclass_signaling.desk.plan import DAY_S, Desk
from twinclass_signaling.errors import Conflict, Forbidden
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims, DeskClaims

#: A link ends with the evening's day; one that is given out late is good for so long.
_AT_LEAST_S = 2 * 3600.0


class Carry(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/desk/carry``. ``t``: seconds from the bell, None: of the whole lesson;
    ``entry``: of the library, when ``t`` counts in that (a clip)."""

    t: Annotated[float, Meta(ge=0, le=MAX_SECOND)] | None
    entry: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")] | None = None


class _Tonight(NamedTuple):
    """A desk as it is for one grade tonight; Unix seconds, None: it does not open."""

    desk: Desk
    opens: float | None
    closes: float | None
    ends: float

    def is_still(self, now: float) -> bool:
        """Tells whether it is open tonight, now or later."""
        return self.closes is not None and now < self.closes


class CarryRoutes:
    """``plans``: all desks, in order of their ids."""

    def __init__(
        self,
        plans: Callable[[], Iterable[Desk]],
        moments: Moments,
        library: DeskLibrary | None,
        door: DeskDoor,
        port: DeskPort,
        keys: Keys,
    ) -> None:
        self._plans = plans
        self._moments = moments
        self._library = library
        self._door = door
        self._port = port
        self._keys = keys

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        return [
            Route("/api/desk/carry", answered(self._carry), methods=["POST"]),
            Route("/api/desk/origins/{origin}", answered(self._origin), methods=["GET"]),
        ]

    # ---- from the lesson

    async def _carry(self, request: Request) -> Response:
        claims = member_of(request, self._keys)
        if claims.role is not Role.HOME_LEARNER:
            raise Forbidden(
                "forbidden",
                "教室和小组的链接不能去答疑台，请用学生自己的链接。",
                "Links of classrooms and groups do not lead to the desk; a pupil's own does.",
            )
        wish = await read_json(request, Carry)
        self._door.take("carry", claims)
        named = await self._moments.named(claims.lesson)
        tonight = None if named is None else self._choose(named, self._door.clock())
        if named is None or tonight is None:
            raise Conflict(
                "desk_none",
                "这门课今晚没有答疑台。",
                "There is no evening desk for this lesson.",
            )
        source = named.id if wish.entry is None else await self._own(claims, wish.entry)
        origin = origin_of(Moment(source, None if wish.t is None else int(wish.t)))
        return json_response(self._answer(claims, named, tonight, origin))

    async def _own(self, claims: Claims, entry: str) -> str:
        """Returns an entry that is of her lesson."""
        library = self._library
        lesson = None if library is None else await asyncio.to_thread(library.lesson_of, entry)
        if lesson != claims.lesson:
            raise Conflict("lesson_unknown", "没有这节课。", "There is no such lesson.")
        return entry

    def _choose(self, named: Named, now: float) -> _Tonight | None:
        """Returns the desk for a lesson: one that is open tonight rather than one that is not."""
        subject, grade = named.plan.subject, named.plan.grade
        if grade is None:
            return None
        found = [
            _tonight(desk, grade, now)
            for desk in self._plans()
            if subject in desk.subjects and grade in desk.grades
        ]
        return min(found, key=lambda one: (not one.is_still(now), one.desk.id), default=None)

    def _answer(
        self, claims: Claims, named: Named, tonight: _Tonight, origin: str | None
    ) -> dict[str, Any]:
        now, desk = self._door.clock(), tonight.desk
        room = None if claims.room is None else named.plan.room(ParticipantId(claims.room))
        token = self._keys().issue(
            DeskClaims(
                claims.sub,
                Role.PUPIL,
                desk.id,
                float(int(max(tonight.ends, now + _AT_LEAST_S))),
                float(int(now)),
                name=given_name(claims.name),
                grade=named.plan.grade,
                class_name="" if room is None else room.name[:64],
                school=claims.school,
                lnk=claims.lnk,
                origin=origin,
            )
        )
        source = "" if origin is None else f"&origin={origin}"
        return {
            "desk": {
                "id": desk.id,
                "title": desk.title,
                "opens": tonight.opens,
                "closes": tonight.closes,
                "is_open": tonight.is_still(now) and now >= (tonight.opens or 0.0),
                "utc_offset_min": desk.utc_offset_min,
            },
            "url": f"/desk#token={token}{source}&subject={named.plan.subject}",
        }

    # ---- at the desk

    async def _origin(self, request: Request) -> Response:
        claims = self._door.who(request, Role.PUPIL, Role.TUTOR, Role.MODERATOR, Role.SAFEGUARDING)
        self._door.take("origin", claims)
        origin = request.path_params["origin"]
        asked = request.query_params.get("question")
        # Her link says that she comes from there; anybody else sees a question that does.
        if claims.origin != origin and (
            asked is None or self._port.origin_of(claims.desk, claims, number_of(asked)) != origin
        ):
            raise _unknown()
        moment = moment_of(origin)
        told = None if moment is None else await self._moments.told(moment)
        if moment is None or told is None:
            raise _unknown()
        url = await asyncio.to_thread(self._url, claims, moment)
        return json_response(
            {
                "lesson": told.lesson,
                "title": told.title,
                "phase": told.phase,
                "page": told.page,
                "t": told.t,
                "url": url,
            }
        )

    def _url(self, claims: DeskClaims, moment: Moment) -> str | None:
        """Returns where the moment is watched: by who was in that lesson, and by teachers who find
        it in the library anyway; blocks."""
        if self._library is None or self._library.lesson_of(moment.id) is None:
            return None
        if claims.role is not Role.PUPIL and not self._library.may_see(claims.sub, moment.id):
            return None
        second = float(moment.second or 0)
        return chapter_url(self._keys(), claims, moment.id, second, self._door.clock())


def _tonight(desk: Desk, grade: int, now: float) -> _Tonight:
    evening = evening_of(desk, day_of(desk, now))
    opens, closes = evening.open_hours(desk).get(grade, (None, None))
    return _Tonight(desk, opens, closes, evening.midnight + DAY_S)


def _unknown() -> Conflict:
    return Conflict(
        "origin_unknown", "这节课已经找不到了。", "Where this comes from is not there any more."
    )
