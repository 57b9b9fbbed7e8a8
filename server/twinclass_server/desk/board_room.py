"""The boards of one evening as its devices see them: who may draw, who is told, what is kept."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from pathlib import Path

from twinclass_recordings.assemble import write_durably
from twinclass_server.adapters.redis_board import BoardLog
from twinclass_server.adapters.redis_desk import EveningId
from twinclass_server.desk.board import Boards
from twinclass_server.desk.client import DeskClient
from twinclass_server.desk.seats import Seats
from twinclass_signaling.desk import media_policy
from twinclass_signaling.desk.messages import BoardAsk, BoardState, BoardUpdate
from twinclass_signaling.desk.plan import SessionNumber
from twinclass_signaling.desk.state import DeskState
from twinclass_signaling.errors import Conflict, Forbidden, RemoteProtocolError
from twinclass_signaling.ids import ParticipantId, PersonId
from twinclass_signaling.roles import Role


class BoardRoom:
    """Owns the boards. ``archive_dir``: where they are put away when their session is over."""

    def __init__(
        self,
        evening: EveningId,
        log: BoardLog,
        seats: Seats,
        state: Callable[[], DeskState],
        archive_dir: Path,
    ) -> None:
        self._evening = evening
        self._log = log
        self._seats = seats
        self._state = state
        self._archive_dir = archive_dir
        self._boards = Boards()
        self._loading: dict[SessionNumber, asyncio.Lock] = {}

    async def draw(self, client: DeskClient, message: BoardUpdate) -> None:
        """Takes something drawn and passes it on.

        Raises:
            Conflict: not in the session; or what ``Boards.apply`` refuses.
            Forbidden: pupils of a one_to_many look on.
            Unavailable: Redis is away, and the board is not loaded yet.
        """
        seats = await self._open(client, message.session)
        session = self._state().sessions[message.session]
        if session.kind == "one_to_many" and client.actor.role is Role.PUPIL:
            raise Forbidden(
                "forbidden", "公开讲解时只有老师能写。", "In a class only the tutor draws."
            )
        told = self._boards.apply(
            message.session, _bytes(message.update), seats[client.person], _now()
        )
        if told is None:
            return
        passed_on = BoardUpdate(message.session, base64.b64encode(told).decode())
        for person in seats:
            other = self._seats.of(person)
            if other is not None and other is not client and other.connection is not None:
                other.connection.send(passed_on)

    async def show(self, client: DeskClient, message: BoardAsk) -> BoardState:
        """Returns what a page lacks of a board; raises as ``draw``."""
        seats = await self._open(client, message.session)
        update, vector = self._boards.state(
            message.session, _bytes(message.vector), seats[client.person], _now()
        )
        return BoardState(
            message.session, base64.b64encode(update).decode(), base64.b64encode(vector).decode()
        )

    async def save_late(self) -> None:
        """Writes what waits to Redis, as far as it takes it."""
        await self._log.save_late(self._boards, _now())

    async def put_away(self, session: SessionNumber) -> None:
        """Keeps a session's board beside the archived logs: a case may ask for it.

        Raises:
            Unavailable: Redis is away; the board stays there.
            OSError: the disk does not take it; the board stays in Redis.
        """
        await self._load(session)
        drawn = self._boards.close(session)
        path = self._archive_dir / f"{self._evening.name}-{session}.board"
        await asyncio.to_thread(write_durably, path, drawn)
        await self._log.drop(session)
        self._loading.pop(session, None)

    async def _open(
        self, client: DeskClient, number: SessionNumber
    ) -> dict[PersonId, ParticipantId]:
        session = self._state().sessions.get(number)
        seats = {} if session is None or session.ended_at else media_policy.seats(session)
        if client.person not in seats:
            raise Conflict(
                "board_not_yours", "您不在这次辅导中。", "You are not in this session of live help."
            )
        await self._load(number)
        return seats

    async def _load(self, number: SessionNumber) -> None:
        if self._boards.is_open(number):
            return
        async with self._loading.setdefault(number, asyncio.Lock()):
            if not self._boards.is_open(number):
                self._boards.restore(number, await self._log.load(number))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise RemoteProtocolError(
            "board_update_bad", "画板消息有误。", "A board's update is not base64."
        ) from error
