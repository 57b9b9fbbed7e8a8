"""What is so, whether the log can take it or not: who is connected, which sources arrive.

Facts are told to the core as commands. While the log is away they only change here; when it is
back ``reconcile`` submits what has become different. So nothing internal is ever queued, and
media never waits for Redis.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from twinclass_server.signal.lesson_journal import LessonJournal
from twinclass_signaling.errors import SignalingError, Unavailable
from twinclass_signaling.ids import ParticipantId
from twinclass_signaling.lesson.commands import (
    SYSTEM,
    EndPublication,
    InternalCommand,
    Join,
    Leave,
    Lose,
    NoteEcho,
    StartPublication,
)
from twinclass_signaling.ports import EchoReport
from twinclass_signaling.roles import Source

logger = logging.getLogger(__name__)


class Facts:
    """One lesson's facts; ``is_here`` tells whether a participant has any line."""

    def __init__(
        self,
        journal: LessonJournal,
        wall_clock: Callable[[], float],
        is_here: Callable[[ParticipantId], bool],
    ) -> None:
        self._journal = journal
        self._now = wall_clock
        self._is_here = is_here
        # What a former process saw is believed until the media plane says otherwise.
        self._publications: set[tuple[ParticipantId, Source]] = {
            (participant, source)
            for participant, seat in journal.head.seats.items()
            for source in seat.sources
        }

        #: What comes back by microphones now; at most one a microphone.
        self._echoes: dict[ParticipantId, EchoReport] = {}

    def tell(self, command: InternalCommand) -> None:
        """Submits a command that follows from a fact."""
        try:
            self._journal.submit(command, SYSTEM, self._now())
        except Unavailable:
            logger.debug("the log is away; the fact is told when it is back")
        except SignalingError as error:
            logger.warning("%s refused: %s", type(command).__name__, error.code)

    def line_lost(self, participant: ParticipantId) -> None:
        """Notes that one of a participant's lines is gone."""
        if not self._is_here(participant):
            self.tell(Lose(participant))

    def line_there(self, participant: ParticipantId) -> None:
        """Notes that a participant has a line: the end of the one before may have been told after
        the seat was taken."""
        seat = self._journal.head.seats.get(participant)
        if seat is not None and seat.presence == "lost":
            self.tell(Join(participant, seat.role, seat.room, seat.companion))

    def publication_started(self, participant: ParticipantId, source: Source) -> None:
        """Notes that a source arrives."""
        self._publications.add((participant, source))
        self.tell(StartPublication(participant, source))

    def publication_ended(self, participant: ParticipantId, source: Source) -> None:
        """Notes that a source has ceased."""
        self._publications.discard((participant, source))
        self.tell(EndPublication(participant, source))

    def echo_changed(self, participant: ParticipantId, echo: EchoReport) -> None:
        """Notes what comes back by a microphone."""
        if echo.trouble is None:
            self._echoes.pop(participant, None)
        else:
            self._echoes[participant] = echo
        self._tell_echo(participant, echo)

    def _tell_echo(self, participant: ParticipantId, echo: EchoReport) -> None:
        lag_ms, gain_db = round(echo.lag_s * 1000), round(echo.gain_db)
        self.tell(NoteEcho(participant, echo.trouble, echo.age_s, lag_ms, gain_db))

    def leave_the_lost(self, keep_s: float) -> None:
        """Gives up the seats of those who were lost for too long."""
        now = self._now()
        for participant, seat in list(self._journal.head.seats.items()):
            is_over = seat.presence == "lost" and now - seat.lost_at >= keep_s
            if is_over and not self._is_here(participant):
                self._publications -= {(participant, source) for source in seat.sources}
                self.tell(Leave(participant, "timeout"))

    def reconcile(self) -> None:
        """Submits whatever the state of the log does not know yet."""
        for participant, seat in list(self._journal.head.seats.items()):
            is_here = self._is_here(participant)
            if seat.presence == "present" and not is_here:
                self.tell(Lose(participant))
            elif seat.presence == "lost" and is_here:
                self.tell(Join(participant, seat.role, seat.room, seat.companion))
            for source in list(seat.sources):
                if (participant, source) not in self._publications:
                    self.tell(EndPublication(participant, source))
        for participant, source in list(self._publications):
            self.tell(StartPublication(participant, source))
        for participant in list(self._journal.head.tools.echo):
            if participant not in self._echoes:
                self.tell(NoteEcho(participant, None))
        for participant, echo in self._echoes.items():
            self._tell_echo(participant, echo)
