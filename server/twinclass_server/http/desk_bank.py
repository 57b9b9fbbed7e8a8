"""The bank of questions with answers over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from twinclass_server.desk.chapters import chapter_url
from twinclass_server.desk.content import seals
from twinclass_server.desk.content.audit import Doer
from twinclass_server.desk.content.bank import Bank
from twinclass_server.desk.content.bank_desk import BankDesk, Verdict
from twinclass_server.desk.content.bank_index import BankCard
from twinclass_server.desk.content.contents import Contents
from twinclass_server.http.desk_contents import screened, shown
from twinclass_server.http.desk_door import DeskDoor, Words, number_of
from twinclass_server.http.desk_http import Keys, answered, json_response, read_json
from twinclass_signaling.desk.plan import Points
from twinclass_signaling.errors import RemoteProtocolError
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import DeskClaims

#: A search is a few words; a whole question is pasted at times.
MAX_ASKED_CHARS = 200
#: A card shows the beginning.
_CARD_CHARS = 160
_MAX_PAGE = 200
#: Fewer voices say more about the voices than about the answer.
MIN_VOTES = 5


class Helpful(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/desk/bank/{entry}/helpful``."""

    helpful: bool


class Review(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/desk/bank/review/{n}``; None: as it is."""

    publish: bool
    question_text: Words | None = None
    answer_text: Words | None = None
    points: Points | None = None
    question_photos: bool = False


class BankRoutes:
    """Searching is for everybody at the desk, publishing for moderators."""

    def __init__(
        self, bank: Bank, desk: BankDesk, contents: Contents, door: DeskDoor, keys: Keys
    ) -> None:
        self._bank = bank
        self._desk = desk
        self._contents = contents
        self._door = door
        self._keys = keys

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        bank = "/api/desk/bank"
        return [
            Route(bank, answered(self._search), methods=["GET"]),
            Route("/api/desk/points", answered(self._points), methods=["GET"]),
            Route(f"{bank}/review", answered(self._proposals), methods=["GET"]),
            Route(f"{bank}/review/{{n}}", screened(self._review), methods=["POST"]),
            Route(f"{bank}/{{entry}}", answered(self._get), methods=["GET"]),
            Route(f"{bank}/{{entry}}", answered(self._withdraw), methods=["DELETE"]),
            Route(f"{bank}/{{entry}}/helpful", answered(self._vote), methods=["POST"]),
        ]

    async def _search(self, request: Request) -> Response:
        claims = self._door.who(request)
        self._door.take("search", claims)
        asked = request.query_params
        text = asked.get("q", "")
        if len(text) > MAX_ASKED_CHARS:
            raise RemoteProtocolError(
                "question_too_long",
                f"最多输入 {MAX_ASKED_CHARS} 个字。",
                f"At most {MAX_ASKED_CHARS} characters.",
            )
        grade = _small(asked.get("grade", "")) if asked.get("grade") else None
        page = min(_small(asked.get("page", "") or "0"), _MAX_PAGE)
        cards, total = await asyncio.to_thread(
            self._bank.found, text, asked.get("subject", ""), grade, asked.get("point", ""), page
        )
        chapters = await asyncio.to_thread(self._bank.chapters, cards)
        entries = [self._card(card, claims, chapters) for card in cards]
        return json_response({"entries": entries, "total": total})

    async def _points(self, request: Request) -> Response:
        self._door.who(request)
        points = [
            {"id": identifier, "subject": subject, "name": name}
            for identifier, subject, name in self._bank.points()
        ]
        return json_response({"points": points})

    async def _get(self, request: Request) -> Response:
        claims = self._door.who(request)
        card = self._bank.card(request.path_params["entry"])
        said = await asyncio.to_thread(self._contents.all, [card.question, card.answer])
        keys, now = self._keys(), self._door.clock()
        whole = {
            name: shown(said[reference], keys, now) if reference in said else None
            for name, reference in (("question", card.question), ("answer", card.answer))
        }
        chapters = await asyncio.to_thread(self._bank.chapters, [card])
        return json_response(self._card(card, claims, chapters) | whole)

    async def _vote(self, request: Request) -> Response:
        claims = self._door.who(request, Role.PUPIL)
        wish = await read_json(request, Helpful)
        self._door.take("search", claims)
        await asyncio.to_thread(
            self._desk.vote, request.path_params["entry"], claims.sub, helpful=wish.helpful
        )
        return Response(status_code=204)

    async def _proposals(self, request: Request) -> Response:
        claims = self._door.who(request, Role.MODERATOR)
        found = await asyncio.to_thread(self._desk.proposals, claims.desk)
        keys, now = self._keys(), self._door.clock()
        answers = [
            {
                "id": one.n,
                "subject": one.subject,
                "grade": one.grade,
                "points": self._named(one.points),
                "question": shown(one.question, keys, now),
                "answer": shown(one.answer, keys, now),
                "proposed_at": one.at.timestamp(),
            }
            for one in found
        ]
        return json_response({"answers": answers})

    async def _review(self, request: Request) -> Response:
        claims = self._door.who(request, Role.MODERATOR)
        wish = await read_json(request, Review)
        verdict = Verdict(
            wish.publish, wish.question_text, wish.answer_text, wish.points, wish.question_photos
        )
        number = number_of(request.path_params["n"])
        await asyncio.to_thread(self._desk.review, self._door.author(claims), number, verdict)
        return Response(status_code=204)

    async def _withdraw(self, request: Request) -> Response:
        claims = self._door.who(request, Role.MODERATOR)
        doer = Doer(claims.sub, claims.role, claims.desk)
        await asyncio.to_thread(self._desk.withdraw, doer, request.path_params["entry"])
        return Response(status_code=204)

    def _card(
        self, card: BankCard, claims: DeskClaims, chapters: dict[str, bool]
    ) -> dict[str, Any]:
        thumb = card.thumb
        is_rated = card.votes >= MIN_VOTES
        return {
            "entry": card.id,
            "subject": card.subject,
            "grade": card.grade,
            "points": self._named(card.points),
            "question": card.question_text[:_CARD_CHARS],
            "answer": card.answer_text[:_CARD_CHARS],
            "thumb": None
            if thumb is None
            else seals.thumb_url(self._keys(), *thumb, self._door.clock()),
            "rating": round(5 * card.helpful / card.votes, 1) if is_rated else None,
            "chapter": self._chapter(card, claims, chapters),
        }

    def _chapter(
        self, card: BankCard, claims: DeskClaims, chapters: dict[str, bool]
    ) -> dict[str, Any] | None:
        """Returns the chapter that explains it. A recording that its lead has not opened to the
        city is named and not shown: that somebody asked about it opens it to nobody."""
        is_open = chapters.get(card.chapter)
        if is_open is None:
            return None
        keys, now = self._keys(), self._door.clock()
        return {
            "entry": card.chapter,
            "title": card.chapter_title,
            "t": card.chapter_s,
            "url": chapter_url(keys, claims, card.chapter, card.chapter_s, now)
            if is_open
            else None,
        }

    def _named(self, points: tuple[str, ...]) -> list[dict[str, str]]:
        return [{"id": one, "name": self._bank.point_name(one)} for one in points]


def _small(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise RemoteProtocolError("page_malformed", "页码有误。", "That is no number.")
    return int(text)
