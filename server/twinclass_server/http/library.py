"""The library over HTTP: searching, opening, changing; see ``docs/library.md``."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from twinclass_recordings import manifest as m
from twinclass_recordings.library.access import Action, Viewer, Visibility, may
from twinclass_recordings.library.catalogue import Catalogue
from twinclass_recordings.library.index import MAX_POINTS, Asked, Card, Found
from twinclass_recordings.library.opening import Hanging, hanging
from twinclass_recordings.library.shelf import Change, Sessions, Shelf
from twinclass_recordings.package import Package
from twinclass_recordings.store import PackageStore
from twinclass_server.http.desk_http import Keys, answered, json_response, read_json
from twinclass_server.http.library_door import LibraryDoor, viewer_name
from twinclass_server.http.library_making import described
from twinclass_server.http.library_usage import open_view
from twinclass_server.http.texts import Line, Prose, Title, Word
from twinclass_server.library_tickets import issue
from twinclass_server.roster.schools import ClassOf
from twinclass_signaling.errors import Conflict, RemoteProtocolError, Unavailable
from twinclass_signaling.tokens import TokenKeys

#: Longest question; a title has 120 characters.
MAX_QUESTION = 120
#: Shorter losses are a hiccup, not something to be watched again.
MISSED_S = 5.0
#: A cover's link is good for hours; it is the same one for so long.
KEPT_S = 600.0
#: A kilobyte each.
MAX_KEPT = 30_000
#: Half a megabyte each for a lesson of 40 minutes.
MAX_MANIFESTS = 64
_ACTIONS: tuple[Action, ...] = ("edit", "cut", "export", "delete", "usage", "rate")
_ORDERS = ("relevance", "new", "plays")


class EntryChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``PATCH /api/library/lessons/{id}``."""

    title: Title | None = None
    subtitle: Line | None = None
    description: Prose | None = None
    subject: Word | None = None
    grade: Word | None = None
    edition: Word | None = None
    points: Annotated[tuple[Word, ...], Meta(max_length=MAX_POINTS)] | None = None
    visibility: Visibility | None = None
    #: True: kept for the library; False: deleted when its time is over.
    keep: bool | None = None


class Stopped(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/library/lessons/{id}/position``."""

    position_s: Annotated[float, Meta(ge=0, le=86400)]


@dataclass(frozen=True, slots=True)
class _Held:
    card: Card
    manifest: m.Manifest | None
    captions: dict[str, str]
    hanging: Hanging
    members: list[Card]
    packages: list[Card]
    classes: list[ClassOf]


class LibraryRoutes:
    """The shelf over HTTP. ``converted``: how much of a recording's VP8 is H264, 0 to 1, as long as
    that goes on."""

    def __init__(
        self,
        shelf: Shelf,
        catalogue: Catalogue,
        door: LibraryDoor,
        sessions: Sessions,
        packages_at: PackageStore,
        keys: Keys,
        keep_days: int,
        converted: Callable[[str], float | None],
    ) -> None:
        self._shelf = shelf
        self._catalogue = catalogue
        self._door = door
        self._sessions = sessions
        self._packages_at = packages_at
        self._keys = keys
        self._keep_days = keep_days
        self._converted = converted
        self._manifests: dict[str, tuple[int, m.Manifest]] = {}
        self._kept: dict[int, tuple[Card, float, msgspec.Raw]] = {}

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        lesson = "/api/library/lessons/{entry}"
        return [
            Route("/api/library/lessons", answered(self._search), methods=["GET"]),
            Route(lesson, answered(self._open), methods=["GET"]),
            Route(lesson, answered(self._change), methods=["PATCH"]),
            Route(f"{lesson}/position", answered(self._stopped), methods=["POST"]),
        ]

    # ---- handlers

    async def _search(self, request: Request) -> Response:
        viewer = await self._door.viewer(request)
        asked = _asked(request)
        if not self._catalogue.is_loaded:
            raise Unavailable(
                "library_loading", "课程库正在启动，请稍候。", "The library is being loaded.",
                retry_after_s=2.0,
            )  # fmt: skip
        began = time.monotonic()
        found = self._catalogue.search(viewer, asked)
        took = (time.monotonic() - began) * 1000
        return json_response(self._page(found, took))

    def _page(self, found: Found, took_ms: float) -> dict[str, Any]:
        keys, now = self._keys(), time.time()
        return {
            "total": found.total,
            "took_ms": round(took_ms, 1),
            "items": [self._shown(card, keys, now) for card in found.cards],
            "facets": {
                name: [{"value": value, "count": count} for value, count in values]
                for name, values in found.facets.items()
            },
        }

    def _shown(self, card: Card, keys: TokenKeys, now: float) -> msgspec.Raw:
        """An entry as pages show it. Most are found again and again, so they are kept."""
        kept = self._kept.get(card.key)
        if kept is None or kept[0] is not card or now >= kept[1]:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            made = msgspec.Raw(msgspec.json.encode(_item(card, keys, now)))
            kept = self._kept[card.key] = (card, now + KEPT_S, made)
        return kept[2]

    async def _open(self, request: Request) -> Response:
        viewer = await self._door.viewer(request)
        held = await asyncio.to_thread(self._held, viewer, request.path_params["entry"])
        card, made, hangs = held.card, held.manifest, held.hanging
        keys, now, name = self._keys(), time.time(), viewer_name(viewer)
        ticket, expires = issue(keys, card.id, now)
        base = f"/library/media/{ticket}/{card.id}/"
        answer = _item(card, keys, now) | {
            "description": card.description,
            "attachments": [
                *(_slides(one, base) for one in (made.documents if made else ())),
                *(described(*one, f"{base}attachments/{one[0]}") for one in hangs.attachments),
            ],
            "captions": [
                {"language": language, "url": base + path}
                for language, path in held.captions.items()
            ],
            "media": None
            if made is None
            else {"base": base, "manifest": m.FILE_NAME, "expires_at": expires},
            "members": [_item(one, keys, now) for one in held.members],
            "in_packages": [{"id": one.id, "title": one.title} for one in held.packages],
            "classes": [
                {"id": one.id, "name": one.name, "school": one.school} for one in held.classes
            ],
            "view": open_view(keys, card.id, name, now, secrets.token_hex(8)),
            "rating": hangs.rating,
            "converted": self._converted(card.id),
            "resume_s": hangs.position_s,
            "missed": [] if made is None else missed(made, viewer),
            "may": {action: may(viewer, action, card.rights) for action in _ACTIONS},
            "keep_until": card.keep_until or None,
        }
        return json_response(answer)

    def _held(self, viewer: Viewer, identifier: str) -> _Held:
        """An entry and what hangs on it; blocks."""
        card = self._catalogue.get(viewer, identifier)
        if card is None:
            raise Conflict("lesson_unknown", "没有这节课。", "There is no such lesson.")
        is_package = card.kind == "package"
        package = self._packages_at.package(card.id)
        found = hanging(self._sessions, card.key, viewer_name(viewer), is_package=is_package)
        return _Held(
            card,
            None if is_package else self._manifest(package),
            {} if is_package else package.captions(),
            found,
            self._catalogue.cards(viewer, found.members),
            self._catalogue.cards(viewer, found.packages),
            self._door.classes(viewer),
        )

    def _manifest(self, package: Package) -> m.Manifest | None:
        """A package's manifest; those that are opened again and again are kept."""
        try:
            modified = package.manifest.stat().st_mtime_ns
            kept = self._manifests.get(package.folder.name)
            if kept is None or kept[0] != modified:
                if len(self._manifests) >= MAX_MANIFESTS:
                    self._manifests.clear()
                kept = (modified, m.decode(package.manifest.read_bytes()))
                self._manifests[package.folder.name] = kept
            return kept[1]
        except (OSError, m.ManifestError):
            return None

    async def _change(self, request: Request) -> Response:
        _, entry = await self._door.allowed(request, "edit")
        wish = await read_json(request, EntryChange)
        names = (name for name in EntryChange.__struct_fields__ if name != "keep")
        fields = {name: getattr(wish, name) for name in names}
        if wish.keep is not None:
            last = (entry.taught_at + timedelta(days=self._keep_days)).date()
            # Somebody who lets an old one go has a week to think again.
            week = (datetime.now(UTC) + timedelta(days=7)).date()
            until = None if wish.keep else max(last, week)
            await asyncio.to_thread(self._shelf.keep, entry.id, until)
        await asyncio.to_thread(self._shelf.change, entry.id, Change(**fields))
        await asyncio.to_thread(self._catalogue.refresh)
        return await self._open(request)

    async def _stopped(self, request: Request) -> Response:
        viewer = await self._door.viewer(request)
        entry, _ = await self._door.entry(request, viewer)
        told = await read_json(request, Stopped)
        position = min(told.position_s, entry.duration_s)
        await asyncio.to_thread(self._shelf.stopped_at, viewer_name(viewer), entry.id, position)
        return Response(status_code=204)


def missed(made: m.Manifest, viewer: Viewer) -> list[dict[str, float]]:
    """Returns the stretches of a lesson for which a participant had no line, and was one of it."""
    if not viewer.lesson:
        return []
    here = sorted((p.start_s, p.end_s) for p in made.presence if p.participant == viewer.subject)
    if not here:
        return []
    gaps: list[dict[str, float]] = []
    at = 0.0
    for start, end in [*here, (made.duration_s, made.duration_s)]:
        if start - at > MISSED_S:
            gaps.append({"start_s": round(at, 1), "end_s": round(start, 1)})
        at = max(at, end)
    return gaps


def _slides(one: m.Document, base: str) -> dict[str, Any]:
    return {
        "sha256": one.sha256,
        "kind": "slides",
        "title": one.title,
        "media_type": "application/pdf",
        "bytes": 0,
        "url": f"{base}documents/{one.sha256}.pdf",
    }


def _item(card: Card, keys: TokenKeys, now: float) -> dict[str, Any]:
    url = None
    if card.has_cover:
        url = f"/library/media/{issue(keys, card.id, now)[0]}/{card.id}/cover.jpg"
    return {
        "id": card.id,
        "kind": card.kind,
        "title": card.title,
        "subtitle": card.subtitle,
        "subject": card.subject,
        "grade": card.grade,
        "edition": card.edition,
        "points": card.points,
        "school": card.school_name,
        "lead": card.lead_name,
        "taught_at": datetime.fromtimestamp(card.taught_at, UTC).isoformat(),
        "duration_s": card.duration_s,
        "cover_url": url,
        "visibility": card.visibility,
        "plays": card.plays,
        "state": card.state,
    }


def _asked(request: Request) -> Asked:
    query = request.query_params
    texts = {name: query.get(name, "") for name in ("subject", "grade", "edition", "point")}
    texts |= {name: query.get(name, "") for name in ("school", "kind")}
    question = query.get("q", "")
    if len(question) > MAX_QUESTION or any(len(text) > 80 for text in texts.values()):
        raise RemoteProtocolError("question_too_long", "搜索内容太长。", "The search is too long.")
    order: Any = query.get("order", "relevance")
    if order not in _ORDERS:
        raise RemoteProtocolError("order_unknown", "排序方式有误。", "Unknown order.")
    try:
        page, size = int(query.get("page", "0")), int(query.get("size", "24"))
    except ValueError:
        raise RemoteProtocolError(
            "page_malformed", "页码有误。", "The page is no number."
        ) from None
    return Asked(question, order=order, page=page, size=size, **texts)
