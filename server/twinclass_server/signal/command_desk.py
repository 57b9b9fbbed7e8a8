"""Commands of clients: each number of a session is done once, whatever is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twinclass_server.errors import to_message
from twinclass_server.signal.client import Client
from twinclass_server.signal.lesson_journal import LessonJournal, LessonLog
from twinclass_signaling.errors import SignalingError, Unavailable
from twinclass_signaling.ids import EventSeq, SessionId
from twinclass_signaling.messages import Ack, Command

#: Acknowledged commands that are remembered of one session: a page repeats the last few.
_ACKS_KEPT = 256


class CommandDesk:
    """Passes commands to the journal and its answers to whoever holds the session by then."""

    def __init__(
        self, journal: LessonJournal, log: LessonLog, wall_clock: Callable[[], float]
    ) -> None:
        self._journal = journal
        self._log = log
        self._now = wall_clock
        #: Sessions with a command of which nobody knows whether it is in the log.
        self._doubtful: set[SessionId] = set()

    def take(self, client: Client, message: Command) -> None:
        """Decides a command; acknowledgement or error follows in the order of the log."""
        if message.id in client.acks:
            seq = client.acks[message.id]
            if seq is not None and client.connection is not None:
                client.connection.send(Ack(message.id, seq))
            return
        while len(client.acks) >= _ACKS_KEPT:
            del client.acks[next(iter(client.acks))]
        client.acks[message.id] = None

        def done(seq: EventSeq) -> None:
            client.acks[message.id] = seq
            if client.connection is not None:
                client.connection.send(Ack(message.id, seq))

        def failed(error: SignalingError) -> None:
            client.acks.pop(message.id, None)
            if isinstance(error, Unavailable):
                self._doubtful.add(client.session)
            if client.connection is not None:
                client.connection.send(to_message(error, command=message.id))

        try:
            self._journal.submit(
                message.command,
                client.actor,
                self._now(),
                done=done,
                failed=failed,
                ack=(client.session, message.id),
            )
        except SignalingError as error:
            failed(error)

    async def resume(self, client: Client) -> None:
        """Learns which commands of a session are in the log already, now or when it is back."""
        try:
            await self._load(client)
        except Unavailable:
            self._doubtful.add(client.session)

    async def _load(self, client: Client) -> None:
        for command, seq in (await self._log.acknowledged(client.session)).items():
            client.acks.setdefault(command, seq)

    async def clear_doubts(self, clients: Mapping[SessionId, Client]) -> None:
        """Learns what became of commands that were answered with an error.

        Raises:
            Unavailable: Redis is away again; the doubts stay.
        """
        for session in list(self._doubtful):
            client = clients.get(session)
            if client is not None:
                await self._load(client)
            self._doubtful.discard(session)
