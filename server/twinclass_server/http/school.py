"""Routes of "My lessons": classes to choose from, lessons, their links, and the roster's import."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from twinclass_server.demo import PAGE_OF_ROLE
from twinclass_server.http.desk_http import (
    Keys,
    answered,
    json_response,
    operator_of,
    read_body,
    read_json,
    staff_of,
)
from twinclass_server.roster import csv_file
from twinclass_server.roster.csv_bundle import from_upload
from twinclass_server.roster.csv_file import CsvProblem, Kind
from twinclass_server.roster.csv_import import ImportReport, import_bundle
from twinclass_server.roster.database import Database
from twinclass_server.roster.lessons import LessonDesk, LinkRow, settings_of
from twinclass_server.roster.live import Opener
from twinclass_server.roster.models import JoinLink, LessonRow
from twinclass_server.roster.plans import LessonWish, Names
from twinclass_server.roster.revoked import RevokedLinks
from twinclass_server.roster.slides import SlideShelf
from twinclass_server.roster.staff_links import staff_path
from twinclass_signaling.errors import Conflict, LimitExceeded, SignalingError, UserError
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import Claims, Id, TokenKeys


def link_url(base: str, link: JoinLink, names: Names, keys: TokenKeys) -> str:
    """Returns the address somebody opens; the same at every look while the key is the same."""
    claims = Claims(
        sub=link.subject,
        role=Role(link.role),
        lesson=link.lesson_id,
        exp=link.expires_at.timestamp(),
        iat=link.created_at.timestamp(),
        room=link.room_id,
        name=names.name[:64],
        school=names.school[:64],
        lnk=link.id,
    )
    return f"{base}/{PAGE_OF_ROLE[claims.role]}#token={keys.issue(claims)}"


class StaffLinkWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/staff-links``. It cannot be withdrawn, so its life is short."""

    person: Id
    days: Annotated[int, Meta(ge=1, le=30)] = 7


class SchoolRoutes:
    """The desk over HTTP. ``public_url``: what links begin with behind a proxy."""

    def __init__(
        self,
        database: Database,
        desk: LessonDesk,
        opener: Opener,
        revoked: RevokedLinks,
        shelf: SlideShelf,
        keys: Keys,
        public_url: str = "",
    ) -> None:
        self._database = database
        self._desk = desk
        self._opener = opener
        self._revoked = revoked
        self._shelf = shelf
        self._keys = keys
        self._public_url = public_url.rstrip("/")
        #: One import at a time: two would wait for each other inside the database.
        self._importing = asyncio.Lock()

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        one = "/api/lessons/{lesson}"
        table = [
            ("/api/school", self._choices, "GET"),
            ("/api/staff-links", self._staff_link, "POST"),
            ("/api/roster/import", self._import, "POST"),
            ("/api/lessons", self._list, "GET"),
            ("/api/lessons", self._create, "POST"),
            (one, self._sheet, "GET"),
            (one, self._change, "PUT"),
            (one, self._remove, "DELETE"),
            (f"{one}/open", self._open, "POST"),
            (f"{one}/links/{{link}}/revoke", self._revoke, "POST"),
        ]
        return [Route(path, answered(inner), methods=[method]) for path, inner, method in table]

    def base(self, request: Request) -> str:
        """Returns what links begin with."""
        return self._public_url or str(request.base_url).rstrip("/")

    async def _choices(self, request: Request) -> Response:
        staff = staff_of(request, self._keys)
        found = await asyncio.to_thread(self._desk.choices)
        me = {"id": staff.sub, "name": staff.name, "role": staff.role.value}
        return json_response(found | {"me": me})

    async def _staff_link(self, request: Request) -> Response:
        """An operator gives a teacher her way to "My lessons"; it ends by time alone."""
        operator_of(request, self._keys)
        wish = await read_json(request, StaffLinkWish)
        name = await asyncio.to_thread(self._desk.teacher, wish.person)
        ttl_s = timedelta(days=wish.days).total_seconds()
        path = staff_path(self._keys(), Role.LEAD, wish.person, name[:64], ttl_s)
        expires = datetime.now(UTC) + timedelta(seconds=ttl_s)
        return json_response(
            {"url": self.base(request) + path, "name": name, "expires_at": expires}, 201
        )

    # ---- lessons -----------------------------------------------------------------------------

    async def _list(self, request: Request) -> Response:
        staff = staff_of(request, self._keys)
        found = await asyncio.to_thread(self._desk.lessons, staff)
        phases = await self._phases()
        now = datetime.now(UTC)
        lists: dict[str, list[dict[str, Any]]] = {"live": [], "upcoming": [], "past": []}
        for row, classes, homes in found:
            state = _state(row, phases, now)
            entry = _entry(row, state) | {"class_names": classes, "homes": homes}
            lists["live" if state in {"open", "live"} else state].append(entry)
        lists["upcoming"].reverse()
        return json_response(lists)

    async def _phases(self) -> dict[str, str]:
        try:
            return await self._opener.phases()
        except SignalingError:
            return {}  # The list is of use without the live system.

    async def _create(self, request: Request) -> Response:
        staff = staff_of(request, self._keys)
        wish = await read_json(request, LessonWish)
        lesson = await asyncio.to_thread(self._desk.create, wish, staff)
        return json_response({"id": lesson}, 201)

    async def _sheet(self, request: Request) -> Response:
        staff = staff_of(request, self._keys)
        sheet = await asyncio.to_thread(self._desk.sheet, request.path_params["lesson"], staff)
        base, keys = self.base(request), self._keys()
        settings = settings_of(sheet.row)
        state = _state(sheet.row, await self._phases(), datetime.now(UTC))
        return json_response(
            _entry(sheet.row, state)
            | {
                "classes": sheet.classes,
                "co_leads": sheet.co_leads,
                "assistants": [{"person": p, "class_id": c} for p, c in sheet.assistants],
                "observers": settings.observers,
                "policy": settings.policy,
                "phases": settings.phases,
                "cues": settings.cues,
                "rooms": [
                    {"id": r.id, "name": r.name, "school": r.school, "pupils": len(r.pupils)}
                    for r in sheet.plan.rooms
                ],
                "links": [_link(base, row, keys) for row in sheet.links],
            }
        )

    async def _change(self, request: Request) -> Response:
        staff = staff_of(request, self._keys)
        wish = await read_json(request, LessonWish)
        await asyncio.to_thread(self._desk.change, request.path_params["lesson"], wish, staff)
        await self._revoked.refresh()
        return json_response({"id": request.path_params["lesson"]})

    async def _remove(self, request: Request) -> Response:
        staff = staff_of(request, self._keys)
        lesson = request.path_params["lesson"]
        if lesson in await self._opener.phases():
            raise Conflict(
                "lesson_open", "课堂正开着，请先下课。", "The lesson is open; close it first."
            )
        await asyncio.to_thread(self._desk.remove, lesson, staff)
        await asyncio.to_thread(self._shelf.forget, lesson)
        await self._revoked.refresh()
        return Response(status_code=204)

    async def _open(self, request: Request) -> Response:
        staff = staff_of(request, self._keys)
        lesson = request.path_params["lesson"]
        await asyncio.to_thread(self._desk.sheet, lesson, staff)
        await self._opener.open(lesson)
        return json_response({"id": lesson, "state": "open"})

    async def _revoke(self, request: Request) -> Response:
        staff = staff_of(request, self._keys)
        lesson, link = request.path_params["lesson"], request.path_params["link"]
        await asyncio.to_thread(self._desk.revoke, lesson, link, staff)
        await self._revoked.refresh()
        return Response(status_code=204)

    # ---- import ------------------------------------------------------------------------------

    async def _import(self, request: Request) -> Response:
        """Answers lines of JSON: progress while it goes on, the report or an error at the end."""
        operator_of(request, self._keys)
        if self._importing.locked():
            raise LimitExceeded(
                "import_running", "正在导入另一份名单，请稍候。", "Another import is running.",
                retry_after_s=10.0,
            )  # fmt: skip
        dry_run = request.query_params.get("dry_run") == "1"
        async with self._importing:
            name = unquote(request.headers.get("x-file-name", ""))[:255]
            data = await read_body(request, csv_file.MAX_BYTES)
            try:
                bundle = await asyncio.to_thread(from_upload, name, data)
            except CsvProblem as problem:
                raise UserError(problem.code, problem.zh, problem.en) from problem
        return StreamingResponse(self._run(bundle, dry_run), media_type="application/x-ndjson")

    async def _run(self, bundle: dict[Kind, bytes], dry_run: bool) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        #: Only the newest progress matters; a slow reader does not hold the import up.
        lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(8)
        told = 0.0

        def offer(line: dict[str, Any] | None) -> None:
            if line is None or not lines.full():
                if lines.full():
                    lines.get_nowait()
                lines.put_nowait(line)

        def progress(kind: Kind, rows: int) -> None:
            nonlocal told
            if time.monotonic() - told >= 0.1:
                told = time.monotonic()
                loop.call_soon_threadsafe(offer, {"progress": {"file": kind, "rows": rows}})

        def work() -> ImportReport:
            try:
                return import_bundle(self._database, bundle, dry_run=dry_run, progress=progress)
            finally:
                loop.call_soon_threadsafe(offer, None)

        async with self._importing:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(_settled(work), name="roster import")
                while (line := await lines.get()) is not None:
                    yield json.dumps(line).encode() + b"\n"
            result = task.result()
            if isinstance(result, SignalingError):
                text = {"zh": result.zh, "en": result.en}
                yield msgspec.json.encode({"error": {"code": result.code, "text": text}}) + b"\n"
            else:
                yield msgspec.json.encode({"report": result}) + b"\n"


async def _settled(work: Any) -> ImportReport | SignalingError:  # noqa: ANN401
    try:
        found: ImportReport = await asyncio.to_thread(work)
    except SignalingError as error:
        return error
    return found


def _state(row: LessonRow, phases: dict[str, str], now: datetime) -> str:
    """``upcoming``, ``open`` (before the bell), ``live`` or ``past``."""
    phase = phases.get(row.id)
    if phase is not None and phase != "closed":
        return "live" if phase == "live" else "open"
    is_over = row.starts_at + timedelta(minutes=row.planned_minutes) < now
    return "past" if row.opened_at is not None or is_over else "upcoming"


def _entry(row: LessonRow, state: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "subject": row.subject,
        "starts_at": row.starts_at,
        "planned_minutes": row.planned_minutes,
        "lead": row.lead_id,
        "lead_name": row.lead_name,
        "state": state,
    }


def _link(base: str, found: LinkRow, keys: TokenKeys) -> dict[str, Any]:
    link, names = found
    return {
        "id": link.id,
        "role": link.role,
        "subject": link.subject,
        "room": link.room_id,
        "name": names.name,
        "school": names.school,
        "expires_at": link.expires_at,
        "url": link_url(base, link, names, keys),
    }
