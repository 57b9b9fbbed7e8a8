"""Commands of clients: each number of a session is done once, whatever is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twinclass_server.adapters.redis_log import EventLog
from twinclass_server.connection import Connection
from twinclass_server.errors import to_message
from twinclass_server.journal import Journal
from twinclass_signaling.errors import SignalingError, Unavailable
from twinclass_signaling.ids import EventSeq, SessionId
from twinclass_signaling.messages import Ack

#: Acknowledged commands that are remembered of one session: a page repeats the last few.
_ACKS_KEPT = 256


class Commander(Protocol):
    """A session as far as its commands are concerned. ``acks``: those that are in the log, or None
    in place of the number while they are under way."""

    @property
    def session(self) -> SessionId:
        """Its id."""
        ...

    @property
    def connection(self) -> Connection | None:
        """Where it is told."""
        ...

    @property
    def acks(self) -> dict[int, EventSeq | None]:
        """Its commands."""
        ...


class CommandDesk:
    """Passes commands to the journal and its answers to whoever holds the session by then."""

    def __init__(
        self,
        journal: Journal[Any, Any, Any, Any],
        log: EventLog[Any],
        wall_clock: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._log = log
        self._now = wall_clock
        #: Sessions with a command of which nobody knows whether it is in the log.
        self._doubtful: set[SessionId] = set()

    def take(
        self,
        client: Commander,
        number: int,
        command: object,
        actor: object,
        refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Decides a command; acknowledgement or error follows in the order of the log. ``refused``
        is told the error's code, to be counted."""
        if number in client.acks:
            seq = client.acks[number]
            if seq is not None and client.connection is not None:
                client.connection.send(Ack(number, seq))
            return
        while len(client.acks) >= _ACKS_KEPT:
            del client.acks[next(iter(client.acks))]
        client.acks[number] = None

        def done(seq: EventSeq) -> None:
            client.acks[number] = seq
            if client.connection is not None:
                client.connection.send(Ack(number, seq))

        def failed(error: SignalingError) -> None:
            refused(error.code)
            client.acks.pop(number, None)
            if isinstance(error, Unavailable):
                self._doubtful.add(client.session)
            if client.connection is not None:
                client.connection.send(to_message(error, command=number))

        try:
            self._journal.submit(
                command,
                actor,
                self._now(),
                done=done,
                failed=failed,
                ack=(client.session, number),
            )
        except SignalingError as error:
            failed(error)

    async def resume(self, client: Commander) -> None:
        """Learns which commands of a session are in the log already, now or when it is back."""
        try:
            await self._load(client)
        except Unavailable:
            self._doubtful.add(client.session)

    async def _load(self, client: Commander) -> None:
        for command, seq in (await self._log.acknowledged(client.session)).items():
            client.acks.setdefault(command, seq)

    async def clear_doubts(self, clients: Mapping[SessionId, Commander]) -> None:
        """Learns what became of commands that were answered with an error.

        Raises:
            Unavailable: Redis is away again; the doubts stay.
        """
        for session in list(self._doubtful):
            client = clients.get(session)
            if client is not None:
                await self._load(client)
            self._doubtful.discard(session)
