"""What was watched, over HTTP: told by players, shown to those whose lesson it is, paid by."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from weakref import WeakValueDictionary

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from twinclass_recordings import manifest as m
from twinclass_recordings.library import plays
from twinclass_recordings.library.access import Viewer
from twinclass_recordings.library.opening import rating
from twinclass_recordings.library.plays import Watched, Watcher
from twinclass_recordings.library.usage import Line, Plays
from twinclass_recordings.package import Package
from twinclass_recordings.store import PackageStore
from twinclass_server.http.desk_http import Keys, answered, json_response, read_json
from twinclass_server.http.library_door import LibraryDoor, pseudonym, viewer_name
from twinclass_signaling.errors import Conflict, Forbidden, RemoteProtocolError
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import TokenError, TokenKeys

_PURPOSE = "library-view"
#: A page left open over a school day; then it opens the lesson again.
VIEW_TTL_S = 12 * 3600.0
#: Players tell once a minute; who jumps about makes so many stretches of it.
MAX_SPANS = 50
#: The fastest speed of our player.
MAX_RATE = 2.0
#: Clocks, and a report that was on its way.
_SLACK_S = 10.0
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
#: Entries whose plays are counted again at once; the log has them anyway.
MAX_DIRTY = 20_000
#: Figures are read and counted in threads that media is read in, too: two leave it the others.
_COUNTS = 2

Second = Annotated[float, Meta(ge=-60, le=86_400)]


class View(Struct, frozen=True, array_like=True):
    """One opening of a lesson's page. ``opened``: Unix seconds."""

    entry: str
    viewer: str
    id: str
    opened: int


class Span(Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch that was watched."""

    from_s: Second
    to_s: Second
    rate: Annotated[float, Meta(gt=0, le=4)] = 1.0


class Told(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/library/lessons/{id}/plays``."""

    view: Annotated[str, Meta(max_length=500)]
    spans: Annotated[tuple[Span, ...], Meta(max_length=MAX_SPANS)]
    class_id: Annotated[str, Meta(max_length=80)] = ""


class Stars(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``PUT /api/library/lessons/{id}/rating``."""

    stars: Literal[1, 2, 3, 4, 5]


def open_view(keys: TokenKeys, entry: str, viewer: str, now: float, identifier: str) -> str:
    """Returns what a page shows when it tells what was watched: nobody counts who did not open."""
    view = View(entry, viewer, identifier, int(now))
    return keys.seal(_PURPOSE, msgspec.json.encode(view))


class UsageRoutes:
    """The log of plays over HTTP. ``own_schools``: of a lead, by id; blocks."""

    def __init__(
        self,
        log: Plays,
        door: LibraryDoor,
        packages_at: PackageStore,
        keys: Keys,
        own_schools: Callable[[str], frozenset[str]],
    ) -> None:
        self._log = log
        self._door = door
        self._packages_at = packages_at
        self._keys = keys
        self._own_schools = own_schools
        self._dirty: set[str] = set()
        #: Of views that are being told of: what was told before must be known with the next.
        self._telling: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._counts = asyncio.Semaphore(_COUNTS)

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        lesson = "/api/library/lessons/{entry}"
        return [
            Route(f"{lesson}/plays", answered(self._tell), methods=["POST"]),
            Route(f"{lesson}/rating", answered(self._rate), methods=["PUT"]),
            Route(f"{lesson}/usage", answered(self._usage), methods=["GET"]),
            Route("/api/library/usage", answered(self._sheet), methods=["GET"]),
            Route("/api/library/usage.csv", answered(self._csv), methods=["GET"]),
        ]

    def take_dirty(self) -> set[str]:
        """Returns the entries that were watched since this was asked last."""
        taken, self._dirty = self._dirty, set()
        return taken

    def keep_dirty(self, entries: set[str]) -> None:
        """Takes back what could not be counted."""
        self._dirty |= entries

    # ---- telling

    async def _tell(self, request: Request) -> Response:
        viewer = await self._door.viewer(request)
        entry, _ = await self._door.entry(request, viewer)
        told = await read_json(request, Told)
        now = time.time()
        view = self._view(told.view, entry.id, viewer_name(viewer), now)
        group, school, kind = await self._group(viewer, told.class_id)
        at = datetime.fromtimestamp(now, UTC)
        rows = [
            Watched(view.id, group, view.viewer, school, kind, at, span.from_s, end)
            for span in told.spans
            if (end := min(span.to_s, entry.duration_s)) > span.from_s
        ]
        if rows:
            most_s = (now - view.opened + _SLACK_S) * MAX_RATE
            lock = self._telling.setdefault(view.id, asyncio.Lock())
            async with lock:
                is_taken = await asyncio.to_thread(self._log.tell, entry.id, rows, most_s)
            if not is_taken:
                raise Conflict(
                    "watched_too_fast",
                    "播放记录比实际时间还长，没有计入。",
                    "More was told than could be watched in this time; it does not count.",
                )
            if len(self._dirty) < MAX_DIRTY:
                self._dirty.add(entry.id)
        return Response(status_code=204)

    def _view(self, sealed: str, entry: str, viewer: str, now: float) -> View:
        expired = Conflict(
            "view_expired", "页面打开太久了，请刷新。", "The page is too old; reload."
        )
        try:
            view = msgspec.json.decode(self._keys().unseal(_PURPOSE, sealed), type=View)
        except (TokenError, msgspec.MsgspecError):
            raise expired from None
        if (view.entry, view.viewer) != (entry, viewer) or now - view.opened > VIEW_TTL_S:
            raise expired
        return view

    async def _group(self, viewer: Viewer, class_id: str) -> tuple[str, str, Watcher]:
        """Who counts as one a day: (pseudonym, school, kind)."""
        if viewer.lesson:
            if viewer.role in (Role.HOME_LEARNER, Role.HOME_GROUP):
                return pseudonym("home", viewer.subject), "", "home"
            if viewer.role is Role.ROOM:
                return await self._of_class(viewer.subject)
            return viewer_name(viewer), "", "staff"
        if class_id:
            classes = await asyncio.to_thread(self._door.classes, viewer)
            if class_id not in {one.id for one in classes}:
                raise Forbidden(
                    "forbidden", "这不是本校的班级。", "That is no class of your school."
                )
            return await self._of_class(class_id)
        return viewer_name(viewer), "", "staff"

    async def _of_class(self, class_id: str) -> tuple[str, str, Watcher]:
        school = await asyncio.to_thread(self._door.school_of_class, class_id)
        return pseudonym("class", class_id), school, "class"

    async def _rate(self, request: Request) -> Response:
        viewer, entry = await self._door.allowed(request, "rate")
        stars = (await read_json(request, Stars)).stars
        name = viewer_name(viewer)
        await asyncio.to_thread(self._log.rate, entry.id, name, stars)
        rated = await asyncio.to_thread(rating, self._log.sessions, entry.key, name)
        return json_response({"rating": rated})

    # ---- showing

    async def _usage(self, request: Request) -> Response:
        _, entry = await self._door.allowed(request, "usage")
        async with self._counts:
            found = await asyncio.to_thread(self._log.usage, entry.id)
        if found is None:
            raise Conflict("lesson_unknown", "没有这节课。", "There is no such lesson.")
        chapters = await asyncio.to_thread(_phases, self._packages_at.package(entry.id))
        return json_response(
            msgspec.to_builtins(found)
            | {
                "chapters": [
                    {
                        "title": msgspec.to_builtins(one.title),
                        "start_s": one.start_s,
                        "end_s": one.end_s,
                        "times": plays.times_of(found.buckets, one.start_s, one.end_s),
                    }
                    for one in chapters
                ]
            }
        )

    async def _sheet(self, request: Request) -> Response:
        return await self._lines(request, self._as_json)

    async def _csv(self, request: Request) -> Response:
        return await self._lines(request, _as_csv)

    def _as_json(self, month: str, lines: list[Line]) -> Response:
        rows = [_named(line) | msgspec.to_builtins(line.effect) for line in lines]
        weights = msgspec.to_builtins(self._log.weights)
        return json_response({"month": month, "weights": weights, "rows": rows})

    async def _lines(
        self, request: Request, shown: Callable[[str, list[Line]], Response]
    ) -> Response:
        viewer = await self._door.viewer(request)
        if viewer.lesson or viewer.role not in (Role.LEAD, Role.OPERATOR, Role.LIBRARIAN):
            raise Forbidden(
                "forbidden", "这个链接看不到使用情况。", "This link does not show usage."
            )
        month = request.query_params.get("month", "")
        if not _MONTH.fullmatch(month):
            raise RemoteProtocolError(
                "month_malformed", "月份应写作 2026-11。", "The month must be like 2026-11."
            )

        def made() -> Response:
            # A city's sheet has thousands of lines: they are written where they were counted.
            return shown(month, self._log.sheet(viewer, month, self._own_schools))

        async with self._counts:
            return await asyncio.to_thread(made)


def _phases(package: Package) -> list[m.Chapter]:
    try:
        made = m.decode(package.manifest.read_bytes())
    except (OSError, m.ManifestError):
        return []
    return [chapter for chapter in made.chapters if chapter.kind == "phase"]


def _named(line: Line) -> dict[str, Any]:
    names = ("id", "title", "lead", "school", "subject", "grade")
    return {name: getattr(line, name) for name in names}


def _as_csv(month: str, lines: list[Line]) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="usage-{month}.csv"'}
    return Response(to_csv(lines), headers=headers, media_type="text/csv; charset=utf-8")


_COLUMNS = (
    "id", "title", "lead", "school", "subject", "grade", "adopting_classes", "plays",
    "home_pupils", "completion", "reuse", "rating", "raters", "quiz_gain", "effect",
)  # fmt: skip


def to_csv(lines: list[Line]) -> str:
    """Returns the sheet as CSV (RFC 4180) that spreadsheets read as UTF-8; unknown is empty."""
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for line in lines:
        values = _named(line) | msgspec.to_builtins(line.effect)
        writer.writerow([_cell(values[name]) for name in _COLUMNS])
    return text.getvalue()


def _cell(value: object) -> object:
    """A text that a spreadsheet would calculate is shown as it is (OWASP: CSV injection)."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return "" if value is None else value
