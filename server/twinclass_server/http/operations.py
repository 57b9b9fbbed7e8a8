"""``GET /api/operations``: how everything stands, for operators only."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from twinclass_server.http.desk_http import Keys, answered, staff_of
from twinclass_server.operations.look import Looker
from twinclass_signaling.errors import Forbidden
from twinclass_signaling.roles import Role


class OperationsRoutes:
    """The operator's page over HTTP. There is nothing of a lesson's content in it."""

    def __init__(self, looker: Looker, keys: Keys) -> None:
        self._looker = looker
        self._keys = keys

    def routes(self) -> list[BaseRoute]:
        """Returns the routes."""
        return [Route("/api/operations", answered(self._operations), methods=["GET"])]

    async def _operations(self, request: Request) -> Response:
        if staff_of(request, self._keys).role is not Role.OPERATOR:
            raise Forbidden("forbidden", "这个页面只给管理员。", "This page is for operators only.")
        return Response(await self._looker.answer(), media_type="application/json")
