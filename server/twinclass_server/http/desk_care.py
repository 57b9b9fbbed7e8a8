"""What guardians and safeguarding officers ask of the desk over HTTP, and what is said of help."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from twinclass_server.desk.content.audit import Doer
from twinclass_server.desk.content.cases import Cases, KeptCase
from twinclass_server.desk.content.consents import GuardianConsents, require_child
from twinclass_server.desk.content.helps import Helps
from twinclass_server.desk.content.ratings import Ratings
from twinclass_server.http.desk_contents import screened
from twinclass_server.http.desk_door import DeskDoor, DeskPort, Short, Words, number_of
from twinclass_server.http.desk_http import answered, json_response, read_json
from twinclass_signaling.desk.commands import QuestionNumber
from twinclass_signaling.desk.plan import Id
from twinclass_signaling.errors import Conflict
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import DeskClaims


class ConsentWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/desk/consents``."""

    child: Id
    purpose: Literal["desk", "photo", "recording"]
    given: bool


class Approve(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/desk/cases/{n}/approve``."""

    reason: Short


class RatingText(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/desk/ratings``."""

    question: QuestionNumber
    text: Words


class LetThrough(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /api/desk/ratings/{n}``."""

    publish: bool


class CareRoutes:
    """Guardians see their own children, officers the reports of their desk."""

    def __init__(
        self,
        helps: Helps,
        consents: GuardianConsents,
        cases: Cases,
        ratings: Ratings,
        door: DeskDoor,
        port: DeskPort,
    ) -> None:
        self._helps = helps
        self._consents = consents
        self._cases = cases
        self._ratings = ratings
        self._door = door
        self._port = port

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        case = "/api/desk/cases/{n}"
        return [
            Route("/api/desk/sessions", answered(self._sessions), methods=["GET"]),
            Route("/api/desk/consents", answered(self._list_consents), methods=["GET"]),
            Route("/api/desk/consents", answered(self._consent), methods=["POST"]),
            Route("/api/desk/cases", answered(self._list_cases), methods=["GET"]),
            Route(f"{case}/approve", answered(self._approve), methods=["POST"]),
            Route(f"{case}/recording", answered(self._recording), methods=["GET"]),
            Route("/api/desk/ratings/held", answered(self._held), methods=["GET"]),
            Route("/api/desk/ratings", screened(self._rate), methods=["POST"]),
            Route("/api/desk/ratings/{n}", answered(self._let_through), methods=["POST"]),
        ]

    # ---- guardians

    async def _sessions(self, request: Request) -> Response:
        claims = self._door.who(request, Role.GUARDIAN)
        found = await asyncio.to_thread(self._helps.of_children, claims.children)
        sessions = [
            {
                "child": one.child,
                "child_name": one.child_name,
                "tutor_name": one.tutor_name,
                "subject": one.subject,
                "kind": one.kind,
                "started_at": _second(one.started_at),
                "ended_at": _second(one.ended_at),
            }
            for one in found
        ]
        return json_response(sessions)

    async def _list_consents(self, request: Request) -> Response:
        claims = self._door.who(request, Role.GUARDIAN)
        return json_response(await asyncio.to_thread(self._stand, claims))

    async def _consent(self, request: Request) -> Response:
        claims = self._door.who(request, Role.GUARDIAN)
        wish = await read_json(request, ConsentWish)
        require_child(claims.children, wish.child)
        await asyncio.to_thread(
            self._consents.say, _doer(claims), wish.child, wish.purpose, given=wish.given
        )
        return json_response(await asyncio.to_thread(self._stand, claims))

    def _stand(self, claims: DeskClaims) -> dict[str, Any]:
        consents = [
            {
                "child": one.child,
                "child_name": one.child_name,
                "purpose": one.purpose,
                "version": one.version,
                "given_at": _second(one.given_at),
                "withdrawn_at": _second(one.withdrawn_at),
            }
            for one in self._consents.of(claims.children)
        ]
        return {"consents": consents, "officer": self._port.officer(claims.desk)}

    # ---- officers

    async def _list_cases(self, request: Request) -> Response:
        claims = self._door.who(request, Role.SAFEGUARDING)
        cases = await asyncio.to_thread(self._cases.all, claims.desk)
        return json_response({"cases": [self._told(claims.desk, case) for case in cases]})

    async def _approve(self, request: Request) -> Response:
        claims = self._door.who(request, Role.SAFEGUARDING)
        wish = await read_json(request, Approve)
        number = number_of(request.path_params["n"])
        case = await asyncio.to_thread(self._cases.approve, _doer(claims), number, wish.reason)
        return json_response(self._told(claims.desk, case))

    async def _recording(self, request: Request) -> Response:
        claims = self._door.who(request, Role.SAFEGUARDING)
        number = number_of(request.path_params["n"])
        case = await asyncio.to_thread(self._cases.open, _doer(claims), number)
        report, until = case.report, case.open_until
        url = None
        if report.session is not None and until is not None:
            url = self._port.recording_url(
                claims.desk, report.evening, report.session, until.timestamp()
            )
        if url is None or until is None:
            raise Conflict("recording_unknown", "没有录像。", "There is no recording.")
        return json_response({"url": url, "expires_at": until.timestamp()})

    def _told(self, desk: str, case: KeptCase) -> dict[str, Any]:
        def name(known: str, person: str) -> str:
            # Who is in no roster is called as her link says; a page never shows an id.
            return known or self._port.name(desk, person)

        report = case.report
        return {
            "id": case.n,
            "case": report.case,
            "evening": report.evening,
            "at": _second(report.at),
            "reporter_role": report.reporter_role,
            "session": report.session,
            "question": report.question,
            "late": report.late,
            "outcome": report.outcome or None,
            "closed_at": _second(report.closed_at),
            "recording": report.session is not None,
            "approvals": [
                {
                    "officer": one.officer,
                    "name": name(one.name, one.officer),
                    "at": _second(one.at),
                    "reason": one.reason,
                }
                for one in case.approvals
            ],
            "open_until": _second(case.open_until),
            "log": [
                {"at": _second(one.at), "name": name(one.name, one.person), "action": one.action}
                for one in case.log
            ],
        }

    # ---- texts beside ratings

    async def _rate(self, request: Request) -> Response:
        claims = self._door.who(request, Role.PUPIL)
        wish = await read_json(request, RatingText)
        self._door.take("rating", claims)
        tutor = self._port.rates(claims.desk, claims, wish.question)
        if tutor is None:
            raise Conflict("not_ratable", "这个问题还不能评价。", "No tutor has answered it.")
        author = self._door.author(claims)
        await asyncio.to_thread(self._ratings.add_text, author, wish.question, tutor, wish.text)
        return Response(status_code=204)

    async def _held(self, request: Request) -> Response:
        claims = self._door.who(request, Role.MODERATOR)
        held = await asyncio.to_thread(self._ratings.held, claims.desk)
        ratings = [
            {"id": one.n, "at": _second(one.at), "text": one.text, "question": one.question}
            for one in held
        ]
        return json_response({"ratings": ratings})

    async def _let_through(self, request: Request) -> Response:
        claims = self._door.who(request, Role.MODERATOR)
        wish = await read_json(request, LetThrough)
        number = number_of(request.path_params["n"])
        await asyncio.to_thread(self._ratings.review, _doer(claims), number, publish=wish.publish)
        return Response(status_code=204)


def _doer(claims: DeskClaims) -> Doer:
    return Doer(claims.sub, claims.role, claims.desk)


def _second(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
