"""What tutors and duty planners ask of the desk over HTTP: credit, rosters, who pays."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from twinclass_server.desk.content.audit import Audit, Doer
from twinclass_server.desk.content.ledger import Ledger, Line, PaidLine
from twinclass_server.desk.content.ratings import Ratings
from twinclass_server.desk.content.rosters import Rosters
from twinclass_server.desk.content.terms import day_of
from twinclass_server.http.desk_door import DeskDoor, DeskPort, Short
from twinclass_server.http.desk_http import answered, json_response, read_json
from twinclass_signaling.desk.credits import YUAN_A_POINT
from twinclass_signaling.desk.plan import MAX_ROSTER, Duty, Id
from twinclass_signaling.errors import Conflict, RemoteProtocolError
from twinclass_signaling.roles import Role

#: A term and its holidays; more is another request.
_MAX_DAYS = 400
#: Schools of a city.
_MAX_SCHOOLS = 5000
_COLUMNS = (
    *("district", "school", "tutor", "name", "date", "entry", "kind", "help", "subject"),
    *("minutes", "asked", "points", "yuan", "reason", "reverses"),
)


class RosterWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``PUT /api/desk/roster``; None: a date has the roster of its weekday again."""

    duties: Annotated[tuple[Duty, ...], Meta(max_length=MAX_ROSTER)] | None


class Districts(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``PUT /api/desk/districts``: school (id) -> district."""

    districts: Annotated[dict[Id, Short], Meta(max_length=_MAX_SCHOOLS)]


class StaffRoutes:
    """Tutors see their own credit, planners rosters and what is to be paid."""

    def __init__(
        self,
        ledger: Ledger,
        ratings: Ratings,
        rosters: Rosters,
        audit: Audit,
        door: DeskDoor,
        port: DeskPort,
    ) -> None:
        self._ledger = ledger
        self._ratings = ratings
        self._rosters = rosters
        self._audit = audit
        self._door = door
        self._port = port

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        return [
            Route("/api/desk/tally", answered(self._tally), methods=["GET"]),
            Route("/api/desk/credits.csv", answered(self._export), methods=["GET"]),
            Route("/api/desk/roster", answered(self._roster), methods=["GET"]),
            Route("/api/desk/roster", answered(self._set_roster), methods=["PUT"]),
            Route("/api/desk/people", answered(self._people), methods=["GET"]),
            Route("/api/desk/districts", answered(self._districts), methods=["GET"]),
            Route("/api/desk/districts", answered(self._set_districts), methods=["PUT"]),
        ]

    # ---- tutors

    async def _tally(self, request: Request) -> Response:
        claims = self._door.who(request, Role.TUTOR)
        evening = self._port.evening(claims.desk)
        return json_response(await asyncio.to_thread(self._told, claims.sub, claims.desk, evening))

    def _told(self, tutor: str, desk: str, evening: str) -> dict[str, Any]:
        points = self._ledger.term_points(tutor, evening)
        ratings = self._ratings.summary(tutor, evening)
        return {
            "points_term": points,
            "points_cap": self._ledger.cap,
            "yuan": points * YUAN_A_POINT,
            "helps": [_helped(one) for one in self._ledger.of_evening(tutor, desk, evening)],
            "ratings": None
            if ratings is None
            else {
                "understood": ratings.understood,
                "patient": ratings.patient,
                "again": ratings.again,
                "n": ratings.count,
            },
            "texts": self._ratings.texts(tutor, evening),
        }

    # ---- planners

    async def _export(self, request: Request) -> Response:
        claims = self._door.who(request, Role.DUTY_PLANNER)
        since, until = self._span(request, claims.desk)
        span = f"{request.query_params['from']}..{request.query_params['to']}"
        doer = Doer(claims.sub, claims.role, claims.desk)
        await asyncio.to_thread(self._audit.note, doer, "credits_exported", f"credits/{span}")
        sheet = await asyncio.to_thread(lambda: _sheet(self._ledger.export(since, until)))
        headers = {"Content-Disposition": f'attachment; filename="credits-{span}.csv"'}
        return Response(sheet, media_type="text/csv; charset=utf-8", headers=headers)

    def _span(self, request: Request, desk: str) -> tuple[datetime, datetime]:
        """Whole days of the desk, both ends included."""
        first = day_of(request.query_params.get("from", ""))
        last = day_of(request.query_params.get("to", ""))
        if not 0 <= (last - first).days <= _MAX_DAYS:
            raise Conflict(
                "date_malformed", "起止日期有误（最长 400 天）。", "Not a span of up to 400 days."
            )
        plan = self._port.plan(desk)
        zone = timezone(timedelta(minutes=480 if plan is None else plan.utc_offset_min))
        since = datetime(first.year, first.month, first.day, tzinfo=zone)
        until = datetime(last.year, last.month, last.day, tzinfo=zone) + timedelta(days=1)
        return since.astimezone(UTC), until.astimezone(UTC)

    async def _roster(self, request: Request) -> Response:
        claims = self._door.who(request, Role.DUTY_PLANNER)
        return await self._sheet_of(claims.desk, self._day(request, claims.desk))

    def _day(self, request: Request, desk: str) -> str:
        asked = request.query_params
        return asked.get("date") or asked.get("weekday") or self._port.evening(desk)

    async def _sheet_of(self, desk: str, day: str) -> Response:
        found = await asyncio.to_thread(self._rosters.of, desk, day)
        is_weekday = len(day) == 1
        return json_response(
            {
                "date": "" if is_weekday else day,
                "weekday": int(day) if is_weekday else day_of(day).weekday(),
                "of": found.of,
                "duties": found.duties,
                "names": found.names,
            }
        )

    async def _set_roster(self, request: Request) -> Response:
        claims = self._door.who(request, Role.DUTY_PLANNER)
        wish = await read_json(request, RosterWish)
        day = self._day(request, claims.desk)
        plan = self._port.plan(claims.desk)
        for duty in wish.duties or ():
            if plan is not None and not set(duty.subjects) <= set(plan.subjects):
                raise Conflict(
                    "subject_unknown", "本答疑台没有这个学科。", "Not a subject of this desk."
                )
        doer = Doer(claims.sub, claims.role, claims.desk)
        await asyncio.to_thread(self._rosters.put, doer, day, wish.duties)
        return await self._sheet_of(claims.desk, day)

    async def _people(self, request: Request) -> Response:
        self._door.who(request, Role.DUTY_PLANNER)
        if request.query_params.get("role", "tutor") != "tutor":
            raise RemoteProtocolError("role_unknown", "只能查老师。", "Only tutors are listed.")
        found = await asyncio.to_thread(self._rosters.tutors)
        # What they teach, the roster of the schools does not say.
        return json_response({"people": [one | {"subjects": []} for one in found]})

    async def _districts(self, request: Request) -> Response:
        self._door.who(request, Role.DUTY_PLANNER)
        return json_response({"schools": await asyncio.to_thread(self._rosters.districts)})

    async def _set_districts(self, request: Request) -> Response:
        claims = self._door.who(request, Role.DUTY_PLANNER)
        wish = await read_json(request, Districts)
        doer = Doer(claims.sub, claims.role, claims.desk)
        await asyncio.to_thread(self._rosters.set_districts, doer, wish.districts)
        return Response(status_code=204)


def _helped(line: Line) -> dict[str, Any]:
    return {
        "entry": line.kind,
        "kind": line.help,
        "question": line.number if line.help == "written" else None,
        "subject": line.subject,
        "seconds": line.seconds,
        "points": line.points,
        "asked": line.asked,
        "yuan": line.yuan,
        "reason": line.reason,
        "capped": line.reason == "cap",
        "at": line.at.timestamp(),
    }


def _sheet(lines: Iterable[PaidLine]) -> bytes:
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(_COLUMNS)
    for one in lines:
        line = one.line
        row = (
            one.district, one.school, one.tutor, one.name, line.evening or line.at.date(), line.id,
            line.kind, line.help, line.subject, round(line.seconds / 60, 1), line.asked,
            line.points, line.yuan, line.reason, line.of or "",
        )  # fmt: skip
        writer.writerow([_plain(value) for value in row])
    # With a mark, or spreadsheets take it for another encoding.
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def _plain(value: object) -> object:
    """A name that begins like a formula must not become one in a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "@", "-") else value
